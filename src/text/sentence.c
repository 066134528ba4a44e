/*
 * One place is looked at at a time: a run of terminators with what closes behind it. The classes
 * are those of the annex (ATerm: a full stop, STerm: every other terminator, Close, Sp, SContinue,
 * ParaSep, Lower, Numeric) and its rules are quoted where they are followed. Where the annex knows
 * no words, the lists of abbreviation.h decide.
 */
#include "text/sentence.h"

#include <stdint.h>
#include <string.h>

#include "text/character.h"

#define LONGEST_ABBREVIATION 16 /* bytes */
#define LONGEST_TAG 64          /* bytes of a closing tag that may stand behind a full stop */

struct place { /* in a text */
    const char *text;
    size_t len;
    size_t begin; /* of the sentence */
    const struct sentence_rules *rules;
};

static bool is_ideographic_end(uint32_t code)
{
    return code == 0x3002 || code == 0xFF01 || code == 0xFF0E || code == 0xFF1F || code == 0xFF61;
}

/* STerm, less what only scripts use that nobody types any more. */
static bool is_strong_end(uint32_t code)
{
    static const uint32_t ends[] = {
        '!',    '?',    0x2026, 0x0589, 0x061E, 0x061F, 0x06D4, 0x0700, 0x0701, 0x0702, 0x07F9,
        0x0964, 0x0965, 0x104A, 0x104B, 0x1362, 0x1367, 0x1368, 0x166E, 0x1735, 0x1736, 0x17D4,
        0x17D5, 0x1803, 0x1809, 0x1944, 0x1945, 0x203C, 0x203D, 0x2047, 0x2048, 0x2049, 0xA4FF,
    };
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++)
        if (ends[i] == code)
            return true;
    return is_ideographic_end(code);
}

static bool is_end(uint32_t code)
{
    return code == '.' || is_strong_end(code);
}

static bool is_continuation(uint32_t code)
{
    return code == ',' || code == ';' || code == ':' || code == '-' || code == 0x2013 ||
           code == 0x2014 || code == 0x060C || code == 0x3001 || code == 0xFF0C;
}

static uint32_t code_at(const struct place *place, size_t offset)
{
    size_t size;
    return character_at(place->text, place->len, offset, &size);
}

/* Where the closing tag at `offset` ends, as "</b>"; `offset` where there is none. */
static size_t skip_tag(const struct place *place, size_t offset)
{
    size_t i = offset + 2;
    if (i >= place->len || place->text[offset] != '<' || place->text[offset + 1] != '/')
        return offset;
    while (i < place->len && i - offset < LONGEST_TAG && strchr("<> \n\r", place->text[i]) == NULL)
        i++;
    return i < place->len && place->text[i] == '>' && i > offset + 2 ? i + 1 : offset;
}

struct marks { /* a run of terminators and closing marks */
    size_t end;
    size_t terminators;
    bool ideographic;
};

/* Passes over SATerm and Close from `offset`; a guillemet may stand after a space, as in French. */
static struct marks skip_marks(const struct place *place, size_t offset)
{
    struct marks marks = {.end = offset};
    for (;;) {
        size_t size, tag = skip_tag(place, marks.end);
        uint32_t code = character_at(place->text, place->len, marks.end, &size);
        if (tag > marks.end) {
            marks.end = tag;
        } else if (size && (is_end(code) || character_is_close(code))) {
            marks.terminators += is_end(code);
            marks.ideographic = marks.ideographic || is_ideographic_end(code);
            marks.end += size;
        } else {
            size_t gap = character_skip_spaces(place->text, place->len, marks.end);
            if (gap == marks.end || gap - marks.end > 3 || code_at(place, gap) != 0xBB)
                return marks;
            marks.end = gap + 2; /* the bytes of U+00BB */
        }
    }
}

/* Where the word that ends at `dot` begins. */
static size_t word_begin(const struct place *place, size_t dot)
{
    size_t start = dot;
    while (start > place->begin && dot - start <= LONGEST_ABBREVIATION) {
        size_t size;
        uint32_t code = character_before(place->text, place->begin, start, &size);
        if (character_is_space(code) || character_is_open(code) || code == '/' || code == '>')
            break;
        start -= size;
    }
    return start;
}

