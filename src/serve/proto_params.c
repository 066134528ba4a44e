/*
 * Parameters. The order of the checks is the protocol's (section 6): unknown names, then missing
 * and mistyped values, then ranges, then the texts in their order, then numbers.
 */
#include "serve/proto_params.h"

#include <string.h>

#include "base/mem.h"
#include "model/decode.h"
#include "model/spec.h"

enum param_type {
    PARAM_TEXTS, /* one or an array; this and the next four: proto_texts.c, proto_numbers.c */
    PARAM_TEXT,
    PARAM_STOPS,
    PARAM_FEATURES,
    PARAM_ROWS,
    PARAM_NAME,
    PARAM_INTEGER,
    PARAM_REAL,
    PARAM_BOOLEAN,
};

struct param {
    const char *name;
    enum param_type type;
    size_t offset; /* in struct proto_params; from PARAM_NAME on */
    bool required;
    int64_t min, max; /* PARAM_INTEGER, PARAM_REAL */
};

#define AT(member) offsetof(struct proto_params, member)
#define TIMEOUT                                                                                    \
    {                                                                                              \
        .name = "timeout_ms", .type = PARAM_INTEGER, .offset = AT(timeout_ms), .min = 1,           \
        .max = PROTO_MAX_TIMEOUT_MS                                                                \
    }
