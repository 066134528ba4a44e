/* The batcher: bounded, first in first out for each client, fair between clients and between
   workers, and every job is taken or cancelled exactly once. */
#include <pthread.h>
#include <string.h>

#include "serve/batcher.h"
#include "unit.h"

/* A model is a key and a count of references here; the test's own keeps it from being freed. */
static struct model english = {.references = 1}, french = {.references = 1};

static void jobs_fill(struct job *jobs, size_t count, struct model *model)
{
    memset(jobs, 0, count * sizeof *jobs);
    for (size_t i = 0; i < count; i++) {
        jobs[i].model = model;
        jobs[i].width = 1;
    }
}

static struct batcher *make(size_t capacity, size_t workers)
{
    const struct batcher_settings settings = {.capacity = capacity, .workers = workers};
    return batcher_new(&settings, NULL);
}

static const struct batcher_room fresh = {.jobs = 8, .rows = 8};

static struct batcher_room room_of(const struct model *model, size_t running, size_t jobs)
{
    return (struct batcher_room){.model = model, .running = running, .jobs = jobs, .rows = jobs};
}

static void finish(struct batcher *batcher, struct job *jobs, size_t count)
{
    for (size_t i = 0; i < count; i++)
        batcher_finish(batcher, &jobs[i]);
}

static size_t take(struct batcher *batcher, struct batcher_room room, struct job **list)
{
    unsigned wakes = 0;
    return batcher_take(batcher, &room, 1, &fresh, false, &wakes, list);
}

static void is_all_or_none(void **state)
{
    (void)state;
    struct job jobs[6];
    struct err err = ERR_INIT;
    struct batcher *batcher = make(5, 1);
    jobs_fill(jobs, 6, &english);
    assert_int_equal(batcher_push(batcher, jobs, 3, &err), 0);
    assert_int_equal(batcher_push(batcher, jobs + 3, 3, &err), ERR_BUSY);
    assert_int_equal(batcher_waiting(batcher), 3);
    assert_int_equal(batcher_push(batcher, jobs + 3, 2, NULL), 0);
    assert_int_equal(batcher_push(batcher, jobs + 5, 1, NULL), ERR_BUSY);
    struct job *list;
    size_t taken = take(batcher, room_of(&english, 0, 100), &list);
    assert_int_equal(taken, 5);
    for (size_t i = 0; i < 5; i++, list = list->next)
        assert_ptr_equal(list, &jobs[i]);
    assert_null(list);
    assert_int_equal(english.references, 2);
    finish(batcher, jobs, 5);
    assert_int_equal(english.references, 1);
    batcher_free(batcher);
}

static void room_and_fair_share_bound_a_take(void **state)
{
    (void)state;
    struct job jobs[10], *list;
    struct batcher *batcher = make(100, 2);
    jobs_fill(jobs, 10, &english);
    assert_int_equal(batcher_push(batcher, jobs, 10, NULL), 0);
    /* Ten jobs for two workers: five each, as far as there is room. */
    assert_int_equal(take(batcher, room_of(&english, 0, 3), &list), 3);
    assert_int_equal(take(batcher, room_of(&english, 3, 100), &list), 2);
    assert_int_equal(take(batcher, room_of(&english, 5, 100), &list), 0);
    assert_int_equal(take(batcher, room_of(&french, 0, 0), &list), 5);
    assert_int_equal(batcher_waiting(batcher), 0);
    finish(batcher, jobs, 10);
    batcher_free(batcher);
}

static void an_idle_worker_always_gets_something(void **state)
{
    (void)state;
    struct job jobs[3], *list;
    struct batcher *batcher = make(100, 2);
    jobs_fill(jobs, 3, &english);
    assert_int_equal(batcher_push(batcher, jobs, 1, NULL), 0);
    assert_int_equal(take(batcher, room_of(&english, 0, 9), &list), 1);
    assert_int_equal(batcher_push(batcher, jobs + 1, 1, NULL), 0);
    assert_int_equal(take(batcher, room_of(&english, 1, 9), &list), 0);
    assert_int_equal(take(batcher, room_of(&english, 0, 9), &list), 1);
    finish(batcher, jobs, 2);
    batcher_free(batcher);
}

static void models_wait_apart(void **state)
{
    (void)state;
    struct job jobs[2], others[2], *list;
    struct batcher *batcher = make(100, 1);
    jobs_fill(jobs, 2, &english);
    jobs_fill(others, 2, &french);
    assert_int_equal(batcher_push(batcher, jobs, 2, NULL), 0);
    assert_int_equal(batcher_push(batcher, others, 2, NULL), 0);
    /* The first model's lane is full: the second's jobs are not held up. */
    assert_int_equal(take(batcher, room_of(&english, 7, 0), &list), 2);
    assert_ptr_equal(list, &others[0]);
    assert_int_equal(take(batcher, room_of(&english, 0, 1), &list), 1);
    assert_true(batcher_cancel(batcher, &jobs[1]));
    finish(batcher, jobs, 1);
    finish(batcher, others, 2);
    assert_int_equal(english.references, 1);
    assert_int_equal(french.references, 1);
    batcher_free(batcher);
}

