/* The bag of words as a network over known rows: forward and backward of one text. */
#include <string.h>

#include "model/bag.h"
#include "nn/half.h"
#include "nn/mat.h"
#include "nn/real.h"

#define AHEAD 8 /* rows that are fetched before they are needed: they lie anywhere */

/* sum [width] = bias + sum_f v_f W_f, from 16-bit floats */
static void sum_halves(const struct bag *bag, const struct bag_input *input, real *sum)
{
    const size_t width = bag->width;
    for (size_t i = 0; i < input->count; i++) {
        const real value = input->values[i];
        const uint16_t *row = bag->halves + input->rows[i] * width;
        if (i + AHEAD < input->count)
            __builtin_prefetch(bag->halves + input->rows[i + AHEAD] * width);
        for (size_t j = 0; j < width; j++)
            sum[j] += value * half_value(row[j]);
    }
}

/* sum [width] = bias + sum_f v_f W_f */
static void sum_rows(const struct bag *bag, const struct bag_input *input, real *sum)
{
    const size_t width = bag->width;
    memcpy(sum, bag->bias, width * sizeof *sum);
    if (bag->halves) {
        sum_halves(bag, input, sum);
        return;
    }
    for (size_t i = 0; i < input->count; i++) {
        const real value = input->values[i], *row = bag->weight + input->rows[i] * width;
        if (i + AHEAD < input->count)
            __builtin_prefetch(bag->weight + input->rows[i + AHEAD] * width);
        for (size_t j = 0; j < width; j++)
            sum[j] += value * row[j];
    }
}

void bag_forward(const struct bag *bag, const struct bag_input *input, real *hidden, real *logits)
{
    const size_t H = bag->hidden;
    if (H == 0) {
        sum_rows(bag, input, logits);
        return;
    }
    sum_rows(bag, input, hidden);
    for (size_t j = 0; j < H; j++)
        hidden[j] = real_tanh(hidden[j]);
    for (size_t l = 0; l < bag->labels; l++) {
        logits[l] = bag->output_bias[l];
        for (size_t j = 0; j < H; j++)
            logits[l] += bag->output_weight[l * H + j] * hidden[j];
    }
}

void bag_backward_sum(const struct bag *bag, const real *hidden, const real *d_logits, real *d_sum)
{
    const size_t H = bag->hidden;
    if (H == 0) {
        memcpy(d_sum, d_logits, bag->labels * sizeof *d_sum);
        return;
    }
    memset(d_sum, 0, H * sizeof *d_sum);
    for (size_t l = 0; l < bag->labels; l++) /* logits[l] = b[l] + V[l] . hidden */
        mat_add_scaled(H, d_logits[l], bag->output_weight + l * H, d_sum);
    for (size_t j = 0; j < H; j++) /* hidden = tanh(s) */
        d_sum[j] *= 1 - hidden[j] * hidden[j];
}

void bag_backward_output(const struct bag *bag, const real *hidden, const real *d_logits,
                         const struct bag *gradients)
{
    for (size_t l = 0; l < bag->labels; l++) { /* logits[l] = b[l] + V[l] . hidden */
        gradients->output_bias[l] += d_logits[l];
        mat_add_scaled(bag->hidden, d_logits[l], hidden,
                       gradients->output_weight + l * bag->hidden);
    }
}
