/*
 * UTF-8. The ranges of the second byte follow the lead byte as in table 3-7 of the Unicode
 * Standard; all later bytes are 80..BF. That one table rules out overlong forms, surrogates and
 * everything above U+10FFFF.
 */
#include "text/utf8.h"

#include <stdbool.h>
#include <string.h>

struct lead {
    size_t length;                         /* 0: not a lead byte */
    unsigned char second_low, second_high; /* the second byte lies within */
};

static struct lead lead_of(unsigned char byte)
{
    if (byte < 0x80)
        return (struct lead){1, 0, 0};
    if (byte < 0xC2 || byte > 0xF4)
        return (struct lead){0, 0, 0};
    if (byte < 0xE0)
        return (struct lead){2, 0x80, 0xBF};
    if (byte < 0xF0)
        return (struct lead){3, byte == 0xE0 ? 0xA0 : 0x80, byte == 0xED ? 0x9F : 0xBF};
    return (struct lead){4, byte == 0xF0 ? 0x90 : 0x80, byte == 0xF4 ? 0x8F : 0xBF};
}

/* How many bytes at `text` begin a well-formed character; *complete where they are a whole one. */
static size_t well_formed_part(const unsigned char *text, size_t len, bool *complete)
{
    struct lead lead = lead_of(text[0]);
    size_t n = 1;

    while (n < lead.length && n < len) {
        unsigned char low = n == 1 ? lead.second_low : 0x80;
        unsigned char high = n == 1 ? lead.second_high : 0xBF;

        if (text[n] < low || text[n] > high)
            break;
        n++;
    }
    *complete = n == lead.length;
    return n;
}

size_t utf8_decode(const char *text, size_t len, uint32_t *code)
{
    static const unsigned char lead_mask[5] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    const unsigned char *bytes = (const unsigned char *)text;
    bool complete;
    size_t n;

    if (len == 0)
        return 0;
    if (bytes[0] < 0x80) {
        *code = bytes[0];
        return 1;
    }
    n = well_formed_part(bytes, len, &complete);
    if (!complete)
        return 0;
    *code = bytes[0] & lead_mask[n];
    for (size_t i = 1; i < n; i++)
        *code = *code << 6 | (bytes[i] & 0x3Fu);
    return n;
}

size_t utf8_encode(uint32_t code, char out[4])
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xC0 | code >> 6);
        out[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xE0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 0x3F));
        out[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    out[0] = (char)(0xF0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 0x3F));
    out[2] = (char)(0x80 | (code >> 6 & 0x3F));
    out[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

/* Length of the ASCII run at `text`, eight bytes at a time. */
static size_t ascii_run(const char *text, size_t len)
{
    size_t n = 0;

    for (; n + 8 <= len; n += 8) {
        uint64_t word;

        memcpy(&word, text + n, 8);
        if (word & UINT64_C(0x8080808080808080))
            break;
    }
    while (n < len && (unsigned char)text[n] < 0x80)
        n++;
    return n;
}

size_t utf8_valid_length(const char *text, size_t len)
{
    size_t at = 0;

    while (at < len) { /* `text` may be NULL where len is 0: no pointer is made from it */
        bool complete;
        size_t n;

        at += ascii_run(text + at, len - at);
        if (at == len)
            break;
        n = well_formed_part((const unsigned char *)text + at, len - at, &complete);
        if (!complete)
            break;
        at += n;
    }
    return at;
}

int utf8_check(const char *text, size_t len, struct err *err)
{
    size_t valid = utf8_valid_length(text, len);

    if (valid == len)
        return 0;
    return err_set(err, ERR_UTF8, "text is not UTF-8: byte 0x%02X at offset %zu",
                   (unsigned)(unsigned char)text[valid], valid);
}

int utf8_repair(const char *text, size_t len, struct buf *out, struct err *err)
{
    size_t at = 0;
    int rc = 0;

    while (at < len && rc == 0) {
        size_t valid = utf8_valid_length(text + at, len - at);
        bool complete;

        rc = buf_append(out, text + at, valid, err);
        at += valid;
        if (rc != 0 || at == len)
            break;
        at += well_formed_part((const unsigned char *)text + at, len - at, &complete);
        rc = buf_append(out, "\xEF\xBF\xBD", 3, err);
    }
    return rc;
}
