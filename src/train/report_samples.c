/* The part of the report that shows sentences: outputs by evaluation, attention of the last one. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "train/chart.h"
#include "train/html.h"
#include "train/report.h"

static const json_t *sample_of(const json_t *line, size_t i)
{
    return json_array_get(json_object_get(line, "samples"), i);
}

static void write_text(struct buf *out, const char *element, const char *language, const char *text,
                       struct err *err)
{
    buf_printf(out, err, "<%s dir=\"auto\"", element);
    if (*language) {
        buf_text(out, " lang=\"", err);
        html_text(out, language, err);
        buf_text(out, "\"", err);
    }
    buf_text(out, ">", err);
    html_text(out, text, err);
    buf_printf(out, err, "</%s>", element);
}

/* What one evaluation made of the sentence. */
static void write_output(const json_t *line, const json_t *sample, const char *language,
                         struct buf *out, struct err *err)
{
    const char *output = history_text(sample, "output");
    const bool hit = strcmp(output, history_text(sample, "reference")) == 0;
    buf_printf(out, err, "<tr%s><td class=\"right\">%.4g</td><td class=\"right\">",
               hit ? " class=\"hit\"" : "", history_number(line, "epoch"));
    report_number(out, history_number(line, "update"), err);
    buf_text(out, "</td>", err);
    write_text(out, "td", language, output, err);
    buf_text(out, "<td class=\"right\">", err);
    const double score = history_number(sample, "score");
    if (isfinite(score))
        buf_printf(out, err, "%.3f", score);
    buf_text(out, "</td></tr>\n", err);
}

/* What the reference and the score of an example are called. */
static struct words {
    const char *reference, *score;
} words_of(const char *task)
{
    if (strcmp(task, "classification") == 0)
        return (struct words){"label", "probability"};
    if (strcmp(task, "tagging") == 0)
        return (struct words){"labels", "mean probability"};
    if (strcmp(task, "regression") == 0)
        return (struct words){"number", "error"};
    return (struct words){"reference", "log p / token"};
}

static void write_sentence(const struct history *history, size_t i, struct buf *out,
                           struct err *err)
{
    const json_t *settings = json_object_get(history->start, "settings");
    const json_t *last = sample_of(history->samples[history->sample_count - 1], i);
    const struct words words = words_of(history_text(history->start, "task"));
    const char *language = history_text(settings, "target");
    const char *source = history_text(last, "source");
    buf_printf(out, err, "<div class=\"wide\"><table>\n<caption>%zu. ", i + 1);
    write_text(out, "b", history_text(settings, "source"), source, err);
    buf_text(out, "<br/><span class=\"muted\">", err);
    buf_printf(out, err, "%s: ", words.reference);
    write_text(out, "span", language, history_text(last, "reference"), err);
    buf_printf(out, err,
               "</span></caption>\n<thead><tr><th scope=\"col\" class=\"right\">epoch</th>"
               "<th scope=\"col\" class=\"right\">update</th><th scope=\"col\">output</th>"
               "<th scope=\"col\" class=\"right\">%s</th></tr></thead>\n<tbody>\n",
               words.score);
    for (size_t s = 0; s < history->sample_count; s++) {
        const json_t *sample = sample_of(history->samples[s], i);
        if (strcmp(history_text(sample, "source"), source) == 0)
            write_output(history->samples[s], sample, language, out, err);
    }
    buf_text(out, "</tbody></table></div>\n", err);
}

/* A token's text as a label: without the space that begins a word. */
static const char *label_of(const json_t *token)
{
    const char *text = json_string_value(token);
    if (!text)
        return "";
    text += text[0] == ' ';
    return *text ? text : "\xE2\x90\xA3"; /* nothing but a space */
}

/* values and labels have room for rows * columns and rows + columns. */
static void write_heat(const json_t *sample, size_t number, double *values, const char **labels,
                       struct buf *out, struct err *err)
{
    const json_t *weights = json_object_get(sample, "attention");
    const json_t *source = json_object_get(sample, "source_tokens");
    const json_t *output = json_object_get(sample, "output_tokens");
    const size_t rows = json_array_size(output), columns = json_array_size(source);
    char id[32], title[32];
    for (size_t r = 0; r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            values[r * columns + c] =
                json_number_value(json_array_get(json_array_get(weights, r), c));
    for (size_t r = 0; r < rows; r++)
        labels[r] = label_of(json_array_get(output, r));
    for (size_t c = 0; c < columns; c++)
        labels[rows + c] = label_of(json_array_get(source, c));
    snprintf(id, sizeof id, "attention%zu", number);
    snprintf(title, sizeof title, "Sentence %zu", number);
    const struct chart_heat heat = {.id = id,
                                    .title = title,
                                    .row_name = "Output",
                                    .column_name = "source",
                                    .rows = labels,
                                    .columns = labels + rows,
                                    .row_count = rows,
                                    .column_count = columns,
                                    .values = values,
                                    .high = 1};
    chart_heat(&heat, out, err);
}

static void write_attention(const json_t *sample, size_t number, struct buf *out, struct err *err)
{
    const size_t rows = json_array_size(json_object_get(sample, "output_tokens"));
    const size_t columns = json_array_size(json_object_get(sample, "source_tokens"));
    double *values = mem_alloc(rows * columns, sizeof *values, err);
    const char **labels = mem_alloc(rows + columns, sizeof *labels, err);
    if (values && labels)
        write_heat(sample, number, values, labels, out, err);
    mem_free(labels);
    mem_free(values);
}

static void write_all_attention(const json_t *line, struct buf *out, struct err *err)
{
    const size_t count = json_array_size(json_object_get(line, "samples"));
    bool any = false;
    for (size_t i = 0; i < count; i++) {
        const json_t *sample = sample_of(line, i);
        if (!json_object_get(sample, "attention"))
            continue;
        if (!any)
            buf_printf(
                out, err,
                "<h2>Attention</h2>\n<p class=\"muted\">Where the model looked in the source "
                "(across) when it wrote each token (down), at update %.0f.</p>\n"
                "<div class=\"heats\">\n",
                history_number(line, "update"));
        any = true;
        write_attention(sample, i + 1, out, err);
    }
    if (any)
        buf_text(out, "</div>\n", err);
}

void report_samples(const struct history *history, struct buf *out, struct err *err)
{
    if (history->sample_count == 0)
        return;
    const json_t *last = history->samples[history->sample_count - 1];
    const size_t count = json_array_size(json_object_get(last, "samples"));
    buf_text(out,
             "<h2>Samples</h2>\n<p class=\"muted\">The first sentences of the development data, "
             "from evaluation to evaluation; outputs equal to the reference are marked.</p>\n",
             err);
    for (size_t i = 0; i < count; i++)
        write_sentence(history, i, out, err);
    write_all_attention(last, out, err);
}
