/*
 * The whole translation network in double precision, with dropout: every gradient against finite
 * differences. Each forward pass draws the same masks, since its generator has the same seed. The
 * network's own sources are compiled into this program a second time, with DRAGOMAN_DOUBLE.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "model/seq2seq.h"
#include "nn/loss.h"
#include "support/finite_difference.h"

#define VOCABULARY 9
#define BATCH 3
#define SOURCE_STEPS 4
#define TARGET_STEPS 3

static const int32_t source[SOURCE_STEPS * BATCH] = {3, 4, 2, 5, 2, 0, 3, 0, 0, 2, 0, 0};
static const int32_t source_lengths[BATCH] = {4, 2, 1};
static const int32_t target_input[TARGET_STEPS * BATCH] = {1, 1, 1, 6, 0, 7, 0, 0, 8};
static const int32_t target_output[TARGET_STEPS * BATCH] = {6, 2, 7, 2, -1, 8, -1, -1, 2};
static const int32_t target_lengths[BATCH] = {2, 1, 3};

static const struct seq2seq_batch batch = {
    BATCH,          SOURCE_STEPS, TARGET_STEPS,  source,
    source_lengths, target_input, target_output, target_lengths,
};

struct network {
    struct seq2seq model;
    struct seq2seq_training training;
    struct seq2seq_weights gradients;
    struct parameter list[SEQ2SEQ_MAX_PARAMETERS], gradient_list[SEQ2SEQ_MAX_PARAMETERS];
    size_t count;
};

static size_t values_of(const struct parameter *parameter)
{
    return parameter->rows * (parameter->columns ? parameter->columns : 1);
}

static void network_init(struct network *n, bool bidirectional, bool tied, double dropout)
{
    const struct spec spec = {.vocabulary = VOCABULARY,
                              .embedding = 4,
                              .encoder_hidden = 3,
                              .decoder_hidden = 5,
                              .bidirectional = bidirectional,
                              .tied = tied};
    *n = (struct network){.training = {.dropout_embedding = dropout,
                                       .dropout_output = dropout,
                                       .label_smoothing = 0.1,
                                       .scale = 0.25}};
    new_sequence(31);
    seq2seq_size(&n->model, &spec);
    n->count = seq2seq_parameters(&n->model, &n->model.weights, n->list);
    seq2seq_parameters(&n->model, &n->gradients, n->gradient_list);
    for (size_t i = 0; i < n->count; i++) {
        *n->list[i].slot = new_random(values_of(&n->list[i]), 0.5);
        *n->gradient_list[i].slot = new_reals(values_of(&n->list[i]));
    }
    seq2seq_tie(&n->model, &n->model.weights);
    seq2seq_tie(&n->model, &n->gradients);
}

static double network_loss(void *context)
{
    struct network *n = context;
    const size_t rows = TARGET_STEPS * BATCH;
    real logits[TARGET_STEPS * BATCH * VOCABULARY];
    struct seq2seq_activations a;
    struct arena arena;
    struct rng rng;
    double negative_log;
    arena_init(&arena, 1 << 16);
    rng_seed(&rng, 4, 0);
    const int status = seq2seq_forward(&n->model, &batch, &n->training, &rng, &a, &arena, NULL);
    assert_int_equal(status, 0);
    seq2seq_logits(&n->model, rows, a.output, logits);
    arena_release(&arena);
    return n->training.scale * cross_entropy(rows, VOCABULARY, target_output,
                                             n->training.label_smoothing, 1, logits, &negative_log);
}

static void check_network(bool bidirectional, bool tied, double dropout)
{
    struct network n;
    struct seq2seq_sums sums = {0};
    struct err err = ERR_INIT;
    struct rng rng;
    network_init(&n, bidirectional, tied, dropout);
    rng_seed(&rng, 4, 0);
    assert_int_equal(
        seq2seq_learn(&n.model, &n.gradients, &batch, &n.training, &rng, &sums, &test_arena, &err),
        0);
    assert_near(n.training.scale * sums.loss, network_loss(&n), 1e-12);
    for (size_t i = 0; i < n.count; i++)
        check_gradient(n.list[i].name, network_loss, &n, values_of(&n.list[i]), *n.list[i].slot,
                       *n.gradient_list[i].slot);
}

static void gradients_without_dropout(void **state)
{
    (void)state;
    check_network(true, true, 0);
    check_network(false, false, 0);
}

static void gradients_with_dropout(void **state)
{
    (void)state;
    check_network(true, true, 0.3);
    check_network(true, false, 0.3);
}

/* Two batches give the sum of what each gives. */
static void gradients_add_up(void **state)
{
    struct network once, twice;
    struct seq2seq_sums sums = {0}, both = {0};
    struct err err = ERR_INIT;
    struct rng rng;
    (void)state;
    network_init(&once, true, true, 0);
    network_init(&twice, true, true, 0);
    rng_seed(&rng, 4, 0);
    for (int run = 0; run < 3; run++)
        assert_int_equal(seq2seq_learn(run == 0 ? &once.model : &twice.model,
                                       run == 0 ? &once.gradients : &twice.gradients, &batch,
                                       &once.training, &rng, run == 0 ? &sums : &both, &test_arena,
                                       &err),
                         0);
    assert_near(both.loss, 2 * sums.loss, 1e-12);
    assert_near(both.negative_log, 2 * sums.negative_log, 1e-12);
    for (size_t i = 0; i < once.count; i++)
        for (size_t k = 0; k < values_of(&once.list[i]); k++)
            assert_near((*twice.gradient_list[i].slot)[k], 2 * (*once.gradient_list[i].slot)[k],
                        1e-12);
}

static int end_test(void **state)
{
    (void)state;
    release_reals();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(gradients_without_dropout, end_test),
        cmocka_unit_test_teardown(gradients_with_dropout, end_test),
        cmocka_unit_test_teardown(gradients_add_up, end_test),
    };
    mat_use_one_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
