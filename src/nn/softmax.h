/* Softmax over rows and its logarithm. Rows do not influence each other. */
#ifndef DRAGOMAN_NN_SOFTMAX_H
#define DRAGOMAN_NN_SOFTMAX_H

#include <stddef.h>
#include "nn/real.h"

/* x[0..count) becomes its softmax; count > 0. Returns log(sum exp x). */
real softmax_row(size_t count, real *x);
/* log(sum exp x) alone; x unchanged. */
real softmax_log_sum(size_t count, const real *x);
/* x becomes the logarithms of its softmax. */
void softmax_log(size_t count, real *x);
/* y becomes log(exp(y) + softmax(x)). */
void softmax_log_add(size_t count, const real *x, real *y);
/* d becomes the gradient by the inputs of the softmax y = softmax(x): y * (d - y.d) */
void softmax_row_backward(size_t count, const real *y, real *d);

#endif
