/*
 * int8_multiply: its forms, and which of them this processor runs. Processors differ in how they
 * multiply bytes; each form is arranged so that no intermediate sum can exceed its type, whatever
 * the bytes are:
 *
 *   VNNI       multiplies unsigned by signed bytes and adds four products to 32 bits. Weights are
 *              made unsigned by adding 128; 128 times the row's sum is subtracted at the end.
 *   AVX2, AVX-512 without VNNI
 *              the same instruction adds but two products, and saturates at 16 bits. The magnitudes
 *              of the weights are multiplied by the inputs with the weights' signs: at most
 *              2 * 128 * 127 = 32512 in magnitude.
 *   NEON       has products of signed bytes; without its dot product, two at most are added in 16
 *              bits, the same 32512.
 */
#include "nn/int8.h"

#include <string.h>

#include "nn/cpu.h"

#ifdef __clang__
/* Where optimisation is off, it is no fault that loops are not unrolled. */
#pragma clang diagnostic ignored "-Wpass-failed"
#endif

struct product {
    size_t rows, outputs, groups;
    const int8_t *weights;
    const float *scales, *bias;
    const struct int8_rows *x;
    float *y;
    size_t y_stride;
};

#if defined(__x86_64__)
#include "nn/int8_x86.h"
#elif defined(__aarch64__)
#include "nn/int8_neon.h"
#endif

/* Plain C, in vectors that most processors have. The four bytes of a 32-bit lane are taken apart
   two by two, as the halves of 16-bit lanes: two products of bytes fit 16 bits. Which is which does
   not matter, as long as inputs are taken apart in the same way. */
typedef int32_t sums_portable __attribute__((vector_size(16)));
typedef int16_t halves __attribute__((vector_size(16)));
struct columns_portable {
    halves low[4], high[4]; /* of four outputs each */
};

static inline void take_apart(halves bytes, halves *low, halves *high)
{
    *low = bytes << 8 >> 8;
    *high = bytes >> 8;
}

static inline void load_portable(const int8_t *weights, struct columns_portable *columns)
{
    for (size_t v = 0; v < 4; v++) {
        halves bytes;
        memcpy(&bytes, weights + v * sizeof bytes, sizeof bytes);
        take_apart(bytes, &columns->low[v], &columns->high[v]);
    }
}

static inline void dot_portable(sums_portable *sums, const struct columns_portable *columns,
                                int32_t four)
{
    halves low, high;
    take_apart((halves)(sums_portable){four, four, four, four}, &low, &high);
    for (size_t v = 0; v < 4; v++) {
        const halves products = columns->low[v] * low + columns->high[v] * high;
        const sums_portable pairs = (sums_portable)products;
        sums[v] += (pairs << 16 >> 16) + (pairs >> 16);
    }
}

#define TILE_NAME portable
#define TILE_TARGET
#define TILE_VECTORS 4
#define TILE_OFFSET 0
#define TILE_ROWS 3
#define TILE_PANELS 1
#include "nn/int8_tile.h"

static void run(const struct product *p)
{
    switch (cpu_path()) {
#if defined(__x86_64__)
    case CPU_AVX512_VNNI:
        multiply_vnni_512(p);
        return;
    case CPU_AVX512_VNNI_256:
        multiply_vnni_256(p);
        return;
    case CPU_AVX512:
        multiply_512(p);
        return;
    case CPU_AVX_VNNI:
        multiply_avx_vnni(p);
        return;
    case CPU_AVX2:
        multiply_256(p);
        return;
    case CPU_NEON_DOT:
    case CPU_NEON:
#elif defined(__aarch64__)
    case CPU_NEON_DOT:
        multiply_neon_dot(p);
        return;
    case CPU_NEON:
        multiply_neon(p);
        return;
    case CPU_AVX512_VNNI:
    case CPU_AVX512_VNNI_256:
    case CPU_AVX512:
    case CPU_AVX_VNNI:
    case CPU_AVX2:
#else
    case CPU_AVX512_VNNI:
    case CPU_AVX512_VNNI_256:
    case CPU_AVX512:
    case CPU_AVX_VNNI:
    case CPU_AVX2:
    case CPU_NEON_DOT:
    case CPU_NEON:
#endif
    case CPU_PORTABLE:
        multiply_portable(p);
    }
}

void int8_multiply(const struct int8_matrix *matrix, size_t rows, const struct int8_rows *x,
                   const float *bias, float *y, size_t y_stride)
{
    run(&(struct product){.rows = rows,
                          .outputs = matrix->outputs,
                          .groups = (matrix->inputs + INT8_GROUP - 1) / INT8_GROUP,
                          .weights = matrix->weights,
                          .scales = matrix->scales,
                          .bias = bias,
                          .x = x,
                          .y = y,
                          .y_stride = y_stride});
}
