#include "train/report.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"
#include "train/chart.h"
#include "train/html.h"
#include "train/recipe.h"

static void write_time(struct buf *out, double seconds, struct err *err)
{
    const long s = seconds > 0 && seconds < 1e9 ? (long)seconds : 0;
    buf_printf(out, err, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
}

void report_number(struct buf *out, double value, struct err *err)
{
    char digits[32];
    if (!isfinite(value)) {
        buf_text(out, "\xE2\x80\x93", err);
        return;
    }
    if (floor(value) != value || fabs(value) >= 1e15) {
        buf_printf(out, err, "%.6g", value);
        return;
    }
    const size_t len = (size_t)snprintf(digits, sizeof digits, "%.0f", fabs(value));
    buf_text(out, value < 0 ? "\xE2\x88\x92" : "", err);
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            buf_text(out, "\xE2\x80\xAF", err); /* a narrow space that does not break */
        buf_char(out, digits[i], err);
    }
}

/*
 * The head: what it is, how it stands
 */

static const struct history_evaluation *best_evaluation(const struct history *history)
{
    for (size_t i = history->evaluation_count; i-- > 0;)
        if (history->evaluations[i].best > 0)
            return &history->evaluations[i];
    return NULL;
}

static const struct history_update *last_update(const struct history *history)
{
    return history->update_count > 0 ? &history->updates[history->update_count - 1] : NULL;
}

/* Updates done, by the line that came last. */
static double updates_done(const struct history *history)
{
    double done = history_number(history->start, "update");
    if (history->update_count > 0)
        done = fmax(done, last_update(history)->update);
    if (history->evaluation_count > 0)
        done = fmax(done, history->evaluations[history->evaluation_count - 1].update);
    return fmax(done, history_number(history->end, "update"));
}

static const char *ending(const char *reason)
{
    static const char *const sentences[][2] = {
        {"finished", "All epochs are done."},
        {"patience", "Ended: for a while no score was better."},
        {"time", "Ended: its time was up."},
        {"stopped", "Stopped; --resume goes on."},
        {"failed", "Failed."},
    };
    for (size_t i = 0; i < sizeof sentences / sizeof *sentences; i++)
        if (strcmp(sentences[i][0], reason) == 0)
            return sentences[i][1];
    return "Ended.";
}

static void write_state(const struct history *history, struct buf *out, struct err *err)
{
    const json_t *settings = json_object_get(history->start, "settings");
    const char *source = history_text(settings, "source"),
               *target = history_text(settings, "target");
    buf_text(out, "<p class=\"muted\">", err);
    html_text(out, history_text(history->start, "task"), err);
    if (*source && *target) {
        buf_text(out, ", ", err);
        html_text(out, source, err);
        buf_text(out, " \xE2\x86\x92 ", err);
        html_text(out, target, err);
    }
    buf_text(out, " \xC2\xB7 begun or resumed ", err);
    html_text(out, history_text(history->start, "date"), err);
    buf_text(out, "</p>\n<p>", err);
    if (history->end) {
        html_text(out, ending(history_text(history->end, "reason")), err);
        buf_text(out, " ", err);
        html_text(out, history_text(history->end, "message"), err);
    } else {
        buf_text(out, "In training.", err);
    }
    buf_text(out, "</p>\n", err);
}

static void card_begin(struct buf *out, struct err *err)
{
    buf_text(out, "<div class=\"card\"><b>", err);
}

static void card_end(struct buf *out, const char *name, struct err *err)
{
    buf_text(out, "</b><span>", err);
    html_text(out, name, err);
    buf_text(out, "</span></div>\n", err);
}

static void write_card(struct buf *out, double value, const char *format, const char *name,
                       struct err *err)
{
    char text[64];
    if (!isfinite(value))
        return;
    card_begin(out, err);
    if (format) {
        snprintf(text, sizeof text, format, value);
        buf_text(out, text, err);
    } else {
        report_number(out, value, err);
    }
    card_end(out, name, err);
}

