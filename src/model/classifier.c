/* The classification networks as objects: sizes, parameter table, first weights, opening, and the
   answer to one text. */
#include "model/classifier.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "nn/init.h"
#include "nn/mat.h"
#include "nn/softmax.h"
#include "text/ngram.h"

void classifier_size(struct classifier *model, const struct spec *spec)
{
    *model = (struct classifier){
        .kind = spec->kind,
        .vocabulary = spec->vocabulary,
        .labels = spec->label_count,
        .ngrams = spec->ngrams,
        .buckets = spec->buckets,
        .embedding = spec->embedding,
        .pooling = spec->pooling,
    };
    if (model->kind != SPEC_RNN_CLASSIFIER)
        return;
    const struct spec_recurrent *net = &spec->encoder;
    recurrent_size(&model->encoder, net->cell, net->norm, model->embedding, net->hidden,
                   net->layers, net->bidirectional ? 2 : 1, net->residual);
    model->pool = recurrent_width(&model->encoder);
}

size_t classifier_parameters(struct classifier *model,
                             struct parameter list[CLASSIFIER_MAX_PARAMETERS])
{
    const size_t V = model->vocabulary, L = model->labels;
    struct parameter_list all = {.list = list};
    if (model->kind == SPEC_RNN_CLASSIFIER) {
        parameters_add(&all, "embedding.", "weight", "", V, model->embedding,
                       &model->embedding_weight);
        parameters_add_stack(&all, "encoder.", &model->encoder);
        parameters_add(&all, "output.", "weight", "", L, model->pool, &model->output_weight);
        parameters_add(&all, "output.", "bias", "", L, 0, &model->output_bias);
    } else {
        parameters_add(&all, "", "weight", "", V + model->buckets, L, &model->output_weight);
        parameters_add(&all, "", "bias", "", L, 0, &model->output_bias);
    }
    return all.count;
}

/* The bag of words starts from zero: its loss is convex. */
void classifier_init(struct classifier *model, const struct cell_init_settings *settings,
                     struct rng *rng)
{
    const size_t V = model->vocabulary, E = model->embedding, L = model->labels;
    memset(model->output_bias, 0, L * sizeof(real));
    if (model->kind == SPEC_BAG_OF_WORDS) {
        memset(model->output_weight, 0, (V + model->buckets) * L * sizeof(real));
        return;
    }
    init_normal(V * E, 1 / sqrt((double)E), rng, model->embedding_weight);
    recurrent_init(&model->encoder, settings, rng);
    init_glorot(L, model->pool, rng, model->output_weight);
}

int classifier_open(struct classifier **model, const struct spec *spec,
                    const struct safetensors *file, struct err *err)
{
    struct classifier *opened = mem_alloc(1, sizeof *opened, err);
    struct parameter *list = mem_alloc(CLASSIFIER_MAX_PARAMETERS, sizeof *list, err);
    int code = ERR_MEMORY;
    if (opened == NULL || list == NULL)
        goto failed;
    classifier_size(opened, spec);
    code = parameters_open(list, classifier_parameters(opened, list), file, err);
    if (code < 0)
        goto failed;
    mem_free(list);
    *model = opened;
    return 0;
failed:
    mem_free(list);
    mem_free(opened);
    return code;
}

void classifier_free(struct classifier *model)
{
    mem_free(model);
}

size_t classifier_feature_limit(const struct classifier *model, size_t count)
{
    return ngram_limit(count, model->ngrams, model->buckets);
}

void classifier_features(const struct classifier *model, const int32_t *ids, size_t count,
                         uint32_t *features, size_t *feature_count)
{
    ngram_features(ids, count, model->vocabulary, model->ngrams, model->buckets, features,
                   feature_count);
}

void classifier_values(size_t count, real *values)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (real)(1 / sqrt((double)count));
}

void classifier_bag_logits(const struct classifier *model, size_t count, const uint32_t *features,
                           const real *values, real *logits)
{
    const size_t L = model->labels;
    memcpy(logits, model->output_bias, L * sizeof(real));
    for (size_t i = 0; i < count; i++)
        mat_add_scaled(L, values[i], model->output_weight + features[i] * L, logits);
}

static int bag_predict(const struct classifier *model, const int32_t *ids, size_t count,
                       real *logits, struct err *err)
{
    int code = ERR_MEMORY;
    size_t limit = classifier_feature_limit(model, count), found = 0;
    uint32_t *features = mem_alloc(limit, sizeof *features, err);
    real *values = mem_alloc(limit, sizeof *values, err);
    if (features == NULL || values == NULL)
        goto out;
    classifier_features(model, ids, count, features, &found);
    classifier_values(found, values);
    classifier_bag_logits(model, found, features, values, logits);
    code = 0;
out:
    mem_free(values);
    mem_free(features);
    return code;
}

/* The pool [D] of the encoder's states, [count] rows `stride` apart. */
static void pool_states(const struct classifier *model, size_t count, const real *states,
                        size_t stride, real *pool)
{
    const size_t D = model->pool, half = D / model->encoder.directions;
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

static int rnn_predict(const struct classifier *model, const int32_t *ids, size_t count,
                       real *logits, struct err *err)
{
    const size_t E = model->embedding, D = model->pool;
    const size_t x_stride = cell_stride(E), stride = cell_stride(D);
    int code = ERR_MEMORY;
    real *x = mem_alloc(count, x_stride * sizeof *x, err);
    real *states = mem_alloc(count, stride * sizeof *states, err);
    real *last = mem_alloc(recurrent_state(&model->encoder), sizeof *last, err);
    real *pool = mem_alloc(stride, sizeof *pool, err);
    real *scratch = mem_alloc(recurrent_scratch(&model->encoder, count), sizeof *scratch, err);
    if (x == NULL || states == NULL || last == NULL || pool == NULL || scratch == NULL)
        goto out;
    for (size_t i = 0; i < count; i++)
        memcpy(x + i * x_stride, model->embedding_weight + (size_t)ids[i] * E, E * sizeof *x);
    if (count > 0) {
        recurrent_encode(&model->encoder, count, x, states, last, scratch);
        pool_states(model, count, states, stride, pool);
    }
    mat_rows(1, model->labels, D, pool, stride, model->output_weight, D, model->output_bias, logits,
             model->labels);
    code = 0;
out:
    mem_free(scratch);
    mem_free(pool);
    mem_free(last);
    mem_free(states);
    mem_free(x);
    return code;
}

/* Weights are finite, but their sums need not be. */
static int write_probabilities(size_t labels, real *logits, float *probabilities, struct err *err)
{
    for (size_t i = 0; i < labels; i++)
        if (!isfinite(logits[i]))
            return err_set(err, ERR_FORMAT, "the model's weights overflow on this text");
    softmax_row(labels, logits);
    for (size_t i = 0; i < labels; i++)
        probabilities[i] = (float)logits[i];
    return 0;
}

int classifier_predict(const struct classifier *model, const int32_t *ids, size_t count,
                       float *probabilities, struct err *err)
{
    real *logits = mem_alloc(model->labels, sizeof *logits, err);
    if (logits == NULL)
        return ERR_MEMORY;
    int code = model->kind == SPEC_RNN_CLASSIFIER ? rnn_predict(model, ids, count, logits, err)
                                                  : bag_predict(model, ids, count, logits, err);
    if (code == 0)
        code = write_probabilities(model->labels, logits, probabilities, err);
    mem_free(logits);
    return code;
}
