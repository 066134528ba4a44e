/*
 * The classification task of recurrent networks: texts, or rows of numbers, with one label each;
 * accuracy on development data. Training texts are cut at the recipe's limit, development texts are
 * read whole, as they will be when the model is in use.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/rnn.h"
#include "train/bayes.h"
#include "train/calibration.h"
#include "train/labels.h"
#include "train/sequences.h"

struct classification {
    struct task_data data;
    struct rnn shape; /* sizes alone; each use binds its own copy */
    struct sequences texts, dev_texts;
    int32_t *labels, *dev_labels;
    real *class_weights; /* [labels], or NULL */
    struct bayes bayes;  /* empty where the first embeddings hold none */
    struct batch_key *keys;
    float *dev_logits; /* [dev, labels]: what the last evaluation found */
    size_t samples;
    bool evaluated;
};

static struct rnn bind(const struct classification *classification, real *weights)
{
    struct parameter list[RNN_MAX_PARAMETERS];
    struct rnn model = classification->shape;
    parameters_bind(list, rnn_parameters(&model, list), weights);
    return model;
}

static double classification_units(void *context, uint32_t example)
{
    (void)context;
    (void)example;
    return 1;
}

static void classification_init(void *context, real *weights, struct rng *rng)
{
    const struct classification *classification = context;
    const struct cell_init_settings settings = recipe_init(classification->data.recipe);
    struct parameter list[RNN_MAX_PARAMETERS];
    struct rnn model = classification->shape;
    const size_t count = rnn_parameters(&model, list);
    parameters_bind(list, count, weights);
    rnn_init(&model, &settings, rng);
    if (model.embedding_weight != NULL)
        vectors_put(&classification->data.vectors, model.embedding_weight);
    task_start(&classification->data, list, count);
    bayes_add(&classification->bayes, classification->data.recipe->embedding_bayes, model.embedding,
              rng, model.embedding_weight);
}

/* Word dropout: a token that is left out is read as an unknown one, which so has a meaning of its
   own when the model meets one. ids [S, B] */
static void drop_words(double rate, const struct rnn_batch *batch, struct rng *rng, int32_t *ids)
{
    for (size_t b = 0; rate > 0 && b < batch->batch; b++)
        for (size_t t = 0; t < (size_t)batch->lengths[b]; t++)
            if (rng_uniform(rng) < rate)
                ids[t * batch->batch + b] = TOKEN_UNK;
}

static int make_batch(const struct classification *classification, struct trainer_share *share,
                      struct rnn_batch *batch)
{
    int32_t *labels = arena_alloc(&share->arena, share->count, sizeof *labels, &share->err);
    if (labels == NULL)
        return ERR_MEMORY;
    for (size_t b = 0; b < share->count; b++)
        labels[b] = classification->labels[share->examples[b]];
    *batch = (struct rnn_batch){.targets = labels};
    const int code = sequences_batch(&classification->texts, share->examples, share->count, batch,
                                     &share->arena, &share->err);
    if (code == 0)
        drop_words(classification->data.recipe->dropout_word, batch, &share->rng,
                   (int32_t *)(uintptr_t)batch->ids);
    return code;
}

static int classification_learn(void *context, struct trainer_share *share)
{
    const struct classification *classification = context;
    const struct rnn model = bind(classification, (real *)(uintptr_t)share->weights);
    const struct rnn gradient = bind(classification, share->gradient);
    const struct recipe *recipe = classification->data.recipe;
    const struct rnn_training training = {
        .dropout_input = recipe->dropout_embedding,
        .dropout_layer = recipe->dropout_layer,
        .dropout_state = recipe->dropout_state,
        .dropout_output = recipe->dropout_output,
        .label_smoothing = recipe->label_smoothing,
        .class_weights = classification->class_weights,
        .scale = share->scale,
    };
    struct rnn_batch batch;
    struct rnn_sums sums = {0};
    int code = make_batch(classification, share, &batch);
    if (code == 0)
        code = rnn_learn(&model, &gradient, &batch, &training, &share->rng, &sums, &share->arena,
                         &share->err);
    share->sums.loss = sums.loss;
    return code;
}

static struct calibration dev_calibration(const struct classification *classification)
{
    return (struct calibration){.count = classification->data.dev.count,
                                .labels = classification->data.spec.label_count,
                                .logits = classification->dev_logits,
                                .targets = classification->dev_labels};
}

