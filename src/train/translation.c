/* The translation task: sentence pairs, and how well the development data is translated. The source
   may be rows of numbers instead, such as the parts of a picture: then it is the task of captions.
 */
#include "base/mem.h"
#include "model/likelihood.h"
#include "model/seq2seq.h"
#include "train/metric.h"
#include "train/sequences.h"
#include "train/translation_sample.h"
#include "train/translation_score.h"

struct translation {
    struct task_data data;
    struct seq2seq shape; /* sizes alone; each use binds its own copy */
    struct sequences sources;
    struct task_ids targets;
    struct batch_key *keys;
    size_t left_out, dev_left_out; /* pairs that are too long */
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
    parameters_bind(list, seq2seq_parameters(&model, list), weights);
    seq2seq_tie(&model);
    return model;
}

static double translation_units(void *context, uint32_t example)
{
    const struct translation *translation = context;
    return (double)(length_of(&translation->targets, example) + 1);
}

static void translation_init(void *context, real *weights, struct rng *rng)
{
    const struct translation *translation = context;
    const struct cell_init_settings settings = recipe_init(translation->data.recipe);
    struct parameter list[SEQ2SEQ_MAX_PARAMETERS];
    struct seq2seq model = translation->shape;
    const size_t count = seq2seq_parameters(&model, list);
    parameters_bind(list, count, weights);
    seq2seq_tie(&model);
    seq2seq_init(&model, &settings, rng);
    if (model.source_embedding)
        vectors_put(&translation->data.vectors, model.source_embedding);
    if (model.tying != SPEC_TYING_THREE_WAY)
        vectors_put(&translation->data.vectors, model.target_embedding);
    task_start(&translation->data, list, count);
}

/* The share's pairs, in its arena. */
static int make_batch(const struct translation *translation, struct trainer_share *share,
                      struct seq2seq_batch *batch)
{
    const struct task_ids *targets = &translation->targets;
    struct seq2seq_pair *pairs =
        arena_alloc(&share->arena, share->count, sizeof *pairs, &share->err);
    if (!pairs)
        return ERR_MEMORY;
    for (size_t b = 0; b < share->count; b++) {
        const size_t i = share->examples[b];
        const struct rnn_input source = sequences_input(&translation->sources, i);
        pairs[b] = (struct seq2seq_pair){.source = source.ids,
                                         .source_count = source.count,
                                         .rows = source.rows,
                                         .row = translation->shape.row,
                                         .target = targets->ids + targets->begins[i],
                                         .target_count = length_of(targets, i)};
    }
    return seq2seq_batch_make(batch, pairs, share->count, &share->arena, &share->err);
}

static int translation_learn(void *context, struct trainer_share *share)
{
    const struct translation *translation = context;
    const struct recipe *recipe = translation->data.recipe;
    const struct seq2seq model = bind(translation, (real *)(uintptr_t)share->weights);
    const struct seq2seq gradient = bind(translation, share->gradient);
    const struct seq2seq_training training = {
        .dropout_embedding = recipe->dropout_embedding,
        .dropout_layer = recipe->dropout_layer,
        .dropout_state = recipe->dropout_state,
        .dropout_memory = recipe->dropout_memory,
        .dropout_output = recipe->dropout_output,
        .label_smoothing = recipe->label_smoothing,
        .scale = share->scale,
    };
    struct seq2seq_batch batch;
    struct seq2seq_sums sums = {0};
    if (make_batch(translation, share, &batch) ||
        seq2seq_learn(&model, &gradient, &batch, &training, &share->rng, &sums, &share->arena,
                      &share->err))
        return share->err.code;
    share->sums.loss = sums.loss;
    return 0;
}

