/*
 * The answer to one line: a slot for each call in it, filled in any order, sent when all are
 * filled. Event thread only. A reply frees itself when it has been sent, or when its connection
 * turns out to be gone.
 */
#ifndef DRAGOMAN_SERVE_REPLY_H
#define DRAGOMAN_SERVE_REPLY_H

#include "serve/conn.h"
#include "serve/proto.h"

struct reply {
    struct conn_table *connections;
    struct conn_ref conn;
    int64_t start_ns, time_ms; /* when the line was read: monotonic and wall clock */
    bool batch;
    bool failed; /* an answer could not be written: the connection will be broken */
    size_t count, pending;
    struct buf slots[]; /* [count]; empty: a notification */
};

struct reply *reply_new(struct conn_table *connections, struct conn *conn,
                        const struct proto_message *message, int64_t start_ns, struct err *err);
/* Fills a slot with `answer`, which is taken over and left as BUF_INIT. Filling the last one sends
   and frees the reply. */
void reply_put(struct reply *reply, size_t slot, struct buf *answer);
/* Fills the slot with the call's error. */
void reply_refuse(struct reply *reply, size_t slot, const struct proto_call *call);
/* NULL where the connection is gone. */
struct conn *reply_conn(const struct reply *reply);

#endif
