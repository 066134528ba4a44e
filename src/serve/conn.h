/*
 * Connections: bytes in, lines out to the server, answers back. The event thread alone calls
 * anything here. A connection is known outside by a conn_ref, a slot and a generation, so that a
 * late answer to a connection that is gone finds nobody instead of somebody else.
 *
 * Memory is bounded: a line by max_line, unanswered requests by max_pipeline, unread answers by
 * max_output, and all buffers together by max_memory. A connection that reaches one of the middle
 * two is not read from until it has caught up; the others end it.
 */
#ifndef DRAGOMAN_SERVE_CONN_H
#define DRAGOMAN_SERVE_CONN_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"

#define CONN_PEER_SIZE 128

struct conn;
struct conn_table;

struct conn_ref {
    uint32_t slot, generation;
};

enum conn_overflow { CONN_LINE_TOO_LONG, CONN_MEMORY_FULL };

struct conn_settings {
    size_t max_connections, max_line, max_pipeline, max_output, max_memory;
    int64_t idle_timeout, write_timeout; /* seconds; idle 0: never */
    size_t *memory; /* counts what buffers hold, and what else its owner adds */
    void *context;  /* for the functions below */
    /* A line without its line feed; the bytes are valid during the call. */
    void (*line)(void *context, struct conn *conn, const char *line, size_t len);
    /* The connection will be finished: the last chance to say why. */
    void (*overflow)(void *context, struct conn *conn, enum conn_overflow why);
    /* The connection is gone; `ref` finds nothing any more. */
    void (*closed)(void *context, struct conn_ref ref);
};

struct conn_table *conn_table_new(struct event_base *base, const struct conn_settings *settings,
                                  struct err *err);
void conn_table_free(struct conn_table *table); /* closes all, without calling closed() */

/* Takes the socket over. ERR_BUSY: no room, the caller keeps the socket. */
int conn_add(struct conn_table *table, int fd, const struct sockaddr *address, socklen_t length,
             struct err *err);
struct conn *conn_find(struct conn_table *table, struct conn_ref ref); /* NULL: gone */
struct conn_ref conn_ref(const struct conn *conn);
const char *conn_peer(const struct conn *conn); /* "ADDRESS:PORT" or "unix" */
bool conn_is_local(const struct conn *conn);    /* loopback or Unix socket */
/* Whether so much is unread that nothing is read from it: what can wait should. */
bool conn_is_behind(const struct conn *conn);

/* None of these frees the connection: that waits for its next turn. */
void conn_send(struct conn *conn, const void *data, size_t len);
void conn_expect(struct conn *conn, size_t requests);   /* so many answers are outstanding */
void conn_answered(struct conn *conn, size_t requests); /* so many are not any more */

/* Ends it at once, for when an answer cannot be given. */
void conn_break(struct conn *conn);

/* From now on a connection is finished as soon as nothing is outstanding on it. */
void conn_table_drain(struct conn_table *table);
size_t conn_table_open(const struct conn_table *table);

#endif