static void write_cards(const struct history *history, struct buf *out, struct err *err)
{
    const struct history_evaluation *best = best_evaluation(history);
    const struct history_update *last = last_update(history);
    struct buf name = BUF_INIT;
    buf_text(out, "<div class=\"cards\">\n", err);
    if (best && buf_printf(&name, err, "best %s, epoch %.3g",
                           history_text(history->start, "metric"), best->epoch) == 0) {
        write_card(out, best->score, "%.2f", name.data, err);
        write_card(out, best->perplexity, "%.2f", "perplexity then", err);
    }
    if (last)
        write_card(out, last->loss, "%.3f", "training loss", err);
    write_card(out, updates_done(history), NULL, "updates", err);
    if (last) {
        card_begin(out, err);
        write_time(out, fmax(last->seconds, history_number(history->end, "seconds")), err);
        card_end(out, "time", err);
        buf_clear(&name);
        if (buf_printf(&name, err, "%s/s", history_text(history->start, "unit")) == 0)
            write_card(out, last->units_per_second, "%.0f", name.data, err);
    }
    write_card(out, history_number(history->start, "parameters"), NULL, "parameters", err);
    buf_text(out, "</div>\n", err);
    buf_release(&name);
}

/*
 * Curves
 */

#define UPDATE_STRIDE (sizeof(struct history_update) / sizeof(double))
#define EVALUATION_STRIDE (sizeof(struct history_evaluation) / sizeof(double))

static void write_evaluations(const struct history *history, const char *id, const char *title,
                              size_t member, bool log, struct buf *out, struct err *err)
{
    const struct history_evaluation *all = history->evaluations, *best = best_evaluation(history);
    const struct chart_series series[] = {
        {"all", &all->update, &all->update + member, history->evaluation_count, EVALUATION_STRIDE},
        {"best, saved", best ? &best->update : NULL, best ? &best->update + member : NULL, 1, 0},
    };
    const struct chart chart = {.id = id,
                                .title = title,
                                .note = "of the development data",
                                .x_name = "updates",
                                .y_name = title,
                                .x_from_zero = true,
                                .y_log = log,
                                .series = series,
                                .count = best ? 2 : 1};
    chart_lines(&chart, out, err);
}

/* Beside the score, if that is not the perplexity itself. */
static bool has_perplexity(const struct history *history)
{
    if (strcasecmp(history_text(history->start, "metric"), "perplexity") == 0)
        return false;
    for (size_t i = 0; i < history->evaluation_count; i++)
        if (isfinite(history->evaluations[i].perplexity))
            return true;
    return false;
}

struct curve {
    const char *id, *title, *note, *y_name;
    size_t member;
    bool log, from_zero;
};

#define MEMBER(type, name) (offsetof(struct type, name) / sizeof(double))

static void write_curves(const struct history *history, struct buf *out, struct err *err)
{
    const struct curve curves[] = {
        {"loss", "Training loss", "running mean, with label smoothing", "loss",
         MEMBER(history_update, loss), false, false},
        {"rate", "Learning rate", NULL, "rate", MEMBER(history_update, rate), false, true},
        {"norm", "Gradient norm", "before clipping", "norm", MEMBER(history_update, gradient_norm),
         true, false},
        {"speed", "Speed", history_text(history->start, "unit"), "a second",
         MEMBER(history_update, units_per_second), false, true},
    };
    buf_text(out, "<h2>Curves</h2>\n", err);
    if (history->update_count == 0) {
        buf_text(out, "<p>No update yet.</p>\n", err);
        return;
    }
    buf_text(out, "<div class=\"charts\">\n", err);
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++) {
        const struct curve *curve = &curves[i];
        const double *x = &history->updates->update;
        const struct chart_series series = {curve->title, x, x + curve->member,
                                            history->update_count, UPDATE_STRIDE};
        const struct chart chart = {.id = curve->id,
                                    .title = curve->title,
                                    .note = curve->note,
                                    .x_name = "updates",
                                    .y_name = curve->y_name,
                                    .y_log = curve->log,
                                    .x_from_zero = true,
                                    .y_from_zero = curve->from_zero,
                                    .series = &series,
                                    .count = 1};
        chart_lines(&chart, out, err);
        if (i > 0 || history->evaluation_count == 0)
            continue;
        write_evaluations(history, "score", history_text(history->start, "metric"),
                          MEMBER(history_evaluation, score), false, out, err);
        if (has_perplexity(history))
            write_evaluations(history, "perplexity", "Perplexity",
                              MEMBER(history_evaluation, perplexity), true, out, err);
    }
    buf_text(out, "</div>\n", err);
}

/*
 * Data and settings
 */

static void write_value(struct buf *out, const json_t *value, struct err *err)
{
    if (json_is_string(value)) {
        html_text(out, json_string_value(value), err);
    } else if (json_is_number(value)) {
        report_number(out, json_number_value(value), err);
    } else if (json_is_boolean(value)) {
        buf_text(out, json_is_true(value) ? "yes" : "no", err);
    } else if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            buf_text(out, i ? ", " : "", err);
            write_value(out, json_array_get(value, i), err);
        }
    }
}

