/*
 * Attention of every kind in double precision: backward passes against finite differences, over
 * memories of different lengths, steps taken all at once, in pieces and one by one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "nn/attention.h"
#include "support/finite_difference.h"

#define MEMORY_STEPS 6
#define STEPS 5
#define BATCH 4
#define WIDTH 7   /* of a state of the memory */
#define HIDDEN 19 /* of additive attention: over and not a multiple of the lanes of a sum */
/* Queries and contexts are parts of wider rows. */
#define QUERY_STRIDE (WIDTH + 2)
#define CONTEXT_STRIDE (WIDTH + 1)

static const int32_t mixed[BATCH] = {3, MEMORY_STEPS, 1, 5};
static const int32_t short_ones[BATCH] = {3, 2, 1, 4}; /* nobody reaches the memory's end */

static int end_test(void **state)
{
    (void)state;
    release_reals();
    return 0;
}

struct attention_case {
    struct attention attention;
    const int32_t *lengths;
    size_t at_once; /* steps */
    real *memory, *queries, *context, *probe;
    struct attention_weights g;
    real *d_memory, *d_queries, *weights;
};

static size_t tensor_size(const struct attention_tensor *tensor)
{
    return tensor->rows * (tensor->columns ? tensor->columns : 1);
}

static void new_weights(const struct attention *attention, struct attention_weights *w,
                        double deviation)
{
    struct attention_tensor list[ATTENTION_MAX_TENSORS];
    const size_t count = attention_tensors(attention, w, list);
    for (size_t i = 0; i < count; i++)
        *list[i].slot = new_random(tensor_size(&list[i]), deviation);
}

/* General and additive attention allow queries of another width than the memory's. */
static struct attention_case new_case(enum attention_kind kind, const int32_t *lengths,
                                      size_t at_once)
{
    const size_t query = kind == ATTENTION_DOT ? WIDTH : WIDTH - 2;
    new_sequence(31);
    struct attention_case c = {
        .attention = {kind, WIDTH, query, HIDDEN, {0}},
        .lengths = lengths,
        .at_once = at_once,
        .memory = new_random(MEMORY_STEPS * BATCH * WIDTH, 1),
        .queries = new_random(STEPS * BATCH * QUERY_STRIDE, 1),
        .context = new_reals(STEPS * BATCH * CONTEXT_STRIDE),
        .probe = new_random(STEPS * BATCH * CONTEXT_STRIDE, 1),
        .d_memory = new_reals(MEMORY_STEPS * BATCH * WIDTH),
        .d_queries = new_reals(STEPS * BATCH * QUERY_STRIDE),
    };
    new_weights(&c.attention, &c.attention.w, 0.5);
    new_weights(&c.attention, &c.g, 0);
    return c;
}

static struct attention_run new_run(const struct attention_case *c)
{
    return (struct attention_run){.attention = &c->attention,
                                  .memory_steps = MEMORY_STEPS,
                                  .query_steps = STEPS,
                                  .batch = BATCH,
                                  .lengths = c->lengths,
                                  .memory = c->memory};
}

static struct mat query_rows(real *x, size_t t)
{
    return mat_of(x + t * BATCH * QUERY_STRIDE, QUERY_STRIDE);
}

static struct mat context_rows(real *x, size_t t)
{
    return mat_of(x + t * BATCH * CONTEXT_STRIDE, CONTEXT_STRIDE);
}

static void forward(struct attention_case *c, struct attention_run *run, struct arena *arena)
{
    assert_int_equal(attention_begin(run, arena, NULL), 0);
    for (size_t t = 0; t < STEPS; t += c->at_once) {
        const size_t count = STEPS - t < c->at_once ? STEPS - t : c->at_once;
        attention_steps(run, t, count, query_rows(c->queries, t), context_rows(c->context, t));
    }
}

static double loss(void *context)
{
    struct attention_case *c = context;
    struct attention_run run = new_run(c);
    struct arena arena;
    double sum = 0;
    arena_init(&arena, 1 << 16);
    forward(c, &run, &arena);
    for (size_t row = 0; row < STEPS * BATCH; row++)
        sum += dot(WIDTH, c->context + row * CONTEXT_STRIDE, c->probe + row * CONTEXT_STRIDE);
    arena_release(&arena);
    return sum;
}

