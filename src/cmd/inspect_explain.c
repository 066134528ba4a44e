/*
 * dragoman inspect --explain: every line is classified and shown with its words coloured by what
 * they contributed, for the label that was chosen and, folded away, for others.
 */
#include <math.h>
#include "base/mem.h"
#include "cmd/inspect.h"
#include "model/explain.h"
#include "train/html.h"

#define MAX_LABELS 6 /* shown for each text, the most probable */

static const char style[] =
    ":root{--low:31 110 200;--high:226 98 20}\n"
    "@media(prefers-color-scheme:dark){:root{--low:64 140 255;--high:255 120 40}}\n"
    ".told{background:var(--card);border:1px solid var(--line);border-radius:.6rem;"
    "padding:.7rem .9rem;margin:.4rem 0;max-width:none;line-height:1.9}\n"
    ".told i{font-style:normal;border-radius:.2rem;padding:.15em 0}\n"
    "section{margin-top:1.8rem}section h3{margin:0}\n";

/* The label that is most probable among those not taken yet; takes it. */
static size_t take_best(float *probabilities, size_t count, float *probability)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (probabilities[i] > probabilities[best])
            best = i;
    *probability = probabilities[best];
    probabilities[best] = -1;
    return best;
}

/* The text with its parts coloured; the strongest has the full colour. */
static void write_parts(const struct inspect_text *line, const struct explanation *explanation,
                        struct buf *out, struct err *err)
{
    float most = 0;
    size_t at = 0;
    for (size_t i = 0; i < explanation->count; i++)
        most = fmaxf(most, fabsf(explanation->parts[i].weight));
    buf_text(out, "<p class=\"told\" dir=\"auto\">", err);
    for (size_t i = 0; i < explanation->count; i++) {
        const struct explanation_part *part = &explanation->parts[i];
        if (part->begin < at)
            continue;
        html_bytes(out, line->data + at, part->begin - at, err);
        buf_printf(out, err, "<i title=\"%+.3f\" style=\"background:rgb(var(--%s)/%.2f)\">",
                   (double)part->weight, part->weight < 0 ? "low" : "high",
                   most > 0 ? 0.85 * (double)(fabsf(part->weight) / most) : 0.0);
        html_bytes(out, line->data + part->begin, part->end - part->begin, err);
        buf_text(out, "</i>", err);
        at = part->end;
    }
    html_bytes(out, line->data + at, line->len - at, err);
    buf_text(out, "</p>\n", err);
}

static int write_label(const struct model *model, const struct inspect_text *line, size_t label,
                       float probability, bool first, struct buf *out, struct err *err)
{
    struct explanation explanation = {.count = 0};
    int code = model_explain(model, line->data, line->len, label, &explanation, err);
    if (code == 0) {
        buf_text(out, first ? "<h3>" : "<p><b>", err);
        html_text(out, model->spec.labels[label], err);
        buf_printf(out, err, "%s <span class=\"muted\">probability %.3f \xC2\xB7 ",
                   first ? "" : "</b>", (double)probability);
        html_text(out, explanation.method, err);
        buf_printf(out, err, " \xC2\xB7 logit %+.3f, without words %+.3f</span>%s\n",
                   (double)explanation.logit, (double)explanation.bias, first ? "</h3>" : "</p>");
        write_parts(line, &explanation, out, err);
    }
    explanation_release(&explanation);
    return code;
}

static int write_line(const struct model *model, const struct inspect_text *line,
                      float *probabilities, struct buf *out, struct err *err)
{
    const size_t labels = model->spec.label_count;
    /* of two labels the other one has the colours exchanged */
    const size_t count = labels == 2 ? 1 : labels < MAX_LABELS ? labels : MAX_LABELS;
    float probability;
    int code = model_classify(model, line->data, line->len, probabilities, err);
    if (code < 0)
        return code;
    buf_text(out, "<section>\n", err);
    for (size_t i = 0; i < count && code == 0; i++) {
        const size_t label = take_best(probabilities, labels, &probability);
        code = write_label(model, line, label, probability, i == 0, out, err);
        if (i == 0 && count > 1)
            buf_text(out, "<details><summary>other labels</summary>\n", err);
    }
    buf_text(out, count > 1 ? "</details>\n</section>\n" : "</section>\n", err);
    return code;
}

int inspect_explain(const struct model *model, const struct inspect_text *text, struct buf *out,
                    struct err *err)
{
    struct inspect_lines lines = {.text = text};
    struct inspect_text line;
    size_t count = 0;
    if (model->spec.task != SPEC_CLASSIFICATION)
        return err_set(err, ERR_ARGUMENT, "%s is a model for %s, not for classification",
                       model->folder, spec_task_name(model->spec.task));
    int code = inspect_count(text, &count, err);
    if (code < 0)
        return code;
    float *probabilities = mem_alloc(model->spec.label_count, sizeof *probabilities, err);
    if (probabilities == NULL)
        return ERR_MEMORY;
    html_begin_styled(out, model->spec.name, style, err);
    buf_text(out, "<header>\n<h1>Explanations of ", err);
    html_text(out, model->spec.name, err);
    buf_printf(out, err, "</h1>\n<p class=\"muted\">classification \xC2\xB7 %zu lines of ", count);
    html_text(out, text->name, err);
    buf_text(
        out,
        "</p>\n</header>\n<p class=\"muted\">Orange speaks for the label, blue against it; "
        "the strongest part of each text has the full colour, and shows its number where the "
        "pointer rests on it. Linear and gradient: what each part adds to the label\xE2\x80\x99s "
        "logit. Attention: the same, through the weights of the pool. Occlusion: how far the "
        "label\xE2\x80\x99s log-odds fall without the part.</p>\n",
        err);
    while (code == 0 && inspect_next_line(&lines, &line))
        code = write_line(model, &line, probabilities, out, err);
    mem_free(probabilities);
    return code < 0 ? code : html_end(out, err);
}
