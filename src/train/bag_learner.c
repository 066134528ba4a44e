#include "train/bag_learner.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "nn/init.h"
#include "nn/loss.h"

#define AHEAD 4                 /* rows that are fetched before they are needed */
#define EPSILON ((real)1e-6)    /* added to the sum of squares */
#define FIRST_DEVIATION 0.1     /* of the weights below a hidden layer */
#define STREAM_INIT UINT64_C(1) /* random streams: with epoch and text below */
#define STREAM_ORDER (UINT64_C(1) << 62)
#define STREAM_DROPOUT (UINT64_C(1) << 63)

struct bag_learner {
    struct bag_learning learning;
    struct bag *bag, squares,
        gradients; /* squares of all gradients so far; V's and b's gradients */
    const struct bag_texts *texts;
    const int32_t *labels;
    const real *ratios;
    real *decay; /* [F]: penalty by texts that have the feature; NULL: none */
    real *flat, *flat_gradients;
    struct pool *pool;
    uint32_t *order; /* [texts] */
    size_t epoch;
    /* of the batch */
    size_t begin, count;
    real rate;
    struct bag_input *inputs; /* [batch] */
    real *values;             /* [batch, longest], with dropout */
    real *hidden, *d_logits, *d_sums;
    double *losses;
};

static real *reals(size_t count, size_t size, struct err *err)
{
    return mem_alloc(count, size * sizeof(real), err);
}

/* The squares have the shape of the bag, the gradients that of its layers above the features. */
static int bind(struct bag_learner *learner, struct err *err)
{
    struct parameter list[BAG_MAX_PARAMETERS];
    const struct bag *bag = learner->bag;
    const size_t H = bag->hidden, L = bag->labels;
    learner->squares = learner->gradients = *bag;
    const size_t count = bag_parameters(&learner->squares, list);
    learner->flat = reals(parameters_total(list, count), 1, err);
    learner->flat_gradients = reals(L * H + L, 1, err);
    if (learner->flat == NULL || learner->flat_gradients == NULL)
        return ERR_MEMORY;
    parameters_bind(list, count, learner->flat);
    learner->gradients.output_weight = learner->flat_gradients;
    learner->gradients.output_bias = learner->flat_gradients + L * H;
    return 0;
}

static int allocate_batch(struct bag_learner *learner, struct err *err)
{
    const size_t batch = learner->learning.batch, longest = learner->texts->longest;
    const struct bag *bag = learner->bag;
    learner->order = mem_alloc(learner->texts->count, sizeof *learner->order, err);
    learner->inputs = mem_alloc(batch, sizeof *learner->inputs, err);
    learner->losses = mem_alloc(batch, sizeof *learner->losses, err);
    learner->hidden = reals(batch, bag->hidden, err);
    learner->d_logits = reals(batch, bag->labels, err);
    learner->d_sums = reals(batch, bag->width, err);
    learner->values = reals(batch, learner->learning.dropout > 0 ? longest : 0, err);
    return learner->order == NULL || learner->inputs == NULL || learner->losses == NULL ||
                   learner->hidden == NULL || learner->d_logits == NULL ||
                   learner->d_sums == NULL || learner->values == NULL
               ? ERR_MEMORY
               : 0;
}

static int make_decay(struct bag_learner *learner, struct err *err)
{
    const struct bag_texts *texts = learner->texts;
    const double penalty = learner->learning.penalty * (double)texts->count;
    if (penalty <= 0)
        return 0;
    learner->decay = reals(learner->bag->rows, 1, err);
    if (learner->decay == NULL)
        return ERR_MEMORY;
    for (size_t at = 0; at < texts->begins[texts->count]; at++)
        learner->decay[texts->rows[at]] += 1;
    for (size_t f = 0; f < learner->bag->rows; f++)
        if (learner->decay[f] > 0)
            learner->decay[f] = (real)(penalty / (double)learner->decay[f]);
    return 0;
}

int bag_learner_new(struct bag_learner **learner, const struct bag_learning *learning,
                    struct bag *bag, const struct bag_texts *texts, const int32_t *labels,
                    const real *ratios, struct pool *pool, struct err *err)
{
    struct bag_learner *made = mem_alloc(1, sizeof *made, err);
    int code;
    if (made == NULL)
        return ERR_MEMORY;
    made->learning = *learning;
    made->bag = bag;
    made->texts = texts;
    made->labels = labels;
    made->ratios = ratios;
    made->pool = pool;
    if ((code = bind(made, err)) < 0 || (code = allocate_batch(made, err)) < 0 ||
        (code = make_decay(made, err)) < 0) {
        bag_learner_free(made);
        return code;
    }
    bag_learner_init(made);
    *learner = made;
    return 0;
}

