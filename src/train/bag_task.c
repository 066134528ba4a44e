/*
 * Training a bag of words, from data to bundle. It does not go through the trainer's loop: features
 * are taken once, and updates touch single rows (bag_learner.h). What the trainer reports is
 * reported all the same, so that progress line, record and page are as for any other model.
 *
 * Where there are too many features, they are chosen by the labels before training, or by the
 * weights of a first training with all of them, which costs as much again. Then a new table is made
 * and the training done with that.
 */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "train/bag_learner.h"
#include "train/bag_scores.h"
#include "train/calibration.h"
#include "train/labels.h"
#include "train/task.h"

#define REPORT_EVERY 32     /* batches */
#define WINDOW_NS 500000000 /* over which the speed is measured */
#define LOSS_SHARE 0.01     /* of a batch in the running mean */

struct bag_task {
    struct task_data data;
    struct pool *pool;
    int32_t *labels, *dev_labels;
    size_t *label_texts; /* [labels]: how many training texts have each */
    struct bag_hashes hashes, dev_hashes;
    struct bag_counts counts; /* the table; empty with buckets */
    struct bag bag;
    struct bag_texts texts, dev_texts;
    real *flat, *ratios, *idf;
    real *interpolated; /* [F, width]: the weights that are scored and saved, where not the bag's */
    struct parameter list[BAG_MAX_PARAMETERS];
    size_t parameters, tensors;
    float *dev_logits; /* [dev, labels]: what the last evaluation found */
    struct err *errs;  /* [threads] */
    size_t samples;
    bool evaluated;
};

/*
 * Model and data, for the table as it is
 */

static void release_model(struct bag_task *task)
{
    bag_texts_release(&task->dev_texts);
    bag_texts_release(&task->texts);
    mem_free(task->interpolated);
    mem_free(task->idf);
    mem_free(task->ratios);
    mem_free(task->flat);
    task->flat = task->ratios = task->idf = task->interpolated = NULL;
    bag_unsize(&task->bag);
}

static int make_texts(struct bag_task *task, struct err *err)
{
    bag_texts_release(&task->texts);
    return bag_texts_make(&task->texts, &task->bag, &task->hashes, task->pool, err);
}

/* How many texts have something in the bucket: known when the texts have been read once. */
static int count_buckets(const struct bag_task *task, uint32_t **counts, struct err *err)
{
    *counts = mem_alloc(task->bag.rows, sizeof **counts, err);
    if (*counts == NULL)
        return ERR_MEMORY;
    for (size_t at = 0; at < task->texts.begins[task->texts.count]; at++)
        (*counts)[task->texts.rows[at]]++;
    return 0;
}

static int make_idf(struct bag_task *task, struct err *err)
{
    struct bag *bag = &task->bag;
    uint32_t *buckets = NULL;
    int code = 0;
    if (bag->weighting != SPEC_TF_IDF)
        return 0;
    if (task->counts.count == 0 &&
        ((code = make_texts(task, err)) < 0 || (code = count_buckets(task, &buckets, err)) < 0))
        return code;
    bag_idf(buckets != NULL ? buckets : task->counts.texts, bag->rows, task->texts.count, bag->idf);
    mem_free(buckets);
    return 0;
}

static int make_ratios(struct bag_task *task, struct err *err)
{
    const struct recipe *recipe = task->data.recipe;
    const size_t F = task->bag.rows, L = task->bag.labels;
    if (!recipe->naive_bayes)
        return 0;
    uint32_t *counts = mem_alloc(F * L, sizeof *counts, err);
    task->ratios = mem_alloc(F * L, sizeof *task->ratios, err);
    int code = counts == NULL || task->ratios == NULL ? ERR_MEMORY : 0;
    if (code == 0) {
        bag_label_counts(&task->texts, task->labels, L, counts);
        code = bag_ratios(counts, F, L, recipe->bayes_alpha, task->ratios, err);
    }
    if (code == 0 && recipe->bayes_beta < 1) {
        task->interpolated = mem_alloc(F * L, sizeof *task->interpolated, err);
        code = task->interpolated == NULL ? ERR_MEMORY : 0;
    }
    mem_free(counts);
    return code;
}

