#include "support/golden.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void golden_open(struct safetensors *file, const char *path)
{
    char full[1024];
    const char *top = getenv("top_srcdir");
    struct err err = ERR_INIT;
    snprintf(full, sizeof full, "%s/tests/golden/%s", top ? top : ".", path);
    if (safetensors_open(file, full, &err))
        fail_msg("%s", err.message);
    if (getenv("VERBOSE"))
        print_message("%s\n", path);
}

const struct tensor *golden_tensor(const struct safetensors *file, const char *prefix,
                                   const char *name)
{
    char full[SAFETENSORS_MAX_NAME + 1];
    snprintf(full, sizeof full, "%s%s", prefix, name);
    for (size_t i = 0; i < file->count; i++)
        if (strcmp(file->tensors[i].name, full) == 0)
            return &file->tensors[i];
    fail_msg("no golden tensor %s", full);
    return NULL;
}

const float *golden_data(const struct safetensors *file, const char *prefix, const char *name,
                         size_t count)
{
    const struct tensor *tensor = golden_tensor(file, prefix, name);
    if (tensor->count != count)
        fail_msg("golden tensor %s%s has %zu entries, not %zu", prefix, name, tensor->count, count);
    return tensor->data;
}

void golden_compare(const char *prefix, const char *name, size_t count, const float *ours,
                    const float *theirs, double allowed)
{
    double difference = 0, largest = 0;
    for (size_t i = 0; i < count; i++) {
        if (!isfinite(ours[i]))
            fail_msg("%s%s: entry %zu is not finite", prefix, name, i);
        difference = fmax(difference, fabs((double)ours[i] - (double)theirs[i]));
        largest = fmax(largest, fabs((double)theirs[i]));
    }
    if (!(largest > 0))
        fail_msg("%s%s: the golden numbers are all zero", prefix, name);
    if (getenv("VERBOSE"))
        print_message("%s%s: relative error %.1e of %.1e\n", prefix, name, difference / largest,
                      allowed);
    if (!(difference <= allowed * largest))
        fail_msg("%s%s: relative error %g is over %g", prefix, name, difference / largest, allowed);
}

void golden_check(const struct safetensors *file, const char *prefix, const char *name,
                  size_t count, const float *ours, double allowed)
{
    golden_compare(prefix, name, count, ours, golden_data(file, prefix, name, count), allowed);
}
