/* A text is a chain of parts; each kind of part is drawn as often as the next. */
#include "support/nasty_text.h"

#include <string.h>

#include "text/utf8.h"

static const char *const words[] = {
    "the",     "cat",     "The",    "CAT",  "naïve",  "Élan",
    "STRASSE", "straße",  "don't",  "1984", "x2",     "Ωμέγα",
    "ΣΊΣΥΦΟΣ", "привет",  "ЁЖ",     "שלום", "مرحبا",  "می\u200cخواهم",
    "हिन्दी",   "ไทยแลนด์", "日本語", "中文", "한국어", "İstanbul",
    "ıslak",   "ﬁn",      "①②",     "½",    "Ⅻ",      "ㄅㄆㄇ",
    "ᏣᎳᎩ",     "ʻokina",
};

static const uint32_t marks[] = {
    0x0300, 0x0301, 0x0308, 0x030A, 0x0323, 0x0327, 0x0328, 0x0345, 0x05B0, 0x064B,  0x093C,
    0x0E38, 0x0F71, 0x1161, 0x11A8, 0x1DC0, 0x20D0, 0x3099, 0x309A, 0xFE20, 0x1D165,
};

static const uint32_t singles[] = {
    0x0,    0x1,    0x9,    0xA,    0xD,    0x1B,    0x20,    0x20,    0x20,    0x7F,     0x85,
    0xA0,   0xAD,   0xB4,   0x1680, 0x2003, 0x2028,  0x2029,  0x200B,  0x200D,  0x200E,   0x202E,
    0x2060, 0x2126, 0x212B, 0x2581, 0x3000, 0x3392,  0xAC00,  0x1100,  0xD7A3,  0xE000,   0xFB1D,
    0xFDFA, 0xFEFF, 0xFF76, 0xFF9E, 0xFFA1, 0xFFC2,  0xFFFD,  0xFFFE,  0xFFFF,  0x1F600,  0x1F1E6,
    0x1FB3, 0x1E9E, 0x130,  0x149,  0x3C2,  0x16D63, 0x1D15F, 0x2F800, 0xE0001, 0x10FFFF, 0xF0000,
};

static const char *const others[] = {
    "...",    "!?",
    "«",      "»",
    "<s>",    "<0x41>",
    "<pad>",  "👩‍👩‍👧‍👦",
    "❤️", "🏳️‍🌈",
    "   ",    "\r\n",
    "_",      "://",
};

#define PICK(rng, array) ((array)[rng_below((rng), sizeof(array) / sizeof((array)[0]))])

static size_t put(char *part, uint32_t code)
{
    return utf8_encode(code, part);
}

static size_t any_character(struct rng *rng, char *part)
{
    static const uint32_t limits[] = {0x80, 0x800, 0x3000, 0x10000, 0x110000};
    uint32_t code = (uint32_t)rng_below(rng, PICK(rng, limits));

    return put(part, code >= 0xD800 && code <= 0xDFFF ? 0xFFFD : code);
}

/* Writes one part, of at most 128 bytes. */
static size_t nasty_part(struct rng *rng, char part[128])
{
    const char *text;
    size_t n = 0, count;

    switch (rng_below(rng, 6)) {
    case 0:
    case 1:
        text = PICK(rng, words);
        break;
    case 2:
        for (count = 1 + rng_below(rng, 6); count > 0; count--)
            n += put(part + n, PICK(rng, marks));
        return n;
    case 3:
        return put(part, PICK(rng, singles));
    case 4:
        return any_character(rng, part);
    default:
        text = PICK(rng, others);
    }
    memcpy(part, text, strlen(text));
    return strlen(text);
}

size_t nasty_text(struct rng *rng, char text[NASTY_TEXT_MAX])
{
    size_t len = 0, parts = rng_below(rng, rng_below(rng, 10) == 0 ? 200 : 8);

    for (; parts > 0; parts--) {
        char part[128];
        size_t n = nasty_part(rng, part);

        if (len + n + 1 > NASTY_TEXT_MAX)
            break;
        memcpy(text + len, part, n);
        len += n;
        if (rng_below(rng, 3) == 0)
            text[len++] = ' ';
    }
    return len;
}