/* The model of the table's features, and all texts as it reads them. */
static int make_model(struct bag_task *task, struct err *err)
{
    struct spec *spec = &task->data.spec;
    struct bag *bag = &task->bag;
    int code;
    release_model(task);
    if (spec->bag.buckets == 0)
        spec->bag.features = task->counts.count;
    if ((code = bag_size(bag, spec, err)) < 0 ||
        (spec->bag.buckets == 0 &&
         (code = bag_index(bag, task->counts.hashes, task->counts.count, err)) < 0))
        return code;
    task->tensors = bag_parameters(bag, task->list);
    task->parameters = parameters_total(task->list, task->tensors);
    task->flat = mem_alloc(task->parameters, sizeof *task->flat, err);
    if (task->flat == NULL)
        return ERR_MEMORY;
    parameters_bind(task->list, task->tensors, task->flat);
    task->texts.count = task->hashes.count;
    if ((code = make_idf(task, err)) < 0 || (code = make_texts(task, err)) < 0 ||
        (code = bag_texts_make(&task->dev_texts, bag, &task->dev_hashes, task->pool, err)) < 0)
        return code;
    return make_ratios(task, err);
}

/*
 * Choosing features
 */

static bool has_too_many(const struct bag_task *task)
{
    const int64_t most = task->data.recipe->max_features;
    return most > 0 && task->counts.count > (size_t)most;
}

static int select_features(struct bag_task *task, const double *scores, struct err *err)
{
    int code = spec_card_number(&task->data.spec, "features_before_selection",
                                (double)task->counts.count, err);
    if (code == 0)
        code =
            bag_counts_select(&task->counts, scores, (size_t)task->data.recipe->max_features, err);
    return code < 0 ? code : make_model(task, err);
}

static int select_by_chi2(struct bag_task *task, struct err *err)
{
    const size_t F = task->bag.rows, L = task->bag.labels;
    double *scores = mem_alloc(F, sizeof *scores, err);
    uint32_t *counts = mem_alloc(F * L, sizeof *counts, err);
    int code = ERR_MEMORY;
    if (scores != NULL && counts != NULL) {
        bag_label_counts(&task->texts, task->labels, L, counts);
        bag_chi2(counts, task->label_texts, F, L, scores);
        code = select_features(task, scores, err);
    }
    mem_free(counts);
    mem_free(scores);
    return code;
}

static int select_by_weight(struct bag_task *task, struct err *err)
{
    double *scores = mem_alloc(task->bag.rows, sizeof *scores, err);
    if (scores == NULL)
        return ERR_MEMORY;
    bag_importance(&task->bag, task->counts.texts, scores);
    const int code = select_features(task, scores, err);
    mem_free(scores);
    return code;
}

/*
 * Scoring and saving
 */

static struct calibration dev_calibration(const struct bag_task *task)
{
    return (struct calibration){.count = task->dev_texts.count,
                                .labels = task->bag.labels,
                                .logits = task->dev_logits,
                                .targets = task->dev_labels};
}

/* Every thread takes each threads-th text. */
static void run_evaluation(void *context, int index)
{
    struct bag_task *task = context;
    const struct bag *bag = &task->bag;
    struct err *err = &task->errs[index];
    real *hidden = mem_alloc(bag->hidden, sizeof *hidden, err);
    const size_t threads = (size_t)pool_threads(task->pool);
    for (size_t i = (size_t)index; err->code == 0 && i < task->dev_texts.count; i += threads) {
        const struct bag_input input = bag_texts_input(&task->dev_texts, i);
        float *logits = task->dev_logits + i * bag->labels;
        bag_forward(bag, &input, hidden, logits);
        for (size_t l = 0; l < bag->labels; l++)
            if (!isfinite(logits[l]))
                err_set(err, ERR_INTERNAL,
                        "the weights have grown beyond all bounds; a lower --bag-rate may help");
    }
    mem_free(hidden);
}

