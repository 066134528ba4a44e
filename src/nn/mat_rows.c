/*
 * mat_rows: which of its three forms this processor runs. They differ in the width of their
 * vectors, and so in the last bits of their sums; on one machine it is always the same one.
 */
#include "nn/mat.h"

#include <string.h>

#define TILE_OUTPUTS 4
typedef real lanes_8 __attribute__((vector_size(8 * sizeof(real))));
typedef real lanes_4 __attribute__((vector_size(4 * sizeof(real))));

struct product {
    size_t rows, outputs, inputs, x_stride, w_stride, y_stride;
    const real *x, *w, *bias;
    real *y;
};

#if defined(__x86_64__) && !defined(DRAGOMAN_DOUBLE)
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
#define TILE_ROWS 2
#include "nn/mat_tile.h"

static void run(const struct product *p)
{
#if defined(__x86_64__) && !defined(DRAGOMAN_DOUBLE)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw"))
        rows_512(p);
    else if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        rows_256(p);
    else
#endif
        rows_128(p);
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
