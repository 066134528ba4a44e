/*
 * The separators are counted first, so that limits hold before anything is allocated. Numbers are
 * read here and not by strtof, which takes hexadecimal and infinities, and the locale's comma where
 * a program that uses the library has set one.
 */
#include "text/rows.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include "base/mem.h"

#define MAX_DIGITS 19 /* significant digits that count: as many as a uint64_t holds */
#define MAX_EXPONENT (INT64_MAX / 100) /* no text has digits enough to make up for it */

struct cell {
    const char *text;
    size_t len;
    size_t row, column; /* from 1 */
};

struct decimal { /* digits * 10^exponent */
    uint64_t digits;
    int count; /* of significant digits */
    int64_t exponent;
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Reads a run of digits, each of which is worth a tenth of the one before; returns its length. */
static size_t read_digits(const char *text, const char *end, bool fraction, struct decimal *decimal)
{
    size_t n = 0;

    for (; text + n < end && is_digit(text[n]); n++) {
        const bool counts = decimal->count < MAX_DIGITS;

        if (counts) {
            decimal->digits = decimal->digits * 10 + (uint64_t)(text[n] - '0');
            decimal->count += decimal->digits > 0;
        }
        decimal->exponent += (counts ? 0 : 1) - (fraction ? 1 : 0);
    }
    return n;
}

/* Reads [+-]digits after an 'e'; returns the length, 0 where there are no digits. */
static size_t read_exponent(const char *text, const char *end, struct decimal *decimal)
{
    const char *at = text, *digits;
    const bool negative = at < end && *at == '-';
    int64_t value = 0;

    at += at < end && (*at == '+' || *at == '-');
    for (digits = at; at < end && is_digit(*at); at++)
        value = value < MAX_EXPONENT ? value * 10 + (*at - '0') : value;
    decimal->exponent += negative ? -value : value;
    return at == digits ? 0 : (size_t)(at - text);
}

static float decimal_value(const struct decimal *decimal)
{
    long double value = (long double)decimal->digits, power = 10;
    int64_t exponent = decimal->exponent < 0 ? -decimal->exponent : decimal->exponent;

    if (decimal->digits == 0 || decimal->count + decimal->exponent < FLT_MIN_10_EXP - FLT_DIG - 3)
        return 0;
    if (decimal->count + decimal->exponent > FLT_MAX_10_EXP + 1)
        return HUGE_VALF;
    for (long double factor = 1;; power *= power) { /* 10^exponent by its binary digits */
        factor = exponent & 1 ? factor * power : factor;
        exponent /= 2;
        if (exponent == 0)
            return (float)(decimal->exponent < 0 ? value / factor : value * factor);
    }
}

/* Whether text[0..len) is a decimal number; *value is infinite where it is too large. */
static bool parse_number(const char *text, size_t len, float *value)
{
    const char *at = text, *end = text + len;
    const bool negative = len > 0 && *text == '-';
    struct decimal decimal = {0, 0, 0};
    size_t whole, fraction = 0, exponent;

    at += len > 0 && (*at == '+' || *at == '-');
    whole = read_digits(at, end, false, &decimal);
    at += whole;
    if (at < end && *at == '.') {
        fraction = read_digits(at + 1, end, true, &decimal);
        at += 1 + fraction;
    }
    if (whole + fraction == 0)
        return false;
    if (at < end && (*at == 'e' || *at == 'E')) {
        exponent = read_exponent(at + 1, end, &decimal);
        if (exponent == 0)
            return false;
        at += 1 + exponent;
    }
    *value = decimal_value(&decimal);
    *value = negative ? -*value : *value;
    return at == end;
}

/* Says what is wrong with a cell, showing its beginning. */
static int cell_failed(const struct cell *cell, const char *fault, struct err *err)
{
    char shown[24];
    size_t len = cell->len < sizeof shown - 1 ? cell->len : sizeof shown - 1;

    if (cell->len == 0)
        return err_set(err, ERR_FORMAT, "row %zu, column %zu: there is no value", cell->row,
                       cell->column);
    for (size_t i = 0; i < len; i++)
        shown[i] = cell->text[i];
    for (size_t i = 0; i < len; i++)
        if (shown[i] < ' ' || shown[i] > '~')
            shown[i] = '?';
    shown[len] = '\0';
    return err_set(err, ERR_FORMAT, "row %zu, column %zu: '%s%s' is %s", cell->row, cell->column,
                   shown, len < cell->len ? "..." : "", fault);
}

static int parse_cell(const struct cell *cell, float *value, struct err *err)
{
    if (!parse_number(cell->text, cell->len, value))
        return cell_failed(cell, "not a decimal number", err);
    if (*value > FLT_MAX || *value < -FLT_MAX)
        return cell_failed(cell, "too large", err);
    return 0;
}

/* Checks the row that ends with `cell` against the first. */
static int check_width(struct rows *rows, const struct cell *cell, bool ends, struct err *err)
{
    if (cell->row == 1)
        rows->width = cell->column;
    else if (cell->column > rows->width)
        return err_set(err, ERR_FORMAT, "row %zu, column %zu: the first row has only %zu values",
                       cell->row, cell->column, rows->width);
    else if (ends && cell->column < rows->width)
        return err_set(err, ERR_FORMAT,
                       "row %zu, column %zu: missing; the first row has %zu values", cell->row,
                       cell->column + 1, rows->width);
    return rows->width <= ROWS_MAX_WIDTH
               ? 0
               : err_set(err, ERR_LIMIT, "rows of more than %zu values", ROWS_MAX_WIDTH);
}

static int parse_cells(struct rows *rows, const char *text, size_t len, struct err *err)
{
    const char *end = text + len;
    struct cell cell = {text, 0, 1, 1};
    size_t count = 0;

    for (;;) {
        const char *at = cell.text;
        bool ends;
        int rc;

        while (at < end && *at != ',' && *at != ';')
            at++;
        cell.len = (size_t)(at - cell.text);
        ends = at == end || *at == ';';
        rc = parse_cell(&cell, &rows->values[count++], err);
        if (rc == 0)
            rc = check_width(rows, &cell, ends, err);
        if (rc != 0 || at == end)
            return rc;
        cell = (struct cell){at + 1, 0, cell.row + ends, ends ? 1 : cell.column + 1};
    }
}

int rows_parse(struct rows *rows, const char *text, size_t len, struct err *err)
{
    size_t commas = 0;
    int rc;

    *rows = (struct rows){.count = 1};
    for (size_t i = 0; i < len; i++) {
        rows->count += text[i] == ';';
        commas += text[i] == ',';
    }
    if (rows->count > ROWS_MAX_COUNT)
        rc = err_set(err, ERR_LIMIT, "%zu rows; allowed are %zu", rows->count, ROWS_MAX_COUNT);
    else if (rows->count + commas > ROWS_MAX_VALUES)
        rc = err_set(err, ERR_LIMIT, "%zu values; allowed are %zu", rows->count + commas,
                     ROWS_MAX_VALUES);
    else {
        rows->values = mem_alloc(rows->count + commas, sizeof *rows->values, err);
        rc = rows->values == NULL ? ERR_MEMORY : parse_cells(rows, text, len, err);
    }
    if (rc != 0)
        rows_release(rows);
    return rc;
}

int rows_write(const struct rows *rows, struct buf *out, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; i < rows->count * rows->width && rc == 0; i++) {
        char text[32], *point = text;

        if (i > 0)
            rc = buf_char(out, i % rows->width == 0 ? ';' : ',', err);
        /* Nine digits tell all floats apart. In place of a locale's point, of any length, a point
           is written. */
        snprintf(text, sizeof text, "%.9g", (double)rows->values[i]);
        point += strspn(point, "+-0123456789e");
        if (rc == 0)
            rc = buf_append(out, text, (size_t)(point - text), err);
        if (rc == 0 && *point != '\0') {
            point += strcspn(point, "0123456789");
            rc = buf_char(out, '.', err);
        }
        if (rc == 0)
            rc = buf_text(out, point, err);
    }
    return rc;
}

void rows_release(struct rows *rows)
{
    mem_free(rows->values);
    *rows = (struct rows){.values = NULL};
}
