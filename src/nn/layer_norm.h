/*
 * Layer normalisation (Ba, Kiros, Hinton 2016): each row to mean 0 and variance 1, then scaled.
 * A row's result does not depend on the other rows.
 */
#ifndef DRAGOMAN_NN_LAYER_NORM_H
#define DRAGOMAN_NN_LAYER_NORM_H

#include "nn/mat.h"

/* x [rows, width] = gain * normal + shift, where normal = (x - mean) * inverse and inverse =
   1 / sqrt(variance + epsilon), of each row. shift may be NULL; so may normal.data [rows, width],
   with inverse [rows]: what backward needs. */
void layer_norm_forward(size_t rows, size_t width, const real *gain, const real *shift,
                        real epsilon, struct mat x, struct mat normal, real *inverse);
/* d [rows, width]: in: gradient by what came out; out: by x. Adds to d_gain [width] the gradient by
   the gain, and to d_output [width] that by the shift. */
void layer_norm_backward(size_t rows, size_t width, const real *gain, struct mat normal,
                         const real *inverse, struct mat d, real *d_gain, real *d_output);

#endif
