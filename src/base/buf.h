/* A growing byte buffer, always NUL-terminated (the NUL is not counted in len). */
#ifndef DRAGOMAN_BASE_BUF_H
#define DRAGOMAN_BASE_BUF_H

#include <stddef.h>
#include "base/err.h"

struct buf {
    char *data; /* NULL only before the first append */
    size_t len, capacity;
};
#define BUF_INIT                                                                                   \
    {                                                                                              \
        .data = NULL, .len = 0, .capacity = 0                                                      \
    }

int buf_append(struct buf *buf, const void *data, size_t len, struct err *err);
int buf_text(struct buf *buf, const char *text, struct err *err);
int buf_char(struct buf *buf, char c, struct err *err);
int buf_printf(struct buf *buf, struct err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int buf_reserve(struct buf *buf, size_t extra, struct err *err);
void buf_clear(struct buf *buf);   /* len = 0, memory kept */
void buf_release(struct buf *buf); /* memory freed, buf is as BUF_INIT */

#endif
