/*
 * The products of inference, with weights in whatever form there is: 8-bit integers, floats packed
 * for this processor, or floats as training has them. A row's results do not depend on the rows
 * that are computed together with it, in any of the three.
 */
#ifndef DRAGOMAN_NN_DENSE_H
#define DRAGOMAN_NN_DENSE_H

#include <stdbool.h>

#include "nn/int8.h"
#include "nn/mat.h"

/* What a matrix has besides its floats, or instead of them. All zero: nothing. Borrowed. */
struct dense_form {
    const int8_t *int8;  /* nn/int8.h, or NULL */
    const float *scales; /* [outputs], with int8 */
    const real *packed;  /* dense_pack's, or NULL */
};

struct dense {
    size_t outputs, inputs;
    /* Every `part` outputs begin a panel of their own, in both forms, so that the part can be used
       without the others; 0: all are one part. */
    size_t part;
    const real *floats; /* [outputs, inputs]; NULL where the form has all */
    struct dense_form form;
};

/* Outputs first..first + count, both whole parts; nothing is copied. */
struct dense dense_part(const struct dense *w, size_t first, size_t count);
/* y [rows, outputs] = x w^T + bias; bias [outputs] or NULL. As mat_rows. */
void dense_rows(const struct dense *w, size_t rows, const real *x, size_t x_stride,
                const real *bias, real *y, size_t y_stride);
/* The weights of one output, [inputs]: a word's embedding, where that is what they are. */
void dense_row(const struct dense *w, size_t output, real *row);

/* Packing the floats; `transposed`: they lie as [inputs, outputs]. packed: dense_packed_size reals.
 */
size_t dense_packed_size(const struct dense *w);
void dense_pack(const struct dense *w, bool transposed, real *packed);

/* Bytes of the weights as 8-bit integers; 0 where int8_weights_size says so. */
size_t dense_int8_size(const struct dense *w);

#endif
