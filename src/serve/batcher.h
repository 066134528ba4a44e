/*
 * Jobs waiting for a worker, one queue for each model, so that requests of different clients meet
 * in one batch. Bounded: what does not fit is refused at once. Any thread may call anything but
 * batcher_new and batcher_free.
 */
#ifndef DRAGOMAN_SERVE_BATCHER_H
#define DRAGOMAN_SERVE_BATCHER_H

#include "serve/job.h"

struct batcher;
/* capacity: jobs waiting at most; workers: how many threads will take. */
struct batcher *batcher_new(size_t capacity, size_t workers, struct err *err);
/* Nothing may wait or run any more. */
void batcher_free(struct batcher *batcher);

/* Queues jobs[0..count) for their model, all or none: ERR_BUSY when they do not fit. */
int batcher_push(struct batcher *batcher, struct job *jobs, size_t count, struct err *err);
/* True: the job was still waiting and is the caller's again. False: a worker has it, is told
   through job->cancelled, and will send it back. */
bool batcher_cancel(struct batcher *batcher, struct job *job);

/* What a worker has of one model: `running` jobs, and place for `room` more. */
struct batcher_room {
    const struct model *model;
    size_t running, room;
};
/*
 * Takes jobs as a list linked by next: of each model at most the worker's room and at most its fair
 * share of all that wait and run, so that no worker fills up while another has nothing to do.
 * Models that `rooms` does not name have room for fresh_room. With `wait`, blocks until there is
 * something, the batcher is closed, or batcher_wake was called since *wakes, which is brought up
 * to date. Returns the number taken.
 */
size_t batcher_take(struct batcher *batcher, const struct batcher_room *rooms, size_t count,
                    size_t fresh_room, bool wait, unsigned *wakes, struct job **list);
/* Says that jobs taken of this model are finished. */
void batcher_finish(struct batcher *batcher, const struct model *model, size_t count);

void batcher_wake(struct batcher *batcher);  /* every worker's next waiting batcher_take returns */
void batcher_close(struct batcher *batcher); /* no pushes any more, and no waiting */
bool batcher_closed(struct batcher *batcher);
size_t batcher_waiting(struct batcher *batcher);

#endif
