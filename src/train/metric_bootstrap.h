/*
 * How sure a score of a test set is, by drawing test sets from it with replacement (Koehn 2004): an
 * interval, and whether two systems differ. The same seed and number of sentences give the same
 * draws, so that scores of two systems pair up.
 */
#ifndef DRAGOMAN_TRAIN_METRIC_BOOTSTRAP_H
#define DRAGOMAN_TRAIN_METRIC_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

#define METRIC_RESAMPLES 1000

/* The score of a test set that has the sentences drawn[count]. */
typedef double metric_drawn(const void *context, const uint32_t *drawn, size_t count);

/* Draws `count` of `count` sentences METRIC_RESAMPLES times. ERR_LIMIT above 2^32 sentences. */
int metric_bootstrap(size_t count, uint64_t seed, metric_drawn *score, const void *context,
                     double scores[METRIC_RESAMPLES], struct err *err);

struct metric_interval {
    double low, high; /* 95 % of the draws lie between them */
};
struct metric_interval metric_interval(const double scores[METRIC_RESAMPLES]);

/* The probability of a difference at least as large as `difference`, in either direction, were the
   systems equally good: how often the drawn differences exceed their own mean by as much. */
double metric_paired_probability(const double scores[METRIC_RESAMPLES],
                                 const double others[METRIC_RESAMPLES], double difference);

#endif