static int translation_evaluate(void *context, real *weights, struct pool *pool,
                                struct trainer_score *score, struct err *err)
{
    struct translation *translation = context;
    const struct recipe *recipe = translation->data.recipe;
    const struct tokenizer *tokenizer = translation->data.tokenizer;
    const struct corpus *dev = &translation->data.dev;
    const struct decode_options options = {
        .beam = (size_t)recipe->dev_beam, .nbest = 1, .length_penalty = 1};
    const struct seq2seq model = bind(translation, weights);
    const struct ensemble alone = {.models = {&model}, .count = 1};
    struct likelihood likelihood = {.tokens = 0};
    struct batch_text *sources = mem_alloc(dev->count, sizeof *sources, err);
    struct batch_text *targets = mem_alloc(dev->count, sizeof *targets, err);
    struct batch_output *outputs = mem_alloc(dev->count, sizeof *outputs, err);
    int status = ERR_MEMORY;
    if (!sources || !targets || !outputs)
        goto out;
    for (size_t i = 0; i < dev->count; i++) {
        sources[i] = (struct batch_text){dev->lines[i].first, dev->lines[i].first_len};
        targets[i] = (struct batch_text){dev->lines[i].second, dev->lines[i].second_len};
    }
    translation_samples_ask(&translation->samples, outputs);
    status = batch_translate(&alone, tokenizer, &options, pool, sources, dev->count, outputs, err);
    if (status == 0)
        status = likelihood_corpus(&model, tokenizer, pool, sources, targets, dev->count,
                                   &likelihood, err);
    score->perplexity = metric_perplexity(likelihood.negative_log, likelihood.tokens);
    if (status == 0)
        status =
            translation_score((enum recipe_metric)recipe->dev_metric, dev, outputs, score, err);
    if (status == 0)
        status = translation_samples_keep(&translation->samples, dev, tokenizer, outputs, err);
out:
    for (size_t i = 0; outputs && i < dev->count; i++)
        batch_output_release(&outputs[i]);
    mem_free(outputs);
    mem_free(targets);
    mem_free(sources);
    return status;
}

static bool translation_sample(void *context, size_t i, struct trainer_sample *sample)
{
    const struct translation *translation = context;
    return translation_samples_get(&translation->samples, i, sample);
}

static struct parameter translation_tensor(void *context, size_t *offset)
{
    const struct translation *translation = context;
    struct parameter list[SEQ2SEQ_MAX_PARAMETERS];
    struct seq2seq model = translation->shape;
    seq2seq_parameters(&model, list);
    return *parameters_at(list, offset);
}

static int translation_save(void *context, real *weights, const struct trainer_score *score,
                            struct err *err)
{
    struct translation *translation = context;
    const enum recipe_metric metric = (enum recipe_metric)translation->data.recipe->dev_metric;
    struct parameter list[SEQ2SEQ_MAX_PARAMETERS];
    struct seq2seq model = translation->shape;
    const size_t count = seq2seq_parameters(&model, list);
    parameters_bind(list, count, weights);
    translation->data.best_score = score->value;
    return task_save(&translation->data, list, count, translation_metrics[metric].key, err);
}

static void make_keys(struct translation *translation)
{
    for (size_t i = 0; i < translation->targets.count; i++) {
        const size_t n = sequences_length(&translation->sources, i),
                     m = length_of(&translation->targets, i);
        translation->keys[i] =
            (struct batch_key){.order = (uint32_t)(m * 65536 + n), .tokens = (uint32_t)(n + m + 2)};
    }
}

static int translation_begin_epoch(void *context, size_t epoch, struct pool *pool, struct err *err)
{
    struct translation *translation = context;
    if (task_ids_redraw(&translation->sources.ids, &translation->data, TASK_FIRST, epoch, pool,
                        err) ||
        task_ids_redraw(&translation->targets, &translation->data, TASK_SECOND, epoch, pool, err))
        return err->code;
    make_keys(translation);
    return 0;
}

/* All pairs in which neither side is longer than max-tokens; the others leave the corpus. */
static int encode_pairs(struct translation *translation, struct err *err)
{
    struct corpus *corpus = &translation->data.train;
    const struct tokenizer *tokenizer = translation->data.tokenizer;
    const size_t limit = (size_t)translation->data.recipe->max_tokens;
    struct encoded scratch = {0};
    size_t kept = 0;
    int status = 0;
    for (size_t i = 0; i < corpus->count; i++) {
        const struct corpus_line *line = &corpus->lines[i];
        size_t n, m;
        status = sequences_add(&translation->sources, line, tokenizer, limit, &scratch, &n, err);
        if (status == 0)
            status = task_ids_add(&translation->targets, tokenizer, line->second, line->second_len,
                                  limit, &scratch, &m, err);
        if (status) {
            err_context(err, "%s:%u", translation->data.recipe->train.items[line->file],
                        line->line);
            break;
        }
        if (n > limit || m > limit) {
            sequences_take_back(&translation->sources);
            translation->targets.count--;
            continue;
        }
        corpus->lines[kept++] = *line;
    }
    encoded_release(&scratch);
    if (status)
        return status;
    translation->left_out = corpus->count - kept;
    corpus->count = kept;
    if (kept == 0)
        return err_set(
            err, ERR_LIMIT,
            "no example is left: all %zu of the training data are longer than %zu tokens",
            translation->left_out, limit);
    return 0;
}

