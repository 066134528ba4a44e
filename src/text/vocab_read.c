/*
 * Reading vocab.sqlite, which may come from anywhere. The file's header is looked at before SQLite
 * is: an empty, foreign or truncated file gets a plain message, and a database in WAL mode is
 * refused, because opening one writes files beside it. The database is opened read-only, without
 * waiting for locks, and rows are checked one by one as they come, in their stored order, so that
 * the first wrong row ends the reading.
 */
#include <sqlite3.h>
#include <string.h>
#include "base/file.h"
#include "base/mem.h"
#include "text/utf8.h"
#include "text/vocab_table.h"

struct reader {
    struct vocab_table *table;
    const char *path;
    sqlite3 *db;
    sqlite3_stmt *rows;
};

static unsigned long big_endian(const unsigned char *bytes, size_t count)
{
    unsigned long value = 0;

    for (size_t i = 0; i < count; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* The fields are those of https://www.sqlite.org/fileformat2.html#the_database_header */
static int check_header(const char *path, const struct file_copy *file, struct err *err)
{
    const unsigned char *header = file->data;
    unsigned long page_size, pages;

    if (file->size == 0)
        return err_set(err, ERR_FORMAT, "%s: the file is empty", path);
    if (file->size < 100 || memcmp(header, "SQLite format 3", 16) != 0)
        return err_set(err, ERR_FORMAT, "%s: not an SQLite database", path);
    if (header[18] == 2 || header[19] == 2)
        return err_set(err, ERR_FORMAT,
                       "%s: the database is in WAL mode; PRAGMA journal_mode=DELETE changes that",
                       path);
    page_size = big_endian(header + 16, 2);
    page_size = page_size == 1 ? 65536 : page_size;
    if (page_size < 512 || (page_size & (page_size - 1)) != 0)
        return err_set(err, ERR_FORMAT, "%s: the header gives a page size of %lu", path, page_size);
    pages = big_endian(header + 28, 4);
    if (memcmp(header + 24, header + 92, 4) == 0 && file->size / page_size < pages)
        return err_set(err, ERR_FORMAT, "%s: truncated: %zu bytes where the header says %lu x %lu",
                       path, file->size, pages, page_size);
    return 0;
}

static int check_file(const char *path, struct err *err)
{
    struct file_copy file;
    int rc = file_copy_open(&file, path, VOCAB_MAX_BYTES, err);

    if (rc != 0)
        return rc;
    rc = check_header(path, &file, err);
    file_copy_close(&file);
    return rc;
}

static int sql_failed(const struct reader *reader, struct err *err)
{
    int code = sqlite3_extended_errcode(reader->db);

    switch (code & 0xFF) {
    case SQLITE_NOMEM:
        return err_set(err, ERR_MEMORY, "%s: out of memory", reader->path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(err, ERR_BUSY, "%s: the database is locked by another program",
                       reader->path);
    case SQLITE_READONLY:
        return err_set(err, ERR_FORMAT, "%s: a journal of an interrupted write lies beside it",
                       reader->path);
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
        return err_set(err, ERR_IO, "%s: cannot read: %s", reader->path,
                       sqlite3_errmsg(reader->db));
    default:
        return err_set(err, ERR_FORMAT, "%s: cannot read: %s", reader->path,
                       sqlite3_errmsg(reader->db));
    }
}

static int begin_rows(struct reader *reader, const char *sql, struct err *err)
{
    if (sqlite3_prepare_v2(reader->db, sql, -1, &reader->rows, NULL) != SQLITE_OK)
        return sql_failed(reader, err);
    return 0;
}

/* 1: a row is there; 0: there are no more, or an error is in *rc. */
static int next_row(struct reader *reader, int *rc, struct err *err)
{
    int step = sqlite3_step(reader->rows);

    if (step == SQLITE_ROW)
        return 1;
    if (step != SQLITE_DONE)
        *rc = sql_failed(reader, err);
    return 0;
}

static int end_rows(struct reader *reader, int rc)
{
    sqlite3_finalize(reader->rows);
    reader->rows = NULL;
    return rc;
}

/* A view or virtual table could run anything; only an ordinary table will do. */
static int check_table(struct reader *reader, const char *name, struct err *err)
{
    int rc = begin_rows(reader,
                        "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?"
                        " AND rootpage > 0",
                        err);

    if (rc != 0)
        return rc;
    sqlite3_bind_text(reader->rows, 1, name, -1, SQLITE_STATIC);
    if (next_row(reader, &rc, err) == 0 && rc == 0)
        rc = err_set(err, ERR_FORMAT, "%s: there is no table '%s'", reader->path, name);
    return end_rows(reader, rc);
}

/* Whether the database's setting `key` is what it must be. */
static int check_meta(struct reader *reader, const char *key, const char *expected, struct err *err)
{
    int rc = begin_rows(reader, "SELECT value FROM meta WHERE key = ?", err);

    if (rc != 0)
        return rc;
    sqlite3_bind_text(reader->rows, 1, key, -1, SQLITE_STATIC);
    if (next_row(reader, &rc, err) == 0) {
        if (rc == 0)
            rc = err_set(err, ERR_FORMAT, "%s: meta lacks '%s'", reader->path, key);
    } else {
        const char *value = (const char *)sqlite3_column_text(reader->rows, 0);

        if (value == NULL || strcmp(value, expected) != 0)
            rc = err_set(err, ERR_FORMAT, "%s: meta says %s '%.40s' where '%s' is expected",
                         reader->path, key, value != NULL ? value : "", expected);
    }
    return end_rows(reader, rc);
}

static int check_settings(struct reader *reader, const struct tokenizer_spec *spec, struct err *err)
{
    int rc = check_meta(reader, "version", "1", err);

    _Static_assert(VOCAB_VERSION == 1, "check_settings names the version");
    if (rc == 0)
        rc = check_meta(reader, "kind", vocab_kind_name(spec->kind), err);
    if (rc == 0)
        rc = check_meta(reader, "form", vocab_form_name(spec->form), err);
    if (rc == 0)
        rc = check_meta(reader, "fold", spec->fold ? "true" : "false", err);
    return rc;
}

/* The tokens that begin every vocabulary. */
static int32_t reserved_count(const struct vocab_table *table)
{
    return table->spec.kind == TOKEN_BPE ? VOCAB_FIRST_CHARACTER : TOKEN_FIRST;
}

static int read_token(struct reader *reader, int64_t expected, struct err *err)
{
    struct vocab_table *table = reader->table;
    sqlite3_stmt *row = reader->rows;
    const char *path = reader->path, *text;
    char reserved[8];
    size_t len;
    int32_t id;
    bool added;
    int rc;

    if (sqlite3_column_type(row, 0) != SQLITE_INTEGER || sqlite3_column_int64(row, 0) != expected)
        return err_set(err, ERR_FORMAT, "%s: token ids are not dense: there is no id %lld", path,
                       (long long)expected);
    if (sqlite3_column_type(row, 1) != SQLITE_TEXT || sqlite3_column_type(row, 2) != SQLITE_INTEGER)
        return err_set(err, ERR_FORMAT, "%s: token %lld: text or count has the wrong type", path,
                       (long long)expected);
    text = (const char *)sqlite3_column_text(row, 1);
    len = (size_t)sqlite3_column_bytes(row, 1);
    if (text == NULL)
        return err_set(err, ERR_MEMORY, "%s: out of memory", path);
    if (len == 0 || len > VOCAB_MAX_TEXT)
        return err_set(err, ERR_FORMAT, "%s: token %lld: %zu bytes of text; 1 to %d are allowed",
                       path, (long long)expected, len, VOCAB_MAX_TEXT);
    if (utf8_valid_length(text, len) != len || memchr(text, '\0', len) != NULL)
        return err_set(err, ERR_FORMAT, "%s: token %lld: the text is not UTF-8 without NUL", path,
                       (long long)expected);
    if (sqlite3_column_int64(row, 2) < 0)
        return err_set(err, ERR_FORMAT, "%s: token %lld: negative count", path,
                       (long long)expected);
    if (expected < reserved_count(table)) {
        vocab_reserved_text((int32_t)expected, reserved);
        if (strcmp(text, reserved) != 0)
            return err_set(err, ERR_FORMAT, "%s: token %lld is '%.40s'; it must be '%s'", path,
                           (long long)expected, text, reserved);
    }
    rc = vocab_table_add(table, text, len, sqlite3_column_int64(row, 2), &id, &added, err);
    if (rc == 0 && !added)
        rc = err_set(err, ERR_FORMAT, "%s: tokens %d and %lld have the same text", path, (int)id,
                     (long long)expected);
    return rc;
}

static int read_tokens(struct reader *reader, struct err *err)
{
    int64_t count = 0;
    int rc = begin_rows(reader, "SELECT id, text, count FROM token ORDER BY rowid", err);

    while (rc == 0 && next_row(reader, &rc, err) != 0)
        rc = read_token(reader, count++, err);
    if (rc == 0 && count < reserved_count(reader->table))
        rc = err_set(err, ERR_FORMAT, "%s: %lld tokens; the first %d are obligatory", reader->path,
                     (long long)count, (int)reserved_count(reader->table));
    return end_rows(reader, rc);
}

/* Reads one merge; its sides must be tokens of text, and so must what it makes. */
static int read_merge(struct reader *reader, int64_t expected, struct vocab_merge *merge,
                      struct err *err)
{
    const struct intern *tokens = &reader->table->tokens;
    char text[2 * VOCAB_MAX_TEXT];
    size_t len[2];

    for (int i = 0; i < 3; i++)
        if (sqlite3_column_type(reader->rows, i) != SQLITE_INTEGER)
            return err_set(err, ERR_FORMAT, "%s: merge %lld: a value is not an integer",
                           reader->path, (long long)expected);
    if (sqlite3_column_int64(reader->rows, 0) != expected)
        return err_set(err, ERR_FORMAT, "%s: merge ranks are not dense: there is no rank %lld",
                       reader->path, (long long)expected);
    for (int i = 0; i < 2; i++) {
        int64_t id = sqlite3_column_int64(reader->rows, i + 1);
        const char *side;

        if (id < VOCAB_FIRST_CHARACTER || id >= (int64_t)tokens->count)
            return err_set(err, ERR_FORMAT, "%s: merge %lld: there is no text token %lld",
                           reader->path, (long long)expected, (long long)id);
        side = intern_text(tokens, (int32_t)id, &len[i]);
        memcpy(text + (i == 0 ? 0 : len[0]), side, len[i]);
        *(i == 0 ? &merge->left : &merge->right) = (int32_t)id;
    }
    merge->result = intern_find(tokens, text, len[0] + len[1]);
    if (merge->result < VOCAB_FIRST_CHARACTER)
        return err_set(err, ERR_FORMAT, "%s: merge %lld: no token has the text of %d and %d",
                       reader->path, (long long)expected, (int)merge->left, (int)merge->right);
    return 0;
}

static int append_merge(struct vocab_table *table, size_t *capacity,
                        const struct vocab_merge *merge, struct err *err)
{
    if (table->merge_count >= VOCAB_MAX_TOKENS)
        return err_set(err, ERR_LIMIT, "a vocabulary of more than %zu merges", VOCAB_MAX_TOKENS);
    if (table->merge_count == *capacity) {
        size_t larger = *capacity == 0 ? 1024 : 2 * *capacity;
        struct vocab_merge *merges =
            mem_resize(table->merges, *capacity, larger, sizeof(*merges), err);

        if (merges == NULL)
            return ERR_MEMORY;
        table->merges = merges;
        *capacity = larger;
    }
    table->merges[table->merge_count++] = *merge;
    return 0;
}

static int read_merges(struct reader *reader, struct err *err)
{
    struct vocab_table *table = reader->table;
    size_t capacity = 0;
    int rc = begin_rows(reader, "SELECT rank, [left], [right] FROM merge ORDER BY rowid", err);

    while (rc == 0 && next_row(reader, &rc, err) != 0) {
        struct vocab_merge merge;

        rc = read_merge(reader, (int64_t)table->merge_count, &merge, err);
        if (rc == 0 && table->spec.kind != TOKEN_BPE)
            rc = err_set(err, ERR_FORMAT, "%s: merges in a vocabulary of %ss", reader->path,
                         vocab_kind_name(table->spec.kind));
        if (rc == 0)
            rc = append_merge(table, &capacity, &merge, err);
    }
    return end_rows(reader, rc);
}

static int read_database(struct reader *reader, const struct tokenizer_spec *spec, struct err *err)
{
    int rc = 0;

    sqlite3_limit(reader->db, SQLITE_LIMIT_LENGTH, 1 << 20);
    sqlite3_db_config(reader->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)NULL);
    rc = check_table(reader, "meta", err);
    if (rc == 0)
        rc = check_table(reader, "token", err);
    if (rc == 0)
        rc = check_table(reader, "merge", err);
    if (rc == 0)
        rc = check_settings(reader, spec, err);
    if (rc == 0)
        rc = read_tokens(reader, err);
    if (rc == 0)
        rc = read_merges(reader, err);
    return rc;
}

int vocab_table_read(struct vocab_table *table, const struct tokenizer_spec *spec, const char *path,
                     struct err *err)
{
    struct reader reader = {.table = table, .path = path};
    int rc = check_file(path, err);

    if (rc != 0)
        return rc;
    table->spec = *spec;
    if (sqlite3_open_v2(path, &reader.db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK)
        rc = sql_failed(&reader, err);
    else
        rc = read_database(&reader, spec, err);
    sqlite3_close(reader.db);
    return rc;
}
