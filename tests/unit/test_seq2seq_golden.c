/*
 * Translation networks against PyTorch's numbers (tests/golden/make_seq2seq.py): logits, loss,
 * every gradient tensor, and the weights after one and two clipped Adam updates. What each tensor's
 * gradient may miss stands in the tables, about four times what was measured.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "model/seq2seq.h"
#include "nn/optim.h"
#include "support/golden.h"

#define RATE 0.01 /* as in make_seq2seq.py */
#define CLIP 0.25
#define SMOOTHING 0.1

/* Tolerances of all networks. */
#define LOGITS 2e-6
#define LOSS 1e-6
#define NORM 2e-6

struct tolerance {
    const char *name; /* of the tensor */
    double gradient;  /* relative error */
};

/* Tolerances of the gradients. */

static const struct tolerance plain_gradients[] = {
    {"embedding.weight", 2e-6},
    {"encoder.weight_ih_l0", 2e-6},
    {"encoder.weight_hh_l0", 2e-6},
    {"encoder.bias_ih_l0", 2e-6},
    {"encoder.bias_hh_l0", 2e-6},
    {"encoder.weight_ih_l0_reverse", 2e-6},
    {"encoder.weight_hh_l0_reverse", 1e-6},
    {"encoder.bias_ih_l0_reverse", 2e-6},
    {"encoder.bias_hh_l0_reverse", 6e-7},
    {"bridge.weight", 8e-7},
    {"bridge.bias", 6e-7},
    {"decoder.weight_ih_l0", 8e-7},
    {"decoder.weight_hh_l0", 2e-6},
    {"decoder.bias_ih_l0", 5e-7},
    {"decoder.bias_hh_l0", 2e-6},
    {"attention.weight", 3e-6},
    {"combine.weight", 2e-6},
    {"combine.bias", 8e-7},
    {"output.bias", 5e-7},
    {NULL, 0},
};

static const struct tolerance input_feeding_gradients[] = {
    {"embedding.weight", 1e-6},
    {"target_embedding.weight", 5e-7},
    {"encoder.weight_ih_l0", 1e-6},
    {"encoder.weight_hh_l0", 1e-6},
    {"encoder.bias_ih_l0", 2e-6},
    {"encoder.bias_hh_l0", 2e-6},
    {"encoder.weight_ih_l0_reverse", 8e-7},
    {"encoder.weight_hh_l0_reverse", 3e-6},
    {"encoder.bias_ih_l0_reverse", 2e-6},
    {"encoder.bias_hh_l0_reverse", 2e-6},
    {"encoder.weight_ih_l1", 2e-6},
    {"encoder.weight_hh_l1", 2e-6},
    {"encoder.bias_ih_l1", 2e-6},
    {"encoder.bias_hh_l1", 2e-6},
    {"encoder.weight_ih_l1_reverse", 2e-6},
    {"encoder.weight_hh_l1_reverse", 2e-6},
    {"encoder.bias_ih_l1_reverse", 5e-7},
    {"encoder.bias_hh_l1_reverse", 5e-7},
    {"bridge.weight", 2e-6},
    {"bridge.bias", 8e-7},
    {"decoder.weight_ih_l0", 3e-6},
    {"decoder.weight_hh_l0", 2e-6},
    {"decoder.bias_ih_l0", 2e-6},
    {"decoder.bias_hh_l0", 2e-6},
    {"decoder.weight_ih_l1", 2e-6},
    {"decoder.weight_hh_l1", 2e-6},
    {"decoder.bias_ih_l1", 6e-7},
    {"decoder.bias_hh_l1", 6e-7},
    {"attention.weight", 2e-6},
    {"combine.weight", 1e-6},
    {"combine.bias", 1e-6},
    {"output.bias", 5e-7},
    {NULL, 0},
};

