/* The life of a request, from the checked call to its answer, its row in the log and its end. */
#include "serve/request.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "serve/admit.h"
#include "serve/proto_answer.h"
#include "serve/request_job.h"
#include "serve/request_log.h"
#include "serve/stream.h"

#define TREE_FACTOR 4 /* a line's JSON tree takes about so many times the line's bytes */

static struct request *request_of(struct job *job)
{
    return job->owner;
}

static void request_free(struct request *request)
{
    struct server *server = request->server;
    *(request->previous ? &request->previous->next : &server->requests) = request->next;
    if (request->next)
        request->next->previous = request->previous;
    server->memory -= request->charged;
    for (size_t i = 0; i < request->count; i++) {
        stream_free(request->jobs[i].stream);
        job_result_release(&request->jobs[i].result);
    }
    if (request->deadline)
        event_free(request->deadline);
    model_release(request->model);
    proto_message_release(request->message);
    mem_free(request);
}

/* Takes back what is still waiting and tells the workers about the rest. */
static void cancel_jobs(struct request *request)
{
    for (size_t i = 0; i < request->count; i++)
        if (batcher_cancel(request->server->batcher, &request->jobs[i]))
            request->returned++;
}

/* Nobody waits any more. */
static void leave(struct request *request)
{
    request->reply = NULL;
    request->server->in_flight--;
    if (request->deadline)
        event_del(request->deadline);
}

static void write_result(const struct request *request, struct buf *out, struct err *err)
{
    const struct proto_params *params = &request->call->params;
    const struct model *model = request->model;
    const struct job *jobs = request->jobs;
    proto_answer_begin(out, request->call->id, err);
    switch (model->spec.task) {
    case SPEC_TRANSLATION:
        proto_result_translate(out, model, jobs, request->count, (size_t)params->nbest, err);
        break;
    case SPEC_CLASSIFICATION:
        proto_result_classify(out, model, jobs, request->count, (size_t)params->top, err);
        break;
    case SPEC_TAGGING:
        proto_result_tag(out, model, jobs, request->count, err);
        break;
    case SPEC_REGRESSION:
        proto_result_regress(out, model, jobs, request->count, err);
        break;
    case SPEC_GENERATION:
        proto_result_generate(out, model, jobs, err);
        break;
    }
    proto_answer_end(out, err);
}

static void refuse_memory(struct proto_error *error)
{
    proto_error_set(error, PROTO_INTERNAL, "memory", "out of memory");
}

static void count_answer(const struct request *request, const struct reply *reply, int64_t now)
{
    struct stats *stats = &request->server->stats;
    if (request->call->error.code) {
        stats_error(stats, request->call->error.code);
        return;
    }
    stats->succeeded++;
    stats_latency(stats, now - reply->start_ns);
    stats_model_used(stats, request->model->spec.name, request->count);
}

/* Fills the slot with the result or, where call->error is set, the error. */
static void answer(struct request *request)
{
    struct proto_call *call = request->call;
    struct reply *reply = request->reply;
    struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    leave(request);
    if (!call->error.code && call->id)
        write_result(request, &out, &err);
    if (err.code) {
        buf_release(&out);
        refuse_memory(&call->error);
    }
    int64_t now = clock_ns();
    count_answer(request, reply, now);
    request_log_answered(request, reply, now);
    if (call->error.code)
        reply_refuse(reply, request->slot, call);
    else
        reply_put(reply, request->slot, &out);
}

/* The parameter that a model reads. */
static const char *input_name(const struct proto_call *call)
{
    if (call->method == PROTO_GENERATE)
        return "prompt";
    return call->method == PROTO_REGRESS && call->params.has_rows ? "rows" : "text";
}

static void describe_failure(struct request *request, const struct job *job)
{
    struct proto_error *error = &request->call->error;
    size_t index = (size_t)(job - request->jobs);
    char path[32];
    snprintf(path, sizeof path, "%s", input_name(request->call));
    if (request->call->params.is_list)
        snprintf(path, sizeof path, "text[%zu]", index);
    switch (job->result.outcome) {
    case JOB_TOO_LONG:
        proto_error_set(error, PROTO_TOO_LONG, "sentence_too_long",
                        "%s has a sentence of %zu tokens, and at most %d are allowed", path,
                        job->result.actual, DECODE_MAX_SOURCE);
        proto_error_text(error, "path", path, strlen(path));
        proto_error_integer(error, "limit", DECODE_MAX_SOURCE);
        proto_error_integer(error, "actual", (int64_t)job->result.actual);
        return;
    case JOB_REFUSED:
        proto_error_set(error, PROTO_INVALID_PARAMS, "refused", "%s", job->result.err.message);
        proto_error_text(error, "path", path, strlen(path));
        return;
    case JOB_FAILED:
        log_error("model %s: %s", request->model->spec.name, job->result.err.message);
        if (job->result.err.code == ERR_MEMORY)
            refuse_memory(error);
        else
            proto_error_set(error, PROTO_INTERNAL, "model", "the model %s failed",
                            request->model->spec.name);
        return;
    case JOB_CANCELLED:
    case JOB_DONE:
        proto_error_set(error, PROTO_INTERNAL, "bug", "a job came back unfinished");
        return;
    }
}

/* Sends what a stream has gathered. A client that is behind with reading gets it later, in fewer
   and longer pieces, unless `all` must go now. */
