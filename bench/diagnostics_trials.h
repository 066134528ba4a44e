/* What the diagnostics run: each task with each of the cells, the gradients, and clipping. */
#ifndef DRAGOMAN_BENCH_DIAGNOSTICS_TRIALS_H
#define DRAGOMAN_BENCH_DIAGNOSTICS_TRIALS_H

#include "diagnostics_gradient.h"
#include "diagnostics_learner.h"

struct trial {
    char name[64]; /* in keys of charts */
    struct learner_settings settings;
    struct learner_report report;
};

/* The settings of a task and a cell, `quick` ones or those of the figures. */
void trial_of_task(enum task_kind task, enum cell_kind cell, bool quick, uint64_t seed,
                   struct trial *trial);
/* A training that explodes: without clipping, with clipping by norm, by value. */
#define CLIPPING_TRIALS 3
void trial_of_clipping(size_t which, bool quick, uint64_t seed, struct trial *trial);

struct gradient_trial {
    char name[64];
    struct gradient_settings settings;
    double *norms; /* [settings.steps + 1] */
};
/* A plain network with recurrent matrices of different size; gated ones beside it. */
#define RADIUS_TRIALS 5
#define GATE_TRIALS 7
void trial_of_radius(size_t which, uint64_t seed, struct gradient_trial *trial);
void trial_of_gates(size_t which, uint64_t seed, struct gradient_trial *trial);

#endif
