/*
 * The classification networks as objects: sizes, parameter table, first weights, opening, and the
 * answer to one text. A text is read in chunks of tokens, whose input products are computed
 * together; the state then steps through them, so memory does not grow with the text.
 */
#include "model/classifier.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "nn/init.h"
#include "nn/mat.h"
#include "nn/softmax.h"
#include "text/ngram.h"

#define CHUNK 64 /* tokens */

void classifier_size(struct classifier *model, const struct spec *spec)
{
    *model = (struct classifier){
        .kind = spec->kind,
        .vocabulary = spec->vocabulary,
        .labels = spec->label_count,
        .ngrams = spec->ngrams,
        .buckets = spec->buckets,
        .embedding = spec->embedding,
        .hidden = spec->encoder_hidden,
        .directions = spec->bidirectional ? 2 : 1,
        .pooling = spec->pooling,
    };
    model->pool = model->hidden * model->directions;
}

static size_t rnn_parameters(const struct classifier *model, struct classifier_weights *weights,
                             struct parameter *list)
{
    static const char *const names[2][4] = {
        {"encoder.weight_ih_l0", "encoder.weight_hh_l0", "encoder.bias_ih_l0",
         "encoder.bias_hh_l0"},
        {"encoder.weight_ih_l0_reverse", "encoder.weight_hh_l0_reverse",
         "encoder.bias_ih_l0_reverse", "encoder.bias_hh_l0_reverse"},
    };
    const size_t V = model->vocabulary, E = model->embedding, H = model->hidden;
    size_t n = 0;
    list[n++] = (struct parameter){"embedding.weight", V, E, &weights->embedding};
    for (size_t d = 0; d < model->directions; d++) {
        struct gru_weights *gru = &weights->encoder[d];
        list[n++] = (struct parameter){names[d][0], 3 * H, E, &gru->weight_ih};
        list[n++] = (struct parameter){names[d][1], 3 * H, H, &gru->weight_hh};
        list[n++] = (struct parameter){names[d][2], 3 * H, 0, &gru->bias_ih};
        list[n++] = (struct parameter){names[d][3], 3 * H, 0, &gru->bias_hh};
    }
    list[n++] =
        (struct parameter){"output.weight", model->labels, model->pool, &weights->output_weight};
    list[n++] = (struct parameter){"output.bias", model->labels, 0, &weights->output_bias};
    return n;
}

size_t classifier_parameters(const struct classifier *model, struct classifier_weights *weights,
                             struct parameter list[CLASSIFIER_MAX_PARAMETERS])
{
    if (model->kind == SPEC_RNN_CLASSIFIER)
        return rnn_parameters(model, weights, list);
    list[0] = (struct parameter){"weight", model->vocabulary + model->buckets, model->labels,
                                 &weights->output_weight};
    list[1] = (struct parameter){"bias", model->labels, 0, &weights->output_bias};
    return 2;
}

/* The bag of words starts from zero: its loss is convex. */
void classifier_init(struct classifier *model, struct rng *rng)
{
    const struct classifier_weights *w = &model->weights;
    const size_t E = model->embedding, H = model->hidden;
    const double bound = 1 / sqrt((double)(H > 0 ? H : 1));
    memset(w->output_bias, 0, model->labels * sizeof(real));
    if (model->kind == SPEC_BAG_OF_WORDS) {
        memset(w->output_weight, 0,
               (model->vocabulary + model->buckets) * model->labels * sizeof(real));
        return;
    }
    init_normal(model->vocabulary * E, 1 / sqrt((double)E), rng, w->embedding);
    for (size_t d = 0; d < model->directions; d++) {
        init_uniform(3 * H * E, bound, rng, w->encoder[d].weight_ih);
        init_uniform(3 * H * H, bound, rng, w->encoder[d].weight_hh);
        init_uniform(3 * H, bound, rng, w->encoder[d].bias_ih);
        init_uniform(3 * H, bound, rng, w->encoder[d].bias_hh);
    }
    init_glorot(model->labels, model->pool, rng, w->output_weight);
}

