/*
 * pointwise.h: the loops for each set of instructions, and which of them this processor runs. This
 * file must be compiled so that no product and sum are contracted to one rounding: a processor
 * without such an instruction could not give the same bytes.
 */
#include "nn/pointwise.h"

#include <math.h>

#include "nn/cpu.h"
#include "nn/real.h"

/* Sums run over this many lanes, whatever the width of the vectors. */
#define LANES 16
/* Values that are compared before any is looked at alone; too many for the compiler to take the
   loop over them apart instead of making vectors of it. */
#define SCAN 64

union bits {
    float value;
    uint32_t bits;
};

struct loops {
    void (*exp)(size_t count, const float *x, float *y);
    void (*tanh)(size_t count, const float *x, float *y);
    void (*logistic)(size_t count, const float *x, float *y);
    float (*greatest)(size_t count, const float *x);
    size_t (*find)(size_t count, const float *x, float value);
    float (*sum)(size_t count, const float *x, float greatest);
    float (*terms)(size_t count, float *x, float greatest);
    void (*scale)(size_t count, float factor, float *x);
    float (*magnitude)(size_t count, const float *x);
    int32_t (*round)(size_t count, const float *x, float factor, int8_t *values);
};

#if defined(__x86_64__)
#define LOOP_NAME 512
#define LOOP_TARGET __attribute__((target("avx2,fma,avx512f,avx512vl,avx512dq,avx512bw")))
#include "nn/pointwise_loops.h"

#define LOOP_NAME 256
#define LOOP_TARGET __attribute__((target("avx2,fma")))
#include "nn/pointwise_loops.h"
#endif

#define LOOP_NAME 128
#define LOOP_TARGET
#include "nn/pointwise_loops.h"

static const struct loops *loops(void)
{
    switch (cpu_path()) {
    case CPU_AVX512_VNNI:
    case CPU_AVX512_VNNI_256:
    case CPU_AVX512:
#if defined(__x86_64__)
        return &loops_512;
#endif
    case CPU_AVX_VNNI:
    case CPU_AVX2:
#if defined(__x86_64__)
        return &loops_256;
#endif
    case CPU_NEON_DOT:
    case CPU_NEON:
    case CPU_PORTABLE:
        break;
    }
    return &loops_128;
}

void pointwise_exp(size_t count, const float *x, float *y)
{
    loops()->exp(count, x, y);
}

void pointwise_tanh(size_t count, const float *x, float *y)
{
    loops()->tanh(count, x, y);
}

void pointwise_logistic(size_t count, const float *x, float *y)
{
    loops()->logistic(count, x, y);
}

float pointwise_log_sum(size_t count, const float *x)
{
    const struct loops *l = loops();
    const float greatest = l->greatest(count, x);
    return greatest + real_log(l->sum(count, x, greatest));
}

float pointwise_softmax(size_t count, float *x)
{
    const struct loops *l = loops();
    const float greatest = l->greatest(count, x);
    const float sum = l->terms(count, x, greatest);
    l->scale(count, 1 / sum, x);
    return greatest + real_log(sum);
}

float pointwise_greatest(size_t count, const float *x, size_t *index)
{
    const struct loops *l = loops();
    const float greatest = l->greatest(count, x);
    if (index)
        *index = l->find(count, x, greatest);
    return greatest;
}

float pointwise_magnitude(size_t count, const float *x)
{
    return loops()->magnitude(count, x);
}

int32_t pointwise_round(size_t count, const float *x, float factor, int8_t *values)
{
    return loops()->round(count, x, factor, values);
}
