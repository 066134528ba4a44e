/* dragoman evaluate for classification: each text's most probable label against the right one. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/pool.h"
#include "cmd/evaluate.h"
#include "train/calibration.h"
#include "train/metric.h"

struct work {
    struct evaluate *evaluate;
    const struct spec *spec;
    int32_t *actual;      /* [texts] */
    size_t *predicted;    /* [texts] */
    float *probabilities; /* [texts], of the predicted label */
    float *logits;        /* [texts][labels]: logarithms of the probabilities */
    struct err *errors;   /* [threads] */
    struct metric_confusion confusion;
    json_t *card;
    const char *card_labels; /* NULL where the card has none */
};

/* The model's label of that name, or label_count. */
static size_t find_label(const struct spec *spec, const char *name, size_t len)
{
    size_t label = 0;
    while (label < spec->label_count &&
           (strlen(spec->labels[label]) != len || memcmp(spec->labels[label], name, len) != 0))
        label++;
    return label;
}

/* One entry of the list "0=negative,1=positive": a name in the test set and the label that it
   stands for. */
struct mapping {
    const char *name, *label;
    size_t name_len, label_len;
};

/* Takes the next entry off the list; false at its end. A name alone stands for itself. */
static bool next_mapping(const char **list, struct mapping *mapping)
{
    size_t len = strcspn(*list, ",");
    if (**list == '\0')
        return false;
    const char *equals = memchr(*list, '=', len);
    mapping->name = *list;
    mapping->name_len = equals == NULL ? len : (size_t)(equals - *list);
    mapping->label = equals == NULL ? *list : equals + 1;
    mapping->label_len = equals == NULL ? len : len - mapping->name_len - 1;
    *list += len + ((*list)[len] == ',');
    return true;
}

static int check_mappings(const struct work *work, struct err *err)
{
    const struct opt_list *lists = &work->evaluate->settings->labels;
    for (size_t i = 0; i < lists->count; i++) {
        const char *list = lists->items[i];
        struct mapping mapping;
        while (next_mapping(&list, &mapping))
            if (find_label(work->spec, mapping.label, mapping.label_len) == work->spec->label_count)
                return err_set(err, ERR_ARGUMENT, "--labels: the model has no label '%.*s'",
                               (int)mapping.label_len, mapping.label);
    }
    return 0;
}

static bool map_with(const struct work *work, const char *list, const struct corpus_line *line,
                     size_t *label)
{
    struct mapping mapping;
    while (next_mapping(&list, &mapping)) {
        if (mapping.name_len == line->second_len &&
            memcmp(mapping.name, line->second, line->second_len) == 0) {
            *label = find_label(work->spec, mapping.label, mapping.label_len);
            return true;
        }
    }
    return false;
}

/* What a label of the test set is in the model: as --labels has it, else the label of that name,
   else as the training data had it, which the model card may say. label_count: nothing. */
static size_t map_label(const struct work *work, const struct corpus_line *line)
{
    const struct opt_list *lists = &work->evaluate->settings->labels;
    size_t label;
    for (size_t i = 0; i < lists->count; i++)
        if (map_with(work, lists->items[i], line, &label))
            return label;
    label = find_label(work->spec, line->second, line->second_len);
    if (label == work->spec->label_count && work->card_labels != NULL)
        map_with(work, work->card_labels, line, &label);
    return label;
}

static int read_labels(struct work *work, struct err *err)
{
    const struct corpus *corpus = &work->evaluate->corpus;
    int code = check_mappings(work, err);
    for (size_t i = 0; code == 0 && i < corpus->count; i++) {
        const size_t label = map_label(work, &corpus->lines[i]);
        work->actual[i] = (int32_t)label;
        if (label == work->spec->label_count)
            code = err_set(err, ERR_ARGUMENT,
                           "%s:%u: the model has no label '%.100s' (its first is '%.100s'); "
                           "--labels can translate",
                           work->evaluate->settings->test, corpus->lines[i].line,
                           corpus->lines[i].second, work->spec->labels[0]);
    }
    return code;
}

