/* The batcher: bounded, first in first out for each model, fair between workers, and every job is
   taken or cancelled exactly once. */
#include <pthread.h>
#include <string.h>

#include "serve/batcher.h"
#include "unit.h"

/* A model is a key and a count of references here; the test's own keeps it from being freed. */
static struct model english = {.references = 1}, french = {.references = 1};

static void jobs_fill(struct job *jobs, size_t count, struct model *model)
{
    memset(jobs, 0, count * sizeof *jobs);
    for (size_t i = 0; i < count; i++)
        jobs[i].model = model;
}

static size_t take(struct batcher *batcher, struct batcher_room room, struct job **list)
{
    unsigned wakes = 0;
    return batcher_take(batcher, &room, 1, 8, false, &wakes, list);
}

static void is_all_or_none(void **state)
{
    (void)state;
    struct job jobs[6];
    struct err err = ERR_INIT;
    struct batcher *batcher = batcher_new(5, 1, NULL);
    jobs_fill(jobs, 6, &english);
    assert_int_equal(batcher_push(batcher, jobs, 3, &err), 0);
    assert_int_equal(batcher_push(batcher, jobs + 3, 3, &err), ERR_BUSY);
    assert_int_equal(batcher_waiting(batcher), 3);
    assert_int_equal(batcher_push(batcher, jobs + 3, 2, NULL), 0);
    assert_int_equal(batcher_push(batcher, jobs + 5, 1, NULL), ERR_BUSY);
    struct job *list;
    size_t taken = take(batcher, (struct batcher_room){&english, 0, 100}, &list);
    assert_int_equal(taken, 5);
    for (size_t i = 0; i < 5; i++, list = list->next)
        assert_ptr_equal(list, &jobs[i]);
    assert_null(list);
    assert_int_equal(english.references, 2);
    batcher_finish(batcher, &english, 5);
    assert_int_equal(english.references, 1);
    batcher_free(batcher);
}

static void room_and_fair_share_bound_a_take(void **state)
{
    (void)state;
    struct job jobs[10], *list;
    struct batcher *batcher = batcher_new(100, 2, NULL);
    jobs_fill(jobs, 10, &english);
    assert_int_equal(batcher_push(batcher, jobs, 10, NULL), 0);
    /* Ten jobs for two workers: five each, as far as there is room. */
    assert_int_equal(take(batcher, (struct batcher_room){&english, 0, 3}, &list), 3);
    assert_int_equal(take(batcher, (struct batcher_room){&english, 3, 100}, &list), 2);
    assert_int_equal(take(batcher, (struct batcher_room){&english, 5, 100}, &list), 0);
    assert_int_equal(take(batcher, (struct batcher_room){&french, 0, 0}, &list), 5);
    assert_int_equal(batcher_waiting(batcher), 0);
    batcher_finish(batcher, &english, 10);
    batcher_free(batcher);
}

static void an_idle_worker_always_gets_something(void **state)
{
    (void)state;
    struct job jobs[3], *list;
    struct batcher *batcher = batcher_new(100, 2, NULL);
    jobs_fill(jobs, 3, &english);
    assert_int_equal(batcher_push(batcher, jobs, 1, NULL), 0);
    assert_int_equal(take(batcher, (struct batcher_room){&english, 0, 9}, &list), 1);
    assert_int_equal(batcher_push(batcher, jobs + 1, 1, NULL), 0);
    assert_int_equal(take(batcher, (struct batcher_room){&english, 1, 9}, &list), 0);
    assert_int_equal(take(batcher, (struct batcher_room){&english, 0, 9}, &list), 1);
    batcher_finish(batcher, &english, 2);
    batcher_free(batcher);
}

static void models_wait_apart(void **state)
{
    (void)state;
    struct job jobs[2], others[2], *list;
    struct batcher *batcher = batcher_new(100, 1, NULL);
    jobs_fill(jobs, 2, &english);
    jobs_fill(others, 2, &french);
    assert_int_equal(batcher_push(batcher, jobs, 2, NULL), 0);
    assert_int_equal(batcher_push(batcher, others, 2, NULL), 0);
    /* The first model's lane is full: the second's jobs are not held up. */
    assert_int_equal(take(batcher, (struct batcher_room){&english, 7, 0}, &list), 2);
    assert_ptr_equal(list, &others[0]);
    assert_int_equal(take(batcher, (struct batcher_room){&english, 0, 1}, &list), 1);
    assert_true(batcher_cancel(batcher, &jobs[1]));
    batcher_finish(batcher, &english, 1);
    batcher_finish(batcher, &french, 2);
    assert_int_equal(english.references, 1);
    assert_int_equal(french.references, 1);
    batcher_free(batcher);
}

