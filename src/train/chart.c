#include "train/chart.h"

#include <math.h>

#include "train/chart_axis.h"
#include "train/html.h"

#define WIDTH 640
#define HEIGHT 300
#define LEFT 58
#define RIGHT 16
#define TOP 28
#define BOTTOM 44
#define MANY_POINTS 60       /* curves of more have no dots */
#define VERY_MANY_POINTS 300 /* curves of more are thinner */
#define NEARLY 0.3           /* points nearer to the last one drawn than this are left out */

static double x_of(const struct chart_series *series, size_t i)
{
    return series->x[i * (series->stride ? series->stride : 1)];
}

static double y_of(const struct chart_series *series, size_t i)
{
    return series->y[i * (series->stride ? series->stride : 1)];
}

struct plane {
    struct chart_axis x, y;
};

static bool drawable(const struct plane *plane, const struct chart_series *series, size_t i)
{
    return chart_axis_takes(&plane->x, x_of(series, i)) &&
           chart_axis_takes(&plane->y, y_of(series, i));
}

static void stretch(double range[2], double value)
{
    range[0] = fmin(range[0], value);
    range[1] = fmax(range[1], value);
}

static void plane_init(struct plane *plane, const struct chart *chart)
{
    double x[2] = {INFINITY, -INFINITY}, y[2] = {INFINITY, -INFINITY};
    plane->x.log = chart->x_log;
    plane->y.log = chart->y_log;
    for (size_t s = 0; s < chart->count; s++) {
        const struct chart_series *series = &chart->series[s];
        for (size_t i = 0; i < series->count; i++) {
            if (!drawable(plane, series, i))
                continue;
            stretch(x, x_of(series, i));
            stretch(y, y_of(series, i));
        }
    }
    if (chart->x_from_zero && !chart->x_log && x[0] <= x[1])
        stretch(x, 0);
    if (chart->y_from_zero && !chart->y_log && y[0] <= y[1])
        stretch(y, 0);
    if (chart->x_reach > 0)
        stretch(x, chart->x_reach);
    if (chart->y_reach > 0)
        stretch(y, chart->y_reach);
    chart_axis_init(&plane->x, x[0], x[1], chart->x_log, false, LEFT, WIDTH - RIGHT);
    chart_axis_init(&plane->y, y[0], y[1], chart->y_log, true, HEIGHT - BOTTOM, TOP);
}

static void write_axes(const struct chart *chart, const struct plane *plane, struct buf *out,
                       struct err *err)
{
    char label[32];
    for (size_t i = 0; i < plane->y.tick_count; i++) {
        const double at = chart_axis_at(&plane->y, plane->y.ticks[i]);
        chart_axis_label(plane->y.ticks[i], label, sizeof label);
        buf_printf(out, err,
                   "<path class=\"grid\" d=\"M%d %.1fH%d\"/>"
                   "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n",
                   LEFT, at, WIDTH - RIGHT, LEFT - 8, at + 4.5, label);
    }
    for (size_t i = 0; i < plane->x.tick_count; i++) {
        const double at = chart_axis_at(&plane->x, plane->x.ticks[i]);
        chart_axis_label(plane->x.ticks[i], label, sizeof label);
        buf_printf(out, err,
                   "<path class=\"axis\" d=\"M%.1f %dv5\"/>"
                   "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
                   at, HEIGHT - BOTTOM, at, HEIGHT - BOTTOM + 19, label);
    }
    buf_printf(out, err, "<path class=\"axis\" d=\"M%d %dH%d\"/>\n<text x=\"2\" y=\"14\">", LEFT,
               HEIGHT - BOTTOM, WIDTH - RIGHT);
    html_text(out, chart->y_name, err);
    buf_printf(out, err, "</text>\n<text x=\"%d\" y=\"%d\" text-anchor=\"end\">", WIDTH - RIGHT,
               HEIGHT - 6);
    html_text(out, chart->x_name, err);
    buf_text(out, "</text>\n", err);
}

/* The curve as one path, begun anew after each gap. */
static void write_curve(const struct plane *plane, const struct chart_series *series,
                        struct buf *out, struct err *err)
{
    double last_x = -INFINITY, last_y = -INFINITY;
    bool drawn = false;
    buf_printf(out, err, "<path class=\"curve%s\" d=\"",
               series->count > VERY_MANY_POINTS ? " fine" : "");
    for (size_t i = 0; i < series->count; i++) {
        if (!drawable(plane, series, i)) {
            drawn = false;
            continue;
        }
        const double x = chart_axis_at(&plane->x, x_of(series, i));
        const double y = chart_axis_at(&plane->y, y_of(series, i));
        const bool end = i + 1 == series->count || !drawable(plane, series, i + 1);
        if (drawn && !end && hypot(x - last_x, y - last_y) < NEARLY)
            continue;
        buf_printf(out, err, "%s%.1f %.1f", drawn ? "L" : "M", x, y);
        if (!drawn && end) /* a point between two gaps: a line of no length has round ends */
            buf_text(out, "h0", err);
        drawn = true;
        last_x = x;
        last_y = y;
    }
    buf_text(out, "\"/>\n", err);
}

