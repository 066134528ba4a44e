/*
 * The translation network by itself, for bench/torch_twin.py to compare with PyTorch.
 *
 *     seq2seq logits BUNDLE OUT <lines      each line: source ids, a tab, target ids
 *     seq2seq train [UPDATES]               speed of training on one core
 *
 * `logits` computes all lines as one training batch and writes each line's logits to OUT, a
 * safetensors file with tensors "0", "1", ... [target ids + 1, vocabulary]; it prints a line for
 * each: the ids of the greedy translation, a tab, and their log probability, from the decoder.
 * `train` prints target tokens per second for the sizes, batch and regularisation of the shipped
 * en-fr model, on random ids, then GFLOP/s of its products, GFLOP/s of BLAS's sgemm on large square
 * matrices in the same run, and the share of that peak.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "model/bundle.h"
#include "model/decode.h"
#include "model/seq2seq.h"
#include "nn/optim.h"
#include "text/token.h"

#define MAX_LINES 64
#define MAX_IDS 200

struct sentence {
    int32_t ids[MAX_IDS];
    size_t count;
};
struct pair {
    struct sentence source, target;
};

/* Reads ids up to `end` from *at and moves *at behind it. */
static bool parse_ids(const char **at, char end, size_t vocabulary, struct sentence *sentence)
{
    sentence->count = 0;
    while (**at != end) {
        char *behind;
        const long id = strtol(*at, &behind, 10);
        if (behind == *at || id < 0 || (size_t)id >= vocabulary || sentence->count == MAX_IDS)
            return false;
        sentence->ids[sentence->count++] = (int32_t)id;
        *at = behind + strspn(behind, " ");
    }
    (*at)++;
    return true;
}

static int read_pairs(FILE *in, size_t vocabulary, struct pair *pairs, size_t *count,
                      struct err *err)
{
    char line[16 * MAX_IDS];
    for (*count = 0; fgets(line, sizeof line, in); (*count)++) {
        const char *at = line;
        if (*count == MAX_LINES)
            return err_set(err, ERR_LIMIT, "more than %d lines", MAX_LINES);
        if (!parse_ids(&at, '\t', vocabulary, &pairs[*count].source) ||
            !parse_ids(&at, '\n', vocabulary, &pairs[*count].target))
            return err_set(err, ERR_FORMAT, "line %zu: not ids, a tab, ids", *count + 1);
    }
    return 0;
}

static int batch_of(struct seq2seq_batch *batch, const struct pair *pairs, size_t count,
                    struct arena *arena, struct err *err)
{
    struct seq2seq_pair *list = arena_alloc(arena, count, sizeof *list, err);
    if (!list)
        return err->code;
    for (size_t b = 0; b < count; b++)
        list[b] = (struct seq2seq_pair){.source = pairs[b].source.ids,
                                        .target = pairs[b].target.ids,
                                        .source_count = pairs[b].source.count,
                                        .target_count = pairs[b].target.count};
    return seq2seq_batch_make(batch, list, count, arena, err);
}

/* From [T, B, E] of the batch to a tensor [length, V] for each line. */
static int write_logits(const struct seq2seq *model, const struct seq2seq_batch *batch,
                        const float *output, const char *path, struct arena *arena, struct err *err)
{
    const size_t B = batch->batch, E = model->embedding, V = model->vocabulary;
    char names[MAX_LINES][8];
    struct tensor tensors[MAX_LINES];
    for (size_t b = 0; b < B; b++) {
        const size_t rows = (size_t)batch->target_lengths[b];
        float *logits = arena_alloc(arena, rows * V, sizeof *logits, err);
        if (!logits)
            return ERR_MEMORY;
        for (size_t t = 0; t < rows; t++)
            seq2seq_logits(model, 1, output + (t * B + b) * E, logits + t * V);
        snprintf(names[b], sizeof names[b], "%zu", b);
        tensors[b] = (struct tensor){.name = names[b],
                                     .dimensions = 2,
                                     .shape = {rows, V},
                                     .count = rows * V,
                                     .data = logits};
    }
    return safetensors_write(path, tensors, B, err);
}

