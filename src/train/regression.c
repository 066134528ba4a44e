/*
 * The regression task: a number from a text or from rows of numbers. The network learns the targets
 * standardised, less their mean and divided by their deviation in the training data, which the spec
 * keeps; the score is the root of the mean squared error of the numbers themselves on development
 * data.
 */
#include <math.h>
#include <stdio.h>

#include "base/mem.h"
#include "model/rnn.h"
#include "train/metric.h"
#include "train/sequences.h"

struct regression {
    struct task_data data;
    struct rnn shape; /* sizes alone; each use binds its own copy */
    struct sequences inputs, dev_inputs;
    real *values;                   /* [train], standardised */
    double *dev_values, *predicted; /* [dev]: as they are, and by the last evaluation */
    struct batch_key *keys;
    char (*texts)[32]; /* [samples]: predictions, for the report */
    size_t samples;
    bool evaluated;
};

static struct rnn bind(const struct regression *regression, real *weights)
{
    struct parameter list[RNN_MAX_PARAMETERS];
    struct rnn model = regression->shape;
    parameters_bind(list, rnn_parameters(&model, list), weights);
    return model;
}

static double regression_units(void *context, uint32_t example)
{
    (void)context;
    (void)example;
    return 1;
}

static void regression_init(void *context, real *weights, struct rng *rng)
{
    const struct regression *regression = context;
    const struct cell_init_settings settings = recipe_init(regression->data.recipe);
    struct parameter list[RNN_MAX_PARAMETERS];
    struct rnn model = regression->shape;
    const size_t count = rnn_parameters(&model, list);
    parameters_bind(list, count, weights);
    rnn_init(&model, &settings, rng);
    if (model.embedding_weight != NULL)
        vectors_put(&regression->data.vectors, model.embedding_weight);
    task_start(&regression->data, list, count);
}

static int make_batch(const struct regression *regression, struct trainer_share *share,
                      struct rnn_batch *batch)
{
    real *values = arena_alloc(&share->arena, share->count, sizeof *values, &share->err);
    if (values == NULL)
        return ERR_MEMORY;
    for (size_t b = 0; b < share->count; b++)
        values[b] = regression->values[share->examples[b]];
    *batch = (struct rnn_batch){.values = values};
    return sequences_batch(&regression->inputs, share->examples, share->count, batch, &share->arena,
                           &share->err);
}

static int regression_learn(void *context, struct trainer_share *share)
{
    const struct regression *regression = context;
    const struct recipe *recipe = regression->data.recipe;
    const struct rnn model = bind(regression, (real *)(uintptr_t)share->weights);
    const struct rnn gradient = bind(regression, share->gradient);
    const struct rnn_training training = {
        .dropout_input = recipe->dropout_embedding,
        .dropout_layer = recipe->dropout_layer,
        .dropout_state = recipe->dropout_state,
        .dropout_output = recipe->dropout_output,
        .scale = share->scale,
    };
    struct rnn_batch batch;
    struct rnn_sums sums = {0};
    int code = make_batch(regression, share, &batch);
    if (code == 0)
        code = rnn_learn(&model, &gradient, &batch, &training, &share->rng, &sums, &share->arena,
                         &share->err);
    share->sums.loss = sums.loss;
    return code;
}

/* Every thread takes each threads-th development example. */
struct evaluation {
    const struct regression *regression;
    struct rnn model;
    struct err *errors; /* [threads] */
    size_t threads;
};

static void run_evaluation(void *context, int index)
{
    const struct evaluation *evaluation = context;
    const struct regression *regression = evaluation->regression;
    const struct spec *spec = &regression->data.spec;
    for (size_t i = (size_t)index; i < regression->data.dev.count; i += evaluation->threads) {
        const struct rnn_input input = sequences_input(&regression->dev_inputs, i);
        float output;
        if (rnn_pooled(&evaluation->model, &input, &output, NULL, &evaluation->errors[index]) < 0)
            return;
        regression->predicted[i] = spec->output_mean + spec->deviation * (double)output;
    }
}

