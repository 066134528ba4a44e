/*
 * mat_rows: which of its three forms this processor runs. They differ in the width of their
 * vectors, and so in the last bits of their sums; on one machine it is always the same one.
 */
#include "nn/mat.h"

#include <string.h>

#include "nn/cpu.h"

#define TILE_OUTPUTS 4
typedef real lanes_8 __attribute__((vector_size(8 * sizeof(real))));
typedef real lanes_4 __attribute__((vector_size(4 * sizeof(real))));

struct product {
    size_t rows, outputs, inputs, x_stride, w_stride, y_stride;
    const real *x, *w, *bias;
    real *y;
};

#if defined(__x86_64__) && !defined(DRAGOMAN_DOUBLE)
#define WIDE_FORMS
#define TILE_NAME 512
#define TILE_TARGET __attribute__((target("avx2,fma,avx512f,avx512vl,avx512dq,avx512bw")))
#define TILE_LANES 16
#define TILE_ROWS 4
#include "nn/mat_tile.h"

#define TILE_NAME 256
#define TILE_TARGET __attribute__((target("avx2,fma")))
#define TILE_LANES 8
#define TILE_ROWS 2 /* what fits 16 registers */
#include "nn/mat_tile.h"
#endif

#define TILE_NAME 128
#define TILE_TARGET
#define TILE_LANES 4
#ifdef __aarch64__
#define TILE_ROWS 4
#else
#define TILE_ROWS 2
#endif
#include "nn/mat_tile.h"

static void run(const struct product *p)
{
    switch (cpu_path()) {
    case CPU_AVX512_VNNI:
    case CPU_AVX512_VNNI_256:
    case CPU_AVX512:
#ifdef WIDE_FORMS
        rows_512(p);
        return;
#endif
    case CPU_AVX_VNNI:
    case CPU_AVX2:
#ifdef WIDE_FORMS
        rows_256(p);
        return;
#endif
    case CPU_NEON_DOT:
    case CPU_NEON:
    case CPU_PORTABLE:
        rows_128(p);
    }
}

void mat_rows(size_t rows, size_t outputs, size_t inputs, const real *x, size_t x_stride,
              const real *w, size_t w_stride, const real *bias, real *y, size_t y_stride)
{
    run(&(struct product){.rows = rows,
                          .outputs = outputs,
                          .inputs = inputs,
                          .x_stride = x_stride,
                          .w_stride = w_stride,
                          .y_stride = y_stride,
                          .x = x,
                          .w = w,
                          .bias = bias,
                          .y = y});
}
