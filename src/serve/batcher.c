/*
 * The batcher: queues of models, in them lines of clients, under one mutex. A queue exists while
 * jobs of its model wait or run and holds a reference to the model, so a model that a reload has
 * replaced lives until its last job is done; a line exists while jobs of its client do.
 *
 * The lines of a queue in which jobs wait stand in one of two rows: `fresh`, of clients of which
 * nothing runs, in order of arrival, and `busy`, which takes turns. All is found in constant time,
 * however many clients there are.
 */
#include "serve/batcher.h"

#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"

#define BUCKETS 1024

struct job_line {                     /* of one client, for one model */
    struct job_line *next, *previous; /* in its row */
    struct job_line *next_in_bucket;
    struct line_row *row; /* NULL: nothing waits */
    struct model_queue *queue;
    uint64_t client;
    struct job *first, *last;
    size_t waiting, running;
};
struct line_row {
    struct job_line *first, *last;
};
struct model_queue {
    struct model_queue *next;
    struct model *model;
    struct line_row fresh, busy;
    size_t waiting, running;
    int64_t since_ns; /* when something came to a queue in which nothing waited */
};

struct batcher {
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    struct batcher_settings settings;
    struct model_queue *queues; /* all below: under the lock */
    struct job_line *buckets[BUCKETS];
    size_t waiting;
    unsigned wakes; /* counts calls of batcher_wake */
    bool closed;
};

