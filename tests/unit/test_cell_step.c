/*
 * Inference of recurrent layers against training, in single precision: the same numbers, and for a
 * row the same bytes whatever other rows there are. And first values of weights.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "nn/init.h"
#include "nn/recurrent.h"

#define STEPS 6
#define ROWS 5
#define INPUT 21
#define HIDDEN 19
#define TOLERANCE 1e-5 /* relative above 1 */

static struct arena arena = {.block_size = 1 << 20};
static struct rng rng;

static int end_test(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static real *new_reals(size_t count)
{
    real *x = arena_alloc(&arena, count, sizeof *x, NULL);
    assert_non_null(x);
    return x;
}

static size_t tensor_size(const struct cell_tensor *tensor)
{
    return tensor->rows * (tensor->columns ? tensor->columns : 1);
}

static void bind(struct cell_layer *layer)
{
    struct cell_tensor list[CELL_MAX_TENSORS];
    const size_t count = cell_tensors(layer, &layer->w, list);
    for (size_t i = 0; i < count; i++) {
        *list[i].slot = new_reals(tensor_size(&list[i]));
        init_normal(tensor_size(&list[i]), 0.3, &rng, *list[i].slot);
    }
}

static struct cell_layer new_layer(enum cell_kind kind, enum cell_norm norm, size_t input)
{
    struct cell_layer layer = {.kind = kind, .norm = norm, .input = input, .hidden = HIDDEN};
    bind(&layer);
    return layer;
}

/* x [rows, width] with aligned rows, from x [rows, width] without. */
static real *aligned(size_t rows, size_t width, const real *x)
{
    real *copy = new_reals(rows * cell_stride(width));
    for (size_t r = 0; r < rows; r++)
        memcpy(copy + r * cell_stride(width), x + r * width, width * sizeof(real));
    return copy;
}

/* One row or all of them through every step: the states, rows cell_stride apart, of `rows` rows
   from `first`. x [T, ROWS, I]. */
static real *infer(const struct cell_layer *layer, size_t first, size_t rows, const real *x)
{
    const size_t I = layer->input, stride = cell_stride(cell_state(layer->kind) * HIDDEN);
    real *state = new_reals(rows * stride);
    real *products = new_reals(rows * cell_stride(cell_gates(layer->kind) * HIDDEN));
    real *scratch = new_reals(rows * cell_scratch(layer));
    for (size_t t = 0; t < STEPS; t++) {
        const real *step = aligned(rows, I, x + (t * ROWS + first) * I);
        cell_input(layer, rows, step, cell_stride(I), products);
        cell_step(layer, rows, products, state, stride, scratch);
    }
    return state;
}

static void assert_close(size_t count, const real *x, const real *y)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabs((double)x[i] - (double)y[i]) <= TOLERANCE * fmax(1, fabs((double)y[i]))))
            fail_msg("%g and %g differ", (double)x[i], (double)y[i]);
}

static void check_steps(enum cell_kind kind, enum cell_norm norm, size_t input)
{
    const struct cell_layer layer = new_layer(kind, norm, input);
    const size_t stride = cell_stride(cell_state(kind) * HIDDEN);
    real *x = new_reals(STEPS * ROWS * input), *zero = new_reals(ROWS * HIDDEN);
    struct cell_run run = {.layer = &layer, .steps = STEPS, .batch = ROWS};
    init_normal(STEPS * ROWS * input, 1, &rng, x);
    assert_int_equal(cell_run_begin(&run, &arena, NULL), 0);
    cell_run_input(&run, 0, STEPS, mat_of(x, input));
    for (size_t t = 0; t < STEPS; t++) {
        const size_t before = t ? (t - 1) * ROWS * HIDDEN : 0;
        cell_run_step(
            &run, t,
            (struct cell_before){t ? run.h + before : zero, t && run.c ? run.c + before : zero});
    }
    const real *together = infer(&layer, 0, ROWS, x);
    for (size_t r = 0; r < ROWS; r++) {
        const real *state = together + r * stride;
        const size_t last = ((STEPS - 1) * ROWS + r) * HIDDEN;
        assert_close(HIDDEN, state, run.h + last);
        if (run.c)
            assert_close(HIDDEN, state + HIDDEN, run.c + last);
        assert_memory_equal(infer(&layer, r, 1, x), state,
                            cell_state(kind) * HIDDEN * sizeof(real));
    }
}

static void steps_are_those_of_training(void **state)
{
    (void)state;
    rng_seed(&rng, 51, 0);
    for (size_t kind = 0; cell_names[kind]; kind++)
        for (size_t norm = 0; cell_norm_names[norm]; norm++) {
            check_steps((enum cell_kind)kind, (enum cell_norm)norm, INPUT);
            check_steps((enum cell_kind)kind, (enum cell_norm)norm, HIDDEN);
        }
}

