/*
 * From a line to calls. A first pass over the bytes checks UTF-8, nesting and the number of values,
 * so that jansson is only given what it can build in bounded memory and stack; then jansson
 * parses, and the tree is read against the protocol. Checks run in the protocol's order.
 */
#include "serve/proto.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "serve/proto_params.h"
#include "text/json.h"
#include "text/utf8.h"

const char *const proto_method_names[PROTO_METHODS] = {
    [PROTO_ADMIN_LOG] = "admin.log",
    [PROTO_ADMIN_RELOAD] = "admin.reload",
    [PROTO_CLASSIFY] = "classify",
    [PROTO_GENERATE] = "generate",
    [PROTO_HEALTH] = "health",
    [PROTO_MODELS] = "models",
    [PROTO_REGRESS] = "regress",
    [PROTO_STATS] = "stats",
    [PROTO_TAG] = "tag",
    [PROTO_TRANSLATE] = "translate",
    [PROTO_VERSION_METHOD] = "version",
};

bool proto_needs_model(enum proto_method method)
{
    switch (method) {
    case PROTO_CLASSIFY:
    case PROTO_GENERATE:
    case PROTO_REGRESS:
    case PROTO_TAG:
    case PROTO_TRANSLATE:
        return true;
    case PROTO_ADMIN_LOG:
    case PROTO_ADMIN_RELOAD:
    case PROTO_HEALTH:
    case PROTO_MODELS:
    case PROTO_STATS:
    case PROTO_VERSION_METHOD:
    case PROTO_METHODS:
        break;
    }
    return false;
}

static void refuse_line(struct proto_error *error, const char *reason, const char *why,
                        size_t offset)
{
    proto_error_set(error, PROTO_PARSE_ERROR, reason, "%s, at byte %zu", why, offset);
    proto_error_integer(error, "offset", (int64_t)offset);
}

/* Nesting and number of values, counted by brackets and commas outside strings. Where the line is
   not JSON the counts mean nothing, but jansson will say so. */
static void check_shape(struct proto_error *error, const char *line, size_t len)
{
    size_t depth = 0, values = 1;
    bool inside = false;
    for (size_t i = 0; i < len; i++) {
        char c = line[i];
        if (inside) {
            if (c == '\\')
                i++;
            else if (c == '"')
                inside = false;
            continue;
        }
        if (c == '"')
            inside = true;
        else if (c == '[' || c == '{')
            depth++, values++;
        else if ((c == ']' || c == '}') && depth > 0)
            depth--;
        else if (c == ',')
            values++;
        if (depth > PROTO_MAX_DEPTH) {
            refuse_line(error, "too_deep", "not accepted: nested too deeply", i);
            return;
        }
        if (values > PROTO_MAX_VALUES) {
            refuse_line(error, "too_many_values", "not accepted: too many values", i);
            return;
        }
    }
}

/* Tells lack of memory, ours to answer for, from a fault of the line. */
static int refuse_json(struct proto_error *error, const json_error_t *cause, size_t len,
                       struct err *err)
{
    size_t offset = cause->position < 0 ? 0 : (size_t)cause->position;
    if (offset > len)
        offset = len;
    const char *reason = "syntax";
    switch (json_error_code(cause)) {
    case json_error_out_of_memory:
        return err_set(err, ERR_MEMORY, "out of memory while parsing a line of %zu bytes", len);
    case json_error_stack_overflow:
        reason = "too_deep";
        break;
    case json_error_duplicate_key:
        reason = "duplicate_name";
        break;
    case json_error_numeric_overflow:
        reason = "number_range";
        break;
    default: /* jansson's list may grow; all else is syntax */
        break;
    }
    proto_error_set(error, PROTO_PARSE_ERROR, reason, "not JSON: %s", cause->text);
    proto_error_integer(error, "offset", (int64_t)offset);
    return 0;
}

