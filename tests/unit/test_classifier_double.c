/*
 * The bag of words in double precision, with dropout: every gradient against finite
 * differences. Each forward pass draws the same masks, since its generator has the same seed. Its
 * own sources are compiled into this program a second time, with DRAGOMAN_DOUBLE.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "model/classifier.h"
#include "nn/loss.h"
#include "support/finite_difference.h"

#define VOCABULARY 7
#define BATCH 4
#define LABELS 3

static const uint32_t features[] = {4, 5, 6, 9, 10, 4, 9, 5};
static const size_t ends[BATCH] = {5, 7, 8, 8};
static const int32_t labels[BATCH] = {0, 2, 1, 1};
static const struct classifier_batch batch = {BATCH, features, ends, labels};

struct network {
    struct classifier model;
    struct classifier_training training;
    struct classifier gradients;
    struct parameter list[CLASSIFIER_MAX_PARAMETERS], gradient_list[CLASSIFIER_MAX_PARAMETERS];
    size_t count;
};

static size_t values_of(const struct parameter *parameter)
{
    return parameter->rows * (parameter->columns ? parameter->columns : 1);
}

static void network_init(struct network *n, double dropout)
{
    const struct spec spec = {.kind = SPEC_BAG_OF_WORDS,
                              .vocabulary = VOCABULARY,
                              .label_count = LABELS,
                              .ngrams = 2,
                              .buckets = 4};
    *n = (struct network){
        .training = {.dropout_input = dropout, .label_smoothing = 0.1, .scale = 0.25}};
    new_sequence(17);
    classifier_size(&n->model, &spec);
    n->gradients = n->model;
    n->count = classifier_parameters(&n->model, n->list);
    classifier_parameters(&n->gradients, n->gradient_list);
    for (size_t i = 0; i < n->count; i++) {
        *n->list[i].slot = new_random(values_of(&n->list[i]), 0.7);
        *n->gradient_list[i].slot = new_reals(values_of(&n->list[i]));
    }
}

static double network_loss(void *context)
{
    struct network *n = context;
    real logits[BATCH * LABELS];
    struct arena arena;
    struct rng rng;
    double negative_log;
    arena_init(&arena, 1 << 16);
    rng_seed(&rng, 4, 0);
    assert_int_equal(
        classifier_forward(&n->model, &batch, &n->training, &rng, logits, &arena, NULL), 0);
    arena_release(&arena);
    return n->training.scale * cross_entropy(BATCH, LABELS, labels, n->training.label_smoothing, 1,
                                             logits, &negative_log);
}

static void check_network(double dropout)
{
    struct network n;
    struct classifier_sums sums = {0};
    struct arena arena;
    struct rng rng;
    network_init(&n, dropout);
    arena_init(&arena, 1 << 16);
    rng_seed(&rng, 4, 0);
    assert_int_equal(
        classifier_learn(&n.model, &n.gradients, &batch, &n.training, &rng, &sums, &arena, NULL),
        0);
    assert_near(sums.loss * n.training.scale, network_loss(&n), 1e-12);
    assert_true(sums.negative_log > 0);
    for (size_t i = 0; i < n.count; i++)
        check_gradient(n.list[i].name, network_loss, &n, values_of(&n.list[i]), *n.list[i].slot,
                       *n.gradient_list[i].slot);
    arena_release(&arena);
    release_reals();
}

static void bag_of_words(void **state)
{
    (void)state;
    check_network(0);
    check_network(0.3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bag_of_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
