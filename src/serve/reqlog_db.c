/*
 * SQLite behind the request log. The schema's version is the database's user_version; each entry
 * of `migrations` brings it one further, in one transaction.
 */
#include "serve/reqlog_db.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define BUSY_TIMEOUT_MS 2000 /* another process reads or has a writing transaction */

static const char *const migrations[] = {
    "CREATE TABLE request ("
    " id INTEGER PRIMARY KEY, time_ms INTEGER NOT NULL, peer TEXT NOT NULL,"
    " method TEXT NOT NULL, model TEXT, code INTEGER NOT NULL, texts INTEGER NOT NULL,"
    " bytes_in INTEGER NOT NULL, bytes_out INTEGER NOT NULL,"
    " tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL, queue_us INTEGER NOT NULL,"
    " compute_us INTEGER NOT NULL, total_us INTEGER NOT NULL, input TEXT, output TEXT);"
    "CREATE INDEX request_time ON request (time_ms);",
};
#define SCHEMA_VERSION ((int)(sizeof migrations / sizeof migrations[0]))

#define COLUMNS                                                                                    \
    "time_ms, peer, method, model, code, texts, bytes_in, bytes_out, tokens_in, tokens_out,"       \
    " queue_us, compute_us, total_us, input, output"

struct reqlog_db {
    sqlite3 *sqlite;
    sqlite3_stmt *insert, *select;
    char *path;
};

static int refuse(struct reqlog_db *db, struct err *err, const char *what)
{
    int code = sqlite3_errcode(db->sqlite);
    bool busy = code == SQLITE_BUSY || code == SQLITE_LOCKED;
    return err_set(err, busy ? ERR_BUSY : ERR_IO, "%s: cannot %s: %s", db->path, what,
                   sqlite3_errmsg(db->sqlite));
}

static int execute(struct reqlog_db *db, const char *sql, const char *what, struct err *err)
{
    return sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL) ? refuse(db, err, what) : 0;
}

static int read_version(struct reqlog_db *db, int *version, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int rc = sqlite3_prepare_v2(db->sqlite, "PRAGMA user_version", -1, &statement, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(statement);
    *version = rc == SQLITE_ROW ? sqlite3_column_int(statement, 0) : -1;
    int result = rc == SQLITE_ROW ? 0 : refuse(db, err, "read the schema's version");
    sqlite3_finalize(statement);
    return result;
}

/* The version is read inside the transaction: two daemons may start on one new database. */
static int migrate_once(struct reqlog_db *db, bool *done, struct err *err)
{
    int version;
    int rc = execute(db, "BEGIN IMMEDIATE", "lock the database", err);
    if (rc < 0)
        return rc;
    rc = read_version(db, &version, err);
    if (rc == 0 && version > SCHEMA_VERSION)
        rc = err_set(err, ERR_FORMAT, "%s: its schema has version %d, this program knows %d",
                     db->path, version, SCHEMA_VERSION);
    *done = version == SCHEMA_VERSION;
    if (rc == 0 && !*done) {
        char sql[64];
        snprintf(sql, sizeof sql, "PRAGMA user_version = %d", version + 1);
        rc = execute(db, migrations[version], "migrate the schema", err);
        if (rc == 0)
            rc = execute(db, sql, "migrate the schema", err);
    }
    if (rc == 0)
        rc = execute(db, "COMMIT", "migrate the schema", err);
    if (rc < 0)
        reqlog_db_rollback(db);
    return rc;
}

static int migrate(struct reqlog_db *db, struct err *err)
{
    bool done = false;
    int rc = 0;
    while (rc == 0 && !done)
        rc = migrate_once(db, &done, err);
    return rc;
}

/* The log may hold texts, so the file is its owner's alone; SQLite gives the files beside it the
   same mode. */
static int create_file(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_errno(err, "cannot open %s", path);
    close(fd);
    return 0;
}

static int open_sqlite(struct reqlog_db *db, struct err *err)
{
    int rc = create_file(db->path, err);
    if (rc < 0)
        return rc;
    if (sqlite3_open_v2(db->path, &db->sqlite, SQLITE_OPEN_READWRITE, NULL))
        return refuse(db, err, "open it");
    sqlite3_busy_timeout(db->sqlite, BUSY_TIMEOUT_MS);
    rc = execute(db, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;", "use it", err);
    return rc < 0 ? rc : migrate(db, err);
}

static int prepare(struct reqlog_db *db, struct err *err)
{
    static const char insert[] =
        "INSERT INTO request (" COLUMNS ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)";
    static const char select[] = "SELECT " COLUMNS " FROM request WHERE time_ms >= ?"
                                 " ORDER BY id DESC LIMIT ?";
    if (sqlite3_prepare_v3(db->sqlite, insert, -1, SQLITE_PREPARE_PERSISTENT, &db->insert, NULL) ||
        sqlite3_prepare_v3(db->sqlite, select, -1, SQLITE_PREPARE_PERSISTENT, &db->select, NULL))
        return refuse(db, err, "prepare statements");
    return 0;
}

struct reqlog_db *reqlog_db_open(const char *path, struct err *err)
{
    struct reqlog_db *db = mem_alloc(1, sizeof *db, err);
    if (!db)
        return NULL;
    db->path = mem_copy_text(path, strlen(path), err);
    if (!db->path || open_sqlite(db, err) < 0 || prepare(db, err) < 0) {
        reqlog_db_close(db);
        return NULL;
    }
    return db;
}

void reqlog_db_close(struct reqlog_db *db)
{
    if (!db)
        return;
    sqlite3_finalize(db->insert);
    sqlite3_finalize(db->select);
    sqlite3_close(db->sqlite);
    mem_free(db->path);
    mem_free(db);
}

int reqlog_db_begin(struct reqlog_db *db, struct err *err)
{
    return execute(db, "BEGIN IMMEDIATE", "begin a transaction", err);
}

int reqlog_db_commit(struct reqlog_db *db, struct err *err)
{
    return execute(db, "COMMIT", "commit", err);
}

void reqlog_db_rollback(struct reqlog_db *db)
{
    if (!sqlite3_get_autocommit(db->sqlite))
        sqlite3_exec(db->sqlite, "ROLLBACK", NULL, NULL, NULL);
}

static int bind_text(sqlite3_stmt *statement, int column, const char *text)
{
    return text ? sqlite3_bind_text(statement, column, text, -1, SQLITE_STATIC)
                : sqlite3_bind_null(statement, column);
}

int reqlog_db_insert(struct reqlog_db *db, const struct reqlog_row *row, struct err *err)
{
    const int64_t numbers[] = {row->code,      row->texts,      row->bytes_in,
                               row->bytes_out, row->tokens_in,  row->tokens_out,
                               row->queue_us,  row->compute_us, row->total_us};
    int count = (int)(sizeof numbers / sizeof numbers[0]);
    int rc = sqlite3_bind_int64(db->insert, 1, row->time_ms);
    rc |= bind_text(db->insert, 2, row->peer);
    rc |= bind_text(db->insert, 3, row->method);
    rc |= bind_text(db->insert, 4, row->model[0] ? row->model : NULL);
    for (int i = 0; i < count; i++)
        rc |= sqlite3_bind_int64(db->insert, 5 + i, numbers[i]);
    rc |= bind_text(db->insert, 5 + count, row->input);
    rc |= bind_text(db->insert, 6 + count, row->output);
    if (rc == SQLITE_OK && sqlite3_step(db->insert) != SQLITE_DONE)
        rc = SQLITE_ERROR;
    int result = rc == SQLITE_OK ? 0 : refuse(db, err, "write a row");
    sqlite3_reset(db->insert);
    sqlite3_clear_bindings(db->insert);
    return result;
}

static void copy_column(sqlite3_stmt *statement, int column, char *place, size_t size)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    snprintf(place, size, "%s", text ? (const char *)text : "");
}

