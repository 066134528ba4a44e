/*
 * dragoman evaluate for tagging: each word's most probable label against the right one. A label of
 * the test set that the model lacks counts as an error wherever it stands, and is shown.
 */
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/pool.h"
#include "cmd/evaluate.h"
#include "model/tag.h"
#include "text/intern.h"
#include "text/words.h"
#include "train/metric.h"

struct work {
    struct evaluate *evaluate;
    const struct spec *spec;
    struct intern names; /* the model's labels, then those of the test set that it lacks */
    size_t *begins;      /* [texts + 1]: of their words */
    size_t *actual;      /* [words] */
    size_t *predicted;   /* [words] */
    struct err *errors;  /* [threads] */
    struct metric_confusion confusion;
    size_t exact; /* texts without a wrong label */
};

/* begins and actual: the words of the texts, which must have as many labels. */
static int count_words(struct work *work, struct err *err)
{
    const struct corpus *corpus = &work->evaluate->corpus;
    struct words words = {.count = 0}, labels = {.count = 0};
    int code = 0;
    for (size_t i = 0; code == 0 && i < corpus->count; i++) {
        const struct corpus_line *line = &corpus->lines[i];
        code = words_split(&words, line->first, line->first_len, err);
        if (code == 0)
            code = words_split(&labels, line->second, line->second_len, err);
        if (code == 0 && words.count != labels.count)
            code = err_set(err, ERR_FORMAT, "%s:%u: %zu words, but %zu labels",
                           work->evaluate->settings->test, line->line, words.count, labels.count);
        work->begins[i + 1] = work->begins[i] + words.count;
    }
    words_release(&labels);
    words_release(&words);
    return code;
}

static int name_labels(struct work *work, struct err *err)
{
    bool added;
    int32_t id;
    for (size_t l = 0; l < work->spec->label_count; l++)
        if (intern_add(&work->names, work->spec->labels[l], strlen(work->spec->labels[l]), &id,
                       &added, err))
            return err->code;
    return 0;
}

static int read_labels(struct work *work, struct err *err)
{
    const struct corpus *corpus = &work->evaluate->corpus;
    struct words labels = {.count = 0};
    int code = name_labels(work, err);
    for (size_t i = 0, at = 0; code == 0 && i < corpus->count; i++) {
        const struct corpus_line *line = &corpus->lines[i];
        code = words_split(&labels, line->second, line->second_len, err);
        for (size_t w = 0; code == 0 && w < labels.count; w++) {
            const struct word_range *range = &labels.ranges[w];
            bool added;
            int32_t id = 0;
            code = intern_add(&work->names, line->second + range->begin, range->end - range->begin,
                              &id, &added, err);
            work->actual[at++] = (size_t)id;
        }
    }
    words_release(&labels);
    return code;
}

static int tag_line(struct work *work, size_t i, struct tagged *tagged, struct err *err)
{
    const struct corpus_line *line = &work->evaluate->corpus.lines[i];
    int code = model_tag(work->evaluate->model, line->first, line->first_len, tagged, err);
    if (code < 0)
        return err_context(err, "%s:%u", work->evaluate->settings->test, line->line);
    for (size_t w = 0; w < tagged->count; w++)
        work->predicted[work->begins[i] + w] = tagged->words[w].label;
    return 0;
}

static void tag_share(void *context, int index)
{
    struct work *work = context;
    struct tagged tagged = {.count = 0};
    const size_t step = (size_t)work->evaluate->threads;
    for (size_t i = (size_t)index; i < work->evaluate->corpus.count; i += step)
        if (tag_line(work, i, &tagged, &work->errors[index]) < 0)
            break;
    tagged_release(&tagged);
}

static int tag(struct work *work, struct err *err)
{
    struct evaluate *evaluate = work->evaluate;
    struct pool *pool = pool_new(evaluate->threads, err);
    if (pool == NULL)
        return err->code;
    const int64_t begin = clock_ns();
    pool_run(pool, tag_share, work);
    evaluate->seconds = (double)(clock_ns() - begin) / 1e9;
    pool_free(pool);
    for (int i = 0; i < evaluate->threads; i++)
        if (work->errors[i].code != ERR_NONE)
            return err_set(err, work->errors[i].code, "%s", work->errors[i].message);
    return 0;
}

static int count(struct work *work, struct err *err)
{
    int code = metric_confusion_init(&work->confusion, work->names.count, err);
    for (size_t i = 0; code == 0 && i < work->evaluate->corpus.count; i++) {
        bool exact = true;
        for (size_t w = work->begins[i]; w < work->begins[i + 1]; w++) {
            metric_confusion_add(&work->confusion, work->actual[w], work->predicted[w]);
            exact = exact && work->actual[w] == work->predicted[w];
        }
        work->exact += exact;
    }
    return code;
}

static int write_labels(const struct work *work, const char *path, struct err *err)
{
    struct file_save save;
    int code = file_save_begin(&save, path, err);
    if (code < 0)
        return code;
    for (size_t i = 0; i < work->evaluate->corpus.count; i++)
        for (size_t w = work->begins[i]; w < work->begins[i + 1]; w++)
            fprintf(save.stream, "%s%c", work->spec->labels[work->predicted[w]],
                    w + 1 < work->begins[i + 1] ? ' ' : '\n');
    return file_save_commit(&save, err);
}

