/*
 * Writing vocab.sqlite. SQLite fills the temporary file of a file_save without a journal of its
 * own: until the rename nobody sees the file, and after it there is nothing beside it.
 */
#include <sqlite3.h>
#include <stdio.h>
#include "base/file.h"
#include "text/vocab_table.h"

static const char schema[] =
    "PRAGMA journal_mode = OFF;"
    "PRAGMA synchronous = OFF;"
    "PRAGMA encoding = 'UTF-8';"
    "BEGIN;"
    "CREATE TABLE meta(key TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE token(id INTEGER PRIMARY KEY, text TEXT NOT NULL, count INTEGER NOT NULL);"
    "CREATE TABLE merge(rank INTEGER PRIMARY KEY, \"left\" INTEGER NOT NULL,"
    " \"right\" INTEGER NOT NULL);";

static int sql_failed(sqlite3 *db, const char *path, struct err *err)
{
    return err_set(err, sqlite3_errcode(db) == SQLITE_NOMEM ? ERR_MEMORY : ERR_IO,
                   "%s: cannot write: %s", path, sqlite3_errmsg(db));
}

static int write_meta(sqlite3 *db, const struct tokenizer_spec *spec)
{
    char sql[256];

    snprintf(sql, sizeof(sql),
             "INSERT INTO meta VALUES('version', '%d'), ('kind', '%s'), ('form', '%s'),"
             " ('fold', '%s')",
             VOCAB_VERSION, vocab_kind_name(spec->kind), vocab_form_name(spec->form),
             spec->fold ? "true" : "false");
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

static int write_tokens(sqlite3 *db, const struct vocab_table *table)
{
    sqlite3_stmt *insert = NULL;
    int rc = sqlite3_prepare_v2(db, "INSERT INTO token VALUES(?, ?, ?)", -1, &insert, NULL);

    for (size_t id = 0; id < table->tokens.count && rc == SQLITE_OK; id++) {
        size_t len;
        const char *text = intern_text(&table->tokens, (int32_t)id, &len);

        sqlite3_bind_int64(insert, 1, (sqlite3_int64)id);
        sqlite3_bind_text(insert, 2, text, (int)len, SQLITE_STATIC);
        sqlite3_bind_int64(insert, 3, table->counts[id]);
        sqlite3_step(insert);
        rc = sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    return rc;
}

static int write_merges(sqlite3 *db, const struct vocab_table *table)
{
    sqlite3_stmt *insert = NULL;
    int rc = sqlite3_prepare_v2(db, "INSERT INTO merge VALUES(?, ?, ?)", -1, &insert, NULL);

    for (size_t rank = 0; rank < table->merge_count && rc == SQLITE_OK; rank++) {
        sqlite3_bind_int64(insert, 1, (sqlite3_int64)rank);
        sqlite3_bind_int64(insert, 2, table->merges[rank].left);
        sqlite3_bind_int64(insert, 3, table->merges[rank].right);
        sqlite3_step(insert);
        rc = sqlite3_reset(insert);
    }
    sqlite3_finalize(insert);
    return rc;
}

static int write_database(const struct vocab_table *table, const char *path, const char *temporary,
                          struct err *err)
{
    sqlite3 *db = NULL;
    int rc = sqlite3_open_v2(temporary, &db, SQLITE_OPEN_READWRITE, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, schema, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = write_meta(db, &table->spec);
    if (rc == SQLITE_OK)
        rc = write_tokens(db, table);
    if (rc == SQLITE_OK)
        rc = write_merges(db, table);
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    rc = rc == SQLITE_OK ? 0 : sql_failed(db, path, err);
    if (sqlite3_close(db) != SQLITE_OK && rc == 0)
        rc = err_set(err, ERR_IO, "%s: cannot close the database", path);
    return rc;
}

int vocab_table_write(const struct vocab_table *table, const char *path, struct err *err)
{
    struct file_save save;
    int rc = file_save_begin(&save, path, err);

    if (rc != 0)
        return rc;
    rc = write_database(table, path, save.temporary, err);
    if (rc == 0)
        return file_save_commit(&save, err);
    file_save_abort(&save);
    return rc;
}