static int classify_line(struct work *work, size_t i, struct err *err)
{
    const struct corpus_line *line = &work->evaluate->corpus.lines[i];
    const size_t labels = work->spec->label_count;
    float *logits = work->logits + i * labels;
    size_t best = 0;
    int code = model_classify(work->evaluate->model, line->first, line->first_len, logits, err);
    if (code < 0)
        return err_context(err, "%s:%u", work->evaluate->settings->test, line->line);
    for (size_t label = 1; label < labels; label++)
        if (logits[label] > logits[best])
            best = label;
    work->predicted[i] = best;
    work->probabilities[i] = logits[best];
    for (size_t label = 0; label < labels; label++)
        logits[label] = logf(logits[label] > FLT_MIN ? logits[label] : FLT_MIN);
    return 0;
}

static void classify_share(void *context, int index)
{
    struct work *work = context;
    size_t step = (size_t)work->evaluate->threads, thread = (size_t)index;
    for (size_t i = thread; i < work->evaluate->corpus.count; i += step)
        if (classify_line(work, i, &work->errors[thread]) < 0)
            return;
}

static int classify(struct work *work, struct err *err)
{
    struct evaluate *evaluate = work->evaluate;
    struct pool *pool = pool_new(evaluate->threads, err);
    if (pool == NULL)
        return err->code;
    int64_t begin = clock_ns();
    pool_run(pool, classify_share, work);
    evaluate->seconds = (double)(clock_ns() - begin) / 1e9;
    pool_free(pool);
    for (int i = 0; i < evaluate->threads; i++)
        if (work->errors[i].code != ERR_NONE)
            return err_set(err, work->errors[i].code, "%s", work->errors[i].message);
    for (size_t i = 0; i < evaluate->corpus.count; i++)
        metric_confusion_add(&work->confusion, (size_t)work->actual[i], work->predicted[i]);
    return 0;
}

static int write_labels(const struct work *work, const char *path, struct err *err)
{
    struct file_save save;
    int code = file_save_begin(&save, path, err);
    if (code < 0)
        return code;
    for (size_t i = 0; i < work->evaluate->corpus.count; i++)
        fprintf(save.stream, "%s\t%.4f\n", work->spec->labels[work->predicted[i]],
                (double)work->probabilities[i]);
    return file_save_commit(&save, err);
}

/* How far the probabilities are from the share of right answers, 0 to 1. */
static double expected_error(const struct work *work)
{
    const struct calibration answers = {.count = work->evaluate->corpus.count,
                                        .labels = work->spec->label_count,
                                        .logits = work->logits,
                                        .targets = work->actual};
    return calibration_error(&answers, 1);
}

static json_t *label_json(const struct work *work, size_t label)
{
    struct metric_label counts = metric_confusion_label(&work->confusion, label);
    json_t *taken_for = json_object();
    for (size_t i = 0; i < work->spec->label_count; i++) {
        size_t count = work->confusion.counts[label * work->spec->label_count + i];
        json_object_set_new(taken_for, work->spec->labels[i], json_integer((json_int_t)count));
    }
    return json_pack("{s:s, s:f, s:f, s:f, s:I, s:I, s:I, s:o}", "label", work->spec->labels[label],
                     "precision", counts.precision, "recall", counts.recall, "f1", counts.f1,
                     "actual", (json_int_t)counts.actual, "predicted", (json_int_t)counts.predicted,
                     "correct", (json_int_t)counts.correct, "taken_for", taken_for);
}

