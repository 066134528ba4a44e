/* The pool: each index once a round, on its own thread, with all signals blocked. */
#include <pthread.h>
#include <signal.h>

#include "base/mem.h"
#include "base/pool.h"
#include "unit.h"

enum { THREADS = 5, ROUNDS = 2000 };

struct record {
    int calls[THREADS];
    pthread_t threads[THREADS];
    sigset_t blocked[THREADS];
};

static void note(void *context, int index)
{
    struct record *record = context;
    record->calls[index]++;
    record->threads[index] = pthread_self();
    pthread_sigmask(SIG_BLOCK, NULL, &record->blocked[index]);
}

static void each_index_runs_once_a_round(void **state)
{
    (void)state;
    struct record record = {0};
    struct pool *pool = pool_new(THREADS, NULL);
    assert_non_null(pool);
    assert_int_equal(pool_threads(pool), THREADS);
    for (int round = 1; round <= ROUNDS; round++) {
        pool_run(pool, note, &record);
        for (int i = 0; i < THREADS; i++)
            assert_int_equal(record.calls[i], round);
    }
    pool_free(pool);
}

static void threads_are_distinct_and_deaf_to_signals(void **state)
{
    (void)state;
    struct record record = {0};
    struct pool *pool = pool_new(THREADS, NULL);
    pool_run(pool, note, &record);
    assert_true(pthread_equal(record.threads[0], pthread_self()));
    for (int i = 1; i < THREADS; i++) {
        for (int j = 0; j < i; j++)
            assert_false(pthread_equal(record.threads[i], record.threads[j]));
        assert_int_equal(sigismember(&record.blocked[i], SIGTERM), 1);
        assert_int_equal(sigismember(&record.blocked[i], SIGINT), 1);
    }
    assert_int_equal(sigismember(&record.blocked[0], SIGTERM), 0);
    pool_free(pool);
}

static void one_thread_is_the_callers(void **state)
{
    (void)state;
    struct record record = {0};
    struct pool *pool = pool_new(1, NULL);
    pool_run(pool, note, &record);
    assert_int_equal(record.calls[0], 1);
    assert_true(pthread_equal(record.threads[0], pthread_self()));
    pool_free(pool);
}

static void bad_numbers_are_refused(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    assert_null(pool_new(0, &err));
    assert_int_equal(err.code, ERR_ARGUMENT);
    for (int n = 1; n <= 2; n++) {
        err_clear(&err);
        mem_fail_at(n);
        assert_null(pool_new(2, &err));
        assert_int_equal(err.code, ERR_MEMORY);
    }
    pool_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_index_runs_once_a_round),
        cmocka_unit_test(threads_are_distinct_and_deaf_to_signals),
        cmocka_unit_test(one_thread_is_the_callers),
        cmocka_unit_test(bad_numbers_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