struct batcher *batcher_new(const struct batcher_settings *settings, struct err *err)
{
    pthread_condattr_t monotonic;
    struct batcher *batcher = mem_alloc(1, sizeof *batcher, err);
    if (!batcher)
        return NULL;
    batcher->settings = *settings;
    pthread_mutex_init(&batcher->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&batcher->arrived, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return batcher;
}

/* Queues and lines ---------------------------------------------------------------------------- */

static struct model_queue **queue_find(struct batcher *batcher, const struct model *model)
{
    struct model_queue **place = &batcher->queues;
    while (*place && (*place)->model != model)
        place = &(*place)->next;
    return place;
}

static void queue_drop(struct model_queue **place)
{
    struct model_queue *queue = *place;
    *place = queue->next;
    model_release(queue->model);
    mem_free(queue);
}

/* New queues go to the end: the order in which models are looked at is the order of arrival. */
static struct model_queue *queue_get(struct batcher *batcher, struct model *model, struct err *err)
{
    struct model_queue **place = queue_find(batcher, model);
    if (*place)
        return *place;
    struct model_queue *queue = mem_alloc(1, sizeof *queue, err);
    if (!queue)
        return NULL;
    queue->model = model_retain(model);
    *place = queue;
    return queue;
}

static struct job_line **line_find(struct batcher *batcher, const struct model_queue *queue,
                                   uint64_t client)
{
    uint64_t key = (client ^ (uintptr_t)queue) * 0x9E3779B97F4A7C15u; /* 2^64 / golden ratio */
    struct job_line **place = &batcher->buckets[key >> 54];
    while (*place && ((*place)->queue != queue || (*place)->client != client))
        place = &(*place)->next_in_bucket;
    return place;
}

static struct job_line *line_get(struct batcher *batcher, struct model_queue *queue,
                                 uint64_t client, struct err *err)
{
    struct job_line **place = line_find(batcher, queue, client);
    if (*place)
        return *place;
    struct job_line *line = mem_alloc(1, sizeof *line, err);
    if (!line)
        return NULL;
    line->queue = queue;
    line->client = client;
    *place = line;
    return line;
}

static void line_leave(struct job_line *line)
{
    struct line_row *row = line->row;
    if (!row)
        return;
    *(line->previous ? &line->previous->next : &row->first) = line->next;
    *(line->next ? &line->next->previous : &row->last) = line->previous;
    line->next = line->previous = NULL;
    line->row = NULL;
}

static void line_enter(struct job_line *line, struct line_row *row)
{
    line->previous = row->last;
    *(row->last ? &row->last->next : &row->first) = line;
    row->last = line;
    line->row = row;
}

/* Where a line belongs; one that is there already keeps its place. */
static void line_settle(struct job_line *line)
{
    struct model_queue *queue = line->queue;
    struct line_row *row = line->running > 0 ? &queue->busy : &queue->fresh;
    if (line->waiting > 0 && line->row == row)
        return;
    line_leave(line);
    if (line->waiting > 0)
        line_enter(line, row);
}

static void line_append(struct job_line *line, struct job *job)
{
    job->line = line;
    job->next = NULL;
    job->previous = line->last;
    *(line->last ? &line->last->next : &line->first) = job;
    line->last = job;
    line->waiting++;
    line->queue->waiting++;
    job->state = JOB_QUEUED;
}

static void line_remove(struct job_line *line, struct job *job)
{
    *(job->previous ? &job->previous->next : &line->first) = job->next;
    *(job->next ? &job->next->previous : &line->last) = job->previous;
    job->next = job->previous = NULL;
    line->waiting--;
    line->queue->waiting--;
}

static void drop_if_unused(struct batcher *batcher, struct job_line *line)
{
    struct model_queue *queue = line->queue;
    if (line->waiting == 0 && line->running == 0) {
        *line_find(batcher, queue, line->client) = line->next_in_bucket;
        mem_free(line);
    }
    if (queue->waiting == 0 && queue->running == 0)
        queue_drop(queue_find(batcher, queue->model));
}

void batcher_free(struct batcher *batcher)
{
    if (!batcher)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        while (batcher->buckets[i]) {
            struct job_line *line = batcher->buckets[i];
            batcher->buckets[i] = line->next_in_bucket;
            mem_free(line);
        }
    while (batcher->queues)
        queue_drop(&batcher->queues);
    pthread_cond_destroy(&batcher->arrived);
    pthread_mutex_destroy(&batcher->lock);
    mem_free(batcher);
}

/* Coming and going ---------------------------------------------------------------------------- */

static int push_locked(struct batcher *batcher, struct job *jobs, size_t count, struct err *err)
{
    if (batcher->closed || count > batcher->settings.capacity - batcher->waiting)
        return err_set(err, ERR_BUSY, "the queue is full");
    struct model_queue *queue = queue_get(batcher, jobs[0].model, err);
    if (!queue)
        return ERR_MEMORY;
    struct job_line *line = line_get(batcher, queue, jobs[0].client, err);
    if (!line) {
        if (queue->waiting == 0 && queue->running == 0)
            queue_drop(queue_find(batcher, queue->model));
        return ERR_MEMORY;
    }
    if (queue->waiting == 0 && batcher->settings.wait_ns > 0)
        queue->since_ns = clock_ns();
    for (size_t i = 0; i < count; i++)
        line_append(line, &jobs[i]);
    line_settle(line);
    batcher->waiting += count;
    if (count > 1)
        pthread_cond_broadcast(&batcher->arrived);
    else
        pthread_cond_signal(&batcher->arrived);
    return 0;
}

int batcher_push(struct batcher *batcher, struct job *jobs, size_t count, struct err *err)
{
    if (count == 0)
        return 0;
    pthread_mutex_lock(&batcher->lock);
    int rc = push_locked(batcher, jobs, count, err);
    pthread_mutex_unlock(&batcher->lock);
    return rc;
}

bool batcher_cancel(struct batcher *batcher, struct job *job)
{
    atomic_store(&job->cancelled, true);
    pthread_mutex_lock(&batcher->lock);
    bool waiting = job->state == JOB_QUEUED;
    if (waiting) {
        line_remove(job->line, job);
        line_settle(job->line);
        batcher->waiting--;
        job->state = JOB_IDLE;
        drop_if_unused(batcher, job->line);
    }
    pthread_mutex_unlock(&batcher->lock);
    return waiting;
}

void batcher_finish(struct batcher *batcher, struct job *job)
{
    pthread_mutex_lock(&batcher->lock);
    struct job_line *line = job->line;
    line->running--;
    line->queue->running--;
    line_settle(line);
    drop_if_unused(batcher, line);
    pthread_mutex_unlock(&batcher->lock);
}

/* Taking -------------------------------------------------------------------------------------- */

struct taking { /* by one worker */
    struct batcher *batcher;
    struct job **tail;
    size_t taken, rows;
};

/* Jobs that a worker with this room may take: its share is an equal part, rounded up, of all that
   wait and run. */
static size_t allowance(const struct batcher *batcher, const struct model_queue *queue,
                        const struct batcher_room *room)
{
    size_t all = queue->waiting + queue->running, workers = batcher->settings.workers;
    size_t share = (all + workers - 1) / workers;
    size_t allowed = share > room->running ? share - room->running : 0;
    if (room->shut)
        return 0;
    return allowed < room->jobs ? allowed : room->jobs;
}

static bool is_sated(const struct batcher_room *room, uint64_t client)
{
    for (size_t i = 0; i < room->sated_count; i++)
        if (room->sated[i] == client)
            return true;
    return false;
}

static void take_first(struct taking *taking, struct job_line *line)
{
    struct job *job = line->first;
    line_remove(line, job);
    job->state = JOB_TAKEN;
    *taking->tail = job;
    taking->tail = &job->next;
    taking->taken++;
    taking->batcher->waiting--;
    line->running++;
    line->queue->running++;
    line_leave(line); /* to the end of its row */
    line_settle(line);
}

static struct job_line *first_hungry(const struct line_row *row, const struct batcher_room *room)
{
    struct job_line *line = row->first;
    while (line && is_sated(room, line->client))
        line = line->next;
    return line;
}

/* Takes a job of each line of the row in turn, as long as there is room. A line whose first job is
   too wide holds up those behind it: it would never find room otherwise. False: that is so. */
static bool take_row(struct taking *taking, const struct line_row *row,
                     const struct batcher_room *room, size_t most, size_t rows)
{
    struct job_line *line;
    while (taking->taken < most && (line = first_hungry(row, room))) {
        const size_t wanted = line->first->width;
        if (wanted > rows - taking->rows)
            return false;
        taking->rows += wanted;
        take_first(taking, line);
    }
    return true;
}

/* Whether those that wait fill the room. */
static bool is_company(const struct model_queue *queue, const struct batcher_room *room)
{
    const struct job_line *line = queue->fresh.first ? queue->fresh.first : queue->busy.first;
    return line && queue->waiting * line->first->width >= room->rows;
}

/* Whether a queue's jobs need not wait for company any more. */
static bool is_ready(const struct batcher *batcher, const struct model_queue *queue,
                     const struct batcher_room *room, int64_t *until_ns)
{
    const int64_t end_ns = queue->since_ns + batcher->settings.wait_ns;
    if (batcher->settings.wait_ns == 0 || queue->model->spec.task != SPEC_TRANSLATION ||
        room->running > 0 || is_company(queue, room) || batcher->closed || clock_ns() >= end_ns)
        return true;
    *until_ns = *until_ns && *until_ns < end_ns ? *until_ns : end_ns;
    return false;
}

static struct job **take_from(struct batcher *batcher, struct model_queue *queue,
                              const struct batcher_room *room, struct job **tail)
{
    struct taking taking = {.batcher = batcher, .tail = tail};
    const size_t most = allowance(batcher, queue, room);
    if (take_row(&taking, &queue->fresh, room, most, room->rows) && room->rows > room->reserve) {
        const size_t rows = room->rows - room->reserve;
        take_row(&taking, &queue->busy, room, most, rows > taking.rows ? rows : taking.rows);
    }
    return taking.tail;
}

/* until_ns: when to look again at the latest, where something waits for company; 0: it does not. */
static size_t take_locked(struct batcher *batcher, const struct batcher_room *rooms, size_t count,
                          const struct batcher_room *fresh, int64_t *until_ns, struct job **list)
{
    const size_t before = batcher->waiting;
    struct job **tail = list;
    *until_ns = 0;
    for (struct model_queue *queue = batcher->queues; queue; queue = queue->next) {
        const struct batcher_room *room = fresh;
        for (size_t i = 0; i < count; i++)
            if (rooms[i].model == queue->model)
                room = &rooms[i];
        if (is_ready(batcher, queue, room, until_ns))
            tail = take_from(batcher, queue, room, tail);
    }
    return before - batcher->waiting;
}

static void wait_until(struct batcher *batcher, int64_t until_ns)
{
    const struct timespec until = {.tv_sec = until_ns / 1000000000,
                                   .tv_nsec = until_ns % 1000000000};
    if (until_ns)
        pthread_cond_timedwait(&batcher->arrived, &batcher->lock, &until);
    else
        pthread_cond_wait(&batcher->arrived, &batcher->lock);
}

size_t batcher_take(struct batcher *batcher, const struct batcher_room *rooms, size_t count,
                    const struct batcher_room *fresh, bool wait, unsigned *wakes, struct job **list)
{
    int64_t until_ns;
    *list = NULL;
    pthread_mutex_lock(&batcher->lock);
    size_t taken = take_locked(batcher, rooms, count, fresh, &until_ns, list);
    while (wait && taken == 0 && !batcher->closed && batcher->wakes == *wakes) {
        wait_until(batcher, until_ns);
        taken = take_locked(batcher, rooms, count, fresh, &until_ns, list);
    }
    *wakes = batcher->wakes;
    pthread_mutex_unlock(&batcher->lock);
    return taken;
}

void batcher_wake(struct batcher *batcher)
{
    pthread_mutex_lock(&batcher->lock);
    batcher->wakes++;
    pthread_cond_broadcast(&batcher->arrived);
    pthread_mutex_unlock(&batcher->lock);
}

void batcher_close(struct batcher *batcher)
{
    pthread_mutex_lock(&batcher->lock);
    batcher->closed = true;
    pthread_cond_broadcast(&batcher->arrived);
    pthread_mutex_unlock(&batcher->lock);
}

bool batcher_closed(struct batcher *batcher)
{
    pthread_mutex_lock(&batcher->lock);
    bool closed = batcher->closed;
    pthread_mutex_unlock(&batcher->lock);
    return closed;
}

size_t batcher_waiting(struct batcher *batcher)
{
    pthread_mutex_lock(&batcher->lock);
    size_t waiting = batcher->waiting;
    pthread_mutex_unlock(&batcher->lock);
    return waiting;
}