/* The weights of the bag are those that are to be used, which the caller puts back. */
static real *interpolate(struct bag_task *task)
{
    real *learned = task->bag.weight;
    if (task->interpolated != NULL) {
        bag_interpolate(&task->bag, task->ratios, task->data.recipe->bayes_beta,
                        task->interpolated);
        task->bag.weight = task->interpolated;
    }
    return learned;
}

static int evaluate(struct bag_task *task, struct err *err)
{
    const size_t threads = (size_t)pool_threads(task->pool);
    memset(task->errs, 0, threads * sizeof *task->errs);
    pool_run(task->pool, run_evaluation, task);
    for (size_t t = 0; t < threads; t++)
        if (task->errs[t].code != 0)
            return err_set(err, task->errs[t].code, "%s", task->errs[t].message);
    task->evaluated = true;
    return 0;
}

/* With the temperature that suits the development data best. */
static int save(struct bag_task *task, double accuracy, struct err *err)
{
    struct task_data *data = &task->data;
    const struct calibration dev = dev_calibration(task);
    struct tensor tensors[BAG_MAX_PARAMETERS + 1];
    size_t count = 0;
    data->best_score = accuracy;
    data->spec.temperature = calibration_temperature(&dev);
    if (spec_card_number(&data->spec, "dev_calibration_error",
                         calibration_error(&dev, data->spec.temperature), err) < 0)
        return err->code;
    if (task->counts.count > 0)
        tensors[count++] = (struct tensor){.name = (char *)(uintptr_t)BAG_FEATURES,
                                           .type = TENSOR_I64,
                                           .dimensions = 1,
                                           .shape = {task->counts.count},
                                           .count = task->counts.count,
                                           .integers = task->counts.hashes};
    parameters_tensors(task->list, task->tensors, tensors + count);
    return task_save_tensors(data, tensors, count + task->tensors, task->parameters, "accuracy",
                             err);
}

static bool bag_sample(void *context, size_t i, struct trainer_sample *sample)
{
    const struct bag_task *task = context;
    const struct spec *spec = &task->data.spec;
    if (i >= task->samples || !task->evaluated)
        return false;
    double probability;
    const struct calibration dev = dev_calibration(task);
    const size_t best = calibration_guess(&dev, i, 1, &probability);
    *sample = (struct trainer_sample){.source = task->data.dev.lines[i].first,
                                      .reference = spec->labels[task->dev_labels[i]],
                                      .output = spec->labels[best],
                                      .score = probability};
    return true;
}

/*
 * Training
 */

struct bag_run { /* one pass through all epochs */
    struct bag_task *task;
    const struct trainer_watch *watch;
    struct trainer_progress *progress;
    struct bag_learner *learner;
    bool keeps; /* the best weights; not the first training, which chooses features */
    real *best; /* [parameters], as they are to be saved */
    size_t stage, stages;
    size_t stale; /* evaluations without a better score */
    bool stopped;
    int64_t started_ns, window_ns;
    double window_words;
};

static size_t batches_of(const struct bag_run *run)
{
    const size_t batch = (size_t)run->task->data.recipe->bag_batch;
    return (run->task->texts.count + batch - 1) / batch;
}

/* Share of this pass that is done. */
static double share_of(const struct bag_run *run, size_t epoch, size_t begin)
{
    const struct bag_task *task = run->task;
    return ((double)epoch + (double)begin / (double)task->texts.count) /
           (double)task->data.recipe->epochs;
}

static void report(struct bag_run *run)
{
    if (!run->watch->report(run->watch->context, run->progress))
        run->stopped = true;
}

