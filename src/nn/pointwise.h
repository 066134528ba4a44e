/*
 * Functions of each value of a row, and what stands on them, for inference. They are made of
 * operations that IEEE 754 rounds one way only, in an order that does not depend on the width of
 * vectors: the results are the same bytes on every processor, and a value's result does not depend
 * on where it stands.
 *
 * Bounds, for all floats, against the exact function:
 *
 *   exp        relative error under 2e-7 on [-87, 88], beyond that exp(-87) and exp(88)
 *   tanh       absolute error under 3e-7
 *   logistic   absolute error under 2e-7
 *   log_sum    error under 3e-7 of the largest of 1, the result and the greatest value
 *
 * y may be x itself; otherwise they must not overlap. NaN gives NaN.
 */
#ifndef DRAGOMAN_NN_POINTWISE_H
#define DRAGOMAN_NN_POINTWISE_H

#include <stddef.h>
#include <stdint.h>

void pointwise_exp(size_t count, const float *x, float *y);
void pointwise_tanh(size_t count, const float *x, float *y);
void pointwise_logistic(size_t count, const float *x, float *y);

/* log(sum exp x); count > 0 */
float pointwise_log_sum(size_t count, const float *x);
/* x becomes its softmax; count > 0. Returns log(sum exp x). */
float pointwise_softmax(size_t count, float *x);
/* The greatest value and, in `index` unless NULL, the first place where it stands. NaN is never
   greatest; where nothing else is, -INFINITY and `count`. */
float pointwise_greatest(size_t count, const float *x, size_t *index);

/* The largest magnitude; infinite or NaN where a value is. */
float pointwise_magnitude(size_t count, const float *x);
/* values = x * factor, rounded to the nearest integer, to even in the middle; at most 127 in
   magnitude. Returns the sum of the values. */
int32_t pointwise_round(size_t count, const float *x, float factor, int8_t *values);

#endif
