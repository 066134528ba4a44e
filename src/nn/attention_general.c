#include "nn/attention_general.h"

#include <string.h>
#include "nn/softmax.h"

/* Views of one sentence b inside time-major arrays. */
static struct mat sentence(const real *data, size_t b, size_t batch, size_t width)
{
    return mat_of(data + b * width, batch * width);
}

int general_attention_forward(const struct general_attention_shape *shape, const real *w,
                              const real *memory, const real *queries, real *context,
                              struct general_attention_cache *cache, struct arena *arena,
                              struct err *err)
{
    const size_t S = shape->memory_steps, T = shape->query_steps, B = shape->batch;
    const size_t D = shape->memory_size, H = shape->query_size;
    cache->keys = arena_alloc(arena, S * B * H, sizeof(real), err);
    cache->weights = arena_alloc(arena, B * T * S, sizeof(real), err);
    if (!cache->keys || !cache->weights)
        return ERR_MEMORY;
    mat_multiply(MAT_NN, S * B, H, D, mat_of(memory, D), mat_of(w, H), 0, mat_of(cache->keys, H));
    for (size_t b = 0; b < B; b++) {
        const size_t length = (size_t)shape->lengths[b];
        real *a = cache->weights + b * T * S;
        mat_multiply(MAT_NT, T, length, H, sentence(queries, b, B, H),
                     sentence(cache->keys, b, B, H), 0, mat_of(a, S));
        for (size_t t = 0; t < T; t++)
            softmax_row(length, a + t * S);
        mat_multiply(MAT_NN, T, D, length, mat_of(a, S), sentence(memory, b, B, D), 0,
                     sentence(context, b, B, D));
    }
    return 0;
}

int general_attention_backward(const struct general_attention_shape *shape, const real *w,
                               const real *memory, const real *queries,
                               const struct general_attention_cache *cache, const real *d_context,
                               real *d_w, real *d_memory, real *d_queries, struct arena *arena,
                               struct err *err)
{
    const size_t S = shape->memory_steps, T = shape->query_steps, B = shape->batch;
    const size_t D = shape->memory_size, H = shape->query_size;
    real *d_keys = arena_alloc(arena, S * B * H, sizeof(real), err);
    real *d_a = arena_alloc(arena, T * S, sizeof(real), err);
    if (!d_keys || !d_a)
        return ERR_MEMORY;
    for (size_t b = 0; b < B; b++) {
        const size_t length = (size_t)shape->lengths[b];
        const real *a = cache->weights + b * T * S;
        const struct mat d_c = sentence(d_context, b, B, D);
        /* context = a memory */
        mat_multiply(MAT_NT, T, length, D, d_c, sentence(memory, b, B, D), 0, mat_of(d_a, S));
        mat_multiply(MAT_TN, length, D, T, mat_of(a, S), d_c, 1, sentence(d_memory, b, B, D));
        /* a = softmax(queries keys^T) */
        for (size_t t = 0; t < T; t++)
            softmax_row_backward(length, a + t * S, d_a + t * S);
        mat_multiply(MAT_NN, T, H, length, mat_of(d_a, S), sentence(cache->keys, b, B, H), 1,
                     sentence(d_queries, b, B, H));
        mat_multiply(MAT_TN, length, H, T, mat_of(d_a, S), sentence(queries, b, B, H), 0,
                     sentence(d_keys, b, B, H));
    }
    /* keys = memory W */
    mat_multiply(MAT_TN, D, H, S * B, mat_of(memory, D), mat_of(d_keys, H), 1, mat_of(d_w, H));
    mat_multiply(MAT_NT, S * B, D, H, mat_of(d_keys, H), mat_of(w, H), 1, mat_of(d_memory, D));
    return 0;
}

void general_attention_step(size_t steps, size_t memory_size, size_t query_size, const real *memory,
                            const real *keys, const real *query, real *weights, real *context)
{
    mat_rows(1, steps, query_size, query, query_size, keys, query_size, NULL, weights, steps);
    softmax_row(steps, weights);
    memset(context, 0, memory_size * sizeof(real));
    for (size_t s = 0; s < steps; s++)
        mat_add_scaled(memory_size, weights[s], memory + s * memory_size, context);
}
