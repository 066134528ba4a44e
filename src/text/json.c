/* Keys keep the order in which they are written. */
#include "text/json.h"

#include <math.h>
#include <string.h>

#include "text/utf8.h"

/* Bytes at the start of `text` that stand for themselves inside a JSON string. */
static size_t plain_length(const char *text, size_t len)
{
    size_t i = 0;
    while (i < len && (unsigned char)text[i] >= 0x20 && text[i] != '"' && text[i] != '\\')
        i++;
    return i;
}

static void write_escape(struct buf *out, char c, struct err *err)
{
    static const char letters[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (const char *pair = letters; *pair; pair += 2) {
        if (*pair == c) {
            buf_char(out, '\\', err);
            buf_char(out, pair[1], err);
            return;
        }
    }
    buf_printf(out, err, "\\u%04x", (unsigned)(unsigned char)c);
}

static void write_valid(struct buf *out, const char *text, size_t len, struct err *err)
{
    for (size_t i = 0; i < len;) {
        size_t run = plain_length(text + i, len - i);
        buf_append(out, text + i, run, err);
        i += run;
        if (i < len)
            write_escape(out, text[i++], err);
    }
}

void json_write_text(struct buf *out, const char *text, size_t len, struct err *err)
{
    buf_char(out, '"', err);
    if (utf8_valid_length(text, len) == len) {
        write_valid(out, text, len, err);
    } else {
        struct buf repaired = BUF_INIT;
        if (utf8_repair(text, len, &repaired, err) == 0)
            write_valid(out, repaired.data, repaired.len, err);
        buf_release(&repaired);
    }
    buf_char(out, '"', err);
}

void json_write_comma(struct buf *out, struct err *err)
{
    if (out->len > 0 && out->data[out->len - 1] != '{' && out->data[out->len - 1] != '[')
        buf_char(out, ',', err);
}

void json_write_name(struct buf *out, const char *name, struct err *err)
{
    json_write_comma(out, err);
    buf_printf(out, err, "\"%s\":", name);
}

void json_write_integer(struct buf *out, const char *name, int64_t value, struct err *err)
{
    json_write_name(out, name, err);
    buf_printf(out, err, "%lld", (long long)value);
}

void json_write_number(struct buf *out, double value, struct err *err)
{
    buf_printf(out, err, "%.7g", isfinite(value) ? value : 0.0);
}

void json_write_real(struct buf *out, const char *name, double value, struct err *err)
{
    json_write_name(out, name, err);
    if (isfinite(value))
        buf_printf(out, err, "%.9g", value);
    else
        buf_text(out, "null", err);
}

void json_write_boolean(struct buf *out, const char *name, bool value, struct err *err)
{
    json_write_name(out, name, err);
    buf_text(out, value ? "true" : "false", err);
}

void json_write_string(struct buf *out, const char *name, const char *text, struct err *err)
{
    json_write_name(out, name, err);
    json_write_text(out, text, strlen(text), err);
}
