/* Putting the answer to one line together. */
#include "serve/reply.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "serve/proto_answer.h"

struct reply *reply_new(struct conn_table *connections, struct conn *conn,
                        const struct proto_message *message, int64_t start_ns, struct err *err)
{
    size_t count = message->count;
    struct reply *reply = mem_alloc(1, sizeof *reply + count * sizeof reply->slots[0], err);
    if (!reply)
        return NULL;
    reply->connections = connections;
    reply->conn = conn_ref(conn);
    reply->start_ns = start_ns;
    reply->time_ms = clock_wall_ms();
    reply->batch = message->batch;
    reply->count = reply->pending = count;
    conn_expect(conn, count);
    return reply;
}

struct conn *reply_conn(const struct reply *reply)
{
    return conn_find(reply->connections, reply->conn);
}

/* The whole line; empty where every call was a notification. */
static int join(const struct reply *reply, struct buf *line, struct err *err)
{
    int rc = 0;
    for (size_t i = 0; i < reply->count && rc == 0; i++) {
        if (reply->slots[i].len == 0)
            continue;
        if (reply->batch)
            rc = buf_char(line, line->len ? ',' : '[', err);
        if (rc == 0)
            rc = buf_append(line, reply->slots[i].data, reply->slots[i].len, err);
    }
    if (rc == 0 && line->len > 0)
        rc = buf_text(line, reply->batch ? "]\n" : "\n", err);
    return rc;
}

/* A client that waits for an answer which cannot be given would wait for ever: better to hang up.
 */
static void send_line(const struct reply *reply, struct conn *conn)
{
    struct buf line = BUF_INIT;
    struct err err = ERR_INIT;
    if (reply->failed || join(reply, &line, &err) < 0) {
        log_warning("%s: out of memory for an answer: disconnected", conn_peer(conn));
        conn_break(conn);
    } else if (line.len > 0) {
        conn_send(conn, line.data, line.len);
    }
    buf_release(&line);
}

static void finish(struct reply *reply)
{
    struct conn *conn = reply_conn(reply);
    if (conn) {
        send_line(reply, conn);
        conn_answered(conn, reply->count);
    }
    for (size_t i = 0; i < reply->count; i++)
        buf_release(&reply->slots[i]);
    mem_free(reply);
}

void reply_refuse(struct reply *reply, size_t slot, const struct proto_call *call)
{
    struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    if (call->id)
        proto_answer_error(&out, call->id, &call->error, &err);
    if (err.code)
        reply->failed = true;
    reply_put(reply, slot, &out);
}

void reply_put(struct reply *reply, size_t slot, struct buf *answer)
{
    reply->slots[slot] = *answer;
    *answer = (struct buf)BUF_INIT;
    if (--reply->pending == 0)
        finish(reply);
}
