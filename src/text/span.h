/*
 * Spans: the parts of a text that a translation must hold as they are, each exactly once, and the
 * terms of a glossary, which it must hold as the glossary says. Found are
 *   - URLs, e-mail addresses, paths, file and host names, @names, #tags, `code`, words of letters
 *     and digits or underscores, {placeholders} of all kinds and those of printf;
 *   - numbers: digits with their separators;
 *   - HTML-like tags and entities, emoji and other symbols;
 *   - words and characters that the vocabulary does not know.
 */
#ifndef DRAGOMAN_TEXT_SPAN_H
#define DRAGOMAN_TEXT_SPAN_H

#include <stdbool.h>
#include "base/err.h"
#include "text/glossary.h"

enum span_kind {
    SPAN_WORD,   /* stands where a noun may stand */
    SPAN_NUMBER, /* stands where a number may stand */
    SPAN_MARK,   /* stands between words and is none */
};

struct span {
    size_t begin, end; /* bytes of the text */
    enum span_kind kind;
    const char *output; /* what the translation must hold: of the text or the glossary */
    size_t output_len;
};

struct span_list { /* zero-initialise; release with span_list_release; reusable */
    struct span *spans;
    size_t count, capacity;
};

struct span_range {
    size_t begin, end;
};

/* Replaces what `list` holds by the spans of the text, which do not overlap, in their order.
   `unknown`: ranges that the vocabulary does not know, ascending. `glossary` may be NULL. The text
   must be UTF-8. */
int span_find(const char *text, size_t len, const struct span_range *unknown, size_t unknown_count,
              const struct glossary *glossary, struct span_list *list, struct err *err);
void span_list_release(struct span_list *list);

/* The length of what stands at `offset` and is protected whatever the vocabulary, or 0; *kind is
   then what it is. What stands before `offset` is looked at too: none begins inside a word. */
size_t span_match(const char *text, size_t len, size_t offset, enum span_kind *kind);

#endif
