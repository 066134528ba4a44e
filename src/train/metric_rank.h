/*
 * How well one quantity orders another, whatever its scale: Spearman's rank correlation, and for
 * yes or no the area under the ROC curve (Mann and Whitney's U by its largest value).
 */
#ifndef DRAGOMAN_TRAIN_METRIC_RANK_H
#define DRAGOMAN_TRAIN_METRIC_RANK_H

#include <stddef.h>
#include <stdint.h>

#define METRIC_RANK_SLOTS 65536

/* ranks[i]: of values[i], 1 for the least; equals share the mean of theirs. slots:
   [METRIC_RANK_SLOTS], scratch. Time is proportional to count + METRIC_RANK_SLOTS. */
void metric_ranks(size_t count, const int16_t *values, float *ranks, uint32_t *slots);
/* Spearman's rho of two such lists of ranks, -1 to 1; 0 where one of them is all equals. */
double metric_rank_correlation(size_t count, const float *a, const float *b);
/* The probability that the rank of a place that is marked (not 0) lies above that of one which is
   not, equals counting half; 0.5 where all are marked or none. */
double metric_rank_area(size_t count, const float *ranks, const int16_t *marks);

#endif
