/*
 * The classification networks in training: forward, loss and backward over one batch. The bag of
 * words touches only the rows of the features that occur; the rnn runs over a padded batch, and
 * padding is kept out of the pool and so out of the gradients.
 */
#include <math.h>
#include <string.h>

#include "model/classifier.h"
#include "nn/layer.h"
#include "nn/loss.h"

/* What forward leaves for backward, in the arena. */
struct pass {
    real *values;     /* bag of words: of all features of the batch */
    real *x, *x_mask; /* [S, B, E], embedded */
    struct recurrent_sequence sequence;
    struct recurrent_trace encoder;
    real *states;           /* [S, B, D], the encoder's output */
    int32_t *winner;        /* [B, D], the step that gave the maximum */
    real *pool, *pool_mask; /* [B, D] */
};

static real *reals(struct arena *arena, size_t count, struct err *err)
{
    return arena_alloc(arena, count, sizeof(real), err);
}

/*
 * Bag of words
 */

static int bag_forward(const struct classifier *model, const struct classifier_batch *batch,
                       const struct classifier_training *training, struct rng *rng,
                       struct pass *pass, real *logits, struct arena *arena, struct err *err)
{
    const size_t total = batch->ends[batch->batch - 1];
    pass->values = reals(arena, total, err);
    real *mask = reals(arena, total, err);
    if (pass->values == NULL || mask == NULL)
        return ERR_MEMORY;
    for (size_t b = 0, begin = 0; b < batch->batch; begin = batch->ends[b++])
        classifier_values(batch->ends[b] - begin, pass->values + begin);
    dropout_forward(total, training->dropout_input, rng, pass->values, mask);
    for (size_t b = 0, begin = 0; b < batch->batch; begin = batch->ends[b++])
        classifier_bag_logits(model, batch->ends[b] - begin, batch->features + begin,
                              pass->values + begin, logits + b * model->labels);
    return 0;
}

static void bag_backward(const struct classifier *model, const struct classifier *g,
                         const struct classifier_batch *batch, const struct pass *pass,
                         const real *d_logits)
{
    const size_t L = model->labels;
    for (size_t b = 0, begin = 0; b < batch->batch; begin = batch->ends[b++]) {
        /* logits = b + sum_i values[i] W[features[i]] */
        mat_add_scaled(L, 1, d_logits + b * L, g->output_bias);
        for (size_t i = begin; i < batch->ends[b]; i++)
            mat_add_scaled(L, pass->values[i], d_logits + b * L,
                           g->output_weight + batch->features[i] * L);
    }
}

/*
 * Pooling: states [S, B, D] -> pool [B, D], over t < lengths[b].
 */

/* The forward direction's last state stands at the text's end, the reverse one's at 0. */
static void pool_last(const struct classifier *model, const struct classifier_batch *batch,
                      const struct pass *pass)
{
    const size_t B = batch->batch, D = model->pool, half = D / model->encoder.directions;
    for (size_t b = 0; b < B; b++)
        for (size_t i = 0; i < D && batch->lengths[b] > 0; i++) {
            const size_t step = i < half ? (size_t)batch->lengths[b] - 1 : 0;
            pass->winner[b * D + i] = (int32_t)step;
            pass->pool[b * D + i] = pass->states[(step * B + b) * D + i];
        }
}

static void pool_forward(const struct classifier *model, const struct classifier_batch *batch,
                         const struct pass *pass)
{
    const size_t B = batch->batch, D = model->pool;
    if (model->pooling == SPEC_POOL_LAST) {
        pool_last(model, batch, pass);
        return;
    }
    for (size_t b = 0; b < B; b++) {
        const size_t length = (size_t)batch->lengths[b];
        real *pool = pass->pool + b * D;
        for (size_t t = 0; t < length; t++) {
            const real *state = pass->states + (t * B + b) * D;
            if (model->pooling == SPEC_POOL_MEAN)
                mat_add_scaled(D, 1 / (real)length, state, pool);
            else
                for (size_t i = 0; i < D; i++)
                    if (t == 0 || state[i] > pool[i]) {
                        pool[i] = state[i];
                        pass->winner[b * D + i] = (int32_t)t;
                    }
        }
    }
}

/* Writes d_states [S, B, D], which is zero before. */
static void pool_backward(const struct classifier *model, const struct classifier_batch *batch,
                          const struct pass *pass, const real *d_pool, real *d_states)
{
    const size_t B = batch->batch, D = model->pool;
    for (size_t b = 0; b < B; b++) {
        const size_t length = (size_t)batch->lengths[b];
        const real *d = d_pool + b * D;
        /* pool = sum of states / length, or the state of the winning step */
        if (model->pooling == SPEC_POOL_MEAN)
            for (size_t t = 0; t < length; t++)
                mat_add_scaled(D, 1 / (real)length, d, d_states + (t * B + b) * D);
        else
            for (size_t i = 0; i < D && length > 0; i++)
                d_states[((size_t)pass->winner[b * D + i] * B + b) * D + i] = d[i];
    }
}

/*
 * Recurrent network
 */

static struct linear output_layer(const struct classifier *model)
{
    return (struct linear){.w = mat_of(model->output_weight, model->pool),
                           .bias = model->output_bias};
}