static void waiting_jobs_can_be_cancelled(void **state)
{
    (void)state;
    struct job jobs[3], *list;
    struct batcher *batcher = batcher_new(3, 1, NULL);
    jobs_fill(jobs, 3, &english);
    assert_int_equal(batcher_push(batcher, jobs, 3, NULL), 0);
    assert_true(batcher_cancel(batcher, &jobs[1]));
    assert_false(batcher_cancel(batcher, &jobs[1]));
    assert_int_equal(take(batcher, (struct batcher_room){&english, 0, 9}, &list), 2);
    assert_ptr_equal(list, &jobs[0]);
    assert_ptr_equal(list->next, &jobs[2]);
    assert_false(batcher_cancel(batcher, &jobs[2]));
    assert_true(atomic_load(&jobs[2].cancelled));
    batcher_finish(batcher, &english, 2);
    batcher_free(batcher);
}

static void *wait_for_job(void *argument)
{
    struct job *list;
    unsigned wakes = 0;
    size_t taken = batcher_take(argument, NULL, 0, 8, true, &wakes, &list);
    return (void *)(uintptr_t)(taken * 10 + wakes);
}

static uintptr_t result_of(pthread_t thread)
{
    void *result;
    assert_int_equal(pthread_join(thread, &result), 0);
    return (uintptr_t)result;
}

static void waiting_ends_by_job_wake_or_close(void **state)
{
    (void)state;
    struct job job;
    pthread_t thread;
    struct batcher *batcher = batcher_new(3, 1, NULL);
    jobs_fill(&job, 1, &english);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_job, batcher), 0);
    assert_int_equal(batcher_push(batcher, &job, 1, NULL), 0);
    assert_int_equal(result_of(thread), 10);
    batcher_finish(batcher, &english, 1);
    /* A wake that came before the waiting counts. */
    batcher_wake(batcher);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_job, batcher), 0);
    assert_int_equal(result_of(thread), 1);
    batcher_free(batcher);

    batcher = batcher_new(3, 1, NULL);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_job, batcher), 0);
    batcher_close(batcher);
    assert_int_equal(result_of(thread), 0);
    assert_true(batcher_closed(batcher));
    assert_int_equal(batcher_push(batcher, &job, 1, NULL), ERR_BUSY);
    batcher_free(batcher);
}

#define STRESS_JOBS 20000
#define STRESS_WORKERS 3

struct stress_worker {
    struct batcher *batcher;
    size_t taken, running;
};

static void *take_until_closed(void *argument)
{
    struct stress_worker *worker = argument;
    unsigned wakes = 0;
    while (!batcher_closed(worker->batcher) || batcher_waiting(worker->batcher) > 0) {
        struct job *list;
        struct batcher_room room = {.model = &english, .running = worker->running, .room = 16};
        size_t taken =
            batcher_take(worker->batcher, &room, 1, 8, worker->running == 0, &wakes, &list);
        for (struct job *job = list; job; job = job->next)
            job->len++; /* how often it was taken */
        worker->taken += taken;
        worker->running += taken;
        if (worker->running > 0) { /* one finishes a turn */
            worker->running--;
            batcher_finish(worker->batcher, &english, 1);
        }
    }
    if (worker->running > 0)
        batcher_finish(worker->batcher, &english, worker->running);
    return NULL;
}

static void each_job_is_taken_or_cancelled_once(void **state)
{
    (void)state;
    static struct job jobs[STRESS_JOBS];
    struct stress_worker workers[STRESS_WORKERS];
    pthread_t threads[STRESS_WORKERS];
    struct batcher *batcher = batcher_new(64, STRESS_WORKERS, NULL);
    size_t cancelled = 0, taken = 0;
    jobs_fill(jobs, STRESS_JOBS, &english);
    for (size_t i = 0; i < STRESS_WORKERS; i++) {
        workers[i] = (struct stress_worker){.batcher = batcher};
        pthread_create(&threads[i], NULL, take_until_closed, &workers[i]);
    }
    for (size_t i = 0; i < STRESS_JOBS; i += 4) {
        while (batcher_push(batcher, &jobs[i], 4, NULL) == ERR_BUSY)
            sched_yield();
        if (batcher_cancel(batcher, &jobs[i + 3])) {
            jobs[i + 3].len++;
            cancelled++;
        }
    }
    batcher_close(batcher);
    for (size_t i = 0; i < STRESS_WORKERS; i++) {
        result_of(threads[i]);
        taken += workers[i].taken;
    }
    assert_int_equal(taken + cancelled, STRESS_JOBS);
    for (size_t i = 0; i < STRESS_JOBS; i++)
        assert_int_equal(jobs[i].len, 1);
    batcher_free(batcher);
    assert_int_equal(english.references, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_all_or_none),
        cmocka_unit_test(room_and_fair_share_bound_a_take),
        cmocka_unit_test(an_idle_worker_always_gets_something),
        cmocka_unit_test(models_wait_apart),
        cmocka_unit_test(waiting_jobs_can_be_cancelled),
        cmocka_unit_test(waiting_ends_by_job_wake_or_close),
        cmocka_unit_test(each_job_is_taken_or_cancelled_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
