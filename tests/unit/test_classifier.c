/*
 * Classification in use: what inference computes is what training computes, for every kind, pooling
 * and length; probabilities are probabilities; weights that overflow are an error, not an answer.
 */
#include "unit.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "model/classifier.h"
#include "nn/init.h"
#include "nn/softmax.h"

#define VOCABULARY 30
#define LABELS 3
#define LONGEST 200

struct network {
    struct classifier model;
    real *flat;
    size_t total;
};

static void network_make(struct network *network, enum spec_kind kind, enum spec_pooling pooling,
                         bool bidirectional, size_t layers, double deviation)
{
    const struct spec spec = {.kind = kind,
                              .vocabulary = VOCABULARY,
                              .label_count = LABELS,
                              .ngrams = 3,
                              .buckets = 50,
                              .embedding = 7,
                              .encoder = {.cell = CELL_GRU,
                                          .layers = layers,
                                          .hidden = 5,
                                          .bidirectional = bidirectional},
                              .pooling = pooling};
    struct parameter list[CLASSIFIER_MAX_PARAMETERS];
    struct rng rng;
    classifier_size(&network->model, &spec);
    size_t count = classifier_parameters(&network->model, list);
    network->total = parameters_total(list, count);
    network->flat = mem_alloc(network->total, sizeof(real), NULL);
    assert_non_null(network->flat);
    parameters_bind(list, count, network->flat);
    rng_seed(&rng, 11, 0);
    init_normal(network->total, deviation, &rng, network->flat);
}

static void fill(int32_t *ids, size_t count, uint64_t seed)
{
    struct rng rng;
    rng_seed(&rng, seed, 1);
    for (size_t i = 0; i < count; i++)
        ids[i] = (int32_t)rng_below(&rng, VOCABULARY);
}

/* The training code's probabilities for one text, without dropout. */
static void reference(const struct network *network, const int32_t *ids, size_t count,
                      real *probabilities)
{
    const struct classifier_training training = {.scale = 1};
    const int32_t length = (int32_t)count, label = 0, pad = 0;
    uint32_t features[3 * LONGEST + 1];
    size_t found = 0;
    struct arena arena;
    struct rng rng;
    struct err err = ERR_INIT;
    classifier_features(&network->model, ids, count, features, &found);
    const struct classifier_batch batch = {.batch = 1,
                                           .steps = count > 0 ? count : 1,
                                           .ids = count > 0 ? ids : &pad,
                                           .lengths = &length,
                                           .features = features,
                                           .ends = &found,
                                           .labels = &label};
    arena_init(&arena, 1 << 20);
    rng_seed(&rng, 1, 0);
    assert_fine(
        classifier_forward(&network->model, &batch, &training, &rng, probabilities, &arena, &err),
        err);
    softmax_row(LABELS, probabilities);
    arena_release(&arena);
}

static void compare(enum spec_kind kind, enum spec_pooling pooling, bool bidirectional,
                    size_t layers)
{
    static const size_t counts[] = {0, 1, 2, 3, 63, 64, 65, 128, LONGEST};
    struct network network;
    int32_t ids[LONGEST];
    network_make(&network, kind, pooling, bidirectional, layers, 0.6);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct err err = ERR_INIT;
        float found[LABELS], sum = 0;
        real expected[LABELS];
        fill(ids, counts[i], i);
        assert_fine(classifier_predict(&network.model, ids, counts[i], found, &err), err);
        reference(&network, ids, counts[i], expected);
        for (size_t l = 0; l < LABELS; l++) {
            assert_true(found[l] >= 0 && found[l] <= 1);
            assert_true(fabsf(found[l] - expected[l]) < 2e-5f);
            sum += found[l];
        }
        assert_true(fabsf(sum - 1) < 1e-5f);
    }
    mem_free(network.flat);
}

static void bag_of_words_agrees_with_training(void **state)
{
    (void)state;
    compare(SPEC_BAG_OF_WORDS, SPEC_POOL_LAST, false, 1);
}

static void rnn_agrees_with_training(void **state)
{
    (void)state;
    for (int pooling = SPEC_POOL_LAST; pooling <= SPEC_POOL_MAX; pooling++) {
        compare(SPEC_RNN_CLASSIFIER, (enum spec_pooling)pooling, false, 1);
        compare(SPEC_RNN_CLASSIFIER, (enum spec_pooling)pooling, true, 1);
        compare(SPEC_RNN_CLASSIFIER, (enum spec_pooling)pooling, true, 2);
    }
}

