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
    real *values; /* of all features of the batch */
};

static real *reals(struct arena *arena, size_t count, struct err *err)
{
    return arena_alloc(arena, count, sizeof(real), err);
}

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

int classifier_forward(const struct classifier *model, const struct classifier_batch *batch,
                       const struct classifier_training *training, struct rng *rng, real *logits,
                       struct arena *arena, struct err *err)
{
    struct pass pass = {0};
    return bag_forward(model, batch, training, rng, &pass, logits, arena, err);
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
    int code = bag_forward(model, batch, training, rng, &pass, logits, arena, err);
    if (code < 0)
        return code;
    sums->loss +=
        cross_entropy(batch->batch, model->labels, batch->labels, (real)training->label_smoothing,
                      (real)training->scale, logits, &negative_log);
    sums->negative_log += negative_log;
    /* logits now hold their own gradient */
    bag_backward(model, gradients, batch, &pass, logits);
    return 0;
}
