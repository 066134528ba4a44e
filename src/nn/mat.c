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
    cblas_dgemm(CblasRowMajor, ta, tb, (blasint) m, (blasint) n, (blasint) k, 1.0, a.data,
                (blasint) a.stride, b.data, (blasint) b.stride, keep, c.data, (blasint) c.stride);
#else
    cblas_sgemm(CblasRowMajor, ta, tb, (blasint) m, (blasint) n, (blasint) k, 1.0f, a.data,
                (blasint) a.stride, b.data, (blasint) b.stride, keep, c.data, (blasint) c.stride);
#endif
}

/*
 * mat_rows: a tile of up to TILE rows by TILE outputs keeps one vector of LANES partial sums for
 * each output; lane l sums inputs l, l + LANES, ... in order, then the lanes are added pairwise.
 * Neither depends on the tile's shape.
 */
#define LANES 16
#define TILE 4
typedef real lanes
    __attribute__((vector_size(LANES * sizeof(real)), aligned(sizeof(real)), may_alias));

static inline real add_lanes(const lanes *v)
{
    real s[LANES];
    memcpy(s, v, sizeof s);
    for (size_t width = LANES / 2; width > 0; width /= 2)
        for (size_t l = 0; l < width; l++)
            s[l] += s[l + width];
    return s[0];
}

/* The tile of R rows and O outputs, both known when the compiler inlines it. */
static inline __attribute__((always_inline)) void
rows_tile(size_t R, size_t O, size_t inputs, const real *x, size_t x_stride, const real *w,
          size_t w_stride, const real *bias, real *y, size_t y_stride)
{
    lanes sum[TILE][TILE] = {0};
    size_t i = 0;
    for (; i + LANES <= inputs; i += LANES) {
        lanes column[TILE];
        for (size_t o = 0; o < O; o++)
            column[o] = *(const lanes *) (w + o * w_stride + i);
        for (size_t r = 0; r < R; r++) {
            const lanes row = *(const lanes *) (x + r * x_stride + i);
            for (size_t o = 0; o < O; o++)
                sum[r][o] += row * column[o];
        }
    }
    for (size_t r = 0; r < R; r++)
        for (size_t o = 0; o < O; o++) {
            real tail = 0;
            for (size_t j = i; j < inputs; j++)
                tail += x[r * x_stride + j] * w[o * w_stride + j];
            y[r * y_stride + o] = add_lanes(&sum[r][o]) + tail + (bias ? bias[o] : 0);
        }
}

/* All rows against the O outputs that start at w: weights are read from memory once. */
static inline __attribute__((always_inline)) void
rows_strip(size_t rows, size_t O, size_t inputs, const real *x, size_t x_stride, const real *w,
           size_t w_stride, const real *bias, real *y, size_t y_stride)
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
        rows_strip(rows, 1, inputs, x, x_stride, w + o * w_stride, w_stride,
                   bias ? bias + o : NULL, y + o, y_stride);
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
            part[l] += (double) x[i + l] * (double) x[i + l];
    double sum = 0;
    for (; i < count; i++)
        sum += (double) x[i] * (double) x[i];
    for (size_t l = 0; l < LANES; l++)
        sum += part[l];
    return sum;
}

void mat_use_one_thread(void)
{
    openblas_set_num_threads(1);
}
