/*
 * The network of the tasks in double precision, with dropout: every gradient against finite
 * differences, for every head, pooling, input and condition. Each forward pass draws the same
 * masks, since its generator has the same seed. The network's own sources are compiled into this
 * program a second time, with DRAGOMAN_DOUBLE.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "model/rnn.h"
#include "support/finite_difference.h"

#define VOCABULARY 7
#define BATCH 4
#define STEPS 5
#define LABELS 3
#define ROW 2
#define FEATURE 3

/* A full text, shorter ones, and one without any token. */
static const int32_t ids[STEPS * BATCH] = {4, 5, 6, 0, 5, 4, 0, 0, 6, 3,
                                           0, 0, 3, 0, 0, 0, 4, 0, 0, 0};
static const int32_t lengths[BATCH] = {5, 3, 1, 0};
static const int32_t labels[BATCH] = {0, 2, 1, 1};
static const int32_t tags[STEPS * BATCH] = {0,  2,  1, -1, -1, 1,  -1, -1, 2,  0,
                                            -1, -1, 1, -1, -1, -1, 2,  -1, -1, -1};
static const int32_t next[STEPS * BATCH] = {5,  4,  2, -1, 6,  3,  -1, -1, 3,  2,
                                            -1, -1, 4, -1, -1, -1, 2,  -1, -1, -1};
static const real class_weights[LABELS] = {0.5, 2, 1};

struct network {
    struct rnn model, gradients;
    struct rnn_training training;
    struct rnn_batch batch;
    struct parameter list[RNN_MAX_PARAMETERS], gradient_list[RNN_MAX_PARAMETERS];
    size_t count;
};

static size_t values_of(const struct parameter *parameter)
{
    return parameter->rows * (parameter->columns ? parameter->columns : 1);
}

static const int32_t *targets_of(enum spec_task task)
{
    return task == SPEC_CLASSIFICATION ? labels : task == SPEC_TAGGING ? tags : next;
}

static void network_init(struct network *n, const struct spec *spec, double dropout, bool weighted)
{
    *n = (struct network){.training = {.dropout_input = dropout,
                                       .dropout_layer = dropout,
                                       .dropout_state = dropout,
                                       .dropout_output = dropout,
                                       .label_smoothing = 0.1,
                                       .class_weights = weighted ? class_weights : NULL,
                                       .scale = 0.25}};
    new_sequence(17);
    rnn_size(&n->model, spec);
    n->gradients = n->model;
    n->count = rnn_parameters(&n->model, n->list);
    rnn_parameters(&n->gradients, n->gradient_list);
    for (size_t i = 0; i < n->count; i++) {
        *n->list[i].slot = new_random(values_of(&n->list[i]), 0.7);
        *n->gradient_list[i].slot = new_reals(values_of(&n->list[i]));
    }
    n->batch = (struct rnn_batch){.batch = BATCH,
                                  .steps = STEPS,
                                  .lengths = lengths,
                                  .ids = ids,
                                  .labels = labels,
                                  .targets = targets_of(spec->task)};
    if (spec->row > 0)
        n->batch.rows = new_random(STEPS * BATCH * ROW, 1);
    if (spec->condition != SPEC_CONDITION_NONE && spec->label_count == 0)
        n->batch.features = new_random(BATCH * FEATURE, 1);
    if (spec->task == SPEC_REGRESSION)
        n->batch.values = new_random(BATCH, 1);
}

static double network_loss(void *context)
{
    struct network *n = context;
    struct rnn_sums sums = {0};
    struct arena arena;
    struct rng rng;
    arena_init(&arena, 1 << 16);
    rng_seed(&rng, 4, 0);
    assert_int_equal(
        rnn_forward(&n->model, &n->batch, &n->training, &rng, NULL, &sums, &arena, NULL), 0);
    arena_release(&arena);
    return n->training.scale * sums.loss;
}

static void check(struct spec spec, double dropout, bool weighted)
{
    struct network n;
    struct rnn_sums sums = {0};
    struct arena arena;
    struct rng rng;
    spec.kind = SPEC_RNN;
    spec.vocabulary = VOCABULARY;
    spec.embedding = 4;
    spec.encoder.hidden = spec.tied ? 4 : 3;
    spec.encoder.layers = spec.encoder.bidirectional || dropout > 0 ? 2 : 1;
    spec.feature = spec.condition == SPEC_CONDITION_NONE ? 0 : FEATURE;
    network_init(&n, &spec, dropout, weighted);
    arena_init(&arena, 1 << 16);
    rng_seed(&rng, 4, 0);
    assert_int_equal(
        rnn_learn(&n.model, &n.gradients, &n.batch, &n.training, &rng, &sums, &arena, NULL), 0);
    assert_near(sums.loss * n.training.scale, network_loss(&n), 1e-12);
    assert_true(sums.targets > 0);
    for (size_t i = 0; i < n.count; i++)
        check_gradient(n.list[i].name, network_loss, &n, values_of(&n.list[i]), *n.list[i].slot,
                       *n.gradient_list[i].slot);
    arena_release(&arena);
    release_reals();
}

