/* The request log: what goes in comes out, a slow disk stops nobody, and a killed process leaves a
   clean database. */
#include <poll.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/reqlog.h"
#include "unit.h"

static struct mailbox *mailbox;

static void path_of(char *path, size_t size, void **state, const char *name)
{
    snprintf(path, size, "%s/%s", (const char *)*state, name);
}

static struct reqlog *open_log(const char *path, size_t queue, int64_t keep_rows)
{
    struct err err = ERR_INIT;
    const struct reqlog_settings settings = {
        .path = path, .queue = queue, .keep_rows = keep_rows, .mailbox = mailbox};
    struct reqlog *log = reqlog_open(&settings, &err);
    if (!log)
        fail_msg("%s", err.message);
    return log;
}

static void write_row(struct reqlog *log, int64_t number)
{
    struct reqlog_row *row = reqlog_row_new(NULL);
    assert_non_null(row);
    row->time_ms = 1000 + number;
    snprintf(row->peer, sizeof row->peer, "127.0.0.1:%lld", (long long)number);
    snprintf(row->method, sizeof row->method, "translate");
    if (number % 2 == 0)
        snprintf(row->model, sizeof row->model, "en-fr");
    row->code = number % 2 ? -32003 : 0;
    row->texts = 1;
    row->bytes_in = number;
    row->bytes_out = 2 * number;
    row->total_us = 3 * number;
    if (number % 2 == 0)
        row->input = mem_copy_text("[\"a\"]", 5, NULL);
    reqlog_write(log, row);
}

static void on_answer(struct mail *mail)
{
    (void)mail;
}

/* Asks and waits for the answer. */
static void ask(struct reqlog *log, struct reqlog_query *query)
{
    struct err err = ERR_INIT;
    query->mail.deliver = on_answer;
    assert_fine(reqlog_ask(log, query, &err), err);
    struct pollfd item = {.fd = mailbox_fd(mailbox), .events = POLLIN};
    assert_int_equal(poll(&item, 1, 60000), 1);
    mailbox_deliver(mailbox);
    assert_fine((int)query->err.code, query->err);
}

static void rows_come_back_newest_first(void **state)
{
    char path[4200];
    path_of(path, sizeof path, state, "rows.db");
    struct reqlog *log = open_log(path, 100, 0);
    for (int64_t i = 0; i < 10; i++)
        write_row(log, i);
    struct reqlog_query query = {.limit = 3, .since_ms = 0};
    ask(log, &query);
    assert_int_equal(query.count, 3);
    assert_int_equal(query.rows[0].time_ms, 1009);
    assert_string_equal(query.rows[0].peer, "127.0.0.1:9");
    assert_string_equal(query.rows[0].model, "");
    assert_int_equal(query.rows[0].code, -32003);
    assert_null(query.rows[0].input);
    assert_string_equal(query.rows[1].model, "en-fr");
    assert_string_equal(query.rows[1].method, "translate");
    assert_string_equal(query.rows[1].input, "[\"a\"]");
    assert_null(query.rows[1].output);
    assert_int_equal(query.rows[1].bytes_in, 8);
    assert_int_equal(query.rows[1].bytes_out, 16);
    assert_int_equal(query.rows[1].total_us, 24);
    reqlog_query_release(&query);
    query = (struct reqlog_query){.limit = 100, .since_ms = 1008};
    ask(log, &query);
    assert_int_equal(query.count, 2);
    reqlog_query_release(&query);
    assert_int_equal(reqlog_counters(log).rows, 10);
    assert_int_equal(reqlog_counters(log).dropped, 0);
    reqlog_close(log);
}

static long long query_number(const char *path, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *statement;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    long long number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return number;
}

