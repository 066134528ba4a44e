/*
 * One layer of every cell in double precision: backward passes against finite differences, with
 * every kind of normalisation, over sentences of different lengths, in either order of steps, with
 * dropout on the state and with a first state.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nn/cell.h"
#include "support/finite_difference.h"

#define STEPS 4
#define BATCH 3
#define INPUT 5
#define HIDDEN 6

static int end_test(void **state)
{
    (void)state;
    release_reals();
    return 0;
}

struct cell_case {
    struct cell_layer layer;
    struct cell_weights g;
    size_t steps;
    bool reverse, by_step; /* by_step: the input's products one step at a time */
    const int32_t *lengths;
    real *mask;
    real *x, *first[2], *probe[2]; /* [T, B, I], [B, H], [T, B, H]: of h and c */
    real *d_x, *d_first[2];
};

/* Random tensors of the layer's own sizes; gains around 1. */
static struct cell_weights new_tensors(const struct cell_layer *layer, double deviation)
{
    struct cell_weights w = {0};
    struct cell_tensor list[CELL_MAX_TENSORS];
    const size_t count = cell_tensors(layer, &w, list);
    for (size_t i = 0; i < count; i++) {
        const size_t size = list[i].rows * (list[i].columns ? list[i].columns : 1);
        *list[i].slot = new_random(size, deviation);
        for (size_t k = 0; deviation > 0 && !strncmp(list[i].name, "gain", 4) && k < size; k++)
            (*list[i].slot)[k] += 1;
    }
    return w;
}

static struct cell_before before_step(const struct cell_case *c, const struct cell_run *run,
                                      size_t n)
{
    if (n == 0)
        return (struct cell_before){c->first[0], c->first[1]};
    const size_t at = (c->reverse ? c->steps - n : n - 1) * BATCH * HIDDEN;
    return (struct cell_before){run->h + at, run->c ? run->c + at : NULL};
}

static void forward(const struct cell_case *c, struct cell_run *run, struct arena *arena)
{
    *run = (struct cell_run){.layer = &c->layer,
                             .steps = c->steps,
                             .batch = BATCH,
                             .lengths = c->lengths,
                             .state_mask = c->mask};
    const size_t I = c->layer.input;
    assert_int_equal(cell_run_begin(run, arena, NULL), 0);
    if (!c->by_step)
        cell_run_input(run, 0, c->steps, mat_of(c->x, I));
    for (size_t n = 0; n < c->steps; n++) {
        const size_t t = c->reverse ? c->steps - 1 - n : n;
        if (c->by_step)
            cell_run_input(run, t, 1, mat_of(c->x + t * BATCH * I, I));
        cell_run_step(run, t, before_step(c, run, n));
    }
}

/* The probe covers the states after a sentence's end too: they carry its last state on. c counts
   after the last step alone, as it does in a decoder. */
static double loss(void *context)
{
    const struct cell_case *c = context;
    struct arena arena;
    struct cell_run run;
    arena_init(&arena, 1 << 16);
    forward(c, &run, &arena);
    double sum = dot(c->steps * BATCH * HIDDEN, run.h, c->probe[0]);
    if (run.c)
        sum += dot(BATCH * HIDDEN, before_step(c, &run, c->steps).c, c->probe[1]);
    arena_release(&arena);
    return sum;
}

static void backward(struct cell_case *c, real keep_x)
{
    struct cell_run run;
    const size_t I = c->layer.input;
    forward(c, &run, &test_arena);
    assert_int_equal(cell_run_begin_back(&run, &test_arena, NULL), 0);
    memset(c->d_first[0], 0, BATCH * HIDDEN * sizeof(real));
    memcpy(c->d_first[1], c->probe[1], BATCH * HIDDEN * sizeof(real));
    for (size_t n = c->steps; n-- > 0;) {
        const size_t t = c->reverse ? c->steps - 1 - n : n;
        mat_add_scaled(BATCH * HIDDEN, 1, c->probe[0] + t * BATCH * HIDDEN, c->d_first[0]);
        cell_run_step_back(&run, t, before_step(c, &run, n), c->d_first[0], c->d_first[1]);
        if (c->by_step)
            cell_run_input_back(&run, t, 1, keep_x, mat_of(c->d_x + t * BATCH * I, I));
    }
    if (!c->by_step)
        cell_run_input_back(&run, 0, c->steps, keep_x, mat_of(c->d_x, I));
    cell_run_end_back(&run, &c->g, mat_of(c->x, I));
}

struct variant {
    size_t input, steps;
    bool reverse, by_step, drops;
    const int32_t *lengths;
};

static struct cell_case new_case(enum cell_kind kind, enum cell_norm norm, const struct variant *v)
{
    const real mask[] = {0, 2, 2, 0, 2, 0.5, 1.5};
    new_sequence(31);
    struct cell_case c = {
        .layer = {.kind = kind, .norm = norm, .input = v->input, .hidden = HIDDEN},
        .steps = v->steps,
        .reverse = v->reverse,
        .by_step = v->by_step,
        .lengths = v->lengths,
        .x = new_random(v->steps * BATCH * v->input, 1),
        .d_x = new_random(v->steps * BATCH * v->input, 1), /* to be overwritten */
    };
    for (size_t part = 0; part < 2; part++) {
        c.first[part] = new_random(BATCH * HIDDEN, 1);
        c.d_first[part] = new_reals(BATCH * HIDDEN);
        c.probe[part] = new_random(v->steps * BATCH * HIDDEN, 1);
    }
    c.mask = v->drops ? new_reals(BATCH * HIDDEN) : NULL;
    for (size_t i = 0; v->drops && i < BATCH * HIDDEN; i++)
        c.mask[i] = mask[i % (sizeof mask / sizeof *mask)];
    c.layer.w = new_tensors(&c.layer, 0.5);
    c.g = new_tensors(&c.layer, 0);
    return c;
}

