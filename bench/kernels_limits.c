#include "kernels_limits.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif
#include "base/clock.h"
#include "base/mem.h"
#include "nn/cpu.h"
#include "nn/mat.h"

#define SGEMM_SIZE 512
#define LOOPS 20000
#define SUMS                                                                                       \
    12 /* independent, so that none waits for itself, and as many as all have registers for */
#define CACHE_READ (32u << 20) /* bytes that a measurement reads from a cache */

const char *level_name(enum level level)
{
    switch (level) {
    case LEVEL_L2:
        return "L2";
    case LEVEL_L3:
        return "L3";
    case LEVEL_MEMORY:
    case LEVELS:
        break;
    }
    return "memory";
}

enum level level_of(const struct limits *limits, size_t bytes)
{
    if (bytes <= 2 * limits->size[LEVEL_L2])
        return LEVEL_L2;
    return bytes <= 8 * limits->size[LEVEL_L3] ? LEVEL_L3 : LEVEL_MEMORY;
}

#if defined(__x86_64__)
#define FORM_512 __attribute__((target("avx512f,avx512vl,avx512bw,avx512dq")))
#define FORM_256 __attribute__((target("avx2,fma")))
#endif

/* Reads whole vectors, four at a time; the result keeps the compiler from leaving it out. */
#define DEFINE_READ(name, target, width)                                                           \
    target static uint64_t name(const char *memory, size_t size)                                   \
    {                                                                                              \
        typedef uint64_t vector __attribute__((vector_size(width)));                               \
        const vector *v = (const vector *)(const void *)memory;                                    \
        vector a = {0}, b = {0}, c = {0}, d = {0};                                                 \
        for (size_t i = 0; i < size / sizeof *v; i += 4) {                                         \
            a ^= v[i];                                                                             \
            b ^= v[i + 1];                                                                         \
            c ^= v[i + 2];                                                                         \
            d ^= v[i + 3];                                                                         \
        }                                                                                          \
        a ^= b ^ c ^ d;                                                                            \
        return a[0];                                                                               \
    }

/* Products and sums of floats in registers; the assembler's empty line hides that each loop does
   the same. */
#define DEFINE_MULTIPLY(name, target, width, constraint)                                           \
    target static double name(void)                                                                \
    {                                                                                              \
        typedef float vector __attribute__((vector_size(width)));                                  \
        vector sum[SUMS] = {0}, x = {0}, y = {0};                                                  \
        __asm__ volatile("" : "+" constraint(x), "+" constraint(y));                               \
        for (size_t i = 0; i < LOOPS; i++)                                                         \
            for (size_t s = 0; s < SUMS; s++) {                                                    \
                sum[s] += x * y;                                                                   \
                __asm__ volatile("" : "+" constraint(sum[s]));                                     \
            }                                                                                      \
        return 2.0 * LOOPS * SUMS * (width / 4);                                                   \
    }

#if defined(__x86_64__)
DEFINE_READ(read_512, FORM_512, 64)
DEFINE_READ(read_256, FORM_256, 32)
DEFINE_MULTIPLY(multiply_512, FORM_512, 64, "v")
DEFINE_MULTIPLY(multiply_256, FORM_256, 32, "x")
DEFINE_MULTIPLY(multiply_128, , 16, "x")
#elif defined(__aarch64__)
DEFINE_MULTIPLY(multiply_128, , 16, "w")
#else
static double multiply_128(void)
{
    return 0;
}
#endif
DEFINE_READ(read_128, , 16)

static uint64_t read_memory(const char *memory, size_t size)
{
#if defined(__x86_64__)
    if (cpu_has(CPU_AVX512))
        return read_512(memory, size);
    if (cpu_has(CPU_AVX2))
        return read_256(memory, size);
#endif
    return read_128(memory, size);
}

static double multiply(void)
{
#if defined(__x86_64__)
    if (cpu_path() >= CPU_AVX512)
        return multiply_512();
    if (cpu_path() >= CPU_AVX2)
        return multiply_256();
#endif
    return multiply_128();
}

#if defined(__x86_64__)
#define DEFINE_INTEGER(name, features, vector, zero, statement)                                    \
    __attribute__((target(features))) static double name(void)                                     \
    {                                                                                              \
        vector sum[SUMS] = {{0}}, x = zero(), y = zero();                                          \
        __asm__ volatile("" : "+v"(x), "+v"(y));                                                   \
        for (size_t i = 0; i < LOOPS; i++)                                                         \
            for (size_t s = 0; s < SUMS; s++) {                                                    \
                sum[s] = statement;                                                                \
                __asm__ volatile("" : "+v"(sum[s]));                                               \
            }                                                                                      \
        return 2.0 * LOOPS * SUMS * sizeof(vector);                                                \
    }
