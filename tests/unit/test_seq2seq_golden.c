/*
 * The translation network against PyTorch's numbers (tests/golden/make_seq2seq.py): logits, loss,
 * every gradient tensor, and the weights after one and two clipped Adam updates. An error is the
 * largest absolute difference over the largest absolute value of the golden tensor; what each
 * tensor may have stands in the tables, a few times what was measured.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/seq2seq.h"
#include "nn/optim.h"

#define RATE 0.01 /* as in make_seq2seq.py */
#define CLIP 0.25
#define SMOOTHING 0.1

struct tolerance {
    const char *name; /* of the tensor */
    double gradient;  /* relative error */
};

struct fixture {
    struct safetensors file, golden;
    struct spec spec;
    struct seq2seq model;
    struct seq2seq_weights gradients;
    struct parameter list[SEQ2SEQ_MAX_PARAMETERS], gradient_list[SEQ2SEQ_MAX_PARAMETERS];
    size_t count, total;
    float *weights, *gradient, *m, *v;
    struct seq2seq_batch batch;
    struct arena arena;
    struct rng rng;
};

static struct err err;

static float *new_floats(size_t count)
{
    float *memory = mem_alloc(count, sizeof *memory, &err);
    assert_non_null(memory);
    return memory;
}

static void open_file(struct safetensors *file, const char *folder, const char *name)
{
    char path[1024];
    const char *top = getenv("top_srcdir");
    snprintf(path, sizeof path, "%s/tests/golden/seq2seq/%s/%s.safetensors", top ? top : ".",
             folder, name);
    if (safetensors_open(file, path, &err))
        fail_msg("%s", err.message);
}

static const struct tensor *golden(const struct fixture *f, const char *prefix, const char *name)
{
    char full[128];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    for (size_t i = 0; i < f->golden.count; i++)
        if (strcmp(f->golden.tensors[i].name, full) == 0)
            return &f->golden.tensors[i];
    fail_msg("no golden tensor %s", full);
    return NULL;
}

static int32_t *ids_of(const struct fixture *f, const char *name)
{
    const struct tensor *tensor = golden(f, "batch.", name);
    int32_t *ids = mem_alloc(tensor->count, sizeof *ids, &err);
    assert_non_null(ids);
    for (size_t i = 0; i < tensor->count; i++)
        ids[i] = (int32_t)tensor->data[i];
    return ids;
}

static void read_batch(struct fixture *f)
{
    const struct tensor *source = golden(f, "batch.", "source");
    f->batch = (struct seq2seq_batch){
        .batch = source->shape[1],
        .source_steps = source->shape[0],
        .target_steps = golden(f, "batch.", "target_input")->shape[0],
        .source = ids_of(f, "source"),
        .source_lengths = ids_of(f, "source_lengths"),
        .target_input = ids_of(f, "target_input"),
        .target_output = ids_of(f, "target_output"),
        .target_lengths = ids_of(f, "target_lengths"),
    };
}

static void load(struct fixture *f, const char *folder, bool bidirectional, bool tied)
{
    memset(f, 0, sizeof *f);
    open_file(&f->file, folder, "weights");
    open_file(&f->golden, folder, "golden");
    f->spec = (struct spec){.vocabulary = 40,
                            .embedding = 8,
                            .encoder_hidden = 6,
                            .decoder_hidden = 10,
                            .bidirectional = bidirectional,
                            .tied = tied};
    seq2seq_size(&f->model, &f->spec);
    f->count = seq2seq_parameters(&f->model, &f->model.weights, f->list);
    assert_int_equal(seq2seq_parameters(&f->model, &f->gradients, f->gradient_list), f->count);
    f->total = parameters_total(f->list, f->count);
    f->weights = new_floats(f->total);
    f->gradient = new_floats(f->total);
    f->m = new_floats(f->total);
    f->v = new_floats(f->total);
    parameters_bind(f->list, f->count, f->weights);
    parameters_bind(f->gradient_list, f->count, f->gradient);
    seq2seq_tie(&f->model, &f->model.weights);
    seq2seq_tie(&f->model, &f->gradients);
    assert_int_equal(f->file.count, f->count);
    for (size_t i = 0; i < f->count; i++) {
        const float *data;
        const struct parameter *p = &f->list[i];
        if (safetensors_get(&f->file, p->name, p->rows, p->columns, &data, &err))
            fail_msg("%s", err.message);
        memcpy(*p->slot, data, p->rows * (p->columns ? p->columns : 1) * sizeof *data);
    }
    read_batch(f);
    arena_init(&f->arena, 1 << 16);
    rng_seed(&f->rng, 7, 0);
}

