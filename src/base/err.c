/*
 * Errors. A message is one line of UTF-8 whatever went into it: control characters become spaces,
 * and a message that was cut for length is cut at the start of a character.
 */
#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Drops a UTF-8 sequence that the end of the buffer has cut in two. */
static void trim_partial(char *text, size_t len)
{
    size_t start = len;
    while (start > 0 && len - start < 3 && ((unsigned char)text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)text[start - 1];
    size_t want = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
    if (want > len - start + 1)
        text[start - 1] = '\0';
}

static void make_line(char *text)
{
    for (unsigned char *c = (unsigned char *)text; *c; c++)
        if (*c < 0x20 || *c == 0x7F)
            *c = ' ';
    trim_partial(text, strlen(text));
}

static void err_fill(struct err *err, enum err_code code, const char *format, va_list list)
{
    err->code = code;
    if (vsnprintf(err->message, sizeof err->message, format, list) < 0)
        err->message[0] = '\0';
    make_line(err->message);
}

int err_set(struct err *err, enum err_code code, const char *format, ...)
{
    if (!err || err->code)
        return code;
    va_list list;
    va_start(list, format);
    err_fill(err, code, format, list);
    va_end(list);
    return code;
}

int err_errno(struct err *err, const char *format, ...)
{
    int number = errno;
    enum err_code code = number == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    if (number == ENOMEM)
        code = ERR_MEMORY;
    if (!err || err->code)
        return code;
    va_list list;
    va_start(list, format);
    err_fill(err, code, format, list);
    va_end(list);
    size_t len = strlen(err->message);
    snprintf(err->message + len, sizeof err->message - len, ": %s", strerror(number));
    make_line(err->message);
    errno = number;
    return code;
}

int err_context(struct err *err, const char *format, ...)
{
    if (!err || !err->code)
        return err ? err->code : ERR_NONE;
    char old[sizeof err->message];
    memcpy(old, err->message, sizeof old);
    va_list list;
    va_start(list, format);
    err_fill(err, err->code, format, list);
    va_end(list);
    size_t len = strlen(err->message);
    snprintf(err->message + len, sizeof err->message - len, ": %s", old);
    make_line(err->message);
    return err->code;
}

void err_clear(struct err *err)
{
    if (!err)
        return;
    err->code = ERR_NONE;
    err->message[0] = '\0';
}
