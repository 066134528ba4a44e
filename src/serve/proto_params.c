/*
 * Parameters. The order of the checks is the protocol's (section 6): unknown names, then missing
 * and mistyped values, then ranges, then the texts in their order.
 */
#include "serve/proto_params.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "model/decode.h"
#include "model/spec.h"

enum param_type { PARAM_TEXTS, PARAM_NAME, PARAM_INTEGER, PARAM_BOOLEAN };

struct param {
    const char *name;
    enum param_type type;
    size_t offset; /* in struct proto_params; unused for PARAM_TEXTS */
    bool required;
    int64_t min, max; /* PARAM_INTEGER */
};

#define AT(member) offsetof(struct proto_params, member)
static const struct param no_params[] = {{.name = NULL}};
static const struct param translate_params[] = {
    {.name = "text", .type = PARAM_TEXTS, .required = true},
    {.name = "model", .type = PARAM_NAME, .offset = AT(model)},
    {.name = "source", .type = PARAM_NAME, .offset = AT(source)},
    {.name = "target", .type = PARAM_NAME, .offset = AT(target)},
    {.name = "beam", .type = PARAM_INTEGER, .offset = AT(beam), .min = 1, .max = DECODE_MAX_BEAM},
    {.name = "nbest", .type = PARAM_INTEGER, .offset = AT(nbest), .min = 1, .max = DECODE_MAX_BEAM},
    {.name = "alignment", .type = PARAM_BOOLEAN, .offset = AT(alignment)},
    {.name = "timeout_ms",
     .type = PARAM_INTEGER,
     .offset = AT(timeout_ms),
     .min = 1,
     .max = PROTO_MAX_TIMEOUT_MS},
    {.name = NULL},
};
static const struct param classify_params[] = {
    {.name = "text", .type = PARAM_TEXTS, .required = true},
    {.name = "model", .type = PARAM_NAME, .offset = AT(model)},
    {.name = "top", .type = PARAM_INTEGER, .offset = AT(top), .min = 1, .max = SPEC_MAX_LABELS},
    {.name = "timeout_ms",
     .type = PARAM_INTEGER,
     .offset = AT(timeout_ms),
     .min = 1,
     .max = PROTO_MAX_TIMEOUT_MS},
    {.name = NULL},
};
static const struct param log_params[] = {
    {.name = "limit", .type = PARAM_INTEGER, .offset = AT(limit), .min = 1, .max = 1000},
    {.name = "since_ms", .type = PARAM_INTEGER, .offset = AT(since_ms), .min = 0, .max = INT64_MAX},
    {.name = NULL},
};

static const struct param *params_of(enum proto_method method)
{
    switch (method) {
    case PROTO_TRANSLATE:
        return translate_params;
    case PROTO_CLASSIFY:
        return classify_params;
    case PROTO_ADMIN_LOG:
        return log_params;
    case PROTO_ADMIN_RELOAD:
    case PROTO_HEALTH:
    case PROTO_MODELS:
    case PROTO_STATS:
    case PROTO_VERSION_METHOD:
    case PROTO_METHODS:
        break;
    }
    return no_params;
}

static void check_unknown(struct proto_error *error, const struct param *table,
                          const json_t *params, const char *method)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)params, name, value)
    {
        const struct param *param = table;
        while (param->name && strcmp(param->name, name) != 0)
            param++;
        if (!param->name) {
            proto_error_set(error, PROTO_INVALID_PARAMS, "unknown", "%s has no parameter '%.64s'",
                            method, name);
            proto_error_text(error, "path", name, strlen(name));
            return;
        }
    }
}

static void refuse_missing(struct proto_error *error, const char *name)
{
    proto_error_set(error, PROTO_INVALID_PARAMS, "missing", "%s is missing", name);
    proto_error_text(error, "path", name, strlen(name));
}

static void refuse_type(struct proto_error *error, const char *path, const char *expected)
{
    proto_error_set(error, PROTO_INVALID_PARAMS, "type", "%s must be %s %s", path,
                    expected[0] == 'i' ? "an" : "a", expected);
    proto_error_text(error, "path", path, strlen(path));
    proto_error_text(error, "expected", expected, strlen(expected));
}

static void check_texts_type(struct proto_error *error, const json_t *value)
{
    if (json_is_string(value))
        return;
    if (!json_is_array(value)) {
        refuse_type(error, "text", "string or array of strings");
        return;
    }
    size_t index;
    json_t *item;
    json_array_foreach((json_t *)value, index, item)
    {
        if (!json_is_string(item)) {
            char path[32];
            snprintf(path, sizeof path, "text[%zu]", index);
            refuse_type(error, path, "string");
            return;
        }
    }
}

static void check_name(struct proto_error *error, const struct param *param, const json_t *value)
{
    if (!json_is_string(value)) {
        refuse_type(error, param->name, "string");
        return;
    }
    size_t len = strlen(json_string_value(value));
    if (len == json_string_length(value))
        return;
    proto_error_set(error, PROTO_INVALID_PARAMS, "control_character",
                    "%s holds the control character U+0000 at byte %zu", param->name, len);
    proto_error_text(error, "path", param->name, strlen(param->name));
    proto_error_integer(error, "offset", (int64_t)len);
}