static void unload(struct fixture *f)
{
    const int32_t *const ids[] = {f->batch.source, f->batch.source_lengths, f->batch.target_input,
                                  f->batch.target_output, f->batch.target_lengths};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++)
        mem_free((void *)(uintptr_t)ids[i]);
    mem_free(f->weights);
    mem_free(f->gradient);
    mem_free(f->m);
    mem_free(f->v);
    arena_release(&f->arena);
    safetensors_close(&f->file);
    safetensors_close(&f->golden);
}

static void check(const char *prefix, const char *name, size_t count, const float *ours,
                  const float *theirs, double allowed)
{
    double difference = 0, largest = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(isfinite(ours[i]));
        difference = fmax(difference, fabs((double)ours[i] - (double)theirs[i]));
        largest = fmax(largest, fabs((double)theirs[i]));
    }
    assert_true(largest > 0);
    if (getenv("VERBOSE"))
        print_message("%s%s: relative error %.1e\n", prefix, name, difference / largest);
    if (!(difference <= allowed * largest))
        fail_msg("%s%s: relative error %g is over %g", prefix, name, difference / largest, allowed);
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
    const struct tensor *theirs = golden(f, "", "logits");
    const size_t rows = f->batch.target_steps * f->batch.batch, V = f->model.vocabulary;
    struct seq2seq_activations a;
    float *logits = new_floats(rows * V);
    assert_int_equal(theirs->count, rows * V);
    if (seq2seq_forward(&f->model, &f->batch, &training, &f->rng, &a, &f->arena, &err))
        fail_msg("%s", err.message);
    seq2seq_logits(&f->model, rows, a.output, logits);
    for (size_t row = 0; row < rows; row++)
        if (f->batch.target_output[row] < 0)
            memset(logits + row * V, 0, V * sizeof *logits);
    check("", "logits", rows * V, logits, theirs->data, allowed);
    mem_free(logits);
    arena_reset(&f->arena);
}

/* One update; returns the norm of the gradient before clipping. */
static double update(struct fixture *f, size_t step, struct seq2seq_sums *sums)
{
    const struct optim adam = {
        .kind = OPTIM_ADAM, .rate = RATE, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    float *spent = new_floats(f->total); /* the update zeroes it; what it was is looked at later */
    const struct optim_slice all = {
        .count = f->total, .weights = f->weights, .gradient = spent, .first = f->m, .second = f->v};
    const struct seq2seq_training training = {.label_smoothing = SMOOTHING,
                                              .scale = 1 / (double)target_tokens(&f->batch)};
    *sums = (struct seq2seq_sums){0};
    memset(f->gradient, 0, f->total * sizeof *f->gradient);
    if (seq2seq_learn(&f->model, &f->gradients, &f->batch, &training, &f->rng, sums, &f->arena,
                      &err))
        fail_msg("%s", err.message);
    arena_reset(&f->arena);
    const double norm = sqrt(mat_square_sum(f->total, f->gradient));
    memcpy(spent, f->gradient, f->total * sizeof *spent);
    assert_true(optim_update(&adam, step, clip_scale(norm, CLIP), 0, &all));
    mem_free(spent);
    return norm;
}

/* The movement from the first weights, so that an error is not hidden by their size. */
static void check_weights(const struct fixture *f, const char *prefix, double allowed)
{
    float *ours = new_floats(f->total), *theirs = new_floats(f->total);
    for (size_t i = 0; i < f->count; i++) {
        const struct tensor *after = golden(f, prefix, f->list[i].name);
        const struct tensor *before = NULL;
        for (size_t j = 0; j < f->file.count; j++)
            if (strcmp(f->file.tensors[j].name, f->list[i].name) == 0)
                before = &f->file.tensors[j];
        assert_non_null(before);
        for (size_t k = 0; k < after->count; k++) {
            ours[k] = (*f->list[i].slot)[k] - before->data[k];
            theirs[k] = after->data[k] - before->data[k];
        }
        check(prefix, f->list[i].name, after->count, ours, theirs, allowed);
    }
    mem_free(ours);
    mem_free(theirs);
}

static void check_gradients(const struct fixture *f, const struct tolerance *table)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct parameter *p = &f->gradient_list[i];
        const struct tensor *theirs = golden(f, "grad.", p->name);
        const struct tolerance *entry = table;
        while (entry->name && strcmp(entry->name, p->name) != 0)
            entry++;
        if (!entry->name)
            fail_msg("no tolerance for %s", p->name);
        check("grad.", p->name, theirs->count, *p->slot, theirs->data, entry->gradient);
    }
}