void bag_learner_free(struct bag_learner *learner)
{
    if (learner == NULL)
        return;
    mem_free(learner->values);
    mem_free(learner->d_sums);
    mem_free(learner->d_logits);
    mem_free(learner->hidden);
    mem_free(learner->losses);
    mem_free(learner->inputs);
    mem_free(learner->order);
    mem_free(learner->decay);
    mem_free(learner->flat_gradients);
    mem_free(learner->flat);
    mem_free(learner);
}

void bag_learner_init(struct bag_learner *learner)
{
    const struct bag *bag = learner->bag;
    struct rng rng;
    memset(bag->weight, 0, bag->rows * bag->width * sizeof *bag->weight);
    memset(bag->bias, 0, bag->width * sizeof *bag->bias);
    if (bag->hidden == 0)
        return;
    rng_seed(&rng, learner->learning.seed, STREAM_INIT);
    init_normal(bag->rows * bag->width, FIRST_DEVIATION, &rng, bag->weight);
    init_glorot(bag->labels, bag->hidden, &rng, bag->output_weight);
    memset(bag->output_bias, 0, bag->labels * sizeof *bag->output_bias);
}

void bag_learner_shuffle(struct bag_learner *learner, size_t epoch)
{
    struct rng rng;
    uint32_t *order = learner->order;
    learner->epoch = epoch;
    rng_seed(&rng, learner->learning.seed, STREAM_ORDER | epoch);
    for (size_t i = 0; i < learner->texts->count; i++) {
        const size_t j = (size_t)rng_below(&rng, i + 1);
        order[i] = order[j];
        order[j] = (uint32_t)i;
    }
}

/*
 * First step: the texts of the batch
 */

/* Leaves out features at random; the others stand for them too. */
static void drop_features(struct bag_learner *learner, size_t b, uint32_t text)
{
    const double dropout = learner->learning.dropout;
    const real scale = (real)(1 / (1 - dropout));
    struct bag_input *input = &learner->inputs[b];
    real *values = learner->values + b * learner->texts->longest;
    struct rng rng;
    rng_seed(&rng, learner->learning.seed, STREAM_DROPOUT | (uint64_t)learner->epoch << 32 | text);
    for (size_t i = 0; i < input->count; i++)
        values[i] = rng_uniform(&rng) < dropout ? 0 : scale * input->values[i];
    input->values = values;
}

static void run_texts(void *context, int index)
{
    struct bag_learner *learner = context;
    const struct bag *bag = learner->bag;
    const size_t threads = (size_t)pool_threads(learner->pool), L = bag->labels;
    const size_t end = learner->count * ((size_t)index + 1) / threads;
    for (size_t b = learner->count * (size_t)index / threads; b < end; b++) {
        const uint32_t text = learner->order[learner->begin + b];
        real *hidden = learner->hidden + b * bag->hidden, *logits = learner->d_logits + b * L;
        double unused;
        learner->inputs[b] = bag_texts_input(learner->texts, text);
        if (learner->learning.dropout > 0)
            drop_features(learner, b, text);
        bag_forward(bag, &learner->inputs[b], hidden, logits);
        learner->losses[b] = cross_entropy(1, L, &learner->labels[text], 0, 1, logits, &unused);
        bag_backward_sum(bag, hidden, logits, learner->d_sums + b * bag->width);
    }
}

/*
 * Second step: the rows
 */

/* A weight's own step for the gradient g. */
static inline real adagrad(real rate, real g, real *square)
{
    *square += g * g;
    return rate / sqrtf((float)(*square + EPSILON));
}

/* W_f of one text: its gradient is v d_sum, that by w with ratios r v d_sum. `width` is given once
   more so that it may be a constant. */
static inline void move_row(const struct bag_learner *learner, size_t f, real value,
                            const real *d_sum, size_t width)
{
    real *weight = learner->bag->weight + f * width;
    real *square = learner->squares.weight + f * width;
    const real *ratio = learner->ratios == NULL ? NULL : learner->ratios + f * width;
    const real decay = learner->decay == NULL ? 0 : learner->decay[f];
    for (size_t j = 0; j < width; j++) {
        const real scale = ratio == NULL ? 1 : ratio[j], g = scale * value * d_sum[j];
        const real step = adagrad(learner->rate, g, &square[j]);
        weight[j] = (weight[j] - step * scale * g) / (1 + step * decay);
    }
}

