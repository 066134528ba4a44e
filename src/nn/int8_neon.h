/* int8_multiply's forms for AArch64; int8.c includes it there. */
#ifndef DRAGOMAN_NN_INT8_NEON_H
#define DRAGOMAN_NN_INT8_NEON_H

#include <arm_neon.h>

typedef int32_t sums_neon __attribute__((vector_size(16)));
struct columns_neon {
    int8x16_t weights[4]; /* of four outputs each */
};

static inline void load_neon(const int8_t *weights, struct columns_neon *columns)
{
    for (size_t v = 0; v < 4; v++)
        columns->weights[v] = vld1q_s8(weights + v * 16);
}

static inline void dot_neon(sums_neon *sums, const struct columns_neon *columns, int32_t four)
{
    const int8x16_t x = vreinterpretq_s8_s32(vdupq_n_s32(four));
    for (size_t v = 0; v < 4; v++) {
        const int16x8_t low = vmull_s8(vget_low_s8(columns->weights[v]), vget_low_s8(x));
        const int16x8_t high = vmull_high_s8(columns->weights[v], x);
        sums[v] = (sums_neon)vpadalq_s16((int32x4_t)sums[v], vpaddq_s16(low, high));
    }
}

#define TILE_NAME neon
#define TILE_TARGET
#define TILE_VECTORS 4
#define TILE_OFFSET 0
#define TILE_ROWS 4
#define TILE_PANELS 1
#include "nn/int8_tile.h"

/* Compilers before clang 16 have this instruction only where the whole file may use it. */
#if defined(__ARM_FEATURE_DOTPROD) || !defined(__clang__) || __clang_major__ >= 16
#define TARGET_DOT __attribute__((target("arch=armv8.2-a+dotprod")))

typedef sums_neon sums_neon_dot;
#define columns_neon_dot columns_neon
#define load_neon_dot load_neon

TARGET_DOT static inline void dot_neon_dot(sums_neon *sums, const struct columns_neon *columns,
                                           int32_t four)
{
    const int8x16_t x = vreinterpretq_s8_s32(vdupq_n_s32(four));
    for (size_t v = 0; v < 4; v++)
        sums[v] = (sums_neon)vdotq_s32((int32x4_t)sums[v], columns->weights[v], x);
}

#define TILE_NAME neon_dot
#define TILE_TARGET TARGET_DOT
#define TILE_VECTORS 4
#define TILE_OFFSET 0
#define TILE_ROWS 6
#define TILE_PANELS 1
#include "nn/int8_tile.h"
#else
#define multiply_neon_dot multiply_neon
#endif

#endif
