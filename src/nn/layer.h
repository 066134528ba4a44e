/*
 * The layers without time: embedding, dropout, linear, tanh. Each forward has its backward; a
 * backward adds to weight gradients and overwrites (or, where `keep` says so, adds to) the gradient
 * of its input.
 */
#ifndef DRAGOMAN_NN_LAYER_H
#define DRAGOMAN_NN_LAYER_H

#include "base/rng.h"
#include "nn/mat.h"

/* out[i,:] = table[ids[i],:]; ids [count], table [V, width], out [count, width] */
void embedding_forward(size_t count, size_t width, const int32_t *ids, const real *table,
                       real *out);
void embedding_backward(size_t count, size_t width, const int32_t *ids, const real *d_out,
                        real *d_table);

/* Inverted dropout (Srivastava et al. 2014): each entry is zeroed with probability `rate`, else
   divided by 1 - rate. mask [count] receives the factors; rate 0 leaves x alone, fills no mask and
   draws nothing. */
void dropout_forward(size_t count, double rate, struct rng *rng, real *x, real *mask);
void dropout_backward(size_t count, double rate, const real *mask, real *d_x);

struct linear { /* weight [outputs, inputs] with w.stride; bias [outputs] or NULL; or gradients */
    struct mat w;
    real *bias;
};
/* y [rows, outputs] = x [rows, inputs] W^T + b + keep * y */
void linear_forward(size_t rows, size_t outputs, size_t inputs, struct mat x,
                    const struct linear *layer, real keep, struct mat y);
/* d_x = d_y W + keep * d_x */
void linear_backward(size_t rows, size_t outputs, size_t inputs, struct mat x,
                     const struct linear *layer, const struct linear *gradient, struct mat d_y,
                     real keep, struct mat d_x);

void tanh_forward(size_t count, real *x);
void tanh_backward(size_t count, const real *y, real *d); /* d *= 1 - y^2, y = tanh(x) */

#endif
