/* Threads of the server: born with all signals blocked, so that signals reach the event thread
   only. */
#ifndef DRAGOMAN_SERVE_THREAD_H
#define DRAGOMAN_SERVE_THREAD_H

#include <pthread.h>

#include "base/err.h"

/* `name` (at most 15 bytes) shows in ps and debuggers. The caller joins the thread. */
int thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *argument,
                 struct err *err);

#endif
