/*
 * What a text's states become for a single answer: the last of them, their mean, their maximum, or
 * their sum weighted by attention (Yang et al. 2016). Padding never takes part.
 */
#include <math.h>
#include <string.h>

#include "model/rnn_parts.h"
#include "nn/softmax.h"

static real *reals(struct arena *arena, size_t count, struct err *err)
{
    return arena_alloc(arena, count, sizeof(real), err);
}

static struct linear key_layer(const struct rnn *model)
{
    return (struct linear){.w = mat_of(model->key_weight, model->pool), .bias = model->key_bias};
}

static real dot(size_t count, const real *x, const real *y)
{
    real sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += x[i] * y[i];
    return sum;
}

/* The forward direction's last state stands at the text's end, the reverse one's at 0. */
static void pool_last(const struct rnn *model, struct rnn_pool *p)
{
    const size_t B = p->batch, D = model->pool, half = D / model->encoder.directions;
    for (size_t b = 0; b < B; b++)
        for (size_t i = 0; i < D && p->lengths[b] > 0; i++) {
            const size_t step = i < half ? (size_t)p->lengths[b] - 1 : 0;
            p->winner[b * D + i] = (int32_t)step;
            p->pool[b * D + i] = p->states[(step * B + b) * D + i];
        }
}

static void pool_mean(const struct rnn *model, struct rnn_pool *p)
{
    const size_t B = p->batch, D = model->pool;
    for (size_t b = 0; b < B; b++)
        for (size_t t = 0; t < (size_t)p->lengths[b]; t++)
            mat_add_scaled(D, 1 / (real)p->lengths[b], p->states + (t * B + b) * D,
                           p->pool + b * D);
}

static void pool_max(const struct rnn *model, struct rnn_pool *p)
{
    const size_t B = p->batch, D = model->pool;
    for (size_t b = 0; b < B; b++)
        for (size_t t = 0; t < (size_t)p->lengths[b]; t++) {
            const real *state = p->states + (t * B + b) * D;
            real *pool = p->pool + b * D;
            for (size_t i = 0; i < D; i++)
                if (t == 0 || state[i] > pool[i]) {
                    pool[i] = state[i];
                    p->winner[b * D + i] = (int32_t)t;
                }
        }
}

static int pool_attention(const struct rnn *model, struct rnn_pool *p, struct arena *arena,
                          struct err *err)
{
    const size_t B = p->batch, S = p->steps, D = model->pool;
    const struct linear layer = key_layer(model);
    p->keys = reals(arena, S * B * D, err);
    p->weights = reals(arena, B * S, err);
    if (p->keys == NULL || p->weights == NULL)
        return ERR_MEMORY;
    linear_forward(S * B, D, D, mat_of(p->states, D), &layer, 0, mat_of(p->keys, D));
    tanh_forward(S * B * D, p->keys);
    for (size_t b = 0; b < B; b++) {
        const size_t length = (size_t)p->lengths[b];
        real *weights = p->weights + b * S;
        for (size_t t = 0; t < length; t++)
            weights[t] = dot(D, model->score_weight, p->keys + (t * B + b) * D);
        if (length > 0)
            softmax_row(length, weights);
        mat_combine(length, D, weights, mat_of(p->states + b * D, B * D), 0, p->pool + b * D);
    }
    return 0;
}

int rnn_pool_forward(const struct rnn *model, struct rnn_pool *p, struct arena *arena,
                     struct err *err)
{
    const size_t count = p->batch * model->pool;
    p->pool = reals(arena, count, err);
    p->winner = arena_alloc(arena, count, sizeof *p->winner, err);
    if (p->pool == NULL || p->winner == NULL)
        return ERR_MEMORY;
    switch (model->pooling) {
    case SPEC_POOL_LAST:
        pool_last(model, p);
        return 0;
    case SPEC_POOL_MEAN:
        pool_mean(model, p);
        return 0;
    case SPEC_POOL_MAX:
        pool_max(model, p);
        return 0;
    case SPEC_POOL_ATTENTION:
        return pool_attention(model, p, arena, err);
    }
    return err_set(err, ERR_INTERNAL, "pooling %d is unknown", (int)model->pooling);
}

static void mean_backward(const struct rnn *model, const struct rnn_pool *p, const real *d_pool,
                          real *d_states)
{
    const size_t B = p->batch, D = model->pool;
    /* pool = sum_t m_t / length */
    for (size_t b = 0; b < B; b++)
        for (size_t t = 0; t < (size_t)p->lengths[b]; t++)
            mat_add_scaled(D, 1 / (real)p->lengths[b], d_pool + b * D, d_states + (t * B + b) * D);
}

