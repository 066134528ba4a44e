/* A line from a client, carried out: parsed, each call answered at once or made a request. */
#ifndef DRAGOMAN_SERVE_METHOD_H
#define DRAGOMAN_SERVE_METHOD_H

#include "serve/reply.h"
#include "serve/server_parts.h"

/* The functions of struct conn_settings; context is the server. */
void method_line(void *context, struct conn *conn, const char *line, size_t len);
void method_overflow(void *context, struct conn *conn, enum conn_overflow why);

/* For those who carry out calls: fill the slot with call->error, or with `out`, a whole answer,
   which is taken over (an error where `err` says that it is not whole); and count it. */
void method_refuse(struct server *server, struct reply *reply, size_t slot,
                   const struct proto_call *call);
void method_answer(struct server *server, struct reply *reply, size_t slot, struct proto_call *call,
                   struct buf *out, const struct err *err);

/* The line, with its line feed, for a client that finds no room. */
int method_write_refusal(struct buf *line, struct err *err);

#endif
