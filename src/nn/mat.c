#include "nn/mat.h"

#include <cblas.h>
#include <string.h>

void mat_multiply(enum mat_form form, size_t m, size_t n, size_t k, struct mat a, struct mat b,
                  real keep, struct mat c)
{
    const CBLAS_TRANSPOSE ta = form == MAT_TN ? CblasTrans : CblasNoTrans;
    const CBLAS_TRANSPOSE tb = form == MAT_NT ? CblasTrans : CblasNoTrans;
    if (m == 0 || n == 0)
        return;
#ifdef DRAGOMAN_DOUBLE
    cblas_dgemm(CblasRowMajor, ta, tb, (blasint)m, (blasint)n, (blasint)k, 1.0, a.data,
                (blasint)a.stride, b.data, (blasint)b.stride, keep, c.data, (blasint)c.stride);
#else
    cblas_sgemm(CblasRowMajor, ta, tb, (blasint)m, (blasint)n, (blasint)k, 1.0f, a.data,
                (blasint)a.stride, b.data, (blasint)b.stride, keep, c.data, (blasint)c.stride);
#endif
}

/*
 * mat_rows: a tile of up to TILE rows by TILE outputs keeps one vector of LANES partial sums for
 * each output; lane l sums inputs l, l + LANES, ... in order, as if zeros followed the last, then
 * the lanes are added pairwise. Neither depends on the tile's shape.
 */
#define LANES 16
#define TILE 4
typedef real lanes __attribute__((vector_size(LANES * sizeof(real)), aligned(sizeof(real))));
typedef real lanes_8 __attribute__((vector_size(8 * sizeof(real))));
typedef real lanes_4 __attribute__((vector_size(4 * sizeof(real))));

/* Vectors go by address: how wide ones are passed depends on the machine. */
#define INLINE static inline __attribute__((always_inline))

INLINE void fold_lanes(const lanes *v, lanes_4 *folded)
{
    const lanes_8 u = __builtin_shufflevector(*v, *v, 0, 1, 2, 3, 4, 5, 6, 7) +
                      __builtin_shufflevector(*v, *v, 8, 9, 10, 11, 12, 13, 14, 15);
    *folded = __builtin_shufflevector(u, u, 0, 1, 2, 3) + __builtin_shufflevector(u, u, 4, 5, 6, 7);
}

/* The sums over the lanes of four vectors: halves are added until one lane is left. */
INLINE void add_lanes(const lanes v[TILE], lanes_4 *sums)
{
    lanes_4 a, b, c, d;
    fold_lanes(&v[0], &a);
    fold_lanes(&v[1], &b);
    fold_lanes(&v[2], &c);
    fold_lanes(&v[3], &d);
    a = __builtin_shufflevector(a, b, 0, 1, 4, 5) + __builtin_shufflevector(a, b, 2, 3, 6, 7);
    c = __builtin_shufflevector(c, d, 0, 1, 4, 5) + __builtin_shufflevector(c, d, 2, 3, 6, 7);
    *sums = __builtin_shufflevector(a, c, 0, 2, 4, 6) + __builtin_shufflevector(a, c, 1, 3, 5, 7);
}

/* The tile of R rows and O outputs, both known when the compiler inlines it. */
INLINE void rows_tile(size_t R, size_t O, size_t inputs, const real *x, size_t x_stride,
                      const real *w, size_t w_stride, const real *bias, real *y, size_t y_stride)
{
    lanes sum[TILE][TILE] = {0}, column[TILE];
    size_t i = 0;
    for (; i + LANES <= inputs; i += LANES) {
        for (size_t o = 0; o < O; o++)
            column[o] = *(const lanes *)(w + o * w_stride + i);
        for (size_t r = 0; r < R; r++) {
            const lanes row = *(const lanes *)(x + r * x_stride + i);
            for (size_t o = 0; o < O; o++)
                sum[r][o] += row * column[o];
        }
    }
    if (i < inputs) { /* the last, filled up with zeros */
        const size_t last = (inputs - i) * sizeof *x;
        for (size_t o = 0; o < O; o++) {
            column[o] = (lanes){0};
            memcpy(&column[o], w + o * w_stride + i, last);
        }
        for (size_t r = 0; r < R; r++) {
            lanes row = {0};
            memcpy(&row, x + r * x_stride + i, last);
            for (size_t o = 0; o < O; o++)
                sum[r][o] += row * column[o];
        }
    }
    for (size_t r = 0; r < R; r++) {
        lanes_4 total;
        add_lanes(sum[r], &total);
        for (size_t o = 0; o < O; o++)
            y[r * y_stride + o] = total[o] + (bias ? bias[o] : 0);
    }
}

/* All rows against the O outputs that start at w: weights are read from memory once. */
INLINE void rows_strip(size_t rows, size_t O, size_t inputs, const real *x, size_t x_stride,
                       const real *w, size_t w_stride, const real *bias, real *y, size_t y_stride)
{
    size_t r = 0;
    for (; r + TILE <= rows; r += TILE)
        rows_tile(TILE, O, inputs, x + r * x_stride, x_stride, w, w_stride, bias, y + r * y_stride,
                  y_stride);
    const real *rest = x + r * x_stride;
    real *out = y + r * y_stride;
    switch (rows - r) {
    case 3:
        rows_tile(3, O, inputs, rest, x_stride, w, w_stride, bias, out, y_stride);
        break;
    case 2:
        rows_tile(2, O, inputs, rest, x_stride, w, w_stride, bias, out, y_stride);
        break;
    case 1:
        rows_tile(1, O, inputs, rest, x_stride, w, w_stride, bias, out, y_stride);
        break;
    }
}

NN_VECTORISED
void mat_rows(size_t rows, size_t outputs, size_t inputs, const real *x, size_t x_stride,
              const real *w, size_t w_stride, const real *bias, real *y, size_t y_stride)
{
    size_t o = 0;
    for (; o + TILE <= outputs; o += TILE)
        rows_strip(rows, TILE, inputs, x, x_stride, w + o * w_stride, w_stride,
                   bias ? bias + o : NULL, y + o, y_stride);
    for (; o < outputs; o++)
        rows_strip(rows, 1, inputs, x, x_stride, w + o * w_stride, w_stride, bias ? bias + o : NULL,
                   y + o, y_stride);
}

NN_VECTORISED
void mat_add_bias(size_t rows, size_t columns, const real *bias, struct mat x)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            x.data[r * x.stride + c] += bias[c];
}

NN_VECTORISED
void mat_add_rows(size_t rows, size_t columns, struct mat x, real *sum)
{
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            sum[c] += x.data[r * x.stride + c];
}

NN_VECTORISED
void mat_add_scaled(size_t count, real scale, const real *x, real *y)
{
    for (size_t i = 0; i < count; i++)
        y[i] += scale * x[i];
}

double mat_square_sum(size_t count, const real *x)
{
    double part[LANES] = {0};
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            part[l] += (double)x[i + l] * (double)x[i + l];
    double sum = 0;
    for (; i < count; i++)
        sum += (double)x[i] * (double)x[i];
    for (size_t l = 0; l < LANES; l++)
        sum += part[l];
    return sum;
}

void mat_use_one_thread(void)
{
    openblas_set_num_threads(1);
}
