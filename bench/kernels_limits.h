/* What the machine can do at most: reading from each level of memory, and arithmetic. */
#ifndef DRAGOMAN_BENCH_KERNELS_LIMITS_H
#define DRAGOMAN_BENCH_KERNELS_LIMITS_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

enum level { LEVEL_L2, LEVEL_L3, LEVEL_MEMORY, LEVELS };

/* The best so far, in units a second; 0: unknown. */
struct limits {
    double bandwidth[LEVELS]; /* bytes */
    double multiply;          /* operations on floats in registers, 2 for a product and a sum */
    double sgemm;             /* the same in OpenBLAS's product of two matrices of 512 x 512 */
    double integer;           /* operations on bytes in registers, with this path's instructions */
    size_t size[LEVELS];      /* bytes that fit the level, and are read to measure it */
    uint64_t seen;            /* so that reading is not left out */
    char *memory;
    float *matrices;
};

const char *level_name(enum level level);
/* Where weights of so many bytes lie that are used again and again. */
enum level level_of(const struct limits *limits, size_t bytes);

int limits_init(struct limits *limits, struct err *err);
/* Measures everything once, some 20 ms, and keeps what is better than before. */
void limits_measure(struct limits *limits);
void limits_release(struct limits *limits);

#endif
