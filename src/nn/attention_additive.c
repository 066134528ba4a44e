/*
 * The scores of additive attention, nearly all of whose time goes into tanh. Backward computes them
 * again: to keep [T, S, A] of them for each sentence would cost more memory than the rest of the
 * network takes.
 */
#include "nn/attention_parts.h"

/* Sums run over this many lanes so that they vectorise without reordering by the compiler. */
#define LANES 16

static inline __attribute__((always_inline)) real score(size_t hidden, const real *v,
                                                        const real *key, const real *query)
{
    real lane[LANES] = {0}, sum = 0;
    size_t a = 0;
    for (; a + LANES <= hidden; a += LANES)
        for (size_t l = 0; l < LANES; l++)
            lane[l] += v[a + l] * real_tanh(key[a + l] + query[a + l]);
    for (; a < hidden; a++)
        sum += v[a] * real_tanh(key[a] + query[a]);
    for (size_t l = 0; l < LANES; l++)
        sum += lane[l];
    return sum;
}

NN_VECTORISED
void attention_additive_scores(size_t steps, size_t hidden, const real *v, struct mat keys,
                               const real *query, real *scores)
{
    for (size_t s = 0; s < steps; s++)
        scores[s] = score(hidden, v, keys.data + s * keys.stride, query);
}

NN_VECTORISED
void attention_additive_scores_back(size_t steps, size_t hidden, const real *v, struct mat keys,
                                    const real *query, const real *d_scores, struct mat d_keys,
                                    real *d_query, real *d_v)
{
    for (size_t s = 0; s < steps; s++) {
        const real *key = keys.data + s * keys.stride, d = d_scores[s];
        real *d_key = d_keys.data + s * d_keys.stride;
        /* score = v.tanh(key + query) */
        NN_INDEPENDENT
        for (size_t a = 0; a < hidden; a++) {
            const real e = real_tanh(key[a] + query[a]);
            const real d_sum = d * v[a] * (1 - e * e);
            d_v[a] += d * e;
            d_key[a] += d_sum;
            d_query[a] += d_sum;
        }
    }
}