static void check_case(const char *folder, bool bidirectional, bool tied,
                       const struct tolerance *table)
{
    struct fixture f;
    struct seq2seq_sums sums;
    load(&f, folder, bidirectional, tied);
    check_logits(&f, 2e-6);

    const float norm = (float)update(&f, 1, &sums);
    const float losses[2] = {(float)sums.loss, (float)sums.negative_log};
    check("", "loss", 2, losses, golden(&f, "", "loss")->data, 1e-6);
    check_gradients(&f, table);
    check("", "grad_norm", 1, &norm, golden(&f, "", "grad_norm")->data, 2e-6);
    check_weights(&f, "step1.", 1e-4);
    update(&f, 2, &sums);
    check_weights(&f, "step2.", 1e-4);
    unload(&f);
}

static void tied_bidirectional(void **state)
{
    static const struct tolerance table[] = {
        {"embedding.weight", 5e-6},
        {"encoder.weight_ih_l0", 1e-5},
        {"encoder.weight_hh_l0", 1e-5},
        {"encoder.bias_ih_l0", 1e-5},
        {"encoder.bias_hh_l0", 1e-5},
        {"encoder.weight_ih_l0_reverse", 1e-5},
        {"encoder.weight_hh_l0_reverse", 1e-5},
        {"encoder.bias_ih_l0_reverse", 1e-5},
        {"encoder.bias_hh_l0_reverse", 1e-5},
        {"bridge.weight", 1e-5},
        {"bridge.bias", 1e-5},
        {"decoder.weight_ih_l0", 5e-6},
        {"decoder.weight_hh_l0", 5e-6},
        {"decoder.bias_ih_l0", 5e-6},
        {"decoder.bias_hh_l0", 5e-6},
        {"attention.weight", 1e-5},
        {"combine.weight", 5e-6},
        {"combine.bias", 5e-6},
        {"output.bias", 5e-6},
        {NULL, 0},
    };
    (void)state;
    check_case("tied", true, true, table);
}

static void untied_one_direction(void **state)
{
    static const struct tolerance table[] = {
        {"embedding.weight", 5e-6},
        {"encoder.weight_ih_l0", 1e-5},
        {"encoder.weight_hh_l0", 1e-5},
        {"encoder.bias_ih_l0", 1e-5},
        {"encoder.bias_hh_l0", 1e-5},
        {"bridge.weight", 1e-5},
        {"bridge.bias", 1e-5},
        {"decoder.weight_ih_l0", 5e-6},
        {"decoder.weight_hh_l0", 5e-6},
        {"decoder.bias_ih_l0", 5e-6},
        {"decoder.bias_hh_l0", 5e-6},
        {"attention.weight", 1e-5},
        {"combine.weight", 5e-6},
        {"combine.bias", 5e-6},
        {"output.weight", 5e-6},
        {"output.bias", 5e-6},
        {NULL, 0},
    };
    (void)state;
    check_case("untied", false, false, table);
}

/* Whichever allocation of a step fails, it is an error and no more: the next step succeeds. */
static void memory_runs_out(void **state)
{
    const struct seq2seq_training training = {.dropout_embedding = 0.1, .scale = 1};
    struct fixture f;
    struct seq2seq_sums sums = {0};
    long failures = 0;
    int status = ERR_MEMORY;
    (void)state;
    load(&f, "tied", true, true);
    for (; status; failures++) {
        struct err failure = ERR_INIT;
        arena_release(&f.arena);
        arena_init(&f.arena, 64); /* a block for each allocation */
        mem_fail_at(failures + 1);
        status = seq2seq_learn(&f.model, &f.gradients, &f.batch, &training, &f.rng, &sums, &f.arena,
                               &failure);
        mem_fail_at(0);
        assert_int_equal(status, failure.code);
        assert_true(status == 0 || status == ERR_MEMORY);
    }
    assert_true(failures > 20);
    unload(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tied_bidirectional),
        cmocka_unit_test(untied_one_direction),
        cmocka_unit_test(memory_runs_out),
    };
    mat_use_one_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
