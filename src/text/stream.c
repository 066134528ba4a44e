/* Each file is read to the end of the stream and checked there. */
#include "text/stream.h"

#include <string.h>
#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "text/utf8.h"

#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

/* Refuses the byte at text[at] of a file: finds the line that it is in. */
static int byte_failed(const char *path, const char *text, size_t at, struct err *err)
{
    size_t line = 1, begin = 0;

    for (size_t i = 0; i < at; i++)
        if (text[i] == '\n') {
            line++;
            begin = i + 1;
        }
    if (text[at] == '\0')
        return err_set(err, ERR_FORMAT, "%s:%zu: a NUL byte at offset %zu of the line", path, line,
                       at - begin);
    return err_set(err, ERR_UTF8, "%s:%zu: not UTF-8: byte 0x%02X at offset %zu of the line", path,
                   line, (unsigned)(unsigned char)text[at], at - begin);
}

static int check(const char *path, const char *text, size_t len, struct err *err)
{
    size_t valid = utf8_valid_length(text, len);
    const char *nul = memchr(text, '\0', valid);

    if (nul != NULL)
        return byte_failed(path, text, (size_t)(nul - text), err);
    return valid == len ? 0 : byte_failed(path, text, valid, err);
}

/* Drops every '\r' before '\n' from text[begin..). */
static void drop_returns(struct buf *text, size_t begin)
{
    char *data = text->data;
    size_t kept = begin;

    for (size_t i = begin; i < text->len; i++)
        if (data[i] != '\r' || data[i + 1] != '\n') /* there is a NUL at the end */
            data[kept++] = data[i];
    text->len = kept;
    if (data != NULL)
        data[kept] = '\0';
}

static int append_file(struct buf *text, const char *path, struct err *err)
{
    const size_t begin = text->len;
    int rc = file_read(path, STREAM_MAX_BYTES, text, err);
    char *file = text->data + begin;
    size_t len = text->len - begin;

    if (rc != 0)
        return rc;
    if (text->len > STREAM_MAX_BYTES)
        return err_set(err, ERR_LIMIT, "%s: with it the text is longer than %zu bytes", path,
                       STREAM_MAX_BYTES);
    if (len >= 3 && memcmp(file, BYTE_ORDER_MARK, 3) == 0) {
        len -= 3;
        text->len -= 3;
        memmove(file, file + 3, len + 1); /* with the NUL */
    }
    rc = check(path, file, len, err);
    if (rc == 0)
        drop_returns(text, begin);
    return rc;
}

int text_stream_read(struct text_stream *stream, const char *const *paths, size_t count,
                     struct err *err)
{
    struct buf text = BUF_INIT;
    int rc = buf_reserve(&text, 0, err);

    *stream = (struct text_stream){NULL, 0};
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = append_file(&text, paths[i], err);
    if (rc != 0) {
        buf_release(&text);
        return rc;
    }
    *stream = (struct text_stream){text.data, text.len};
    return 0;
}

void text_stream_release(struct text_stream *stream)
{
    mem_free(stream->text);
    *stream = (struct text_stream){NULL, 0};
}
