#include "nn/softmax.h"

/* Sums run over this many lanes so that they vectorise without reordering by the compiler. */
#define LANES 16

static inline __attribute__((always_inline)) real row_maximum(size_t count, const real *x)
{
    real lane[LANES], maximum = x[0];
    size_t i = 0;
    if (count >= LANES) {
        for (size_t l = 0; l < LANES; l++)
            lane[l] = x[l];
        for (i = LANES; i + LANES <= count; i += LANES)
            for (size_t l = 0; l < LANES; l++)
                lane[l] = x[i + l] > lane[l] ? x[i + l] : lane[l];
        for (size_t l = 0; l < LANES; l++)
            maximum = lane[l] > maximum ? lane[l] : maximum;
    }
    for (; i < count; i++)
        maximum = x[i] > maximum ? x[i] : maximum;
    return maximum;
}

/* sum exp(x - maximum); y receives the terms unless NULL. */
static inline __attribute__((always_inline)) real row_exp_sum(size_t count, const real *x,
                                                              real maximum, real *y)
{
    real lane[LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t l = 0; l < LANES; l++) {
            const real e = real_exp(x[i + l] - maximum);
            if (y)
                y[i + l] = e;
            lane[l] += e;
        }
    for (; i < count; i++) {
        const real e = real_exp(x[i] - maximum);
        if (y)
            y[i] = e;
        sum += e;
    }
    for (size_t l = 0; l < LANES; l++)
        sum += lane[l];
    return sum;
}

NN_VECTORISED
real softmax_row(size_t count, real *x)
{
    const real maximum = row_maximum(count, x);
    const real sum = row_exp_sum(count, x, maximum, x);
    const real scale = 1 / sum;
    for (size_t i = 0; i < count; i++)
        x[i] *= scale;
    return maximum + (real)log(sum);
}

NN_VECTORISED
real softmax_log_sum(size_t count, const real *x)
{
    const real maximum = row_maximum(count, x);
    return maximum + (real)log(row_exp_sum(count, x, maximum, NULL));
}

NN_VECTORISED
void softmax_log(size_t count, real *x)
{
    const real sum = softmax_log_sum(count, x);
    for (size_t i = 0; i < count; i++)
        x[i] -= sum;
}

/* From the greater of the two, so that neither overflows. */
NN_VECTORISED
void softmax_log_add(size_t count, const real *x, real *y)
{
    const real sum = softmax_log_sum(count, x);
    NN_INDEPENDENT
    for (size_t i = 0; i < count; i++) {
        const real a = y[i], b = x[i] - sum;
        const real greater = a > b ? a : b, less = a > b ? b : a;
        y[i] = greater + real_log(1 + real_exp(less - greater));
    }
}

NN_VECTORISED
void softmax_row_backward(size_t count, const real *y, real *d)
{
    real dot = 0;
    for (size_t i = 0; i < count; i++)
        dot += y[i] * d[i];
    for (size_t i = 0; i < count; i++)
        d[i] = y[i] * (d[i] - dot);
}
