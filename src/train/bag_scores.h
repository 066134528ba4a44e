/*
 * What the labels say about features, and which features are worth keeping.
 *
 * Naive-Bayes log-count ratios (Wang and Manning 2012), for each label against all others:
 *   r_f = log((p_f / |p|) / (q_f / |q|)),  p_f = alpha + texts of the label that have f,
 *                                          q_f = alpha + texts of other labels that have f
 * where |p| and |q| are the sums of p_f and q_f over all features.
 */
#ifndef DRAGOMAN_TRAIN_BAG_SCORES_H
#define DRAGOMAN_TRAIN_BAG_SCORES_H

#include "train/bag_data.h"

/* counts [F, labels], zero before: how many texts of each label have the feature. */
void bag_label_counts(const struct bag_texts *texts, const int32_t *labels, size_t label_count,
                      uint32_t *counts);
/* ratios [F, labels] */
int bag_ratios(const uint32_t *counts, size_t features, size_t labels, double alpha, real *ratios,
               struct err *err);
/* The feature's chi-squared statistic, feature or not against label; texts [labels]: how many texts
   there are of each. scores [F] */
void bag_chi2(const uint32_t *counts, const size_t *texts, size_t features, size_t labels,
              double *scores);
/* How much a feature moves decisions: the span of its weights, over all labels, times the root of
   the number of texts that have it; of a hidden layer, the length of its row instead of the span.
   scores [F] */
void bag_importance(const struct bag *bag, const uint32_t *texts, double *scores);

#endif
