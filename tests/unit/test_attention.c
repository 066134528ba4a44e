/*
 * Attention of every kind in single precision: against PyTorch's numbers
 * (tests/golden/make_attention.py), and the functions for inference against those for training. An
 * error is the largest absolute difference over the largest absolute value of the golden tensor.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "nn/attention.h"
#include "support/golden.h"

#define MEMORY_STEPS 8
#define STEPS 6
#define BATCH 5
#define MEMORY 18
#define QUERY 11 /* MEMORY for dot */
#define HIDDEN 21

static struct safetensors file;
static struct arena arena;
static struct err err;

/* The tensor `kind``prefix``name`. */
static const float *golden(const char *kind, const char *prefix, const char *name, size_t count)
{
    char start[32];
    snprintf(start, sizeof start, "%s%s", kind, prefix);
    return golden_data(&file, start, name, count);
}

static float *zeros(size_t count)
{
    float *x = arena_alloc(&arena, count, sizeof *x, &err);
    assert_non_null(x);
    return x;
}

static float *writable(const float *from, size_t count)
{
    return memcpy(zeros(count), from, count * sizeof *from);
}

static size_t tensor_size(const struct attention_tensor *tensor)
{
    return tensor->rows * (tensor->columns ? tensor->columns : 1);
}

/* The golden inputs of one kind, forward already done. */
struct golden_case {
    char kind[16]; /* with a point */
    struct attention attention;
    int32_t lengths[BATCH];
    float *memory, *queries, *context;
    struct attention_run run;
};

static void forward(struct golden_case *c, size_t at_once)
{
    const size_t H = c->attention.query;
    assert_int_equal(attention_begin(&c->run, &arena, &err), 0);
    for (size_t t = 0; t < STEPS; t += at_once)
        attention_steps(&c->run, t, at_once, mat_of(c->queries + t * BATCH * H, H),
                        mat_of(c->context + t * BATCH * MEMORY, MEMORY));
}

static void open_case(struct golden_case *c, enum attention_kind kind, size_t at_once)
{
    struct attention_tensor list[ATTENTION_MAX_TENSORS];
    const size_t H = kind == ATTENTION_DOT ? MEMORY : QUERY;
    const float *lengths = golden("", "", "lengths", BATCH);
    *c = (struct golden_case){.attention = {kind, MEMORY, H, HIDDEN, {0}}};
    snprintf(c->kind, sizeof c->kind, "%s.", attention_names[kind]);
    const size_t count = attention_tensors(&c->attention, &c->attention.w, list);
    for (size_t i = 0; i < count; i++)
        *list[i].slot = writable(golden(c->kind, "", list[i].name, tensor_size(&list[i])),
                                 tensor_size(&list[i]));
    for (size_t b = 0; b < BATCH; b++)
        c->lengths[b] = (int32_t)lengths[b];
    c->memory = writable(golden(c->kind, "", "memory", MEMORY_STEPS * BATCH * MEMORY),
                         MEMORY_STEPS * BATCH * MEMORY);
    c->queries = writable(golden(c->kind, "", "queries", STEPS * BATCH * H), STEPS * BATCH * H);
    c->context = zeros(STEPS * BATCH * MEMORY);
    c->run = (struct attention_run){.attention = &c->attention,
                                    .memory_steps = MEMORY_STEPS,
                                    .query_steps = STEPS,
                                    .batch = BATCH,
                                    .lengths = c->lengths,
                                    .memory = c->memory};
    forward(c, at_once);
}

