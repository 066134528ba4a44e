/*
 * Stacks of recurrent layers in double precision: the backward pass against finite differences, and
 * what a stack is made of against its parts.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nn/recurrent.h"
#include "support/finite_difference.h"

#define STEPS 4
#define BATCH 3
#define INPUT 5
#define HIDDEN 4
#define SEED 77

static const int32_t mixed[BATCH] = {2, STEPS, 1};

static int end_test(void **state)
{
    (void)state;
    release_reals();
    return 0;
}

struct stack_case {
    struct recurrent net, g;
    struct recurrent_sequence sequence;
    real *x, *first, *probe, *probe_last; /* probe [T, B, width], probe_last [B, state] */
    real *d_x, *d_first;
};

static size_t tensor_size(const struct cell_tensor *tensor)
{
    return tensor->rows * (tensor->columns ? tensor->columns : 1);
}

static void bind(struct recurrent *net, double deviation)
{
    for (size_t l = 0; l < net->layers; l++)
        for (size_t d = 0; d < net->directions; d++) {
            struct cell_tensor list[CELL_MAX_TENSORS];
            struct cell_layer *layer = &net->layer[l][d];
            const size_t count = cell_tensors(layer, &layer->w, list);
            for (size_t i = 0; i < count; i++)
                *list[i].slot = new_random(tensor_size(&list[i]), deviation);
        }
}

struct variant {
    enum cell_kind kind;
    enum cell_norm norm;
    size_t input, layers, directions;
    bool residual, first;
    const int32_t *lengths;
    double dropout_layer, dropout_state;
};

static struct stack_case new_case(const struct variant *v)
{
    struct stack_case c = {0};
    new_sequence(41);
    recurrent_size(&c.net, v->kind, v->norm, v->input, HIDDEN, v->layers, v->directions,
                   v->residual);
    c.g = c.net;
    bind(&c.net, 0.6);
    bind(&c.g, 0);
    const size_t states = BATCH * recurrent_state(&c.net);
    c.x = new_random(STEPS * BATCH * v->input, 1);
    c.d_x = new_random(STEPS * BATCH * v->input, 1); /* to be overwritten */
    c.first = v->first ? new_random(states, 1) : NULL;
    c.d_first = new_random(states, 1);
    c.probe = new_random(STEPS * BATCH * recurrent_width(&c.net), 1);
    c.probe_last = new_random(states, 1);
    c.sequence = (struct recurrent_sequence){.steps = STEPS,
                                             .batch = BATCH,
                                             .lengths = v->lengths,
                                             .x = c.x,
                                             .first = c.first,
                                             .dropout_layer = v->dropout_layer,
                                             .dropout_state = v->dropout_state};
    return c;
}

/* Every pass draws the same masks. */
static void forward(const struct stack_case *c, struct recurrent_trace *trace, struct arena *arena)
{
    struct rng rng;
    rng_seed(&rng, SEED, 0);
    assert_int_equal(recurrent_forward(&c->net, &c->sequence, &rng, trace, arena, NULL), 0);
}

static double loss(void *context)
{
    const struct stack_case *c = context;
    struct recurrent_trace trace;
    struct arena arena;
    arena_init(&arena, 1 << 18);
    forward(c, &trace, &arena);
    const double sum = dot(STEPS * BATCH * recurrent_width(&c->net), trace.output, c->probe) +
                       dot(BATCH * recurrent_state(&c->net), trace.last, c->probe_last);
    arena_release(&arena);
    return sum;
}

static void backward(struct stack_case *c, real keep_x, real *d_x)
{
    struct recurrent_trace trace;
    const size_t count = STEPS * BATCH * recurrent_width(&c->net);
    real *d_output = new_reals(count);
    memcpy(d_output, c->probe, count * sizeof(real));
    forward(c, &trace, &test_arena);
    assert_int_equal(recurrent_backward(&c->net, &c->g, &c->sequence, &trace, d_output,
                                        c->probe_last, d_x, keep_x, c->d_first, &test_arena, NULL),
                     0);
}

static void check_layer(struct stack_case *c, size_t l, size_t d)
{
    struct cell_layer *layer = &c->net.layer[l][d];
    struct cell_tensor w[CELL_MAX_TENSORS], g[CELL_MAX_TENSORS];
    const size_t count = cell_tensors(layer, &layer->w, w);
    cell_tensors(&c->g.layer[l][d], &c->g.layer[l][d].w, g);
    for (size_t i = 0; i < count; i++) {
        char name[80];
        (void)snprintf(name, sizeof name, "%s, layer %zu, direction %zu, %s",
                       cell_names[layer->kind], l, d, w[i].name);
        check_gradient(name, loss, c, tensor_size(&w[i]), *w[i].slot, *g[i].slot);
    }
}

static void check_case(const struct variant *v)
{
    struct stack_case c = new_case(v);
    backward(&c, 0, c.d_x);
    for (size_t l = 0; l < v->layers; l++)
        for (size_t d = 0; d < v->directions; d++)
            check_layer(&c, l, d);
    check_gradient("x", loss, &c, STEPS * BATCH * v->input, c.x, c.d_x);
    if (v->first)
        check_gradient("first", loss, &c, BATCH * recurrent_state(&c.net), c.first, c.d_first);
}

