/*
 * Global attention, general form (Luong, Pham, Manning 2015): score = m.(W q). The memory is
 * projected once, keys = m W, so that a score is keys.q.
 *
 *   memory [S, B, D]   W [D, H]   keys [S, B, H]   queries [T, B, H]
 *   weights a [B, T, S], zero at s >= lengths[b]   context [T, B, D] = sum_s a m_s
 */
#ifndef DRAGOMAN_NN_ATTENTION_GENERAL_H
#define DRAGOMAN_NN_ATTENTION_GENERAL_H

#include "base/mem.h"
#include "nn/mat.h"

struct general_attention_shape {
    size_t memory_steps, query_steps, batch, memory_size, query_size; /* S, T, B, D, H */
    const int32_t *lengths;                                           /* [B], each 1..S */
};
struct general_attention_cache {
    real *keys;    /* [S, B, H] */
    real *weights; /* [B, T, S] */
};

int general_attention_forward(const struct general_attention_shape *shape, const real *w,
                              const real *memory, const real *queries, real *context,
                              struct general_attention_cache *cache, struct arena *arena,
                              struct err *err);
/* Adds to d_w and d_memory [S, B, D] and d_queries [T, B, H]. */
int general_attention_backward(const struct general_attention_shape *shape, const real *w,
                               const real *memory, const real *queries,
                               const struct general_attention_cache *cache, const real *d_context,
                               real *d_w, real *d_memory, real *d_queries, struct arena *arena,
                               struct err *err);

/* Inference for one query [H] over one sentence: memory [S, D], keys [S, H]; writes weights [S] and
   context [D]. */
void general_attention_step(size_t steps, size_t memory_size, size_t query_size, const real *memory,
                            const real *keys, const real *query, real *weights, real *context);

#endif
