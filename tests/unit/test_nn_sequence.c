/*
 * The GRU and the attention over whole sequences, in double precision: backward passes against
 * finite differences, over sentences of different lengths, in both directions.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "nn/attention_general.h"
#include "nn/cell_gru.h"
#include "support/finite_difference.h"

#define STEPS 4
#define BATCH 3
#define INPUT 5
#define HIDDEN 6
#define STRIDE                                                                                     \
    (2 * HIDDEN + 1) /* states are a part of wider rows, as in a bidirectional encoder             \
                      */

static int end_test(void **state)
{
    (void)state;
    release_reals();
    return 0;
}

struct gru_case {
    struct gru_shape shape;
    struct gru_weights w, g;
    real *x, *first, *states, *probe;
    real *d_x, *d_first;
};

static struct gru_weights new_gru(double deviation)
{
    return (struct gru_weights){
        new_random(3 * HIDDEN * INPUT, deviation), new_random(3 * HIDDEN * HIDDEN, deviation),
        new_random(3 * HIDDEN, deviation), new_random(3 * HIDDEN, deviation)};
}

/* The probe covers the states after a sentence's end too: they carry its last state on. */
static double gru_loss(void *context)
{
    struct gru_case *c = context;
    struct arena arena;
    struct gru_cache cache;
    arena_init(&arena, 1 << 16);
    const int status = gru_forward(&c->w, &c->shape, c->x, c->first, mat_of(c->states, STRIDE),
                                   &cache, &arena, NULL);
    arena_release(&arena);
    assert_int_equal(status, 0);
    return dot(c->shape.steps * BATCH * STRIDE, c->states, c->probe);
}

static void gru_gradients(struct gru_case *c, real keep_x)
{
    struct gru_cache cache;
    assert_int_equal(gru_forward(&c->w, &c->shape, c->x, c->first, mat_of(c->states, STRIDE),
                                 &cache, &test_arena, NULL),
                     0);
    assert_int_equal(gru_backward(&c->w, &c->g, &c->shape, c->x, c->first,
                                  mat_of(c->states, STRIDE), &cache, mat_of(c->probe, STRIDE),
                                  c->d_x, keep_x, c->first ? c->d_first : NULL, &test_arena, NULL),
                     0);
}

static struct gru_case new_gru_case(size_t steps, bool reverse, const int32_t *lengths, bool first)
{
    new_sequence(21);
    return (struct gru_case){
        .shape = {steps, BATCH, INPUT, HIDDEN, reverse, lengths},
        .w = new_gru(0.5),
        .g = new_gru(0),
        .x = new_random(steps * BATCH * INPUT, 1),
        .first = first ? new_random(BATCH * HIDDEN, 1) : NULL,
        .states = new_reals(steps * BATCH * STRIDE),
        .probe = new_random(steps * BATCH * STRIDE, 1),
        .d_x = new_random(steps * BATCH * INPUT, 1), /* to be overwritten */
        .d_first = new_reals(BATCH * HIDDEN),
    };
}

static void check_gru(size_t steps, bool reverse, const int32_t *lengths, bool first)
{
    struct gru_case c = new_gru_case(steps, reverse, lengths, first);
    gru_gradients(&c, 0);
    check_gradient("x", gru_loss, &c, steps * BATCH * INPUT, c.x, c.d_x);
    if (first)
        check_gradient("first", gru_loss, &c, BATCH * HIDDEN, c.first, c.d_first);
    check_gradient("weight_ih", gru_loss, &c, 3 * HIDDEN * INPUT, c.w.weight_ih, c.g.weight_ih);
    if (steps > 1 || first)
        check_gradient("weight_hh", gru_loss, &c, 3 * HIDDEN * HIDDEN, c.w.weight_hh,
                       c.g.weight_hh);
    check_gradient("bias_ih", gru_loss, &c, 3 * HIDDEN, c.w.bias_ih, c.g.bias_ih);
    check_gradient("bias_hh", gru_loss, &c, 3 * HIDDEN, c.w.bias_hh, c.g.bias_hh);
}

