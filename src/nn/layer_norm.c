#include "nn/layer_norm.h"

#include <string.h>

#define LANES 16
#define ROW_INLINE static inline __attribute__((always_inline))

/* A sum in a fixed order that vectorises: lane l adds values l, l + LANES, ... */
struct lanes {
    real sum[LANES];
};

ROW_INLINE real lanes_total(const struct lanes *lanes)
{
    real total = 0;
    for (size_t l = 0; l < LANES; l++)
        total += lanes->sum[l];
    return total;
}

/* sum_i (x_i - a) (y_i - b) */
ROW_INLINE real dot_from(size_t width, const real *x, real a, const real *y, real b)
{
    struct lanes lanes = {{0}};
    size_t i = 0;
    for (; i + LANES <= width; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            lanes.sum[l] += (x[i + l] - a) * (y[i + l] - b);
    for (size_t l = 0; i + l < width; l++)
        lanes.sum[l] += (x[i + l] - a) * (y[i + l] - b);
    return lanes_total(&lanes);
}

ROW_INLINE real sum_of(size_t width, const real *x)
{
    struct lanes lanes = {{0}};
    size_t i = 0;
    for (; i + LANES <= width; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            lanes.sum[l] += x[i + l];
    for (size_t l = 0; i + l < width; l++)
        lanes.sum[l] += x[i + l];
    return lanes_total(&lanes);
}

NN_VECTORISED
void layer_norm_forward(size_t rows, size_t width, const real *gain, const real *shift,
                        real epsilon, struct mat x, struct mat normal, real *inverse)
{
    for (size_t r = 0; r < rows; r++) {
        real *row = x.data + r * x.stride;
        const real mean = sum_of(width, row) / (real)width;
        const real variance = dot_from(width, row, mean, row, mean) / (real)width;
        const real scale = (real)1 / (real)sqrt(variance + epsilon);
        NN_INDEPENDENT
        for (size_t i = 0; i < width; i++)
            row[i] = (row[i] - mean) * scale;
        if (normal.data) {
            memcpy(normal.data + r * normal.stride, row, width * sizeof(real));
            inverse[r] = scale;
        }
        NN_INDEPENDENT
        for (size_t i = 0; i < width; i++)
            row[i] *= gain[i];
        if (shift) {
            NN_INDEPENDENT
            for (size_t i = 0; i < width; i++)
                row[i] += shift[i];
        }
    }
}

NN_VECTORISED
void layer_norm_backward(size_t rows, size_t width, const real *gain, struct mat normal,
                         const real *inverse, struct mat d, real *d_gain, real *d_output)
{
    for (size_t r = 0; r < rows; r++) {
        const real *n = normal.data + r * normal.stride;
        real *row = d.data + r * d.stride;
        /* out = gain * normal + shift */
        NN_INDEPENDENT
        for (size_t i = 0; i < width; i++) {
            d_gain[i] += row[i] * n[i];
            d_output[i] += row[i];
            row[i] *= gain[i];
        }
        /* normal = (x - mean) * inverse: what moves the mean or the deviation is taken out */
        const real mean = sum_of(width, row) / (real)width;
        const real along = dot_from(width, row, 0, n, 0) / (real)width;
        NN_INDEPENDENT
        for (size_t i = 0; i < width; i++)
            row[i] = (row[i] - mean - n[i] * along) * inverse[r];
    }
}