static const struct tolerance conditional_gradients[] = {
    {"embedding.weight", 4e-6},
    {"encoder.weight_ih_l0", 4e-6},
    {"encoder.weight_hh_l0", 2e-6},
    {"encoder.bias_ih_l0", 2e-6},
    {"encoder.bias_hh_l0", 3e-6},
    {"encoder.gain_ih_l0", 2e-6},
    {"encoder.gain_hh_l0", 2e-6},
    {"encoder.shift_ih_l0", 4e-6},
    {"encoder.shift_hh_l0", 2e-6},
    {"encoder.weight_ih_l0_reverse", 4e-6},
    {"encoder.weight_hh_l0_reverse", 6e-6},
    {"encoder.bias_ih_l0_reverse", 3e-6},
    {"encoder.bias_hh_l0_reverse", 4e-6},
    {"encoder.gain_ih_l0_reverse", 4e-6},
    {"encoder.gain_hh_l0_reverse", 3e-6},
    {"encoder.shift_ih_l0_reverse", 4e-6},
    {"encoder.shift_hh_l0_reverse", 4e-6},
    {"bridge.weight", 3e-6},
    {"bridge.bias", 3e-6},
    {"query_cell.weight_ih", 4e-6},
    {"query_cell.weight_hh", 6e-6},
    {"query_cell.bias_ih", 6e-6},
    {"query_cell.bias_hh", 5e-6},
    {"query_cell.gain_ih", 5e-6},
    {"query_cell.gain_hh", 3e-6},
    {"query_cell.shift_ih", 5e-6},
    {"query_cell.shift_hh", 5e-6},
    {"context_cell.weight_ih", 3e-6},
    {"context_cell.weight_hh", 4e-6},
    {"context_cell.bias_ih", 4e-6},
    {"context_cell.bias_hh", 4e-6},
    {"context_cell.gain_ih", 6e-6},
    {"context_cell.gain_hh", 8e-6},
    {"context_cell.shift_ih", 4e-6},
    {"context_cell.shift_hh", 4e-6},
    {"attention.memory_weight", 3e-6},
    {"attention.query_weight", 8e-6},
    {"attention.v", 4e-6},
    {"attention.bias", 5e-6},
    {"combine.weight", 2e-6},
    {"combine.bias", 2e-6},
    {"output.bias", 5e-7},
    {NULL, 0},
};

static const struct tolerance conditional_layers_gradients[] = {
    {"embedding.weight", 6e-7},
    {"target_embedding.weight", 5e-7},
    {"encoder.weight_ih_l0", 8e-7},
    {"encoder.weight_hh_l0", 5e-7},
    {"encoder.bias_ih_l0", 5e-7},
    {"encoder.bias_hh_l0", 5e-7},
    {"encoder.weight_ih_l0_reverse", 1e-6},
    {"encoder.weight_hh_l0_reverse", 1e-6},
    {"encoder.bias_ih_l0_reverse", 1e-6},
    {"encoder.bias_hh_l0_reverse", 1e-6},
    {"bridge.weight", 1e-6},
    {"bridge.bias", 1e-6},
    {"query_cell.weight_ih", 2e-6},
    {"query_cell.weight_hh", 4e-6},
    {"query_cell.bias_ih", 2e-6},
    {"query_cell.bias_hh", 2e-6},
    {"context_cell.weight_ih", 1e-6},
    {"context_cell.weight_hh", 6e-7},
    {"context_cell.bias_ih", 1e-6},
    {"context_cell.bias_hh", 1e-6},
    {"decoder.weight_ih_l0", 2e-6},
    {"decoder.weight_hh_l0", 2e-6},
    {"decoder.bias_ih_l0", 1e-6},
    {"decoder.bias_hh_l0", 1e-6},
    {"attention.weight", 2e-6},
    {"combine.weight", 8e-7},
    {"combine.bias", 2e-6},
    {"output.bias", 5e-7},
    {NULL, 0},
};