/* The tree, or NULL with either `error` or `err` set. */
static json_t *parse_json(const char *line, size_t len, struct proto_error *error, struct err *err)
{
    size_t valid = utf8_valid_length(line, len);
    if (valid < len)
        refuse_line(error, "invalid_utf8", "not UTF-8", valid);
    else
        check_shape(error, line, len);
    if (error->code)
        return NULL;
    json_error_t cause;
    json_t *tree =
        json_loadb(line, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &cause);
    if (!tree)
        refuse_json(error, &cause, len, err);
    return tree;
}

/* The fewest digits that read back as the same double. */
static void write_real(struct buf *out, double value, struct err *err)
{
    char text[40];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    buf_text(out, text, err);
}

/* The id as JSON text, or NULL: with err set for lack of memory, else because there is no valid
   one. */
static char *copy_id(const json_t *id, struct err *err)
{
    struct buf out = BUF_INIT;
    if (json_is_string(id) && json_string_length(id) <= PROTO_MAX_ID)
        json_write_text(&out, json_string_value(id), json_string_length(id), err);
    else if (json_is_integer(id))
        buf_printf(&out, err, "%lld", (long long)json_integer_value(id));
    else if (json_is_real(id))
        write_real(&out, json_real_value(id), err);
    else if (json_is_null(id))
        buf_text(&out, "null", err);
    if (!err->code)
        return out.data;
    buf_release(&out);
    return NULL;
}

static void check_members(struct proto_call *call, const json_t *request)
{
    const json_t *version = json_object_get(request, "jsonrpc");
    const json_t *method = json_object_get(request, "method");
    const json_t *params = json_object_get(request, "params");
    struct proto_error *error = &call->error;
    if (!json_is_string(version) || json_string_length(version) != 3 ||
        strcmp(json_string_value(version), "2.0") != 0)
        proto_error_set(error, PROTO_INVALID_REQUEST, "jsonrpc",
                        "jsonrpc must be the string \"2.0\"");
    else if (json_object_get(request, "id") && !call->id)
        proto_error_set(error, PROTO_INVALID_REQUEST, "id",
                        "id must be a string of at most %d bytes, a number or null", PROTO_MAX_ID);
    else if (!json_is_string(method))
        proto_error_set(error, PROTO_INVALID_REQUEST, "method", "method must be a string");
    else if (params && !json_is_object(params) && !json_is_array(params))
        proto_error_set(error, PROTO_INVALID_REQUEST, "params", "params must be an object");
}

static void find_method(struct proto_call *call, const json_t *name)
{
    const char *text = json_string_value(name);
    for (enum proto_method i = 0; i < PROTO_METHODS; i++) {
        if (strlen(proto_method_names[i]) == json_string_length(name) &&
            strcmp(text, proto_method_names[i]) == 0) {
            call->method = i;
            call->has_method = true;
            return;
        }
    }
    proto_error_set(&call->error, PROTO_UNKNOWN_METHOD, "unknown_method",
                    "there is no method '%.64s'", text);
    proto_error_names(&call->error, "methods", proto_method_names, PROTO_METHODS);
}

static void check_allowed(struct proto_call *call, const struct proto_context *context)
{
    bool admin = call->method == PROTO_ADMIN_LOG || call->method == PROTO_ADMIN_RELOAD;
    if (admin && !context->local)
        proto_error_set(&call->error, PROTO_UNAUTHORIZED, "not_local",
                        "%s is allowed on local connections only",
                        proto_method_names[call->method]);
    else if (proto_needs_model(call->method) && context->draining)
        proto_error_set(&call->error, PROTO_DRAINING, "draining", "the server is stopping");
}

static int parse_request(struct proto_call *call, const json_t *request,
                         const struct proto_context *context, struct err *err)
{
    const json_t *id = json_object_get(request, "id");
    call->id = id ? copy_id(id, err) : NULL;
    if (err->code)
        return err->code;
    check_members(call, request);
    if (!call->error.code)
        find_method(call, json_object_get(request, "method"));
    if (!call->error.code)
        check_allowed(call, context);
    const json_t *params = json_object_get(request, "params");
    if (!call->error.code && json_is_array(params))
        proto_error_set(&call->error, PROTO_INVALID_PARAMS, "by_position",
                        "parameters are given by name, in an object");
    return call->error.code ? 0 : proto_params_parse(call, params, context, err);
}

