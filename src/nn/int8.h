/*
 * Matrices of 8-bit integers, for inference: a quarter of the bytes to read, which is what a
 * product with few rows waits for, and sums in integers, which are exact. So a row's outputs are
 * the same bytes in any batch and on every processor.
 *
 * Weights are quantised by output, w[o,i] = scales[o] * q[o,i], and rows of activations when they
 * are used, x[r,i] = scale[r] * q[r,i]; both symmetric, in [-127, 127]. Then
 *
 *   y[r,o] = (float)(sum_i q[r,i] q[o,i]) * (scale[r] * scales[o]) + bias[o]
 *
 * with each of the three operations rounded by itself. The sums fit 32 bits for up to
 * INT8_MAX_INPUTS inputs.
 *
 * One layout serves all processors, and is what a bundle holds: panels of 16 outputs, in each the
 * inputs four by four, and in each such block of 64 bytes output by output:
 *
 *   weight of output o and input i at
 *       ((o / 16) * groups + i / 4) * 64 + (o % 16) * 4 + i % 4,     groups = (inputs + 3) / 4
 *
 * What lies beyond the last output or input is 0. Blocks should be aligned to 64 bytes for speed;
 * any address works. Any bytes are valid weights.
 */
#ifndef DRAGOMAN_NN_INT8_H
#define DRAGOMAN_NN_INT8_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

#define INT8_PANEL 16 /* outputs */
#define INT8_GROUP 4  /* inputs */
#define INT8_BLOCK (INT8_PANEL * INT8_GROUP)
#define INT8_MAX_INPUTS 65536
#define INT8_MAX_VALUE 127

/* Borrowed memory, for instance of a mapped bundle. */
struct int8_matrix {
    size_t outputs, inputs;
    const int8_t *weights; /* int8_weights_size bytes */
    const float *scales;   /* [outputs] */
};

/* Quantised rows: made once by int8_quantize_rows, used for all matrices that share the input. */
struct int8_rows {
    size_t stride;  /* bytes from one row to the next */
    int8_t *values; /* [rows, stride] */
    float *scales;  /* [rows] */
    int32_t *sums;  /* [rows], the sum of a row's values */
};

/* Bytes of a matrix's weights; 0 where there are more inputs than INT8_MAX_INPUTS or the size
   overflows. */
size_t int8_weights_size(size_t outputs, size_t inputs);

/* Quantises w [outputs, inputs] into weights and scales [outputs]: scale = largest magnitude / 127,
   values rounded to the nearest, to even in the middle. ERR_ARGUMENT where a weight is not finite
   or there are too many inputs. */
int int8_quantize(size_t outputs, size_t inputs, const float *w, size_t w_stride, int8_t *weights,
                  float *scales, struct err *err);
/* One output's weights as floats: w [inputs]; a word's embedding, where that is what they are. */
void int8_row(const struct int8_matrix *matrix, size_t output, float *w);

/* The matrix of some outputs, in the order given, into weights and scales [count]: a shortlist of
   the words of an output layer. Each must be below matrix->outputs. */
void int8_select(const struct int8_matrix *matrix, size_t count, const uint32_t *outputs,
                 int8_t *weights, float *scales);
/* Outputs first..first + count of the matrix, nothing copied; first is a multiple of 16. */
struct int8_matrix int8_part(const struct int8_matrix *matrix, size_t first, size_t count);

/* Memory for rows: bytes, and the rows laid into it; `memory` should be aligned to 64 bytes. */
size_t int8_rows_size(size_t rows, size_t inputs);
struct int8_rows int8_rows_in(void *memory, size_t rows, size_t inputs);

/* Quantises x [rows, inputs]. A row that holds a value that is not finite has a scale that is not a
   number, and so have its outputs; one without a magnitude of at least INT8_LEAST counts as 0. */
#define INT8_LEAST 1e-30f
void int8_quantize_rows(size_t rows, size_t inputs, const float *x, size_t x_stride,
                        const struct int8_rows *quantized);

/* y [rows, outputs] = x w^T + bias; bias [outputs] or NULL. x was quantised with as many inputs as
   the matrix has. */
void int8_multiply(const struct int8_matrix *matrix, size_t rows, const struct int8_rows *x,
                   const float *bias, float *y, size_t y_stride);

#endif
