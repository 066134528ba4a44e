/* One axis of a chart: what it spans, where a value lies on it, and the round values to mark. */
#ifndef DRAGOMAN_TRAIN_CHART_AXIS_H
#define DRAGOMAN_TRAIN_CHART_AXIS_H

#include <stdbool.h>
#include <stddef.h>

#define CHART_MAX_TICKS 24

struct chart_axis {
    bool log;
    double low, high; /* low < high, both finite, and above 0 if `log` */
    double from, to;  /* where they lie, in the drawing's units */
    double ticks[CHART_MAX_TICKS];
    size_t tick_count;
};

/* Spans [low, high], which may be empty or a point. `widen`: as far as the next round values. */
void chart_axis_init(struct chart_axis *axis, double low, double high, bool log, bool widen,
                     double from, double to);
/* Is it finite, and above 0 where that matters? */
bool chart_axis_takes(const struct chart_axis *axis, double value);
double chart_axis_at(const struct chart_axis *axis, double value);
/* 1500 is "1.5k", 0.00001 is "1e-5". */
void chart_axis_label(double value, char *text, size_t size);

#endif
