/*
 * The tagging task: a label for each word of a text, predicted at the word's last token; the share
 * of words with the right label on development data. Training texts are cut at the recipe's limit,
 * development texts are read whole, as they will be when the model is in use.
 */
#include <string.h>

#include "base/mem.h"
#include "model/rnn.h"
#include "train/tagged_texts.h"

struct tagging {
    struct task_data data;
    struct rnn shape; /* sizes alone; each use binds its own copy */
    struct label_set labels;
    struct tagged_texts texts, dev_texts;
    struct batch_key *keys;
    struct guess {
        struct buf labels; /* with spaces between */
        double probability;
    } * guesses; /* [samples]: what the last evaluation made of the first texts */
    size_t samples;
    bool evaluated;
};

static struct rnn bind(const struct tagging *tagging, real *weights)
{
    struct parameter list[RNN_MAX_PARAMETERS];
    struct rnn model = tagging->shape;
    parameters_bind(list, rnn_parameters(&model, list), weights);
    return model;
}

static double tagging_units(void *context, uint32_t example)
{
    const struct tagging *tagging = context;
    return (double)tagging->texts.words[example];
}

static void tagging_init(void *context, real *weights, struct rng *rng)
{
    const struct tagging *tagging = context;
    const struct cell_init_settings settings = recipe_init(tagging->data.recipe);
    struct parameter list[RNN_MAX_PARAMETERS];
    struct rnn model = tagging->shape;
    const size_t count = rnn_parameters(&model, list);
    parameters_bind(list, count, weights);
    rnn_init(&model, &settings, rng);
    vectors_put(&tagging->data.vectors, model.embedding_weight);
    task_start(&tagging->data, list, count);
}

/* The share's texts, padded and time-major. */
static int make_batch(const struct tagging *tagging, struct trainer_share *share,
                      struct rnn_batch *batch)
{
    const struct tagged_texts *texts = &tagging->texts;
    const size_t B = share->count;
    size_t S = 1;
    for (size_t b = 0; b < B; b++) {
        const size_t length = tagged_texts_length(texts, share->examples[b]);
        S = length > S ? length : S;
    }
    int32_t *ids = arena_alloc(&share->arena, S * B, sizeof *ids, &share->err);
    int32_t *targets = arena_alloc(&share->arena, S * B, sizeof *targets, &share->err);
    int32_t *lengths = arena_alloc(&share->arena, B, sizeof *lengths, &share->err);
    if (ids == NULL || targets == NULL || lengths == NULL)
        return ERR_MEMORY;
    memset(targets, -1, S * B * sizeof *targets);
    for (size_t b = 0; b < B; b++) {
        const size_t begin = texts->ids.begins[share->examples[b]];
        lengths[b] = (int32_t)tagged_texts_length(texts, share->examples[b]);
        for (size_t t = 0; t < (size_t)lengths[b]; t++) {
            ids[t * B + b] = texts->ids.ids[begin + t];
            targets[t * B + b] = texts->targets[begin + t];
        }
    }
    *batch = (struct rnn_batch){
        .batch = B, .steps = S, .lengths = lengths, .ids = ids, .targets = targets};
    return 0;
}

static int tagging_learn(void *context, struct trainer_share *share)
{
    const struct tagging *tagging = context;
    const struct recipe *recipe = tagging->data.recipe;
    const struct rnn model = bind(tagging, (real *)(uintptr_t)share->weights);
    const struct rnn gradient = bind(tagging, share->gradient);
    const struct rnn_training training = {
        .dropout_input = recipe->dropout_embedding,
        .dropout_layer = recipe->dropout_layer,
        .dropout_state = recipe->dropout_state,
        .dropout_output = recipe->dropout_output,
        .label_smoothing = recipe->label_smoothing,
        .scale = share->scale,
    };
    struct rnn_batch batch;
    struct rnn_sums sums = {0};
    int code = make_batch(tagging, share, &batch);
    if (code == 0)
        code = rnn_learn(&model, &gradient, &batch, &training, &share->rng, &sums, &share->arena,
                         &share->err);
    share->sums.loss = sums.loss;
    return code;
}

/*
 * Scoring: every thread takes each threads-th development text.
 */

struct evaluation {
    struct tagging *tagging;
    struct rnn model;
    struct evaluation_part {
        size_t correct;
        struct err err;
    } * parts; /* [threads] */
    size_t threads;
};

/* The most probable label, the first of equals. */
static size_t best_label(const float *logits, size_t labels)
{
    size_t best = 0;
    for (size_t l = 1; l < labels; l++)
        best = logits[l] > logits[best] ? l : best;
    return best;
}

