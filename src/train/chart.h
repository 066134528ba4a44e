/*
 * Curves, points and heat maps for a page of html.h, as SVG without a script: the value of a point
 * or of a cell shows where the pointer rests on it. Any values may come: points that are not
 * finite, or not above 0 on a logarithmic axis, are left out and the curve is broken there.
 *
 * Errors as in html.h: memory alone, and a caller may look once at the end.
 */
#ifndef DRAGOMAN_TRAIN_CHART_H
#define DRAGOMAN_TRAIN_CHART_H

#include <stdbool.h>
#include "base/buf.h"

#define CHART_COLOURS 8 /* further series begin again with the first colour */

struct chart_series {
    const char *name;
    const double *x, *y;
    size_t count;
    size_t stride; /* point i is x[i * stride], y[i * stride]; 0 is 1 */
};

struct chart {
    const char *id; /* unlike all others of the page; a name as in HTML */
    const char *title;
    const char *note; /* what a reader who cannot see it should know as well; may be NULL */
    const char *x_name, *y_name;
    bool x_log, y_log;
    bool x_from_zero, y_from_zero; /* the axis begins at 0 if nothing is below; not if it is log */
    double x_reach, y_reach;       /* the axis goes at least so far; 0: as far as the points */
    const struct chart_series *series;
    size_t count;
};
/* A <figure> with title, key, axes and one curve a series. */
int chart_lines(const struct chart *chart, struct buf *out, struct err *err);
/* The same with points that nothing joins, any number of them. */
int chart_points(const struct chart *chart, struct buf *out, struct err *err);

struct chart_heat {
    const char *id, *title, *note;
    const char *row_name, *column_name;
    const char *const *rows, *const *columns; /* labels */
    size_t row_count, column_count;
    const double *values; /* [row_count][column_count] */
    double high;          /* has the full colour; 0 has none */
};
/* A <figure> with a square a value. */
int chart_heat(const struct chart_heat *heat, struct buf *out, struct err *err);

#endif