static int print_json(const struct work *work, struct err *err)
{
    const struct evaluate *evaluate = work->evaluate;
    double seconds = evaluate->seconds, texts = (double)evaluate->corpus.count;
    json_t *labels = json_array();
    for (size_t label = 0; label < work->spec->label_count; label++)
        json_array_append_new(labels, label_json(work, label));
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:I, s:f, s:f, s:f, s:o, s:I, s:f, s:f}", "model", work->spec->name,
        "task", spec_task_name(work->spec->task), "test", evaluate->settings->test, "texts",
        (json_int_t)evaluate->corpus.count, "accuracy", metric_accuracy(&work->confusion),
        "macro_f1", metric_macro_f1(&work->confusion), "calibration_error", expected_error(work),
        "labels", labels, "threads", (json_int_t)evaluate->threads, "seconds", seconds,
        "texts_per_second", texts / seconds);
    return cmd_print_json(object, err);
}

static void print_text(const struct work *work)
{
    const struct evaluate *evaluate = work->evaluate;
    double seconds = evaluate->seconds;
    printf("model      %s\n", work->spec->name);
    printf("test       %s, %zu texts\n", evaluate->settings->test, evaluate->corpus.count);
    printf("accuracy   %.2f %%\n", 100 * metric_accuracy(&work->confusion));
    printf("macro-F1   %.2f %%\n", 100 * metric_macro_f1(&work->confusion));
    printf("ECE        %.2f %%\n", 100 * expected_error(work));
    for (size_t label = 0; label < work->spec->label_count; label++) {
        struct metric_label counts = metric_confusion_label(&work->confusion, label);
        printf(
            "  %-16s precision %.2f %%, recall %.2f %%, F1 %.2f %%; %zu of %zu, given %zu times\n",
            work->spec->labels[label], 100 * counts.precision, 100 * counts.recall, 100 * counts.f1,
            counts.correct, counts.actual, counts.predicted);
    }
    printf("speed      %.0f texts/s; %.2f s, %d threads\n",
           (double)evaluate->corpus.count / seconds, seconds, evaluate->threads);
}

static int work_init(struct work *work, struct err *err)
{
    const size_t count = work->evaluate->corpus.count;
    work->actual = mem_alloc(count, sizeof(*work->actual), err);
    work->predicted = mem_alloc(count, sizeof(*work->predicted), err);
    work->probabilities = mem_alloc(count, sizeof(*work->probabilities), err);
    work->logits = mem_alloc(count, work->spec->label_count * sizeof(*work->logits), err);
    work->errors = mem_alloc((size_t)work->evaluate->threads, sizeof(*work->errors), err);
    if (!work->actual || !work->predicted || !work->probabilities || !work->logits || !work->errors)
        return ERR_MEMORY;
    work->card = json_loads(work->spec->card, 0, NULL);
    work->card_labels = json_string_value(json_object_get(work->card, "labels"));
    return metric_confusion_init(&work->confusion, work->spec->label_count, err);
}

static void work_release(struct work *work)
{
    metric_confusion_release(&work->confusion);
    json_decref(work->card);
    mem_free(work->errors);
    mem_free(work->logits);
    mem_free(work->probabilities);
    mem_free(work->predicted);
    mem_free(work->actual);
}

static int show(const struct work *work, struct err *err)
{
    if (work->evaluate->settings->json)
        return print_json(work, err);
    print_text(work);
    return 0;
}

int evaluate_classification(struct evaluate *evaluate)
{
    struct err err = ERR_INIT;
    struct work work = {.evaluate = evaluate, .spec = &evaluate->model->spec};
    int code = work_init(&work, &err);
    if (code == 0)
        code = read_labels(&work, &err);
    if (code == 0)
        code = classify(&work, &err);
    if (code == 0 && evaluate->settings->output != NULL)
        code = write_labels(&work, evaluate->settings->output, &err);
    if (code == 0)
        evaluate->figure = (struct evaluate_figure){"accuracy", metric_accuracy(&work.confusion)};
    if (code == 0 && !evaluate->silent)
        code = show(&work, &err);
    work_release(&work);
    return code < 0 ? cmd_failed(&err) : CMD_FINE;
}
