/* The page of the diagnostics: a table of figures and all curves, in one file. */
#ifndef DRAGOMAN_BENCH_DIAGNOSTICS_PAGE_H
#define DRAGOMAN_BENCH_DIAGNOSTICS_PAGE_H

#include "base/buf.h"
#include "diagnostics_trials.h"

#define DIAGNOSTICS_MAX_CELLS 9
#define DIAGNOSTICS_TASKS 4

struct diagnostics_task { /* one task, each of the cells */
    struct trial trials[DIAGNOSTICS_MAX_CELLS];
    size_t count;
};
struct diagnostics {
    struct diagnostics_task tasks[DIAGNOSTICS_TASKS];
    size_t task_count;
    struct trial clipping[CLIPPING_TRIALS];
    struct gradient_trial radii[RADIUS_TRIALS], gates[GATE_TRIALS];
};
int diagnostics_page(const struct diagnostics *diagnostics, struct buf *out, struct err *err);

#endif