static void execute(const char *path, const char *sql)
{
    sqlite3 *db;
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void closing_writes_all(void **state)
{
    char path[4200];
    path_of(path, sizeof path, state, "close.db");
    struct reqlog *log = open_log(path, 5000, 0);
    for (int64_t i = 0; i < 3000; i++)
        write_row(log, i);
    reqlog_close(log);
    assert_int_equal(query_number(path, "SELECT count(*) FROM request"), 3000);
    log = open_log(path, 16, 0); /* and the next start goes on */
    write_row(log, 3000);
    reqlog_close(log);
    assert_int_equal(query_number(path, "SELECT count(*) FROM request"), 3001);
}

static void old_rows_are_deleted(void **state)
{
    char path[4200];
    path_of(path, sizeof path, state, "prune.db");
    struct reqlog *log = open_log(path, 100, 0);
    for (int64_t i = 0; i < 50; i++)
        write_row(log, i);
    reqlog_close(log);
    log = open_log(path, 100, 20); /* deletes when it starts */
    struct reqlog_query query = {.limit = 100};
    ask(log, &query);
    assert_int_equal(query.count, 20);
    assert_int_equal(query.rows[19].time_ms, 1030);
    reqlog_query_release(&query);
    reqlog_close(log);
}

static void a_database_that_cannot_be_used_is_refused(void **state)
{
    char path[4200];
    struct err err = ERR_INIT;
    struct reqlog_settings settings = {.path = path, .queue = 10, .mailbox = mailbox};
    path_of(path, sizeof path, state, "newer.db");
    execute(path, "PRAGMA user_version = 1000");
    assert_null(reqlog_open(&settings, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    assert_non_null(strstr(err.message, "newer.db"));
    err_clear(&err);
    path_of(path, sizeof path, state, "text.db");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        fputs("this is no database\n", file);
    fclose(file);
    assert_null(reqlog_open(&settings, &err));
    assert_int_equal(err.code, ERR_IO);
    err_clear(&err);
    path_of(path, sizeof path, state, "missing/folder.db");
    assert_null(reqlog_open(&settings, &err));
    assert_int_equal(err.code, ERR_NOT_FOUND);
}

static void a_stuck_disk_stops_nobody(void **state)
{
    char path[4200];
    sqlite3 *db;
    path_of(path, sizeof path, state, "stuck.db");
    struct reqlog *log = open_log(path, 16, 0);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    /* The log's thread holds one row at most while it waits for the lock; the rest fills the
       queue. */
    for (int64_t i = 0; i < 1000; i++)
        write_row(log, i);
    assert_true(reqlog_counters(log).dropped >= 1000 - 16 - 1);
    assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    reqlog_close(log);
    assert_true(query_number(path, "SELECT count(*) FROM request") >= 16);
}

/* Writes rows until it is killed, and says through the pipe when one is on the disk. */
static void write_until_killed(const char *path, int ready)
{
    struct reqlog *log = open_log(path, 8192, 0);
    bool told = false;
    for (int64_t i = 0;; i++) {
        write_row(log, i);
        if (!told && reqlog_counters(log).rows > 0)
            told = write(ready, "", 1) == 1;
    }
}

static void a_killed_process_leaves_a_clean_database(void **state)
{
    char path[4200], byte;
    int ends[2], status;
    path_of(path, sizeof path, state, "killed.db");
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        write_until_killed(path, ends[1]);
        _exit(1);
    }
    assert_int_equal(read(ends[0], &byte, 1), 1);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    close(ends[0]);
    close(ends[1]);
    struct reqlog *log = open_log(path, 16, 0);
    reqlog_close(log);
    assert_int_equal(query_number(path, "SELECT count(*) FROM pragma_integrity_check "
                                        "WHERE integrity_check <> 'ok'"),
                     0);
    assert_true(query_number(path, "SELECT count(*) FROM request") > 0);
    assert_int_equal(query_number(path, "SELECT max(id) - count(*) FROM request"), 0);
}

static int set_up(void **state)
{
    mailbox = mailbox_new(NULL);
    return mailbox ? scratch_make(state) : -1;
}

static int tear_down(void **state)
{
    mailbox_free(mailbox);
    return scratch_remove(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_back_newest_first),
        cmocka_unit_test(closing_writes_all),
        cmocka_unit_test(old_rows_are_deleted),
        cmocka_unit_test(a_database_that_cannot_be_used_is_refused),
        cmocka_unit_test(a_stuck_disk_stops_nobody),
        cmocka_unit_test(a_killed_process_leaves_a_clean_database),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
