/*
 * Which instructions the kernels use. Every kernel that has forms of its own for some processors
 * asks here which one to run; the choice is made once, at the first question.
 *
 * The environment variable DRAGOMAN_CPU names another path than the best one, for tests and for
 * comparing; a name that is unknown, or a path that this processor cannot run, changes nothing.
 */
#ifndef DRAGOMAN_NN_CPU_H
#define DRAGOMAN_NN_CPU_H

#include <stdbool.h>

/* From the plainest to the best: the last one that the processor has is chosen. */
enum cpu_path {
    CPU_PORTABLE,        /* C alone: what the compiler makes of it for the target at large */
    CPU_NEON,            /* AArch64 */
    CPU_NEON_DOT,        /* AArch64 with the dot products of 8-bit integers of ARMv8.2 */
    CPU_AVX2,            /* AVX2 and FMA */
    CPU_AVX_VNNI,        /* the same with AVX-VNNI's dot products of 8-bit integers */
    CPU_AVX512,          /* AVX-512 F, VL, DQ, BW */
    CPU_AVX512_VNNI_256, /* AVX-512 VNNI in vectors of 256 bits: AVX_VNNI's code, otherwise encoded,
                            so that it can be tested where AVX-VNNI is missing; for integers only */
    CPU_AVX512_VNNI,     /* AVX-512 with VNNI */
};
enum { CPU_PATHS = CPU_AVX512_VNNI + 1 };

/* "avx2" and so on, as DRAGOMAN_CPU has it */
const char *cpu_path_name(enum cpu_path path);
/* Whether this program holds the path and this processor can run it. */
bool cpu_has(enum cpu_path path);
/* The path in use. May be called by any thread. */
enum cpu_path cpu_path(void);
/* Changes the path: false, and nothing changes, where cpu_has says no. For tests and benchmarks:
   weights from mat_pack must be packed and used on the same path. */
bool cpu_use(enum cpu_path path);

#endif
