/*
 * The words of a text that white space separates, and which tokens belong to them, whatever the
 * tokenizer: in tagging each word has a label, which is predicted at the word's last token.
 *
 * White space is Unicode's less the no-break spaces, which belong to the word that they stand in.
 */
#ifndef DRAGOMAN_TEXT_WORDS_H
#define DRAGOMAN_TEXT_WORDS_H

#include "text/token.h"

#define WORDS_NONE UINT32_MAX

struct words { /* zero-initialise; release with words_release; reusable */
    struct word_range {
        uint32_t begin, end; /* bytes in the text */
    } * ranges;
    size_t count, capacity;
};

/* Fills `words` (cleared first). Bytes that are not UTF-8 belong to words. ERR_LIMIT where the text
   is longer than UINT32_MAX bytes. */
int words_split(struct words *words, const char *text, size_t len, struct err *err);
/* Fills word_of [count] with the index of the word that each token of the same text belongs to, by
   its raw range; WORDS_NONE for white space. */
void words_of_tokens(const struct words *words, const struct token *tokens, size_t count,
                     uint32_t *word_of);
/* Fills last [words->count] with the index of each word's last token. WORDS_NONE where it has none
   among the `count` tokens: where those are not all of the text's. */
void words_last_tokens(const struct words *words, const struct token *tokens, size_t count,
                       uint32_t *last);
void words_release(struct words *words);

#endif