DEFINE_INTEGER(integer_vnni_512, "avx512f,avx512vl,avx512bw,avx512vnni", __m512i,
               _mm512_setzero_si512, _mm512_dpbusd_epi32(sum[s], x, y))
DEFINE_INTEGER(integer_vnni_256, "avx512f,avx512vl,avx512bw,avx512vnni", __m256i,
               _mm256_setzero_si256, _mm256_dpbusd_epi32(sum[s], x, y))
DEFINE_INTEGER(integer_avx_vnni, "avx2,avxvnni", __m256i, _mm256_setzero_si256,
               _mm256_dpbusd_avx_epi32(sum[s], x, y))
DEFINE_INTEGER(integer_512, "avx512f,avx512vl,avx512bw", __m512i, _mm512_setzero_si512,
               _mm512_add_epi32(sum[s], _mm512_madd_epi16(_mm512_maddubs_epi16(x, sum[s]), y)))
DEFINE_INTEGER(integer_256, "avx2", __m256i, _mm256_setzero_si256,
               _mm256_add_epi32(sum[s], _mm256_madd_epi16(_mm256_maddubs_epi16(x, sum[s]), y)))
#endif

static double integer(void)
{
    switch (cpu_path()) {
#if defined(__x86_64__)
    case CPU_AVX512_VNNI:
        return integer_vnni_512();
    case CPU_AVX512_VNNI_256:
        return integer_vnni_256();
    case CPU_AVX512:
        return integer_512();
    case CPU_AVX_VNNI:
        return integer_avx_vnni();
    case CPU_AVX2:
        return integer_256();
#else
    case CPU_AVX512_VNNI:
    case CPU_AVX512_VNNI_256:
    case CPU_AVX512:
    case CPU_AVX_VNNI:
    case CPU_AVX2:
#endif
    case CPU_NEON_DOT:
    case CPU_NEON:
    case CPU_PORTABLE:
        break;
    }
    return 0;
}

static double sgemm(float *matrices)
{
    const size_t n = SGEMM_SIZE;
    mat_multiply(MAT_NT, n, n, n, mat_of(matrices, n), mat_of(matrices + n * n, n), 0,
                 mat_of(matrices + 2 * n * n, n));
    return 2.0 * SGEMM_SIZE * SGEMM_SIZE * SGEMM_SIZE;
}

static void keep_best(double *best, double amount, int64_t start)
{
    const double rate = amount / (double)(clock_ns() - start) * 1e9;
    *best = rate > *best ? rate : *best;
}

/* What the kernel says of the first processor's cache; the C library's figures count other
   processors' caches in on some machines. */
static size_t cache_size(int level, size_t otherwise)
{
    char path[80], line[32] = "";
    snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu0/cache/index%d/size", level);
    FILE *file = fopen(path, "r");
    if (!file)
        return otherwise;
    const bool read = fgets(line, sizeof line, file);
    fclose(file);
    const size_t size = strtoul(line, NULL, 10) << 10; /* "1024K" */
    return read && size > 0 ? size : otherwise;
}

int limits_init(struct limits *limits, struct err *err)
{
    const size_t l2 = cache_size(2, 1u << 20), l3 = cache_size(3, 32u << 20);
    *limits = (struct limits){.size = {l2 / 2, l3 / 8, 4 * l3}};
    limits->memory = mem_alloc(limits->size[LEVEL_MEMORY], 1, err);
    limits->matrices = mem_alloc(3 * SGEMM_SIZE * SGEMM_SIZE, sizeof(float), err);
    if (!limits->memory || !limits->matrices)
        return ERR_MEMORY;
    memset(limits->memory, 1, limits->size[LEVEL_MEMORY]); /* pages of zeros may be one page */
    return 0;
}

void limits_measure(struct limits *limits)
{
    for (int level = 0; level < LEVELS; level++) {
        const size_t size = limits->size[level];
        limits->seen ^= read_memory(limits->memory, size); /* into the cache */
        const size_t times = level == LEVEL_MEMORY ? 1 : 1 + CACHE_READ / size;
        const int64_t start = clock_ns();
        for (size_t i = 0; i < times; i++)
            limits->seen ^= read_memory(limits->memory, size);
        keep_best(&limits->bandwidth[level], (double)(times * size), start);
    }
    int64_t start = clock_ns();
    keep_best(&limits->multiply, multiply(), start);
    start = clock_ns();
    keep_best(&limits->integer, integer(), start);
    start = clock_ns();
    keep_best(&limits->sgemm, sgemm(limits->matrices), start);
}

void limits_release(struct limits *limits)
{
    mem_free(limits->memory);
    mem_free(limits->matrices);
}
