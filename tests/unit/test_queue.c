/* The queue: first in first out, bounded, and nothing lost or doubled between threads. */
#include <pthread.h>
#include <stdatomic.h>

#include "base/clock.h"
#include "base/queue.h"
#include "unit.h"

static void keeps_order_round_the_ring(void **state)
{
    (void)state;
    struct queue *queue = queue_new(3, NULL);
    int items[20];
    assert_non_null(queue);
    for (int i = 0; i < 20; i += 2) {
        assert_true(queue_push(queue, &items[i]));
        assert_true(queue_push(queue, &items[i + 1]));
        assert_int_equal(queue_length(queue), 2);
        assert_ptr_equal(queue_pop(queue, 0), &items[i]);
        assert_ptr_equal(queue_pop(queue, -1), &items[i + 1]);
    }
    queue_free(queue);
}

static void refuses_when_full(void **state)
{
    (void)state;
    struct queue *queue = queue_new(2, NULL);
    int item;
    assert_true(queue_push(queue, &item));
    assert_true(queue_push(queue, &item));
    assert_false(queue_push(queue, &item));
    assert_int_equal(queue_length(queue), 2);
    assert_non_null(queue_pop(queue, 0));
    assert_true(queue_push(queue, &item));
    queue_free(queue);
    struct err err = ERR_INIT;
    assert_null(queue_new(0, &err));
    assert_int_equal(err.code, ERR_ARGUMENT);
}

static void empty_pops_give_up(void **state)
{
    (void)state;
    struct queue *queue = queue_new(1, NULL);
    assert_null(queue_pop(queue, 0));
    int64_t before = clock_ns();
    assert_null(queue_pop(queue, 20000000));
    assert_true(clock_ns() - before >= 20000000);
    queue_free(queue);
}

static void closed_queues_drain(void **state)
{
    (void)state;
    struct queue *queue = queue_new(2, NULL);
    int item;
    assert_true(queue_push(queue, &item));
    queue_close(queue);
    assert_false(queue_push(queue, &item));
    assert_ptr_equal(queue_pop(queue, -1), &item);
    assert_null(queue_pop(queue, -1));
    assert_null(queue_pop(queue, INT64_MAX));
    queue_free(queue);
}

enum { PRODUCERS = 3, CONSUMERS = 3, ITEMS = 5000 };

struct traffic {
    struct queue *queue;
    atomic_int seen[PRODUCERS * ITEMS];
};
struct producer {
    struct traffic *traffic;
    int first;
};

static void *produce(void *argument)
{
    struct producer *producer = argument;
    struct traffic *traffic = producer->traffic;
    for (int i = 0; i < ITEMS; i++)
        while (!queue_push(traffic->queue, &traffic->seen[producer->first + i]))
            sched_yield();
    return NULL;
}

static void *consume(void *argument)
{
    struct traffic *traffic = argument;
    for (atomic_int *item; (item = queue_pop(traffic->queue, -1));)
        atomic_fetch_add(item, 1);
    return NULL;
}

static void nothing_is_lost_between_threads(void **state)
{
    (void)state;
    static struct traffic traffic;
    struct producer producers[PRODUCERS];
    pthread_t threads[PRODUCERS + CONSUMERS];
    traffic.queue = queue_new(16, NULL);
    assert_non_null(traffic.queue);
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){&traffic, i * ITEMS};
        assert_int_equal(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
    }
    for (int i = PRODUCERS; i < PRODUCERS + CONSUMERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, consume, &traffic), 0);
    for (int i = 0; i < PRODUCERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    queue_close(traffic.queue); /* the consumers, waiting for ever, must wake */
    for (int i = PRODUCERS; i < PRODUCERS + CONSUMERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < PRODUCERS * ITEMS; i++)
        assert_int_equal(atomic_load(&traffic.seen[i]), 1);
    queue_free(traffic.queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_order_round_the_ring),
        cmocka_unit_test(refuses_when_full),
        cmocka_unit_test(empty_pops_give_up),
        cmocka_unit_test(closed_queues_drain),
        cmocka_unit_test(nothing_is_lost_between_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
