/*
 * What a worker has under way with one model: translations in a running batch, texts being written,
 * or texts to be read in one go. Every kind takes turns in the same way: jobs start, and each step
 * does a little of what is there.
 *
 * A lane belongs to its worker.
 */
#ifndef DRAGOMAN_SERVE_LANE_H
#define DRAGOMAN_SERVE_LANE_H

#include "serve/batcher.h"
#include "serve/work.h"

struct lane_settings {
    size_t rows; /* hypotheses, or texts being written, that are advanced together at most */
    bool whole;  /* whole-request batching (serve/translating.h) */
    struct mailbox *mailbox;
};

struct lane {
    struct lane *next;
    struct model *model;
    size_t running;  /* jobs */
    int64_t used_ns; /* of the worker's time; of lanes that have something the least comes next */
    bool stale;      /* to be dropped when idle */
    /* One of: */
    struct translating *translating;
    struct writings *writings;
    struct job *first, **last; /* to be read */
};

struct lane *lane_new(const struct lane_settings *settings, struct model *model, struct err *err);
void lane_free(struct lane *lane); /* nothing may be under way */
/* True: the job is under way. False: job->result is complete. */
bool lane_start(struct lane *lane, struct job *job);
/* Returns the jobs that are complete, as a list linked by next. */
struct job *lane_step(struct lane *lane, struct work *work);
void lane_room(struct lane *lane, struct batcher_room *room);
/* The room for any model that has no lane. */
void lane_fresh_room(const struct lane_settings *settings, struct batcher_room *room);
size_t lane_rows(const struct lane *lane); /* that its decoder holds, or texts being written */

#endif
