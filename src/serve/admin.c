/* The methods admin.*: those that need another thread before they can be answered. */
#include "serve/admin.h"

#include "base/log.h"
#include "base/mem.h"
#include "serve/method.h"
#include "serve/proto_answer.h"
#include "serve/reload.h"

#define RETRY_AFTER_MS 1000

/* An admin.log call on its way to the log's thread and back. */
struct log_call {
    struct reqlog_query query;
    struct server *server;
    struct reply *reply;
    size_t slot;
    struct proto_message *message;
    struct proto_call *call;
};

static void on_log(struct mail *mail)
{
    struct log_call *waiting =
        (struct log_call *)(void *)((char *)mail - offsetof(struct reqlog_query, mail));
    static const char *const names[] = {"off", "metadata", "full"};
    struct proto_call *call = waiting->call;
    struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    if (waiting->query.err.code) {
        log_error("request log: %s", waiting->query.err.message);
        proto_error_set(&call->error, PROTO_INTERNAL, "io", "the request log cannot be read");
        method_refuse(waiting->server, waiting->reply, waiting->slot, call);
    } else {
        proto_answer_begin(&out, call->id ? call->id : "null", &err);
        proto_result_log(&out, names[waiting->server->conf->log_texts], waiting->query.rows,
                         waiting->query.count, &err);
        proto_answer_end(&out, &err);
        method_answer(waiting->server, waiting->reply, waiting->slot, call, &out, &err);
    }
    reqlog_query_release(&waiting->query);
    proto_message_release(waiting->message);
    mem_free(waiting);
}

static void answer_off(struct server *server, struct reply *reply, size_t slot,
                       struct proto_call *call)
{
    struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    proto_answer_begin(&out, call->id ? call->id : "null", &err);
    proto_result_log(&out, "off", NULL, 0, &err);
    proto_answer_end(&out, &err);
    method_answer(server, reply, slot, call, &out, &err);
}

void admin_log(struct server *server, struct reply *reply, size_t slot,
               struct proto_message *message, struct proto_call *call)
{
    struct err err = ERR_INIT;
    if (!server->reqlog) {
        answer_off(server, reply, slot, call);
        return;
    }
    struct log_call *waiting = mem_alloc(1, sizeof *waiting, &err);
    if (waiting) {
        waiting->query.mail.deliver = on_log;
        waiting->query.since_ms = call->params.since_ms;
        waiting->query.limit = call->params.limit ? (size_t)call->params.limit : 20;
        waiting->server = server;
        waiting->reply = reply;
        waiting->slot = slot;
        waiting->message = message;
        waiting->call = call;
        if (reqlog_ask(server->reqlog, &waiting->query, &err) == 0) {
            proto_message_retain(message);
            return;
        }
        mem_free(waiting);
    }
    proto_error_set(&call->error, PROTO_OVERLOADED, "queue_full", "%s", err.message);
    proto_error_integer(&call->error, "retry_after_ms", RETRY_AFTER_MS);
    method_refuse(server, reply, slot, call);
}

void admin_reload(struct server *server, struct reply *reply, size_t slot,
                  struct proto_message *message, struct proto_call *call)
{
    if (!reload_ask(server->reload, reply, slot, message, call))
        method_refuse(server, reply, slot, call);
}