static void winner_backward(const struct rnn *model, const struct rnn_pool *p, const real *d_pool,
                            real *d_states)
{
    const size_t B = p->batch, D = model->pool;
    /* pool_i = m_{winner_i, i} */
    for (size_t b = 0; b < B; b++)
        for (size_t i = 0; i < D && p->lengths[b] > 0; i++)
            d_states[((size_t)p->winner[b * D + i] * B + b) * D + i] = d_pool[b * D + i];
}

static int attention_backward(const struct rnn *model, const struct rnn *g,
                              const struct rnn_pool *p, const real *d_pool, real *d_states,
                              struct arena *arena, struct err *err)
{
    const size_t B = p->batch, S = p->steps, D = model->pool;
    const struct linear layer = key_layer(model), g_layer = key_layer(g);
    real *d_keys = reals(arena, S * B * D, err), *d_weights = reals(arena, S, err);
    if (d_keys == NULL || d_weights == NULL)
        return ERR_MEMORY;
    for (size_t b = 0; b < B; b++) {
        const size_t length = (size_t)p->lengths[b];
        const real *weights = p->weights + b * S;
        /* pool = sum_t a_t m_t */
        for (size_t t = 0; t < length; t++) {
            d_weights[t] = dot(D, d_pool + b * D, p->states + (t * B + b) * D);
            mat_add_scaled(D, weights[t], d_pool + b * D, d_states + (t * B + b) * D);
        }
        /* a = softmax(u . keys) */
        if (length > 0)
            softmax_row_backward(length, weights, d_weights);
        for (size_t t = 0; t < length; t++) {
            mat_add_scaled(D, d_weights[t], p->keys + (t * B + b) * D, g->score_weight);
            mat_add_scaled(D, d_weights[t], model->score_weight, d_keys + (t * B + b) * D);
        }
    }
    /* keys = tanh(Wa m + ba) */
    tanh_backward(S * B * D, p->keys, d_keys);
    linear_backward(S * B, D, D, mat_of(p->states, D), &layer, &g_layer, mat_of(d_keys, D), 1,
                    mat_of(d_states, D));
    return 0;
}

int rnn_pool_backward(const struct rnn *model, const struct rnn *g, const struct rnn_pool *p,
                      const real *d_pool, real *d_states, struct arena *arena, struct err *err)
{
    if (model->pooling == SPEC_POOL_ATTENTION)
        return attention_backward(model, g, p, d_pool, d_states, arena, err);
    if (model->pooling == SPEC_POOL_MEAN)
        mean_backward(model, p, d_pool, d_states);
    else
        winner_backward(model, p, d_pool, d_states);
    return 0;
}

/* Inference ----------------------------------------------------------------------------------- */

static void attend(const struct rnn *model, size_t count, const real *states, size_t stride,
                   real *pool, real *weights, real *key)
{
    const size_t D = model->pool;
    const struct dense keys = {
        .outputs = D, .inputs = D, .floats = model->key_weight, .form = model->forms.key};
    for (size_t t = 0; t < count; t++) {
        dense_rows(&keys, 1, states + t * stride, stride, model->key_bias, key, stride);
        tanh_forward(D, key);
        weights[t] = dot(D, model->score_weight, key);
    }
    softmax_row(count, weights);
    mat_combine(count, D, weights, mat_of(states, stride), 0, pool);
}

void rnn_pool_states(const struct rnn *model, size_t count, const real *states, size_t stride,
                     real *pool, real *weights, real *scratch)
{
    const size_t D = model->pool, half = D / model->encoder.directions;
    memset(pool, 0, D * sizeof *pool);
    if (count == 0)
        return;
    if (model->pooling == SPEC_POOL_ATTENTION) {
        attend(model, count, states, stride, pool, weights, scratch);
        return;
    }
    if (model->pooling == SPEC_POOL_LAST) {
        memcpy(pool, states + (count - 1) * stride, half * sizeof(real));
        memcpy(pool + half, states + half, (D - half) * sizeof(real)); /* reverse ends at 0 */
        return;
    }
    for (size_t t = 0; t < count; t++)
        for (size_t i = 0; i < D; i++) {
            const real x = states[t * stride + i];
            if (model->pooling == SPEC_POOL_MEAN)
                pool[i] += x / (real)count;
            else
                pool[i] = t == 0 || x > pool[i] ? x : pool[i];
        }
}