static int print_greedy(const struct seq2seq *model, const struct pair *pair, struct err *err)
{
    const struct decode_options options = {.beam = 1, .nbest = 1, .length_penalty = 1};
    const struct ensemble alone = {.models = {model}, .count = 1};
    struct decoder *decoder = decoder_new(&alone, 1, err);
    if (!decoder)
        return err->code;
    int status = decoder_join(decoder, pair->source.ids, pair->source.count, &options, NULL, err);
    struct decode_result *result = NULL;
    while (!status && !(result = decoder_take(decoder)))
        status = decoder_step(decoder, err);
    if (result) {
        const struct hypothesis *best = &result->hypotheses[0];
        for (size_t i = 0; i < best->count; i++)
            printf("%s%" PRId32, i ? " " : "", best->ids[i]);
        printf("\t%s%.9g\n", best->truncated ? "truncated " : "", (double)best->log_probability);
    }
    decode_result_free(result);
    decoder_free(decoder);
    return status;
}

static int logits_of(const struct seq2seq *model, const char *path, struct err *err)
{
    static struct pair pairs[MAX_LINES];
    const struct seq2seq_training training = {.scale = 1};
    const float *output;
    struct seq2seq_batch batch;
    struct arena arena;
    size_t count;
    if (read_pairs(stdin, model->vocabulary, pairs, &count, err))
        return err->code;
    arena_init(&arena, 1 << 20);
    int status = batch_of(&batch, pairs, count, &arena, err);
    if (!status)
        status = seq2seq_forward(model, &batch, &training, NULL, &output, &arena, err);
    if (!status)
        status = write_logits(model, &batch, output, path, &arena, err);
    for (size_t b = 0; b < count && !status; b++)
        status = print_greedy(model, &pairs[b], err);
    arena_release(&arena);
    return status;
}

static int command_logits(const char *folder, const char *out, struct err *err)
{
    struct bundle bundle;
    struct seq2seq *model;
    if (bundle_open(&bundle, folder, err))
        return err->code;
    int status = bundle.spec.kind == SPEC_SEQ2SEQ
                     ? seq2seq_open(&model, &bundle.spec, &bundle.weights, err)
                     : err_set(err, ERR_ARGUMENT, "%s is not a translation model", folder);
    if (!status) {
        status = logits_of(model, out, err);
        seq2seq_free(model);
    }
    bundle_release(&bundle);
    return status;
}

/* As in models/recipes/en-fr.conf; sentences of the data's mean length. torch_twin.py has the
   same. */
#define BATCH 200
#define STEPS 10
static const struct spec sizes = {.vocabulary = 8260,
                                  .embedding = 256,
                                  .encoder = {CELL_GRU, CELL_NORM_NONE, 1, 256, true, false},
                                  .decoder = {CELL_GRU, CELL_NORM_NONE, 1, 512, false, false},
                                  .attention = ATTENTION_GENERAL,
                                  .tying = SPEC_TYING_THREE_WAY};
static const struct seq2seq_training training = {.dropout_embedding = 0.2,
                                                 .dropout_output = 0.2,
                                                 .label_smoothing = 0.1,
                                                 .scale = 1.0 / (BATCH * STEPS)};

struct trainee {
    struct seq2seq model, gradients;
    struct parameter list[SEQ2SEQ_MAX_PARAMETERS], gradient_list[SEQ2SEQ_MAX_PARAMETERS];
    size_t count, total;
    float *flat; /* weights, gradients, first and second moments */
    struct rng rng;
    struct arena arena;
};

static int trainee_init(struct trainee *t, struct err *err)
{
    *t = (struct trainee){0};
    seq2seq_size(&t->model, &sizes);
    t->gradients = t->model;
    t->count = seq2seq_parameters(&t->model, t->list);
    seq2seq_parameters(&t->gradients, t->gradient_list);
    t->total = parameters_total(t->list, t->count);
    if (!(t->flat = mem_alloc(4 * t->total, sizeof(float), err)))
        return ERR_MEMORY;
    parameters_bind(t->list, t->count, t->flat);
    parameters_bind(t->gradient_list, t->count, t->flat + t->total);
    seq2seq_tie(&t->model);
    seq2seq_tie(&t->gradients);
    rng_seed(&t->rng, 1, 0);
    seq2seq_init(&t->model, &(struct cell_init_settings){0}, &t->rng);
    arena_init(&t->arena, 1 << 22);
    return 0;
}