/* Every thread takes each threads-th development text. */
struct evaluation {
    const struct classification *classification;
    struct rnn model;
    struct err *errs; /* [threads] */
    size_t threads;
};

static void run_evaluation(void *context, int index)
{
    struct evaluation *evaluation = context;
    struct err *err = &evaluation->errs[index];
    const struct classification *classification = evaluation->classification;
    const size_t count = classification->data.dev.count;
    const size_t labels = classification->data.spec.label_count;
    for (size_t i = (size_t)index; err->code == 0 && i < count; i += evaluation->threads) {
        float *logits = classification->dev_logits + i * labels;
        const struct rnn_input input = sequences_input(&classification->dev_texts, i);
        rnn_pooled(&evaluation->model, &input, logits, NULL, err);
    }
}

static int classification_evaluate(void *context, real *weights, struct pool *pool,
                                   struct trainer_score *score, struct err *err)
{
    struct classification *classification = context;
    struct evaluation evaluation = {.classification = classification,
                                    .model = bind(classification, weights),
                                    .threads = (size_t)pool_threads(pool)};
    evaluation.errs = mem_alloc(evaluation.threads, sizeof *evaluation.errs, err);
    if (evaluation.errs == NULL)
        return ERR_MEMORY;
    pool_run(pool, run_evaluation, &evaluation);
    int code = 0;
    for (size_t t = 0; t < evaluation.threads && code == 0; t++)
        if (evaluation.errs[t].code != 0)
            code = err_set(err, evaluation.errs[t].code, "%s", evaluation.errs[t].message);
    const struct calibration dev = dev_calibration(classification);
    if (code == 0)
        *score = (struct trainer_score){.value = 100 * calibration_accuracy(&dev),
                                        .perplexity = exp(calibration_loss(&dev, 1))};
    classification->evaluated = code == 0;
    mem_free(evaluation.errs);
    return code;
}

static struct parameter classification_tensor(void *context, size_t *offset)
{
    const struct classification *classification = context;
    struct parameter list[RNN_MAX_PARAMETERS];
    struct rnn model = classification->shape;
    rnn_parameters(&model, list);
    return *parameters_at(list, offset);
}

static bool classification_sample(void *context, size_t i, struct trainer_sample *sample)
{
    const struct classification *classification = context;
    const struct spec *spec = &classification->data.spec;
    if (i >= classification->samples || !classification->evaluated)
        return false;
    double probability;
    const struct calibration dev = dev_calibration(classification);
    const size_t best = calibration_guess(&dev, i, 1, &probability);
    *sample = (struct trainer_sample){
        .source = classification->data.dev.lines[i].first,
        .reference = spec->labels[classification->dev_labels[i]],
        .output = spec->labels[best],
        .score = probability,
    };
    return true;
}

/* The model is saved with the temperature that suits the development data best. */
static int classification_save(void *context, real *weights, const struct trainer_score *score,
                               struct err *err)
{
    struct classification *classification = context;
    struct task_data *data = &classification->data;
    struct parameter list[RNN_MAX_PARAMETERS];
    struct rnn model = classification->shape;
    const size_t count = rnn_parameters(&model, list);
    const struct calibration dev = dev_calibration(classification);
    parameters_bind(list, count, weights);
    data->best_score = score->value;
    data->spec.temperature = calibration_temperature(&dev);
    if (spec_card_number(&data->spec, "dev_calibration_error",
                         calibration_error(&dev, data->spec.temperature), err) < 0)
        return err->code;
    return task_save(data, list, count, "accuracy", err);
}

/*
 * Setting up
 */

static int classification_begin_epoch(void *context, size_t epoch, struct pool *pool,
                                      struct err *err)
{
    struct classification *classification = context;
    const int code = task_ids_redraw(&classification->texts.ids, &classification->data, TASK_FIRST,
                                     epoch, pool, err);
    if (code == 0)
        sequences_keys(&classification->texts, classification->keys);
    return code;
}

/* Each class counts the same: its weight is count / (classes * its count). */
static int balance(struct classification *classification, struct err *err)
{
    const size_t count = classification->data.train.count;
    const size_t labels = classification->data.spec.label_count;
    real *weights = classification->class_weights = mem_alloc(labels, sizeof *weights, err);
    if (weights == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < count; i++)
        weights[classification->labels[i]] += 1;
    for (size_t l = 0; l < labels; l++)
        weights[l] = (real)count / ((real)labels * weights[l]);
    return 0;
}

