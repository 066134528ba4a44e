/* Quantising rows of activations. */
#include <math.h>
#include <string.h>

#include "nn/int8.h"
#include "nn/pointwise.h"

/* The row ends in zeros up to the stride. */
static void quantize_row(size_t inputs, const float *x, const struct int8_rows *to, size_t row)
{
    int8_t *values = to->values + row * to->stride;
    const float largest = pointwise_magnitude(inputs, x);
    size_t done = 0;
    to->sums[row] = 0;
    to->scales[row] = isfinite(largest) ? 0 : NAN;
    if (isfinite(largest) && largest >= INT8_LEAST) {
        to->scales[row] = largest / INT8_MAX_VALUE;
        to->sums[row] = pointwise_round(inputs, x, INT8_MAX_VALUE / largest, values);
        done = inputs;
    }
    memset(values + done, 0, to->stride - done);
}

void int8_quantize_rows(size_t rows, size_t inputs, const float *x, size_t x_stride,
                        const struct int8_rows *quantized)
{
    for (size_t row = 0; row < rows; row++)
        quantize_row(inputs, x + row * x_stride, quantized, row);
}