static const struct variant variants[] = {
    {CELL_GRU, CELL_NORM_NONE, INPUT, 1, 2, false, false, mixed, 0, 0},
    {CELL_GRU, CELL_NORM_SEPARATE, INPUT, 2, 2, false, true, mixed, 0.3, 0.4},
    {CELL_LSTM, CELL_NORM_NONE, INPUT, 3, 1, true, true, NULL, 0.4, 0},
    {CELL_LSTM, CELL_NORM_JOINT, 2 * HIDDEN, 3, 2, true, true, mixed, 0.2, 0.3},
    {CELL_RNN_TANH, CELL_NORM_NONE, HIDDEN, 2, 1, true, false, mixed, 0, 0.2},
    {CELL_MUT1, CELL_NORM_NONE, INPUT, 2, 2, false, true, mixed, 0.2, 0.2},
};
#define VARIANTS (sizeof variants / sizeof *variants)

static void backward_everywhere(void **state)
{
    (void)state;
    for (size_t v = 0; v < VARIANTS; v++)
        check_case(&variants[v]);
}

/* Weight gradients add up, and with keep_x 1 so does d_x; without d_x, all else is the same. */
static void backward_adds(void **state)
{
    (void)state;
    for (size_t v = 0; v < VARIANTS; v++) {
        struct stack_case once = new_case(&variants[v]), twice = new_case(&variants[v]);
        backward(&once, 0, NULL);
        backward(&once, 0, once.d_x);
        backward(&twice, 0, twice.d_x);
        backward(&twice, 1, twice.d_x);
        for (size_t i = 0; i < STEPS * BATCH * variants[v].input; i++)
            assert_near(twice.d_x[i], 2 * once.d_x[i], 1e-11);
        for (size_t l = 0; l < variants[v].layers; l++)
            for (size_t i = 0; i < HIDDEN * HIDDEN; i++)
                assert_near(twice.g.layer[l][0].w.weight_hh[i], once.g.layer[l][0].w.weight_hh[i],
                            1e-11);
    }
}

/* The state after the last step is that of each sentence's own end, in the order of `first`. */
static void last_is_the_end_of_each_sentence(void **state)
{
    const struct variant variant = {CELL_LSTM, CELL_NORM_NONE, INPUT, 2, 2,
                                    false,     true,           mixed, 0, 0};
    struct stack_case c = new_case(&variant);
    struct recurrent_trace trace;
    (void)state;
    forward(&c, &trace, &test_arena);
    for (size_t b = 0; b < BATCH; b++) {
        const real *last = trace.last + b * recurrent_state(&c.net);
        const size_t end = (size_t)mixed[b] - 1;
        for (size_t l = 0; l < 2; l++)
            for (size_t d = 0; d < 2; d++) {
                const struct cell_run *run = &trace.run[l][d];
                const size_t row = ((d ? 0 : end) * BATCH + b) * HIDDEN;
                const real *of = last + (l * 2 + d) * 2 * HIDDEN;
                assert_memory_equal(of, run->h + row, HIDDEN * sizeof(real));
                assert_memory_equal(of + HIDDEN, run->c + row, HIDDEN * sizeof(real));
            }
        const real *top = trace.output + (end * BATCH + b) * 2 * HIDDEN;
        assert_memory_equal(top, last + 4 * HIDDEN, HIDDEN * sizeof(real));
    }
}

/* The reverse direction of a sentence is the forward direction of the sentence read backwards. */
static void reverse_reads_backwards(void **state)
{
    const struct variant variant = {
        CELL_GRU, CELL_NORM_SEPARATE, INPUT, 1, 2, false, false, NULL, 0, 0};
    struct stack_case c = new_case(&variant);
    struct stack_case turned = new_case(&variant);
    struct recurrent_trace trace, trace_turned;
    (void)state;
    for (size_t t = 0; t < STEPS; t++)
        memcpy(turned.x + t * BATCH * INPUT, c.x + (STEPS - 1 - t) * BATCH * INPUT,
               BATCH * INPUT * sizeof(real));
    turned.net.layer[0][0].w = c.net.layer[0][1].w;
    forward(&c, &trace, &test_arena);
    forward(&turned, &trace_turned, &test_arena);
    for (size_t t = 0; t < STEPS; t++)
        for (size_t b = 0; b < BATCH; b++)
            for (size_t i = 0; i < HIDDEN; i++)
                assert_near(trace.output[(t * BATCH + b) * 2 * HIDDEN + HIDDEN + i],
                            trace_turned.output[((STEPS - 1 - t) * BATCH + b) * 2 * HIDDEN + i],
                            1e-14);
}

/* A residual layer adds what is below it, before dropout, to what it would give by itself. */
static void residual_adds_what_is_below(void **state)
{
    const struct variant variant = {CELL_GRU, CELL_NORM_NONE, INPUT, 2,   1,
                                    true,     false,          mixed, 0.5, 0};
    struct stack_case c = new_case(&variant);
    struct recurrent_trace trace;
    (void)state;
    forward(&c, &trace, &test_arena);
    for (size_t i = 0; i < STEPS * BATCH * HIDDEN; i++) {
        const real below = trace.run[0][0].h[i];
        assert_near(trace.output[i], trace.run[1][0].h[i] + below, 1e-15);
        assert_near(trace.input[1][i], below * trace.input_mask[1][i], 1e-15);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(backward_everywhere, end_test),
        cmocka_unit_test_teardown(backward_adds, end_test),
        cmocka_unit_test_teardown(last_is_the_end_of_each_sentence, end_test),
        cmocka_unit_test_teardown(reverse_reads_backwards, end_test),
        cmocka_unit_test_teardown(residual_adds_what_is_below, end_test),
    };
    mat_use_one_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
