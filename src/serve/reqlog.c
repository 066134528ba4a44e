/*
 * The log's thread: it sleeps until there is a row, opens a transaction, takes all that comes in
 * the next REQLOG_DELAY_MS (or REQLOG_BATCH rows, or a query), and commits. When the disk refuses,
 * the rows of the transaction are lost and counted; the next ones are tried again.
 */
#include "serve/reqlog.h"

#include <stdatomic.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/queue.h"
#include "serve/reqlog_db.h"
#include "serve/thread.h"

#define REQLOG_BATCH 1024           /* rows of one transaction */
#define PRUNE_EVERY_NS 600000000000 /* ten minutes */
#define COMPLAIN_EVERY_NS 60000000000
#define DAY_MS 86400000

struct reqlog {
    struct queue *queue;
    struct reqlog_db *db;
    struct mailbox *mailbox;
    pthread_t thread;
    int64_t keep_days, keep_rows;
    int64_t pruned_ns, complained_ns; /* the thread's own */
    _Atomic uint64_t rows, dropped;
};

struct reqlog_row *reqlog_row_new(struct err *err)
{
    return mem_alloc(1, sizeof(struct reqlog_row), err);
}

void reqlog_row_release(struct reqlog_row *row)
{
    mem_free(row->input);
    mem_free(row->output);
    row->input = row->output = NULL;
}

static void row_free(struct reqlog_row *row)
{
    reqlog_row_release(row);
    mem_free(row);
}

void reqlog_query_release(struct reqlog_query *query)
{
    for (size_t i = 0; i < query->count; i++)
        reqlog_row_release(&query->rows[i]);
    mem_free(query->rows);
    query->rows = NULL;
    query->count = 0;
}

static void complain(struct reqlog *reqlog, const struct err *err)
{
    int64_t now = clock_ns();
    if (reqlog->complained_ns && now - reqlog->complained_ns < COMPLAIN_EVERY_NS)
        return;
    reqlog->complained_ns = now;
    log_warning("request log: %s", err->message);
}

static void prune(struct reqlog *reqlog)
{
    int64_t now = clock_ns();
    if (reqlog->pruned_ns && now - reqlog->pruned_ns < PRUNE_EVERY_NS)
        return;
    reqlog->pruned_ns = now;
    struct err err = ERR_INIT;
    int64_t before = reqlog->keep_days ? clock_wall_ms() - reqlog->keep_days * DAY_MS : 0;
    if (reqlog_db_prune(reqlog->db, before, reqlog->keep_rows, &err) < 0)
        complain(reqlog, &err);
}

/* Writes rows from `row` on in one transaction. Returns the query that ended it, or NULL. */
static struct reqlog_query *write_rows(struct reqlog *reqlog, struct reqlog_row *row)
{
    struct err err = ERR_INIT;
    int64_t end = clock_ns() + REQLOG_DELAY_MS * 1000000LL;
    uint64_t count = 0;
    void *item = row;
    int rc = reqlog_db_begin(reqlog->db, &err);
    while (item && *(enum reqlog_kind *)item == REQLOG_ROW) {
        if (rc == 0)
            rc = reqlog_db_insert(reqlog->db, item, &err);
        row_free(item);
        count++;
        int64_t left = end - clock_ns();
        item = NULL;
        if (count < REQLOG_BATCH)
            item = queue_pop(reqlog->queue, left > 0 ? left : 0);
    }
    if (rc == 0)
        rc = reqlog_db_commit(reqlog->db, &err);
    if (rc < 0) {
        reqlog_db_rollback(reqlog->db);
        complain(reqlog, &err);
    }
    atomic_fetch_add(rc < 0 ? &reqlog->dropped : &reqlog->rows, count);
    return item;
}

static void answer(struct reqlog *reqlog, struct reqlog_query *query)
{
    reqlog_db_select(reqlog->db, query, &query->err);
    mailbox_post(reqlog->mailbox, &query->mail);
}

static void *run(void *argument)
{
    struct reqlog *reqlog = argument;
    void *item;
    prune(reqlog);
    while ((item = queue_pop(reqlog->queue, -1))) {
        struct reqlog_query *query = item;
        if (*(enum reqlog_kind *)item == REQLOG_ROW)
            query = write_rows(reqlog, item);
        if (query)
            answer(reqlog, query);
        prune(reqlog);
    }
    return NULL;
}

struct reqlog *reqlog_open(const struct reqlog_settings *settings, struct err *err)
{
    struct reqlog *reqlog = mem_alloc(1, sizeof *reqlog, err);
    if (!reqlog)
        return NULL;
    reqlog->mailbox = settings->mailbox;
    reqlog->keep_days = settings->keep_days;
    reqlog->keep_rows = settings->keep_rows;
    reqlog->queue = queue_new(settings->queue, err);
    if (!reqlog->queue)
        goto free_reqlog;
    reqlog->db = reqlog_db_open(settings->path, err);
    if (!reqlog->db)
        goto free_queue;
    if (thread_start(&reqlog->thread, "reqlog", run, reqlog, err) < 0)
        goto close_db;
    return reqlog;

close_db:
    reqlog_db_close(reqlog->db);
free_queue:
    queue_free(reqlog->queue);
free_reqlog:
    mem_free(reqlog);
    return NULL;
}

void reqlog_close(struct reqlog *reqlog)
{
    if (!reqlog)
        return;
    queue_close(reqlog->queue);
    pthread_join(reqlog->thread, NULL);
    reqlog_db_close(reqlog->db);
    queue_free(reqlog->queue);
    mem_free(reqlog);
}

void reqlog_write(struct reqlog *reqlog, struct reqlog_row *row)
{
    row->kind = REQLOG_ROW;
    if (queue_push(reqlog->queue, row))
        return;
    atomic_fetch_add(&reqlog->dropped, 1);
    row_free(row);
}

int reqlog_ask(struct reqlog *reqlog, struct reqlog_query *query, struct err *err)
{
    query->kind = REQLOG_QUERY;
    if (!queue_push(reqlog->queue, query))
        return err_set(err, ERR_BUSY, "the request log is too busy");
    return 0;
}

struct reqlog_counters reqlog_counters(const struct reqlog *reqlog)
{
    return (struct reqlog_counters){.rows = atomic_load(&reqlog->rows),
                                    .dropped = atomic_load(&reqlog->dropped)};
}
