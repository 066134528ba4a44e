/*
 * The loop of a worker: take, start, step, send back. It blocks only when it has nothing at all to
 * do; otherwise it looks for new jobs between any two steps, so a sentence waits for one step at
 * most when there is room, and a text to be classified for one step of each lane.
 *
 * A lane is what a worker has under way with one model: a decoder with tasks in it, or texts being
 * written. Those take turns, a token each, and go back to the end of the line; a lane's step lasts
 * SLICE_NS or one token, so that many of them hold up the other lanes no longer than a few. When
 * the models may have changed (batcher_wake), idle lanes are dropped: they come back with the next
 * job if their model does.
 */
#include "serve/worker.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/mem.h"
#include "serve/instant.h"
#include "serve/task.h"
#include "serve/thread.h"
#include "serve/writing.h"

#define FRESH_ROOM 8 /* jobs taken in one turn of a model without a lane; classifications too */
#define MOST_WRITINGS 256 /* texts being written that one lane holds at most */
#define SLICE_NS 2000000  /* of one turn of a lane of writings */
#define MOST_LANES 32 /* a decoder's memory is not small; where all are busy, other models wait */

struct lane {
    struct lane *next;
    struct model *model;
    struct decoder *decoder; /* translation; else NULL */
    struct task *tasks;      /* in order of arrival */
    struct writing *writings, **last_writing;
    size_t running;
    bool stale; /* to be dropped when idle */
};

struct worker {
    pthread_t thread;
    size_t rows;
    struct batcher *batcher;
    struct mailbox *mailbox;
    struct lane *lanes;
    size_t lane_count, busy; /* lanes; jobs in them */
    unsigned wakes;
    _Atomic uint64_t steps, sentences, tokens;
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
    batcher_finish(worker->batcher, job->model, 1);
    mailbox_post(worker->mailbox, &job->mail);
}

static void send_failed(struct worker *worker, struct job *job, const struct err *err)
{
    job->result.outcome = JOB_FAILED;
    job->result.err = *err;
    send_back(worker, job);
}

static struct lane *lane_get(struct worker *worker, struct model *model, struct err *err)
{
    for (struct lane *lane = worker->lanes; lane; lane = lane->next)
        if (lane->model == model)
            return lane;
    struct lane *lane = mem_alloc(1, sizeof *lane, err);
    if (!lane)
        return NULL;
    if (model->spec.task == SPEC_TRANSLATION) {
        const struct ensemble alone = {.models = {model->seq2seq}, .count = 1};
        lane->decoder = decoder_new(&alone, worker->rows, err);
    }
    if (model->spec.task == SPEC_TRANSLATION && !lane->decoder) {
        mem_free(lane);
        return NULL;
    }
    lane->last_writing = &lane->writings;
    lane->model = model_retain(model);
    lane->next = worker->lanes;
    worker->lanes = lane;
    worker->lane_count++;
    return lane;
}

static void lane_drop(struct worker *worker, struct lane **place)
{
    struct lane *lane = *place;
    *place = lane->next;
    decoder_free(lane->decoder);
    model_release(lane->model);
    mem_free(lane);
    worker->lane_count--;
}

/* Takes a task out of its lane and sends its job back. */
static void task_leave(struct worker *worker, struct lane *lane, struct task **place)
{
    struct task *task = *place;
    *place = task->next;
    lane->running--;
    worker->busy--;
    task_cancel(task, lane->decoder);
    struct job *job = task->job;
    task_free(task);
    send_back(worker, job);
}

static void writing_enter(struct lane *lane, struct writing *writing)
{
    writing->next = NULL;
    *lane->last_writing = writing;
    lane->last_writing = &writing->next;
}

/* Takes the first of the line. */
static struct writing *writing_take(struct lane *lane)
{
    struct writing *writing = lane->writings;
    lane->writings = writing->next;
    if (!lane->writings)
        lane->last_writing = &lane->writings;
    return writing;
}

static void generate(struct worker *worker, struct lane *lane, struct job *job)
{
    struct writing *writing = writing_new(job);
    if (!writing) {
        send_back(worker, job);
        return;
    }
    writing_enter(lane, writing);
    lane->running++;
    worker->busy++;
}

static void translate(struct worker *worker, struct lane *lane, struct job *job)
{
    struct task *task = task_new(job);
    if (!task) {
        send_back(worker, job);
        return;
    }
    struct task **last = &lane->tasks;
    while (*last)
        last = &(*last)->next;
    *last = task;
    lane->running++;
    worker->busy++;
}

static void start(struct worker *worker, struct job *job)
{
    struct err err = ERR_INIT;
    const enum spec_task task = job->model->spec.task;
    job->result.taken_ns = clock_ns();
    if (atomic_load(&job->cancelled)) {
        job->result.outcome = JOB_CANCELLED;
        send_back(worker, job);
        return;
    }
    if (task != SPEC_TRANSLATION && task != SPEC_GENERATION) {
        instant_run(job);
        send_back(worker, job);
        return;
    }
    struct lane *lane = lane_get(worker, job->model, &err);
    if (!lane)
        send_failed(worker, job, &err);
    else if (task == SPEC_TRANSLATION)
        translate(worker, lane, job);
    else
        generate(worker, lane, job);
}