static void write_dots(const struct plane *plane, const struct chart_series *series,
                       struct buf *out, struct err *err)
{
    char x[32], y[32];
    for (size_t i = 0; i < series->count; i++) {
        if (!drawable(plane, series, i))
            continue;
        chart_axis_label(x_of(series, i), x, sizeof x);
        chart_axis_label(y_of(series, i), y, sizeof y);
        buf_printf(out, err, "<circle class=\"dot\" cx=\"%.1f\" cy=\"%.1f\" r=\"%d\"><title>",
                   chart_axis_at(&plane->x, x_of(series, i)),
                   chart_axis_at(&plane->y, y_of(series, i)), series->count == 1 ? 6 : 4);
        html_text(out, series->name, err);
        buf_printf(out, err, ": %s at %s</title></circle>\n", y, x);
    }
}

/* All points as one path: lines of no length have round ends. */
static void write_points(const struct plane *plane, const struct chart_series *series,
                         struct buf *out, struct err *err)
{
    buf_text(out, "<path class=\"points\" d=\"", err);
    for (size_t i = 0; i < series->count; i++)
        if (drawable(plane, series, i))
            buf_printf(out, err, "M%.1f %.1fh0", chart_axis_at(&plane->x, x_of(series, i)),
                       chart_axis_at(&plane->y, y_of(series, i)));
    buf_text(out, "\"/>\n", err);
}

static void write_keys(const struct chart *chart, struct buf *out, struct err *err)
{
    if (chart->count < 2)
        return;
    buf_text(out, "<div class=\"keys\">", err);
    for (size_t s = 0; s < chart->count; s++) {
        buf_printf(out, err, "<span><i class=\"s%zu\"></i>", s % CHART_COLOURS);
        html_text(out, chart->series[s].name, err);
        buf_text(out, "</span>", err);
    }
    buf_text(out, "</div>\n", err);
}

/* For readers who cannot see the points: how many, and how far they reach. */
static void write_extent(const struct chart *chart, const struct plane *plane, struct buf *out,
                         struct err *err)
{
    char low[32], high[32];
    for (size_t s = 0; s < chart->count; s++) {
        const struct chart_series *series = &chart->series[s];
        double range[2] = {INFINITY, -INFINITY};
        size_t count = 0;
        for (size_t i = 0; i < series->count; i++) {
            if (!drawable(plane, series, i))
                continue;
            stretch(range, y_of(series, i));
            count++;
        }
        html_text(out, series->name, err);
        buf_printf(out, err, ": %zu points", count);
        if (count > 0) {
            chart_axis_label(range[0], low, sizeof low);
            chart_axis_label(range[1], high, sizeof high);
            buf_printf(out, err, " from %s to %s", low, high);
        }
        buf_text(out, ". ", err);
    }
}

/* For readers who cannot see the curves: the first, the lowest, the highest and the last value. */
static void write_summary(const struct chart *chart, const struct plane *plane, struct buf *out,
                          struct err *err)
{
    char texts[4][32];
    for (size_t s = 0; s < chart->count; s++) {
        const struct chart_series *series = &chart->series[s];
        double first = NAN, last = NAN, range[2] = {INFINITY, -INFINITY};
        for (size_t i = 0; i < series->count; i++) {
            if (!drawable(plane, series, i))
                continue;
            last = y_of(series, i);
            first = isnan(first) ? last : first;
            stretch(range, last);
        }
        if (isnan(first))
            continue;
        chart_axis_label(first, texts[0], sizeof texts[0]);
        chart_axis_label(last, texts[1], sizeof texts[1]);
        chart_axis_label(range[0], texts[2], sizeof texts[2]);
        chart_axis_label(range[1], texts[3], sizeof texts[3]);
        html_text(out, series->name, err);
        buf_printf(out, err, ": from %s to %s, lowest %s, highest %s. ", texts[0], texts[1],
                   texts[2], texts[3]);
    }
}

static int write_chart(const struct chart *chart, bool curves, struct buf *out, struct err *err)
{
    struct plane plane;
    plane_init(&plane, chart);
    html_figure(out, chart->id, chart->title, chart->note, err);
    write_keys(chart, out, err);
    buf_printf(out, err,
               "<svg class=\"lines\" viewBox=\"0 0 %d %d\" role=\"img\" "
               "aria-labelledby=\"%s-name %s-says\">\n<desc id=\"%s-says\">",
               WIDTH, HEIGHT, chart->id, chart->id, chart->id);
    (curves ? write_summary : write_extent)(chart, &plane, out, err);
    buf_text(out, "</desc>\n", err);
    write_axes(chart, &plane, out, err);
    for (size_t s = 0; s < chart->count; s++) {
        buf_printf(out, err, "<g class=\"s%zu\">\n", s % CHART_COLOURS);
        if (curves)
            write_curve(&plane, &chart->series[s], out, err);
        else
            write_points(&plane, &chart->series[s], out, err);
        if (curves && chart->series[s].count <= MANY_POINTS)
            write_dots(&plane, &chart->series[s], out, err);
        buf_text(out, "</g>\n", err);
    }
    return buf_text(out, "</svg>\n</figure>\n", err);
}

int chart_lines(const struct chart *chart, struct buf *out, struct err *err)
{
    return write_chart(chart, true, out, err);
}

int chart_points(const struct chart *chart, struct buf *out, struct err *err)
{
    return write_chart(chart, false, out, err);
}
