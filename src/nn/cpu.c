#include "nn/cpu.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

#define UNKNOWN (-1)

static _Atomic int chosen = UNKNOWN;

const char *cpu_path_name(enum cpu_path path)
{
    switch (path) {
    case CPU_PORTABLE:
        return "portable";
    case CPU_NEON:
        return "neon";
    case CPU_NEON_DOT:
        return "neon-dot";
    case CPU_AVX2:
        return "avx2";
    case CPU_AVX_VNNI:
        return "avx-vnni";
    case CPU_AVX512:
        return "avx512";
    case CPU_AVX512_VNNI_256:
        return "avx512-vnni-256";
    case CPU_AVX512_VNNI:
        return "avx512-vnni";
    }
    return "unknown";
}

#if defined(__x86_64__)
static bool has_avx2(void)
{
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

/* Leaf 7, subleaf 1, bit 4 of EAX. Compilers of today do not all know it by name. */
static bool has_avx_vnni(void)
{
    unsigned a = 0, b = 0, c = 0, d = 0;
    return has_avx2() && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a >> 4 & 1) != 0;
}

static bool has_avx512(void)
{
    return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw");
}

bool cpu_has(enum cpu_path path)
{
    switch (path) {
    case CPU_PORTABLE:
        return true;
    case CPU_NEON:
    case CPU_NEON_DOT:
        return false;
    case CPU_AVX2:
        return has_avx2();
    case CPU_AVX_VNNI:
        return has_avx_vnni();
    case CPU_AVX512:
        return has_avx512();
    case CPU_AVX512_VNNI_256:
    case CPU_AVX512_VNNI:
        return has_avx512() && __builtin_cpu_supports("avx512vnni");
    }
    return false;
}
#elif defined(__aarch64__)
bool cpu_has(enum cpu_path path)
{
#if defined(__linux__)
    if (path == CPU_NEON_DOT)
        return (getauxval(AT_HWCAP) >> 20 & 1) != 0; /* HWCAP_ASIMDDP */
#endif
    return path == CPU_PORTABLE || path == CPU_NEON;
}
#else
bool cpu_has(enum cpu_path path)
{
    return path == CPU_PORTABLE;
}
#endif

static enum cpu_path choose(void)
{
    const char *wanted = getenv("DRAGOMAN_CPU");
    enum cpu_path best = CPU_PORTABLE;
    for (int path = 0; path < CPU_PATHS; path++) {
        if (!cpu_has((enum cpu_path)path))
            continue;
        best = (enum cpu_path)path;
        if (wanted && strcmp(wanted, cpu_path_name(best)) == 0)
            return best;
    }
    return best;
}

/* Threads that ask first at the same time all choose the same. */
enum cpu_path cpu_path(void)
{
    int path = atomic_load_explicit(&chosen, memory_order_relaxed);
    if (path == UNKNOWN) {
        path = (int)choose();
        atomic_store_explicit(&chosen, path, memory_order_relaxed);
    }
    return (enum cpu_path)path;
}

bool cpu_use(enum cpu_path path)
{
    if (!cpu_has(path))
        return false;
    atomic_store_explicit(&chosen, (int)path, memory_order_relaxed);
    return true;
}
