/*
 * The loop of a worker: take, start, step, send back. It blocks only when it has nothing at all to
 * do; otherwise it looks for new jobs between any two steps, so a sentence, or a text to be
 * classified, waits for one step at most before it has its turn.
 *
 * Of the lanes that have something the one steps that has had the least of the worker's time, so
 * that models share it evenly however long their steps are. A lane that was idle does not make up
 * for it. When the models may have changed (batcher_wake), idle lanes are dropped: they come back
 * with the next job if their model does.
 */
#include "serve/worker.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/lane.h"
#include "serve/thread.h"

#define MOST_LANES 32 /* a decoder's memory is not small; where all are busy, other models wait */

struct worker {
    pthread_t thread;
    struct batcher *batcher;
    struct lane_settings settings;
    struct lane *lanes;
    size_t lane_count, busy; /* lanes; jobs in them */
    int64_t used_ns;         /* of the lane that stepped last, when it did */
    unsigned wakes;
    struct work work;
    /* What others may read: */
    _Atomic uint64_t steps, sentences, encoded, encodings, tokens, rows;
};

struct workers {
    struct batcher *batcher;
    size_t count, started;
    struct worker worker[];
};

/* After this the job may be gone at any moment. */
static void send_back(struct worker *worker, struct job *job)
{
    job->result.done_ns = clock_ns();
    batcher_finish(worker->batcher, job);
    mailbox_post(worker->settings.mailbox, &job->mail);
}

static struct lane *lane_get(struct worker *worker, struct model *model, struct err *err)
{
    for (struct lane *lane = worker->lanes; lane; lane = lane->next)
        if (lane->model == model)
            return lane;
    struct lane *lane = lane_new(&worker->settings, model, err);
    if (!lane)
        return NULL;
    lane->next = worker->lanes;
    worker->lanes = lane;
    worker->lane_count++;
    return lane;
}

static void lane_drop(struct worker *worker, struct lane **place)
{
    struct lane *lane = *place;
    *place = lane->next;
    lane_free(lane);
    worker->lane_count--;
}

static void start(struct worker *worker, struct job *job)
{
    struct err err = ERR_INIT;
    struct lane *lane = NULL;
    job->result.taken_ns = clock_ns();
    if (atomic_load(&job->cancelled))
        job->result.outcome = JOB_CANCELLED;
    else if (!(lane = lane_get(worker, job->model, &err)))
        job_fail(job, &err);
    if (lane && lane->running == 0 && lane->used_ns < worker->used_ns)
        lane->used_ns = worker->used_ns;
    if (lane && lane_start(lane, job))
        worker->busy++;
    else
        send_back(worker, job);
}

static struct job *take(struct worker *worker)
{
    struct batcher_room rooms[MOST_LANES], fresh;
    size_t count = 0;
    for (struct lane *lane = worker->lanes; lane && count < MOST_LANES; lane = lane->next)
        lane_room(lane, &rooms[count++]);
    lane_fresh_room(&worker->settings, &fresh);
    fresh.shut = worker->lane_count == MOST_LANES;
    struct job *list;
    unsigned before = worker->wakes;
    batcher_take(worker->batcher, rooms, count, &fresh, worker->busy == 0, &worker->wakes, &list);
    for (struct lane *lane = worker->lanes; lane && worker->wakes != before; lane = lane->next)
        lane->stale = true;
    return list;
}

static struct lane *next_lane(const struct worker *worker)
{
    struct lane *least = NULL;
    for (struct lane *lane = worker->lanes; lane; lane = lane->next)
        if (lane->running > 0 && (!least || lane->used_ns < least->used_ns))
            least = lane;
    return least;
}

static void publish(struct worker *worker)
{
    const struct work *work = &worker->work;
    size_t rows = 0;
    for (const struct lane *lane = worker->lanes; lane; lane = lane->next)
        rows += lane_rows(lane);
    atomic_store_explicit(&worker->steps, work->steps, memory_order_relaxed);
    atomic_store_explicit(&worker->sentences, work->sentences, memory_order_relaxed);
    atomic_store_explicit(&worker->encoded, work->encoded, memory_order_relaxed);
    atomic_store_explicit(&worker->encodings, work->encodings, memory_order_relaxed);
    atomic_store_explicit(&worker->tokens, work->tokens, memory_order_relaxed);
    atomic_store_explicit(&worker->rows, rows, memory_order_relaxed);
}

static void step(struct worker *worker, struct lane *lane)
{
    const int64_t begin_ns = clock_ns();
    worker->used_ns = lane->used_ns;
    struct job *done = lane_step(lane, &worker->work);
    lane->used_ns += clock_ns() - begin_ns;
    publish(worker);
    for (struct job *next; done; done = next) {
        next = done->next;
        worker->busy--;
        send_back(worker, done);
    }
}

/* Also whatever is idle when there is no place for another lane. */
static void drop_stale(struct worker *worker)
{
    bool full = worker->lane_count == MOST_LANES;
    for (struct lane **place = &worker->lanes; *place;) {
        if (((*place)->stale || full) && (*place)->running == 0)
            lane_drop(worker, place);
        else
            place = &(*place)->next;
    }
}

static void *run(void *argument)
{
    struct worker *worker = argument;
    while (worker->busy > 0 || !batcher_closed(worker->batcher) ||
           batcher_waiting(worker->batcher) > 0) {
        for (struct job *job = take(worker), *next; job; job = next) {
            next = job->next;
            start(worker, job);
        }
        struct lane *lane = next_lane(worker);
        if (lane)
            step(worker, lane);
        drop_stale(worker);
    }
    while (worker->lanes)
        lane_drop(worker, &worker->lanes);
    return NULL;
}

struct workers *workers_start(const struct workers_settings *settings, struct batcher *batcher,
                              struct mailbox *mailbox, struct err *err)
{
    const size_t count = settings->count;
    struct workers *workers = mem_alloc(1, sizeof *workers + count * sizeof(struct worker), err);
    if (!workers)
        return NULL;
    workers->count = count;
    workers->batcher = batcher;
    for (size_t i = 0; i < count; i++) {
        struct worker *worker = &workers->worker[i];
        char name[16];
        worker->batcher = batcher;
        worker->settings = (struct lane_settings){
            .rows = settings->rows, .whole = settings->whole, .mailbox = mailbox};
        snprintf(name, sizeof name, "worker-%u", (unsigned)(i % 10000));
        if (thread_start(&worker->thread, name, run, worker, err) < 0) {
            workers_stop(workers);
            return NULL;
        }
        workers->started++;
    }
    return workers;
}

void workers_stop(struct workers *workers)
{
    if (!workers)
        return;
    batcher_close(workers->batcher);
    for (size_t i = 0; i < workers->started; i++)
        pthread_join(workers->worker[i].thread, NULL);
    mem_free(workers);
}

struct workers_counters workers_counters(const struct workers *workers)
{
    struct workers_counters sum = {.rows = 0};
    for (size_t i = 0; i < workers->count; i++) {
        const struct worker *worker = &workers->worker[i];
        sum.work.steps += atomic_load_explicit(&worker->steps, memory_order_relaxed);
        sum.work.sentences += atomic_load_explicit(&worker->sentences, memory_order_relaxed);
        sum.work.encoded += atomic_load_explicit(&worker->encoded, memory_order_relaxed);
        sum.work.encodings += atomic_load_explicit(&worker->encodings, memory_order_relaxed);
        sum.work.tokens += atomic_load_explicit(&worker->tokens, memory_order_relaxed);
        sum.rows += atomic_load_explicit(&worker->rows, memory_order_relaxed);
    }
    return sum;
}
