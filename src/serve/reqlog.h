/*
 * The request log: dragoman.db in the state folder, one row a request, written by a thread of its
 * own. Serving never waits for the disk: rows go through a bounded queue, and when that is full
 * they are dropped and counted. Rows reach the disk many a transaction, at most REQLOG_DELAY_MS
 * after they were given. The database is in WAL mode, so a killed process leaves it clean.
 */
#ifndef DRAGOMAN_SERVE_REQLOG_H
#define DRAGOMAN_SERVE_REQLOG_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "serve/mailbox.h"

#define REQLOG_FILE "dragoman.db"
#define REQLOG_DELAY_MS 50
#define REQLOG_PEER_SIZE 128

enum reqlog_kind { REQLOG_ROW, REQLOG_QUERY };

struct reqlog_row {
    enum reqlog_kind kind;
    int64_t time_ms; /* since 1970, when the request was read */
    char peer[REQLOG_PEER_SIZE], method[16];
    char model[65]; /* "": none was found */
    int code;       /* 0 or the error's code */
    int64_t texts, bytes_in, bytes_out, tokens_in, tokens_out;
    int64_t queue_us, compute_us, total_us;
    char *input, *output; /* JSON arrays of texts, or NULL; owned */
};
struct reqlog_row *reqlog_row_new(struct err *err);
void reqlog_row_release(struct reqlog_row *row); /* what it owns, not the row itself */

/* A question to the log: `mail` is posted to the mailbox when rows or err are filled. */
struct reqlog_query {
    enum reqlog_kind kind;
    struct mail mail;
    int64_t since_ms;
    size_t limit;
    struct reqlog_row *rows; /* newest first; free with reqlog_query_release */
    size_t count;
    struct err err;
};
void reqlog_query_release(struct reqlog_query *query);

struct reqlog_settings {
    const char *path;
    size_t queue;                 /* rows */
    int64_t keep_days, keep_rows; /* 0: no bound */
    struct mailbox *mailbox;      /* for queries; must outlive the log */
};
struct reqlog;
/* Opens, creates or migrates the database and starts the thread. A newer schema than this program
   knows is an error. */
struct reqlog *reqlog_open(const struct reqlog_settings *settings, struct err *err);
/* Writes all that is queued, then closes. */
void reqlog_close(struct reqlog *reqlog);

/* Any thread; takes the row over. */
void reqlog_write(struct reqlog *reqlog, struct reqlog_row *row);
/* Any thread. Sees all rows given before it. ERR_BUSY where the queue is full. */
int reqlog_ask(struct reqlog *reqlog, struct reqlog_query *query, struct err *err);

struct reqlog_counters {
    uint64_t rows, dropped;
};
struct reqlog_counters reqlog_counters(const struct reqlog *reqlog); /* any thread */

#endif