static void gru_backward_everywhere(void **state)
{
    static const int32_t mixed[BATCH] = {2, STEPS, 1};
    static const int32_t short_ones[BATCH] = {2, 3, 1}; /* nobody reaches the last step */
    (void)state;
    for (int reverse = 0; reverse < 2; reverse++)
        for (int first = 0; first < 2; first++) {
            check_gru(STEPS, reverse, mixed, first);
            check_gru(STEPS, reverse, short_ones, first);
            check_gru(STEPS, reverse, NULL, first);
            check_gru(1, reverse, NULL, first);
        }
}

/* Weight gradients add up, and with keep_x 1 so does d_x. */
static void gru_backward_adds(void **state)
{
    static const int32_t mixed[BATCH] = {2, STEPS, 1};
    struct gru_case once = new_gru_case(STEPS, true, mixed, true);
    struct gru_case twice = new_gru_case(STEPS, true, mixed, true);
    (void)state;
    gru_gradients(&once, 0);
    gru_gradients(&twice, 0);
    gru_gradients(&twice, 1);
    for (size_t i = 0; i < STEPS * BATCH * INPUT; i++)
        assert_near(twice.d_x[i], 2 * once.d_x[i], 1e-12);
    for (size_t i = 0; i < 3 * HIDDEN * HIDDEN; i++)
        assert_near(twice.g.weight_hh[i], 2 * once.g.weight_hh[i], 1e-12);
    for (size_t i = 0; i < 3 * HIDDEN; i++)
        assert_near(twice.g.bias_ih[i], 2 * once.g.bias_ih[i], 1e-12);
}

/* What stands in the padding of a batch changes neither the states nor the gradients. */
static void gru_ignores_padding(void **state)
{
    static const int32_t mixed[BATCH] = {2, STEPS, 1};
    (void)state;
    for (int reverse = 0; reverse < 2; reverse++) {
        struct gru_case a = new_gru_case(STEPS, reverse, mixed, true);
        struct gru_case b = new_gru_case(STEPS, reverse, mixed, true);
        for (size_t t = 0; t < STEPS; t++)
            for (size_t row = 0; row < BATCH; row++)
                for (size_t i = 0; t >= (size_t)mixed[row] && i < INPUT; i++)
                    b.x[(t * BATCH + row) * INPUT + i] = 1e3;
        gru_gradients(&a, 0);
        gru_gradients(&b, 0);
        assert_memory_equal(a.states, b.states, STEPS * BATCH * STRIDE * sizeof(real));
        assert_memory_equal(a.d_first, b.d_first, BATCH * HIDDEN * sizeof(real));
        for (size_t i = 0; i < STEPS * BATCH * INPUT; i++)
            assert_near(a.d_x[i], b.d_x[i], 1e-13);
        for (size_t i = 0; i < 3 * HIDDEN * INPUT; i++)
            assert_near(a.g.weight_ih[i], b.g.weight_ih[i], 1e-13);
    }
}

#define MEMORY_STEPS 5
#define MEMORY 4

struct attention_case {
    struct general_attention_shape shape;
    struct general_attention_cache cache;
    real *w, *memory, *queries, *context, *probe;
};

static double attention_loss(void *context)
{
    struct attention_case *c = context;
    struct general_attention_cache cache;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    const int status = general_attention_forward(&c->shape, c->w, c->memory, c->queries, c->context,
                                                 &cache, &arena, NULL);
    arena_release(&arena);
    assert_int_equal(status, 0);
    return dot(STEPS * BATCH * MEMORY, c->context, c->probe);
}

