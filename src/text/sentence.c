/*
 * The rules look at one place at a time: a run of terminators with the closing quotes and brackets
 * after it is the end of a sentence unless what stands before it is an abbreviation or what follows
 * goes on in lower case. Ideographic terminators need no white space after them.
 */
#include "text/sentence.h"

#include <stdint.h>
#include <string.h>
#include <utf8proc.h>

#include "text/utf8.h"

#define LONGEST_ABBREVIATION 16 /* bytes */

/* The character at `offset` and its length in bytes; at the end 0 and 0. */
static uint32_t character_at(const char *text, size_t len, size_t offset, size_t *size)
{
    uint32_t code = 0;
    *size = offset < len ? utf8_decode(text + offset, len - offset, &code) : 0;
    if (offset < len && *size == 0)
        *size = 1; /* not UTF-8: some character that no rule knows */
    return code;
}

static bool is_line_break(uint32_t code)
{
    return code == '\n' || code == '\r' || code == 0x2028 || code == 0x2029;
}

static bool is_space(uint32_t code)
{
    return code == ' ' || code == '\t' || is_line_break(code) ||
           utf8proc_category((utf8proc_int32_t)code) == UTF8PROC_CATEGORY_ZS;
}

static bool is_ideographic_end(uint32_t code)
{
    return code == 0x3002 || code == 0xFF01 || code == 0xFF1F || code == 0xFF61;
}

static bool is_end(uint32_t code)
{
    return code == '.' || code == '!' || code == '?' || code == 0x2026 || code == 0x203D ||
           code == 0x061F || code == 0x0964 || code == 0x0965 || is_ideographic_end(code);
}

static bool is_closing(uint32_t code)
{
    switch (utf8proc_category((utf8proc_int32_t)code)) {
    case UTF8PROC_CATEGORY_PE: /* closing brackets */
    case UTF8PROC_CATEGORY_PF: /* closing quotes */
        return true;
    default:
        return code == '"' || code == '\'';
    }
}

static bool is_lower(uint32_t code)
{
    return utf8proc_category((utf8proc_int32_t)code) == UTF8PROC_CATEGORY_LL;
}

static size_t skip_spaces(const char *text, size_t len, size_t offset)
{
    size_t size;
    while (offset < len && is_space(character_at(text, len, offset, &size)))
        offset += size;
    return offset;
}

static bool is_known_abbreviation(const char *word, size_t len)
{
    static const char *const known[] = {
        "Capt", "Cf",  "Col", "Dr",  "Fig", "Gen", "Gov", "Hon", "Lt",   "MM",  "Mgr",
        "Mlle", "Mme", "Mr",  "Mrs", "Ms",  "No",  "Nos", "Pr",  "Prof", "Rev", "Sen",
        "Sgt",  "Sr",  "St",  "Ste", "cf",  "fig", "pp",  "vol", "vs",
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strlen(known[i]) == len && memcmp(known[i], word, len) == 0)
            return true;
    return false;
}

static bool all_digits(const char *text, size_t len)
{
    size_t i = 0;
    while (i < len && text[i] >= '0' && text[i] <= '9')
        i++;
    return i == len;
}

/* Whether the full stop at `dot` belongs to the word before it. `begin`: of the sentence. */
static bool is_abbreviation(const char *text, size_t begin, size_t dot)
{
    size_t start = dot;
    while (start > begin && dot - start <= LONGEST_ABBREVIATION && text[start - 1] != ' ' &&
           text[start - 1] != '\t' && text[start - 1] != '(' && text[start - 1] != '"')
        start--;
    const char *word = text + start;
    size_t len = dot - start;
    if (len == 0 || len > LONGEST_ABBREVIATION)
        return false;
    if (start == begin && all_digits(word, len))
        return true; /* "1. First" */
    if (len == 1)
        return *word >= 'A' && *word <= 'Z' && *word != 'I'; /* an initial */
    bool letters_and_dots = true;                            /* "e.g", "U.S" */
    for (size_t i = 0; i < len; i++)
        letters_and_dots = letters_and_dots && (word[i] == '.') == (i % 2 == 1);
    return (letters_and_dots && len >= 3 && len % 2 == 1) || is_known_abbreviation(word, len);
}

/* Passes over terminators and closing marks from `offset`; a closing mark may stand after a space,
   as in French. Tells whether one of the terminators was ideographic. */
static size_t skip_end(const char *text, size_t len, size_t offset, bool *ideographic)
{
    *ideographic = false;
    for (;;) {
        size_t size, gap = skip_spaces(text, len, offset);
        uint32_t code = character_at(text, len, offset, &size);
        if (size && (is_end(code) || is_closing(code))) {
            *ideographic = *ideographic || is_ideographic_end(code);
            offset += size;
            continue;
        }
        code = character_at(text, len, gap, &size);
        if (gap == offset || code != 0xBB) /* a closing guillemet */
            return offset;
        offset = gap + size;
    }
}

/* Whether a sentence ends after the marks that end at `after`. */
static bool ends_here(const char *text, size_t len, size_t after, bool ideographic)
{
    size_t next = skip_spaces(text, len, after), size;
    if (next == len || ideographic)
        return true;
    return next > after && !is_lower(character_at(text, len, next, &size));
}

/* Where the sentence that begins at `begin` ends. */
static size_t find_end(const char *text, size_t len, size_t begin)
{
    size_t size, end = begin; /* end: after the last character that is no space */
    for (size_t i = begin; i < len; i += size) {
        uint32_t code = character_at(text, len, i, &size);
        if (is_line_break(code))
            return end;
        if (!is_space(code))
            end = i + size;
        if (!is_end(code))
            continue;
        bool ideographic;
        size_t after = skip_end(text, len, i, &ideographic);
        bool abbreviation = code == '.' && after == i + 1 && is_abbreviation(text, begin, i);
        if (!abbreviation && ends_here(text, len, after, ideographic))
            return after;
        size = after - i;
        end = after;
    }
    return end;
}

bool sentence_next(const char *text, size_t len, size_t *offset, struct sentence *sentence)
{
    sentence->begin = skip_spaces(text, len, *offset);
    if (sentence->begin == len) {
        *offset = len;
        return false;
    }
    sentence->end = find_end(text, len, sentence->begin);
    *offset = sentence->end;
    return true;
}