static const struct tolerance no_attention_gradients[] = {
    {"embedding.weight", 6e-6},
    {"target_embedding.weight", 3e-6},
    {"encoder.weight_ih_l0", 2e-6},
    {"encoder.weight_hh_l0", 2e-6},
    {"encoder.bias_ih_l0", 3e-6},
    {"encoder.bias_hh_l0", 3e-6},
    {"encoder.weight_ih_l1", 3e-6},
    {"encoder.weight_hh_l1", 3e-6},
    {"encoder.bias_ih_l1", 3e-6},
    {"encoder.bias_hh_l1", 3e-6},
    {"bridge.weight", 2e-6},
    {"bridge.bias", 2e-6},
    {"decoder.weight_ih_l0", 2e-6},
    {"decoder.weight_hh_l0", 2e-6},
    {"decoder.bias_ih_l0", 8e-7},
    {"decoder.bias_hh_l0", 8e-7},
    {"decoder.weight_ih_l1", 1e-6},
    {"decoder.weight_hh_l1", 2e-6},
    {"decoder.bias_ih_l1", 1e-6},
    {"decoder.bias_hh_l1", 1e-6},
    {"combine.weight", 1e-6},
    {"combine.bias", 5e-7},
    {"output.weight", 5e-7},
    {"output.bias", 5e-7},
    {NULL, 0},
};

static const struct tolerance dot_gradients[] = {
    {"embedding.weight", 5e-6},
    {"target_embedding.weight", 2e-6},
    {"encoder.weight_ih_l0", 3e-6},
    {"encoder.weight_hh_l0", 2e-6},
    {"encoder.bias_ih_l0", 2e-6},
    {"encoder.bias_hh_l0", 3e-6},
    {"encoder.gain_ih_l0", 3e-6},
    {"encoder.gain_hh_l0", 3e-6},
    {"encoder.weight_ih_l0_reverse", 2e-5},
    {"encoder.weight_hh_l0_reverse", 2e-5},
    {"encoder.bias_ih_l0_reverse", 2e-5},
    {"encoder.bias_hh_l0_reverse", 2e-5},
    {"encoder.gain_ih_l0_reverse", 6e-6},
    {"encoder.gain_hh_l0_reverse", 2e-5},
    {"bridge.weight", 2e-6},
    {"bridge.bias", 3e-6},
    {"decoder.weight_ih_l0", 2e-6},
    {"decoder.weight_hh_l0", 2e-6},
    {"decoder.bias_ih_l0", 2e-6},
    {"decoder.bias_hh_l0", 1e-6},
    {"decoder.gain_ih_l0", 3e-6},
    {"decoder.gain_hh_l0", 1e-6},
    {"combine.weight", 8e-7},
    {"combine.bias", 1e-6},
    {"output.weight", 6e-7},
    {"output.bias", 5e-7},
    {NULL, 0},
};

/* The networks, as in make_seq2seq.py. */
#define SIZES .kind = SPEC_SEQ2SEQ, .vocabulary = 24, .embedding = 6