static void attention_gradients(void **state)
{
    static const int32_t lengths[BATCH] = {3, MEMORY_STEPS, 2};
    new_sequence(22);
    struct attention_case c = {
        .shape = {MEMORY_STEPS, STEPS, BATCH, MEMORY, HIDDEN, lengths},
        .w = new_random(MEMORY * HIDDEN, 0.5),
        .memory = new_random(MEMORY_STEPS * BATCH * MEMORY, 1),
        .queries = new_random(STEPS * BATCH * HIDDEN, 1),
        .context = new_random(STEPS * BATCH * MEMORY, 1),
        .probe = new_random(STEPS * BATCH * MEMORY, 1),
    };
    real *d_w = new_reals(MEMORY * HIDDEN);
    real *d_memory = new_reals(MEMORY_STEPS * BATCH * MEMORY);
    real *d_queries = new_reals(STEPS * BATCH * HIDDEN);
    (void)state;
    assert_int_equal(general_attention_forward(&c.shape, c.w, c.memory, c.queries, c.context,
                                               &c.cache, &test_arena, NULL),
                     0);
    assert_int_equal(general_attention_backward(&c.shape, c.w, c.memory, c.queries, &c.cache,
                                                c.probe, d_w, d_memory, d_queries, &test_arena,
                                                NULL),
                     0);
    check_gradient("attention w", attention_loss, &c, MEMORY * HIDDEN, c.w, d_w);
    check_gradient("attention memory", attention_loss, &c, MEMORY_STEPS * BATCH * MEMORY, c.memory,
                   d_memory);
    check_gradient("attention queries", attention_loss, &c, STEPS * BATCH * HIDDEN, c.queries,
                   d_queries);
    for (size_t b = 0; b < BATCH; b++)
        for (size_t t = 0; t < STEPS; t++) {
            const real *a = c.cache.weights + (b * STEPS + t) * MEMORY_STEPS;
            double sum = 0;
            for (size_t s = 0; s < MEMORY_STEPS; s++) {
                assert_true(s < (size_t)lengths[b] ? a[s] > 0 : a[s] == 0);
                sum += a[s];
            }
            assert_near(sum, 1, 1e-14);
        }
}

/* All three gradients are added to what the caller holds. */
static void attention_backward_adds(void **state)
{
    static const int32_t lengths[BATCH] = {3, MEMORY_STEPS, 2};
    const struct general_attention_shape shape = {MEMORY_STEPS, STEPS,  BATCH,
                                                  MEMORY,       HIDDEN, lengths};
    const size_t counts[3] = {MEMORY * HIDDEN, MEMORY_STEPS * BATCH * MEMORY,
                              STEPS * BATCH * HIDDEN};
    struct general_attention_cache cache;
    real *once[3], *twice[3];
    new_sequence(23);
    const real *w = new_random(counts[0], 0.5), *memory = new_random(counts[1], 1);
    const real *queries = new_random(counts[2], 1);
    const real *d_context = new_random(STEPS * BATCH * MEMORY, 1);
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        once[i] = new_reals(counts[i]);
        twice[i] = new_reals(counts[i]);
    }
    assert_int_equal(general_attention_forward(&shape, w, memory, queries,
                                               new_reals(STEPS * BATCH * MEMORY), &cache,
                                               &test_arena, NULL),
                     0);
    for (int run = 0; run < 3; run++) {
        real **d = run == 0 ? once : twice;
        assert_int_equal(general_attention_backward(&shape, w, memory, queries, &cache, d_context,
                                                    d[0], d[1], d[2], &test_arena, NULL),
                         0);
    }
    for (size_t i = 0; i < 3; i++)
        for (size_t k = 0; k < counts[i]; k++)
            assert_near(twice[i][k], 2 * once[i][k], 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(gru_backward_everywhere, end_test),
        cmocka_unit_test_teardown(gru_backward_adds, end_test),
        cmocka_unit_test_teardown(gru_ignores_padding, end_test),
        cmocka_unit_test_teardown(attention_gradients, end_test),
        cmocka_unit_test_teardown(attention_backward_adds, end_test),
    };
    mat_use_one_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