static void send_delta(struct request *request, bool all)
{
    struct buf text = BUF_INIT, line = BUF_INIT;
    struct err err = ERR_INIT;
    struct conn *conn = reply_conn(request->reply);
    if (!conn || (conn_is_behind(conn) && !all))
        return;
    stream_take(request->jobs[0].stream, &text);
    if (text.len > 0) {
        proto_delta(&line, request->call->id, &text, &err);
        if (err.code)
            conn_break(conn);
        else
            conn_send(conn, line.data, line.len);
    }
    buf_release(&line);
    buf_release(&text);
}

static void on_stream(struct mail *mail)
{
    struct request *request = stream_owner(mail);
    stream_arrived(request->jobs[0].stream);
    if (request->reply)
        send_delta(request, false);
}

static void on_job(struct mail *mail)
{
    struct job *job = (struct job *)(void *)mail;
    struct request *request = request_of(job);
    request->returned++;
    if (request->reply && job->stream && job->result.outcome == JOB_DONE)
        send_delta(request, true);
    if (request->reply && job->result.outcome != JOB_DONE) {
        describe_failure(request, job);
        cancel_jobs(request);
        answer(request);
    } else if (request->reply && request->returned == request->count) {
        answer(request);
    }
    if (request->returned == request->count)
        request_free(request);
}

/* Answers with the error that is set, and ends the request as soon as its jobs are back. */
static void give_up(struct request *request)
{
    cancel_jobs(request);
    answer(request);
    if (request->returned == request->count)
        request_free(request);
}

static void on_deadline(evutil_socket_t fd, short what, void *context)
{
    (void)fd;
    (void)what;
    struct request *request = context;
    proto_error_set(&request->call->error, PROTO_DEADLINE, "deadline",
                    "not finished within %lld ms", (long long)request->timeout_ms);
    proto_error_integer(&request->call->error, "timeout_ms", request->timeout_ms);
    give_up(request);
}

static void set_deadline(struct request *request)
{
    int64_t ms = request->call->params.timeout_ms;
    request->timeout_ms = ms ? ms : request->server->conf->timeout;
    struct timeval timeout = {.tv_sec = request->timeout_ms / 1000,
                              .tv_usec = request->timeout_ms % 1000 * 1000};
    request->deadline = event_new(request->server->base, -1, 0, on_deadline, request);
    if (!request->deadline || event_add(request->deadline, &timeout) < 0)
        refuse_memory(&request->call->error);
}

static void open_stream(struct request *request)
{
    request->jobs[0].stream = stream_new(request, on_stream, NULL);
    if (!request->jobs[0].stream)
        refuse_memory(&request->call->error);
}

/* Whose jobs they are: a number for each connection. */
static uint64_t client_of(const struct reply *reply)
{
    return (uint64_t)reply->conn.generation << 32 | reply->conn.slot;
}

static struct request *request_new(struct server *server, const struct reply *reply,
                                   struct model *model, struct proto_message *message,
                                   struct proto_call *call)
{
    size_t count = call->params.text_count;
    size_t size = sizeof(struct request) + count * sizeof(struct job);
    struct request *request = mem_alloc(1, size, NULL);
    if (!request) {
        refuse_memory(&call->error);
        return NULL;
    }
    request->server = server;
    request->model = model_retain(model);
    request->message = proto_message_retain(message);
    request->call = call;
    request->count = count;
    request->client = client_of(reply);
    /* Every request of a batch keeps the whole line's tree alive; each bears its share. */
    request->charged = size + message->size * TREE_FACTOR / message->count;
    server->memory += request->charged;
    request->next = server->requests;
    if (request->next)
        request->next->previous = request;
    server->requests = request;
    for (size_t i = 0; i < count; i++) {
        request->jobs[i].mail.deliver = on_job;
        request->jobs[i].owner = request;
        request_job_fill(request, i);
    }
    if (call->method == PROTO_GENERATE && call->params.stream && call->id)
        open_stream(request);
    set_deadline(request);
    return request;
}

static void push(struct request *request)
{
    struct err err = ERR_INIT;
    int rc = batcher_push(request->server->batcher, request->jobs, request->count, &err);
    if (rc == ERR_BUSY)
        admit_refuse_queue(request->call);
    else if (rc < 0)
        refuse_memory(&request->call->error);
}

bool request_start(struct server *server, struct reply *reply, size_t slot,
                   struct proto_message *message, struct proto_call *call)
{
    struct model *model = admit_model(server->registry, call);
    if (model)
        admit_memory(call, server->memory, (size_t)server->conf->max_memory);
    if (call->error.code)
        return false;
    struct request *request = request_new(server, reply, model, message, call);
    if (!request)
        return false;
    if (!call->error.code)
        push(request);
    if (call->error.code) {
        request_free(request);
        return false;
    }
    request->reply = reply;
    request->slot = slot;
    server->in_flight++;
    if (request->count == 0) {
        answer(request);
        request_free(request);
    }
    return true;
}

void requests_abandon(struct server *server, struct conn_ref conn)
{
    for (struct request *request = server->requests, *next; request; request = next) {
        next = request->next;
        struct reply *reply = request->reply;
        if (!reply || reply->conn.slot != conn.slot || reply->conn.generation != conn.generation)
            continue;
        struct buf nothing = BUF_INIT;
        cancel_jobs(request);
        leave(request);
        server->stats.failed++;
        reply_put(reply, request->slot, &nothing);
        if (request->returned == request->count)
            request_free(request);
    }
}

void requests_stop(struct server *server)
{
    for (struct request *request = server->requests, *next; request; request = next) {
        next = request->next;
        if (!request->reply)
            continue;
        proto_error_set(&request->call->error, PROTO_DRAINING, "draining",
                        "the server stopped before this was finished");
        give_up(request);
    }
}
