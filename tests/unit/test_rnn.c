/*
 * The network in use: what inference computes is what training computes, for every head, pooling,
 * condition and length, in one go and token by token; weights that overflow are an error, not an
 * answer.
 */
#include "unit.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "model/rnn.h"
#include "nn/init.h"

#define VOCABULARY 30
#define LABELS 3
#define LONGEST 200
#define ROW 3
#define FEATURE 4

struct network {
    struct rnn model;
    real *flat;
};

static const float feature[FEATURE] = {0.5f, -1, 0.25f, 2};

static void network_make(struct network *network, struct spec spec, double deviation)
{
    struct parameter list[RNN_MAX_PARAMETERS];
    struct rng rng;
    spec.kind = SPEC_RNN;
    spec.vocabulary = VOCABULARY;
    spec.embedding = 7;
    spec.encoder.hidden = 5;
    spec.encoder.layers = spec.encoder.layers ? spec.encoder.layers : 1;
    spec.feature = spec.condition == SPEC_CONDITION_NONE ? 0 : FEATURE;
    rnn_size(&network->model, &spec);
    const size_t count = rnn_parameters(&network->model, list);
    const size_t total = parameters_total(list, count);
    network->flat = mem_alloc(total, sizeof(real), NULL);
    assert_non_null(network->flat);
    parameters_bind(list, count, network->flat);
    rng_seed(&rng, 11, 0);
    init_normal(total, deviation, &rng, network->flat);
}

static struct spec classification(enum spec_pooling pooling, bool bidirectional, size_t layers)
{
    return (struct spec){
        .task = SPEC_CLASSIFICATION,
        .label_count = LABELS,
        .encoder = {.cell = CELL_GRU, .layers = layers, .bidirectional = bidirectional},
        .pooling = pooling};
}

static void fill(int32_t *ids, float *rows, size_t count, uint64_t seed)
{
    struct rng rng;
    rng_seed(&rng, seed, 1);
    for (size_t i = 0; i < count; i++)
        ids[i] = (int32_t)rng_below(&rng, VOCABULARY);
    for (size_t i = 0; i < count * ROW; i++)
        rows[i] = (float)rng_normal(&rng);
}

/* The training code's outputs for one text, without dropout. */
static void reference(const struct network *network, const struct rnn_input *input, real *outputs)
{
    const struct rnn_training training = {.scale = 1};
    const int32_t length = (int32_t)input->count, pad = 0, label = input->label;
    const real value = 0, no_row[ROW] = {0};
    int32_t targets[LONGEST + 1] = {0};
    struct rnn_sums sums = {0};
    struct arena arena;
    struct rng rng;
    struct err err = ERR_INIT;
    const struct rnn_batch batch = {.batch = 1,
                                    .steps = input->count > 0 ? input->count : 1,
                                    .lengths = &length,
                                    .ids = input->count > 0 ? input->ids : &pad,
                                    .rows = input->count > 0 ? input->rows : no_row,
                                    .labels = &label,
                                    .features = input->feature,
                                    .targets = targets,
                                    .values = &value};
    arena_init(&arena, 1 << 20);
    rng_seed(&rng, 1, 0);
    assert_fine(rnn_forward(&network->model, &batch, &training, &rng, outputs, &sums, &arena, &err),
                err);
    arena_release(&arena);
}

static void assert_close(size_t count, const float *found, const real *expected)
{
    for (size_t i = 0; i < count; i++)
        assert_true(fabsf(found[i] - expected[i]) < 5e-5f);
}

