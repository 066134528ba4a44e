/*
 * A pool of threads. A round is one pool_run: the caller raises `round` under the lock, each worker
 * that sees a new round runs its share, and the last to finish wakes the caller. There is no queue
 * of work: the shares are fixed by index, which is what makes training repeatable.
 */
#include "base/pool.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/mem.h"

struct worker {
    struct pool *pool;
    int index;
    pthread_t thread;
};

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t started, finished;
    struct worker *workers; /* [threads]; [0] is the caller's own and has no thread */
    int threads;
    int running; /* workers still busy in this round */
    uint64_t round;
    bool stopping;
    void (*run)(void *context, int index);
    void *context;
};

/* Waits for a round after `seen`; false when the pool stops. */
static bool await_round(struct pool *pool, uint64_t *seen)
{
    pthread_mutex_lock(&pool->lock);
    while (pool->round == *seen && !pool->stopping)
        pthread_cond_wait(&pool->started, &pool->lock);
    bool go = !pool->stopping;
    *seen = pool->round;
    pthread_mutex_unlock(&pool->lock);
    return go;
}

static void *work(void *argument)
{
    struct worker *worker = argument;
    struct pool *pool = worker->pool;
    uint64_t seen = 0;
    while (await_round(pool, &seen)) {
        pool->run(pool->context, worker->index);
        pthread_mutex_lock(&pool->lock);
        if (--pool->running == 0)
            pthread_cond_signal(&pool->finished);
        pthread_mutex_unlock(&pool->lock);
    }
    return NULL;
}

static int start_workers(struct pool *pool, struct err *err)
{
    sigset_t all, old;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int rc = 0;
    for (int i = 1; i < pool->threads && !rc; i++) {
        pool->workers[i] = (struct worker){.pool = pool, .index = i};
        rc = pthread_create(&pool->workers[i].thread, NULL, work, &pool->workers[i]);
        if (rc) {
            err_set(err, ERR_MEMORY, "cannot start thread %d of %d", i + 1, pool->threads);
            pool->threads = i;
        }
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return rc ? ERR_MEMORY : 0;
}

/* Sets up lock and conditions; ERR_MEMORY with nothing left to destroy when one cannot be had. */
static int init_locks(struct pool *pool, struct err *err)
{
    if (pthread_mutex_init(&pool->lock, NULL))
        goto fail;
    if (pthread_cond_init(&pool->started, NULL))
        goto destroy_lock;
    if (pthread_cond_init(&pool->finished, NULL))
        goto destroy_started;
    return 0;

destroy_started:
    pthread_cond_destroy(&pool->started);
destroy_lock:
    pthread_mutex_destroy(&pool->lock);
fail:
    return err_set(err, ERR_MEMORY, "cannot make a thread pool's lock");
}

struct pool *pool_new(int threads, struct err *err)
{
    if (threads < 1) {
        err_set(err, ERR_ARGUMENT, "a pool needs at least 1 thread, not %d", threads);
        return NULL;
    }
    struct pool *pool = mem_alloc(1, sizeof *pool, err);
    if (!pool)
        return NULL;
    pool->threads = threads;
    pool->workers = mem_alloc((size_t)threads, sizeof *pool->workers, err);
    if (!pool->workers)
        goto free_pool;
    if (init_locks(pool, err))
        goto free_workers;
    if (start_workers(pool, err)) {
        pool_free(pool);
        return NULL;
    }
    return pool;

free_workers:
    mem_free(pool->workers);
free_pool:
    mem_free(pool);
    return NULL;
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    pthread_cond_broadcast(&pool->started);
    pthread_mutex_unlock(&pool->lock);
    for (int i = 1; i < pool->threads; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pthread_cond_destroy(&pool->finished);
    pthread_cond_destroy(&pool->started);
    pthread_mutex_destroy(&pool->lock);
    mem_free(pool->workers);
    mem_free(pool);
}

int pool_threads(const struct pool *pool)
{
    return pool->threads;
}

void pool_run(struct pool *pool, void (*run)(void *context, int index), void *context)
{
    pthread_mutex_lock(&pool->lock);
    pool->run = run;
    pool->context = context;
    pool->running = pool->threads - 1;
    pool->round++;
    pthread_cond_broadcast(&pool->started);
    pthread_mutex_unlock(&pool->lock);

    run(context, 0);

    pthread_mutex_lock(&pool->lock);
    while (pool->running > 0)
        pthread_cond_wait(&pool->finished, &pool->lock);
    pthread_mutex_unlock(&pool->lock);
}
