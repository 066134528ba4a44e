/* A bounded queue: a ring under one mutex, with one condition on the monotonic clock for those who
   wait for an item. Producers never wait: a full queue is the caller's back-pressure. */
#include "base/queue.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t arrived; /* an item was pushed, or the queue was closed */
    void **ring;
    size_t capacity, head, length;
    bool closed;
};

static int init_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes))
        return -1;
    int rc = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    if (!rc)
        rc = pthread_cond_init(condition, &attributes);
    pthread_condattr_destroy(&attributes);
    return rc ? -1 : 0;
}

struct queue *queue_new(size_t capacity, struct err *err)
{
    if (capacity == 0) {
        err_set(err, ERR_ARGUMENT, "a queue needs a capacity of at least 1");
        return NULL;
    }
    struct queue *queue = mem_alloc(1, sizeof *queue, err);
    if (!queue)
        return NULL;
    queue->capacity = capacity;
    queue->ring = mem_alloc(capacity, sizeof *queue->ring, err);
    if (!queue->ring)
        goto free_queue;
    if (pthread_mutex_init(&queue->lock, NULL))
        goto free_ring;
    if (init_condition(&queue->arrived))
        goto destroy_lock;
    return queue;

destroy_lock:
    pthread_mutex_destroy(&queue->lock);
free_ring:
    err_set(err, ERR_MEMORY, "cannot make a queue's lock");
    mem_free(queue->ring);
free_queue:
    mem_free(queue);
    return NULL;
}

void queue_free(struct queue *queue)
{
    if (!queue)
        return;
    pthread_cond_destroy(&queue->arrived);
    pthread_mutex_destroy(&queue->lock);
    mem_free(queue->ring);
    mem_free(queue);
}

bool queue_push(struct queue *queue, void *item)
{
    pthread_mutex_lock(&queue->lock);
    bool room = !queue->closed && queue->length < queue->capacity;
    if (room) {
        queue->ring[(queue->head + queue->length) % queue->capacity] = item;
        queue->length++;
        pthread_cond_signal(&queue->arrived);
    }
    pthread_mutex_unlock(&queue->lock);
    return room;
}

/* Waits with the lock held until there is an item, the queue is closed, or time is up. */
static void wait_for_item(struct queue *queue, int64_t timeout_ns)
{
    int64_t now = clock_ns();
    int64_t deadline = timeout_ns > INT64_MAX - now ? INT64_MAX : now + timeout_ns;
    struct timespec until = {.tv_sec = (time_t)(deadline / 1000000000),
                             .tv_nsec = (long)(deadline % 1000000000)};
    int rc = 0;
    while (queue->length == 0 && !queue->closed && rc != ETIMEDOUT) {
        if (timeout_ns < 0)
            rc = pthread_cond_wait(&queue->arrived, &queue->lock);
        else
            rc = pthread_cond_timedwait(&queue->arrived, &queue->lock, &until);
    }
}

void *queue_pop(struct queue *queue, int64_t timeout_ns)
{
    void *item = NULL;
    pthread_mutex_lock(&queue->lock);
    if (queue->length == 0 && timeout_ns != 0)
        wait_for_item(queue, timeout_ns);
    if (queue->length > 0) {
        item = queue->ring[queue->head];
        queue->head = (queue->head + 1) % queue->capacity;
        queue->length--;
    }
    pthread_mutex_unlock(&queue->lock);
    return item;
}

void queue_close(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->arrived);
    pthread_mutex_unlock(&queue->lock);
}

size_t queue_length(struct queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    size_t length = queue->length;
    pthread_mutex_unlock(&queue->lock);
    return length;
}
