/*
 * Matrices, row-major. Two families of products:
 *
 * mat_multiply is BLAS, for training: fastest on many rows, but the order of its sums, and so the
 * last bits, depend on the number of rows.
 *
 * mat_rows is our own, for inference: each output is the same sum in the same order however many
 * rows are computed together, so a sentence gives the same bytes alone and in a batch. It reads
 * weights as they lie in a bundle, [outputs, inputs], with no packing. mat_rows_packed keeps the
 * same promise, with other sums: it is faster, for weights that were packed before.
 */
#ifndef DRAGOMAN_NN_MAT_H
#define DRAGOMAN_NN_MAT_H

#include <stddef.h>
#include "nn/real.h"

enum mat_form {
    MAT_NT, /* C = A B^T   A [m,k] B [n,k]    forward:  Y = X W^T */
    MAT_NN, /* C = A B     A [m,k] B [k,n]    backward: dX = dY W */
    MAT_TN, /* C = A^T B   A [k,m] B [k,n]    backward: dW = dY^T X */
};

/* A matrix inside a larger one: `stride` elements from one row to the next. */
struct mat {
    real *data;
    size_t stride;
};
static inline struct mat mat_of(const real *data, size_t stride)
{
    return (struct mat){.data = (real *)(uintptr_t)data, .stride = stride};
}

/* C [m,n] = A B + keep * C; keep is 0 or 1. */
void mat_multiply(enum mat_form form, size_t m, size_t n, size_t k, struct mat a, struct mat b,
                  real keep, struct mat c);

/* The same with B packed before, once for many products: `form` says how B lies, MAT_NT [n,k] or
   MAT_NN [k,n]. packed: mat_packed_size(n, k) reals. */
size_t mat_packed_size(size_t n, size_t k);
void mat_pack(enum mat_form form, size_t n, size_t k, struct mat b, real *packed);
void mat_multiply_packed(size_t m, size_t n, size_t k, struct mat a, const real *packed, real keep,
                         struct mat c);

/* y[r,o] = bias[o] + sum_i x[r,i] w[o,i] for r < rows; x [rows,inputs] with x_stride, w
   [outputs,inputs] with w_stride, y [rows,outputs] with y_stride. bias may be NULL. */
void mat_rows(size_t rows, size_t outputs, size_t inputs, const real *x, size_t x_stride,
              const real *w, size_t w_stride, const real *bias, real *y, size_t y_stride);

/* The same with weights from mat_pack(MAT_NT, outputs, inputs, ...): each output sums its inputs in
   ascending order, then adds the bias. */
void mat_rows_packed(size_t rows, size_t outputs, size_t inputs, const real *x, size_t x_stride,
                     const real *packed, const real *bias, real *y, size_t y_stride);

/* x[r,:] += bias[:] */
void mat_add_bias(size_t rows, size_t columns, const real *bias, struct mat x);
/* sum[:] += sum_r x[r,:], the gradient of a bias */
void mat_add_rows(size_t rows, size_t columns, struct mat x, real *sum);
/* y += scale * x */
void mat_add_scaled(size_t count, real scale, const real *x, real *y);
/* y[:] = sum_r a[r] x[r,:] + keep * y[:], r in ascending order; keep is 0 or 1 */
void mat_combine(size_t rows, size_t columns, const real *a, struct mat x, real keep, real *y);
/* y[r,:] += a[r] x[:] */
void mat_add_outer(size_t rows, size_t columns, const real *a, const real *x, struct mat y);
double mat_square_sum(size_t count, const real *x);
/* One BLAS thread a caller: compute threads are ours. */
void mat_use_one_thread(void);

#endif