/* What was cancelled leaves; what waits joins, in order, as far as there is room. */
static void lane_admit(struct worker *worker, struct lane *lane)
{
    bool room = true;
    for (struct task **place = &lane->tasks; *place;) {
        struct task *task = *place;
        bool leaves = atomic_load(&task->job->cancelled);
        if (leaves)
            task->job->result.outcome = JOB_CANCELLED;
        else if (room && task->joined < task->count)
            leaves = task_join(task, lane->decoder) < 0;
        if (leaves) {
            task_leave(worker, lane, place);
            continue;
        }
        room = room && task->joined == task->count;
        place = &task->next;
    }
}

static void lane_collect(struct worker *worker, struct lane *lane)
{
    struct decode_result *result;
    while ((result = decoder_take(lane->decoder))) {
        struct task *task = task_of(result);
        if (!task_finish(task, result))
            continue;
        struct task **place = &lane->tasks;
        while (*place != task)
            place = &(*place)->next;
        task_leave(worker, lane, place);
    }
}

/* The decoder is of no use any more: every job in it fails. */
static void lane_fail(struct worker *worker, struct lane *lane, const struct err *err)
{
    while (lane->tasks) {
        lane->tasks->job->result.outcome = JOB_FAILED;
        lane->tasks->job->result.err = *err;
        task_leave(worker, lane, &lane->tasks);
    }
    lane->stale = true;
}

/* A token for the first of the line, and for the next ones while there is time. */
static void lane_write(struct worker *worker, struct lane *lane)
{
    int64_t end_ns = clock_ns() + SLICE_NS;
    uint64_t tokens = 0;
    do {
        struct writing *writing = writing_take(lane);
        tokens++;
        if (writing_step(writing, worker->mailbox)) {
            writing_enter(lane, writing);
            continue;
        }
        struct job *job = writing->job;
        lane->running--;
        worker->busy--;
        writing_free(writing);
        send_back(worker, job);
    } while (lane->writings && clock_ns() < end_ns);
    atomic_fetch_add_explicit(&worker->tokens, tokens, memory_order_relaxed);
}

static void lane_decode(struct worker *worker, struct lane *lane)
{
    struct err err = ERR_INIT;
    lane_admit(worker, lane);
    if (decoder_idle(lane->decoder))
        return;
    atomic_fetch_add_explicit(&worker->steps, 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&worker->sentences, lane->running, memory_order_relaxed);
    if (decoder_step(lane->decoder, &err) < 0)
        lane_fail(worker, lane, &err);
    else
        lane_collect(worker, lane);
}

/* Jobs of its model that a lane can take: none while a sentence in it still waits for rows. */
static size_t lane_room(const struct lane *lane)
{
    for (const struct task *task = lane->tasks; task; task = task->next)
        if (task->joined < task->count)
            return 0;
    if (!lane->decoder)
        return MOST_WRITINGS - lane->running;
    return decoder_free_rows(lane->decoder) / lane->model->spec.beam;
}

static struct job *take(struct worker *worker)
{
    struct batcher_room rooms[MOST_LANES];
    size_t count = 0;
    for (struct lane *lane = worker->lanes; lane && count < MOST_LANES; lane = lane->next)
        rooms[count++] = (struct batcher_room){
            .model = lane->model, .running = lane->running, .room = lane_room(lane)};
    size_t fresh = worker->lane_count < MOST_LANES ? FRESH_ROOM : 0;
    struct job *list;
    unsigned before = worker->wakes;
    batcher_take(worker->batcher, rooms, count, fresh, worker->busy == 0, &worker->wakes, &list);
    for (struct lane *lane = worker->lanes; lane && worker->wakes != before; lane = lane->next)
        lane->stale = true;
    return list;
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
        for (struct lane *lane = worker->lanes; lane; lane = lane->next) {
            if (lane->tasks)
                lane_decode(worker, lane);
            if (lane->writings)
                lane_write(worker, lane);
        }
        drop_stale(worker);
    }
    while (worker->lanes)
        lane_drop(worker, &worker->lanes);
    return NULL;
}

struct workers *workers_start(size_t count, size_t rows, struct batcher *batcher,
                              struct mailbox *mailbox, struct err *err)
{
    struct workers *workers = mem_alloc(1, sizeof *workers + count * sizeof(struct worker), err);
    if (!workers)
        return NULL;
    workers->count = count;
    workers->batcher = batcher;
    for (size_t i = 0; i < count; i++) {
        struct worker *worker = &workers->worker[i];
        char name[16];
        worker->rows = rows;
        worker->batcher = batcher;
        worker->mailbox = mailbox;
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
    struct workers_counters sum = {0};
    for (size_t i = 0; i < workers->count; i++) {
        sum.steps += atomic_load_explicit(&workers->worker[i].steps, memory_order_relaxed);
        sum.tokens += atomic_load_explicit(&workers->worker[i].tokens, memory_order_relaxed);
        sum.sentences += atomic_load_explicit(&workers->worker[i].sentences, memory_order_relaxed);
    }
    return sum;
}
