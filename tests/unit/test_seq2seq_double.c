/*
 * The whole translation network in double precision, with dropout: every gradient against finite
 * differences. Each forward pass draws the same masks, since its generator has the same seed. The
 * network's own sources are compiled into this program a second time, with DRAGOMAN_DOUBLE.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/seq2seq.h"
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

#define ROW 3
static const real rows[SOURCE_STEPS * BATCH * ROW] = {
    0.3, -1.2, 0.5, 0.9, 0.1,  -0.4, -0.7, 0.2, 1.1, 0.6, -0.3, 0.8, -0.5, 0.4, 0.7,
    0,   0,    0,   1.3, -0.9, 0.2,  0,    0,   0,   0,   0,    0,   0.4,  0.5, -0.6};

/* The source is tokens for some designs and rows for others. */
static const struct seq2seq_batch batch = {
    BATCH,        SOURCE_STEPS,  TARGET_STEPS,   source, source_lengths,
    target_input, target_output, target_lengths, rows,
};

struct network {
    struct seq2seq model, gradients;
    struct seq2seq_training training;
    struct parameter list[SEQ2SEQ_MAX_PARAMETERS], gradient_list[SEQ2SEQ_MAX_PARAMETERS];
    size_t count;
};

/* Networks that between them have everything: cells, layers, decoders, attentions, tyings. */
static const struct design {
    const char *name;
    struct spec_recurrent encoder, decoder;
    enum spec_decoder kind;
    enum attention_kind attention;
    enum spec_bridge bridge;
    bool deep;
    enum spec_tying tying;
    size_t row;
} designs[] = {
    {"gru, general",
     {.cell = CELL_GRU, .layers = 1, .hidden = 3, .bidirectional = true},
     {.cell = CELL_GRU, .layers = 1, .hidden = 5},
     SPEC_DECODER_PLAIN,
     ATTENTION_GENERAL,
     SPEC_BRIDGE_LAST,
     false,
     SPEC_TYING_THREE_WAY,
     0},
    {"lstm, two layers, no attention",
     {.cell = CELL_LSTM, .layers = 2, .hidden = 4, .residual = true},
     {.cell = CELL_LSTM, .layers = 2, .hidden = 4, .residual = true},
     SPEC_DECODER_PLAIN,
     ATTENTION_NONE,
     SPEC_BRIDGE_LAST,
     false,
     SPEC_TYING_NONE,
     0},
    {"dot, deep output",
     {.cell = CELL_GRU_CHO, .layers = 1, .hidden = 4},
     {.cell = CELL_MUT1, .layers = 1, .hidden = 4},
     SPEC_DECODER_PLAIN,
     ATTENTION_DOT,
     SPEC_BRIDGE_MEAN,
     true,
     SPEC_TYING_TWO_WAY,
     0},
    {"conditional, additive, normalised",
     {.cell = CELL_GRU,
      .norm = CELL_NORM_SEPARATE,
      .layers = 1,
      .hidden = 3,
      .bidirectional = true},
     {.cell = CELL_GRU, .norm = CELL_NORM_SEPARATE, .layers = 1, .hidden = 5},
     SPEC_DECODER_CONDITIONAL,
     ATTENTION_ADDITIVE,
     SPEC_BRIDGE_MEAN,
     true,
     SPEC_TYING_THREE_WAY,
     0},
    {"conditional lstm, three layers, general",
     {.cell = CELL_LSTM_PEEPHOLE, .layers = 1, .hidden = 3, .bidirectional = true},
     {.cell = CELL_LSTM, .norm = CELL_NORM_JOINT, .layers = 3, .hidden = 4, .residual = true},
     SPEC_DECODER_CONDITIONAL,
     ATTENTION_GENERAL,
     SPEC_BRIDGE_LAST,
     false,
     SPEC_TYING_TWO_WAY,
     0},
    {"input feeding, lstm, two layers",
     {.cell = CELL_LSTM, .layers = 2, .hidden = 3, .bidirectional = true},
     {.cell = CELL_LSTM, .layers = 2, .hidden = 5, .residual = true},
     SPEC_DECODER_INPUT_FEEDING,
     ATTENTION_GENERAL,
     SPEC_BRIDGE_LAST,
     false,
     SPEC_TYING_NONE,
     0},
    {"input feeding, gru, deep output",
     {.cell = CELL_RNN_TANH, .layers = 1, .hidden = 3, .bidirectional = true},
     {.cell = CELL_GRU, .layers = 1, .hidden = 5},
     SPEC_DECODER_INPUT_FEEDING,
     ATTENTION_ADDITIVE,
     SPEC_BRIDGE_MEAN,
     true,
     SPEC_TYING_TWO_WAY,
     0},
    {"rows as they are, conditional, additive",
     {.layers = 0},
     {.cell = CELL_GRU, .layers = 1, .hidden = 5},
     SPEC_DECODER_CONDITIONAL,
     ATTENTION_ADDITIVE,
     SPEC_BRIDGE_MEAN,
     true,
     SPEC_TYING_TWO_WAY,
     ROW},
    {"rows as they are, no attention",
     {.layers = 0},
     {.cell = CELL_LSTM, .layers = 2, .hidden = 4},
     SPEC_DECODER_PLAIN,
     ATTENTION_NONE,
     SPEC_BRIDGE_MEAN,
     false,
     SPEC_TYING_NONE,
     ROW},
    {"rows encoded, general",
     {.cell = CELL_GRU, .layers = 1, .hidden = 3, .bidirectional = true},
     {.cell = CELL_GRU, .layers = 1, .hidden = 5},
     SPEC_DECODER_PLAIN,
     ATTENTION_GENERAL,
     SPEC_BRIDGE_LAST,
     false,
     SPEC_TYING_TWO_WAY,
     ROW},
};
#define DESIGNS (sizeof designs / sizeof *designs)