/* Checks the type and stores the value. */
static void take_value(struct proto_call *call, const struct param *param, const json_t *value)
{
    char *place = (char *)&call->params + param->offset;
    switch (param->type) {
    case PARAM_TEXTS:
        check_texts_type(&call->error, value);
        return;
    case PARAM_NAME:
        check_name(&call->error, param, value);
        *(const char **)(void *)place = json_string_value(value);
        return;
    case PARAM_INTEGER:
        if (!json_is_integer(value))
            refuse_type(&call->error, param->name, "integer");
        *(int64_t *)(void *)place = json_integer_value(value);
        return;
    case PARAM_BOOLEAN:
        if (!json_is_boolean(value))
            refuse_type(&call->error, param->name, "boolean");
        *(bool *)place = json_is_true(value);
        return;
    }
}

static void take_values(struct proto_call *call, const struct param *table, const json_t *params)
{
    for (const struct param *param = table; param->name && !call->error.code; param++) {
        const json_t *value = params ? json_object_get(params, param->name) : NULL;
        if (value)
            take_value(call, param, value);
        else if (param->required)
            refuse_missing(&call->error, param->name);
    }
    if (call->params.source && !call->params.target)
        refuse_missing(&call->error, "target");
    if (call->params.target && !call->params.source)
        refuse_missing(&call->error, "source");
}

void proto_refuse_range(struct proto_error *error, const char *name, int64_t min, int64_t max)
{
    proto_error_set(error, PROTO_INVALID_PARAMS, "range", "%s must be between %lld and %lld", name,
                    (long long)min, (long long)max);
    proto_error_text(error, "path", name, strlen(name));
    proto_error_integer(error, "min", min);
    proto_error_integer(error, "max", max);
}

static void check_ranges(struct proto_call *call, const struct param *table, const json_t *params)
{
    for (const struct param *param = table; params && param->name; param++) {
        const json_t *value = json_object_get(params, param->name);
        if (param->type != PARAM_INTEGER || !value)
            continue;
        int64_t number = json_integer_value(value), max = param->max;
        if (strcmp(param->name, "nbest") == 0 && call->params.beam)
            max = call->params.beam;
        if (number < param->min || number > max) {
            proto_refuse_range(&call->error, param->name, param->min, max);
            return;
        }
    }
}

static bool is_refused_character(char c)
{
    unsigned char byte = (unsigned char)c;
    return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
}

static void check_text(struct proto_error *error, const struct proto_text *text, const char *path,
                       size_t max_text)
{
    if (text->len > max_text) {
        proto_error_set(error, PROTO_TOO_LONG, "text_too_long",
                        "%s has %zu bytes, and at most %zu are allowed", path, text->len, max_text);
        proto_error_text(error, "path", path, strlen(path));
        proto_error_integer(error, "limit", (int64_t)max_text);
        proto_error_integer(error, "actual", (int64_t)text->len);
        return;
    }
    for (size_t i = 0; i < text->len; i++) {
        if (is_refused_character(text->data[i])) {
            proto_error_set(error, PROTO_INVALID_PARAMS, "control_character",
                            "%s holds the control character U+%04X at byte %zu", path,
                            (unsigned)(unsigned char)text->data[i], i);
            proto_error_text(error, "path", path, strlen(path));
            proto_error_integer(error, "offset", (int64_t)i);
            return;
        }
    }
}

static struct proto_text text_of(const json_t *value)
{
    return (struct proto_text){.data = json_string_value(value), .len = json_string_length(value)};
}

static int take_texts(struct proto_call *call, const json_t *value,
                      const struct proto_context *context, struct err *err)
{
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    if (count > context->max_texts) {
        proto_error_set(&call->error, PROTO_TOO_LONG, "too_many_texts",
                        "text has %zu texts, and at most %zu are allowed", count,
                        context->max_texts);
        proto_error_text(&call->error, "path", "text", 4);
        proto_error_integer(&call->error, "limit", (int64_t)context->max_texts);
        proto_error_integer(&call->error, "actual", (int64_t)count);
        return 0;
    }
    call->params.texts = mem_alloc(count, sizeof *call->params.texts, err);
    if (!call->params.texts)
        return ERR_MEMORY;
    call->params.text_count = count;
    call->params.is_list = json_is_array(value);
    for (size_t i = 0; i < count && !call->error.code; i++) {
        char path[32] = "text";
        if (json_is_array(value))
            snprintf(path, sizeof path, "text[%zu]", i);
        call->params.texts[i] = text_of(json_is_array(value) ? json_array_get(value, i) : value);
        check_text(&call->error, &call->params.texts[i], path, context->max_text);
    }
    return 0;
}

int proto_params_parse(struct proto_call *call, const json_t *params,
                       const struct proto_context *context, struct err *err)
{
    const struct param *table = params_of(call->method);
    if (params)
        check_unknown(&call->error, table, params, proto_method_names[call->method]);
    if (!call->error.code)
        take_values(call, table, params);
    if (!call->error.code)
        check_ranges(call, table, params);
    if (!call->error.code && table[0].name && table[0].type == PARAM_TEXTS)
        return take_texts(call, json_object_get(params, table[0].name), context, err);
    return 0;
}

void proto_params_release(struct proto_params *params)
{
    mem_free(params->texts);
    *params = (struct proto_params){0};
}