struct seen { /* what a watch was told, against training's own */
    const struct recurrent_trace *trace;
    size_t steps;
};

static void check_seen(void *context, size_t l, size_t d, size_t t, const real *gates,
                       const real *state)
{
    struct seen *seen = context;
    const struct cell_run *run = &seen->trace->run[l][d];
    const size_t count = cell_gates(run->layer->kind) * HIDDEN;
    const char *letters = cell_letters(run->layer->kind);
    assert_int_equal(strlen(letters), cell_gates(run->layer->kind));
    assert_close(count, gates, run->products + t * count);
    assert_close(HIDDEN, state, run->h + t * HIDDEN);
    if (run->c)
        assert_close(HIDDEN, state + HIDDEN, run->c + t * HIDDEN);
    for (size_t i = 0; i < count && run->layer->kind != CELL_RNN_RELU; i++) {
        const bool candidate = strchr("gn", letters[i / HIDDEN]) != NULL;
        assert_true(gates[i] <= 1 && gates[i] >= (candidate ? -1 : 0));
    }
    seen->steps++;
}

static void check_encode(enum cell_kind kind, enum cell_norm norm, size_t layers, size_t directions,
                         bool residual)
{
    struct recurrent net;
    struct recurrent_trace trace;
    recurrent_size(&net, kind, norm, INPUT, HIDDEN, layers, directions, residual);
    for (size_t l = 0; l < layers; l++)
        for (size_t d = 0; d < directions; d++)
            bind(&net.layer[l][d]);
    const size_t width = recurrent_width(&net), states = recurrent_state(&net);
    real *x = new_reals(STEPS * INPUT);
    init_normal(STEPS * INPUT, 1, &rng, x);
    const struct recurrent_sequence sequence = {.steps = STEPS, .batch = 1, .x = x};
    assert_int_equal(recurrent_forward(&net, &sequence, NULL, &trace, &arena, NULL), 0);
    real *output = new_reals(STEPS * cell_stride(width)), *last = new_reals(states);
    recurrent_encode(&net, STEPS, aligned(STEPS, INPUT, x), NULL, output, last,
                     new_reals(recurrent_scratch(&net, STEPS)));
    for (size_t t = 0; t < STEPS; t++)
        assert_close(width, output + t * cell_stride(width), trace.output + t * width);
    assert_close(states, last, trace.last);
    struct seen seen = {.trace = &trace};
    const struct recurrent_watch watch = {&seen, check_seen};
    recurrent_encode_watched(&net, STEPS, aligned(STEPS, INPUT, x), NULL, output, last,
                             new_reals(recurrent_scratch(&net, STEPS)), &watch);
    assert_int_equal(seen.steps, layers * directions * STEPS);
}

#define SENTENCES 9

/* Sentences of many lengths together, some of the same, with and without a first state. */
static void check_many(enum cell_kind kind, enum cell_norm norm, size_t layers, size_t directions,
                       bool residual)
{
    static const size_t steps[SENTENCES] = {11, 7, 7, 5, 4, 4, 4, 1, 1};
    struct recurrent net;
    struct recurrent_item items[SENTENCES];
    const size_t total = 44;
    recurrent_size(&net, kind, norm, INPUT, HIDDEN, layers, directions, residual);
    for (size_t l = 0; l < layers; l++)
        for (size_t d = 0; d < directions; d++)
            bind(&net.layer[l][d]);
    const size_t width = cell_stride(recurrent_width(&net)), states = recurrent_state(&net);
    real *rows = new_reals(total * INPUT);
    init_normal(total * INPUT, 1, &rng, rows);
    const real *x = aligned(total, INPUT, rows);
    for (size_t b = 0; b < SENTENCES; b++) {
        real *first = new_reals(states);
        init_normal(states, 1, &rng, first);
        items[b] = (struct recurrent_item){.steps = steps[b],
                                           .first = b % 2 ? first : NULL,
                                           .output = new_reals(steps[b] * width),
                                           .last = new_reals(states)};
    }
    recurrent_encode_many(&net, items, SENTENCES, x,
                          new_reals(recurrent_scratch_many(&net, total, SENTENCES)));
    for (size_t b = 0; b < SENTENCES; x += steps[b++] * cell_stride(INPUT)) {
        real *output = new_reals(steps[b] * width), *last = new_reals(states);
        recurrent_encode(&net, steps[b], x, items[b].first, output, last,
                         new_reals(recurrent_scratch(&net, steps[b])));
        assert_memory_equal(output, items[b].output, steps[b] * width * sizeof(real));
        assert_memory_equal(last, items[b].last, states * sizeof(real));
    }
}

