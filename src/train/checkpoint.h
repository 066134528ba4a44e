/*
 * A checkpoint: everything that a run needs to go on as if it had never stopped, in one
 * safetensors file: "weights", "moment.first", "moment.second" [parameters], "progress", the
 * counters, in the order of struct checkpoint_progress, and "origin". Saved atomically.
 */
#ifndef DRAGOMAN_TRAIN_CHECKPOINT_H
#define DRAGOMAN_TRAIN_CHECKPOINT_H

#include <stdint.h>

#include "base/err.h"
#include "nn/real.h"

struct checkpoint_progress { /* counters below 2^24, so that a float holds them */
    size_t update;           /* updates done */
    size_t epoch, batch;     /* the next batch */
    size_t stale;            /* epochs since the best score */
    double best_score;       /* below 0: none yet */
    double seconds;
    double running_loss;
    uint64_t
        origin; /* hash of the data and of the settings that the rest is worth nothing without */
};

int checkpoint_save(const char *path, size_t parameters, const real *weights, const real *first,
                    const real *second, const struct checkpoint_progress *progress,
                    struct err *err);
/* ERR_FORMAT where it does not fit a network of `parameters`. */
int checkpoint_load(const char *path, size_t parameters, real *weights, real *first, real *second,
                    struct checkpoint_progress *progress, struct err *err);

#endif
