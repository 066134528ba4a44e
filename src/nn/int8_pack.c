/*
 * Making matrices of 8-bit integers, and picking outputs out of them. None of this is done while a
 * request waits, but for int8_select, which copies each output's groups of inputs one by one: 128
 * copies of 4 bytes for 512 inputs.
 */
#include <math.h>
#include <string.h>

#include "nn/int8.h"

static size_t group_count(size_t inputs)
{
    return (inputs + INT8_GROUP - 1) / INT8_GROUP;
}

/* Where the groups of an output begin; they lie INT8_BLOCK bytes apart. */
static size_t output_start(size_t output, size_t groups)
{
    return output / INT8_PANEL * groups * INT8_BLOCK + output % INT8_PANEL * INT8_GROUP;
}

size_t int8_weights_size(size_t outputs, size_t inputs)
{
    const size_t panels = outputs / INT8_PANEL + (outputs % INT8_PANEL != 0);
    const size_t panel = group_count(inputs) * INT8_BLOCK;
    if (inputs > INT8_MAX_INPUTS || (panel > 0 && panels > SIZE_MAX / panel))
        return 0;
    return panels * panel;
}

/* INFINITY or NAN where a value is not finite */
static float largest_magnitude(size_t count, const float *x)
{
    float largest = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(x[i]))
            return NAN;
        largest = fabsf(x[i]) > largest ? fabsf(x[i]) : largest;
    }
    return largest;
}

int int8_quantize(size_t outputs, size_t inputs, const float *w, size_t w_stride, int8_t *weights,
                  float *scales, struct err *err)
{
    const size_t groups = group_count(inputs);
    if (inputs > INT8_MAX_INPUTS)
        return err_set(err, ERR_ARGUMENT, "%zu inputs are more than %d", inputs, INT8_MAX_INPUTS);
    memset(weights, 0, int8_weights_size(outputs, inputs));
    for (size_t o = 0; o < outputs; o++, w += w_stride) {
        int8_t *to = weights + output_start(o, groups);
        const float largest = largest_magnitude(inputs, w);
        if (isnan(largest))
            return err_set(err, ERR_ARGUMENT, "a weight of output %zu is not finite", o);
        const bool zero = largest < INT8_LEAST;
        const float factor = zero ? 0 : INT8_MAX_VALUE / largest;
        scales[o] = zero ? 0 : largest / INT8_MAX_VALUE;
        for (size_t i = 0; i < inputs; i++)
            to[i / INT8_GROUP * INT8_BLOCK + i % INT8_GROUP] = (int8_t)lrintf(w[i] * factor);
    }
    return 0;
}

void int8_row(const struct int8_matrix *matrix, size_t output, float *w)
{
    const int8_t *from = matrix->weights + output_start(output, group_count(matrix->inputs));
    for (size_t i = 0; i < matrix->inputs; i++)
        w[i] = matrix->scales[output] * (float)from[i / INT8_GROUP * INT8_BLOCK + i % INT8_GROUP];
}

void int8_select(const struct int8_matrix *matrix, size_t count, const uint32_t *outputs,
                 int8_t *weights, float *scales)
{
    const size_t groups = group_count(matrix->inputs), rest = count % INT8_PANEL;
    if (rest > 0)
        memset(weights + count / INT8_PANEL * groups * INT8_BLOCK, 0, groups * INT8_BLOCK);
    for (size_t i = 0; i < count; i++) {
        const int8_t *from = matrix->weights + output_start(outputs[i], groups);
        int8_t *to = weights + output_start(i, groups);
        scales[i] = matrix->scales[outputs[i]];
        for (size_t g = 0; g < groups; g++)
            memcpy(to + g * INT8_BLOCK, from + g * INT8_BLOCK, INT8_GROUP);
    }
}

struct int8_matrix int8_part(const struct int8_matrix *matrix, size_t first, size_t count)
{
    return (struct int8_matrix){.outputs = count,
                                .inputs = matrix->inputs,
                                .weights = matrix->weights +
                                           output_start(first, group_count(matrix->inputs)),
                                .scales = matrix->scales + first};
}

/* A row's values are aligned as the memory is, and end in zeros. */
static size_t row_stride(size_t inputs)
{
    return (inputs + INT8_BLOCK - 1) / INT8_BLOCK * INT8_BLOCK;
}

size_t int8_rows_size(size_t rows, size_t inputs)
{
    return rows * (row_stride(inputs) + sizeof(float) + sizeof(int32_t));
}

struct int8_rows int8_rows_in(void *memory, size_t rows, size_t inputs)
{
    const size_t stride = row_stride(inputs);
    int8_t *values = memory;
    float *scales = (float *)(void *)(values + rows * stride);
    return (struct int8_rows){.stride = stride,
                              .values = values,
                              .scales = scales,
                              .sums = (int32_t *)(void *)(scales + rows)};
}
