/*
 * A recurrent layer and a linear one above it that learn a task of diagnostics_task.h by Adam or
 * plain gradient descent: what the error is on the way, how large the gradients are, and what a
 * test on other sequences says at the end.
 */
#ifndef DRAGOMAN_BENCH_DIAGNOSTICS_LEARNER_H
#define DRAGOMAN_BENCH_DIAGNOSTICS_LEARNER_H

#include "diagnostics_layer.h"
#include "diagnostics_task.h"
#include "nn/optim.h"
#include "nn/recurrent.h"

struct learner_settings {
    struct task task;
    enum cell_kind cell;
    size_t hidden, batch, updates;
    enum optim_kind optim; /* Adam with the usual constants, or SGD */
    double rate;           /* until half of the updates; then it falls to 0 along a line */
    double clip;           /* by norm; 0: not */
    double clip_value;     /* by value; 0: not */
    struct diagnostics_start start;
    uint64_t seed;
};

struct learner_point {  /* of the updates since the point before */
    double update;      /* the last of them */
    double loss, error; /* means, over sequences not yet learnt from */
    double norm;        /* the largest of the gradient */
    double clipped;     /* the largest after clipping */
};

struct learner_report {
    struct learner_point *points; /* those that were reached */
    size_t count;
    double *norms; /* [steps + 1]: of the trained network (diagnostics_gradient.h), L being its
                      first output; NULL where sequences differ in length */
    size_t steps;
    size_t updates;   /* fewer than asked for where a number was no longer finite */
    double error;     /* in the test; not a number where training broke off */
    double seconds;   /* of processor time, training and test */
    size_t sequences; /* in the test */
};
/* points: at most so many, and no more than updates. After an error there is nothing to release. */
int learner_run(const struct learner_settings *settings, size_t points, size_t test_sequences,
                struct learner_report *report, struct err *err);
void learner_report_release(struct learner_report *report);

#endif