static void describe(struct bag_run *run, size_t epoch, size_t begin)
{
    struct trainer_progress *progress = run->progress;
    const double share = share_of(run, epoch, begin);
    const double seconds = (double)(clock_ns() - run->started_ns) * 1e-9;
    progress->epoch = (run->stage * (size_t)run->task->data.recipe->epochs) + epoch;
    progress->progress = ((double)run->stage + share) / (double)run->stages;
    progress->rate = bag_learner_rate(run->learner, share);
    progress->seconds = seconds;
    progress->seconds_left =
        progress->progress > 0 ? seconds / progress->progress * (1 - progress->progress) : 0;
    progress->scored = progress->best = progress->saved = false;
    progress->score = progress->perplexity = 0;
}

/* Words a second, as if the texts of the window were of the mean length. */
static void measure_speed(struct bag_run *run, size_t texts)
{
    const struct bag_task *task = run->task;
    const double passed = (double)(clock_ns() - run->window_ns);
    run->window_words += (double)texts * (double)task->hashes.tokens / (double)task->texts.count;
    if (passed < WINDOW_NS && run->progress->units_per_second > 0)
        return;
    run->progress->units_per_second = run->window_words / passed * 1e9;
    run->window_words = 0;
    run->window_ns = clock_ns();
}

static void run_epoch(struct bag_run *run, size_t epoch)
{
    struct trainer_progress *progress = run->progress;
    const size_t count = run->task->texts.count;
    progress->batch = 0;
    progress->batches = batches_of(run);
    bag_learner_shuffle(run->learner, epoch);
    for (size_t begin = 0; begin < count && !run->stopped;) {
        double loss;
        const size_t done =
            bag_learner_step(run->learner, begin, share_of(run, epoch, begin), &loss);
        loss /= (double)done;
        progress->loss += progress->update == 0 ? loss : LOSS_SHARE * (loss - progress->loss);
        begin += done;
        progress->update++;
        progress->batch++;
        measure_speed(run, done);
        if (progress->update % REPORT_EVERY != 0 && begin < count)
            continue;
        describe(run, epoch, begin);
        report(run);
    }
}

/* Scores the development data and keeps the weights where they are the best: the model is saved
   once, at the end. */
static int score(struct bag_run *run, struct err *err)
{
    struct bag_task *task = run->task;
    struct trainer_progress *progress = run->progress;
    real *learned = interpolate(task);
    int code = evaluate(task, err);
    const struct calibration dev = dev_calibration(task);
    const double accuracy = 100 * calibration_accuracy(&dev);
    const bool best = run->keeps && accuracy > progress->best_score;
    if (code == 0 && best) {
        memcpy(run->best, task->flat, task->parameters * sizeof *run->best);
        if (task->interpolated != NULL) /* the weights stand first */
            memcpy(run->best, task->interpolated,
                   task->bag.rows * task->bag.width * sizeof *run->best);
    }
    task->bag.weight = learned;
    if (code < 0)
        return code;
    run->stale = best ? 0 : run->stale + 1;
    progress->best_score = best ? accuracy : progress->best_score;
    progress->scored = true;
    progress->best = best;
    progress->score = accuracy;
    progress->perplexity = exp(calibration_loss(&dev, 1));
    return 0;
}

static bool is_over(const struct bag_run *run)
{
    const struct recipe *recipe = run->task->data.recipe;
    return run->stopped ||
           (run->keeps && recipe->patience > 0 && run->stale >= (size_t)recipe->patience) ||
           (recipe->max_minutes > 0 && run->progress->seconds >= recipe->max_minutes * 60);
}

