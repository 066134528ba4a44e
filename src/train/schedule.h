/*
 * The learning rate over a training run: up in a line to its highest, then down as the schedule
 * says. No update has the rate 0 because of the warm-up: a place is the middle of an update.
 *
 *   constant      stays
 *   linear        falls in a line to a share of the highest at the end of the run
 *   inverse-sqrt  falls with the root of the updates (Vaswani et al. 2017, section 5.3)
 *   step          times `decay` after the first `decay_from` epochs, and again each `decay_every`
 *   plateau       times `decay` each time that `decay_every` evaluations brought no better score
 */
#ifndef DRAGOMAN_TRAIN_SCHEDULE_H
#define DRAGOMAN_TRAIN_SCHEDULE_H

#include <stdbool.h>
#include <stddef.h>

/* Order of the words of the recipe's option. */
enum schedule_kind {
    SCHEDULE_CONSTANT,
    SCHEDULE_LINEAR,
    SCHEDULE_INVERSE_SQRT,
    SCHEDULE_STEP,
    SCHEDULE_PLATEAU
};

struct schedule {
    enum schedule_kind kind;
    double rate;   /* the highest */
    double warmup; /* share of the run in which it rises */
    double final;  /* linear: share of the highest that is left at the end */
    double decay;  /* step and plateau */
    size_t decay_from, decay_every;
};

struct schedule_place { /* of an update */
    double progress;    /* share of the run that is done, 0 to 1 */
    size_t update;      /* 1, 2, ... */
    size_t epoch;       /* epochs that are done */
    size_t plateaus;    /* met so far, counted by the trainer */
};
double schedule_rate(const struct schedule *schedule, const struct schedule_place *place);

/* Whether the rates depend on how long the whole run is to be. */
bool schedule_needs_length(enum schedule_kind kind, double warmup);

#endif