static void compare(struct spec spec)
{
    static const size_t counts[] = {0, 1, 2, 3, 63, 64, 65, 128, LONGEST};
    static float found[LONGEST * VOCABULARY], rows[LONGEST * ROW];
    static real expected[LONGEST * VOCABULARY];
    struct network network;
    int32_t ids[LONGEST];
    network_make(&network, spec, 0.6);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        const bool pooled = rnn_is_pooled(&network.model);
        const struct rnn_input input = {
            .count = counts[i], .ids = ids, .rows = rows, .label = 1, .feature = feature};
        struct err err = ERR_INIT;
        fill(ids, rows, counts[i], i);
        assert_fine((pooled ? rnn_pooled : rnn_in_step)(&network.model, &input, found, NULL, &err),
                    err);
        reference(&network, &input, expected);
        assert_close(network.model.outputs * (pooled ? 1 : counts[i]), found, expected);
    }
    mem_free(network.flat);
}

static void pooled_answers_agree_with_training(void **state)
{
    (void)state;
    for (int pooling = SPEC_POOL_LAST; pooling <= SPEC_POOL_ATTENTION; pooling++) {
        compare(classification((enum spec_pooling)pooling, false, 1));
        compare(classification((enum spec_pooling)pooling, true, 1));
        compare(classification((enum spec_pooling)pooling, true, 2));
    }
    compare((struct spec){.task = SPEC_REGRESSION,
                          .row = ROW,
                          .encoder = {.cell = CELL_LSTM, .bidirectional = true},
                          .pooling = SPEC_POOL_MAX});
}

static void answers_in_step_agree_with_training(void **state)
{
    (void)state;
    compare((struct spec){.task = SPEC_TAGGING,
                          .label_count = LABELS,
                          .encoder = {.cell = CELL_LSTM, .bidirectional = true, .layers = 2}});
    for (int condition = SPEC_CONDITION_NONE; condition <= SPEC_CONDITION_EVERY; condition++)
        for (size_t labels = 0; labels < (condition == SPEC_CONDITION_NONE ? 1 : 2); labels++)
            compare((struct spec){.task = SPEC_GENERATION,
                                  .label_count = labels * LABELS,
                                  .encoder = {.cell = CELL_LSTM, .layers = 2},
                                  .condition = (enum spec_condition)condition});
}

/* Token by token gives the very bytes that all at once gives. */
static void a_walk_is_the_same_text(void **state)
{
    (void)state;
    static float whole[LONGEST * VOCABULARY], rows[LONGEST * ROW];
    for (int condition = SPEC_CONDITION_NONE; condition <= SPEC_CONDITION_EVERY; condition++) {
        struct network network;
        struct rnn_walk *walk;
        struct err err = ERR_INIT;
        int32_t ids[LONGEST];
        network_make(&network,
                     (struct spec){.task = SPEC_GENERATION,
                                   .encoder = {.cell = CELL_LSTM, .layers = 2},
                                   .condition = (enum spec_condition)condition},
                     0.6);
        fill(ids, rows, LONGEST, 5);
        const struct rnn_input input = {.count = LONGEST, .ids = ids, .feature = feature};
        assert_fine(rnn_in_step(&network.model, &input, whole, NULL, &err), err);
        assert_fine(rnn_walk_new(&walk, &network.model, &input, &err), err);
        for (size_t t = 0; t < LONGEST; t++) {
            const float *outputs;
            assert_fine(rnn_walk_step(walk, ids[t], &outputs, &err), err);
            assert_memory_equal(outputs, whole + t * VOCABULARY, VOCABULARY * sizeof *outputs);
        }
        rnn_walk_free(walk);
        mem_free(network.flat);
    }
}

/* Both directions read the same text: with the same weights a palindrome gives the same states. */
static void directions_mirror_each_other(void **state)
{
    (void)state;
    static float rows[70 * ROW];
    struct network network;
    struct err err = ERR_INIT;
    float once[LABELS], turned[LABELS];
    int32_t ids[70], back[70];
    network_make(&network, classification(SPEC_POOL_LAST, true, 1), 0.6);
    struct rnn *model = &network.model;
    model->encoder.layer[0][1] = model->encoder.layer[0][0];
    for (size_t l = 0; l < LABELS; l++) /* the output layer sums the two directions */
        memcpy(model->output_weight + l * 10 + 5, model->output_weight + l * 10, 5 * sizeof(real));
    fill(ids, rows, 70, 3);
    for (size_t i = 0; i < 70; i++)
        back[i] = ids[69 - i];
    const struct rnn_input forth = {.count = 70, .ids = ids}, reverse = {.count = 70, .ids = back};
    assert_fine(rnn_pooled(model, &forth, once, NULL, &err), err);
    assert_fine(rnn_pooled(model, &reverse, turned, NULL, &err), err);
    for (size_t l = 0; l < LABELS; l++)
        assert_true(fabsf(once[l] - turned[l]) < 1e-6f);
    mem_free(network.flat);
}

