/*
 * Clusters by utf8proc's rules. Two ASCII characters never belong together, but for "\r\n", so the
 * rules are asked only where one of two neighbours is not ASCII. The state that they carry begins
 * anew with each cluster: nothing before a boundary decides what comes after it.
 */
#include "text/grapheme.h"

#include <stdint.h>
#include <utf8proc.h>
#include "text/utf8.h"

static size_t decode(const char *text, size_t len, uint32_t *code)
{
    size_t n = utf8_decode(text, len, code);

    return n > 0 ? n : 1;
}

size_t grapheme_end(const char *text, size_t len, size_t begin)
{
    uint32_t code = 0, next = 0;
    utf8proc_int32_t state = 0;
    size_t at;

    if (begin + 1 == len)
        return len;
    if (((text[begin] | text[begin + 1]) & 0x80) == 0)
        return begin + (text[begin] == '\r' && text[begin + 1] == '\n' ? 2 : 1);
    at = begin + decode(text + begin, len - begin, &code);
    while (at < len) {
        size_t n = decode(text + at, len - at, &next);

        if (utf8proc_grapheme_break_stateful((utf8proc_int32_t)code, (utf8proc_int32_t)next,
                                             &state) ||
            at + n - begin > GRAPHEME_MAX)
            break;
        code = next;
        at += n;
    }
    return at;
}
