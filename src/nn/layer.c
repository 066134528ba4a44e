#include "nn/layer.h"

#include <string.h>

void embedding_forward(size_t count, size_t width, const int32_t *ids, const real *table, real *out)
{
    for (size_t i = 0; i < count; i++)
        memcpy(out + i * width, table + (size_t)ids[i] * width, width * sizeof(real));
}

void embedding_backward(size_t count, size_t width, const int32_t *ids, const real *d_out,
                        real *d_table)
{
    for (size_t i = 0; i < count; i++)
        mat_add_scaled(width, 1, d_out + i * width, d_table + (size_t)ids[i] * width);
}

void dropout_forward(size_t count, double rate, struct rng *rng, real *x, real *mask)
{
    if (rate <= 0)
        return;
    const uint32_t threshold = (uint32_t)(rate * 4294967296.0);
    const real scale = (real)(1.0 / (1.0 - rate));
    for (size_t i = 0; i < count; i += 2) {
        const uint64_t bits = rng_next(rng);
        mask[i] = (uint32_t)bits < threshold ? 0 : scale;
        if (i + 1 < count)
            mask[i + 1] = (uint32_t)(bits >> 32) < threshold ? 0 : scale;
    }
    for (size_t i = 0; i < count; i++)
        x[i] *= mask[i];
}

void dropout_backward(size_t count, double rate, const real *mask, real *d_x)
{
    if (rate <= 0)
        return;
    for (size_t i = 0; i < count; i++)
        d_x[i] *= mask[i];
}

void linear_forward(size_t rows, size_t outputs, size_t inputs, struct mat x,
                    const struct linear *layer, real keep, struct mat y)
{
    mat_multiply(MAT_NT, rows, outputs, inputs, x, layer->w, keep, y);
    if (layer->bias)
        mat_add_bias(rows, outputs, layer->bias, y);
}

void linear_backward(size_t rows, size_t outputs, size_t inputs, struct mat x,
                     const struct linear *layer, const struct linear *gradient, struct mat d_y,
                     real keep, struct mat d_x)
{
    /* y = x W^T + b */
    mat_multiply(MAT_TN, outputs, inputs, rows, d_y, x, 1, gradient->w);
    if (gradient->bias)
        mat_add_rows(rows, outputs, d_y, gradient->bias);
    mat_multiply(MAT_NN, rows, inputs, outputs, d_y, layer->w, keep, d_x);
}

NN_VECTORISED
void tanh_forward(size_t count, real *x)
{
    for (size_t i = 0; i < count; i++)
        x[i] = real_tanh(x[i]);
}

NN_VECTORISED
void tanh_backward(size_t count, const real *y, real *d)
{
    for (size_t i = 0; i < count; i++)
        d[i] *= 1 - y[i] * y[i];
}