/* Whether a word that often begins sentences stands at `next`. */
static bool starter_follows(const struct place *place, size_t next)
{
    size_t end = next, size;
    uint32_t code = character_at(place->text, place->len, next, &size);
    if (character_is_open(code))
        end = next += size;
    while ((code = character_at(place->text, place->len, end, &size)), size != 0) {
        if (!character_is_letter(code) && code != '\'' && code != 0x2019)
            break;
        end += size;
    }
    return abbreviation_is_starter(place->rules, place->text + next, end - next);
}

/* One letter after the other, parted by full stops: "e.g", "U.S". */
static bool is_dotted(const char *word, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((word[i] == '.') != (i % 2 == 1))
            return false;
    return len >= 3 && len % 2 == 1;
}

static bool all_digits(const char *text, size_t len)
{
    size_t i = 0;
    while (i < len && text[i] >= '0' && text[i] <= '9')
        i++;
    return len > 0 && i == len;
}

static bool is_initial(const struct place *place, const char *word, size_t len)
{
    size_t size;
    uint32_t code = character_at(word, len, 0, &size);
    return len > 0 && size == len && character_is_upper(code) &&
           !(len == 1 && abbreviation_is_word(place->rules, *word));
}

/* Whether the full stop at `dot` belongs to the word before it, with the next word at `next`. */
static bool is_part_of_word(const struct place *place, size_t dot, size_t next)
{
    size_t start = word_begin(place, dot), len = dot - start;
    const char *word = place->text + start;
    if (len == 0 || len > LONGEST_ABBREVIATION)
        return false;
    if (all_digits(word, len))
        return (start == place->begin && len <= 3) || /* "1. First" */
               (len <= 2 && abbreviation_has_ordinals(place->rules) &&
                !starter_follows(place, next));
    switch (abbreviation_find(place->rules, word, len)) {
    case ABBREVIATION_INNER:
        return true;
    case ABBREVIATION_NUMBER:
        return character_is_digit(code_at(place, next));
    case ABBREVIATION_FINAL:
        return !starter_follows(place, next);
    case ABBREVIATION_NONE:
        break;
    }
    return (is_initial(place, word, len) || is_dotted(word, len)) && !starter_follows(place, next);
}

/* SB8: ATerm Close* Sp* x ( not letter, ParaSep or SATerm )* Lower; here past what opens only. */
static bool goes_on_in_lower_case(const struct place *place, size_t next)
{
    size_t size;
    uint32_t code = character_at(place->text, place->len, next, &size);
    if (character_is_open(code))
        code = code_at(place, next + size);
    return character_is_lower(code);
}

/* Whether a sentence ends with the marks that begin at `offset`. */
static bool ends_with(const struct place *place, size_t offset, const struct marks *marks)
{
    size_t next = character_skip_spaces(place->text, place->len, marks->end);
    uint32_t code = code_at(place, next);
    if (next == place->len || marks->ideographic)
        return true;
    for (size_t i = marks->end; i < next; i++) /* SB4: ParaSep ÷ */
        if (place->text[i] == '\n' || place->text[i] == '\r')
            return true;
    if (next == marks->end || is_continuation(code) || is_end(code)) /* SB8a */
        return false;
    if (place->text[offset] == '.' && marks->terminators == 1 && marks->end == offset + 1)
        return !goes_on_in_lower_case(place, next) && !is_part_of_word(place, offset, next);
    if (place->text[offset] == '.')
        return !goes_on_in_lower_case(place, next);
    return !character_is_lower(code);
}

static size_t find_end(const struct place *place)
{
    size_t size, end = place->begin; /* end: after the last character that is no space */
    for (size_t i = place->begin; i < place->len; i += size) {
        uint32_t code = character_at(place->text, place->len, i, &size);
        if (character_is_line_break(code))
            return end;
        if (!character_is_space(code))
            end = i + size;
        if (!is_end(code))
            continue;
        struct marks marks = skip_marks(place, i);
        if (ends_with(place, i, &marks))
            return marks.end;
        size = marks.end - i;
        end = marks.end;
    }
    return end;
}

bool sentence_next(const char *text, size_t len, const struct sentence_rules *rules, size_t *offset,
                   struct sentence *sentence)
{
    sentence->begin = character_skip_spaces(text, len, *offset);
    if (sentence->begin == len) {
        *offset = len;
        return false;
    }
    const struct place place = {.text = text, .len = len, .begin = sentence->begin, .rules = rules};
    sentence->end = find_end(&place);
    *offset = sentence->end;
    return true;
}
