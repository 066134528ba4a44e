/*
 * dragoman inspect --attention: every line is translated and shown with the weights of its tokens'
 * attention, as a heat map.
 */
#include <string.h>
#include "base/mem.h"
#include "cmd/inspect.h"
#include "model/batch.h"
#include "model/seq2seq.h"
#include "train/chart.h"
#include "train/html.h"

struct sentences {
    size_t count;
    struct batch_text *texts;
    struct batch_output *outputs;
    struct batch_attention *attention;
};

static void sentences_release(struct sentences *all)
{
    for (size_t i = 0; i < all->count && all->outputs != NULL; i++)
        batch_output_release(&all->outputs[i]);
    for (size_t i = 0; i < all->count && all->attention != NULL; i++)
        batch_attention_release(&all->attention[i]);
    mem_free(all->attention);
    mem_free(all->outputs);
    mem_free(all->texts);
}

/* The lines that are not empty, each with room for its attention. */
static int sentences_cut(struct sentences *all, const struct inspect_text *text, struct err *err)
{
    struct inspect_lines lines = {.text = text};
    struct inspect_text line;
    size_t count = 0;
    int code = inspect_count(text, &count, err);
    if (code < 0)
        return code;
    all->texts = mem_alloc(count, sizeof *all->texts, err);
    all->outputs = mem_alloc(count, sizeof *all->outputs, err);
    all->attention = mem_alloc(count, sizeof *all->attention, err);
    if (all->texts == NULL || all->outputs == NULL || all->attention == NULL)
        return ERR_MEMORY;
    while (inspect_next_line(&lines, &line)) {
        all->outputs[all->count].attention = &all->attention[all->count];
        all->texts[all->count++] = (struct batch_text){line.data, line.len};
    }
    return 0;
}

/* A token's text as a label: without the space that begins a word. */
static const char *label_of(const struct tokenizer *tokenizer, int32_t id)
{
    size_t len;
    const char *text = tokenizer_text(tokenizer, id, &len);
    text += text[0] == ' ';
    return *text ? text : "\xE2\x90\xA3"; /* nothing but a space */
}

static void draw(const struct model *model, const struct encoded *source,
                 const struct batch_output *output, const struct chart_heat *plain, double *values,
                 const char **labels, struct buf *out, struct err *err)
{
    const struct batch_attention *attention = output->attention;
    const size_t rows = attention->count, columns = attention->source_count;
    struct chart_heat heat = *plain;
    for (size_t i = 0; i < rows * columns; i++)
        values[i] = (double)attention->weights[i];
    for (size_t r = 0; r < rows; r++)
        labels[r] = label_of(model->tokenizer, attention->ids[r]);
    for (size_t c = 0; c < columns; c++)
        labels[rows + c] = label_of(model->tokenizer, source->tokens[c].id);
    heat.row_name = "Output";
    heat.column_name = "source";
    heat.rows = labels;
    heat.columns = labels + rows;
    heat.row_count = rows;
    heat.column_count = columns;
    heat.values = values;
    heat.high = 1;
    chart_heat(&heat, out, err);
}

/* The sentence is the heat map's caption: the translation, and smaller the source. */
static int write_heat(const struct model *model, const struct batch_text *text,
                      const struct batch_output *output, const struct chart_heat *plain,
                      struct buf *out, struct err *err)
{
    struct encoded source = {.count = 0};
    const size_t rows = output->attention->count, columns = output->attention->source_count;
    double *values = mem_alloc(rows * columns, sizeof *values, err);
    const char **labels = mem_alloc(rows + columns, sizeof *labels, err);
    int code = values == NULL || labels == NULL
                   ? ERR_MEMORY
                   : tokenizer_encode(model->tokenizer, text->data, text->len, &source, err);
    if (code == 0 && source.count == columns)
        draw(model, &source, output, plain, values, labels, out, err);
    encoded_release(&source);
    mem_free(labels);
    mem_free(values);
    return code;
}

static int write_plain(const struct chart_heat *plain, struct buf *out, struct err *err)
{
    html_figure(out, plain->id, plain->title, plain->note, err);
    return buf_text(out, "</figure>\n", err);
}

static int write_sentence(const struct model *model, const struct batch_text *text,
                          const struct batch_output *output, size_t number, struct buf *out,
                          struct err *err)
{
    char id[32];
    const bool fine = output->count > 0;
    char *source = mem_copy_text(text->data, text->len, err);
    if (source == NULL)
        return ERR_MEMORY;
    snprintf(id, sizeof id, "sentence%zu", number);
    const struct chart_heat plain = {
        .id = id, .title = fine ? output->candidates[0].text : output->err.message, .note = source};
    const int code = fine && output->attention->count > 0
                         ? write_heat(model, text, output, &plain, out, err)
                         : write_plain(&plain, out, err);
    mem_free(source);
    return code;
}

static int write_page(const struct model *model, const char *name, const struct sentences *all,
                      struct buf *out, struct err *err)
{
    int code = 0;
    html_begin_styled(out, model->spec.name,
                      ".heats{margin-top:1.4rem}.heats figure{width:min-content;min-width:12rem}\n"
                      ".heats svg{max-width:none}figcaption small{display:block}\n",
                      err);
    buf_text(out, "<header>\n<h1>Attention of ", err);
    html_text(out, model->spec.name, err);
    buf_printf(out, err, "</h1>\n<p class=\"muted\">%s \xE2\x86\x92 %s \xC2\xB7 %zu lines of ",
               model->spec.source, model->spec.target, all->count);
    html_text(out, name, err);
    buf_printf(
        out, err, "</p>\n</header>\n<p class=\"muted\">%s</p>\n<div class=\"heats\">\n",
        model->seq2seq->attends
            ? "Where the model looked in the source (across) when it wrote each token (down)."
            : "This model has no attention: what it wrote is all that there is to see.");
    for (size_t i = 0; i < all->count && code == 0; i++)
        code = write_sentence(model, &all->texts[i], &all->outputs[i], i + 1, out, err);
    buf_text(out, "</div>\n", err);
    return code < 0 ? code : html_end(out, err);
}

static int translate(const struct model *model, struct sentences *all, struct err *err)
{
    const struct ensemble alone = {.models = {model->seq2seq}, .count = 1};
    struct decode_options options;
    struct pool *pool = NULL;
    int code = cmd_decode_options(model, 0, 0, &options, err);
    if (code == 0 && (pool = pool_new(1, err)) == NULL)
        code = ERR_MEMORY;
    if (code == 0)
        code = batch_translate(&alone, model->tokenizer, &options, pool, all->texts, all->count,
                               all->outputs, err);
    pool_free(pool);
    return code;
}

int inspect_attention(const struct model *model, const struct inspect_text *text, struct buf *out,
                      struct err *err)
{
    struct sentences all = {.count = 0};
    if (model->spec.task != SPEC_TRANSLATION)
        return err_set(err, ERR_ARGUMENT, "%s is a model for %s, not for translation",
                       model->folder, spec_task_name(model->spec.task));
    int code = sentences_cut(&all, text, err);
    if (code == 0)
        code = translate(model, &all, err);
    if (code == 0)
        code = write_page(model, text->name, &all, out, err);
    sentences_release(&all);
    return code;
}