/* One update; its duration in seconds, negative after an error. */
static double update(struct trainee *t, const struct seq2seq_batch *batch, size_t step,
                     struct err *err)
{
    const struct optim adam = {
        .kind = OPTIM_ADAM, .rate = 1e-3, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8};
    struct seq2seq_sums sums = {0};
    float *gradient = t->flat + t->total;
    const int64_t start = clock_ns();
    if (seq2seq_learn(&t->model, &t->gradients, batch, &training, &t->rng, &sums, &t->arena, err))
        return -1;
    arena_reset(&t->arena);
    const double norm = sqrt(optim_gather(t->total, 1, &gradient, 0));
    const struct optim_slice all = {.count = t->total,
                                    .weights = t->flat,
                                    .gradient = gradient,
                                    .first = t->flat + 2 * t->total,
                                    .second = t->flat + 3 * t->total};
    optim_update(&adam, step, clip_scale(norm, 1), 0, &all);
    return (double)(clock_ns() - start) * 1e-9;
}

/* Products of one target token, forward and backward: each weight that is a matrix is multiplied
   and added three times, since source and target are of one length here. (The bridge's are of one
   sentence, and the scores' are none: too few to count.) */
static double token_operations(const struct trainee *t)
{
    double sum = 0;
    for (size_t i = 0; i < t->count; i++)
        if (strncmp(t->list[i].name, "bridge", 6) != 0)
            sum += 6.0 * (double)t->list[i].rows * (double)t->list[i].columns;
    return sum;
}

#define PEAK_SIZE 1536
#define PEAK_RUNS 5

/* GFLOP/s of sgemm, the best of a few runs; 0 where there is no memory. */
static double peak(struct arena *arena, struct err *err)
{
    const size_t n = PEAK_SIZE;
    float *x = arena_alloc(arena, 3 * n * n, sizeof *x, err);
    double best = HUGE_VAL;
    for (size_t i = 0; x && i < 2 * n * n; i++)
        x[i] = 0.5f;
    for (int run = 0; x && run < PEAK_RUNS; run++) {
        const int64_t start = clock_ns();
        mat_multiply(MAT_NT, n, n, n, mat_of(x, n), mat_of(x + n * n, n), 0,
                     mat_of(x + 2 * n * n, n));
        best = fmin(best, (double)(clock_ns() - start));
    }
    return x ? 2.0 * (double)(n * n * n) / best : 0;
}

/* Sentences of random ids, all of STEPS with their ends. */
static int random_batch(struct seq2seq_batch *batch, struct arena *arena, struct err *err)
{
    static struct pair pairs[BATCH];
    struct rng rng;
    rng_seed(&rng, 1, 0);
    for (size_t b = 0; b < BATCH; b++) {
        pairs[b].source.count = pairs[b].target.count = STEPS - 1;
        for (size_t i = 0; i < STEPS - 1; i++) {
            pairs[b].source.ids[i] = TOKEN_FIRST + (int32_t)rng_below(&rng, 8000);
            pairs[b].target.ids[i] = TOKEN_FIRST + (int32_t)rng_below(&rng, 8000);
        }
    }
    return batch_of(batch, pairs, BATCH, arena, err);
}

static int command_train(size_t updates, struct err *err)
{
    struct trainee t;
    struct seq2seq_batch batch;
    struct arena arena;
    double best = HUGE_VAL;
    if (trainee_init(&t, err))
        return err->code;
    arena_init(&arena, 1 << 20);
    random_batch(&batch, &arena, err);
    for (size_t step = 1; step <= updates && !err->code; step++)
        best = fmin(best, update(&t, &batch, step, err));
    const double reached = token_operations(&t) * BATCH * STEPS / best * 1e-9;
    const double possible = err->code ? 0 : peak(&arena, err);
    if (!err->code)
        printf("%.0f tokens/s, %.1f GFLOP/s, %.0f %% of sgemm's %.1f\n", BATCH * STEPS / best,
               reached, 100 * reached / possible, possible);
    arena_release(&arena);
    arena_release(&t.arena);
    mem_free(t.flat);
    return err->code;
}

int main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    mat_use_one_thread();
    if (argc == 4 && strcmp(argv[1], "logits") == 0)
        command_logits(argv[2], argv[3], &err);
    else if ((argc == 2 || argc == 3) && strcmp(argv[1], "train") == 0)
        command_train(argc == 3 ? strtoul(argv[2], NULL, 10) : 10, &err);
    else
        err_set(&err, ERR_ARGUMENT, "usage: seq2seq logits BUNDLE OUT | seq2seq train [UPDATES]");
    if (err.code)
        fprintf(stderr, "seq2seq: %s\n", err.message);
    return err.code ? 1 : 0;
}
