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

/* Four rows at a time, since y is read and written for each. */
NN_VECTORISED
void mat_combine(size_t rows, size_t columns, const real *a, struct mat x, real keep, real *y)
{
    size_t r = 0;
    if (keep == 0)
        memset(y, 0, columns * sizeof *y);
    for (; r + 4 <= rows; r += 4) {
        const real *x0 = x.data + r * x.stride, *x1 = x0 + x.stride, *x2 = x1 + x.stride;
        const real *x3 = x2 + x.stride;
        NN_INDEPENDENT
        for (size_t c = 0; c < columns; c++)
            y[c] =
                (((y[c] + a[r] * x0[c]) + a[r + 1] * x1[c]) + a[r + 2] * x2[c]) + a[r + 3] * x3[c];
    }
    for (; r < rows; r++) {
        const real *x0 = x.data + r * x.stride;
        NN_INDEPENDENT
        for (size_t c = 0; c < columns; c++)
            y[c] += a[r] * x0[c];
    }
}

NN_VECTORISED
void mat_add_outer(size_t rows, size_t columns, const real *a, const real *x, struct mat y)
{
    for (size_t r = 0; r < rows; r++) {
        real *row = y.data + r * y.stride;
        NN_INDEPENDENT
        for (size_t c = 0; c < columns; c++)
            row[c] += a[r] * x[c];
    }
}

#define LANES 16

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