static void check_case(enum cell_kind kind, enum cell_norm norm, const struct variant *v)
{
    struct cell_case c = new_case(kind, norm, v);
    struct cell_tensor w[CELL_MAX_TENSORS], g[CELL_MAX_TENSORS];
    char name[80];
    backward(&c, 0);
    const size_t count = cell_tensors(&c.layer, &c.layer.w, w);
    assert_int_equal(cell_tensors(&c.layer, &c.g, g), count);
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(name, sizeof name, "%s, %s, %s", cell_names[kind], cell_norm_names[norm],
                       w[i].name);
        check_gradient(name, loss, &c, w[i].rows * (w[i].columns ? w[i].columns : 1), *w[i].slot,
                       *g[i].slot);
    }
    (void)snprintf(name, sizeof name, "%s, %s, x", cell_names[kind], cell_norm_names[norm]);
    check_gradient(name, loss, &c, v->steps * BATCH * v->input, c.x, c.d_x);
    for (size_t part = 0; part < cell_state(kind); part++) {
        (void)snprintf(name, sizeof name, "%s, %s, first %s", cell_names[kind],
                       cell_norm_names[norm], part ? "c" : "h");
        check_gradient(name, loss, &c, BATCH * HIDDEN, c.first[part], c.d_first[part]);
    }
}

static const int32_t mixed[BATCH] = {2, STEPS, 1};
static const int32_t short_ones[BATCH] = {2, 3, 1}; /* nobody reaches the last step */

static void backward_everywhere(void **state)
{
    const struct variant variants[] = {
        {INPUT, STEPS, false, false, false, NULL}, {INPUT, STEPS, true, false, false, mixed},
        {HIDDEN, STEPS, false, true, true, mixed}, {INPUT, STEPS, true, true, true, short_ones},
        {HIDDEN, 1, false, false, false, NULL},
    };
    (void)state;
    for (size_t kind = 0; cell_names[kind]; kind++)
        for (size_t norm = 0; cell_norm_names[norm]; norm++)
            for (size_t v = 0; v < sizeof variants / sizeof *variants; v++)
                check_case((enum cell_kind)kind, (enum cell_norm)norm, &variants[v]);
}

/* Weight gradients add up, and with keep_x 1 so does d_x. */
static void backward_adds(void **state)
{
    const struct variant variant = {INPUT, STEPS, true, false, true, mixed};
    (void)state;
    for (size_t kind = 0; cell_names[kind]; kind++)
        for (size_t norm = 0; cell_norm_names[norm]; norm++) {
            struct cell_case once = new_case((enum cell_kind)kind, (enum cell_norm)norm, &variant);
            struct cell_case twice = new_case((enum cell_kind)kind, (enum cell_norm)norm, &variant);
            struct cell_tensor a[CELL_MAX_TENSORS], b[CELL_MAX_TENSORS];
            backward(&once, 0);
            backward(&twice, 0);
            backward(&twice, 1);
            const size_t count = cell_tensors(&once.layer, &once.g, a);
            cell_tensors(&twice.layer, &twice.g, b);
            for (size_t i = 0; i < count; i++)
                for (size_t k = 0; k < a[i].rows * (a[i].columns ? a[i].columns : 1); k++)
                    assert_near((*b[i].slot)[k], 2 * (*a[i].slot)[k], 1e-11);
            for (size_t i = 0; i < STEPS * BATCH * INPUT; i++)
                assert_near(twice.d_x[i], 2 * once.d_x[i], 1e-11);
        }
}

/* What stands in the padding of a batch changes neither the states nor the gradients. */
static void padding_is_ignored(void **state)
{
    (void)state;
    for (size_t kind = 0; cell_names[kind]; kind++)
        for (int reverse = 0; reverse < 2; reverse++) {
            const struct variant variant = {INPUT, STEPS, reverse, false, false, mixed};
            struct cell_case a = new_case((enum cell_kind)kind, CELL_NORM_SEPARATE, &variant);
            struct cell_case b = new_case((enum cell_kind)kind, CELL_NORM_SEPARATE, &variant);
            for (size_t t = 0; t < STEPS; t++)
                for (size_t row = 0; row < BATCH; row++)
                    for (size_t i = 0; t >= (size_t)mixed[row] && i < INPUT; i++)
                        b.x[(t * BATCH + row) * INPUT + i] = 1e3;
            assert_true(loss(&a) == loss(&b));
            backward(&a, 0);
            backward(&b, 0);
            assert_memory_equal(a.d_first[0], b.d_first[0], BATCH * HIDDEN * sizeof(real));
            for (size_t i = 0; i < STEPS * BATCH * INPUT; i++)
                assert_near(a.d_x[i], b.d_x[i], 1e-13);
            for (size_t i = 0; i < HIDDEN * INPUT; i++)
                assert_near(a.g.weight_ih[i], b.g.weight_ih[i], 1e-12);
            for (size_t i = 0; i < HIDDEN * HIDDEN; i++)
                assert_near(a.g.weight_hh[i], b.g.weight_hh[i], 1e-12);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(backward_everywhere, end_test),
        cmocka_unit_test_teardown(backward_adds, end_test),
        cmocka_unit_test_teardown(padding_is_ignored, end_test),
    };
    mat_use_one_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
