/*
 * A checkpoint: everything that a run needs to go on as if it had never stopped, in one
 * safetensors file, saved atomically: "weights", and where the run keeps them "moment.first",
 * "moment.second" and "average", each [parameters]; "carried", [carried_count], what the task
 * carries from update to update; and "progress", the members of struct checkpoint_progress in their
 * order, as 64 bits each, in four floats of 16 bits, lowest first: so nothing is rounded.
 */
#ifndef DRAGOMAN_TRAIN_CHECKPOINT_H
#define DRAGOMAN_TRAIN_CHECKPOINT_H

#include <stdint.h>

#include "base/err.h"
#include "nn/real.h"

struct checkpoint_progress {
    uint64_t origin;       /* hash of the data and of all settings that change a number */
    uint64_t update;       /* updates done */
    uint64_t epoch, batch; /* the next batch */
    uint64_t evaluations;  /* done */
    uint64_t evaluated;    /* the update after which the last one was */
    uint64_t stale;        /* evaluations since the best score */
    uint64_t flat;         /* evaluations since the best score or the last plateau */
    uint64_t plateaus;     /* met */
    double best_score;     /* -1: none yet */
    double seconds;        /* trained */
    double running_loss;
};

struct checkpoint_vectors {
    size_t parameters;
    real *weights, *first, *second, *average; /* NULL: the run keeps none */
    real *carried;
    size_t carried_count;
};

int checkpoint_save(const char *path, const struct checkpoint_vectors *vectors,
                    const struct checkpoint_progress *progress, struct err *err);
/* Fills the vectors that are not NULL. ERR_FORMAT where they do not fit or where the origin is not
   this one. */
int checkpoint_load(const char *path, uint64_t origin, const struct checkpoint_vectors *vectors,
                    struct checkpoint_progress *progress, struct err *err);

/* One vector in a file of its own, "weights", for the average of several evaluations. */
int checkpoint_save_weights(const char *path, size_t parameters, const real *weights,
                            struct err *err);
/* sum += weights */
int checkpoint_add_weights(const char *path, size_t parameters, real *sum, struct err *err);

#endif