/* Whether a model can read both sides of a development pair. */
static int check_pair(const struct translation *translation, const struct corpus_line *line,
                      struct encoded *scratch, bool *fits, struct err *err)
{
    const struct tokenizer *tokenizer = translation->data.tokenizer;
    struct sequences source;
    size_t n = 0;
    int status = sequences_init(&source, translation->data.spec.row, 1, err);
    if (status == 0)
        status = sequences_add(&source, line, tokenizer, DECODE_MAX_SOURCE, scratch, &n, err);
    if (status == 0)
        status = tokenizer_encode(tokenizer, line->second, line->second_len, scratch, err);
    *fits = n <= DECODE_MAX_SOURCE && scratch->count <= DECODE_MAX_SOURCE;
    sequences_release(&source);
    if (status)
        err_context(err, "%s:%u", translation->data.recipe->dev.items[line->file], line->line);
    return status;
}

/* Development pairs with a side longer than a model reads leave the corpus. */
static int check_dev(struct translation *translation, struct err *err)
{
    struct corpus *corpus = &translation->data.dev;
    struct encoded scratch = {0};
    size_t kept = 0;
    int status = 0;
    for (size_t i = 0; status == 0 && i < corpus->count; i++) {
        const struct corpus_line *line = &corpus->lines[i];
        bool fits = false;
        status = check_pair(translation, line, &scratch, &fits, err);
        if (fits)
            corpus->lines[kept++] = *line;
    }
    encoded_release(&scratch);
    if (status)
        return status;
    translation->dev_left_out = corpus->count - kept;
    corpus->count = kept;
    if (kept == 0)
        return err_set(err, ERR_LIMIT,
                       "all %zu examples of the development data are longer than %d tokens",
                       translation->dev_left_out, DECODE_MAX_SOURCE);
    return 0;
}

/* The first sentences of the development data, as many as the recipe wants and there are. */
static int init_samples(struct translation *translation, struct err *err)
{
    const size_t wanted = (size_t)translation->data.recipe->samples;
    const size_t dev = translation->data.dev.count;
    translation->samples.rows = translation->data.spec.row > 0;
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
                                  .score_name = translation_metrics[recipe->dev_metric].name,
                                  .lower_is_better = recipe->dev_metric == RECIPE_METRIC_PERPLEXITY,
                                  .units = translation_units,
                                  .init = translation_init,
                                  .learn = translation_learn,
                                  .tensor = translation_tensor,
                                  .evaluate = translation_evaluate,
                                  .save = translation_save,
                                  .sample = translation_sample};
    struct task_data *data = &translation->data;
    if (task_data_open(data, recipe, command, folder, TASK_BOTH_FIELDS, err))
        goto failed;
    translation->keys = mem_alloc(data->train.count, sizeof *translation->keys, err);
    if (!translation->keys ||
        sequences_init(&translation->sources, data->spec.row, data->train.count, err) ||
        task_ids_init(&translation->targets, data->train.count, err) ||
        encode_pairs(translation, err) || check_dev(translation, err) ||
        init_samples(translation, err))
        goto failed;
    make_keys(translation);
    seq2seq_size(&translation->shape, &data->spec);
    const size_t tensors = seq2seq_parameters(&translation->shape, list);
    if (task_check_start(data, list, tensors, err) || task_data_keep(data, err))
        goto failed;
    task->parameters = parameters_total(list, tensors);
    task->origin = data->origin;
    task->keys = translation->keys;
    task->examples = data->train.count;
    task->left_out = translation->left_out;
    task->dev_left_out = translation->dev_left_out;
    if (recipe->dropout_bpe > 0)
        task->begin_epoch = translation_begin_epoch;
    task->facts = (struct trainer_facts){
        .lines = data->train.count + translation->left_out,
        .dev_lines = data->dev.count + translation->dev_left_out,
        .tokens = {sequences_total(&translation->sources), task_ids_total(&translation->targets)},
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
    sequences_release(&translation->sources);
    mem_free(translation->keys);
    task_data_release(&translation->data);
    mem_free(translation);
    task->context = NULL;
}
