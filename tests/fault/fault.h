/*
 * Fault injection: an operation is run again and again, and each time a later allocation of it
 * fails, until one run needs no more allocations than succeed. Every failure must come back as
 * ERR_MEMORY with a message; what the operation leaks on the way, the sanitizers find.
 */
#ifndef DRAGOMAN_TESTS_FAULT_H
#define DRAGOMAN_TESTS_FAULT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"

#define FAULT_RUNS_MAX 1000000

/* run(context, err) makes, uses and releases everything that it needs, and returns 0 or the code of
   the first error. It must do the same each time. Returns how many allocations it makes. */
static inline long fault_loop(int (*run)(void *context, struct err *err), void *context)
{
    for (long n = 1; n < FAULT_RUNS_MAX; n++) {
        struct err err = ERR_INIT;
        mem_fail_at(n);
        int rc = run(context, &err);
        void *probe = mem_alloc(1, 1, NULL);
        mem_fail_at(0);
        mem_free(probe);
        if (!probe) { /* the failure had not come yet: this run had all it wanted */
            if (rc)
                fail_msg("without any failure: %s", err.message);
            assert_true(n > 1);
            return n - 1;
        }
        if (rc != ERR_MEMORY || err.code != ERR_MEMORY || !err.message[0])
            fail_msg("allocation %ld failed; returned %d, error %d '%s'", n, rc, (int)err.code,
                     err.message);
    }
    fail_msg("no end after %d runs", FAULT_RUNS_MAX);
    return 0;
}

#endif