static void back(struct attention_case *c)
{
    struct attention_run run = new_run(c);
    forward(c, &run, &test_arena);
    c->weights = run.weights;
    assert_int_equal(attention_begin_back(&run, &test_arena, NULL), 0);
    for (size_t end = STEPS; end > 0;) {
        const size_t count = end < c->at_once ? end : c->at_once;
        end -= count;
        attention_steps_back(&run, end, count, query_rows(c->queries, end),
                             context_rows(c->probe, end), query_rows(c->d_queries, end),
                             c->d_memory);
    }
    attention_end_back(&run, &c->g, query_rows(c->queries, 0), c->d_memory);
}

static void check_kind(enum attention_kind kind, const int32_t *lengths, size_t at_once)
{
    struct attention_case c = new_case(kind, lengths, at_once);
    struct attention_tensor w[ATTENTION_MAX_TENSORS], g[ATTENTION_MAX_TENSORS];
    const size_t count = attention_tensors(&c.attention, &c.attention.w, w);
    attention_tensors(&c.attention, &c.g, g);
    back(&c);
    check_gradient("memory", loss, &c, MEMORY_STEPS * BATCH * WIDTH, c.memory, c.d_memory);
    check_gradient("queries", loss, &c, STEPS * BATCH * QUERY_STRIDE, c.queries, c.d_queries);
    for (size_t i = 0; i < count; i++)
        check_gradient(w[i].name, loss, &c, tensor_size(&w[i]), *w[i].slot, *g[i].slot);
}

static void gradients(void **state)
{
    (void)state;
    for (enum attention_kind kind = ATTENTION_DOT; kind <= ATTENTION_ADDITIVE; kind++)
        for (size_t at_once = 1; at_once <= STEPS; at_once += 2) {
            check_kind(kind, mixed, at_once);
            check_kind(kind, short_ones, at_once);
        }
}

static void assert_all_near(const char *name, size_t count, const real *x, const real *y)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabs(x[i] - y[i]) <= 1e-13))
            fail_msg("%s: entry %zu is %.17g or %.17g", name, i, x[i], y[i]);
}

/* How many steps are taken at once makes no difference, and what is between the rows stays. */
static void all_at_once_and_one_by_one(void **state)
{
    (void)state;
    for (enum attention_kind kind = ATTENTION_DOT; kind <= ATTENTION_ADDITIVE; kind++) {
        struct attention_case all = new_case(kind, mixed, STEPS);
        back(&all);
        for (size_t at_once = 1; at_once < STEPS; at_once++) {
            struct attention_case some = new_case(kind, mixed, at_once);
            struct attention_tensor a[ATTENTION_MAX_TENSORS], s[ATTENTION_MAX_TENSORS];
            const size_t count = attention_tensors(&all.attention, &all.g, a);
            attention_tensors(&some.attention, &some.g, s);
            back(&some);
            assert_all_near("context", STEPS * BATCH * CONTEXT_STRIDE, all.context, some.context);
            assert_all_near("weights", BATCH * STEPS * MEMORY_STEPS, all.weights, some.weights);
            assert_all_near("d_memory", MEMORY_STEPS * BATCH * WIDTH, all.d_memory, some.d_memory);
            assert_all_near("d_queries", STEPS * BATCH * QUERY_STRIDE, all.d_queries,
                            some.d_queries);
            for (size_t i = 0; i < count; i++)
                assert_all_near(a[i].name, tensor_size(&a[i]), *a[i].slot, *s[i].slot);
        }
        for (size_t row = 0; row < STEPS * BATCH; row++)
            assert_true(all.context[row * CONTEXT_STRIDE + WIDTH] == 0);
    }
}

