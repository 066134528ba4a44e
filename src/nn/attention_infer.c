/* Attention at inference: one sentence at a time, by products whose sums do not depend on how much
   is computed together, so that a sentence gives the same bytes alone and among others. */
#include <string.h>

#include "nn/attention_parts.h"
#include "nn/softmax.h"

static bool has_form(const struct dense_form *form)
{
    return form->int8 || form->packed;
}

size_t attention_prepared(const struct attention *attention)
{
    if (attention->kind != ATTENTION_GENERAL || has_form(&attention->w.form))
        return 0;
    return attention->memory * attention->query;
}

void attention_prepare(const struct attention *attention, real *prepared)
{
    const size_t D = attention->memory, H = attention->query;
    if (attention_prepared(attention) == 0)
        return;
    for (size_t d = 0; d < D; d++)
        for (size_t h = 0; h < H; h++)
            prepared[h * D + d] = attention->w.weight[d * H + h];
}

void attention_project(const struct attention *attention, const real *prepared, size_t steps,
                       const real *memory, size_t memory_stride, real *keys, size_t keys_stride)
{
    const size_t D = attention->memory, K = attention_keys(attention);
    const struct attention_weights *w = &attention->w;
    const struct dense general = {.outputs = K, .inputs = D, .floats = prepared, .form = w->form};
    const struct dense additive = {
        .outputs = K, .inputs = D, .floats = w->memory_weight, .form = w->form_memory};
    switch (attention->kind) {
    case ATTENTION_NONE:
        break;
    case ATTENTION_DOT:
        for (size_t s = 0; s < steps; s++)
            memcpy(keys + s * keys_stride, memory + s * memory_stride, D * sizeof *keys);
        break;
    case ATTENTION_GENERAL:
        dense_rows(&general, steps, memory, memory_stride, NULL, keys, keys_stride);
        break;
    case ATTENTION_ADDITIVE:
        dense_rows(&additive, steps, memory, memory_stride, w->bias, keys, keys_stride);
        break;
    }
}

void attention_query(const struct attention *attention, size_t rows, const real *queries,
                     size_t query_stride, real *projected, size_t projected_stride)
{
    const struct dense weight = {.outputs = attention->hidden,
                                 .inputs = attention->query,
                                 .floats = attention->w.query_weight,
                                 .form = attention->w.form_query};
    if (attention->kind == ATTENTION_ADDITIVE)
        dense_rows(&weight, rows, queries, query_stride, NULL, projected, projected_stride);
}

void attention_step(const struct attention *attention, size_t steps, const real *memory,
                    size_t memory_stride, const real *keys, size_t keys_stride, const real *query,
                    real *weights, real *context)
{
    const size_t K = attention_keys(attention);
    if (attention->kind == ATTENTION_ADDITIVE)
        attention_additive_scores(steps, K, attention->w.v, mat_of(keys, keys_stride), query,
                                  weights);
    else
        mat_rows(1, steps, K, query, K, keys, keys_stride, NULL, weights, steps);
    softmax_row(steps, weights);
    mat_combine(steps, attention->memory, weights, mat_of(memory, memory_stride), 0, context);
}
