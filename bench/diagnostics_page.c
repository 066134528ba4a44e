#include "diagnostics_page.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>

#include "train/chart.h"
#include "train/html.h"

#define POINT_STRIDE (sizeof(struct learner_point) / sizeof(double))

/* `member`: offset of a double in a point. */
static struct chart_series series_of(const struct trial *trial, size_t member)
{
    const struct learner_point *points = trial->report.points;
    return (struct chart_series){.name = trial->name,
                                 .x = &points->update,
                                 .y = (const double *)(const void *)((const char *)points + member),
                                 .count = trial->report.count,
                                 .stride = POINT_STRIDE};
}

/* Tasks -------------------------------------------------------------------------------------- */

static const struct task_title { /* the length stands between them */
    const char *before, *after;
} task_titles[] = {
    {"Adding: the sum of two marked numbers among ", ""},
    {"Copy: ten symbols, to be repeated after a pause of ", ""},
    {"Parity: is the number of ones odd, in up to ", " bits?"},
    {"Temporal order: XX, XY, YX or YY, in ", " steps?"},
};

static void write_task(const struct diagnostics_task *task, struct buf *out, struct err *err)
{
    const struct learner_settings *settings = &task->trials[0].settings;
    const struct task_shape shape = task_shape(&settings->task);
    const bool regression = task_is_regression(&settings->task);
    const double ends[2] = {1, (double)settings->updates}, chance[2] = {shape.chance, shape.chance};
    struct chart_series series[DIAGNOSTICS_MAX_CELLS + 1];
    char id[32], title[128];
    for (size_t i = 0; i < task->count; i++)
        series[i] = series_of(&task->trials[i], offsetof(struct learner_point, error));
    series[task->count] = (struct chart_series){"without looking", ends, chance, 2, 0};
    snprintf(id, sizeof id, "task-%s", task_names[settings->task.kind]);
    const struct task_title *around = &task_titles[settings->task.kind];
    snprintf(title, sizeof title, "%s%zu%s", around->before, settings->task.length, around->after);
    const struct chart chart = {.id = id,
                                .title = title,
                                .x_name = "updates",
                                .y_name = regression ? "mean squared error" : "share wrong",
                                .y_log = regression,
                                .x_from_zero = true,
                                .y_from_zero = true,
                                .series = series,
                                .count = task->count + 1};
    chart_lines(&chart, out, err);
}

static void write_row(const struct trial *trial, struct buf *out, struct err *err)
{
    const struct learner_settings *settings = &trial->settings;
    const struct learner_report *report = &trial->report;
    buf_printf(out, err, "<tr><th>%s</th><td>", task_names[settings->task.kind]);
    html_text(out, trial->name, err);
    buf_printf(out, err,
               "</td><td class=\"right\">%zu</td><td class=\"right\">%zu</td>"
               "<td class=\"right\">%zu</td><td class=\"right\">%g</td>"
               "<td class=\"right\">%.1f</td><td class=\"right\">",
               settings->task.length, settings->hidden, report->updates, settings->rate,
               report->seconds);
    if (isfinite(report->error))
        buf_printf(out, err, "%.3g", report->error);
    else
        buf_text(out, "broke off", err);
    buf_printf(out, err, "</td><td class=\"right\">%.3g</td></tr>\n",
               task_shape(&settings->task).chance);
}

static void write_tasks(const struct diagnostics *diagnostics, struct buf *out, struct err *err)
{
    buf_text(out,
             "<h2>What the networks learn</h2>\n<p>One layer of cells and a linear one above it, "
             "by Adam with the gradient's norm clipped at 1; each batch is drawn afresh. The "
             "curves are means over what had not been learnt from yet; the table is a test of "
             "further sequences, once the rate has fallen to 0: the mean squared error for adding, "
             "else the share of wrong answers.</p>\n<div class=\"charts\">\n",
             err);
    for (size_t i = 0; i < diagnostics->task_count; i++)
        write_task(&diagnostics->tasks[i], out, err);
    buf_text(out,
             "</div>\n<div class=\"wide\"><table>\n<thead><tr><th>task</th><th>cell</th>"
             "<th class=\"right\">length</th><th class=\"right\">hidden</th>"
             "<th class=\"right\">updates</th><th class=\"right\">rate</th>"
             "<th class=\"right\">seconds</th><th class=\"right\">error</th>"
             "<th class=\"right\">chance</th></tr></thead>\n<tbody>\n",
             err);
    for (size_t i = 0; i < diagnostics->task_count; i++)
        for (size_t k = 0; k < diagnostics->tasks[i].count; k++)
            write_row(&diagnostics->tasks[i].trials[k], out, err);
    buf_text(out, "</tbody>\n</table></div>\n", err);
}

/* Gradients ---------------------------------------------------------------------------------- */

#define MAX_STEPS 1000
static double steps_back[MAX_STEPS + 1];

static struct chart_series norms_of(const char *name, const double *norms, size_t steps)
{
    return (struct chart_series){name, steps_back, norms,
                                 (steps < MAX_STEPS ? steps : MAX_STEPS) + 1, 0};
}