static int regression_evaluate(void *context, real *weights, struct pool *pool,
                               struct trainer_score *score, struct err *err)
{
    struct regression *regression = context;
    struct evaluation evaluation = {.regression = regression,
                                    .model = bind(regression, weights),
                                    .threads = (size_t)pool_threads(pool)};
    int code = 0;
    evaluation.errors = mem_alloc(evaluation.threads, sizeof *evaluation.errors, err);
    if (evaluation.errors == NULL)
        return ERR_MEMORY;
    pool_run(pool, run_evaluation, &evaluation);
    for (size_t t = 0; t < evaluation.threads && code == 0; t++)
        if (evaluation.errors[t].code != 0)
            code = err_set(err, evaluation.errors[t].code, "%s", evaluation.errors[t].message);
    score->value =
        metric_regression(regression->dev_values, regression->predicted, regression->data.dev.count)
            .rmse;
    regression->evaluated = code == 0;
    mem_free(evaluation.errors);
    return code;
}

static struct parameter regression_tensor(void *context, size_t *offset)
{
    const struct regression *regression = context;
    struct parameter list[RNN_MAX_PARAMETERS];
    struct rnn model = regression->shape;
    rnn_parameters(&model, list);
    return *parameters_at(list, offset);
}

static bool regression_sample(void *context, size_t i, struct trainer_sample *sample)
{
    const struct regression *regression = context;
    if (i >= regression->samples || !regression->evaluated)
        return false;
    snprintf(regression->texts[i], sizeof regression->texts[i], "%.6g", regression->predicted[i]);
    *sample = (struct trainer_sample){
        .source = regression->data.dev.lines[i].first,
        .reference = regression->data.dev.lines[i].second,
        .output = regression->texts[i],
        .score = regression->predicted[i] - regression->dev_values[i],
    };
    return true;
}

static int regression_save(void *context, real *weights, const struct trainer_score *score,
                           struct err *err)
{
    struct regression *regression = context;
    struct parameter list[RNN_MAX_PARAMETERS];
    struct rnn model = regression->shape;
    const size_t count = rnn_parameters(&model, list);
    parameters_bind(list, count, weights);
    regression->data.best_score = score->value;
    return task_save(&regression->data, list, count, "rmse", err);
}

/*
 * Setting up
 */

/* values [corpus->count] from the second fields; paths: of the corpus, for messages. */
static int read_values(const struct corpus *corpus, const struct opt_list *paths, double *values,
                       struct err *err)
{
    for (size_t i = 0; i < corpus->count; i++) {
        const struct corpus_line *line = &corpus->lines[i];
        if (sequences_number(line->second, line->second_len, &values[i], err))
            return err_context(err, "%s:%u", paths->items[line->file], line->line);
    }
    return 0;
}

/* Where all are the same there is nothing to divide by. */
static void standardise(const double *values, size_t count, struct spec *spec, real *standard)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++)
        sum += values[i] / (double)count;
    for (size_t i = 0; i < count; i++)
        squares += (values[i] - sum) * (values[i] - sum) / (double)count;
    spec->output_mean = sum;
    spec->deviation = squares > 0 ? sqrt(squares) : 1;
    for (size_t i = 0; i < count; i++)
        standard[i] = (real)((values[i] - sum) / spec->deviation);
}

static int read_targets(struct regression *regression, struct err *err)
{
    struct task_data *data = &regression->data;
    const struct recipe *recipe = data->recipe;
    double *values = mem_alloc(data->train.count, sizeof *values, err);
    regression->values = mem_alloc(data->train.count, sizeof *regression->values, err);
    regression->dev_values = mem_alloc(data->dev.count, sizeof *regression->dev_values, err);
    regression->predicted = mem_alloc(data->dev.count, sizeof *regression->predicted, err);
    int code = ERR_MEMORY;
    if (values && regression->values && regression->dev_values && regression->predicted)
        code = read_values(&data->train, &recipe->train, values, err);
    if (code == 0)
        code = read_values(&data->dev, &recipe->dev, regression->dev_values, err);
    if (code == 0)
        standardise(values, data->train.count, &data->spec, regression->values);
    mem_free(values);
    return code;
}

