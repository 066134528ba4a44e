/*
 * A request for a model in flight: its jobs, its deadline, its place in the answer. Event
 * thread only. It is answered once: when its last job is back, when a job failed, when its time is
 * up, or not at all because its connection is gone. It is freed when all its jobs are back.
 */
#ifndef DRAGOMAN_SERVE_REQUEST_H
#define DRAGOMAN_SERVE_REQUEST_H

#include "serve/reply.h"
#include "serve/server_parts.h"

/* Starts the call, whose parameters are checked, and will fill the slot. False: call->error is set
   and the slot is still the caller's to fill. */
bool request_start(struct server *server, struct reply *reply, size_t slot,
                   struct proto_message *message, struct proto_call *call);
/* Cancels what this connection waited for. */
void requests_abandon(struct server *server, struct conn_ref conn);
/* Answers all that is in flight with "draining". */
void requests_stop(struct server *server);

/* Writes the log's row of a call for a model that was refused before it was a request. */
void request_log_refused(struct server *server, const struct reply *reply,
                         const struct proto_call *call);

#endif