static void empty_text_gets_the_prior(void **state)
{
    (void)state;
    for (int pooling = SPEC_POOL_LAST; pooling <= SPEC_POOL_ATTENTION; pooling++) {
        struct network network;
        struct err err = ERR_INIT;
        float found[LABELS];
        network_make(&network, classification((enum spec_pooling)pooling, true, 1), 0.6);
        assert_fine(rnn_pooled(&network.model, &(struct rnn_input){0}, found, NULL, &err), err);
        assert_memory_equal(found, network.model.output_bias, sizeof found);
        mem_free(network.flat);
    }
}

/* The trace shows the states, and weights of the attention that sum to 1. */
static void a_trace_shows_what_was_attended(void **state)
{
    (void)state;
    static float rows[9 * ROW];
    struct network network;
    struct err err = ERR_INIT;
    float found[LABELS], states[9 * 10], attention[9], sum = 0;
    int32_t ids[9];
    network_make(&network, classification(SPEC_POOL_ATTENTION, true, 1), 0.6);
    fill(ids, rows, 9, 8);
    const struct rnn_trace trace = {.states = states, .attention = attention};
    assert_fine(rnn_pooled(&network.model, &(struct rnn_input){.count = 9, .ids = ids}, found,
                           &trace, &err),
                err);
    for (size_t t = 0; t < 9; t++)
        sum += attention[t];
    assert_true(fabsf(sum - 1) < 1e-5f);
    for (size_t l = 0; l < LABELS; l++) { /* the answer again, from the trace alone */
        float logit = network.model.output_bias[l];
        for (size_t t = 0; t < 9; t++)
            for (size_t i = 0; i < 10; i++)
                logit +=
                    attention[t] * states[t * 10 + i] * network.model.output_weight[l * 10 + i];
        assert_true(fabsf(logit - found[l]) < 1e-4f);
    }
    mem_free(network.flat);
}

/* Weights are finite in a file, but sums of them need not be. */
static void overflow_is_an_error(void **state)
{
    (void)state;
    static float rows[9 * ROW];
    struct network network;
    struct err err = ERR_INIT;
    float found[LABELS];
    int32_t ids[9];
    fill(ids, rows, 9, 5);
    network_make(&network, classification(SPEC_POOL_MEAN, true, 1), 0.6);
    for (size_t i = 0; i < LABELS * network.model.pool; i++)
        network.model.output_weight[i] = FLT_MAX;
    for (size_t d = 0; d < 2; d++)
        for (size_t i = 0; i < 5; i++) /* drives all states to 1 */
            network.model.encoder.layer[0][d].w.bias_ih[10 + i] = 1000;
    assert_int_equal(
        rnn_pooled(&network.model, &(struct rnn_input){.count = 9, .ids = ids}, found, NULL, &err),
        ERR_FORMAT);
    assert_non_null(strstr(err.message, "overflow"));
    mem_free(network.flat);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pooled_answers_agree_with_training),
        cmocka_unit_test(answers_in_step_agree_with_training),
        cmocka_unit_test(a_walk_is_the_same_text),
        cmocka_unit_test(directions_mirror_each_other),
        cmocka_unit_test(empty_text_gets_the_prior),
        cmocka_unit_test(a_trace_shows_what_was_attended),
        cmocka_unit_test(overflow_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
