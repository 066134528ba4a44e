/* int8_multiply's forms for x86-64; int8.c includes it there. */
#ifndef DRAGOMAN_NN_INT8_X86_H
#define DRAGOMAN_NN_INT8_X86_H

#include <immintrin.h>

#define TARGET_256 __attribute__((target("avx2,fma")))
#define TARGET_AVX_VNNI __attribute__((target("avx2,fma,avxvnni")))
#define TARGET_512 __attribute__((target("avx2,fma,avx512f,avx512vl,avx512dq,avx512bw")))
#define TARGET_VNNI                                                                                \
    __attribute__((target("avx2,fma,avx512f,avx512vl,avx512dq,avx512bw,avx512vnni")))

typedef int32_t sums_vnni_512 __attribute__((vector_size(64)));
struct columns_vnni_512 {
    __m512i shifted;
};

TARGET_VNNI static inline void load_vnni_512(const int8_t *weights,
                                             struct columns_vnni_512 *columns)
{
    columns->shifted = _mm512_xor_si512(_mm512_loadu_si512(weights), _mm512_set1_epi8(-128));
}

TARGET_VNNI static inline void dot_vnni_512(sums_vnni_512 *sums,
                                            const struct columns_vnni_512 *columns, int32_t four)
{
    *sums = (sums_vnni_512)_mm512_dpbusd_epi32((__m512i)*sums, columns->shifted,
                                               _mm512_set1_epi32(four));
}

#define TILE_NAME vnni_512
#define TILE_TARGET TARGET_VNNI
#define TILE_VECTORS 1
#define TILE_OFFSET 128
#define TILE_ROWS 6
#define TILE_PANELS 4
#include "nn/int8_tile.h"

/* The signs of the weights are a mask here: there is no instruction that transfers them. */
typedef int32_t sums_512 __attribute__((vector_size(64)));
struct columns_512 {
    __m512i magnitudes;
    __mmask64 negative;
};

TARGET_512 static inline void load_512(const int8_t *weights, struct columns_512 *columns)
{
    const __m512i w = _mm512_loadu_si512(weights);
    columns->magnitudes = _mm512_abs_epi8(w);
    columns->negative = _mm512_movepi8_mask(w);
}

TARGET_512 static inline void dot_512(sums_512 *sums, const struct columns_512 *columns,
                                      int32_t four)
{
    const __m512i x = _mm512_set1_epi32(four);
    const __m512i signed_x = _mm512_mask_sub_epi8(x, columns->negative, _mm512_setzero_si512(), x);
    const __m512i pairs = _mm512_maddubs_epi16(columns->magnitudes, signed_x);
    *sums += (sums_512)_mm512_madd_epi16(pairs, _mm512_set1_epi16(1));
}

#define TILE_NAME 512
#define TILE_TARGET TARGET_512
#define TILE_VECTORS 1
#define TILE_OFFSET 0
#define TILE_ROWS 6
#define TILE_PANELS 2
#include "nn/int8_tile.h"

typedef int32_t sums_256 __attribute__((vector_size(32)));
struct columns_256 {
    __m256i weights[2], magnitudes[2];
};

TARGET_256 static inline void load_256(const int8_t *weights, struct columns_256 *columns)
{
    for (size_t v = 0; v < 2; v++) {
        columns->weights[v] = _mm256_loadu_si256((const __m256i *)(const void *)weights + v);
        columns->magnitudes[v] = _mm256_abs_epi8(columns->weights[v]);
    }
}

TARGET_256 static inline void dot_256(sums_256 *sums, const struct columns_256 *columns,
                                      int32_t four)
{
    const __m256i x = _mm256_set1_epi32(four);
    for (size_t v = 0; v < 2; v++) {
        const __m256i signed_x = _mm256_sign_epi8(x, columns->weights[v]);
        const __m256i pairs = _mm256_maddubs_epi16(columns->magnitudes[v], signed_x);
        sums[v] += (sums_256)_mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
    }
}

#define TILE_NAME 256
#define TILE_TARGET TARGET_256
#define TILE_VECTORS 2
#define TILE_OFFSET 0
#define TILE_ROWS 4
#define TILE_PANELS 1
#include "nn/int8_tile.h"

typedef int32_t sums_avx_vnni __attribute__((vector_size(32)));
typedef sums_avx_vnni sums_vnni_256;
struct columns_avx_vnni {
    __m256i shifted[2];
};
#define columns_vnni_256 columns_avx_vnni

TARGET_256 static inline void load_avx_vnni(const int8_t *weights, struct columns_avx_vnni *columns)
{
    for (size_t v = 0; v < 2; v++)
        columns->shifted[v] = _mm256_xor_si256(
            _mm256_loadu_si256((const __m256i *)(const void *)weights + v), _mm256_set1_epi8(-128));
}
#define load_vnni_256 load_avx_vnni

TARGET_AVX_VNNI static inline void
dot_avx_vnni(sums_avx_vnni *sums, const struct columns_avx_vnni *columns, int32_t four)
{
    for (size_t v = 0; v < 2; v++)
        sums[v] = (sums_avx_vnni)_mm256_dpbusd_avx_epi32((__m256i)sums[v], columns->shifted[v],
                                                         _mm256_set1_epi32(four));
}

#define TILE_NAME avx_vnni
#define TILE_TARGET TARGET_AVX_VNNI
#define TILE_VECTORS 2
#define TILE_OFFSET 128
#define TILE_ROWS 6
#define TILE_PANELS 1
#include "nn/int8_tile.h"

TARGET_VNNI static inline void dot_vnni_256(sums_vnni_256 *sums,
                                            const struct columns_avx_vnni *columns, int32_t four)
{
    for (size_t v = 0; v < 2; v++)
        sums[v] = (sums_vnni_256)_mm256_dpbusd_epi32((__m256i)sums[v], columns->shifted[v],
                                                     _mm256_set1_epi32(four));
}

#define TILE_NAME vnni_256
#define TILE_TARGET TARGET_VNNI
#define TILE_VECTORS 2
#define TILE_OFFSET 128
#define TILE_ROWS 6
#define TILE_PANELS 1
#include "nn/int8_tile.h"

#endif
