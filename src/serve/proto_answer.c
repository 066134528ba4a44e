/* The frame of answers, and the results of the methods that translate and classify. */
#include "serve/proto_answer.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/json.h"

void proto_answer_begin(struct buf *out, const char *id, struct err *err)
{
    buf_text(out, "{\"jsonrpc\":\"2.0\",\"id\":", err);
    buf_text(out, id, err);
    buf_text(out, ",\"result\":", err);
}

void proto_answer_end(struct buf *out, struct err *err)
{
    buf_char(out, '}', err);
}

void proto_answer_error(struct buf *out, const char *id, const struct proto_error *error,
                        struct err *err)
{
    buf_text(out, "{\"jsonrpc\":\"2.0\",\"id\":", err);
    buf_text(out, id, err);
    buf_printf(out, err, ",\"error\":{\"code\":%d,\"message\":", (int)error->code);
    json_write_text(out, error->message, strlen(error->message), err);
    buf_text(out, ",\"data\":{", err);
    buf_append(out, error->data.data, error->data.len, err);
    buf_text(out, "}}}", err);
}

static void write_alternative(struct buf *out, const struct job_result *result, size_t index,
                              struct err *err)
{
    const struct job_alternative *alternative = &result->alternatives[index];
    size_t len = alternative->end - alternative->begin;
    json_write_name(out, "text", err);
    json_write_text(out, len ? result->text.data + alternative->begin : "", len, err);
    json_write_name(out, "score", err);
    json_write_number(out, alternative->score, err);
}

static void write_alternatives(struct buf *out, const struct job_result *result, size_t nbest,
                               struct err *err)
{
    json_write_name(out, "alternatives", err);
    buf_char(out, '[', err);
    for (size_t i = 0; i < result->alternative_count && i < nbest; i++) {
        json_write_comma(out, err);
        buf_char(out, '{', err);
        write_alternative(out, result, i, err);
        buf_char(out, '}', err);
    }
    buf_char(out, ']', err);
}

static void write_alignment(struct buf *out, const struct job_result *result, struct err *err)
{
    json_write_name(out, "alignment", err);
    buf_char(out, '[', err);
    for (size_t i = 0; i < result->range_count; i++) {
        const struct job_range *range = &result->ranges[i];
        json_write_comma(out, err);
        buf_printf(out, err, "[%zu,%zu,%zu,%zu]", range->source_begin, range->source_end,
                   range->target_begin, range->target_end);
    }
    buf_char(out, ']', err);
}

void proto_write_model_name(struct buf *out, const struct model *model, struct err *err)
{
    buf_char(out, '{', err);
    json_write_string(out, "model", model->spec.name, err);
}

void proto_result_translate(struct buf *out, const struct model *model, const struct job *jobs,
                            size_t count, size_t nbest, struct err *err)
{
    proto_write_model_name(out, model, err);
    json_write_name(out, "translations", err);
    buf_char(out, '[', err);
    for (size_t i = 0; i < count; i++) {
        json_write_comma(out, err);
        buf_char(out, '{', err);
        write_alternative(out, &jobs[i].result, 0, err);
        if (jobs[i].result.truncated)
            buf_text(out, ",\"truncated\":true", err);
        if (nbest > 1)
            write_alternatives(out, &jobs[i].result, nbest, err);
        if (jobs[i].alignment)
            write_alignment(out, &jobs[i].result, err);
        buf_char(out, '}', err);
    }
    buf_text(out, "]}", err);
}

struct label {
    size_t index;
    float probability;
};

/* The most probable first, equal ones in the model's order. */
static int compare_labels(const void *a, const void *b)
{
    const struct label *x = a, *y = b;
    if (x->probability != y->probability)
        return x->probability < y->probability ? 1 : -1;
    return x->index < y->index ? -1 : 1;
}

static void write_scores(struct buf *out, const struct spec *spec, const float *probabilities,
                         size_t top, struct err *err)
{
    struct label *labels = mem_alloc(spec->label_count, sizeof *labels, err);
    if (!labels)
        return;
    for (size_t i = 0; i < spec->label_count; i++)
        labels[i] = (struct label){.index = i, .probability = probabilities[i]};
    qsort(labels, spec->label_count, sizeof *labels, compare_labels);
    json_write_name(out, "scores", err);
    buf_char(out, '{', err);
    for (size_t i = 0; i < spec->label_count && (top == 0 || i < top); i++) {
        const char *name = spec->labels[labels[i].index];
        json_write_comma(out, err);
        json_write_text(out, name, strlen(name), err);
        buf_char(out, ':', err);
        json_write_number(out, (double)labels[i].probability, err);
    }
    buf_char(out, '}', err);
    mem_free(labels);
}

static void write_explanation(struct buf *out, const struct explanation *explanation,
                              struct err *err)
{
    json_write_name(out, "explanation", err);
    buf_char(out, '{', err);
    json_write_string(out, "method", explanation->method, err);
    json_write_name(out, "bias", err);
    json_write_number(out, (double)explanation->bias, err);
    json_write_name(out, "parts", err);
    buf_char(out, '[', err);
    for (size_t i = 0; i < explanation->count; i++) {
        const struct explanation_part *part = &explanation->parts[i];
        json_write_comma(out, err);
        buf_char(out, '{', err);
        json_write_integer(out, "begin", (int64_t)part->begin, err);
        json_write_integer(out, "end", (int64_t)part->end, err);
        json_write_name(out, "weight", err);
        json_write_number(out, (double)part->weight, err);
        buf_char(out, '}', err);
    }
    buf_text(out, "]}", err);
}

void proto_result_classify(struct buf *out, const struct model *model, const struct job *jobs,
                           size_t count, size_t top, struct err *err)
{
    const struct spec *spec = &model->spec;
    proto_write_model_name(out, model, err);
    json_write_name(out, "results", err);
    buf_char(out, '[', err);
    for (size_t i = 0; i < count; i++) {
        const float *probabilities = jobs[i].result.probabilities;
        json_write_comma(out, err);
        buf_char(out, '{', err);
        json_write_string(out, "label",
                          spec->labels[job_best_label(probabilities, spec->label_count)], err);
        write_scores(out, spec, probabilities, top, err);
        if (jobs[i].explain)
            write_explanation(out, &jobs[i].result.explanation, err);
        buf_char(out, '}', err);
    }
    buf_text(out, "]}", err);
}
