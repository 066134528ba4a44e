/*
 * Features of a bag of words: a text's tokens, each a feature of its own, and its n-grams of two
 * tokens and more, hashed into buckets (Weinberger et al. 2009). The hash is part of the file
 * format: a bundle's weights are meaningless under another.
 */
#ifndef DRAGOMAN_TEXT_NGRAM_H
#define DRAGOMAN_TEXT_NGRAM_H

#include <stddef.h>
#include <stdint.h>

/* How many features a text of `count` tokens has at most. */
size_t ngram_limit(size_t count, size_t ngrams, size_t buckets);

/* Fills features [ngram_limit] with the distinct features of the text in ascending order, *found of
   them: ids in [0, vocabulary) for tokens, [vocabulary, vocabulary + buckets) for n-grams of 2 to
   `ngrams` tokens. Without buckets there are only tokens. vocabulary + buckets < 2^32. */
void ngram_features(const int32_t *ids, size_t count, size_t vocabulary, size_t ngrams,
                    size_t buckets, uint32_t *features, size_t *found);

#endif