static int init_samples(struct regression *regression, struct err *err)
{
    const size_t wanted = (size_t)regression->data.recipe->samples;
    const size_t dev = regression->data.dev.count;
    regression->samples = wanted < dev ? wanted : dev;
    regression->texts = mem_alloc(regression->samples, sizeof *regression->texts, err);
    return regression->texts ? 0 : ERR_MEMORY;
}

static int set_up(struct regression *regression, const struct recipe *recipe, const char *command,
                  const char *folder, struct err *err)
{
    struct task_data *data = &regression->data;
    struct parameter list[RNN_MAX_PARAMETERS];
    int code;
    if ((code = task_data_open(data, recipe, command, folder, TASK_FIRST_FIELD, err)) < 0 ||
        (code = sequences_read(&regression->inputs, &data->train, &recipe->train, data->tokenizer,
                               data->spec.row, (size_t)recipe->max_tokens, err)) < 0 ||
        (code = sequences_read(&regression->dev_inputs, &data->dev, &recipe->dev, data->tokenizer,
                               data->spec.row, SIZE_MAX, err)) < 0 ||
        (code = read_targets(regression, err)) < 0 || (code = init_samples(regression, err)) < 0)
        return code;
    rnn_size(&regression->shape, &data->spec);
    regression->keys = mem_alloc(data->train.count, sizeof *regression->keys, err);
    if (regression->keys == NULL)
        return ERR_MEMORY;
    sequences_keys(&regression->inputs, regression->keys);
    code = task_check_start(data, list, rnn_parameters(&regression->shape, list), err);
    return code < 0 ? code : task_data_keep(data, err);
}

int regression_task(struct trainer_task *task, const struct recipe *recipe, const char *command,
                    const char *folder, struct err *err)
{
    struct parameter list[RNN_MAX_PARAMETERS];
    struct regression *regression = mem_alloc(1, sizeof *regression, err);
    if (regression == NULL)
        return ERR_MEMORY;
    *task = (struct trainer_task){.context = regression,
                                  .unit = "examples",
                                  .score_name = "RMSE",
                                  .lower_is_better = true,
                                  .units = regression_units,
                                  .init = regression_init,
                                  .learn = regression_learn,
                                  .tensor = regression_tensor,
                                  .evaluate = regression_evaluate,
                                  .save = regression_save,
                                  .sample = regression_sample};
    const int code = set_up(regression, recipe, command, folder, err);
    if (code < 0) {
        regression_task_release(task);
        return code;
    }
    const size_t tensors = rnn_parameters(&regression->shape, list);
    task->parameters = parameters_total(list, tensors);
    task->origin = regression->data.origin;
    task->keys = regression->keys;
    task->examples = regression->data.train.count;
    task->cut = regression->inputs.cut;
    task->facts = (struct trainer_facts){.lines = regression->data.train.count,
                                         .dev_lines = regression->data.dev.count,
                                         .tokens = {sequences_total(&regression->inputs)},
                                         .vocabulary = regression->data.spec.vocabulary,
                                         .tensors = tensors};
    return 0;
}

void regression_task_release(struct trainer_task *task)
{
    struct regression *regression = task->context;
    mem_free(regression->texts);
    mem_free(regression->keys);
    mem_free(regression->predicted);
    mem_free(regression->dev_values);
    mem_free(regression->values);
    sequences_release(&regression->dev_inputs);
    sequences_release(&regression->inputs);
    task_data_release(&regression->data);
    mem_free(regression);
    task->context = NULL;
}