static const char *name_of(const struct work *work, size_t label)
{
    return intern_text(&work->names, (int32_t)label, NULL);
}

static json_t *label_json(const struct work *work, size_t label)
{
    const struct metric_label counts = metric_confusion_label(&work->confusion, label);
    return json_pack("{s:s, s:f, s:f, s:f, s:I, s:I, s:I, s:b}", "label", name_of(work, label),
                     "precision", counts.precision, "recall", counts.recall, "f1", counts.f1,
                     "actual", (json_int_t)counts.actual, "predicted", (json_int_t)counts.predicted,
                     "correct", (json_int_t)counts.correct, "unknown",
                     label >= work->spec->label_count);
}

static int print_json(const struct work *work, struct err *err)
{
    const struct evaluate *evaluate = work->evaluate;
    const size_t texts = evaluate->corpus.count, words = work->begins[texts];
    json_t *labels = json_array();
    for (size_t label = 0; label < work->names.count; label++)
        json_array_append_new(labels, label_json(work, label));
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:I, s:I, s:f, s:f, s:f, s:o, s:I, s:f, s:f}", "model", work->spec->name,
        "task", spec_task_name(work->spec->task), "test", evaluate->settings->test, "texts",
        (json_int_t)texts, "words", (json_int_t)words, "accuracy",
        metric_accuracy(&work->confusion), "exact", (double)work->exact / (double)texts, "macro_f1",
        metric_macro_f1(&work->confusion), "labels", labels, "threads",
        (json_int_t)evaluate->threads, "seconds", evaluate->seconds, "words_per_second",
        (double)words / evaluate->seconds);
    return cmd_print_json(object, err);
}

static void print_text(const struct work *work)
{
    const struct evaluate *evaluate = work->evaluate;
    const size_t texts = evaluate->corpus.count, words = work->begins[texts];
    printf("model      %s\n", work->spec->name);
    printf("test       %s, %zu texts, %zu words\n", evaluate->settings->test, texts, words);
    printf("accuracy   %.2f %% of the words\n", 100 * metric_accuracy(&work->confusion));
    printf("exact      %.2f %% of the texts\n", 100 * (double)work->exact / (double)texts);
    printf("macro-F1   %.2f %%\n", 100 * metric_macro_f1(&work->confusion));
    for (size_t label = 0; label < work->names.count; label++) {
        const struct metric_label counts = metric_confusion_label(&work->confusion, label);
        printf("  %-16s precision %.2f %%, recall %.2f %%, F1 %.2f %%; %zu of %zu, given %zu "
               "times%s\n",
               name_of(work, label), 100 * counts.precision, 100 * counts.recall, 100 * counts.f1,
               counts.correct, counts.actual, counts.predicted,
               label < work->spec->label_count ? "" : "; the model has no such label");
    }
    printf("speed      %.0f words/s; %.2f s, %d threads\n", (double)words / evaluate->seconds,
           evaluate->seconds, evaluate->threads);
}

static int prepare(struct work *work, struct err *err)
{
    const size_t texts = work->evaluate->corpus.count;
    work->begins = mem_alloc(texts + 1, sizeof *work->begins, err);
    work->errors = mem_alloc((size_t)work->evaluate->threads, sizeof *work->errors, err);
    if (work->begins == NULL || work->errors == NULL)
        return ERR_MEMORY;
    const int code = count_words(work, err);
    if (code < 0)
        return code;
    work->actual = mem_alloc(work->begins[texts], sizeof *work->actual, err);
    work->predicted = mem_alloc(work->begins[texts], sizeof *work->predicted, err);
    if (work->actual == NULL || work->predicted == NULL)
        return ERR_MEMORY;
    return read_labels(work, err);
}

static void work_release(struct work *work)
{
    metric_confusion_release(&work->confusion);
    mem_free(work->errors);
    mem_free(work->predicted);
    mem_free(work->actual);
    mem_free(work->begins);
    intern_release(&work->names);
}

static int show(const struct work *work, struct err *err)
{
    if (work->evaluate->settings->json)
        return print_json(work, err);
    print_text(work);
    return 0;
}

int evaluate_tagging(struct evaluate *evaluate)
{
    struct err err = ERR_INIT;
    struct work work = {.evaluate = evaluate, .spec = &evaluate->model->spec};
    int code = prepare(&work, &err);
    if (code == 0)
        code = tag(&work, &err);
    if (code == 0)
        code = count(&work, &err);
    if (code == 0 && evaluate->settings->output != NULL)
        code = write_labels(&work, evaluate->settings->output, &err);
    if (code == 0)
        evaluate->figure = (struct evaluate_figure){"accuracy", metric_accuracy(&work.confusion)};
    if (code == 0 && !evaluate->silent)
        code = show(&work, &err);
    work_release(&work);
    return code < 0 ? cmd_failed(&err) : CMD_FINE;
}
