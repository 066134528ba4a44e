/*
 * The batcher: a short list of queues under one mutex. A queue exists while jobs of its model wait
 * or run and holds a reference to the model, so a model that a reload has replaced lives until its
 * last job is done.
 */
#include "serve/batcher.h"

#include <pthread.h>

#include "base/mem.h"

struct model_queue {
    struct model_queue *next;
    struct model *model;
    struct job *first, *last;
    size_t waiting, running;
};

struct batcher {
    pthread_mutex_t lock;
    pthread_cond_t arrived;
    struct model_queue *queues; /* all below: under the lock */
    size_t capacity, workers, waiting;
    unsigned wakes; /* counts calls of batcher_wake */
    bool closed;
};

struct batcher *batcher_new(size_t capacity, size_t workers, struct err *err)
{
    struct batcher *batcher = mem_alloc(1, sizeof *batcher, err);
    if (!batcher)
        return NULL;
    batcher->capacity = capacity;
    batcher->workers = workers;
    pthread_mutex_init(&batcher->lock, NULL);
    pthread_cond_init(&batcher->arrived, NULL);
    return batcher;
}

static void queue_drop(struct model_queue **place)
{
    struct model_queue *queue = *place;
    *place = queue->next;
    model_release(queue->model);
    mem_free(queue);
}

void batcher_free(struct batcher *batcher)
{
    if (!batcher)
        return;
    while (batcher->queues)
        queue_drop(&batcher->queues);
    pthread_cond_destroy(&batcher->arrived);
    pthread_mutex_destroy(&batcher->lock);
    mem_free(batcher);
}

static struct model_queue **queue_find(struct batcher *batcher, const struct model *model)
{
    struct model_queue **place = &batcher->queues;
    while (*place && (*place)->model != model)
        place = &(*place)->next;
    return place;
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

static void queue_append(struct model_queue *queue, struct job *job)
{
    job->next = NULL;
    job->previous = queue->last;
    if (queue->last)
        queue->last->next = job;
    else
        queue->first = job;
    queue->last = job;
    queue->waiting++;
    job->state = JOB_QUEUED;
}

static void queue_remove(struct model_queue *queue, struct job *job)
{
    *(job->previous ? &job->previous->next : &queue->first) = job->next;
    *(job->next ? &job->next->previous : &queue->last) = job->previous;
    job->next = job->previous = NULL;
    queue->waiting--;
}

static void drop_if_unused(struct batcher *batcher, const struct model *model)
{
    struct model_queue **place = queue_find(batcher, model);
    if (*place && (*place)->waiting == 0 && (*place)->running == 0)
        queue_drop(place);
}

static int push_locked(struct batcher *batcher, struct job *jobs, size_t count, struct err *err)
{
    if (batcher->closed || count > batcher->capacity - batcher->waiting)
        return err_set(err, ERR_BUSY, "the queue is full");
    struct model_queue *queue = queue_get(batcher, jobs[0].model, err);
    if (!queue)
        return ERR_MEMORY;
    for (size_t i = 0; i < count; i++)
        queue_append(queue, &jobs[i]);
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
        queue_remove(*queue_find(batcher, job->model), job);
        batcher->waiting--;
        job->state = JOB_IDLE;
        drop_if_unused(batcher, job->model);
    }
    pthread_mutex_unlock(&batcher->lock);
    return waiting;
}

/* How many jobs a worker with this room may take: its share is an equal part, rounded up, of all
   that wait and run. */
static size_t allowance(const struct batcher *batcher, const struct model_queue *queue,
                        const struct batcher_room *rooms, size_t count, size_t fresh_room)
{
    size_t running = 0, room = fresh_room;
    for (size_t i = 0; i < count; i++) {
        if (rooms[i].model == queue->model) {
            running = rooms[i].running;
            room = rooms[i].room;
        }
    }
    size_t all = queue->waiting + queue->running;
    size_t share = (all + batcher->workers - 1) / batcher->workers;
    size_t allowed = share > running ? share - running : 0;
    if (allowed > room)
        allowed = room;
    return allowed < queue->waiting ? allowed : queue->waiting;
}

static struct job **take_from(struct batcher *batcher, struct model_queue *queue, size_t count,
                              struct job **tail)
{
    for (size_t i = 0; i < count; i++) {
        struct job *job = queue->first;
        queue_remove(queue, job);
        job->state = JOB_TAKEN;
        *tail = job;
        tail = &job->next;
    }
    queue->running += count;
    batcher->waiting -= count;
    return tail;
}

static size_t take_locked(struct batcher *batcher, const struct batcher_room *rooms, size_t count,
                          size_t fresh_room, struct job **list)
{
    size_t taken = 0;
    struct job **tail = list;
    for (struct model_queue *queue = batcher->queues; queue; queue = queue->next) {
        size_t allowed = allowance(batcher, queue, rooms, count, fresh_room);
        tail = take_from(batcher, queue, allowed, tail);
        taken += allowed;
    }
    return taken;
}

size_t batcher_take(struct batcher *batcher, const struct batcher_room *rooms, size_t count,
                    size_t fresh_room, bool wait, unsigned *wakes, struct job **list)
{
    *list = NULL;
    pthread_mutex_lock(&batcher->lock);
    size_t taken = take_locked(batcher, rooms, count, fresh_room, list);
    while (wait && taken == 0 && !batcher->closed && batcher->wakes == *wakes) {
        pthread_cond_wait(&batcher->arrived, &batcher->lock);
        taken = take_locked(batcher, rooms, count, fresh_room, list);
    }
    *wakes = batcher->wakes;
    pthread_mutex_unlock(&batcher->lock);
    return taken;
}

void batcher_finish(struct batcher *batcher, const struct model *model, size_t count)
{
    pthread_mutex_lock(&batcher->lock);
    struct model_queue **place = queue_find(batcher, model);
    (*place)->running -= count;
    drop_if_unused(batcher, model);
    pthread_mutex_unlock(&batcher->lock);
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
