/* Products of inference: which form of the weights is used, part by part where the panels of one
   part do not end where the next one's begin. */
#include "nn/dense.h"

#include <stdalign.h>
#include <string.h>

#include "base/mem.h"

static size_t part_of(const struct dense *w)
{
    return w->part > 0 ? w->part : w->outputs;
}

static size_t parts_of(const struct dense *w)
{
    return w->outputs == 0 ? 0 : w->outputs / part_of(w);
}

size_t dense_packed_size(const struct dense *w)
{
    return parts_of(w) * mat_packed_size(part_of(w), w->inputs);
}

void dense_pack(const struct dense *w, bool transposed, real *packed)
{
    const size_t part = part_of(w);
    for (size_t first = 0; first < w->outputs; first += part) {
        const struct mat floats = transposed ? mat_of(w->floats + first, w->outputs)
                                             : mat_of(w->floats + first * w->inputs, w->inputs);
        mat_pack(transposed ? MAT_NN : MAT_NT, part, w->inputs, floats, packed);
        packed += mat_packed_size(part, w->inputs);
    }
}

static void multiply_packed(const struct dense *w, size_t rows, const real *x, size_t x_stride,
                            const real *bias, real *y, size_t y_stride)
{
    const size_t size = mat_packed_size(part_of(w), w->inputs);
    const size_t part = size == part_of(w) * w->inputs ? w->outputs : part_of(w);
    const real *packed = w->form.packed;
    for (size_t first = 0; first < w->outputs; first += part, packed += size)
        mat_rows_packed(rows, part, w->inputs, x, x_stride, packed, bias ? bias + first : NULL,
                        y + first, y_stride);
}

#ifndef DRAGOMAN_DOUBLE
/* Memory for quantised rows, on the stack: one row of the most inputs fits, and of the usual ones
   more than the kernels can make use of. */
#define ROWS_BYTES ((size_t)INT8_MAX_INPUTS + INT8_BLOCK)

size_t dense_int8_size(const struct dense *w)
{
    const size_t size = int8_weights_size(part_of(w), w->inputs), parts = parts_of(w);
    return size > 0 && parts > SIZE_MAX / size ? 0 : parts * size;
}

static struct int8_matrix matrix_of(const struct dense *w, size_t outputs)
{
    return (struct int8_matrix){
        .outputs = outputs, .inputs = w->inputs, .weights = w->form.int8, .scales = w->form.scales};
}

static void multiply_int8(const struct dense *w, size_t rows, const struct int8_rows *x,
                          const real *bias, real *y, size_t y_stride)
{
    const size_t part = part_of(w) % INT8_PANEL == 0 ? w->outputs : part_of(w);
    const size_t size = int8_weights_size(part, w->inputs);
    struct int8_matrix matrix = matrix_of(w, part);
    for (size_t first = 0; first < w->outputs; first += part) {
        int8_multiply(&matrix, rows, x, bias ? bias + first : NULL, y + first, y_stride);
        matrix.weights += size;
        matrix.scales += part;
    }
}

static void quantize_and_multiply(const struct dense *w, size_t rows, const real *x,
                                  size_t x_stride, const real *bias, real *y, size_t y_stride)
{
    alignas(MEM_ALIGN) unsigned char memory[ROWS_BYTES];
    const size_t most = ROWS_BYTES / int8_rows_size(1, w->inputs);
    for (size_t first = 0; first < rows; first += most) {
        const size_t count = rows - first < most ? rows - first : most;
        const struct int8_rows quantized = int8_rows_in(memory, count, w->inputs);
        int8_quantize_rows(count, w->inputs, x + first * x_stride, x_stride, &quantized);
        multiply_int8(w, count, &quantized, bias, y + first * y_stride, y_stride);
    }
}
#endif

struct dense dense_part(const struct dense *w, size_t first, size_t count)
{
    struct dense part = *w;
    const size_t before = first / part_of(w);
    part.outputs = count;
    if (w->floats)
        part.floats = w->floats + first * w->inputs;
    if (w->form.packed)
        part.form.packed = w->form.packed + before * mat_packed_size(part_of(w), w->inputs);
#ifndef DRAGOMAN_DOUBLE
    if (w->form.int8) {
        part.form.int8 = w->form.int8 + before * int8_weights_size(part_of(w), w->inputs);
        part.form.scales = w->form.scales + first;
    }
#endif
    return part;
}

void dense_rows(const struct dense *w, size_t rows, const real *x, size_t x_stride,
                const real *bias, real *y, size_t y_stride)
{
#ifndef DRAGOMAN_DOUBLE
    if (w->form.int8) {
        quantize_and_multiply(w, rows, x, x_stride, bias, y, y_stride);
        return;
    }
#endif
    if (w->form.packed)
        multiply_packed(w, rows, x, x_stride, bias, y, y_stride);
    else
        mat_rows(rows, w->outputs, w->inputs, x, x_stride, w->floats, w->inputs, bias, y, y_stride);
}

void dense_row(const struct dense *w, size_t output, real *row)
{
#ifndef DRAGOMAN_DOUBLE
    if (w->form.int8) {
        const size_t first = output / part_of(w) * part_of(w);
        const struct dense part = dense_part(w, first, part_of(w));
        const struct int8_matrix matrix = matrix_of(&part, part.outputs);
        int8_row(&matrix, output - first, row);
        return;
    }
#endif
    memcpy(row, w->floats + output * w->inputs, w->inputs * sizeof *row);
}
