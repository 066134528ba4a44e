/*
 * Jobs waiting for a worker. Each model has a queue, so that requests of different clients meet in
 * one batch; in it each client has a line of its own, and the lines are served in turn, those first
 * of which nothing runs. So a client that sends much waits behind itself alone. Bounded: what does
 * not fit is refused at once. Any thread may call anything but batcher_new and batcher_free.
 */
#ifndef DRAGOMAN_SERVE_BATCHER_H
#define DRAGOMAN_SERVE_BATCHER_H

#include "serve/job.h"

struct batcher;
struct batcher_settings {
    size_t capacity; /* jobs waiting at most */
    size_t workers;  /* threads that will take */
    int64_t wait_ns; /* a translation waits so long for company where none of its model is under
                        way; 0: not at all */
};
struct batcher *batcher_new(const struct batcher_settings *settings, struct err *err);
/* Nothing may wait or run any more. */
void batcher_free(struct batcher *batcher);

/* Queues jobs[0..count), all of one model and client, all or none: ERR_BUSY when they do not fit.
 */
int batcher_push(struct batcher *batcher, struct job *jobs, size_t count, struct err *err);
/* True: the job was still waiting and is the caller's again. False: a worker has it, is told
   through job->cancelled, and will send it back. */
bool batcher_cancel(struct batcher *batcher, struct job *job);

/* What a worker has of one model, and can take. */
struct batcher_room {
    const struct model *model;
    size_t running;        /* jobs */
    size_t jobs;           /* it can take */
    size_t rows;           /* for them, of which: */
    size_t reserve;        /* are only for clients of which nothing of this model runs */
    const uint64_t *sated; /* clients that get nothing now, [sated_count] */
    size_t sated_count;
    bool shut; /* it takes nothing at all */
};
/*
 * Takes jobs as a list linked by next: of each model what the worker has room for and at most its
 * fair share of all that wait and run, so that no worker fills up while another has nothing to do.
 * Models that `rooms` does not name have the room `fresh`. With `wait`, blocks until there is
 * something, the batcher is closed, or batcher_wake was called since *wakes, which is brought up
 * to date. Returns the number taken.
 */
size_t batcher_take(struct batcher *batcher, const struct batcher_room *rooms, size_t count,
                    const struct batcher_room *fresh, bool wait, unsigned *wakes,
                    struct job **list);
/* Says that a job that was taken is finished. It is no longer looked at. */
void batcher_finish(struct batcher *batcher, struct job *job);

void batcher_wake(struct batcher *batcher);  /* every worker's next waiting batcher_take returns */
void batcher_close(struct batcher *batcher); /* no pushes any more, and no waiting */
bool batcher_closed(struct batcher *batcher);
size_t batcher_waiting(struct batcher *batcher);

#endif
