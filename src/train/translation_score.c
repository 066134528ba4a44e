#include "train/translation_score.h"

#include <math.h>

#include "base/mem.h"
#include "model/decode.h"
#include "train/metric.h"
#include "train/translation_batch.h"

#define ARENA_BLOCK (16u << 20)

const struct translation_metric translation_metrics[] = {
    [RECIPE_METRIC_BLEU] = {"BLEU", "bleu"},
    [RECIPE_METRIC_BLEU_TOKENISED] = {"tokenised BLEU", "bleu_tokenised"},
    [RECIPE_METRIC_CHRF] = {"chrF", "chrf"},
    [RECIPE_METRIC_PERPLEXITY] = {"perplexity", "perplexity"},
};

/*
 * Perplexity
 */

static int encode(struct translation_dev *dev, const struct corpus *corpus,
                  const struct tokenizer *tokenizer, struct batch_key *keys, struct err *err)
{
    struct encoded scratch = {0};
    int status = 0;
    for (size_t i = 0; i < corpus->count && status == 0; i++) {
        const struct corpus_line *line = &corpus->lines[i];
        size_t n, m;
        status = task_ids_add(&dev->sources, tokenizer, line->first, line->first_len,
                              DECODE_MAX_SOURCE, &scratch, &n, err);
        if (status == 0)
            status = task_ids_add(&dev->targets, tokenizer, line->second, line->second_len,
                                  DECODE_MAX_SOURCE, &scratch, &m, err);
        if (status)
            break;
        n = dev->sources.begins[i + 1] - dev->sources.begins[i];
        m = dev->targets.begins[i + 1] - dev->targets.begins[i];
        keys[i] =
            (struct batch_key){.order = (uint32_t)(m * 65536 + n), .tokens = (uint32_t)(n + m + 2)};
        dev->tokens += m + 1;
    }
    encoded_release(&scratch);
    return status;
}

int translation_dev_init(struct translation_dev *dev, const struct corpus *corpus,
                         const struct tokenizer *tokenizer, size_t batch_tokens, struct err *err)
{
    *dev = (struct translation_dev){.tokens = 0};
    struct batch_key *keys = mem_alloc(corpus->count, sizeof *keys, err);
    int status = ERR_MEMORY;
    if (keys && !task_ids_init(&dev->sources, corpus->count, err) &&
        !task_ids_init(&dev->targets, corpus->count, err))
        status = encode(dev, corpus, tokenizer, keys, err);
    if (status == 0)
        status = batch_plan_make(&dev->plan, keys, corpus->count, batch_tokens, 0, 0, err);
    mem_free(keys);
    return status;
}

void translation_dev_release(struct translation_dev *dev)
{
    batch_plan_release(&dev->plan);
    task_ids_release(&dev->targets);
    task_ids_release(&dev->sources);
}

struct reading { /* every thread takes each threads-th batch */
    const struct translation_dev *dev;
    const struct seq2seq *model;
    double *sums; /* of each batch */
    struct err *errors;
    size_t threads;
};

static int read_batch(const struct reading *reading, size_t i, struct arena *arena, struct err *err)
{
    const struct translation_dev *dev = reading->dev;
    const struct seq2seq_training nothing_dropped = {.scale = 1};
    const size_t begin = dev->plan.begins[i], end = dev->plan.begins[i + 1];
    struct seq2seq_sums sums = {0};
    struct seq2seq_batch batch;
    struct rng rng;
    rng_seed(&rng, 0, 0);
    if (translation_batch(&batch, &dev->sources, &dev->targets, dev->plan.examples + begin,
                          end - begin, arena, err) ||
        seq2seq_learn(reading->model, NULL, &batch, &nothing_dropped, &rng, &sums, arena, err))
        return err->code;
    reading->sums[i] = sums.negative_log;
    return 0;
}

static void run_reading(void *context, int index)
{
    const struct reading *reading = context;
    struct arena arena;
    arena_init(&arena, ARENA_BLOCK);
    for (size_t i = (size_t)index; i < reading->dev->plan.batches; i += reading->threads) {
        arena_reset(&arena);
        if (read_batch(reading, i, &arena, &reading->errors[index]))
            break;
    }
    arena_release(&arena);
}

int translation_perplexity(const struct translation_dev *dev, const struct seq2seq *model,
                           struct pool *pool, double *perplexity, struct err *err)
{
    struct reading reading = {.dev = dev, .model = model, .threads = (size_t)pool_threads(pool)};
    double sum = 0;
    int status = ERR_MEMORY;
    reading.sums = mem_alloc(dev->plan.batches, sizeof *reading.sums, err);
    reading.errors = mem_alloc(reading.threads, sizeof *reading.errors, err);
    if (!reading.sums || !reading.errors)
        goto out;
    pool_run(pool, run_reading, &reading);
    status = 0;
    for (size_t t = 0; t < reading.threads && status == 0; t++)
        if (reading.errors[t].code)
            status = err_set(err, reading.errors[t].code, "%s", reading.errors[t].message);
    for (size_t i = 0; i < dev->plan.batches; i++)
        sum += reading.sums[i];
    *perplexity = exp(sum / (double)dev->tokens);
out:
    mem_free(reading.errors);
    mem_free(reading.sums);
    return status;
}

/*
 * Metrics of the output
 */

static int score_segments(enum recipe_metric metric, const struct metric_segment *segments,
                          size_t count, struct trainer_score *score, struct err *err)
{
    struct metric_bleu bleu = {.score = 0};
    int status = 0;
    switch (metric) {
    case RECIPE_METRIC_BLEU:
    case RECIPE_METRIC_BLEU_TOKENISED:
        status = metric_bleu(segments, count, &bleu, err);
        score->value = bleu.score;
        break;
    case RECIPE_METRIC_CHRF:
        status = metric_chrf(segments, count, &score->value, err);
        break;
    case RECIPE_METRIC_PERPLEXITY:
        score->value = score->perplexity;
        break;
    }
    return status;
}

int translation_score(enum recipe_metric metric, const struct corpus *corpus,
                      const struct batch_output *outputs, struct trainer_score *score,
                      struct err *err)
{
    const size_t count = corpus->count;
    struct metric_segment *segments = mem_alloc(count, sizeof *segments, err);
    struct metric_text *references = mem_alloc(count, sizeof *references, err);
    int status = ERR_MEMORY;
    if (!segments || !references)
        goto out;
    for (size_t i = 0; i < count; i++) {
        references[i] = (struct metric_text){corpus->lines[i].second, corpus->lines[i].second_len};
        segments[i] = (struct metric_segment){.references = &references[i], .reference_count = 1};
        if (outputs[i].count > 0)
            segments[i].hypothesis =
                (struct metric_text){outputs[i].candidates[0].text, outputs[i].candidates[0].len};
    }
    status = score_segments(metric, segments, count, score, err);
out:
    mem_free(references);
    mem_free(segments);
    return status;
}
