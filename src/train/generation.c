/*
 * The generation task: language models, over a stream or over lines of text, with a condition or
 * without; how well the development data is predicted.
 *
 * The development data of a stream is read in many pieces side by side (model/language.h), which
 * costs a fraction of the time and makes its score a little worse than `dragoman evaluate` finds
 * it, where the state is carried over all of it.
 */
#include <math.h>

#include "base/mem.h"
#include "train/generation_parts.h"
#include "train/metric.h"

#define PIECE_TOKENS 2048 /* of a stream of development data, about */
#define MAX_PIECES 64

size_t generation_length(const struct generation_texts *texts, size_t i)
{
    return texts->ids.begins[i + 1] - texts->ids.begins[i];
}

struct rnn generation_bind(const struct generation_task *task, real *weights)
{
    struct parameter list[RNN_MAX_PARAMETERS];
    struct rnn model = task->shape;
    parameters_bind(list, rnn_parameters(&model, list), weights);
    return model;
}

static void generation_init(void *context, real *weights, struct rng *rng)
{
    const struct generation_task *task = context;
    const struct cell_init_settings settings = recipe_init(task->data.recipe);
    struct parameter list[RNN_MAX_PARAMETERS];
    struct rnn model = task->shape;
    const size_t count = rnn_parameters(&model, list);
    parameters_bind(list, count, weights);
    rnn_init(&model, &settings, rng);
    vectors_put(&task->data.vectors, model.embedding_weight);
    task_start(&task->data, list, count);
}

static int generation_learn(void *context, struct trainer_share *share)
{
    const struct generation_task *task = context;
    const struct recipe *recipe = task->data.recipe;
    const struct rnn model = generation_bind(task, (real *)(uintptr_t)share->weights);
    const struct rnn gradient = generation_bind(task, share->gradient);
    const struct rnn_training training = {.dropout_input = recipe->dropout_embedding,
                                          .dropout_layer = recipe->dropout_layer,
                                          .dropout_state = recipe->dropout_state,
                                          .dropout_output = recipe->dropout_output,
                                          .label_smoothing = recipe->label_smoothing,
                                          .scale = share->scale};
    struct rnn_batch batch;
    struct rnn_sums sums = {0};
    if ((recipe->stream ? generation_stream_batch : generation_lines_batch)(task, share, &batch) ||
        rnn_learn(&model, &gradient, &batch, &training, &share->rng, &sums, &share->arena,
                  &share->err))
        return share->err.code;
    if (recipe->stream)
        generation_stream_keep(task, share, &batch);
    share->sums.loss = sums.loss;
    return 0;
}

static int evaluate_lines(const struct generation_task *task, const struct rnn *model,
                          struct pool *pool, struct language_sums *sums, struct err *err)
{
    const size_t count = task->dev.ids.count;
    struct language_text *texts = mem_alloc(count, sizeof *texts, err);
    if (!texts)
        return ERR_MEMORY;
    for (size_t i = 0; i < count; i++)
        texts[i] = generation_line(task, &task->dev, i);
    const int status = language_lines(model, texts, count, pool, sums, err);
    mem_free(texts);
    return status;
}

static int evaluate_stream(const struct generation_task *task, const struct rnn *model,
                           struct pool *pool, struct language_sums *sums, struct err *err)
{
    const size_t count = task_ids_total(&task->dev.ids);
    const size_t pieces = 1 + count / PIECE_TOKENS;
    return language_stream(model, task->dev.ids.ids, count, task->dev_lead,
                           pieces < MAX_PIECES ? pieces : MAX_PIECES, pool, sums, err);
}

static int generation_evaluate(void *context, real *weights, struct pool *pool,
                               struct trainer_score *score, struct err *err)
{
    struct generation_task *task = context;
    const struct rnn model = generation_bind(task, weights);
    struct language_sums sums;
    if ((task->data.recipe->stream ? evaluate_stream : evaluate_lines)(task, &model, pool, &sums,
                                                                       err))
        return err->code;
    score->value = score->perplexity = metric_perplexity(sums.negative_log, sums.tokens);
    score->bits_per_character = sums.negative_log / log(2) / (double)task->dev.characters;
    return generation_samples_make(task, &model, err);
}

static struct parameter generation_tensor(void *context, size_t *offset)
{
    const struct generation_task *task = context;
    struct parameter list[RNN_MAX_PARAMETERS];
    struct rnn model = task->shape;
    rnn_parameters(&model, list);
    return *parameters_at(list, offset);
}

