/* The translation task: sentence pairs in padded, time-major batches; BLEU on development data. */
#include "train/task.h"

#include <string.h>

#include "base/mem.h"
#include "model/batch.h"
#include "model/seq2seq.h"
#include "train/metric.h"
#include "train/translation_sample.h"

struct translation {
    struct task_data data;
    struct seq2seq shape; /* sizes alone; each use binds its own copy */
    struct task_ids sources, targets;
    struct batch_key *keys;
    size_t count; /* pairs that are not too long */
    struct translation_samples samples;
};

static size_t length_of(const struct task_ids *ids, size_t i)
{
    return ids->begins[i + 1] - ids->begins[i];
}

static struct seq2seq bind(const struct translation *translation, real *weights)
{
    struct parameter list[SEQ2SEQ_MAX_PARAMETERS];
    struct seq2seq model = translation->shape;
    parameters_bind(list, seq2seq_parameters(&model, &model.weights, list), weights);
    seq2seq_tie(&model, &model.weights);
    return model;
}

static double translation_units(void *context, uint32_t example)
{
    const struct translation *translation = context;
    return (double)(length_of(&translation->targets, example) + 1);
}

static void translation_init(void *context, real *weights, struct rng *rng)
{
    struct seq2seq model = bind(context, weights);
    seq2seq_init(&model, rng);
}

/* One sentence into column b of a time-major array [steps, batch]. */
static void put_column(int32_t *to, size_t batch, size_t b, const int32_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i * batch + b] = ids[i];
}

static void fill_batch(const struct translation *translation, const struct trainer_share *share,
                       int32_t *source, int32_t *input, int32_t *output, int32_t *source_lengths,
                       int32_t *target_lengths)
{
    const size_t B = share->count;
    for (size_t b = 0; b < B; b++) {
        const size_t i = share->examples[b];
        const int32_t *x = translation->sources.ids + translation->sources.begins[i];
        const int32_t *y = translation->targets.ids + translation->targets.begins[i];
        const size_t n = length_of(&translation->sources, i);
        const size_t m = length_of(&translation->targets, i);
        put_column(source, B, b, x, n);
        source[n * B + b] = TOKEN_EOS;
        input[b] = TOKEN_BOS;
        put_column(input + B, B, b, y, m);
        put_column(output, B, b, y, m);
        output[m * B + b] = TOKEN_EOS;
        source_lengths[b] = (int32_t)(n + 1);
        target_lengths[b] = (int32_t)(m + 1);
    }
}

/* The share's sentences as a batch in its arena. */
static int make_batch(const struct translation *translation, struct trainer_share *share,
                      struct seq2seq_batch *batch)
{
    const size_t B = share->count;
    size_t S = 0, T = 0;
    for (size_t b = 0; b < B; b++) {
        const size_t n = length_of(&translation->sources, share->examples[b]) + 1;
        const size_t m = length_of(&translation->targets, share->examples[b]) + 1;
        S = n > S ? n : S;
        T = m > T ? m : T;
    }
    int32_t *source = arena_alloc(&share->arena, S * B, sizeof *source, &share->err);
    int32_t *input = arena_alloc(&share->arena, T * B, sizeof *input, &share->err);
    int32_t *output = arena_alloc(&share->arena, T * B, sizeof *output, &share->err);
    int32_t *lengths = arena_alloc(&share->arena, 2 * B, sizeof *lengths, &share->err);
    if (!source || !input || !output || !lengths)
        return ERR_MEMORY;
    memset(output, -1, T * B * sizeof *output);
    fill_batch(translation, share, source, input, output, lengths, lengths + B);
    *batch = (struct seq2seq_batch){.batch = B,
                                    .source_steps = S,
                                    .target_steps = T,
                                    .source = source,
                                    .source_lengths = lengths,
                                    .target_input = input,
                                    .target_output = output,
                                    .target_lengths = lengths + B};
    return 0;
}

static int translation_learn(void *context, struct trainer_share *share)
{
    const struct translation *translation = context;
    const struct recipe *recipe = translation->data.recipe;
    const struct seq2seq model = bind(translation, (real *)(uintptr_t)share->weights);
    const struct seq2seq gradient = bind(translation, share->gradient);
    const struct seq2seq_training training = {
        .dropout_embedding = recipe->dropout_embedding,
        .dropout_output = recipe->dropout_output,
        .label_smoothing = recipe->label_smoothing,
        .scale = share->scale,
    };
    struct seq2seq_batch batch;
    struct seq2seq_sums sums = {0};
    if (make_batch(translation, share, &batch) ||
        seq2seq_learn(&model, &gradient.weights, &batch, &training, &share->rng, &sums,
                      &share->arena, &share->err))
        return share->err.code;
    share->sums.loss = sums.loss;
    return 0;
}

/* BLEU of the first candidates against the second field of the development data. */
static int score_outputs(const struct corpus *dev, const struct batch_output *outputs,
                         double *score, struct err *err)
{
    struct metric_bleu bleu;
    struct metric_segment *segments = mem_alloc(dev->count, sizeof *segments, err);
    struct metric_text *references = mem_alloc(dev->count, sizeof *references, err);
    int status = ERR_MEMORY;
    if (!segments || !references)
        goto out;
    for (size_t i = 0; i < dev->count; i++) {
        references[i] = (struct metric_text){dev->lines[i].second, dev->lines[i].second_len};
        segments[i] = (struct metric_segment){.references = &references[i], .reference_count = 1};
        if (outputs[i].count > 0)
            segments[i].hypothesis =
                (struct metric_text){outputs[i].candidates[0].text, outputs[i].candidates[0].len};
    }
    status = metric_bleu(segments, dev->count, &bleu, err);
    *score = bleu.score;
out:
    mem_free(references);
    mem_free(segments);
    return status;
}

