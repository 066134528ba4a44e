/* Errors as the protocol has them: a code, a line for people and an object for programs. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "serve/proto.h"
#include "text/json.h"
#include "text/utf8.h"

/* A member is written whole or not at all, so that `data` stays JSON when memory runs out. */
static void member_end(struct proto_error *error, size_t start, const struct err *err)
{
    if (err->code && error->data.data) {
        error->data.len = start;
        error->data.data[start] = '\0';
    }
}

void proto_error_set(struct proto_error *error, enum proto_code code, const char *reason,
                     const char *format, ...)
{
    if (error->code != PROTO_OK)
        return;
    error->code = code;
    va_list list;
    va_start(list, format);
    vsnprintf(error->message, sizeof error->message, format, list);
    va_end(list);
    struct err err = ERR_INIT;
    json_write_string(&error->data, "reason", reason, &err);
    member_end(error, 0, &err);
}

void proto_error_integer(struct proto_error *error, const char *name, int64_t value)
{
    struct err err = ERR_INIT;
    size_t start = error->data.len;
    json_write_integer(&error->data, name, value, &err);
    member_end(error, start, &err);
}

void proto_error_text(struct proto_error *error, const char *name, const char *text, size_t len)
{
    struct err err = ERR_INIT;
    size_t start = error->data.len;
    if (len > PROTO_MAX_ECHO)
        len = utf8_valid_length(text, PROTO_MAX_ECHO);
    json_write_name(&error->data, name, &err);
    json_write_text(&error->data, text, len, &err);
    member_end(error, start, &err);
}

void proto_error_names(struct proto_error *error, const char *name, const char *const *names,
                       size_t count)
{
    struct err err = ERR_INIT;
    size_t start = error->data.len;
    json_write_name(&error->data, name, &err);
    buf_char(&error->data, '[', &err);
    for (size_t i = 0; i < count; i++) {
        json_write_comma(&error->data, &err);
        json_write_text(&error->data, names[i], strlen(names[i]), &err);
    }
    buf_char(&error->data, ']', &err);
    member_end(error, start, &err);
}

void proto_error_release(struct proto_error *error)
{
    buf_release(&error->data);
    error->code = PROTO_OK;
}
