/* The bag of words in use: what inference computes is what training computes; weights that overflow
   are an error, not an answer. */
#include "unit.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "model/classifier.h"
#include "nn/init.h"

#define VOCABULARY 30
#define LABELS 3
#define LONGEST 200

struct network {
    struct classifier model;
    real *flat;
    size_t total;
};

static void network_make(struct network *network, double deviation)
{
    const struct spec spec = {.kind = SPEC_BAG_OF_WORDS,
                              .vocabulary = VOCABULARY,
                              .label_count = LABELS,
                              .ngrams = 3,
                              .buckets = 50};
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

/* The training code's logits for one text, without dropout. */
static void reference(const struct network *network, const int32_t *ids, size_t count, real *logits)
{
    const struct classifier_training training = {.scale = 1};
    const int32_t label = 0;
    uint32_t features[3 * LONGEST + 1];
    size_t found = 0;
    struct arena arena;
    struct rng rng;
    struct err err = ERR_INIT;
    classifier_features(&network->model, ids, count, features, &found);
    const struct classifier_batch batch = {
        .batch = 1, .features = features, .ends = &found, .labels = &label};
    arena_init(&arena, 1 << 20);
    rng_seed(&rng, 1, 0);
    assert_fine(classifier_forward(&network->model, &batch, &training, &rng, logits, &arena, &err),
                err);
    arena_release(&arena);
}

static void bag_of_words_agrees_with_training(void **state)
{
    (void)state;
    static const size_t counts[] = {0, 1, 2, 3, 63, 64, 65, 128, LONGEST};
    struct network network;
    int32_t ids[LONGEST];
    network_make(&network, 0.6);
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        struct err err = ERR_INIT;
        float found[LABELS];
        real expected[LABELS];
        fill(ids, counts[i], i);
        assert_fine(classifier_logits(&network.model, ids, counts[i], found, &err), err);
        reference(&network, ids, counts[i], expected);
        for (size_t l = 0; l < LABELS; l++)
            assert_true(fabsf(found[l] - expected[l]) < 2e-5f);
    }
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
    network_make(&network, 0.6);
    assert_fine(classifier_logits(&network.model, a, 4, x, &err), err);
    assert_fine(classifier_logits(&network.model, b, 7, y, &err), err);
    assert_fine(classifier_logits(&network.model, c, 4, z, &err), err);
    assert_memory_equal(x, y, sizeof x);
    assert_memory_not_equal(x, z, sizeof x);
    mem_free(network.flat);
}

static void empty_text_gets_the_prior(void **state)
{
    (void)state;
    struct network network;
    struct err err = ERR_INIT;
    float found[LABELS];
    network_make(&network, 0.6);
    assert_fine(classifier_logits(&network.model, NULL, 0, found, &err), err);
    assert_memory_equal(found, network.model.output_bias, sizeof found);
    mem_free(network.flat);
}

/* Weights are finite in a file, but sums of them need not be. */
static void overflow_is_an_error(void **state)
{
    (void)state;
    struct network network;
    struct err err = ERR_INIT;
    float found[LABELS];
    int32_t ids[9];
    fill(ids, 9, 5);
    network_make(&network, 0.6);
    for (size_t i = 0; i < (VOCABULARY + 50) * LABELS; i++)
        network.model.output_weight[i] = FLT_MAX;
    assert_int_equal(classifier_logits(&network.model, ids, 9, found, &err), ERR_FORMAT);
    assert_non_null(strstr(err.message, "overflow"));
    mem_free(network.flat);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bag_of_words_agrees_with_training),
        cmocka_unit_test(features_are_a_set),
        cmocka_unit_test(empty_text_gets_the_prior),
        cmocka_unit_test(overflow_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
