/* The results of the methods that generate, tag and regress. */
#include <string.h>

#include "serve/proto_answer.h"
#include "text/json.h"

static const char *end_name(enum generation_end end)
{
    switch (end) {
    case GENERATION_END:
        break;
    case GENERATION_STOP:
        return "stop";
    case GENERATION_LENGTH:
        return "length";
    }
    return "end";
}

void proto_result_generate(struct buf *out, const struct model *model, const struct job *job,
                           struct err *err)
{
    const struct job_result *result = &job->result;
    proto_write_model_name(out, model, err);
    json_write_name(out, "text", err);
    json_write_text(out, result->text.len ? result->text.data : "", result->text.len, err);
    json_write_integer(out, "tokens", (int64_t)result->tokens_out, err);
    json_write_name(out, "log_probability", err);
    json_write_number(out, result->log_probability, err);
    json_write_string(out, "finish", end_name(result->end), err);
    json_write_integer(out, "seed", (int64_t)job->generate.seed, err);
    buf_char(out, '}', err);
}

void proto_delta(struct buf *out, const char *id, const struct buf *text, struct err *err)
{
    buf_text(out, "{\"jsonrpc\":\"2.0\",\"method\":\"generate.delta\",\"params\":{\"id\":", err);
    buf_text(out, id, err);
    json_write_name(out, "text", err);
    json_write_text(out, text->data, text->len, err);
    buf_text(out, "}}\n", err);
}

void proto_result_regress(struct buf *out, const struct model *model, const struct job *jobs,
                          size_t count, struct err *err)
{
    proto_write_model_name(out, model, err);
    json_write_name(out, "results", err);
    buf_char(out, '[', err);
    for (size_t i = 0; i < count; i++) {
        json_write_comma(out, err);
        buf_text(out, "{\"value\":", err);
        json_write_number(out, jobs[i].result.value, err);
        buf_char(out, '}', err);
    }
    buf_text(out, "]}", err);
}

static void write_words(struct buf *out, const struct spec *spec, const struct job *job,
                        struct err *err)
{
    const struct tagged *tagged = &job->result.tagged;
    buf_text(out, "{\"words\":[", err);
    for (size_t i = 0; i < tagged->count; i++) {
        const struct tagged_word *word = &tagged->words[i];
        json_write_comma(out, err);
        buf_char(out, '{', err);
        json_write_integer(out, "begin", (int64_t)word->begin, err);
        json_write_integer(out, "end", (int64_t)word->end, err);
        json_write_name(out, "text", err);
        json_write_text(out, job->text + word->begin, word->end - word->begin, err);
        json_write_string(out, "label", spec->labels[word->label], err);
        json_write_name(out, "score", err);
        json_write_number(out, (double)word->probability, err);
        buf_char(out, '}', err);
    }
    buf_text(out, "]}", err);
}

void proto_result_tag(struct buf *out, const struct model *model, const struct job *jobs,
                      size_t count, struct err *err)
{
    proto_write_model_name(out, model, err);
    json_write_name(out, "results", err);
    buf_char(out, '[', err);
    for (size_t i = 0; i < count; i++) {
        json_write_comma(out, err);
        write_words(out, &model->spec, &jobs[i], err);
    }
    buf_text(out, "]}", err);
}
