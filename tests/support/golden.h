/*
 * Golden numbers: tensors in safetensors files under tests/golden, and the comparison with ours. An
 * error is the largest absolute difference over the largest absolute value of the golden tensor.
 * With VERBOSE in the environment each comparison prints its error.
 */
#ifndef DRAGOMAN_TESTS_GOLDEN_H
#define DRAGOMAN_TESTS_GOLDEN_H

#include "model/safetensors.h"

/* All of them fail the running test where something is missing. `path` is below tests/golden. */
void golden_open(struct safetensors *file, const char *path);
/* The tensor whose name is both parts joined. */
const struct tensor *golden_tensor(const struct safetensors *file, const char *prefix,
                                   const char *name);
/* Its numbers, of which there must be `count`. */
const float *golden_data(const struct safetensors *file, const char *prefix, const char *name,
                         size_t count);
/* `ours` must be finite and within `allowed`, relative to the largest of `theirs`. */
void golden_compare(const char *prefix, const char *name, size_t count, const float *ours,
                    const float *theirs, double allowed);
/* Compares with the tensor of that name. */
void golden_check(const struct safetensors *file, const char *prefix, const char *name,
                  size_t count, const float *ours, double allowed);

#endif
