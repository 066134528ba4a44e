/* What the log keeps of a request, from metadata to, where the settings say so, the texts. */
#include "serve/request_log.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "text/json.h"

/* The row with what the call and the connection tell; NULL where there is no log, no client or no
   memory. */
static struct reqlog_row *row_new(const struct server *server, const struct reply *reply,
                                  const struct proto_call *call, int64_t now_ns)
{
    const struct conn *conn = reply_conn(reply);
    struct reqlog_row *row = server->reqlog && conn ? reqlog_row_new(NULL) : NULL;
    if (!row)
        return NULL;
    row->time_ms = reply->time_ms;
    row->code = (int)call->error.code;
    row->total_us = (now_ns - reply->start_ns) / 1000;
    snprintf(row->peer, sizeof row->peer, "%s", conn_peer(conn));
    snprintf(row->method, sizeof row->method, "%s", proto_method_names[call->method]);
    row->texts = (int64_t)call->params.text_count;
    for (size_t i = 0; i < call->params.text_count; i++)
        row->bytes_in += (int64_t)call->params.texts[i].len;
    return row;
}

/* The texts as a JSON array in fresh memory, or NULL. */
static char *write_input(const struct proto_params *params)
{
    struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    buf_char(&out, '[', &err);
    for (size_t i = 0; i < params->text_count; i++) {
        json_write_comma(&out, &err);
        json_write_text(&out, params->texts[i].data, params->texts[i].len, &err);
    }
    buf_char(&out, ']', &err);
    if (err.code)
        buf_release(&out);
    return out.data;
}

static struct proto_text text_of(const char *data, size_t len)
{
    return (struct proto_text){.data = len ? data : "", .len = len};
}

/* Appends the labels of a text's words, separated by spaces. */
static void write_tags(struct buf *out, const struct job *job, struct err *err)
{
    const struct tagged *tagged = &job->result.tagged;
    for (size_t i = 0; i < tagged->count; i++) {
        if (i > 0)
            buf_char(out, ' ', err);
        buf_text(out, job->model->spec.labels[tagged->words[i].label], err);
    }
}

/* What came of one text: the translation, the label, the labels, the number, the text. It may lie
   in `room`, which is empty. */
static struct proto_text output_of(const struct job *job, struct buf *room, struct err *err)
{
    const struct job_result *result = &job->result;
    const struct spec *spec = &job->model->spec;
    switch (spec->task) {
    case SPEC_CLASSIFICATION: {
        const char *label = spec->labels[job_best_label(result->probabilities, spec->label_count)];
        return text_of(label, strlen(label));
    }
    case SPEC_TRANSLATION: {
        const struct job_alternative *best = &result->alternatives[0];
        size_t len = best->end - best->begin;
        return text_of(len ? result->text.data + best->begin : "", len);
    }
    case SPEC_GENERATION:
        return text_of(result->text.data, result->text.len);
    case SPEC_TAGGING:
        write_tags(room, job, err);
        break;
    case SPEC_REGRESSION:
        json_write_number(room, result->value, err);
        break;
    }
    return text_of(room->data, room->len);
}

/* Adds up the outputs' bytes and, unless `out` is NULL, writes them as a JSON array. */
static int64_t add_outputs(const struct request *request, struct buf *out, struct err *err)
{
    struct buf room = BUF_INIT;
    int64_t bytes = 0;
    if (out)
        buf_char(out, '[', err);
    for (size_t i = 0; i < request->count && !err->code; i++) {
        buf_clear(&room);
        struct proto_text text = output_of(&request->jobs[i], &room, err);
        bytes += (int64_t)text.len;
        if (!out)
            continue;
        json_write_comma(out, err);
        json_write_text(out, text.data, text.len, err);
    }
    if (out)
        buf_char(out, ']', err);
    buf_release(&room);
    return bytes;
}

/* queue: until the last job was taken; compute: from the first taken to the last done. */
static void add_times(struct reqlog_row *row, const struct request *request, int64_t start_ns)
{
    int64_t first = 0, last = 0, done = 0;
    for (size_t i = 0; i < request->count; i++) {
        const struct job_result *result = &request->jobs[i].result;
        if (!result->taken_ns)
            continue;
        if (!first || result->taken_ns < first)
            first = result->taken_ns;
        if (result->taken_ns > last)
            last = result->taken_ns;
        if (result->done_ns > done)
            done = result->done_ns;
    }
    row->queue_us = first ? (last - start_ns) / 1000 : 0;
    row->compute_us = first ? (done - first) / 1000 : 0;
}

/* full: the texts too. Without memory for them the row goes without. */
static void add_results(struct reqlog_row *row, const struct request *request, bool full)
{
    struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    row->bytes_out = add_outputs(request, full ? &out : NULL, &err);
    if (err.code)
        buf_release(&out);
    row->output = out.data;
    for (size_t i = 0; i < request->count; i++) {
        row->tokens_in += (int64_t)request->jobs[i].result.tokens_in;
        row->tokens_out += (int64_t)request->jobs[i].result.tokens_out;
    }
}

void request_log_answered(const struct request *request, const struct reply *reply, int64_t now_ns)
{
    const struct server *server = request->server;
    const struct proto_call *call = request->call;
    struct reqlog_row *row = row_new(server, reply, call, now_ns);
    if (!row)
        return;
    bool full = server->conf->log_texts == CONF_LOG_FULL;
    snprintf(row->model, sizeof row->model, "%s", request->model->spec.name);
    if (full)
        row->input = write_input(&call->params);
    if (!call->error.code) { /* after an error a worker may still write to the jobs */
        add_times(row, request, reply->start_ns);
        add_results(row, request, full);
    }
    reqlog_write(server->reqlog, row);
}

void request_log_refused(struct server *server, const struct reply *reply,
                         const struct proto_call *call)
{
    if (!call->has_method || !proto_needs_model(call->method))
        return;
    struct reqlog_row *row = row_new(server, reply, call, clock_ns());
    if (row)
        reqlog_write(server->reqlog, row);
}
