/*
 * The text is walked once. At each character a term of the glossary is looked for, then what is
 * known by its form, then what the vocabulary does not know. An unknown letter protects its whole
 * word; words of unknown letters with nothing known between them are one span.
 */
#include "text/span.h"

#include <string.h>

#include "base/mem.h"
#include "text/character.h"
#include "text/grapheme.h"

struct walk {
    const char *text;
    size_t len;
    const struct span_range *unknown;
    size_t unknown_count, at; /* at: the first range that does not end before the place */
    const struct glossary *glossary;
    struct span_list *list;
    size_t last_word; /* span of unknown words; it may grow where `joins` */
    bool joins;
};

static int append(struct span_list *list, const struct span *span, struct err *err)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 8;
        struct span *spans = mem_resize(list->spans, list->capacity, capacity, sizeof *spans, err);
        if (!spans)
            return ERR_MEMORY;
        list->spans = spans;
        list->capacity = capacity;
    }
    list->spans[list->count++] = *span;
    return 0;
}

static bool is_unknown(struct walk *walk, size_t begin, size_t end)
{
    while (walk->at < walk->unknown_count && walk->unknown[walk->at].end <= begin)
        walk->at++;
    return walk->at < walk->unknown_count && walk->unknown[walk->at].begin < end;
}

static bool is_word(uint32_t code)
{
    return character_is_letter(code) || character_is_mark(code);
}

/* Where the run of letters around `begin` ends. */
static size_t word_end(const struct walk *walk, size_t begin)
{
    size_t size;
    while (begin < walk->len && is_word(character_at(walk->text, walk->len, begin, &size)))
        begin += size;
    return begin;
}

/* Whether nothing but white space and punctuation stands between two unknown words. */
static bool is_gap(const struct walk *walk, size_t begin, size_t end)
{
    size_t size;
    for (size_t i = begin; i < end; i += size) {
        uint32_t code = character_at(walk->text, walk->len, i, &size);
        if (is_word(code) || character_is_digit(code))
            return false;
    }
    return end - begin <= 4;
}

/* The unknown word at `begin` goes into the one before where nothing known stands between; marks
   that do are then a part of it. */
static bool join(struct walk *walk, size_t begin, size_t end)
{
    struct span *last = walk->joins ? &walk->list->spans[walk->last_word] : NULL;
    if (!last || !is_gap(walk, last->end, begin))
        return false;
    last->end = end;
    last->output_len = end - last->begin;
    walk->list->count = walk->last_word + 1;
    return true;
}

/* Adds what is unknown at `begin`, widened to the word that begins there. *end: where it ends, or
   the known word, or the character. */
static int take_unknown(struct walk *walk, size_t begin, size_t *end, struct err *err)
{
    size_t size;
    const uint32_t code = character_at(walk->text, walk->len, begin, &size);
    *end = word_end(walk, begin);
    const bool word = *end > begin;
    if (!word)
        *end = begin + size;
    if (character_is_space(code) || !is_unknown(walk, begin, *end) ||
        (word && join(walk, begin, *end)))
        return 0;
    if (!word)
        *end = grapheme_end(walk->text, walk->len, begin);
    const struct span span = {
        .begin = begin,
        .end = *end,
        .kind = word                       ? SPAN_WORD
                : character_is_digit(code) ? SPAN_NUMBER
                                           : SPAN_MARK,
        .output = walk->text + begin,
        .output_len = *end - begin,
    };
    if (word)
        walk->last_word = walk->list->count;
    walk->joins = word || (walk->joins && span.kind == SPAN_MARK);
    return append(walk->list, &span, err);
}

/* What is protected at `begin` by form or by the glossary. */
static bool match(const struct walk *walk, size_t begin, struct span *span)
{
    const struct glossary_term *term = glossary_match(walk->glossary, walk->text, walk->len, begin);
    enum span_kind kind = SPAN_WORD;
    size_t length = term ? glossary_length(term, walk->text, walk->len, begin)
                         : span_match(walk->text, walk->len, begin, &kind);
    *span = (struct span){.begin = begin,
                          .end = begin + length,
                          .kind = kind,
                          .output = term ? term->target : walk->text + begin,
                          .output_len = term ? term->target_len : length};
    return length > 0;
}

int span_find(const char *text, size_t len, const struct span_range *unknown, size_t unknown_count,
              const struct glossary *glossary, struct span_list *list, struct err *err)
{
    struct walk walk = {.text = text,
                        .len = len,
                        .unknown = unknown,
                        .unknown_count = unknown_count,
                        .glossary = glossary,
                        .list = list};
    struct span span;
    list->count = 0;
    for (size_t i = 0; i < len;) {
        if (match(&walk, i, &span)) {
            walk.joins = false;
            if (append(list, &span, err) < 0)
                return ERR_MEMORY;
            i = span.end;
            continue;
        }
        if (take_unknown(&walk, i, &i, err) < 0)
            return ERR_MEMORY;
    }
    return 0;
}

void span_list_release(struct span_list *list)
{
    mem_free(list->spans);
    *list = (struct span_list){.spans = NULL};
}
