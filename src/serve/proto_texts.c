/* Texts among the parameters: `text` and `prompt`, which models read, and `stop`. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "serve/proto_params.h"

void proto_check_texts(struct proto_error *error, const char *name, const json_t *value)
{
    if (json_is_string(value))
        return;
    if (!json_is_array(value)) {
        proto_refuse_type(error, name, "string or array of strings");
        return;
    }
    size_t index;
    json_t *item;
    json_array_foreach((json_t *)value, index, item)
    {
        if (!json_is_string(item)) {
            char path[32];
            snprintf(path, sizeof path, "%s[%zu]", name, index);
            proto_refuse_type(error, path, "string");
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
    proto_check_text_length(error, path, text->len, max_text);
    for (size_t i = 0; i < text->len && !error->code; i++) {
        if (is_refused_character(text->data[i])) {
            proto_error_set(error, PROTO_INVALID_PARAMS, "control_character",
                            "%s holds the control character U+%04X at byte %zu", path,
                            (unsigned)(unsigned char)text->data[i], i);
            proto_error_text(error, "path", path, strlen(path));
            proto_error_integer(error, "offset", (int64_t)i);
        }
    }
}

static struct proto_text text_of(const json_t *value)
{
    const char *data = json_string_value(value);
    return (struct proto_text){.data = data ? data : "", .len = json_string_length(value)};
}

static const json_t *item_of(const json_t *value, size_t index)
{
    return json_is_array(value) ? json_array_get(value, index) : value;
}

static void path_of(char *path, size_t size, const char *name, const json_t *value, size_t index)
{
    if (json_is_array(value))
        snprintf(path, size, "%s[%zu]", name, index);
    else
        snprintf(path, size, "%s", name);
}

int proto_take_texts(struct proto_call *call, const char *name, const json_t *value,
                     const struct proto_context *context, struct err *err)
{
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    if (count > context->max_texts) {
        proto_refuse_count(&call->error, "too_many_texts", name, count, context->max_texts);
        return 0;
    }
    call->params.texts = mem_alloc(count, sizeof *call->params.texts, err);
    if (!call->params.texts)
        return ERR_MEMORY;
    call->params.text_count = count;
    call->params.is_list = json_is_array(value);
    for (size_t i = 0; i < count && !call->error.code; i++) {
        char path[32];
        path_of(path, sizeof path, name, value, i);
        call->params.texts[i] = text_of(item_of(value, i));
        check_text(&call->error, &call->params.texts[i], path, context->max_text);
    }
    return 0;
}

/* A stop string has something in it, and no U+0000, which would hide its end. */
static void check_stop(struct proto_error *error, const struct proto_text *stop, const char *path)
{
    if (stop->len == 0)
        proto_refuse_empty(error, path);
    else
        check_text(error, stop, path, PROTO_MAX_STOP);
}

int proto_take_stops(struct proto_call *call, const char *name, const json_t *value,
                     struct err *err)
{
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    if (count > PROTO_MAX_STOPS) {
        proto_refuse_count(&call->error, "too_many_texts", name, count, PROTO_MAX_STOPS);
        return 0;
    }
    call->params.stops = mem_alloc(count, sizeof *call->params.stops, err);
    if (!call->params.stops)
        return ERR_MEMORY;
    call->params.stop_count = count;
    for (size_t i = 0; i < count && !call->error.code; i++) {
        struct proto_text stop = text_of(item_of(value, i));
        char path[32];
        path_of(path, sizeof path, name, value, i);
        check_stop(&call->error, &stop, path);
        call->params.stops[i] = stop.data;
    }
    return 0;
}