/* Keeps what the model makes of a text for the report. */
static int keep(struct tagging *tagging, size_t i, const float *logits, struct err *err)
{
    const struct tagged_texts *texts = &tagging->dev_texts;
    const struct spec *spec = &tagging->data.spec;
    const size_t L = spec->label_count;
    struct guess *guess = &tagging->guesses[i];
    double sum = 0;
    int code = 0;
    buf_clear(&guess->labels);
    for (size_t t = 0; code == 0 && t < tagged_texts_length(texts, i); t++) {
        const float *row = logits + t * L;
        const size_t best = best_label(row, L);
        double all = 0;
        if (texts->targets[texts->ids.begins[i] + t] == TAGGED_NOTHING)
            continue;
        for (size_t l = 0; l < L; l++)
            all += exp((double)row[l] - (double)row[best]);
        sum += 1 / all;
        code = buf_printf(&guess->labels, err, "%s%s", guess->labels.len > 0 ? " " : "",
                          spec->labels[best]);
    }
    guess->probability = texts->words[i] > 0 ? sum / (double)texts->words[i] : 0;
    return code;
}

static int tag(const struct evaluation *evaluation, size_t i, struct evaluation_part *part)
{
    struct tagging *tagging = evaluation->tagging;
    const struct tagged_texts *texts = &tagging->dev_texts;
    const size_t L = evaluation->model.outputs, T = tagged_texts_length(texts, i);
    const struct rnn_input input = {.count = T, .ids = texts->ids.ids + texts->ids.begins[i]};
    const int32_t *targets = texts->targets + texts->ids.begins[i];
    float *logits = mem_alloc(T, L * sizeof *logits, &part->err);
    if (logits == NULL)
        return ERR_MEMORY;
    int code = rnn_in_step(&evaluation->model, &input, logits, NULL, &part->err);
    for (size_t t = 0; code == 0 && t < T; t++)
        part->correct += targets[t] >= 0 && best_label(logits + t * L, L) == (size_t)targets[t];
    if (code == 0 && i < tagging->samples)
        code = keep(tagging, i, logits, &part->err);
    mem_free(logits);
    return code;
}

static void run_evaluation(void *context, int index)
{
    const struct evaluation *evaluation = context;
    struct evaluation_part *part = &evaluation->parts[index];
    const size_t count = evaluation->tagging->dev_texts.ids.count;
    for (size_t i = (size_t)index; i < count; i += evaluation->threads)
        if (tag(evaluation, i, part) < 0)
            return;
}

static size_t count_words(const struct tagged_texts *texts)
{
    size_t words = 0;
    for (size_t i = 0; i < texts->ids.count; i++)
        words += texts->words[i];
    return words;
}

static int tagging_evaluate(void *context, real *weights, struct pool *pool,
                            struct trainer_score *score, struct err *err)
{
    struct tagging *tagging = context;
    struct evaluation evaluation = {
        .tagging = tagging, .model = bind(tagging, weights), .threads = (size_t)pool_threads(pool)};
    size_t correct = 0;
    int code = 0;
    evaluation.parts = mem_alloc(evaluation.threads, sizeof *evaluation.parts, err);
    if (evaluation.parts == NULL)
        return ERR_MEMORY;
    pool_run(pool, run_evaluation, &evaluation);
    for (size_t t = 0; t < evaluation.threads && code == 0; t++) {
        const struct evaluation_part *part = &evaluation.parts[t];
        correct += part->correct;
        if (part->err.code != 0)
            code = err_set(err, part->err.code, "%s", part->err.message);
    }
    score->value = 100.0 * (double)correct / (double)count_words(&tagging->dev_texts);
    tagging->evaluated = code == 0;
    mem_free(evaluation.parts);
    return code;
}

static struct parameter tagging_tensor(void *context, size_t *offset)
{
    const struct tagging *tagging = context;
    struct parameter list[RNN_MAX_PARAMETERS];
    struct rnn model = tagging->shape;
    rnn_parameters(&model, list);
    return *parameters_at(list, offset);
}

static bool tagging_sample(void *context, size_t i, struct trainer_sample *sample)
{
    const struct tagging *tagging = context;
    if (i >= tagging->samples || !tagging->evaluated)
        return false;
    *sample = (struct trainer_sample){
        .source = tagging->data.dev.lines[i].first,
        .reference = tagging->data.dev.lines[i].second,
        .output = tagging->guesses[i].labels.data,
        .score = tagging->guesses[i].probability,
    };
    return true;
}

