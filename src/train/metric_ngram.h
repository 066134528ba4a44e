/*
 * Counts which n-grams two sequences of symbols share, exactly and in time linear in their length.
 *
 * One sequence is the hypothesis (the first that is added), the others are references. After
 * ngram_reset and the sequences, each ngram_next_order looks at n-grams one longer (1 at first);
 * the totals and matches are those of the order reached.
 */
#ifndef DRAGOMAN_TRAIN_METRIC_NGRAM_H
#define DRAGOMAN_TRAIN_METRIC_NGRAM_H

#include "train/metric.h"

struct ngrams;
struct ngrams *ngrams_new(struct err *err);
void ngrams_free(struct ngrams *ngrams);
void ngrams_reset(struct ngrams *ngrams);
/* A new sequence: the words of a text that has one space between them, or the characters of a text
   but for white space. */
int ngrams_add_words(struct ngrams *ngrams, const char *words, size_t len, struct err *err);
int ngrams_add_characters(struct ngrams *ngrams, struct metric_text text, struct err *err);
size_t ngrams_length(const struct ngrams *ngrams, size_t sequence); /* symbols */

int ngrams_next_order(struct ngrams *ngrams, struct err *err);
size_t ngrams_total(const struct ngrams *ngrams, size_t sequence); /* n-grams */
/* n-grams of the hypothesis that find a partner in that reference (1 is the first), each partner
   taken once. */
size_t ngrams_matches(struct ngrams *ngrams, size_t reference);
/* The same, each n-gram against the reference that has most of it. */
size_t ngrams_best_matches(struct ngrams *ngrams);

#endif