static const double dropouts[] = {0, 0.3};

static void poolings(void **state)
{
    (void)state;
    for (int pooling = SPEC_POOL_LAST; pooling <= SPEC_POOL_ATTENTION; pooling++)
        for (int both = 0; both < 2; both++)
            check((struct spec){.task = SPEC_CLASSIFICATION,
                                .label_count = LABELS,
                                .encoder = {.cell = CELL_GRU, .bidirectional = both},
                                .pooling = (enum spec_pooling)pooling},
                  dropouts[both], both);
}

static void regression(void **state)
{
    (void)state;
    for (int rows = 0; rows < 2; rows++)
        check((struct spec){.task = SPEC_REGRESSION,
                            .row = rows ? ROW : 0,
                            .encoder = {.cell = CELL_LSTM},
                            .pooling = SPEC_POOL_LAST},
              dropouts[rows], false);
}

static void rows_of_numbers(void **state)
{
    (void)state;
    check((struct spec){.task = SPEC_CLASSIFICATION,
                        .label_count = LABELS,
                        .row = ROW,
                        .encoder = {.cell = CELL_RNN_TANH, .bidirectional = true},
                        .pooling = SPEC_POOL_MEAN},
          0.3, false);
}

static void tagging(void **state)
{
    (void)state;
    for (int both = 0; both < 2; both++)
        check((struct spec){.task = SPEC_TAGGING,
                            .label_count = LABELS,
                            .encoder = {.cell = CELL_GRU, .bidirectional = both}},
              dropouts[both], both);
}

static void generation(void **state)
{
    (void)state;
    for (int condition = SPEC_CONDITION_NONE; condition <= SPEC_CONDITION_EVERY; condition++)
        for (int label = 0; label < (condition == SPEC_CONDITION_NONE ? 1 : 2); label++)
            check((struct spec){.task = SPEC_GENERATION,
                                .label_count = label ? LABELS : 0,
                                .encoder = {.cell = label ? CELL_LSTM : CELL_GRU},
                                .condition = (enum spec_condition)condition},
                  dropouts[label], false);
}

static void tied_output(void **state)
{
    (void)state;
    check((struct spec){.task = SPEC_GENERATION, .encoder = {.cell = CELL_LSTM}, .tied = true}, 0,
          false);
}

/* The loss of the chunk, given the state that the chunk before left, whose gradient is cut. */
static void carried_state(void **state)
{
    (void)state;
    const struct spec spec = {.kind = SPEC_RNN,
                              .task = SPEC_GENERATION,
                              .vocabulary = VOCABULARY,
                              .embedding = 4,
                              .encoder = {.cell = CELL_LSTM, .layers = 2, .hidden = 3}};
    static const int32_t full[BATCH] = {STEPS, STEPS, STEPS, STEPS};
    struct network n;
    struct rnn_sums whole = {0}, parts = {0};
    struct arena arena;
    struct rng rng;
    network_init(&n, &spec, 0, false);
    n.batch.lengths = full;
    real *last = new_reals(BATCH * recurrent_state(&n.model.encoder));
    arena_init(&arena, 1 << 16);
    assert_int_equal(rnn_forward(&n.model, &n.batch, &n.training, &rng, NULL, &whole, &arena, NULL),
                     0);
    struct rnn_batch part = n.batch;
    part.steps = 2;
    part.lengths = (const int32_t[]){2, 2, 2, 2};
    part.last = last;
    assert_int_equal(rnn_forward(&n.model, &part, &n.training, &rng, NULL, &parts, &arena, NULL),
                     0);
    part.steps = 3;
    part.lengths = (const int32_t[]){3, 3, 3, 3};
    part.ids += 2 * BATCH;
    part.targets += 2 * BATCH;
    part.first = last;
    part.last = NULL;
    n.batch = part;
    assert_int_equal(
        rnn_learn(&n.model, &n.gradients, &n.batch, &n.training, &rng, &parts, &arena, NULL), 0);
    assert_near(whole.loss, parts.loss, 1e-12);
    for (size_t i = 0; i < n.count; i++)
        check_gradient(n.list[i].name, network_loss, &n, values_of(&n.list[i]), *n.list[i].slot,
                       *n.gradient_list[i].slot);
    arena_release(&arena);
    release_reals();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(poolings),        cmocka_unit_test(regression),
        cmocka_unit_test(rows_of_numbers), cmocka_unit_test(tagging),
        cmocka_unit_test(generation),      cmocka_unit_test(tied_output),
        cmocka_unit_test(carried_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