static int parse_call(struct proto_call *call, const json_t *value,
                      const struct proto_context *context, struct err *err)
{
    int rc = 0;
    if (json_is_object(value))
        rc = parse_request(call, value, context, err);
    else
        proto_error_set(&call->error, PROTO_INVALID_REQUEST, "not_object",
                        "a request must be an object");
    if (rc == 0 && call->error.code == PROTO_INVALID_REQUEST && !call->id)
        call->id = mem_copy_text("null", 4, err);
    return err->code;
}

static int parse_calls(struct proto_message *message, const json_t *tree,
                       const struct proto_context *context, struct err *err)
{
    message->batch = json_is_array(tree);
    message->count = message->batch ? json_array_size(tree) : 1;
    message->calls = mem_alloc(message->count, sizeof *message->calls, err);
    int rc = message->calls ? 0 : ERR_MEMORY;
    for (size_t i = 0; i < message->count && rc == 0; i++)
        rc = parse_call(&message->calls[i], message->batch ? json_array_get(tree, i) : tree,
                        context, err);
    return rc;
}

/* A message of one call that holds nothing but the error, answered with the id null. */
static int parse_refused(struct proto_message *message, const struct proto_error *error,
                         struct err *err)
{
    message->count = 1;
    message->calls = mem_alloc(1, sizeof *message->calls, err);
    if (!message->calls)
        return ERR_MEMORY;
    message->calls[0].error = *error;
    message->calls[0].id = mem_copy_text("null", 4, err);
    return message->calls[0].id ? 0 : ERR_MEMORY;
}

static void check_batch(struct proto_error *error, const json_t *tree, size_t max_batch)
{
    if (!json_is_array(tree))
        return;
    if (json_array_size(tree) == 0) {
        proto_error_set(error, PROTO_INVALID_REQUEST, "empty_batch", "a batch must not be empty");
    } else if (json_array_size(tree) > max_batch) {
        proto_error_set(error, PROTO_TOO_LONG, "batch_too_long",
                        "a batch of %zu requests, and at most %zu are allowed",
                        json_array_size(tree), max_batch);
        proto_error_integer(error, "limit", (int64_t)max_batch);
    }
}

static bool is_blank(const char *line, size_t len)
{
    size_t i = 0;
    while (i < len && (line[i] == ' ' || line[i] == '\t' || line[i] == '\r'))
        i++;
    return i == len;
}

static int parse_line(struct proto_message *message, const char *line, size_t len,
                      const struct proto_context *context, struct err *err)
{
    struct proto_error error = {0};
    json_t *tree = parse_json(line, len, &error, err);
    message->tree = tree;
    if (tree)
        check_batch(&error, tree, context->max_batch);
    int rc = err->code;
    if (rc == 0)
        rc = error.code ? parse_refused(message, &error, err)
                        : parse_calls(message, tree, context, err);
    if (rc < 0 && !message->calls)
        proto_error_release(&error);
    return rc;
}

int proto_parse(struct proto_message **message, const char *line, size_t len,
                const struct proto_context *context, struct err *err)
{
    *message = NULL;
    if (is_blank(line, len))
        return 0;
    struct proto_message *fresh = mem_alloc(1, sizeof *fresh, err);
    if (!fresh)
        return ERR_MEMORY;
    fresh->references = 1;
    fresh->size = len;
    struct err local = ERR_INIT;
    int rc = parse_line(fresh, line, len, context, &local);
    if (rc < 0) {
        proto_message_release(fresh);
        return err_set(err, local.code, "%s", local.message);
    }
    *message = fresh;
    return 0;
}

struct proto_message *proto_message_retain(struct proto_message *message)
{
    message->references++;
    return message;
}

void proto_message_release(struct proto_message *message)
{
    if (!message || --message->references > 0)
        return;
    for (size_t i = 0; message->calls && i < message->count; i++) {
        mem_free(message->calls[i].id);
        proto_params_release(&message->calls[i].params);
        proto_error_release(&message->calls[i].error);
    }
    mem_free(message->calls);
    json_decref(message->tree);
    mem_free(message);
}
