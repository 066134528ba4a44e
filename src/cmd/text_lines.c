/* Reads the file into one block; the lines point into it. */
#include "cmd/text_lines.h"

#include <string.h>
#include "base/file.h"
#include "base/mem.h"
#include "text/utf8.h"

#define TEXT_LINES_MAX_BYTES ((size_t)1 << 30)
#define BYTE_ORDER_MARK "\xEF\xBB\xBF"

static size_t count_lines(const char *at, const char *end)
{
    size_t count = 0;
    for (; at < end; count++) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        at = feed == NULL ? end : feed + 1;
    }
    return count;
}

static int cut_lines(struct text_lines *text, const char *at, const char *end, const char *path,
                     struct err *err)
{
    while (at < end) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        const char *stop = feed == NULL ? end : feed;
        size_t len = (size_t)(stop - at);
        if (len > 0 && feed != NULL && at[len - 1] == '\r')
            len--;
        size_t valid = utf8_valid_length(at, len);
        if (valid < len)
            return err_set(err, ERR_UTF8,
                           "%s:%zu: not UTF-8: byte 0x%02X at offset %zu of the line", path,
                           text->count + 1, (unsigned)(unsigned char)at[valid], valid);
        text->lines[text->count++] = (struct metric_text){at, len};
        at = feed == NULL ? end : feed + 1;
    }
    return 0;
}

int text_lines_read(struct text_lines *text, const char *path, struct err *err)
{
    int code = file_read(path, TEXT_LINES_MAX_BYTES, &text->block, err);
    if (code < 0)
        return code;
    const char *at = text->block.data == NULL ? "" : text->block.data;
    const char *end = at + text->block.len;
    if (text->block.len >= 3 && memcmp(at, BYTE_ORDER_MARK, 3) == 0)
        at += 3;
    text->lines = mem_alloc(count_lines(at, end), sizeof(*text->lines), err);
    return text->lines == NULL ? ERR_MEMORY : cut_lines(text, at, end, path, err);
}

void text_lines_release(struct text_lines *text)
{
    mem_free(text->lines);
    buf_release(&text->block);
}
