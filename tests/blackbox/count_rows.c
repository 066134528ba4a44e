/* count_rows DATABASE: checks that a request log is whole and prints how many rows it has. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first value of the query's first row in `text`; false on any error. */
static int ask(sqlite3 *db, const char *sql, char *text, size_t size)
{
    sqlite3_stmt *statement = NULL;
    int good = sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
               sqlite3_step(statement) == SQLITE_ROW;
    if (good)
        snprintf(text, size, "%s", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    return good;
}

int main(int argc, char **argv)
{
    sqlite3 *db = NULL;
    char text[200] = "";
    int good = argc == 2 && sqlite3_open_v2(argv[1], &db, SQLITE_OPEN_READWRITE, NULL) == 0 &&
               sqlite3_busy_timeout(db, 60000) == SQLITE_OK &&
               ask(db, "PRAGMA integrity_check", text, sizeof text) && strcmp(text, "ok") == 0 &&
               ask(db, "SELECT count(*) FROM request", text, sizeof text);
    if (!good)
        fprintf(stderr, "count_rows: %s: %s\n", text, db ? sqlite3_errmsg(db) : "cannot open");
    sqlite3_close(db);
    if (!good)
        return EXIT_FAILURE;
    puts(text);
    return EXIT_SUCCESS;
}