static int run_stage(struct bag_run *run, struct err *err)
{
    struct bag_task *task = run->task;
    const struct recipe *recipe = task->data.recipe;
    const struct bag_learning learning = {.rate = recipe->bag_rate,
                                          .penalty = recipe->bag_penalty,
                                          .dropout = recipe->bag_dropout,
                                          .batch = (size_t)recipe->bag_batch,
                                          .seed = (uint64_t)recipe->seed};
    int code = bag_learner_new(&run->learner, &learning, &task->bag, &task->texts, task->labels,
                               task->ratios, task->pool, err);
    for (size_t epoch = 0; code == 0 && epoch < (size_t)recipe->epochs && !is_over(run); epoch++) {
        run_epoch(run, epoch);
        if (run->stopped)
            break;
        describe(run, epoch + 1, 0);
        run->progress->batch = 0;
        code = score(run, err);
        if (code == 0)
            report(run);
    }
    bag_learner_free(run->learner);
    run->learner = NULL;
    return code;
}

/* What keeping few features cost goes into the card. */
static int choose(struct bag_run *run, struct err *err)
{
    struct bag_task *task = run->task;
    struct spec *spec = &task->data.spec;
    int code;
    run->stages = 2;
    if ((code = run_stage(run, err)) < 0 || run->stopped)
        return code;
    if ((code = spec_card_number(spec, "dev_accuracy_before_selection", run->progress->score,
                                 err)) < 0)
        return code;
    run->stage = 1;
    return select_by_weight(task, err);
}

/* Puts the best weights back and saves them. */
static int finish(struct bag_run *run, struct err *err)
{
    struct bag_task *task = run->task;
    if (run->progress->best_score < 0)
        return 0;
    memcpy(task->flat, run->best, task->parameters * sizeof *task->flat);
    const int code = evaluate(task, err);
    return code < 0 ? code : save(task, run->progress->best_score, err);
}

static int bag_run(void *context, const struct trainer_watch *watch, struct trainer_progress *final,
                   struct err *err)
{
    struct bag_run run = {.task = context, .watch = watch, .progress = final, .stages = 1};
    int code = 0;
    *final = (struct trainer_progress){.best_score = -1};
    run.started_ns = run.window_ns = clock_ns();
    if (has_too_many(run.task))
        code = choose(&run, err);
    if (code < 0 || run.stopped)
        return code;
    run.keeps = true;
    run.best = mem_alloc(run.task->parameters, sizeof *run.best, err);
    code = run.best == NULL ? ERR_MEMORY : run_stage(&run, err);
    if (code == 0)
        code = finish(&run, err);
    mem_free(run.best);
    return code;
}

/*
 * Setting up
 */

static int read_stop_words(struct task_data *data, struct err *err)
{
    struct spec *spec = &data->spec;
    struct spec_bag *bag = &spec->bag;
    struct stop_words *stop;
    if (data->recipe->stop_words == NULL)
        return 0;
    int code = stop_words_read(&stop, data->recipe->stop_words, spec->tokenizer.form,
                               spec->tokenizer.fold, err);
    if (code < 0)
        return code;
    const size_t count = stop_words_count(stop);
    if (count > SPEC_MAX_STOP_WORDS)
        code = err_set(err, ERR_LIMIT, "%s: %zu words, allowed are %d", data->recipe->stop_words,
                       count, SPEC_MAX_STOP_WORDS);
    else if ((bag->stop_words = mem_alloc(count, sizeof *bag->stop_words, err)) == NULL)
        code = ERR_MEMORY;
    while (code == 0 && bag->stop_count < count) {
        size_t len;
        const char *word = stop_words_text(stop, bag->stop_count, &len);
        if ((bag->stop_words[bag->stop_count] = mem_copy_text(word, len, err)) == NULL)
            code = ERR_MEMORY;
        else
            bag->stop_count++;
    }
    stop_words_free(stop);
    return code;
}

static int find_labels(struct bag_task *task, struct err *err)
{
    struct task_data *data = &task->data;
    const int code = labels_read(data, TASK_SECOND, &task->labels, &task->dev_labels, err);
    if (code < 0)
        return code;
    task->label_texts = mem_alloc(data->spec.label_count, sizeof *task->label_texts, err);
    if (task->label_texts == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < data->train.count; i++)
        task->label_texts[task->labels[i]]++;
    return 0;
}

