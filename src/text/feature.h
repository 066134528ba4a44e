/*
 * Features of a bag of words: n-grams of a text's words and of its characters, each a hash of 64
 * bits. The hashes are part of the file format: a bundle's weights are meaningless under others.
 *
 *   words       the tokens without the space before them, less those that are white space or stop
 *               words; an n-gram is a run of them. With `edges` one stands before the first and one
 *               behind the last, which are no n-grams by themselves.
 *   characters  code points of the normalised text, with a space before and one after it; an n-gram
 *               reaches over spaces only where it is asked to, else a space is its first or its
 *               last character at most. One of nothing but spaces is none.
 */
#ifndef DRAGOMAN_TEXT_FEATURE_H
#define DRAGOMAN_TEXT_FEATURE_H

#include "text/stop.h"
#include "text/token.h"

struct feature_settings {
    size_t words;             /* the longest n-gram of words; 0: none */
    bool edges;               /* n-grams of several words know where the text begins and ends */
    size_t shortest, longest; /* n-grams of characters; longest 0: none */
    bool across;              /* those may reach over spaces */
    const struct stop_words *stop; /* NULL: none */
};

struct feature_source { /* where a feature is from */
    bool characters;
    uint32_t begin, end; /* words: of `words` below; characters: bytes of the normalised text */
};

struct features {     /* zero-initialise; release with features_release; reusable */
    uint64_t *hashes; /* each occurrence of a feature, in the order of the text */
    struct feature_source *sources;
    size_t count, capacity, source_capacity;
    struct feature_place {
        uint64_t hash;
        uint32_t token; /* its index */
    } * words;
    size_t word_count, word_capacity;
};

/* Fills `features` (cleared first); with_sources: `sources` as well. Memory is proportional to the
   text: words + longest hashes for each of its bytes at most. */
int features_extract(struct features *features, const struct feature_settings *settings,
                     const struct encoded *text, bool with_sources, struct err *err);
void features_release(struct features *features);

/* The hash of a word, which stands without the space before it. */
uint64_t feature_word(const char *text, size_t len);
/* What the token holds but the space before it; *len is 0 where it is white space. */
const char *feature_token(const struct encoded *text, const struct token *token, size_t *len);

#endif
