/*
 * Rows of real numbers as text: values separated by commas, rows by semicolons,
 * "0.1,0.5;0.3,0.2". A feature vector is one row.
 *
 * A value is a decimal number, [+-]digits[.digits][e[+-]digits], with a point whatever the locale
 * is, and nothing around it. All rows have as many values as the first.
 */
#ifndef DRAGOMAN_TEXT_ROWS_H
#define DRAGOMAN_TEXT_ROWS_H

#include "base/buf.h"

#define ROWS_MAX_COUNT ((size_t)1 << 16)
#define ROWS_MAX_WIDTH ((size_t)1 << 16)
#define ROWS_MAX_VALUES ((size_t)1 << 22)

struct rows {      /* release with rows_release */
    size_t count;  /* of rows, at least 1 */
    size_t width;  /* values in each, at least 1 */
    float *values; /* [count, width], finite */
};

/* ERR_FORMAT names row and column, from 1, of what is empty, no number, too large for a float or
   missing; ERR_LIMIT above the limits. `rows` is empty where it fails. */
int rows_parse(struct rows *rows, const char *text, size_t len, struct err *err);
/* Appends the text that parses to the same values. */
int rows_write(const struct rows *rows, struct buf *out, struct err *err);
void rows_release(struct rows *rows);

#endif