static void write_norms(const char *id, const char *title, const char *note,
                        const struct chart_series *series, size_t count, struct buf *out,
                        struct err *err)
{
    const struct chart chart = {.id = id,
                                .title = title,
                                .note = note,
                                .x_name = "steps back",
                                .y_name = "|dL/dh_t| / |dL/dh_T|",
                                .y_log = true,
                                .x_from_zero = true,
                                .series = series,
                                .count = count};
    chart_lines(&chart, out, err);
}

static void write_starts(const struct gradient_trial *trials, size_t count, const char *id,
                         const char *title, const char *note, struct buf *out, struct err *err)
{
    struct chart_series series[CHART_COLOURS];
    for (size_t i = 0; i < count; i++)
        series[i] = norms_of(trials[i].name, trials[i].norms, trials[i].settings.steps);
    write_norms(id, title, note, series, count, out, err);
}

/* Of the networks that learnt a task. */
static void write_trained(const struct diagnostics_task *task, struct buf *out, struct err *err)
{
    struct chart_series series[DIAGNOSTICS_MAX_CELLS];
    size_t count = 0;
    char id[32], title[96];
    for (size_t i = 0; i < task->count; i++)
        if (task->trials[i].report.norms)
            series[count++] = norms_of(task->trials[i].name, task->trials[i].report.norms,
                                       task->trials[i].report.steps);
    if (count == 0)
        return;
    const char *name = task_names[task->trials[0].settings.task.kind];
    snprintf(id, sizeof id, "trained-%s", name);
    snprintf(title, sizeof title, "After training: %s", name);
    write_norms(id, title, "L is the first output", series, count, out, err);
}

static void write_gradients(const struct diagnostics *diagnostics, struct buf *out, struct err *err)
{
    for (size_t i = 0; i <= MAX_STEPS; i++)
        steps_back[i] = (double)i;
    buf_text(
        out,
        "<h2>How far back the gradient reaches</h2>\n<p>Each step back multiplies the "
        "gradient by the recurrent matrix and by the slope of the cell: below 1 it vanishes, "
        "above 1 it explodes. Gates let a network learn where to keep that factor near 1; before "
        "it has learnt so, only their biases do.</p>\n<div class=\"charts\">\n",
        err);
    write_starts(diagnostics->radii, RADIUS_TRIALS, "gradient-radius", "At the start: rnn-tanh",
                 "orthogonal recurrent matrices times the radius of their spectrum", out, err);
    write_starts(diagnostics->gates, GATE_TRIALS, "gradient-gates", "At the start: cells",
                 "all with orthogonal recurrent matrices", out, err);
    for (size_t i = 0; i < diagnostics->task_count; i++)
        write_trained(&diagnostics->tasks[i], out, err);
    buf_text(out, "</div>\n", err);
}

/* Clipping ----------------------------------------------------------------------------------- */

static void write_clipping_chart(const struct diagnostics *diagnostics, const char *id,
                                 const char *title, const char *y_name, size_t member,
                                 struct buf *out, struct err *err)
{
    struct chart_series series[CLIPPING_TRIALS];
    for (size_t i = 0; i < CLIPPING_TRIALS; i++)
        series[i] = series_of(&diagnostics->clipping[i], member);
    const struct chart chart = {.id = id,
                                .title = title,
                                .x_name = "updates",
                                .y_name = y_name,
                                .y_log = true,
                                .x_from_zero = true,
                                .series = series,
                                .count = CLIPPING_TRIALS};
    chart_lines(&chart, out, err);
}

static void write_clipping(const struct diagnostics *diagnostics, struct buf *out, struct err *err)
{
    const struct learner_settings *settings = &diagnostics->clipping[0].settings;
    buf_printf(out, err,
               "<h2>What clipping does</h2>\n<p>%s with %zu units, recurrent matrix of radius %g, "
               "learns to add over %zu steps by plain gradient descent at a rate of %g. ",
               cell_names[settings->cell], settings->hidden, settings->start.radius,
               settings->task.length, settings->rate);
    for (size_t i = 0; i < CLIPPING_TRIALS; i++) {
        const struct trial *trial = &diagnostics->clipping[i];
        buf_printf(out, err, "%s%s: ", i > 0 ? "; " : "With ", trial->name);
        if (isfinite(trial->report.error))
            buf_printf(out, err, "an error of %.3g in the test", trial->report.error);
        else
            buf_printf(out, err, "not a number from update %zu on", trial->report.updates + 1);
    }
    buf_text(out, ".</p>\n<div class=\"charts\">\n", err);
    write_clipping_chart(diagnostics, "clipping-error", "Error", "mean squared error",
                         offsetof(struct learner_point, error), out, err);
    write_clipping_chart(diagnostics, "clipping-before", "Gradient before clipping", "largest norm",
                         offsetof(struct learner_point, norm), out, err);
    write_clipping_chart(diagnostics, "clipping-after", "Gradient after clipping", "largest norm",
                         offsetof(struct learner_point, clipped), out, err);
    buf_text(out, "</div>\n", err);
}

int diagnostics_page(const struct diagnostics *diagnostics, struct buf *out, struct err *err)
{
    html_begin(out, "Textbook diagnostics of recurrent networks", err);
    buf_text(out, "<h1>Textbook diagnostics of recurrent networks</h1>\n", err);
    write_tasks(diagnostics, out, err);
    write_gradients(diagnostics, out, err);
    write_clipping(diagnostics, out, err);
    return html_end(out, err);
}
