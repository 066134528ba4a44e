/* A new thread inherits the signal mask of its maker: it is filled for the moment of birth. */
#include "serve/thread.h"

#include <errno.h>
#include <signal.h>

int thread_start(pthread_t *thread, const char *name, void *(*run)(void *), void *argument,
                 struct err *err)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc) {
        errno = rc;
        return err_errno(err, "cannot start the thread '%s'", name);
    }
    pthread_setname_np(*thread, name);
    return 0;
}