static int tagging_save(void *context, real *weights, const struct trainer_score *score,
                        struct err *err)
{
    struct tagging *tagging = context;
    struct parameter list[RNN_MAX_PARAMETERS];
    struct rnn model = tagging->shape;
    const size_t count = rnn_parameters(&model, list);
    parameters_bind(list, count, weights);
    tagging->data.best_score = score->value;
    return task_save(&tagging->data, list, count, "accuracy", err);
}

/*
 * Setting up
 */

static int init_samples(struct tagging *tagging, struct err *err)
{
    const size_t wanted = (size_t)tagging->data.recipe->samples;
    const size_t dev = tagging->data.dev.count;
    const size_t count = wanted < dev ? wanted : dev;
    tagging->guesses = mem_alloc(count, sizeof *tagging->guesses, err);
    if (tagging->guesses == NULL)
        return ERR_MEMORY;
    tagging->samples = count;
    return 0;
}

static int set_up(struct tagging *tagging, const struct recipe *recipe, const char *command,
                  const char *folder, struct err *err)
{
    struct task_data *data = &tagging->data;
    struct parameter list[RNN_MAX_PARAMETERS];
    int code;
    if ((code = task_data_open(data, recipe, command, folder, TASK_FIRST_FIELD, err)) < 0 ||
        (code = tagged_texts_labels(&data->train, &tagging->labels, err)) < 0 ||
        (code = label_set_sort(&tagging->labels, err)) < 0 ||
        (code = label_set_name(&tagging->labels, &data->spec, err)) < 0 ||
        (code = tagged_texts_read(&tagging->texts, &data->train, &recipe->train, data->tokenizer,
                                  &tagging->labels, (size_t)recipe->max_tokens, err)) < 0 ||
        (code = tagged_texts_read(&tagging->dev_texts, &data->dev, &recipe->dev, data->tokenizer,
                                  &tagging->labels, SIZE_MAX, err)) < 0 ||
        (code = init_samples(tagging, err)) < 0)
        return code;
    if (count_words(&tagging->texts) == 0)
        return err_set(err, ERR_LIMIT, "no word of the training data ends within %lld tokens",
                       (long long)recipe->max_tokens);
    rnn_size(&tagging->shape, &data->spec);
    tagging->keys = mem_alloc(data->train.count, sizeof *tagging->keys, err);
    if (tagging->keys == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < data->train.count; i++) {
        const uint32_t length = (uint32_t)tagged_texts_length(&tagging->texts, i);
        tagging->keys[i] = (struct batch_key){.order = length, .tokens = length > 0 ? length : 1};
    }
    code = task_check_start(data, list, rnn_parameters(&tagging->shape, list), err);
    return code < 0 ? code : task_data_keep(data, err);
}

int tagging_task(struct trainer_task *task, const struct recipe *recipe, const char *command,
                 const char *folder, struct err *err)
{
    struct parameter list[RNN_MAX_PARAMETERS];
    struct tagging *tagging = mem_alloc(1, sizeof *tagging, err);
    if (tagging == NULL)
        return ERR_MEMORY;
    *task = (struct trainer_task){.context = tagging,
                                  .unit = "words",
                                  .score_name = "accuracy",
                                  .units = tagging_units,
                                  .init = tagging_init,
                                  .learn = tagging_learn,
                                  .tensor = tagging_tensor,
                                  .evaluate = tagging_evaluate,
                                  .save = tagging_save,
                                  .sample = tagging_sample};
    const int code = set_up(tagging, recipe, command, folder, err);
    if (code < 0) {
        tagging_task_release(task);
        return code;
    }
    const size_t tensors = rnn_parameters(&tagging->shape, list);
    task->parameters = parameters_total(list, tensors);
    task->origin = tagging->data.origin;
    task->keys = tagging->keys;
    task->examples = tagging->texts.ids.count;
    task->cut = tagging->texts.cut;
    task->facts = (struct trainer_facts){.lines = tagging->data.train.count,
                                         .dev_lines = tagging->data.dev.count,
                                         .tokens = {task_ids_total(&tagging->texts.ids)},
                                         .vocabulary = tagging->data.spec.vocabulary,
                                         .tensors = tensors};
    return 0;
}

void tagging_task_release(struct trainer_task *task)
{
    struct tagging *tagging = task->context;
    for (size_t i = 0; i < tagging->samples; i++)
        buf_release(&tagging->guesses[i].labels);
    mem_free(tagging->guesses);
    mem_free(tagging->keys);
    tagged_texts_release(&tagging->dev_texts);
    tagged_texts_release(&tagging->texts);
    label_set_release(&tagging->labels);
    task_data_release(&tagging->data);
    mem_free(tagging);
    task->context = NULL;
}
