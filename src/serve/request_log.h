/* A request as the files of the server see it, and its row in the log. */
#ifndef DRAGOMAN_SERVE_REQUEST_LOG_H
#define DRAGOMAN_SERVE_REQUEST_LOG_H

#include "serve/request.h"

struct request {
    struct request *next, *previous; /* server->requests */
    struct server *server;
    struct reply *reply; /* NULL once answered */
    size_t slot;         /* in the reply */
    struct proto_message *message;
    struct proto_call *call; /* of the message */
    struct model *model;
    struct event *deadline;
    int64_t timeout_ms;
    size_t charged;  /* bytes in server->memory */
    uint64_t client; /* whose it is */
    size_t count, returned;
    struct job jobs[]; /* [count] */
};

/* Writes the row of a request that is being answered: with call->error, or its results. */
void request_log_answered(const struct request *request, const struct reply *reply, int64_t now_ns);

#endif