static size_t values_of(const struct parameter *parameter)
{
    return parameter->rows * (parameter->columns ? parameter->columns : 1);
}

static void network_init(struct network *n, const struct design *design, double dropout)
{
    const struct spec spec = {.vocabulary = VOCABULARY,
                              .embedding = 4,
                              .encoder = design->encoder,
                              .decoder = design->decoder,
                              .decoder_kind = design->kind,
                              .attention = design->attention,
                              .bridge = design->bridge,
                              .deep_output = design->deep,
                              .tying = design->tying,
                              .row = design->row};
    *n = (struct network){.training = {.dropout_embedding = dropout,
                                       .dropout_layer = dropout,
                                       .dropout_state = dropout,
                                       .dropout_memory = dropout,
                                       .dropout_output = dropout,
                                       .label_smoothing = 0.1,
                                       .scale = 0.25}};
    new_sequence(31);
    seq2seq_size(&n->model, &spec);
    n->gradients = n->model;
    n->count = seq2seq_parameters(&n->model, n->list);
    seq2seq_parameters(&n->gradients, n->gradient_list);
    for (size_t i = 0; i < n->count; i++) {
        *n->list[i].slot = new_random(values_of(&n->list[i]), 0.5);
        *n->gradient_list[i].slot = new_reals(values_of(&n->list[i]));
    }
    seq2seq_tie(&n->model);
    seq2seq_tie(&n->gradients);
}

/* The same generator for each pass, so that all of them drop the same. */
static struct seq2seq_sums learn(const struct network *n, const struct seq2seq *gradients)
{
    struct seq2seq_sums sums = {0};
    struct err err = ERR_INIT;
    struct arena arena;
    struct rng rng;
    arena_init(&arena, 1 << 16);
    rng_seed(&rng, 4, 0);
    assert_int_equal(
        seq2seq_learn(&n->model, gradients, &batch, &n->training, &rng, &sums, &arena, &err), 0);
    arena_release(&arena);
    return sums;
}

static double network_loss(void *context)
{
    const struct network *n = context;
    return n->training.scale * learn(n, NULL).loss;
}

static void check_design(const struct design *design, double dropout)
{
    struct network n;
    char name[128];
    network_init(&n, design, dropout);
    const struct seq2seq_sums sums = learn(&n, &n.gradients);
    assert_near(n.training.scale * sums.loss, network_loss(&n), 1e-12);
    for (size_t i = 0; i < n.count; i++) {
        snprintf(name, sizeof name, "%s: %s", design->name, n.list[i].name);
        check_gradient(name, network_loss, &n, values_of(&n.list[i]), *n.list[i].slot,
                       *n.gradient_list[i].slot);
    }
    release_reals();
}

static void gradients_without_dropout(void **state)
{
    (void)state;
    for (size_t i = 0; i < DESIGNS; i++)
        check_design(&designs[i], 0);
}

static void gradients_with_dropout(void **state)
{
    (void)state;
    for (size_t i = 0; i < DESIGNS; i++)
        check_design(&designs[i], 0.3);
}

/* Between the conditional decoder's pair and the one layer above it there is dropout as well. */
static void layers_above_see_dropout(void **state)
{
    struct design design = designs[4];
    struct network n;
    (void)state;
    design.decoder.layers = 2;
    network_init(&n, &design, 0);
    const double loss = network_loss(&n);
    n.training.dropout_layer = 0.3;
    assert_true(fabs(network_loss(&n) - loss) > 1e-3);
}

/* Two batches give the sum of what each gives. */
static void gradients_add_up(void **state)
{
    struct network once, twice;
    (void)state;
    network_init(&once, &designs[0], 0);
    network_init(&twice, &designs[0], 0);
    learn(&once, &once.gradients);
    learn(&twice, &twice.gradients);
    learn(&twice, &twice.gradients);
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
        cmocka_unit_test_teardown(layers_above_see_dropout, end_test),
        cmocka_unit_test_teardown(gradients_add_up, end_test),
    };
    mat_use_one_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