static int make_network(struct classification *classification, struct err *err)
{
    const struct task_data *data = &classification->data;
    rnn_size(&classification->shape, &data->spec);
    const struct recipe *recipe = data->recipe;
    if (data->spec.row > 0 && (recipe->dropout_word > 0 || recipe->embedding_bayes > 0))
        return err_set(err, ERR_ARGUMENT,
                       "--dropout-word and --embedding-bayes are for texts, not for rows");
    if (recipe->class_weights == RECIPE_WEIGHTS_BALANCED && balance(classification, err))
        return err->code;
    return recipe->embedding_bayes > 0
               ? bayes_count(&classification->bayes, data->spec.vocabulary,
                             &classification->texts.ids, classification->labels,
                             data->spec.label_count, err)
               : 0;
}

static int allocate(struct classification *classification, struct err *err)
{
    const struct task_data *data = &classification->data;
    const size_t wanted = (size_t)data->recipe->samples, dev = data->dev.count;
    classification->samples = wanted < dev ? wanted : dev;
    classification->keys = mem_alloc(data->train.count, sizeof *classification->keys, err);
    classification->dev_logits = mem_alloc(dev, data->spec.label_count * sizeof(float), err);
    return classification->keys == NULL || classification->dev_logits == NULL ? ERR_MEMORY : 0;
}

static int set_up(struct classification *classification, const struct recipe *recipe,
                  const char *command, const char *folder, struct err *err)
{
    struct task_data *data = &classification->data;
    struct parameter list[RNN_MAX_PARAMETERS];
    int code;
    if ((code = task_data_open(data, recipe, command, folder, TASK_FIRST_FIELD, err)) < 0 ||
        (code = labels_read(data, TASK_SECOND, &classification->labels, &classification->dev_labels,
                            err)) < 0 ||
        (code = sequences_read(&classification->texts, &data->train, &recipe->train,
                               data->tokenizer, data->spec.row, (size_t)recipe->max_tokens, err)) <
            0 ||
        (code = sequences_read(&classification->dev_texts, &data->dev, &recipe->dev,
                               data->tokenizer, data->spec.row, SIZE_MAX, err)) < 0 ||
        (code = make_network(classification, err)) < 0 ||
        (code = allocate(classification, err)) < 0)
        return code;
    sequences_keys(&classification->texts, classification->keys);
    code = task_check_start(data, list, rnn_parameters(&classification->shape, list), err);
    return code < 0 ? code : task_data_keep(data, err);
}

int classification_task(struct trainer_task *task, const struct recipe *recipe, const char *command,
                        const char *folder, struct err *err)
{
    struct parameter list[RNN_MAX_PARAMETERS];
    struct classification *classification = mem_alloc(1, sizeof *classification, err);
    if (classification == NULL)
        return ERR_MEMORY;
    *task = (struct trainer_task){.context = classification,
                                  .unit = "examples",
                                  .score_name = "accuracy",
                                  .units = classification_units,
                                  .init = classification_init,
                                  .learn = classification_learn,
                                  .tensor = classification_tensor,
                                  .evaluate = classification_evaluate,
                                  .save = classification_save,
                                  .sample = classification_sample};
    const int code = set_up(classification, recipe, command, folder, err);
    if (code < 0) {
        classification_task_release(task);
        return code;
    }
    const size_t tensors = rnn_parameters(&classification->shape, list);
    task->parameters = parameters_total(list, tensors);
    task->origin = classification->data.origin;
    task->keys = classification->keys;
    task->examples = classification->data.train.count;
    task->cut = classification->texts.cut;
    if (recipe->dropout_bpe > 0)
        task->begin_epoch = classification_begin_epoch;
    task->facts = (struct trainer_facts){.lines = classification->data.train.count,
                                         .dev_lines = classification->data.dev.count,
                                         .tokens = {sequences_total(&classification->texts)},
                                         .vocabulary = classification->data.spec.vocabulary,
                                         .tensors = tensors};
    return 0;
}

void classification_task_release(struct trainer_task *task)
{
    struct classification *classification = task->context;
    mem_free(classification->dev_logits);
    mem_free(classification->keys);
    bayes_release(&classification->bayes);
    mem_free(classification->class_weights);
    mem_free(classification->dev_labels);
    sequences_release(&classification->dev_texts);
    mem_free(classification->labels);
    sequences_release(&classification->texts);
    task_data_release(&classification->data);
    mem_free(classification);
    task->context = NULL;
}
