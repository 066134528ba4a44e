/* Which method does what. Requests that need a model go on in request.c, administration in
   admin.c. */
#include "serve/method.h"

#include "base/clock.h"
#include "base/log.h"
#include "serve/admin.h"
#include "serve/proto_answer.h"
#include "serve/request.h"

#define RETRY_AFTER_MS 1000

static const char no_memory[] =
    "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32007,\"message\":\"out of memory\","
    "\"data\":{\"reason\":\"memory\"}}}\n";

void method_refuse(struct server *server, struct reply *reply, size_t slot,
                   const struct proto_call *call)
{
    stats_error(&server->stats, call->error.code);
    request_log_refused(server, reply, call);
    reply_refuse(reply, slot, call);
}

void method_answer(struct server *server, struct reply *reply, size_t slot, struct proto_call *call,
                   struct buf *out, const struct err *err)
{
    if (err->code) {
        buf_release(out);
        proto_error_set(&call->error, PROTO_INTERNAL, "memory", "out of memory");
        method_refuse(server, reply, slot, call);
        return;
    }
    if (!call->id)
        buf_release(out);
    server->stats.succeeded++;
    reply_put(reply, slot, out);
}

static struct stats_moment moment_of(const struct server *server)
{
    struct workers_counters counters = workers_counters(server->workers);
    struct stats_moment moment = {
        .now_ns = clock_ns(),
        .connections = conn_table_open(server->connections),
        .in_flight = server->in_flight,
        .queued = batcher_waiting(server->batcher),
        .resident_bytes = stats_resident_bytes(),
        .steps = counters.work.steps,
        .sentences = counters.work.sentences,
        .encoded = counters.work.encoded,
        .encodings = counters.work.encodings,
        .rows = counters.rows,
        .tokens = counters.work.tokens,
    };
    if (server->reqlog) {
        struct reqlog_counters log = reqlog_counters(server->reqlog);
        moment.log_rows = log.rows;
        moment.log_dropped = log.dropped;
    }
    return moment;
}

static void run_report(struct server *server, struct reply *reply, size_t slot,
                       struct proto_call *call)
{
    struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    struct stats_moment moment;
    proto_answer_begin(&out, call->id ? call->id : "null", &err);
    switch (call->method) {
    case PROTO_HEALTH:
        proto_result_health(&out, server->registry, server->draining, &err);
        break;
    case PROTO_MODELS:
        proto_result_models(&out, server->registry, &err);
        break;
    case PROTO_STATS:
        moment = moment_of(server);
        proto_result_stats(&out, &server->stats, &moment, &err);
        break;
    case PROTO_VERSION_METHOD:
        proto_result_version(&out, &err);
        break;
    case PROTO_ADMIN_LOG:
    case PROTO_ADMIN_RELOAD:
    case PROTO_CLASSIFY:
    case PROTO_GENERATE:
    case PROTO_REGRESS:
    case PROTO_TAG:
    case PROTO_TRANSLATE:
    case PROTO_METHODS:
        break;
    }
    proto_answer_end(&out, &err);
    method_answer(server, reply, slot, call, &out, &err);
}

static void run_call(struct server *server, struct reply *reply, size_t slot,
                     struct proto_message *message, struct proto_call *call)
{
    server->stats.received++;
    if (call->error.code) {
        method_refuse(server, reply, slot, call);
        return;
    }
    switch (call->method) {
    case PROTO_CLASSIFY:
    case PROTO_GENERATE:
    case PROTO_REGRESS:
    case PROTO_TAG:
    case PROTO_TRANSLATE:
        if (!request_start(server, reply, slot, message, call))
            method_refuse(server, reply, slot, call);
        return;
    case PROTO_ADMIN_LOG:
        admin_log(server, reply, slot, message, call);
        return;
    case PROTO_ADMIN_RELOAD:
        admin_reload(server, reply, slot, message, call);
        return;
    case PROTO_HEALTH:
    case PROTO_MODELS:
    case PROTO_STATS:
    case PROTO_VERSION_METHOD:
    case PROTO_METHODS:
        run_report(server, reply, slot, call);
        return;
    }
}

void method_line(void *context, struct conn *conn, const char *line, size_t len)
{
    struct server *server = context;
    const struct proto_context limits = {
        .max_text = (size_t)server->conf->max_text,
        .max_texts = (size_t)server->conf->max_texts,
        .max_batch = (size_t)server->conf->max_batch,
        .max_tokens = (size_t)server->conf->max_tokens,
        .max_rows = (size_t)server->conf->max_rows,
        .local = conn_is_local(conn),
        .draining = server->draining,
    };
    struct proto_message *message = NULL;
    struct reply *reply = NULL;
    int64_t start_ns = clock_ns();
    int rc = proto_parse(&message, line, len, &limits, NULL);
    if (rc == 0 && !message)
        return; /* a blank line */
    if (rc == 0)
        reply = reply_new(server->connections, conn, message, start_ns, NULL);
    if (!reply)
        conn_send(conn, no_memory, sizeof no_memory - 1);
    /* The last slot that is filled frees the reply, so it is not looked at after. */
    for (size_t i = 0, count = reply ? message->count : 0; i < count; i++)
        run_call(server, reply, i, message, &message->calls[i]);
    proto_message_release(message);
}

static int write_error(struct buf *line, struct proto_error *error, struct err *err)
{
    struct err local = ERR_INIT;
    proto_answer_error(line, "null", error, &local);
    buf_char(line, '\n', &local);
    proto_error_release(error);
    return local.code ? err_set(err, local.code, "%s", local.message) : 0;
}

void method_overflow(void *context, struct conn *conn, enum conn_overflow why)
{
    struct server *server = context;
    struct proto_error error = {0};
    struct buf line = BUF_INIT;
    switch (why) {
    case CONN_LINE_TOO_LONG:
        proto_error_set(&error, PROTO_TOO_LONG, "line_too_long", "a line has more than %lld bytes",
                        (long long)server->conf->max_line);
        proto_error_integer(&error, "limit", server->conf->max_line);
        break;
    case CONN_MEMORY_FULL:
        proto_error_set(&error, PROTO_OVERLOADED, "memory", "too much is in flight");
        proto_error_integer(&error, "retry_after_ms", RETRY_AFTER_MS);
        break;
    }
    server->stats.received++;
    stats_error(&server->stats, error.code);
    if (write_error(&line, &error, NULL) == 0)
        conn_send(conn, line.data, line.len);
    else
        conn_send(conn, no_memory, sizeof no_memory - 1);
    buf_release(&line);
}

int method_write_refusal(struct buf *line, struct err *err)
{
    struct proto_error error = {0};
    proto_error_set(&error, PROTO_OVERLOADED, "too_many_connections", "too many connections");
    proto_error_integer(&error, "retry_after_ms", RETRY_AFTER_MS);
    return write_error(line, &error, err);
}