int classifier_open(struct classifier **model, const struct spec *spec,
                    const struct safetensors *file, struct err *err)
{
    struct parameter list[CLASSIFIER_MAX_PARAMETERS];
    struct classifier *opened = mem_alloc(1, sizeof *opened, err);
    if (opened == NULL)
        return ERR_MEMORY;
    classifier_size(opened, spec);
    const size_t count = classifier_parameters(opened, &opened->weights, list);
    const int code = parameters_open(list, count, file, err);
    if (code < 0) {
        mem_free(opened);
        return code;
    }
    *model = opened;
    return 0;
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
    memcpy(logits, model->weights.output_bias, L * sizeof(real));
    for (size_t i = 0; i < count; i++)
        mat_add_scaled(L, values[i], model->weights.output_weight + features[i] * L, logits);
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

struct rnn_work {
    real *x;         /* [CHUNK, E] */
    real *gates;     /* [CHUNK, 3H] */
    real *recurrent; /* [3H] */
    real *h;         /* [H] */
    real *pool;      /* [D] */
};

static void pool_state(enum spec_pooling pooling, size_t hidden, bool first, const real *h,
                       real *pool)
{
    if (first || pooling == SPEC_POOL_LAST)
        memcpy(pool, h, hidden * sizeof(real));
    else if (pooling == SPEC_POOL_MEAN)
        for (size_t i = 0; i < hidden; i++)
            pool[i] += h[i];
    else
        for (size_t i = 0; i < hidden; i++)
            pool[i] = h[i] > pool[i] ? h[i] : pool[i];
}

/* One direction over the whole text; pool [H] receives its part. */
static void rnn_direction(const struct classifier *model, size_t direction, const int32_t *ids,
                          size_t count, const struct rnn_work *work, real *pool)
{
    const struct gru_weights *w = &model->weights.encoder[direction];
    const size_t E = model->embedding, H = model->hidden;
    memset(work->h, 0, H * sizeof(real));
    for (size_t begin = 0; begin < count; begin += CHUNK) {
        const size_t rows = count - begin < CHUNK ? count - begin : CHUNK;
        for (size_t i = 0; i < rows; i++) {
            const size_t at = direction == 0 ? begin + i : count - 1 - begin - i;
            memcpy(work->x + i * E, model->weights.embedding + (size_t)ids[at] * E,
                   E * sizeof(real));
        }
        mat_rows(rows, 3 * H, E, work->x, E, w->weight_ih, E, w->bias_ih, work->gates, 3 * H);
        for (size_t i = 0; i < rows; i++) {
            mat_rows(1, 3 * H, H, work->h, H, w->weight_hh, H, w->bias_hh, work->recurrent, 3 * H);
            gru_step(1, H, work->gates + i * 3 * H, work->recurrent, work->h);
            pool_state(model->pooling, H, begin + i == 0, work->h, pool);
        }
    }
    if (model->pooling == SPEC_POOL_MEAN && count > 0)
        for (size_t i = 0; i < H; i++)
            pool[i] /= (real)count;
}

static int rnn_predict(const struct classifier *model, const int32_t *ids, size_t count,
                       real *logits, struct err *err)
{
    const size_t E = model->embedding, H = model->hidden, D = model->pool;
    const size_t total = CHUNK * E + CHUNK * 3 * H + 3 * H + H + D;
    real *memory = mem_alloc(total, sizeof *memory, err);
    if (memory == NULL)
        return ERR_MEMORY;
    struct rnn_work work = {.x = memory};
    work.gates = work.x + CHUNK * E;
    work.recurrent = work.gates + CHUNK * 3 * H;
    work.h = work.recurrent + 3 * H;
    work.pool = work.h + H;
    for (size_t d = 0; d < model->directions; d++)
        rnn_direction(model, d, ids, count, &work, work.pool + d * H);
    mat_rows(1, model->labels, D, work.pool, D, model->weights.output_weight, D,
             model->weights.output_bias, logits, model->labels);
    mem_free(memory);
    return 0;
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
