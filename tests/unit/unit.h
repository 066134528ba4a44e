/* What every unit test includes: cmocka with the headers it asks for, and a scratch folder. */
#ifndef DRAGOMAN_TESTS_UNIT_H
#define DRAGOMAN_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/file.h"

/* The group's state is a fresh folder's path; use both as group set-up and tear-down. */
static inline int scratch_make(void **state)
{
    const char *base = getenv("TMPDIR");
    char *path = malloc(4096);
    if (!path)
        return -1;
    snprintf(path, 4096, "%s/dragoman-test-XXXXXX", base ? base : "/tmp");
    *state = mkdtemp(path);
    return *state ? 0 : -1;
}

static inline int scratch_remove(void **state)
{
    int rc = file_remove_folder(*state, NULL);
    free(*state);
    return rc;
}

/* Fails the test with the error's message unless `rc` is 0. */
#define assert_fine(rc, err)                                                                       \
    do {                                                                                           \
        if ((rc) != 0)                                                                             \
            fail_msg("%s", (err).message);                                                         \
    } while (0)

#endif