static int copy_long_column(sqlite3_stmt *statement, int column, char **place, struct err *err)
{
    const unsigned char *text = sqlite3_column_text(statement, column);
    if (!text)
        return 0;
    *place =
        mem_copy_text((const char *)text, (size_t)sqlite3_column_bytes(statement, column), err);
    return *place ? 0 : ERR_MEMORY;
}

static int read_row(sqlite3_stmt *statement, struct reqlog_row *row, struct err *err)
{
    row->time_ms = sqlite3_column_int64(statement, 0);
    copy_column(statement, 1, row->peer, sizeof row->peer);
    copy_column(statement, 2, row->method, sizeof row->method);
    copy_column(statement, 3, row->model, sizeof row->model);
    row->code = sqlite3_column_int(statement, 4);
    int64_t *const numbers[] = {&row->texts,      &row->bytes_in, &row->bytes_out,  &row->tokens_in,
                                &row->tokens_out, &row->queue_us, &row->compute_us, &row->total_us};
    int count = (int)(sizeof numbers / sizeof numbers[0]);
    for (int i = 0; i < count; i++)
        *numbers[i] = sqlite3_column_int64(statement, 5 + i);
    int rc = copy_long_column(statement, 5 + count, &row->input, err);
    return rc < 0 ? rc : copy_long_column(statement, 6 + count, &row->output, err);
}

int reqlog_db_select(struct reqlog_db *db, struct reqlog_query *query, struct err *err)
{
    query->rows = mem_alloc(query->limit, sizeof *query->rows, err);
    if (!query->rows)
        return ERR_MEMORY;
    int step = SQLITE_ERROR, rc = 0;
    if (sqlite3_bind_int64(db->select, 1, query->since_ms) == SQLITE_OK &&
        sqlite3_bind_int64(db->select, 2, (int64_t)query->limit) == SQLITE_OK)
        while (rc == 0 && query->count < query->limit &&
               (step = sqlite3_step(db->select)) == SQLITE_ROW)
            rc = read_row(db->select, &query->rows[query->count++], err);
    if (rc == 0 && step != SQLITE_DONE && step != SQLITE_ROW)
        rc = refuse(db, err, "read rows");
    sqlite3_reset(db->select);
    return rc;
}

int reqlog_db_prune(struct reqlog_db *db, int64_t before_ms, int64_t keep_rows, struct err *err)
{
    char sql[256];
    int rc = 0;
    if (before_ms > 0) {
        snprintf(sql, sizeof sql, "DELETE FROM request WHERE time_ms < %lld", (long long)before_ms);
        rc = execute(db, sql, "delete old rows", err);
    }
    if (rc == 0 && keep_rows > 0) {
        snprintf(sql, sizeof sql,
                 "DELETE FROM request WHERE id <= (SELECT max(id) FROM request) - %lld",
                 (long long)keep_rows);
        rc = execute(db, sql, "delete old rows", err);
    }
    return rc;
}
