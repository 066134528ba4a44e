/*
 * Learning byte-pair merges (Sennrich, Haddow, Birch 2016, algorithm 1) from counted pieces: the
 * most frequent pair of adjacent tokens becomes a token, again and again.
 */
#ifndef DRAGOMAN_TEXT_BPE_LEARN_H
#define DRAGOMAN_TEXT_BPE_LEARN_H

#include "text/vocab_table.h"

/* Adds to `table`, which vocab_table_begin has prepared, the characters that the pieces hold at
   least min_count times, by frequency, then up to `merges` merges and their tokens. counts[id] says
   how often piece `id` occurs. Stops early when no pair occurs twice. */
int bpe_learn(struct vocab_table *table, const struct intern *pieces, const int64_t *counts,
              size_t merges, size_t min_count, struct err *err);

#endif
