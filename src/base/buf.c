/* A growing byte buffer: capacity doubles, so appending byte by byte stays linear. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

#define SMALLEST_CAPACITY 64

int buf_reserve(struct buf *buf, size_t extra, struct err *err)
{
    if (extra >= SIZE_MAX / 2 - buf->len)
        return err_set(err, ERR_MEMORY, "out of memory: a buffer of %zu + %zu bytes", buf->len,
                       extra);
    size_t need = buf->len + extra + 1;
    if (need <= buf->capacity)
        return 0;
    size_t capacity = buf->capacity ? buf->capacity : SMALLEST_CAPACITY;
    while (capacity < need)
        capacity *= 2;
    char *data = mem_resize(buf->data, buf->data ? buf->len + 1 : 0, capacity, 1, err);
    if (!data)
        return ERR_MEMORY;
    buf->data = data;
    buf->capacity = capacity;
    return 0;
}

int buf_append(struct buf *buf, const void *data, size_t len, struct err *err)
{
    int rc = buf_reserve(buf, len, err);
    if (rc)
        return rc;
    if (len)
        memcpy(buf->data + buf->len, data, len);
    buf->len += len;
    buf->data[buf->len] = '\0';
    return 0;
}

int buf_text(struct buf *buf, const char *text, struct err *err)
{
    return buf_append(buf, text, strlen(text), err);
}

int buf_char(struct buf *buf, char c, struct err *err)
{
    return buf_append(buf, &c, 1, err);
}

int buf_printf(struct buf *buf, struct err *err, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int len = vsnprintf(NULL, 0, format, list);
    va_end(list);
    if (len < 0)
        return err_set(err, ERR_INTERNAL, "cannot format text");
    int rc = buf_reserve(buf, (size_t)len, err);
    if (rc)
        return rc;
    va_start(list, format);
    vsnprintf(buf->data + buf->len, (size_t)len + 1, format, list);
    va_end(list);
    buf->len += (size_t)len;
    return 0;
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    if (buf->data)
        buf->data[0] = '\0';
}

void buf_release(struct buf *buf)
{
    mem_free(buf->data);
    *buf = (struct buf)BUF_INIT;
}
