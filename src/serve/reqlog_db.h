/* The request log's database. One thread at a time. */
#ifndef DRAGOMAN_SERVE_REQLOG_DB_H
#define DRAGOMAN_SERVE_REQLOG_DB_H

#include "serve/reqlog.h"

struct reqlog_db;
struct reqlog_db *reqlog_db_open(const char *path, struct err *err);
void reqlog_db_close(struct reqlog_db *db);
int reqlog_db_begin(struct reqlog_db *db, struct err *err);
int reqlog_db_insert(struct reqlog_db *db, const struct reqlog_row *row, struct err *err);
int reqlog_db_commit(struct reqlog_db *db, struct err *err);
void reqlog_db_rollback(struct reqlog_db *db);
/* Fills query->rows and query->count. */
int reqlog_db_select(struct reqlog_db *db, struct reqlog_query *query, struct err *err);
/* Deletes rows before `before_ms` and all but the latest keep_rows; 0: no bound. */
int reqlog_db_prune(struct reqlog_db *db, int64_t before_ms, int64_t keep_rows, struct err *err);

#endif
