/* A bounded first-in first-out queue of pointers between threads. Any thread may call anything but
   queue_free. The queue owns none of the items. */
#ifndef DRAGOMAN_BASE_QUEUE_H
#define DRAGOMAN_BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

struct queue;
struct queue *queue_new(size_t capacity, struct err *err);
void queue_free(struct queue *queue);
/* false when it is full or closed: never waits. */
bool queue_push(struct queue *queue, void *item);
/* Waits up to timeout_ns (0: not at all; negative: for ever). NULL when nothing came, or when the
   queue is closed and empty. */
void *queue_pop(struct queue *queue, int64_t timeout_ns);
/* Pushes fail from now on; what is inside can still be popped; waiters wake. */
void queue_close(struct queue *queue);
size_t queue_length(struct queue *queue);

#endif