static void waiting_jobs_can_be_cancelled(void **state)
{
    (void)state;
    struct job jobs[3], *list;
    struct batcher *batcher = make(3, 1);
    jobs_fill(jobs, 3, &english);
    assert_int_equal(batcher_push(batcher, jobs, 3, NULL), 0);
    assert_true(batcher_cancel(batcher, &jobs[1]));
    assert_false(batcher_cancel(batcher, &jobs[1]));
    assert_int_equal(take(batcher, room_of(&english, 0, 9), &list), 2);
    assert_ptr_equal(list, &jobs[0]);
    assert_ptr_equal(list->next, &jobs[2]);
    assert_false(batcher_cancel(batcher, &jobs[2]));
    assert_true(atomic_load(&jobs[2].cancelled));
    batcher_finish(batcher, &jobs[0]);
    batcher_finish(batcher, &jobs[2]);
    batcher_free(batcher);
}

static void push(struct batcher *batcher, struct job *jobs, size_t count, uint64_t client)
{
    jobs_fill(jobs, count, &english);
    for (size_t i = 0; i < count; i++)
        jobs[i].client = client;
    assert_int_equal(batcher_push(batcher, jobs, count, NULL), 0);
}

/* Takes what there is room for; the clients of what was taken, as digits in order. */
static const char *take_clients(struct batcher *batcher, struct batcher_room room)
{
    static char text[100];
    struct job *list;
    size_t count = 0;
    take(batcher, room, &list);
    for (; list; list = list->next)
        text[count++] = (char)('0' + list->client);
    text[count] = '\0';
    return text;
}

static void clients_take_turns(void **state)
{
    (void)state;
    struct job many[6], few[3], one;
    struct batcher *batcher = make(100, 1);
    push(batcher, many, 6, 1);
    push(batcher, few, 3, 2);
    assert_string_equal(take_clients(batcher, room_of(&english, 0, 5)), "12121");
    /* Whose first it is comes before all others. */
    push(batcher, &one, 1, 3);
    assert_string_equal(take_clients(batcher, room_of(&english, 5, 3)), "321");
    finish(batcher, few, 3);
    finish(batcher, many, 4);
    assert_string_equal(take_clients(batcher, room_of(&english, 1, 9)), "11");
    finish(batcher, many + 4, 2);
    batcher_finish(batcher, &one);
    batcher_free(batcher);
    assert_int_equal(english.references, 1);
}

static void a_reserve_is_for_newcomers(void **state)
{
    (void)state;
    struct job many[9], one, another;
    struct batcher *batcher = make(100, 1);
    struct batcher_room room = room_of(&english, 0, 8);
    room.reserve = 2;
    push(batcher, many, 9, 1);
    assert_string_equal(take_clients(batcher, room), "111111");
    room = room_of(&english, 6, 2);
    room.reserve = 2;
    assert_string_equal(take_clients(batcher, room), "");
    push(batcher, &one, 1, 2);
    push(batcher, &another, 1, 3);
    assert_string_equal(take_clients(batcher, room), "23");
    finish(batcher, many, 6);
    batcher_finish(batcher, &one);
    batcher_finish(batcher, &another);
    assert_string_equal(take_clients(batcher, room_of(&english, 0, 8)), "111");
    finish(batcher, many + 6, 3);
    batcher_free(batcher);
}

static void wide_jobs_are_not_overtaken_for_ever(void **state)
{
    (void)state;
    struct job wide, narrow[2];
    struct batcher *batcher = make(100, 1);
    jobs_fill(&wide, 1, &english);
    wide.width = 5;
    assert_int_equal(batcher_push(batcher, &wide, 1, NULL), 0);
    push(batcher, narrow, 2, 1);
    assert_string_equal(take_clients(batcher, room_of(&english, 0, 4)), "");
    assert_string_equal(take_clients(batcher, room_of(&english, 0, 6)), "01");
    assert_string_equal(take_clients(batcher, room_of(&english, 2, 6)), "1");
    batcher_finish(batcher, &wide);
    finish(batcher, narrow, 2);
    batcher_free(batcher);
}