static const struct golden_case {
    const char *name;
    struct spec spec;
    double weights; /* tolerance of the weights' movement */
    const struct tolerance *gradients;
} cases[] = {
    {"plain",
     {SIZES, .encoder = {.cell = CELL_GRU, .layers = 1, .hidden = 5, .bidirectional = true},
      .decoder = {.cell = CELL_GRU, .layers = 1, .hidden = 8}, .decoder_kind = SPEC_DECODER_PLAIN,
      .attention = ATTENTION_GENERAL, .bridge = SPEC_BRIDGE_LAST, .tying = SPEC_TYING_THREE_WAY},
     1e-4,
     plain_gradients},
    {"input-feeding",
     {SIZES,
      .encoder =
          {.cell = CELL_LSTM, .layers = 2, .hidden = 3, .bidirectional = true, .residual = true},
      .decoder = {.cell = CELL_LSTM, .layers = 2, .hidden = 5, .residual = true},
      .decoder_kind = SPEC_DECODER_INPUT_FEEDING, .attention = ATTENTION_GENERAL,
      .bridge = SPEC_BRIDGE_LAST, .tying = SPEC_TYING_TWO_WAY},
     1e-4,
     input_feeding_gradients},
    {"conditional",
     {SIZES,
      .encoder = {.cell = CELL_GRU,
                  .norm = CELL_NORM_SEPARATE,
                  .layers = 1,
                  .hidden = 5,
                  .bidirectional = true},
      .decoder = {.cell = CELL_GRU, .norm = CELL_NORM_SEPARATE, .layers = 1, .hidden = 7},
      .decoder_kind = SPEC_DECODER_CONDITIONAL, .attention = ATTENTION_ADDITIVE,
      .bridge = SPEC_BRIDGE_MEAN, .deep_output = true, .tying = SPEC_TYING_THREE_WAY},
     1e-4,
     conditional_gradients},
    {"conditional-layers",
     {SIZES,
      .encoder =
          {.cell = CELL_LSTM, .layers = 1, .hidden = 4, .bidirectional = true, .residual = true},
      .decoder = {.cell = CELL_LSTM, .layers = 2, .hidden = 5, .residual = true},
      .decoder_kind = SPEC_DECODER_CONDITIONAL, .attention = ATTENTION_GENERAL,
      .bridge = SPEC_BRIDGE_MEAN, .deep_output = true, .tying = SPEC_TYING_TWO_WAY},
     1e-4,
     conditional_layers_gradients},
    {"no-attention",
     {SIZES, .encoder = {.cell = CELL_LSTM, .layers = 2, .hidden = 5},
      .decoder = {.cell = CELL_LSTM, .layers = 2, .hidden = 5}, .decoder_kind = SPEC_DECODER_PLAIN,
      .attention = ATTENTION_NONE, .bridge = SPEC_BRIDGE_LAST, .tying = SPEC_TYING_NONE},
     1e-4,
     no_attention_gradients},
    {"dot",
     {SIZES,
      .encoder = {.cell = CELL_GRU,
                  .norm = CELL_NORM_JOINT,
                  .layers = 1,
                  .hidden = 4,
                  .bidirectional = true},
      .decoder = {.cell = CELL_GRU, .norm = CELL_NORM_JOINT, .layers = 1, .hidden = 8},
      .decoder_kind = SPEC_DECODER_PLAIN, .attention = ATTENTION_DOT, .bridge = SPEC_BRIDGE_MEAN,
      .deep_output = true, .tying = SPEC_TYING_NONE},
     1e-4,
     dot_gradients},
};
#define CASES (sizeof cases / sizeof *cases)

struct fixture {
    struct safetensors golden;
    struct seq2seq model, gradients;
    struct parameter list[SEQ2SEQ_MAX_PARAMETERS], gradient_list[SEQ2SEQ_MAX_PARAMETERS];
    size_t count, total;
    float *weights, *gradient, *first, *second;
    struct seq2seq_batch batch;
    struct arena arena, kept; /* of a pass; of the fixture */
    struct rng rng;
};

static struct err err;

static float *new_floats(struct fixture *f, size_t count)
{
    float *memory = arena_alloc(&f->kept, count, sizeof *memory, &err);
    assert_non_null(memory);
    return memory;
}

static const int32_t *ids_of(struct fixture *f, const char *name)
{
    const struct tensor *tensor = golden_tensor(&f->golden, "batch.", name);
    int32_t *ids = arena_alloc(&f->kept, tensor->count, sizeof *ids, &err);
    assert_non_null(ids);
    for (size_t i = 0; i < tensor->count; i++)
        ids[i] = (int32_t)tensor->data[i];
    return ids;
}

static void read_batch(struct fixture *f)
{
    const struct tensor *source = golden_tensor(&f->golden, "batch.", "source");
    f->batch = (struct seq2seq_batch){
        .batch = source->shape[1],
        .source_steps = source->shape[0],
        .target_steps = golden_tensor(&f->golden, "batch.", "target_input")->shape[0],
        .source = ids_of(f, "source"),
        .source_lengths = ids_of(f, "source_lengths"),
        .target_input = ids_of(f, "target_input"),
        .target_output = ids_of(f, "target_output"),
        .target_lengths = ids_of(f, "target_lengths"),
    };
}