static void write_row(struct buf *out, const char *name, const json_t *value, const char *help,
                      struct err *err)
{
    if (!value || (json_is_array(value) && json_array_size(value) == 0))
        return;
    buf_text(out, "<tr><th scope=\"row\">", err);
    html_text(out, name, err);
    buf_text(out, "</th><td>", err);
    write_value(out, value, err);
    buf_text(out, "</td>", err);
    if (help) {
        buf_text(out, "<td class=\"muted\">", err);
        html_text(out, help, err);
        buf_text(out, "</td>", err);
    }
    buf_text(out, "</tr>\n", err);
}

static void table_begin(struct buf *out, struct err *err)
{
    buf_text(out, "<div class=\"wide\"><table><tbody>\n", err);
}

static void table_end(struct buf *out, struct err *err)
{
    buf_text(out, "</tbody></table></div>\n", err);
}

static void write_data(const struct history *history, struct buf *out, struct err *err)
{
    static const char *const data_rows[][2] = {
        {"train", "training files"},
        {"lines", "training lines"},
        {"examples", "examples used"},
        {"left_out", "left out, too long"},
        {"source_tokens", "source tokens"},
        {"target_tokens", "target tokens"},
        {"tokens", "tokens"},
        {"dev", "development files"},
        {"dev_lines", "development lines"},
        {"vocabulary", "vocabulary"},
    };
    static const char *const run_rows[][2] = {
        {"parameters", "parameters"}, {"tensors", "in tensors"}, {"threads", "threads"},
        {"program", "program"},       {"command", "command"},
    };
    const json_t *data = json_object_get(history->start, "data");
    buf_text(out, "<h2>Data and program</h2>\n", err);
    table_begin(out, err);
    for (size_t i = 0; i < sizeof data_rows / sizeof *data_rows; i++)
        write_row(out, data_rows[i][1], json_object_get(data, data_rows[i][0]), NULL, err);
    for (size_t i = 0; i < sizeof run_rows / sizeof *run_rows; i++)
        write_row(out, run_rows[i][1], json_object_get(history->start, run_rows[i][0]), NULL, err);
    table_end(out, err);
}

static const char *help_of(const char *name)
{
    for (const struct opt *opt = recipe_options; opt->name; opt++)
        if (strcmp(opt->name, name) == 0)
            return opt->help;
    return "";
}

static bool is_among(const json_t *names, const char *name)
{
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *other = json_string_value(json_array_get(names, i));
        if (other && strcmp(other, name) == 0)
            return true;
    }
    return false;
}

static void write_settings_that(const struct history *history, bool changed, struct buf *out,
                                struct err *err)
{
    json_t *settings = json_object_get(history->start, "settings");
    const json_t *names = json_object_get(history->start, "changed");
    const char *name;
    json_t *value;
    table_begin(out, err);
    json_object_foreach(settings, name, value)
    {
        if (is_among(names, name) == changed)
            write_row(out, name, value, help_of(name), err);
    }
    table_end(out, err);
}

static void write_settings(const struct history *history, struct buf *out, struct err *err)
{
    buf_text(out, "<h2>Settings</h2>\n", err);
    write_settings_that(history, true, out, err);
    buf_text(out, "<details><summary>As they are by default</summary>\n", err);
    write_settings_that(history, false, out, err);
    buf_text(out, "</details>\n", err);
}

int report_page(const struct history *history, struct buf *out, struct err *err)
{
    const char *name = history_text(history->start, "name");
    html_begin(out, name, err);
    buf_text(out, "<header>\n<h1>", err);
    html_text(out, name, err);
    buf_text(out, "</h1>\n", err);
    write_state(history, out, err);
    buf_text(out, "</header>\n", err);
    write_cards(history, out, err);
    write_curves(history, out, err);
    report_samples(history, out, err);
    write_data(history, out, err);
    write_settings(history, out, err);
    html_end(out, err);
    return err->code;
}

int report_write(const char *path, const struct history *history, struct err *err)
{
    struct file_save save;
    struct buf page = BUF_INIT;
    if (report_page(history, &page, err) || file_save_begin(&save, path, err))
        goto out;
    if (fwrite(page.data, 1, page.len, save.stream) != page.len) {
        err_errno(err, "%s: cannot write", path);
        file_save_abort(&save);
        goto out;
    }
    file_save_commit(&save, err);
out:
    buf_release(&page);
    return err->code;
}