static void the_sated_get_nothing(void **state)
{
    (void)state;
    static const uint64_t sated[] = {7, 1};
    struct job many[3], others[2];
    struct batcher *batcher = make(100, 1);
    struct batcher_room room = room_of(&english, 0, 8);
    room.sated = sated;
    room.sated_count = 2;
    push(batcher, many, 3, 1);
    push(batcher, others, 2, 2);
    assert_string_equal(take_clients(batcher, room), "22");
    room.shut = true;
    room.sated_count = 0;
    assert_string_equal(take_clients(batcher, room), "");
    room.shut = false;
    room.running = 2;
    assert_string_equal(take_clients(batcher, room), "111");
    finish(batcher, others, 2);
    finish(batcher, many, 3);
    batcher_free(batcher);
}

/* A wait far longer than the test: it ends when there is company enough, or all is closed. */
static void jobs_wait_for_company(void **state)
{
    (void)state;
    const struct batcher_settings settings = {
        .capacity = 100, .workers = 1, .wait_ns = INT64_MAX / 4};
    struct job jobs[3], later;
    struct batcher *batcher = batcher_new(&settings, NULL);
    assert_non_null(batcher);
    push(batcher, jobs, 3, 1);
    assert_string_equal(take_clients(batcher, room_of(&english, 0, 4)), "");
    assert_string_equal(take_clients(batcher, room_of(&english, 0, 3)), "111");
    push(batcher, &later, 1, 2); /* others are under way: it joins them */
    assert_string_equal(take_clients(batcher, room_of(&english, 3, 4)), "2");
    finish(batcher, jobs, 3);
    batcher_finish(batcher, &later);
    push(batcher, jobs, 1, 1);
    assert_string_equal(take_clients(batcher, room_of(&english, 0, 4)), "");
    batcher_close(batcher);
    assert_string_equal(take_clients(batcher, room_of(&english, 0, 4)), "1");
    batcher_finish(batcher, &jobs[0]);
    batcher_free(batcher);
}

static void *wait_for_job(void *argument)
{
    struct job *list;
    unsigned wakes = 0;
    size_t taken = batcher_take(argument, NULL, 0, &fresh, true, &wakes, &list);
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
    struct batcher *batcher = make(3, 1);
    jobs_fill(&job, 1, &english);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_job, batcher), 0);
    assert_int_equal(batcher_push(batcher, &job, 1, NULL), 0);
    assert_int_equal(result_of(thread), 10);
    batcher_finish(batcher, &job);
    /* A wake that came before the waiting counts. */
    batcher_wake(batcher);
    assert_int_equal(pthread_create(&thread, NULL, wait_for_job, batcher), 0);
    assert_int_equal(result_of(thread), 1);
    batcher_free(batcher);

    batcher = make(3, 1);
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
    struct job *first, **last; /* what runs */
};

static void finish_first(struct stress_worker *worker)
{
    struct job *job = worker->first;
    if (!job)
        return;
    worker->first = job->next;
    if (!worker->first)
        worker->last = &worker->first;
    worker->running--;
    batcher_finish(worker->batcher, job);
}

static void *take_until_closed(void *argument)
{
    struct stress_worker *worker = argument;
    unsigned wakes = 0;
    while (!batcher_closed(worker->batcher) || batcher_waiting(worker->batcher) > 0) {
        struct job *list;
        struct batcher_room room = room_of(&english, worker->running, 16);
        size_t taken =
            batcher_take(worker->batcher, &room, 1, &fresh, worker->running == 0, &wakes, &list);
        *worker->last = list;
        for (; *worker->last; worker->last = &(*worker->last)->next)
            (*worker->last)->len++; /* how often it was taken */
        worker->taken += taken;
        worker->running += taken;
        finish_first(worker); /* one a turn */
    }
    while (worker->running > 0)
        finish_first(worker);
    return NULL;
}

static void each_job_is_taken_or_cancelled_once(void **state)
{
    (void)state;
    static struct job jobs[STRESS_JOBS];
    struct stress_worker workers[STRESS_WORKERS];
    pthread_t threads[STRESS_WORKERS];
    struct batcher *batcher = make(64, STRESS_WORKERS);
    size_t cancelled = 0, taken = 0;
    jobs_fill(jobs, STRESS_JOBS, &english);
    for (size_t i = 0; i < STRESS_WORKERS; i++) {
        workers[i] = (struct stress_worker){.batcher = batcher, .last = &workers[i].first};
        pthread_create(&threads[i], NULL, take_until_closed, &workers[i]);
    }
    for (size_t i = 0; i < STRESS_JOBS; i++)
        jobs[i].client = i / 4 % 7;
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
        cmocka_unit_test(clients_take_turns),
        cmocka_unit_test(a_reserve_is_for_newcomers),
        cmocka_unit_test(wide_jobs_are_not_overtaken_for_ever),
        cmocka_unit_test(the_sated_get_nothing),
        cmocka_unit_test(jobs_wait_for_company),
        cmocka_unit_test(waiting_ends_by_job_wake_or_close),
        cmocka_unit_test(each_job_is_taken_or_cancelled_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