static int count_features(struct bag_task *task, struct err *err)
{
    const struct recipe *recipe = task->data.recipe;
    struct bag settings;
    int code = bag_size(&settings, &task->data.spec, err);
    if (code == 0 &&
        (code = bag_hashes_make(&task->hashes, &settings.features, task->data.tokenizer,
                                &task->data.train, task->pool, err)) == 0)
        code = bag_hashes_make(&task->dev_hashes, &settings.features, task->data.tokenizer,
                               &task->data.dev, task->pool, err);
    bag_unsize(&settings);
    if (code < 0 || recipe->buckets > 0)
        return code;
    code =
        bag_counts_make(&task->counts, &task->hashes, (size_t)recipe->min_count, task->pool, err);
    if (code == 0 && task->counts.count == 0)
        code = err_set(err, ERR_ARGUMENT,
                       "no feature occurs in %lld training texts; a lower --min-count finds some",
                       (long long)recipe->min_count);
    return code;
}

static int allocate(struct bag_task *task, struct err *err)
{
    const struct task_data *data = &task->data;
    const size_t wanted = (size_t)data->recipe->samples, dev = data->dev.count;
    task->samples = wanted < dev ? wanted : dev;
    task->dev_logits = mem_alloc(dev, data->spec.label_count * sizeof(float), err);
    task->errs = mem_alloc((size_t)pool_threads(task->pool), sizeof *task->errs, err);
    return task->dev_logits == NULL || task->errs == NULL ? ERR_MEMORY : 0;
}

static int set_up(struct bag_task *task, const struct recipe *recipe, const char *command,
                  const char *folder, struct err *err)
{
    struct task_data *data = &task->data;
    int code;
    task->pool = pool_new((int)recipe->threads, err);
    if (task->pool == NULL)
        return ERR_MEMORY;
    if ((code = task_data_open(data, recipe, command, folder, TASK_FIRST_FIELD, err)) < 0 ||
        (code = read_stop_words(data, err)) < 0 || (code = find_labels(task, err)) < 0 ||
        (code = allocate(task, err)) < 0 || (code = task_data_keep(data, err)) < 0 ||
        (code = count_features(task, err)) < 0 || (code = make_model(task, err)) < 0)
        return code;
    if (has_too_many(task) && recipe->selection == RECIPE_SELECTION_CHI2)
        return select_by_chi2(task, err);
    return 0;
}

int bag_task(struct trainer_task *trainer_task, const struct recipe *recipe, const char *command,
             const char *folder, struct err *err)
{
    struct bag_task *task = mem_alloc(1, sizeof *task, err);
    if (task == NULL)
        return ERR_MEMORY;
    *trainer_task = (struct trainer_task){.context = task,
                                          .run = bag_run,
                                          .unit = "words",
                                          .score_name = "accuracy",
                                          .sample = bag_sample};
    const int code = set_up(task, recipe, command, folder, err);
    if (code < 0) {
        bag_task_release(trainer_task);
        return code;
    }
    trainer_task->parameters = task->parameters;
    trainer_task->examples = task->texts.count;
    trainer_task->facts = (struct trainer_facts){.lines = task->data.train.count,
                                                 .dev_lines = task->data.dev.count,
                                                 .tokens = {task->hashes.tokens},
                                                 .vocabulary = task->data.spec.vocabulary,
                                                 .tensors = task->tensors};
    return 0;
}

void bag_task_release(struct trainer_task *trainer_task)
{
    struct bag_task *task = trainer_task->context;
    release_model(task);
    mem_free(task->errs);
    mem_free(task->dev_logits);
    bag_counts_release(&task->counts);
    bag_hashes_release(&task->dev_hashes);
    bag_hashes_release(&task->hashes);
    mem_free(task->label_texts);
    mem_free(task->dev_labels);
    mem_free(task->labels);
    task_data_release(&task->data);
    pool_free(task->pool);
    mem_free(task);
    trainer_task->context = NULL;
}