/* Gradients and moments are zero. */
static void bind(struct fixture *f)
{
    f->count = seq2seq_parameters(&f->model, f->list);
    assert_int_equal(seq2seq_parameters(&f->gradients, f->gradient_list), f->count);
    f->total = parameters_total(f->list, f->count);
    f->weights = new_floats(f, f->total);
    f->gradient = new_floats(f, f->total);
    f->first = new_floats(f, f->total);
    f->second = new_floats(f, f->total);
    parameters_bind(f->list, f->count, f->weights);
    parameters_bind(f->gradient_list, f->count, f->gradient);
    seq2seq_tie(&f->model);
    seq2seq_tie(&f->gradients);
}

static void load(struct fixture *f, const struct golden_case *c)
{
    char path[128];
    memset(f, 0, sizeof *f);
    snprintf(path, sizeof path, "seq2seq/%s.safetensors", c->name);
    golden_open(&f->golden, path);
    arena_init(&f->arena, 1 << 16);
    arena_init(&f->kept, 1 << 16);
    rng_seed(&f->rng, 7, 0);
    seq2seq_size(&f->model, &c->spec);
    seq2seq_size(&f->gradients, &c->spec);
    bind(f);
    for (size_t i = 0; i < f->count; i++) {
        const float *data;
        const struct parameter *p = &f->list[i];
        if (safetensors_get(&f->golden, p->name, p->rows, p->columns, &data, &err))
            fail_msg("%s", err.message);
        memcpy(*p->slot, data, p->rows * (p->columns ? p->columns : 1) * sizeof *data);
    }
    /* weights, gradients and two updates; batch, logits, loss and norm */
    assert_int_equal(f->golden.count, 4 * f->count + 8);
    read_batch(f);
}

static void unload(struct fixture *f)
{
    arena_release(&f->arena);
    arena_release(&f->kept);
    safetensors_close(&f->golden);
}

static size_t target_tokens(const struct seq2seq_batch *batch)
{
    size_t tokens = 0;
    for (size_t b = 0; b < batch->batch; b++)
        tokens += (size_t)batch->target_lengths[b];
    return tokens;
}

static void check_logits(struct fixture *f, double allowed)
{
    const struct seq2seq_training training = {.scale = 1};
    const size_t rows = f->batch.target_steps * f->batch.batch, V = f->model.vocabulary;
    const float *output;
    float *logits = new_floats(f, rows * V);
    if (seq2seq_forward(&f->model, &f->batch, &training, &f->rng, &output, &f->arena, &err))
        fail_msg("%s", err.message);
    seq2seq_logits(&f->model, rows, output, logits);
    for (size_t row = 0; row < rows; row++)
        if (f->batch.target_output[row] < 0)
            memset(logits + row * V, 0, V * sizeof *logits);
    golden_check(&f->golden, "", "logits", rows * V, logits, allowed);
    arena_reset(&f->arena);
}

/* Leaves the gradient in place; returns its norm. */
static double learn(struct fixture *f, struct seq2seq_sums *sums)
{
    const struct seq2seq_training training = {.label_smoothing = SMOOTHING,
                                              .scale = 1 / (double)target_tokens(&f->batch)};
    *sums = (struct seq2seq_sums){0};
    if (seq2seq_learn(&f->model, &f->gradients, &f->batch, &training, &f->rng, sums, &f->arena,
                      &err))
        fail_msg("%s", err.message);
    arena_reset(&f->arena);
    return sqrt(mat_square_sum(f->total, f->gradient));
}

