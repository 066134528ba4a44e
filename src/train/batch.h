/*
 * Batches by length: an epoch's examples are shuffled, sorted by length, cut into batches of about
 * the same number of tokens, and the batches shuffled. So sentences of a batch need little padding,
 * and which ones meet changes from epoch to epoch. The plan depends on seed and epoch only.
 */
#ifndef DRAGOMAN_TRAIN_BATCH_H
#define DRAGOMAN_TRAIN_BATCH_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

struct batch_key {
    uint32_t order;  /* examples are sorted by this */
    uint32_t tokens; /* what the example costs */
};

struct batch_plan {
    uint32_t *examples; /* [count], batch after batch */
    size_t *begins;     /* [batches + 1] */
    size_t batches;
};

/* A batch's longest example times their number is at most `budget` tokens (or it is one example).
   Release with batch_plan_release. */
int batch_plan_make(struct batch_plan *plan, const struct batch_key *keys, size_t count,
                    size_t budget, uint64_t seed, size_t epoch, struct err *err);
void batch_plan_release(struct batch_plan *plan);

/* Cuts a batch, in its order, into at most `shares` runs whose padded sizes are as even as can be:
   run i ends at ends[i], and the last ones may be empty. Neighbours are alike in length, so runs
   need no more padding than the batch. ends [shares] */
void batch_deal(const uint32_t *examples, size_t count, const struct batch_key *keys, size_t shares,
                size_t *ends);

#endif
