/*
 * A pool of threads for data-parallel work: pool_run calls run(context, index) once for each
 * index 0..threads-1, each on its own thread (index 0 on the caller's), and returns when all are
 * done. Threads are born with all signals blocked.
 */
#ifndef DRAGOMAN_BASE_POOL_H
#define DRAGOMAN_BASE_POOL_H

#include "base/err.h"

struct pool;
struct pool *pool_new(int threads, struct err *err); /* threads >= 1 */
void pool_free(struct pool *pool);
int pool_threads(const struct pool *pool);
void pool_run(struct pool *pool, void (*run)(void *context, int index), void *context);

#endif
