/* dragoman evaluate for regression: the model's numbers against the right ones. */
#include <stdio.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "base/pool.h"
#include "cmd/evaluate.h"
#include "model/tag.h"
#include "train/metric.h"
#include "train/sequences.h"

struct work {
    struct evaluate *evaluate;
    double *actual, *predicted; /* [examples] */
    struct err *errors;         /* [threads] */
    struct metric_regression metric;
};

static int read_numbers(struct work *work, struct err *err)
{
    const struct corpus *corpus = &work->evaluate->corpus;
    for (size_t i = 0; i < corpus->count; i++) {
        const struct corpus_line *line = &corpus->lines[i];
        if (sequences_number(line->second, line->second_len, &work->actual[i], err))
            return err_context(err, "%s:%u", work->evaluate->settings->test, line->line);
    }
    return 0;
}

static void regress_share(void *context, int index)
{
    struct work *work = context;
    const struct evaluate *evaluate = work->evaluate;
    struct err *err = &work->errors[index];
    for (size_t i = (size_t)index; i < evaluate->corpus.count; i += (size_t)evaluate->threads) {
        const struct corpus_line *line = &evaluate->corpus.lines[i];
        if (model_regress(evaluate->model, line->first, line->first_len, NULL, &work->predicted[i],
                          err)) {
            err_context(err, "%s:%u", evaluate->settings->test, line->line);
            return;
        }
    }
}

static int regress(struct work *work, struct err *err)
{
    struct evaluate *evaluate = work->evaluate;
    struct pool *pool = pool_new(evaluate->threads, err);
    if (pool == NULL)
        return err->code;
    const int64_t begin = clock_ns();
    pool_run(pool, regress_share, work);
    evaluate->seconds = (double)(clock_ns() - begin) / 1e9;
    pool_free(pool);
    for (int i = 0; i < evaluate->threads; i++)
        if (work->errors[i].code != ERR_NONE)
            return err_set(err, work->errors[i].code, "%s", work->errors[i].message);
    work->metric = metric_regression(work->actual, work->predicted, evaluate->corpus.count);
    return 0;
}

static int write_numbers(const struct work *work, const char *path, struct err *err)
{
    struct file_save save;
    int code = file_save_begin(&save, path, err);
    if (code < 0)
        return code;
    for (size_t i = 0; i < work->evaluate->corpus.count; i++)
        fprintf(save.stream, "%.6g\n", work->predicted[i]);
    return file_save_commit(&save, err);
}

static int print_json(const struct work *work, struct err *err)
{
    const struct evaluate *evaluate = work->evaluate;
    const struct metric_regression *metric = &work->metric;
    const struct spec *spec = &evaluate->model->spec;
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:I, s:f, s:f, s:f, s:f, s:f, s:I, s:f, s:f}", "model", spec->name, "task",
        spec_task_name(spec->task), "test", evaluate->settings->test, "examples",
        (json_int_t)evaluate->corpus.count, "mse", metric->mse, "rmse", metric->rmse, "mae",
        metric->mae, "r2", metric->r2, "correlation", metric->correlation, "threads",
        (json_int_t)evaluate->threads, "seconds", evaluate->seconds, "examples_per_second",
        (double)evaluate->corpus.count / evaluate->seconds);
    return cmd_print_json(object, err);
}

static void print_text(const struct work *work)
{
    const struct evaluate *evaluate = work->evaluate;
    const struct metric_regression *metric = &work->metric;
    printf("model      %s\n", evaluate->model->spec.name);
    printf("test       %s, %zu examples\n", evaluate->settings->test, evaluate->corpus.count);
    printf("error      root of mean square %.6g, mean square %.6g, mean absolute %.6g\n",
           metric->rmse, metric->mse, metric->mae);
    printf("explained  R2 %.4f, correlation %.4f\n", metric->r2, metric->correlation);
    printf("speed      %.0f examples/s; %.2f s, %d threads\n",
           (double)evaluate->corpus.count / evaluate->seconds, evaluate->seconds,
           evaluate->threads);
}

static int show(const struct work *work, struct err *err)
{
    if (work->evaluate->settings->json)
        return print_json(work, err);
    print_text(work);
    return 0;
}

int evaluate_regression(struct evaluate *evaluate)
{
    struct err err = ERR_INIT;
    struct work work = {.evaluate = evaluate};
    const size_t count = evaluate->corpus.count;
    int code = ERR_MEMORY;
    work.actual = mem_alloc(count, sizeof *work.actual, &err);
    work.predicted = mem_alloc(count, sizeof *work.predicted, &err);
    work.errors = mem_alloc((size_t)evaluate->threads, sizeof *work.errors, &err);
    if (work.actual && work.predicted && work.errors)
        code = read_numbers(&work, &err);
    if (code == 0)
        code = regress(&work, &err);
    if (code == 0 && evaluate->settings->output != NULL)
        code = write_numbers(&work, evaluate->settings->output, &err);
    if (code == 0)
        evaluate->figure = (struct evaluate_figure){"rmse", work.metric.rmse};
    if (code == 0 && !evaluate->silent)
        code = show(&work, &err);
    mem_free(work.errors);
    mem_free(work.predicted);
    mem_free(work.actual);
    return code < 0 ? cmd_failed(&err) : CMD_FINE;
}
