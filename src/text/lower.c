/*
 * One character at a time by utf8proc's tables, but for the two characters whose lower case those
 * do not hold: a capital I with a dot becomes two characters, and what a capital sigma becomes
 * depends on whether it ends a word (SpecialCasing.txt, Final_Sigma).
 */
#include "text/lower.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <utf8proc.h>

#include "text/utf8.h"

#define CAPITAL_I_DOT 0x130u
#define CAPITAL_SIGMA 0x3A3u
#define SMALL_SIGMA 0x3C3u
#define FINAL_SIGMA 0x3C2u
#define DOT_ABOVE 0x307u

/* Word_Break is MidLetter, MidNumLet or Single_Quote. */
static bool is_inside_word(uint32_t c)
{
    static const uint16_t codes[] = {0x27,   0x2E,   0x3A,   0xB7,   0x387,  0x55F,
                                     0x5F4,  0x2018, 0x2019, 0x2024, 0x2027, 0xFE13,
                                     0xFE52, 0xFE55, 0xFF07, 0xFF0E, 0xFF1A};
    for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
        if (codes[i] == c)
            return true;
    return false;
}

/* Case_Ignorable, D136 */
static bool is_ignorable(uint32_t c)
{
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    return category == UTF8PROC_CATEGORY_MN || category == UTF8PROC_CATEGORY_ME ||
           category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_LM ||
           category == UTF8PROC_CATEGORY_SK || is_inside_word(c);
}

/* Cased, D135, of what is not ignorable: letters with case, and ordinals, Roman numerals and
   letters in circles and squares. */
static bool is_cased(uint32_t c)
{
    utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)c);
    return category == UTF8PROC_CATEGORY_LL || category == UTF8PROC_CATEGORY_LU ||
           category == UTF8PROC_CATEGORY_LT || c == 0xAA || c == 0xBA ||
           (c >= 0x2160 && c <= 0x217F) || (c >= 0x24B6 && c <= 0x24E9) ||
           (c >= 0x1F130 && c <= 0x1F149) || (c >= 0x1F150 && c <= 0x1F169) ||
           (c >= 0x1F170 && c <= 0x1F189);
}

static bool is_cased_next(const char *text, const char *end)
{
    uint32_t code;
    size_t size;
    for (; text < end; text += size) {
        size = utf8_decode(text, (size_t)(end - text), &code);
        if (size == 0)
            return false;
        if (!is_ignorable(code))
            return is_cased(code);
    }
    return false;
}

static uint32_t lower_code(uint32_t code, bool cased_before, const char *rest, const char *end)
{
    if (code == CAPITAL_SIGMA)
        return cased_before && !is_cased_next(rest, end) ? FINAL_SIGMA : SMALL_SIGMA;
    if (code == CAPITAL_I_DOT)
        return 'i';
    return (uint32_t)utf8proc_tolower((utf8proc_int32_t)code);
}

int lower_text(const char *text, size_t len, struct buf *out, struct err *err)
{
    const char *end = text + len;
    bool cased_before = false;
    /* Two bytes become three at most. */
    if (len > SIZE_MAX / 2 - 1)
        return err_set(err, ERR_LIMIT, "a text of %zu bytes is too long", len);
    int code = buf_reserve(out, len + len / 2 + 1, err);
    if (code < 0)
        return code;
    char *to = out->data + out->len;
    while (text < end) {
        uint32_t character;
        size_t size = utf8_decode(text, (size_t)(end - text), &character);
        if (size == 0) {
            *to++ = *text++;
            cased_before = false;
            continue;
        }
        text += size;
        to += utf8_encode(lower_code(character, cased_before, text, end), to);
        if (character == CAPITAL_I_DOT)
            to += utf8_encode(DOT_ABOVE, to);
        if (!is_ignorable(character))
            cased_before = is_cased(character);
    }
    *to = '\0';
    out->len = (size_t)(to - out->data);
    return 0;
}