static void check_against_golden(enum attention_kind kind, size_t at_once)
{
    struct golden_case c;
    struct attention_weights g;
    struct attention_tensor list[ATTENTION_MAX_TENSORS];
    open_case(&c, kind, at_once);
    const size_t M = MEMORY_STEPS * BATCH * MEMORY, H = c.attention.query;
    const size_t Q = STEPS * BATCH * H, C = STEPS * BATCH * MEMORY;
    const size_t W = BATCH * STEPS * MEMORY_STEPS;
    const size_t count = attention_tensors(&c.attention, &g, list);
    const float *probe = golden(c.kind, "", "probe", C);
    float *d_memory = zeros(M), *d_queries = zeros(Q);
    golden_compare(c.kind, "weights", W, c.run.weights, golden(c.kind, "", "weights", W), 1e-6);
    golden_compare(c.kind, "context", C, c.context, golden(c.kind, "", "context", C), 1e-6);

    for (size_t i = 0; i < count; i++)
        *list[i].slot = zeros(tensor_size(&list[i]));
    assert_int_equal(attention_begin_back(&c.run, &arena, &err), 0);
    for (size_t t = 0; t < STEPS; t += at_once)
        attention_steps_back(&c.run, t, at_once, mat_of(c.queries + t * BATCH * H, H),
                             mat_of(probe + t * BATCH * MEMORY, MEMORY),
                             mat_of(d_queries + t * BATCH * H, H), d_memory);
    attention_end_back(&c.run, &g, mat_of(c.queries, H), d_memory);
    golden_compare(c.kind, "grad.memory", M, d_memory, golden(c.kind, "grad.", "memory", M), 2e-6);
    golden_compare(c.kind, "grad.queries", Q, d_queries, golden(c.kind, "grad.", "queries", Q),
                   2e-6);
    for (size_t i = 0; i < count; i++)
        golden_compare(c.kind, list[i].name, tensor_size(&list[i]), *list[i].slot,
                       golden(c.kind, "grad.", list[i].name, tensor_size(&list[i])), 2e-6);
}

static void as_pytorch(void **state)
{
    (void)state;
    for (enum attention_kind kind = ATTENTION_DOT; kind <= ATTENTION_ADDITIVE; kind++)
        for (size_t at_once = 1; at_once <= STEPS; at_once = at_once == 3 ? 6 : at_once + 1)
            check_against_golden(kind, at_once);
}

/* Rows at strides of which none is the width. */
#define MEMORY_STRIDE 32
#define KEYS_STRIDE 48
#define QUERY_STRIDE 24

/* Sentence b of the case at inference: memory and keys. */
static void project(const struct golden_case *c, const float *prepared, size_t b, float *memory,
                    float *keys)
{
    const size_t length = (size_t)c->lengths[b];
    for (size_t s = 0; s < length; s++)
        memcpy(memory + s * MEMORY_STRIDE, c->memory + (s * BATCH + b) * MEMORY,
               MEMORY * sizeof *memory);
    attention_project(&c->attention, prepared, length, memory, MEMORY_STRIDE, keys, KEYS_STRIDE);
}

static void check_inference(enum attention_kind kind)
{
    struct golden_case c;
    open_case(&c, kind, STEPS);
    const size_t H = c.attention.query;
    float *prepared = zeros(attention_prepared(&c.attention));
    float *memory = zeros(MEMORY_STEPS * MEMORY_STRIDE), *keys = zeros(MEMORY_STEPS * KEYS_STRIDE);
    float *queries = zeros(STEPS * QUERY_STRIDE), weights[MEMORY_STEPS], context[MEMORY];
    attention_prepare(&c.attention, prepared);
    assert_int_equal(attention_prepared(&c.attention),
                     kind == ATTENTION_GENERAL ? MEMORY * QUERY : 0);
    for (size_t b = 0; b < BATCH; b++) {
        const size_t length = (size_t)c.lengths[b];
        project(&c, prepared, b, memory, keys);
        for (size_t t = 0; t < STEPS; t++)
            memcpy(queries + t * QUERY_STRIDE, c.queries + (t * BATCH + b) * H,
                   H * sizeof *queries);
        float *projected = kind == ATTENTION_ADDITIVE ? zeros(STEPS * QUERY_STRIDE) : queries;
        attention_query(&c.attention, STEPS, queries, QUERY_STRIDE, projected, QUERY_STRIDE);
        for (size_t t = 0; t < STEPS; t++) {
            attention_step(&c.attention, length, memory, MEMORY_STRIDE, keys, KEYS_STRIDE,
                           projected + t * QUERY_STRIDE, weights, context);
            golden_compare(c.kind, "step weights", length, weights,
                           c.run.weights + (b * STEPS + t) * MEMORY_STEPS, 1e-5);
            golden_compare(c.kind, "step context", MEMORY, context,
                           c.context + (t * BATCH + b) * MEMORY, 1e-5);
        }
    }
}

