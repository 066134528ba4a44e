/*
 * Word vectors from a text file, as word2vec and GloVe write them: a line for each word, the word
 * and then its values, between blanks; word2vec's first line, the number of words and that of
 * values, may be absent. Words are normalised as the vocabulary is; one whose text is that of a
 * token, with or without the token's leading space, is the token's. Of two vectors for a token the
 * first is taken, which in these files is that of the more frequent word.
 */
#ifndef DRAGOMAN_TEXT_VECTORS_H
#define DRAGOMAN_TEXT_VECTORS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include "base/err.h"
#include "text/token.h"

#define VECTORS_MAX_LINE ((size_t)1 << 20) /* bytes */

struct vectors {                     /* zero-initialise; release with vectors_release */
    size_t vocabulary, width, count; /* V, E; tokens that have a vector */
    bool *found;                     /* [V] */
    float *values;                   /* [V, E], zero where not found */
};

/* Reads the vectors of the vocabulary's tokens. The error names file and line: a wrong number of
   values, a value that is no finite number, a word that is not UTF-8, another width than `width`,
   more or fewer lines than the first one says. ERR_ARGUMENT where no token has a vector. */
int vectors_read(struct vectors *vectors, const char *path, const struct tokenizer *tokenizer,
                 size_t width, struct err *err);
/* The same from a stream, which messages call `name`. */
int vectors_read_stream(struct vectors *vectors, FILE *stream, const char *name,
                        const struct tokenizer *tokenizer, size_t width, struct err *err);
/* Replaces the rows of table [V, E] for which there is a vector. */
void vectors_put(const struct vectors *vectors, float *table);
void vectors_release(struct vectors *vectors);

#endif