/* Both directions read the same text: with the same weights a palindrome gives the same states. */
static void directions_mirror_each_other(void **state)
{
    (void)state;
    struct network network;
    struct err err = ERR_INIT;
    float once[LABELS], turned[LABELS];
    int32_t ids[70], back[70];
    network_make(&network, SPEC_RNN_CLASSIFIER, SPEC_POOL_LAST, true, 1, 0.6);
    struct classifier *model = &network.model;
    model->encoder.layer[0][1] = model->encoder.layer[0][0];
    for (size_t l = 0; l < LABELS; l++) /* the output layer sums the two directions */
        memcpy(model->output_weight + l * 10 + 5, model->output_weight + l * 10, 5 * sizeof(real));
    fill(ids, 70, 3);
    for (size_t i = 0; i < 70; i++)
        back[i] = ids[69 - i];
    assert_fine(classifier_predict(&network.model, ids, 70, once, &err), err);
    assert_fine(classifier_predict(&network.model, back, 70, turned, &err), err);
    for (size_t l = 0; l < LABELS; l++)
        assert_true(fabsf(once[l] - turned[l]) < 1e-6f);
    mem_free(network.flat);
}

/* The order of words matters to n-grams and to the rnn, repetition of features does not. */
static void features_are_a_set(void **state)
{
    (void)state;
    struct network network;
    struct err err = ERR_INIT;
    const int32_t a[] = {4, 5, 4, 5}, b[] = {4, 5, 4, 5, 4, 5, 4}, c[] = {5, 4, 4, 5};
    float x[LABELS], y[LABELS], z[LABELS];
    network_make(&network, SPEC_BAG_OF_WORDS, SPEC_POOL_LAST, false, 1, 0.6);
    assert_fine(classifier_predict(&network.model, a, 4, x, &err), err);
    assert_fine(classifier_predict(&network.model, b, 7, y, &err), err);
    assert_fine(classifier_predict(&network.model, c, 4, z, &err), err);
    assert_memory_equal(x, y, sizeof x);
    assert_memory_not_equal(x, z, sizeof x);
    mem_free(network.flat);
}

static void empty_text_gets_the_prior(void **state)
{
    (void)state;
    for (int kind = SPEC_RNN_CLASSIFIER; kind <= SPEC_BAG_OF_WORDS; kind++) {
        struct network network;
        struct err err = ERR_INIT;
        float found[LABELS];
        real prior[LABELS];
        network_make(&network, (enum spec_kind)kind, SPEC_POOL_MEAN, true, 1, 0.6);
        memcpy(prior, network.model.output_bias, sizeof prior);
        softmax_row(LABELS, prior);
        assert_fine(classifier_predict(&network.model, NULL, 0, found, &err), err);
        for (size_t l = 0; l < LABELS; l++)
            assert_true(fabsf(found[l] - prior[l]) < 1e-6f);
        mem_free(network.flat);
    }
}

/* Weights are finite in a file, but sums of them need not be. */
static void overflow_is_an_error(void **state)
{
    (void)state;
    for (int kind = SPEC_RNN_CLASSIFIER; kind <= SPEC_BAG_OF_WORDS; kind++) {
        struct network network;
        struct err err = ERR_INIT;
        float found[LABELS];
        int32_t ids[9];
        fill(ids, 9, 5);
        network_make(&network, (enum spec_kind)kind, SPEC_POOL_MEAN, true, 1, 0.6);
        const struct classifier *model = &network.model;
        const size_t outputs =
            kind == SPEC_RNN_CLASSIFIER ? LABELS * network.model.pool : (VOCABULARY + 50) * LABELS;
        for (size_t i = 0; i < outputs; i++)
            model->output_weight[i] = FLT_MAX;
        for (size_t d = 0; d < 2 && kind == SPEC_RNN_CLASSIFIER; d++)
            for (size_t i = 0; i < 5; i++) /* drives all states to 1 */
                model->encoder.layer[0][d].w.bias_ih[10 + i] = 1000;
        assert_int_equal(classifier_predict(&network.model, ids, 9, found, &err), ERR_FORMAT);
        assert_non_null(strstr(err.message, "overflow"));
        mem_free(network.flat);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bag_of_words_agrees_with_training),
        cmocka_unit_test(rnn_agrees_with_training),
        cmocka_unit_test(directions_mirror_each_other),
        cmocka_unit_test(features_are_a_set),
        cmocka_unit_test(empty_text_gets_the_prior),
        cmocka_unit_test(overflow_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
