/* Terms are few and texts short: every term is tried at every place. */
#include "text/glossary.h"

#include <string.h>
#include <utf8proc.h>

#include "text/character.h"

static bool is_word(uint32_t code)
{
    return character_is_letter(code) || character_is_digit(code) || character_is_mark(code) ||
           code == '_';
}

/* Whether a word may begin or end between the characters. */
static bool is_border(uint32_t before, uint32_t after)
{
    return !is_word(before) || !is_word(after);
}

size_t glossary_length(const struct glossary_term *term, const char *text, size_t len,
                       size_t offset)
{
    size_t own_size, size;
    uint32_t own = character_at(term->source, term->source_len, 0, &own_size);
    uint32_t code = character_at(text, len, offset, &size);
    const size_t rest = term->source_len - own_size;
    if (own != code && (uint32_t)utf8proc_tolower((utf8proc_int32_t)code) != own)
        return 0;
    if (len - offset - size < rest ||
        memcmp(text + offset + size, term->source + own_size, rest) != 0)
        return 0;
    return size + rest;
}

static size_t match_length(const struct glossary_term *term, const char *text, size_t len,
                           size_t offset)
{
    size_t size, length = glossary_length(term, text, len, offset);
    if (length == 0)
        return 0;
    const size_t end = offset + length;
    const uint32_t first = character_at(text, len, offset, &size);
    const uint32_t before = offset > 0 ? character_before(text, 0, offset, &size) : ' ';
    const uint32_t last = character_before(text, offset, end, &size);
    return is_border(before, first) && is_border(last, character_at(text, len, end, &size)) ? length
                                                                                            : 0;
}

const struct glossary_term *glossary_match(const struct glossary *glossary, const char *text,
                                           size_t len, size_t offset)
{
    const struct glossary_term *best = NULL;
    size_t longest = 0;
    for (size_t i = 0; glossary && i < glossary->count; i++) {
        size_t length = match_length(&glossary->terms[i], text, len, offset);
        if (length > longest) {
            best = &glossary->terms[i];
            longest = length;
        }
    }
    return best;
}