static int translation_evaluate(void *context, real *weights, struct pool *pool, double *score,
                                struct err *err)
{
    struct translation *translation = context;
    const struct corpus *dev = &translation->data.dev;
    const struct decode_options options = {
        .beam = (size_t)translation->data.recipe->dev_beam, .nbest = 1, .length_penalty = 1};
    const struct seq2seq model = bind(translation, weights);
    struct batch_text *texts = mem_alloc(dev->count, sizeof *texts, err);
    struct batch_output *outputs = mem_alloc(dev->count, sizeof *outputs, err);
    int status = ERR_MEMORY;
    if (!texts || !outputs)
        goto out;
    for (size_t i = 0; i < dev->count; i++)
        texts[i] = (struct batch_text){dev->lines[i].first, dev->lines[i].first_len};
    translation_samples_ask(&translation->samples, outputs);
    status = batch_translate(&model, translation->data.tokenizer, &options, pool, texts, dev->count,
                             outputs, err);
    if (status == 0)
        status = score_outputs(dev, outputs, score, err);
    if (status == 0)
        status = translation_samples_keep(&translation->samples, dev, translation->data.tokenizer,
                                          outputs, err);
out:
    for (size_t i = 0; outputs && i < dev->count; i++)
        batch_output_release(&outputs[i]);
    mem_free(outputs);
    mem_free(texts);
    return status;
}

static bool translation_sample(void *context, size_t i, struct trainer_sample *sample)
{
    const struct translation *translation = context;
    return translation_samples_get(&translation->samples, i, sample);
}

static int translation_save(void *context, real *weights, double score, struct err *err)
{
    struct translation *translation = context;
    struct parameter list[SEQ2SEQ_MAX_PARAMETERS];
    struct seq2seq model = translation->shape;
    const size_t count = seq2seq_parameters(&model, &model.weights, list);
    parameters_bind(list, count, weights);
    translation->data.best_score = score;
    return task_save(&translation->data, list, count, "bleu", err);
}

/* Drops the last text of `ids`. */
static void take_back(struct task_ids *ids)
{
    ids->count--;
}

/* All pairs in which neither side is longer than max-tokens. */
static int encode_pairs(struct translation *translation, struct err *err)
{
    const struct corpus *corpus = &translation->data.train;
    const struct tokenizer *tokenizer = translation->data.tokenizer;
    const size_t limit = (size_t)translation->data.recipe->max_tokens;
    struct encoded scratch = {0};
    int status = 0;
    for (size_t i = 0; i < corpus->count; i++) {
        const struct corpus_line *line = &corpus->lines[i];
        size_t n, m;
        status = task_ids_add(&translation->sources, tokenizer, line->first, line->first_len, limit,
                              &scratch, &n, err);
        if (status == 0)
            status = task_ids_add(&translation->targets, tokenizer, line->second, line->second_len,
                                  limit, &scratch, &m, err);
        if (status)
            break;
        if (n > limit || m > limit) {
            take_back(&translation->sources);
            take_back(&translation->targets);
            continue;
        }
        translation->keys[translation->count++] =
            (struct batch_key){.order = (uint32_t)(m * 65536 + n), .tokens = (uint32_t)(n + m + 2)};
    }
    encoded_release(&scratch);
    return status;
}

/* The first sentences of the development data, as many as the recipe wants and there are. */
static int init_samples(struct translation *translation, struct err *err)
{
    const size_t wanted = (size_t)translation->data.recipe->samples;
    const size_t dev = translation->data.dev.count;
    return translation_samples_init(&translation->samples, wanted < dev ? wanted : dev, err);
}

int translation_task(struct trainer_task *task, const struct recipe *recipe, const char *command,
                     const char *folder, struct err *err)
{
    struct parameter list[SEQ2SEQ_MAX_PARAMETERS];
    struct translation *translation = mem_alloc(1, sizeof *translation, err);
    if (!translation)
        return ERR_MEMORY;
    *task = (struct trainer_task){.context = translation,
                                  .unit = "tokens",
                                  .score_name = "BLEU",
                                  .units = translation_units,
                                  .init = translation_init,
                                  .learn = translation_learn,
                                  .evaluate = translation_evaluate,
                                  .save = translation_save,
                                  .sample = translation_sample};
    struct task_data *data = &translation->data;
    if (task_data_open(data, recipe, command, folder, true, err))
        goto failed;
    translation->keys = mem_alloc(data->train.count, sizeof *translation->keys, err);
    if (!translation->keys || task_ids_init(&translation->sources, data->train.count, err) ||
        task_ids_init(&translation->targets, data->train.count, err) ||
        encode_pairs(translation, err) || init_samples(translation, err))
        goto failed;
    seq2seq_size(&translation->shape, &data->spec);
    struct seq2seq_weights slots;
    const size_t tensors = seq2seq_parameters(&translation->shape, &slots, list);
    task->parameters = parameters_total(list, tensors);
    task->origin = data->origin;
    task->keys = translation->keys;
    task->examples = translation->count;
    task->facts = (struct trainer_facts){
        .lines = data->train.count,
        .dev_lines = data->dev.count,
        .tokens = {task_ids_total(&translation->sources), task_ids_total(&translation->targets)},
        .vocabulary = data->spec.vocabulary,
        .tensors = tensors};
    return 0;
failed:
    translation_task_release(task);
    return err->code;
}

void translation_task_release(struct trainer_task *task)
{
    struct translation *translation = task->context;
    translation_samples_release(&translation->samples);
    task_ids_release(&translation->targets);
    task_ids_release(&translation->sources);
    mem_free(translation->keys);
    task_data_release(&translation->data);
    mem_free(translation);
    task->context = NULL;
}