/* Uses the gradient up. */
static void update(struct fixture *f, size_t step, double norm)
{
    const struct optim adam = {
        .kind = OPTIM_ADAM, .rate = RATE, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    const struct optim_slice all = {.count = f->total,
                                    .weights = f->weights,
                                    .gradient = f->gradient,
                                    .first = f->first,
                                    .second = f->second};
    assert_true(optim_update(&adam, step, clip_scale(norm, CLIP), 0, &all));
}

/* The movement from the first weights, so that an error is not hidden by their size. */
static void check_weights(struct fixture *f, const char *prefix, double allowed)
{
    for (size_t i = 0; i < f->count; i++) {
        const char *name = f->list[i].name;
        const struct tensor *before = golden_tensor(&f->golden, "", name);
        const float *after = golden_data(&f->golden, prefix, name, before->count);
        float *ours = new_floats(f, before->count), *theirs = new_floats(f, before->count);
        for (size_t k = 0; k < before->count; k++) {
            ours[k] = (*f->list[i].slot)[k] - before->data[k];
            theirs[k] = after[k] - before->data[k];
        }
        golden_compare(prefix, name, before->count, ours, theirs, allowed);
    }
}

static void check_gradients(const struct fixture *f, const struct tolerance *table)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct parameter *p = &f->gradient_list[i];
        const struct tolerance *entry = table;
        while (entry->name && strcmp(entry->name, p->name) != 0)
            entry++;
        if (!entry->name)
            fail_msg("no tolerance for %s", p->name);
        golden_check(&f->golden, "grad.", p->name, p->rows * (p->columns ? p->columns : 1),
                     *p->slot, entry->gradient);
    }
}

static void training_steps(void **state)
{
    struct fixture *f = mem_alloc(1, sizeof *f, &err);
    assert_non_null(f);
    (void)state;
    for (const struct golden_case *c = cases; c < cases + CASES; c++) {
        struct seq2seq_sums sums;
        load(f, c);
        check_logits(f, LOGITS);
        const double norm = learn(f, &sums);
        const float losses[2] = {(float)sums.loss, (float)sums.negative_log};
        const float rounded = (float)norm;
        golden_check(&f->golden, "", "loss", 2, losses, LOSS);
        check_gradients(f, c->gradients);
        golden_check(&f->golden, "", "grad_norm", 1, &rounded, NORM);
        update(f, 1, norm);
        check_weights(f, "step1.", c->weights);
        update(f, 2, learn(f, &sums));
        check_weights(f, "step2.", c->weights);
        unload(f);
    }
    mem_free(f);
}

/* The loss alone, where no gradient is wanted. */
static void loss_without_gradients(void **state)
{
    struct fixture *f = mem_alloc(1, sizeof *f, &err);
    assert_non_null(f);
    (void)state;
    for (const struct golden_case *c = cases; c < cases + CASES; c++) {
        const struct seq2seq_training training = {.label_smoothing = SMOOTHING, .scale = 1};
        struct seq2seq_sums sums = {0};
        load(f, c);
        if (seq2seq_learn(&f->model, NULL, &f->batch, &training, &f->rng, &sums, &f->arena, &err))
            fail_msg("%s", err.message);
        const float losses[2] = {(float)sums.loss, (float)sums.negative_log};
        golden_check(&f->golden, "", "loss", 2, losses, LOSS);
        unload(f);
    }
    mem_free(f);
}

/* Whichever allocation of a step fails, it is an error and no more: the next step succeeds. */
static void memory_runs_out(void **state)
{
    const struct seq2seq_training training = {.dropout_embedding = 0.1,
                                              .dropout_layer = 0.1,
                                              .dropout_state = 0.1,
                                              .dropout_memory = 0.1,
                                              .dropout_output = 0.1,
                                              .scale = 1};
    struct fixture *f = mem_alloc(1, sizeof *f, &err);
    assert_non_null(f);
    (void)state;
    for (const struct golden_case *c = cases; c < cases + CASES; c++) {
        struct seq2seq_sums sums = {0};
        long failures = 0;
        int status = ERR_MEMORY;
        load(f, c);
        for (; status; failures++) {
            struct err failure = ERR_INIT;
            arena_release(&f->arena);
            arena_init(&f->arena, 64); /* a block for each allocation */
            mem_fail_at(failures + 1);
            status = seq2seq_learn(&f->model, &f->gradients, &f->batch, &training, &f->rng, &sums,
                                   &f->arena, &failure);
            mem_fail_at(0);
            assert_int_equal(status, failure.code);
            assert_true(status == 0 || status == ERR_MEMORY);
        }
        assert_true(failures > 20);
        unload(f);
    }
    mem_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(training_steps),
        cmocka_unit_test(loss_without_gradients),
        cmocka_unit_test(memory_runs_out),
    };
    mat_use_one_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