static int generation_save(void *context, real *weights, const struct trainer_score *score,
                           struct err *err)
{
    struct generation_task *task = context;
    struct parameter list[RNN_MAX_PARAMETERS];
    struct rnn model = task->shape;
    const size_t count = rnn_parameters(&model, list);
    parameters_bind(list, count, weights);
    task->data.best_score = score->value;
    if (spec_card_number(&task->data.spec, "dev_nats_per_character",
                         score->bits_per_character * log(2), err))
        return err->code;
    return task_save(&task->data, list, count, "perplexity", err);
}

/*
 * Setting up
 */

/* The stream is one text of the corpus. */
static int stream_ids(struct generation_task *task, struct err *err)
{
    struct task_data *data = &task->data;
    const struct corpus_line *train = data->train.lines, *dev = data->dev.lines;
    struct encoded scratch = {0};
    size_t tokens;
    if (task_ids_init(&task->train.ids, 1, err) || task_ids_init(&task->dev.ids, 1, err) ||
        task_ids_add(&task->train.ids, data->tokenizer, train->first, train->first_len, SIZE_MAX,
                     &scratch, &tokens, err) ||
        language_encode(data->tokenizer, dev->first, dev->first_len, &scratch, &task->dev_lead,
                        err) ||
        task_ids_put(&task->dev.ids, &scratch, SIZE_MAX, err))
        goto out;
    task->dev.characters = language_characters(dev->first, dev->first_len);
    data->tokens = tokens;
    rnn_size(&task->shape, &data->spec);
    generation_stream_init(task, err);
out:
    encoded_release(&scratch);
    return err->code;
}

static enum task_form form_of(const struct recipe *recipe)
{
    if (recipe->stream)
        return TASK_STREAM;
    return recipe->condition == SPEC_CONDITION_NONE ? TASK_TEXTS : TASK_SECOND_FIELD;
}

static int set_up(struct generation_task *task, const struct recipe *recipe, const char *command,
                  const char *folder, struct err *err)
{
    struct parameter list[RNN_MAX_PARAMETERS];
    if (task_data_open(&task->data, recipe, command, folder, form_of(recipe), err) ||
        (recipe->stream ? stream_ids : generation_lines_init)(task, err) ||
        task_check_start(&task->data, list, rnn_parameters(&task->shape, list), err) ||
        generation_samples_init(task, err))
        return err->code;
    return task_data_keep(&task->data, err);
}

static void fill_stream(struct trainer_task *trainer_task, const struct generation_task *task)
{
    trainer_task->plan = generation_stream_plan;
    trainer_task->units = generation_stream_units;
    trainer_task->carried = task->state;
    trainer_task->carried_count = task->streams * recurrent_state(&task->shape.encoder);
}

int generation_task(struct trainer_task *trainer_task, const struct recipe *recipe,
                    const char *command, const char *folder, struct err *err)
{
    struct parameter list[RNN_MAX_PARAMETERS];
    struct generation_task *task = mem_alloc(1, sizeof *task, err);
    if (!task)
        return ERR_MEMORY;
    *trainer_task = (struct trainer_task){.context = task,
                                          .unit = "tokens",
                                          .score_name = "perplexity",
                                          .lower_is_better = true,
                                          .units = generation_lines_units,
                                          .init = generation_init,
                                          .learn = generation_learn,
                                          .tensor = generation_tensor,
                                          .evaluate = generation_evaluate,
                                          .save = generation_save,
                                          .sample = generation_sample};
    if (set_up(task, recipe, command, folder, err)) {
        generation_task_release(trainer_task);
        return err->code;
    }
    const size_t tensors = rnn_parameters(&task->shape, list);
    trainer_task->parameters = parameters_total(list, tensors);
    trainer_task->origin = task->data.origin;
    trainer_task->keys = task->keys;
    trainer_task->examples = task->examples;
    trainer_task->cut = task->train.cut_count;
    trainer_task->facts = (struct trainer_facts){.lines = task->data.train.count,
                                                 .dev_lines = task->data.dev.count,
                                                 .tokens = {task_ids_total(&task->train.ids)},
                                                 .vocabulary = task->data.spec.vocabulary,
                                                 .tensors = tensors};
    if (recipe->stream)
        fill_stream(trainer_task, task);
    else if (recipe->dropout_bpe > 0)
        trainer_task->begin_epoch = generation_lines_begin_epoch;
    return 0;
}

void generation_task_release(struct trainer_task *trainer_task)
{
    struct generation_task *task = trainer_task->context;
    generation_samples_release(task);
    mem_free(task->state);
    mem_free(task->keys);
    generation_texts_release(&task->dev);
    generation_texts_release(&task->train);
    task_data_release(&task->data);
    mem_free(task);
    trainer_task->context = NULL;
}