static inline void move_rows(const struct bag_learner *learner, size_t begin, size_t end,
                             size_t width)
{
    const bool all = begin == 0 && end == learner->bag->rows;
    for (size_t b = 0; b < learner->count; b++) {
        const struct bag_input *input = &learner->inputs[b];
        const real *d_sum = learner->d_sums + b * width;
        for (size_t i = 0; i < input->count; i++) {
            const size_t f = input->rows[i];
            if (i + AHEAD < input->count) {
                const size_t next = input->rows[i + AHEAD];
                __builtin_prefetch(learner->squares.weight + next * width);
                if (learner->ratios != NULL)
                    __builtin_prefetch(learner->ratios + next * width);
            }
            if ((all || (f >= begin && f < end)) && input->values[i] != 0)
                move_row(learner, f, input->values[i], d_sum, width);
        }
    }
}

static void move_vector(real rate, size_t count, const real *gradient, real *square, real *weight)
{
    for (size_t i = 0; i < count; i++)
        weight[i] -= adagrad(rate, gradient[i], &square[i]) * gradient[i];
}

/* What all texts share: the biases, and the layer above a hidden one. */
static void move_layers(struct bag_learner *learner)
{
    const struct bag *bag = learner->bag;
    const struct bag *squares = &learner->squares, *gradients = &learner->gradients;
    const size_t H = bag->hidden, L = bag->labels;
    for (size_t b = 0; b < learner->count; b++)
        move_vector(learner->rate, bag->width, learner->d_sums + b * bag->width, squares->bias,
                    bag->bias);
    if (H == 0)
        return;
    memset(learner->flat_gradients, 0, (L * H + L) * sizeof *learner->flat_gradients);
    for (size_t b = 0; b < learner->count; b++)
        bag_backward_output(bag, learner->hidden + b * H, learner->d_logits + b * L, gradients);
    move_vector(learner->rate, L * H, gradients->output_weight, squares->output_weight,
                bag->output_weight);
    move_vector(learner->rate, L, gradients->output_bias, squares->output_bias, bag->output_bias);
}

static void run_rows(void *context, int index)
{
    struct bag_learner *learner = context;
    const size_t threads = (size_t)pool_threads(learner->pool), rows = learner->bag->rows;
    const size_t begin = rows * (size_t)index / threads;
    const size_t end = rows * ((size_t)index + 1) / threads;
    if (learner->bag->width == 2) /* the usual case, worth a loop of its own */
        move_rows(learner, begin, end, 2);
    else
        move_rows(learner, begin, end, learner->bag->width);
    if (index == 0)
        move_layers(learner);
}

double bag_learner_rate(const struct bag_learner *learner, double progress)
{
    return learner->learning.rate * (1 - progress);
}

size_t bag_learner_step(struct bag_learner *learner, size_t begin, double progress, double *loss)
{
    const size_t left = learner->texts->count - begin;
    learner->begin = begin;
    learner->count = left < learner->learning.batch ? left : learner->learning.batch;
    learner->rate = (real)bag_learner_rate(learner, progress);
    pool_run(learner->pool, run_texts, learner);
    pool_run(learner->pool, run_rows, learner);
    *loss = 0;
    for (size_t b = 0; b < learner->count; b++)
        *loss += learner->losses[b];
    return learner->count;
}

void bag_interpolate(const struct bag *bag, const real *ratios, double beta, real *weight)
{
    const size_t F = bag->rows, L = bag->width;
    if (ratios == NULL || beta >= 1) {
        memcpy(weight, bag->weight, F * L * sizeof *weight);
        return;
    }
    for (size_t l = 0; l < L; l++) {
        double sum = 0;
        for (size_t at = l; at < F * L; at += L) /* W = r w */
            sum += ratios[at] == 0 ? 0 : fabs((double)bag->weight[at] / (double)ratios[at]);
        const double mean = sum / (double)F;
        for (size_t at = l; at < F * L; at += L)
            weight[at] =
                (real)(beta * (double)bag->weight[at] + (1 - beta) * mean * (double)ratios[at]);
    }
}