static int rnn_allocate(const struct classifier *model, const struct classifier_batch *batch,
                        struct pass *pass, struct arena *arena, struct err *err)
{
    const size_t B = batch->batch, SB = batch->steps * B;
    pass->x = reals(arena, SB * model->embedding, err);
    pass->x_mask = reals(arena, SB * model->embedding, err);
    pass->pool = reals(arena, B * model->pool, err);
    pass->pool_mask = reals(arena, B * model->pool, err);
    pass->winner = arena_alloc(arena, B * model->pool, sizeof *pass->winner, err);
    return pass->x == NULL || pass->x_mask == NULL || pass->pool == NULL ||
                   pass->pool_mask == NULL || pass->winner == NULL
               ? ERR_MEMORY
               : 0;
}

static int rnn_forward(const struct classifier *model, const struct classifier_batch *batch,
                       const struct classifier_training *training, struct rng *rng,
                       struct pass *pass, real *logits, struct arena *arena, struct err *err)
{
    const size_t B = batch->batch, SB = batch->steps * B;
    const size_t E = model->embedding, D = model->pool, L = model->labels;
    int code = rnn_allocate(model, batch, pass, arena, err);
    if (code < 0)
        return code;
    embedding_forward(SB, E, batch->ids, model->embedding_weight, pass->x);
    dropout_forward(SB * E, training->dropout_input, rng, pass->x, pass->x_mask);
    pass->sequence = (struct recurrent_sequence){.steps = batch->steps,
                                                 .batch = B,
                                                 .lengths = batch->lengths,
                                                 .x = pass->x,
                                                 .dropout_layer = training->dropout_layer,
                                                 .dropout_state = training->dropout_state};
    code = recurrent_forward(&model->encoder, &pass->sequence, rng, &pass->encoder, arena, err);
    if (code < 0)
        return code;
    pass->states = pass->encoder.output;
    pool_forward(model, batch, pass);
    dropout_forward(B * D, training->dropout_output, rng, pass->pool, pass->pool_mask);
    const struct linear output = output_layer(model);
    linear_forward(B, L, D, mat_of(pass->pool, D), &output, 0, mat_of(logits, L));
    return 0;
}

/* The reverse order of rnn_forward. */
static int rnn_backward(const struct classifier *model, const struct classifier *g,
                        const struct classifier_batch *batch,
                        const struct classifier_training *training, const struct pass *pass,
                        const real *d_logits, struct arena *arena, struct err *err)
{
    const size_t B = batch->batch, SB = batch->steps * B;
    const size_t E = model->embedding, D = model->pool, L = model->labels;
    real *d_x = reals(arena, SB * E, err), *d_states = reals(arena, SB * D, err);
    real *d_pool = reals(arena, B * D, err);
    if (d_x == NULL || d_states == NULL || d_pool == NULL)
        return ERR_MEMORY;
    const struct linear output = output_layer(model), g_output = output_layer(g);
    linear_backward(B, L, D, mat_of(pass->pool, D), &output, &g_output, mat_of(d_logits, L), 0,
                    mat_of(d_pool, D));
    dropout_backward(B * D, training->dropout_output, pass->pool_mask, d_pool);
    pool_backward(model, batch, pass, d_pool, d_states);
    int code = recurrent_backward(&model->encoder, &g->encoder, &pass->sequence, &pass->encoder,
                                  d_states, NULL, d_x, 0, NULL, arena, err);
    if (code < 0)
        return code;
    dropout_backward(SB * E, training->dropout_input, pass->x_mask, d_x);
    embedding_backward(SB, E, batch->ids, d_x, g->embedding_weight);
    return 0;
}

static int forward(const struct classifier *model, const struct classifier_batch *batch,
                   const struct classifier_training *training, struct rng *rng, struct pass *pass,
                   real *logits, struct arena *arena, struct err *err)
{
    if (model->kind == SPEC_RNN_CLASSIFIER)
        return rnn_forward(model, batch, training, rng, pass, logits, arena, err);
    return bag_forward(model, batch, training, rng, pass, logits, arena, err);
}

int classifier_forward(const struct classifier *model, const struct classifier_batch *batch,
                       const struct classifier_training *training, struct rng *rng, real *logits,
                       struct arena *arena, struct err *err)
{
    struct pass pass = {0};
    return forward(model, batch, training, rng, &pass, logits, arena, err);
}

int classifier_learn(const struct classifier *model, const struct classifier *gradients,
                     const struct classifier_batch *batch,
                     const struct classifier_training *training, struct rng *rng,
                     struct classifier_sums *sums, struct arena *arena, struct err *err)
{
    struct pass pass = {0};
    double negative_log;
    real *logits = reals(arena, batch->batch * model->labels, err);
    if (logits == NULL)
        return ERR_MEMORY;
    int code = forward(model, batch, training, rng, &pass, logits, arena, err);
    if (code < 0)
        return code;
    sums->loss +=
        cross_entropy(batch->batch, model->labels, batch->labels, (real)training->label_smoothing,
                      (real)training->scale, logits, &negative_log);
    sums->negative_log += negative_log;
    /* logits now hold their own gradient */
    if (model->kind == SPEC_RNN_CLASSIFIER)
        return rnn_backward(model, gradients, batch, training, &pass, logits, arena, err);
    bag_backward(model, gradients, batch, &pass, logits);
    return 0;
}