static void sentences_encode_together_as_alone(void **state)
{
    (void)state;
    rng_seed(&rng, 53, 0);
    for (size_t kind = 0; cell_names[kind]; kind++)
        for (size_t layers = 1; layers <= 4; layers++)
            for (size_t directions = 1; directions <= 2; directions++)
                check_many((enum cell_kind)kind, (enum cell_norm)(layers % 3), layers, directions,
                           layers % 2 == 0);
}

static void encoding_is_that_of_training(void **state)
{
    (void)state;
    rng_seed(&rng, 52, 0);
    for (size_t kind = 0; cell_names[kind]; kind++)
        for (size_t layers = 1; layers <= 3; layers++)
            for (size_t directions = 1; directions <= 2; directions++)
                for (int residual = 0; residual < 2; residual++)
                    check_encode((enum cell_kind)kind, (enum cell_norm)(layers % 3), layers,
                                 directions, residual);
}

static void assert_within(size_t count, const real *x, double bound)
{
    double largest = 0;
    for (size_t i = 0; i < count; i++)
        largest = fmax(largest, fabs((double)x[i]));
    assert_true(largest <= bound && largest > bound / 2);
}

static void uniform_is_within_its_bound(void **state)
{
    const struct cell_init_settings settings = {.kind = CELL_INIT_UNIFORM};
    const struct cell_layer layer = new_layer(CELL_LSTM, CELL_NORM_SEPARATE, INPUT);
    (void)state;
    cell_init(&layer, &settings, &rng);
    assert_within(4 * HIDDEN * INPUT, layer.w.weight_ih, 1 / sqrt(HIDDEN));
    assert_within(4 * HIDDEN * HIDDEN, layer.w.weight_hh, 1 / sqrt(HIDDEN));
    assert_within(4 * HIDDEN, layer.w.bias_ih, 1 / sqrt(HIDDEN));
    assert_within(4 * HIDDEN, layer.w.bias_hh, 1 / sqrt(HIDDEN));
    for (size_t i = 0; i < 4 * HIDDEN; i++) {
        assert_true(layer.w.gain_ih[i] == 1 && layer.w.gain_hh[i] == 1);
        assert_true(layer.w.shift_ih[i] == 0 && layer.w.shift_hh[i] == 0);
    }
}

static void glorot_is_by_gate(void **state)
{
    const struct cell_init_settings settings = {.kind = CELL_INIT_GLOROT, .forget_bias = 1.5};
    const struct cell_layer layer = new_layer(CELL_LSTM, CELL_NORM_NONE, INPUT);
    (void)state;
    cell_init(&layer, &settings, &rng);
    assert_within(4 * HIDDEN * INPUT, layer.w.weight_ih, sqrt(6.0 / (HIDDEN + INPUT)));
    assert_within(4 * HIDDEN * HIDDEN, layer.w.weight_hh, sqrt(6.0 / (HIDDEN + HIDDEN)));
    for (size_t i = 0; i < 4 * HIDDEN; i++) {
        assert_true(layer.w.bias_ih[i] == (i / HIDDEN == 1 ? 1.5f : 0));
        assert_true(layer.w.bias_hh[i] == 0);
    }
}

static void orthogonal_is_orthogonal(void **state)
{
    const struct cell_init_settings settings = {.kind = CELL_INIT_ORTHOGONAL, .forget_bias = 1};
    const struct cell_layer layer = new_layer(CELL_GRU, CELL_NORM_NONE, INPUT);
    (void)state;
    cell_init(&layer, &settings, &rng);
    assert_within(3 * HIDDEN * INPUT, layer.w.weight_ih, sqrt(6.0 / (HIDDEN + INPUT)));
    for (size_t i = 0; i < 3 * HIDDEN; i++)
        assert_true(layer.w.bias_ih[i] == 0 && layer.w.bias_hh[i] == 0);
    for (size_t gate = 0; gate < 3; gate++)
        for (size_t a = 0; a < HIDDEN; a++)
            for (size_t b = 0; b < HIDDEN; b++) {
                const real *u = layer.w.weight_hh + gate * HIDDEN * HIDDEN;
                double sum = a == b ? -1 : 0;
                for (size_t i = 0; i < HIDDEN; i++)
                    sum += (double)u[a * HIDDEN + i] * (double)u[b * HIDDEN + i];
                assert_true(fabs(sum) < 1e-6);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(steps_are_those_of_training, end_test),
        cmocka_unit_test_teardown(encoding_is_that_of_training, end_test),
        cmocka_unit_test_teardown(sentences_encode_together_as_alone, end_test),
        cmocka_unit_test_teardown(uniform_is_within_its_bound, end_test),
        cmocka_unit_test_teardown(glorot_is_by_gate, end_test),
        cmocka_unit_test_teardown(orthogonal_is_orthogonal, end_test),
    };
    mat_use_one_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