/* Weights are a distribution over the sentence, and nothing looks beyond its end. */
static void lengths_are_kept(void **state)
{
    (void)state;
    for (enum attention_kind kind = ATTENTION_DOT; kind <= ATTENTION_ADDITIVE; kind++)
        for (size_t at_once = 1; at_once <= STEPS; at_once += STEPS - 1) {
            struct attention_case c = new_case(kind, mixed, at_once);
            struct attention_case other = new_case(kind, mixed, at_once);
            for (size_t row = 0; row < MEMORY_STEPS * BATCH; row++)
                for (size_t d = 0; row / BATCH >= (size_t)mixed[row % BATCH] && d < WIDTH; d++)
                    other.memory[row * WIDTH + d] = 1e3;
            back(&c);
            back(&other);
            assert_memory_equal(c.context, other.context,
                                STEPS * BATCH * CONTEXT_STRIDE * sizeof(real));
            assert_memory_equal(c.d_queries, other.d_queries,
                                STEPS * BATCH * QUERY_STRIDE * sizeof(real));
            assert_memory_equal(c.d_memory, other.d_memory,
                                MEMORY_STEPS * BATCH * WIDTH * sizeof(real));
            for (size_t row = 0; row < BATCH * STEPS; row++) {
                const real *a = c.weights + row * MEMORY_STEPS;
                double sum = 0;
                for (size_t s = 0; s < MEMORY_STEPS; s++) {
                    assert_true(s < (size_t)mixed[row / STEPS] ? a[s] > 0 : a[s] == 0);
                    sum += a[s];
                }
                assert_near(sum, 1, 1e-14);
            }
        }
}

/* All gradients are added to what the caller holds. */
static void backward_adds(void **state)
{
    (void)state;
    for (enum attention_kind kind = ATTENTION_DOT; kind <= ATTENTION_ADDITIVE; kind++)
        for (size_t at_once = 1; at_once <= STEPS; at_once += STEPS - 1) {
            struct attention_case once = new_case(kind, mixed, at_once);
            struct attention_case thrice = new_case(kind, mixed, at_once);
            struct attention_tensor o[ATTENTION_MAX_TENSORS], t[ATTENTION_MAX_TENSORS];
            const size_t count = attention_tensors(&once.attention, &once.g, o);
            attention_tensors(&thrice.attention, &thrice.g, t);
            back(&once);
            for (int i = 0; i < 3; i++)
                back(&thrice);
            for (size_t i = 0; i < MEMORY_STEPS * BATCH * WIDTH; i++)
                assert_near(thrice.d_memory[i], 3 * once.d_memory[i], 1e-12);
            for (size_t i = 0; i < STEPS * BATCH * QUERY_STRIDE; i++)
                assert_near(thrice.d_queries[i], 3 * once.d_queries[i], 1e-12);
            for (size_t i = 0; i < count; i++)
                for (size_t k = 0; k < tensor_size(&o[i]); k++)
                    assert_near((*t[i].slot)[k], 3 * (*o[i].slot)[k], 1e-12);
        }
}

/* An allocation that fails is an error, whichever it is. */
static void failed_allocations(void **state)
{
    (void)state;
    for (enum attention_kind kind = ATTENTION_DOT; kind <= ATTENTION_ADDITIVE; kind++) {
        struct attention_case c = new_case(kind, mixed, STEPS);
        int code = ERR_MEMORY;
        for (long n = 1; code == ERR_MEMORY; n++) {
            struct attention_run run = new_run(&c);
            struct err err = ERR_INIT;
            struct arena arena;
            arena_init(&arena, 1); /* a block for each allocation */
            mem_fail_at(n);
            code = attention_begin(&run, &arena, &err);
            if (code == 0)
                code = attention_begin_back(&run, &arena, &err);
            mem_fail_at(0);
            arena_release(&arena);
            assert_int_equal(code, err.code);
            assert_true(n <= 8);
        }
        assert_int_equal(code, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(gradients, end_test),
        cmocka_unit_test_teardown(all_at_once_and_one_by_one, end_test),
        cmocka_unit_test_teardown(lengths_are_kept, end_test),
        cmocka_unit_test_teardown(backward_adds, end_test),
        cmocka_unit_test_teardown(failed_allocations, end_test),
    };
    mat_use_one_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
