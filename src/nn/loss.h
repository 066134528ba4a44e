/*
 * Losses. Each turns outputs into its gradient by them.
 *
 * Softmax cross-entropy with label smoothing (Szegedy et al. 2016), as PyTorch's CrossEntropyLoss
 * defines it: loss = -(1 - e) log p_y - e / V sum_v log p_v. Rows with a negative target are
 * masked out.
 */
#ifndef DRAGOMAN_NN_LOSS_H
#define DRAGOMAN_NN_LOSS_H

#include <stddef.h>
#include <stdint.h>
#include "nn/real.h"

/* logits [rows, classes] become the gradient of (scale * sum of losses). Returns the sum of the
   losses, unscaled; *negative_log receives the sum of -log p_y, the smoothing left out. */
double cross_entropy(size_t rows, size_t classes, const int32_t *targets, real smoothing,
                     real scale, real *logits, double *negative_log);

/* outputs [count] become the gradient of (scale * sum of (output - target)^2). Returns the sum,
   unscaled. */
double squared_error(size_t count, const real *targets, real scale, real *outputs);

#endif
