/*
 * Pieces: a character class for each character, by comparison for ASCII and from utf8proc's
 * general categories beyond, and one loop over a run of the same class.
 */
#include "text/piece.h"

#include <stdint.h>
#include <utf8proc.h>
#include "text/utf8.h"

enum class { CLASS_OTHER, CLASS_SPACE, CLASS_LETTER, CLASS_LONE_LETTER, CLASS_DIGIT, CLASS_MARK };

/* Blocks of scripts written without spaces between words: Thai, Lao, Tibetan, Myanmar, Khmer, Tai
   scripts, kana and bopomofo, ideographs of all planes. */
static bool is_unspaced(uint32_t code)
{
    static const uint32_t ranges[][2] = {
        {0x0E00, 0x0FFF},   {0x1000, 0x109F},   {0x1780, 0x17FF}, {0x1950, 0x19FF},
        {0x1A20, 0x1AAF},   {0x3005, 0x3007},   {0x3040, 0x312F}, {0x31A0, 0x31BF},
        {0x31F0, 0x31FF},   {0x3400, 0x4DBF},   {0x4E00, 0xA4CF}, {0xA9E0, 0xA9FF},
        {0xAA60, 0xAADF},   {0xF900, 0xFAFF},   {0xFF66, 0xFF9F}, {0x16FE0, 0x18D8F},
        {0x1AFF0, 0x1B16F}, {0x20000, 0x3FFFF},
    };

    if (code < ranges[0][0])
        return false;
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (code >= ranges[i][0] && code <= ranges[i][1])
            return true;
    return false;
}

static enum class class_beyond_ascii(uint32_t code, bool single) {
    switch (utf8proc_category((utf8proc_int32_t)code)){
        case UTF8PROC_CATEGORY_LU : case UTF8PROC_CATEGORY_LL : case UTF8PROC_CATEGORY_LT : case
                UTF8PROC_CATEGORY_LM : case UTF8PROC_CATEGORY_LO : return single &&
                is_unspaced(code)
            ? CLASS_LONE_LETTER
            : CLASS_LETTER;
        case UTF8PROC_CATEGORY_MN : case UTF8PROC_CATEGORY_MC : case
        UTF8PROC_CATEGORY_ME : return CLASS_MARK;
        case UTF8PROC_CATEGORY_CF : return code == 0x200B ? CLASS_OTHER : CLASS_MARK;
        case UTF8PROC_CATEGORY_ND : case UTF8PROC_CATEGORY_NL : case
        UTF8PROC_CATEGORY_NO : return CLASS_DIGIT;
        case UTF8PROC_CATEGORY_ZS : case UTF8PROC_CATEGORY_ZL : case
        UTF8PROC_CATEGORY_ZP : return CLASS_SPACE;
        default : /* punctuation, symbols, controls, unassigned */
                    return code == 0x85
            ? CLASS_SPACE
            : CLASS_OTHER;
    }
}

static enum class class_of(uint32_t code, bool single) {
    if (code >= 0x80) return class_beyond_ascii(code, single);
    if ((code | 0x20) >= 'a' && (code | 0x20) <= 'z') return CLASS_LETTER;
    if (code >= '0' && code <= '9') return CLASS_DIGIT;
    return code == ' ' || (code >= '\t' && code <= '\r') ? CLASS_SPACE : CLASS_OTHER;
}

/* Whether a character of class `next` continues a run that began with class `first`. */
static bool continues(enum class first, enum class next)
{
    switch (first) {
    case CLASS_LETTER:
        return next == CLASS_LETTER || next == CLASS_MARK;
    case CLASS_LONE_LETTER:
        return next == CLASS_MARK;
    case CLASS_DIGIT:
        return next == CLASS_DIGIT;
    case CLASS_OTHER:
    case CLASS_SPACE:
    case CLASS_MARK:
        return false;
    }
    return false;
}

static size_t character_at(const char *text, size_t len, size_t at, bool single, enum class *class)
{
    uint32_t code = (unsigned char)text[at];
    size_t n = 1;

    if (code >= 0x80)
        n = utf8_decode(text + at, len - at, &code);
    *class = class_of(code, single);
    return n > 0 ? n : 1;
}

size_t piece_end(const char *text, size_t len, size_t begin, bool single)
{
    enum class first, next;
    size_t at = begin, n = character_at(text, len, at, single, &first);

    if (text[at] == ' ') {
        if (at + 1 == len)
            return len;
        n = character_at(text, len, at + 1, single, &first);
        if (first == CLASS_SPACE)
            return at + 1;
        at++;
    }
    for (at += n; at < len; at += n) {
        n = character_at(text, len, at, single, &next);
        if (!continues(first, next) || at + n - begin > PIECE_MAX)
            break;
    }
    return at;
}

bool piece_is_space(const char *text, size_t len)
{
    enum class class;

    return character_at(text, len, 0, false, &class) == len && class == CLASS_SPACE;
}