static void inference_as_training(void **state)
{
    (void)state;
    for (enum attention_kind kind = ATTENTION_DOT; kind <= ATTENTION_ADDITIVE; kind++)
        check_inference(kind);
}

/* A query gives the same bytes alone and among others, and so does a state of the memory. */
static void same_bytes_alone(void **state)
{
    (void)state;
    for (enum attention_kind kind = ATTENTION_DOT; kind <= ATTENTION_ADDITIVE; kind++) {
        struct golden_case c;
        open_case(&c, kind, STEPS);
        const size_t H = c.attention.query, K = attention_keys(&c.attention);
        float *prepared = zeros(attention_prepared(&c.attention));
        float *memory = zeros(MEMORY_STEPS * MEMORY_STRIDE);
        float *keys = zeros(MEMORY_STEPS * KEYS_STRIDE), *own = zeros(KEYS_STRIDE);
        float *projected = zeros(STEPS * BATCH * HIDDEN);
        attention_prepare(&c.attention, prepared);
        project(&c, prepared, 0, memory, keys);
        for (size_t s = 0; s < MEMORY_STEPS; s++) {
            attention_project(&c.attention, prepared, 1, memory + s * MEMORY_STRIDE, MEMORY_STRIDE,
                              own, KEYS_STRIDE);
            assert_memory_equal(own, keys + s * KEYS_STRIDE, K * sizeof *own);
        }
        if (kind != ATTENTION_ADDITIVE)
            continue;
        attention_query(&c.attention, STEPS * BATCH, c.queries, H, projected, HIDDEN);
        for (size_t row = 0; row < STEPS * BATCH; row++) {
            attention_query(&c.attention, 1, c.queries + row * H, H, own, HIDDEN);
            assert_memory_equal(own, projected + row * HIDDEN, HIDDEN * sizeof *own);
        }
    }
}

/* First weights are Glorot's, the bias is zero, and no kind has other tensors than its own. */
static void first_weights(void **state)
{
    static const char *const names[][ATTENTION_MAX_TENSORS] = {
        {0}, {0}, {"weight"}, {"memory_weight", "query_weight", "v", "bias"}};
    (void)state;
    for (enum attention_kind kind = ATTENTION_DOT; kind <= ATTENTION_ADDITIVE; kind++) {
        struct attention attention = {kind, 30, kind == ATTENTION_DOT ? 30 : 20, 40, {0}};
        struct attention_tensor list[ATTENTION_MAX_TENSORS];
        struct rng rng;
        const size_t count = attention_tensors(&attention, &attention.w, list);
        for (size_t i = 0; i < count; i++) {
            assert_string_equal(list[i].name, names[kind][i]);
            *list[i].slot = zeros(tensor_size(&list[i]));
            (*list[i].slot)[0] = 9;
        }
        assert_true(count == ATTENTION_MAX_TENSORS || names[kind][count] == NULL);
        rng_seed(&rng, 1, 0);
        attention_init(&attention, &rng);
        for (size_t i = 0; i < count; i++) {
            const size_t columns = list[i].columns ? list[i].columns : 1;
            const double bound = sqrt(6.0 / (double)(list[i].rows + columns));
            double largest = 0;
            for (size_t k = 0; k < tensor_size(&list[i]); k++)
                largest = fmax(largest, fabs((double)(*list[i].slot)[k]));
            if (strcmp(list[i].name, "bias") == 0)
                assert_true(largest == 0);
            else
                assert_true(largest > 0.8 * bound && largest <= bound);
        }
    }
}

static int open_golden(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 16);
    golden_open(&file, "attention/golden.safetensors");
    return 0;
}

static int close_golden(void **state)
{
    (void)state;
    safetensors_close(&file);
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(as_pytorch, open_golden, close_golden),
        cmocka_unit_test_setup_teardown(inference_as_training, open_golden, close_golden),
        cmocka_unit_test_setup_teardown(same_bytes_alone, open_golden, close_golden),
        cmocka_unit_test_setup_teardown(first_weights, open_golden, close_golden),
    };
    mat_use_one_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