static const struct param no_params[] = {{.name = NULL}};
static const struct param translate_params[] = {
    {.name = "text", .type = PARAM_TEXTS, .required = true},
    {.name = "model", .type = PARAM_NAME, .offset = AT(model)},
    {.name = "source", .type = PARAM_NAME, .offset = AT(source)},
    {.name = "target", .type = PARAM_NAME, .offset = AT(target)},
    {.name = "beam", .type = PARAM_INTEGER, .offset = AT(beam), .min = 1, .max = DECODE_MAX_BEAM},
    {.name = "nbest", .type = PARAM_INTEGER, .offset = AT(nbest), .min = 1, .max = DECODE_MAX_BEAM},
    {.name = "alignment", .type = PARAM_BOOLEAN, .offset = AT(alignment)},
    TIMEOUT,
    {.name = NULL},
};
static const struct param classify_params[] = {
    {.name = "text", .type = PARAM_TEXTS, .required = true},
    {.name = "model", .type = PARAM_NAME, .offset = AT(model)},
    {.name = "top", .type = PARAM_INTEGER, .offset = AT(top), .min = 1, .max = SPEC_MAX_LABELS},
    {.name = "explain", .type = PARAM_BOOLEAN, .offset = AT(explain)},
    TIMEOUT,
    {.name = NULL},
};
static const struct param generate_params[] = {
    {.name = "prompt", .type = PARAM_TEXT},
    {.name = "model", .type = PARAM_NAME, .offset = AT(model)},
    {.name = "label", .type = PARAM_NAME, .offset = AT(label)},
    {.name = "features", .type = PARAM_FEATURES},
    /* at most what the server allows, see greatest() */
    {.name = "max_tokens", .type = PARAM_INTEGER, .offset = AT(max_tokens), .min = 1},
    {.name = "temperature",
     .type = PARAM_REAL,
     .offset = AT(temperature),
     .max = PROTO_MAX_TEMPERATURE},
    {.name = "top_k", .type = PARAM_INTEGER, .offset = AT(top_k), .min = 1, .max = PROTO_MAX_TOP_K},
    {.name = "top_p", .type = PARAM_REAL, .offset = AT(top_p), .max = 1},
    {.name = "seed", .type = PARAM_INTEGER, .offset = AT(seed), .max = INT64_MAX},
    {.name = "stop", .type = PARAM_STOPS},
    {.name = "stream", .type = PARAM_BOOLEAN, .offset = AT(stream)},
    TIMEOUT,
    {.name = NULL},
};
static const struct param regress_params[] = {
    {.name = "text", .type = PARAM_TEXTS},
    {.name = "rows", .type = PARAM_ROWS},
    {.name = "model", .type = PARAM_NAME, .offset = AT(model)},
    TIMEOUT,
    {.name = NULL},
};
static const struct param tag_params[] = {
    {.name = "text", .type = PARAM_TEXTS, .required = true},
    {.name = "model", .type = PARAM_NAME, .offset = AT(model)},
    TIMEOUT,
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
    case PROTO_GENERATE:
        return generate_params;
    case PROTO_REGRESS:
        return regress_params;
    case PROTO_TAG:
        return tag_params;
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

static void check_name(struct proto_error *error, const struct param *param, const json_t *value)
{
    if (!json_is_string(value)) {
        proto_refuse_type(error, param->name, "string");
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
    case PARAM_STOPS:
        proto_check_texts(&call->error, param->name, value);
        return;
    case PARAM_TEXT:
        if (!json_is_string(value))
            proto_refuse_type(&call->error, param->name, "string");
        return;
    case PARAM_FEATURES:
    case PARAM_ROWS:
        proto_check_numbers(&call->error, param->name, value, param->type == PARAM_ROWS);
        return;
    case PARAM_NAME:
        check_name(&call->error, param, value);
        *(const char **)(void *)place = json_string_value(value);
        return;
    case PARAM_INTEGER:
        if (!json_is_integer(value))
            proto_refuse_type(&call->error, param->name, "integer");
        *(int64_t *)(void *)place = json_integer_value(value);
        return;
    case PARAM_REAL:
        if (!json_is_number(value))
            proto_refuse_type(&call->error, param->name, "number");
        *(double *)(void *)place = json_number_value(value);
        return;
    case PARAM_BOOLEAN:
        if (!json_is_boolean(value))
            proto_refuse_type(&call->error, param->name, "boolean");
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
            proto_refuse_missing(&call->error, param->name);
    }
}

/* Parameters that need or exclude each other. */
static void check_together(struct proto_call *call, const json_t *params)
{
    if (call->params.source && !call->params.target)
        proto_refuse_missing(&call->error, "target");
    if (call->params.target && !call->params.source)
        proto_refuse_missing(&call->error, "source");
    if (call->method != PROTO_REGRESS)
        return;
    bool has_text = json_object_get(params, "text"), has_rows = json_object_get(params, "rows");
    if (!has_text && !has_rows)
        proto_refuse_missing(&call->error, "text");
    if (has_text && has_rows)
        proto_refuse_conflict(&call->error, "rows", "text and rows cannot both be given");
}

static int64_t greatest(const struct proto_call *call, const struct param *param,
                        const struct proto_context *context)
{
    if (param->offset == AT(nbest) && call->params.beam)
        return call->params.beam;
    if (param->offset == AT(max_tokens))
        return (int64_t)context->max_tokens;
    return param->max;
}

static bool is_within(const json_t *value, int64_t min, int64_t max)
{
    if (json_is_integer(value))
        return json_integer_value(value) >= min && json_integer_value(value) <= max;
    return json_real_value(value) >= (double)min && json_real_value(value) <= (double)max;
}

static void check_ranges(struct proto_call *call, const struct param *table, const json_t *params,
                         const struct proto_context *context)
{
    for (const struct param *param = table; params && param->name; param++) {
        const json_t *value = json_object_get(params, param->name);
        if ((param->type != PARAM_INTEGER && param->type != PARAM_REAL) || !value)
            continue;
        int64_t max = greatest(call, param, context);
        if (!is_within(value, param->min, max)) {
            proto_refuse_range(&call->error, param->name, param->min, max);
            return;
        }
    }
}

/* The values that own memory, in the table's order. */
static int take_large(struct proto_call *call, const struct param *table, const json_t *params,
                      const struct proto_context *context, struct err *err)
{
    int rc = 0;
    for (const struct param *param = table; param->name && rc == 0 && !call->error.code; param++) {
        const json_t *value = params ? json_object_get(params, param->name) : NULL;
        if (param->type == PARAM_TEXT || param->type == PARAM_TEXTS)
            rc = proto_take_texts(call, param->name, value, context, err);
        else if (param->type == PARAM_STOPS && value)
            rc = proto_take_stops(call, param->name, value, err);
        else if ((param->type == PARAM_FEATURES || param->type == PARAM_ROWS) && value)
            rc = proto_take_numbers(call, param->name, value, context, err);
    }
    return rc;
}

static void set_defaults(struct proto_params *params, const struct proto_context *context)
{
    size_t most = PROTO_DEFAULT_MAX_TOKENS;
    params->max_tokens = (int64_t)(context->max_tokens < most ? context->max_tokens : most);
    params->temperature = params->top_p = 1;
    params->seed = -1;
}

int proto_params_parse(struct proto_call *call, const json_t *params,
                       const struct proto_context *context, struct err *err)
{
    const struct param *table = params_of(call->method);
    set_defaults(&call->params, context);
    if (params)
        check_unknown(&call->error, table, params, proto_method_names[call->method]);
    if (!call->error.code)
        take_values(call, table, params);
    if (!call->error.code)
        check_together(call, params);
    if (!call->error.code)
        check_ranges(call, table, params, context);
    return call->error.code ? 0 : take_large(call, table, params, context, err);
}

void proto_params_release(struct proto_params *params)
{
    mem_free(params->texts);
    mem_free(params->stops);
    rows_release(&params->rows);
    *params = (struct proto_params){0};
}
