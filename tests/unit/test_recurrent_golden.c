/*
 * Stacks of recurrent layers against golden numbers (tests/golden/make_recurrent.py): PyTorch's own
 * RNN, LSTM and GRU, and the other cells and layer normalisation in plain operations, over
 * sentences of different lengths: outputs, last states, every gradient, and inference. What each
 * tensor may miss stands in the table of cases, about four times what was measured.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nn/recurrent.h"
#include "support/golden.h"

/* What has a tolerance: states, gradients by what the stack reads, and gradients by the cells'
   tensors, the same one in all layers. */
enum { OUTPUT, LAST, X, FIRST, WEIGHTS };
static const char *const weight_names[CELL_MAX_TENSORS] = {
    "weight_ih", "weight_hh", "bias_ih", "bias_hh",  "projection",
    "peephole",  "gain_ih",   "gain_hh", "shift_ih", "shift_hh"};

struct golden_case {
    const char *name; /* of the file */
    enum cell_kind kind;
    enum cell_norm norm;
    size_t layers, directions;
    bool residual;
    double allowed[WEIGHTS + CELL_MAX_TENSORS]; /* 0: the cell has no such tensor */
};
#define CASE(name, kind, norm, layers, directions, residual, ...)                                  \
    {                                                                                              \
        name, kind, norm, layers, directions, residual,                                            \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

static const struct golden_case cases[] = {
    CASE("rnn-tanh", CELL_RNN_TANH, CELL_NORM_NONE, 1, 2, false, 4e-6, 4e-6, 2e-6, 2e-6, 2e-6, 2e-6,
         1e-6, 1e-6),
    CASE("rnn-tanh-3-layers", CELL_RNN_TANH, CELL_NORM_NONE, 3, 2, false, 3e-6, 3e-6, 3e-6, 2e-6,
         3e-6, 2e-6, 3e-6, 3e-6),
    CASE("rnn-relu", CELL_RNN_RELU, CELL_NORM_NONE, 1, 2, false, 1e-6, 1e-6, 5e-7, 6e-7, 8e-7, 2e-6,
         2e-6, 2e-6),
    CASE("rnn-relu-3-layers", CELL_RNN_RELU, CELL_NORM_NONE, 3, 2, false, 1e-6, 5e-7, 8e-7, 5e-7,
         6e-7, 2e-6, 1e-6, 1e-6),
    CASE("lstm", CELL_LSTM, CELL_NORM_NONE, 1, 2, false, 1e-6, 8e-7, 2e-6, 2e-6, 2e-6, 2e-6, 2e-6,
         2e-6),
    CASE("lstm-3-layers", CELL_LSTM, CELL_NORM_NONE, 3, 2, false, 1e-6, 5e-7, 2e-6, 1e-6, 2e-6,
         2e-6, 2e-6, 2e-6),
    CASE("gru", CELL_GRU, CELL_NORM_NONE, 1, 2, false, 2e-6, 2e-6, 2e-6, 2e-6, 2e-6, 4e-6, 2e-6,
         3e-6),
    CASE("gru-3-layers", CELL_GRU, CELL_NORM_NONE, 3, 2, false, 1e-6, 8e-7, 8e-7, 8e-7, 3e-6, 2e-6,
         2e-6, 2e-6),
    CASE("gru-residual", CELL_GRU, CELL_NORM_NONE, 3, 2, true, 6e-7, 2e-6, 1e-6, 2e-6, 2e-6, 3e-6,
         3e-6, 2e-6),
    CASE("lstm-peephole", CELL_LSTM_PEEPHOLE, CELL_NORM_NONE, 1, 1, false, 8e-7, 2e-6, 2e-6, 8e-7,
         2e-6, 2e-6, 1e-6, 0, 0, 2e-6),
    CASE("lstm-peephole-2-layers", CELL_LSTM_PEEPHOLE, CELL_NORM_NONE, 2, 2, false, 2e-6, 6e-7,
         8e-7, 8e-7, 2e-6, 4e-6, 2e-6, 0, 0, 3e-6),
    CASE("gru-cho", CELL_GRU_CHO, CELL_NORM_NONE, 1, 1, false, 6e-7, 6e-7, 2e-6, 6e-7, 3e-6, 2e-6,
         2e-6),
    CASE("gru-cho-2-layers", CELL_GRU_CHO, CELL_NORM_NONE, 2, 2, false, 1e-6, 1e-6, 2e-6, 1e-6,
         2e-6, 2e-6, 2e-6),
    CASE("mut1", CELL_MUT1, CELL_NORM_NONE, 1, 1, false, 8e-7, 8e-7, 2e-6, 2e-6, 1e-6, 2e-6, 1e-6,
         1e-6, 2e-6),
    CASE("mut1-2-layers", CELL_MUT1, CELL_NORM_NONE, 2, 2, false, 2e-6, 1e-6, 2e-6, 1e-6, 2e-6,
         2e-6, 2e-6, 2e-6, 2e-6),
    CASE("mut2", CELL_MUT2, CELL_NORM_NONE, 1, 1, false, 6e-7, 6e-7, 2e-6, 5e-7, 8e-7, 5e-7, 2e-6,
         2e-6, 2e-6),
    CASE("mut2-2-layers", CELL_MUT2, CELL_NORM_NONE, 2, 2, false, 1e-6, 1e-6, 2e-6, 8e-7, 2e-6,
         2e-6, 2e-6, 2e-6, 2e-6),
    CASE("mut3", CELL_MUT3, CELL_NORM_NONE, 1, 1, false, 8e-7, 1e-6, 2e-6, 1e-6, 2e-6, 3e-6, 2e-6),
    CASE("mut3-2-layers", CELL_MUT3, CELL_NORM_NONE, 2, 2, false, 2e-6, 2e-6, 2e-6, 2e-6, 2e-6,
         3e-6, 3e-6),
    CASE("rnn-tanh-norm-separate", CELL_RNN_TANH, CELL_NORM_SEPARATE, 1, 1, false, 2e-6, 2e-6, 4e-6,
         8e-7, 2e-6, 2e-6, 1e-6, 2e-6, 0, 0, 2e-6, 3e-6, 8e-7, 8e-7),
    CASE("rnn-tanh-norm-joint", CELL_RNN_TANH, CELL_NORM_JOINT, 1, 1, false, 3e-6, 2e-6, 3e-6, 2e-6,
         4e-6, 4e-6, 3e-6, 3e-6, 0, 0, 3e-6, 2e-6),
    CASE("lstm-norm-separate", CELL_LSTM, CELL_NORM_SEPARATE, 1, 1, false, 2e-6, 6e-7, 2e-6, 3e-6,
         2e-6, 1e-6, 2e-6, 8e-7, 0, 0, 3e-6, 2e-6, 2e-6, 2e-6),
    CASE("lstm-norm-joint", CELL_LSTM, CELL_NORM_JOINT, 1, 1, false, 2e-6, 8e-7, 2e-6, 2e-6, 2e-6,
         2e-6, 2e-6, 2e-6, 0, 0, 2e-6, 2e-6),
    CASE("lstm-peephole-norm-separate", CELL_LSTM_PEEPHOLE, CELL_NORM_SEPARATE, 1, 1, false, 2e-6,
         3e-6, 3e-6, 2e-6, 3e-6, 2e-6, 5e-6, 0, 0, 2e-6, 2e-6, 4e-6, 3e-6, 3e-6),
    CASE("lstm-peephole-norm-joint", CELL_LSTM_PEEPHOLE, CELL_NORM_JOINT, 1, 1, false, 3e-6, 2e-6,
         2e-6, 2e-6, 1e-6, 2e-6, 1e-6, 0, 0, 1e-6, 6e-6, 6e-6),
    CASE("gru-norm-separate", CELL_GRU, CELL_NORM_SEPARATE, 1, 1, false, 3e-6, 2e-6, 8e-7, 1e-6,
         1e-6, 6e-7, 2e-6, 2e-6, 0, 0, 1e-6, 2e-6, 8e-7, 1e-6),
    CASE("gru-norm-joint", CELL_GRU, CELL_NORM_JOINT, 1, 1, false, 1e-6, 2e-6, 2e-6, 8e-7, 2e-6,
         2e-6, 1e-6, 2e-6, 0, 0, 4e-6, 2e-6),
    CASE("gru-cho-norm-separate", CELL_GRU_CHO, CELL_NORM_SEPARATE, 1, 1, false, 2e-6, 2e-6, 3e-6,
         6e-7, 1e-6, 8e-7, 2e-6, 0, 0, 0, 2e-6, 2e-6, 2e-6, 2e-6),
    CASE("gru-cho-norm-joint", CELL_GRU_CHO, CELL_NORM_JOINT, 1, 1, false, 2e-6, 2e-6, 3e-6, 4e-6,
         3e-6, 2e-6, 2e-6, 0, 0, 0, 3e-6, 2e-6),
    CASE("mut1-norm-separate", CELL_MUT1, CELL_NORM_SEPARATE, 1, 1, false, 2e-6, 2e-6, 2e-6, 2e-6,
         2e-6, 2e-6, 2e-6, 2e-6, 2e-6, 0, 2e-6, 3e-6, 2e-6, 2e-6),
    CASE("mut1-norm-joint", CELL_MUT1, CELL_NORM_JOINT, 1, 1, false, 2e-6, 2e-6, 2e-6, 1e-6, 2e-6,
         2e-6, 2e-6, 8e-7, 2e-6, 0, 3e-6, 2e-6),
    CASE("mut2-norm-separate", CELL_MUT2, CELL_NORM_SEPARATE, 1, 1, false, 3e-5, 3e-5, 4e-6, 4e-6,
         3e-6, 4e-6, 2e-6, 6e-6, 4e-6, 0, 3e-6, 4e-6, 3e-6, 3e-6),
    CASE("mut2-norm-joint", CELL_MUT2, CELL_NORM_JOINT, 1, 1, false, 2e-6, 2e-6, 2e-6, 1e-6, 2e-6,
         1e-6, 8e-7, 1e-6, 2e-6, 0, 1e-6, 1e-6),
    CASE("mut3-norm-separate", CELL_MUT3, CELL_NORM_SEPARATE, 1, 1, false, 2e-6, 1e-6, 5e-6, 3e-6,
         3e-6, 5e-6, 2e-6, 0, 0, 0, 8e-6, 1e-5, 4e-6, 4e-6),
    CASE("mut3-norm-joint", CELL_MUT3, CELL_NORM_JOINT, 1, 1, false, 2e-6, 2e-6, 3e-6, 3e-6, 2e-6,
         3e-6, 3e-6, 0, 0, 0, 3e-6, 3e-6),
};

static struct safetensors file;
static struct arena arena;
static struct err err;

static float *zeros(size_t count)
{
    float *x = arena_alloc(&arena, count, sizeof *x, &err);
    assert_non_null(x);
    return x;
}

static float *writable(const char *name, size_t count)
{
    return memcpy(zeros(count), golden_data(&file, "", name, count), count * sizeof(float));
}

static size_t tensor_count(const struct cell_tensor *tensor)
{
    return tensor->rows * (tensor->columns ? tensor->columns : 1);
}

/* PyTorch's name of a cell's tensor. */
static void full_name(char name[64], const char *tensor, size_t layer, size_t direction)
{
    snprintf(name, 64, "%s_l%zu%s", tensor, layer, direction ? "_reverse" : "");
}

/* Gives a layer its weights and room for their gradients; returns how many tensors it has. */
static size_t bind(struct cell_layer *layer, struct cell_layer *gradient, size_t l, size_t d)
{
    struct cell_tensor list[CELL_MAX_TENSORS], gradients[CELL_MAX_TENSORS];
    const size_t count = cell_tensors(layer, &layer->w, list);
    assert_int_equal(cell_tensors(gradient, &gradient->w, gradients), count);
    for (size_t i = 0; i < count; i++) {
        char name[64];
        full_name(name, list[i].name, l, d);
        const struct tensor *tensor = golden_tensor(&file, "", name);
        assert_int_equal(tensor->dimensions, list[i].columns ? 2 : 1);
        assert_int_equal(tensor->shape[0], list[i].rows);
        *list[i].slot = writable(name, tensor_count(&list[i]));
        *gradients[i].slot = zeros(tensor_count(&list[i]));
    }
    return count;
}

static double allowed_for(const struct golden_case *c, const char *name)
{
    for (size_t i = 0; i < CELL_MAX_TENSORS; i++)
        if (strcmp(weight_names[i], name) == 0 && c->allowed[WEIGHTS + i] > 0)
            return c->allowed[WEIGHTS + i];
    fail_msg("%s: no tolerance for %s", c->name, name);
    return 0;
}

static void check_weights(const struct golden_case *c, struct cell_layer *gradient, size_t l,
                          size_t d)
{
    struct cell_tensor list[CELL_MAX_TENSORS];
    const size_t count = cell_tensors(gradient, &gradient->w, list);
    for (size_t i = 0; i < count; i++) {
        char name[64];
        full_name(name, list[i].name, l, d);
        golden_check(&file, "grad.", name, tensor_count(&list[i]), *list[i].slot,
                     allowed_for(c, list[i].name));
    }
}

struct sizes {
    size_t steps, batch, input, width, state;
    int32_t *lengths;
};

static struct sizes read_sizes(const struct recurrent *net)
{
    const struct tensor *x = golden_tensor(&file, "", "x");
    struct sizes s = {x->shape[0],          x->shape[1],          x->shape[2],
                      recurrent_width(net), recurrent_state(net), NULL};
    const float *lengths = golden_data(&file, "", "lengths", s.batch);
    s.lengths = arena_alloc(&arena, s.batch, sizeof *s.lengths, &err);
    assert_non_null(s.lengths);
    for (size_t b = 0; b < s.batch; b++)
        s.lengths[b] = (int32_t)lengths[b];
    return s;
}

/* PyTorch's outputs are zero after a sentence's end; ours may be anything. */
static const float *inside(const struct sizes *s, const float *output)
{
    float *copy = zeros(s->steps * s->batch * s->width);
    for (size_t t = 0; t < s->steps; t++)
        for (size_t b = 0; b < s->batch; b++)
            if (t < (size_t)s->lengths[b])
                memcpy(copy + (t * s->batch + b) * s->width, output + (t * s->batch + b) * s->width,
                       s->width * sizeof *copy);
    return copy;
}

static void check_training(const struct golden_case *c, const struct recurrent *net,
                           const struct recurrent *gradient, const struct sizes *s)
{
    const size_t rows = s->steps * s->batch;
    const struct recurrent_sequence sequence = {
        .steps = s->steps,
        .batch = s->batch,
        .lengths = s->lengths,
        .x = writable("x", rows * s->input),
        .first = writable("first", s->batch * s->state),
    };
    struct recurrent_trace trace;
    struct rng rng = {0};
    float *d_x = zeros(rows * s->input), *d_first = zeros(s->batch * s->state);
    memset(&trace, 0, sizeof trace);
    if (recurrent_forward(net, &sequence, &rng, &trace, &arena, &err))
        fail_msg("%s", err.message);
    golden_check(&file, "", "output", rows * s->width, inside(s, trace.output), c->allowed[OUTPUT]);
    golden_check(&file, "", "last", s->batch * s->state, trace.last, c->allowed[LAST]);
    if (recurrent_backward(net, gradient, &sequence, &trace, writable("probe", rows * s->width),
                           writable("probe_last", s->batch * s->state), d_x, 0, d_first, &arena,
                           &err))
        fail_msg("%s", err.message);
    golden_check(&file, "grad.", "x", rows * s->input, d_x, c->allowed[X]);
    golden_check(&file, "grad.", "first", s->batch * s->state, d_first, c->allowed[FIRST]);
}

/* Sentence by sentence, from the state zero. */
static void check_inference(const struct golden_case *c, const struct recurrent *net,
                            const struct sizes *s)
{
    const float *x = golden_data(&file, "", "x", s->steps * s->batch * s->input);
    float *output = zeros(s->steps * s->batch * s->width), *last = zeros(s->batch * s->state);
    for (size_t b = 0; b < s->batch; b++) {
        const size_t steps = (size_t)s->lengths[b], stride = cell_stride(s->input);
        float *own_x = zeros(steps * stride), *own = zeros(steps * cell_stride(s->width));
        for (size_t t = 0; t < steps; t++)
            memcpy(own_x + t * stride, x + (t * s->batch + b) * s->input, s->input * sizeof *x);
        recurrent_encode(net, steps, own_x, NULL, own, last + b * s->state,
                         zeros(recurrent_scratch(net, steps)));
        for (size_t t = 0; t < steps; t++)
            memcpy(output + (t * s->batch + b) * s->width, own + t * cell_stride(s->width),
                   s->width * sizeof *x);
    }
    golden_check(&file, "rest.", "output", s->steps * s->batch * s->width, output,
                 c->allowed[OUTPUT]);
    golden_check(&file, "rest.", "last", s->batch * s->state, last, c->allowed[LAST]);
}

static void check_case(const struct golden_case *c)
{
    struct recurrent net, gradient;
    char path[128];
    size_t tensors = 0;
    snprintf(path, sizeof path, "recurrent/%s.safetensors", c->name);
    golden_open(&file, path);
    arena_init(&arena, 1 << 16);

    const size_t width = golden_tensor(&file, "", "output")->shape[2];
    recurrent_size(&net, c->kind, c->norm, golden_tensor(&file, "", "x")->shape[2],
                   width / c->directions, c->layers, c->directions, c->residual);
    gradient = net;
    for (size_t l = 0; l < c->layers; l++)
        for (size_t d = 0; d < c->directions; d++)
            tensors += bind(&net.layer[l][d], &gradient.layer[l][d], l, d);
    /* each with its gradient; besides: what read_sizes, check_training and check_inference use */
    assert_int_equal(file.count, 2 * tensors + 11);
    const struct sizes sizes = read_sizes(&net);
    check_training(c, &net, &gradient, &sizes);
    for (size_t l = 0; l < c->layers; l++)
        for (size_t d = 0; d < c->directions; d++)
            check_weights(c, &gradient.layer[l][d], l, d);
    check_inference(c, &net, &sizes);

    arena_release(&arena);
    safetensors_close(&file);
}

static void all_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_case(&cases[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_cases)};
    mat_use_one_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
