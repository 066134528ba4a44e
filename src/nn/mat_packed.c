/*
 * Products of a few rows with weights that are used again and again: the recurrent weights of a
 * layer, once a time step. BLAS lays the weights out anew for each product, which for 50 rows costs
 * a good part of the product itself; here they are packed once an update, into panels of as many
 * columns as two vectors of this processor hold: [n / width][k][width], the last panel filled up
 * with zeros.
 */
#include "nn/mat.h"

#include <string.h>

#include "nn/cpu.h"

#if defined(__x86_64__) && !defined(DRAGOMAN_DOUBLE)
#define WIDE_FORMS
#define PANEL_NAME 512
#define PANEL_TARGET __attribute__((target("avx2,fma,avx512f,avx512vl,avx512dq,avx512bw")))
#define PANEL_LANES 16
#define PANEL_ROWS 14
#include "nn/mat_panel.h"

#define PANEL_NAME 256
#define PANEL_TARGET __attribute__((target("avx2,fma")))
#define PANEL_LANES 8
#define PANEL_ROWS 6
#include "nn/mat_panel.h"
#endif

#define PANEL_NAME 128
#define PANEL_TARGET
#define PANEL_LANES 4
#define PANEL_ROWS 6
#include "nn/mat_panel.h"

/* Values in a vector; DRAGOMAN_DOUBLE has but the plainest. */
static size_t lanes(void)
{
    switch (cpu_path()) {
    case CPU_AVX512_VNNI:
    case CPU_AVX512_VNNI_256:
    case CPU_AVX512:
#ifdef WIDE_FORMS
        return 16;
#endif
    case CPU_AVX_VNNI:
    case CPU_AVX2:
#ifdef WIDE_FORMS
        return 8;
#endif
    case CPU_NEON_DOT:
    case CPU_NEON:
    case CPU_PORTABLE:
        break;
    }
    return 4;
}

size_t mat_packed_size(size_t n, size_t k)
{
    const size_t width = 2 * lanes();
    return (n + width - 1) / width * width * k;
}

#define BLOCK 16 /* inputs that are transposed together: a cache line of each row */

/* b [width, k] to packed [k, panel] */
static void pack_rows(size_t panel, size_t width, size_t k, struct mat b, real *packed)
{
    for (size_t i = 0; i < k; i += BLOCK) {
        const size_t end = k - i < BLOCK ? k : i + BLOCK;
        for (size_t l = 0; l < width; l++)
            for (size_t x = i; x < end; x++)
                packed[x * panel + l] = b.data[l * b.stride + x];
    }
}

/* b [k, width] to packed [k, panel] */
static void pack_columns(size_t panel, size_t width, size_t k, struct mat b, real *packed)
{
    for (size_t i = 0; i < k; i++)
        memcpy(packed + i * panel, b.data + i * b.stride, width * sizeof(real));
}

void mat_pack(enum mat_form form, size_t n, size_t k, struct mat b, real *packed)
{
    const size_t panel = 2 * lanes();
    for (size_t j = 0; j < n; j += panel, packed += panel * k) {
        const size_t width = n - j < panel ? n - j : panel;
        if (width < panel)
            memset(packed, 0, panel * k * sizeof(real));
        if (form == MAT_NT)
            pack_rows(panel, width, k, mat_of(b.data + j * b.stride, b.stride), packed);
        else
            pack_columns(panel, width, k, mat_of(b.data + j, b.stride), packed);
    }
}

void mat_multiply_packed(size_t m, size_t n, size_t k, struct mat a, const real *packed, real keep,
                         struct mat c)
{
    switch (lanes()) {
#ifdef WIDE_FORMS
    case 16:
        multiply_512(m, n, k, a, packed, keep, c);
        break;
    case 8:
        multiply_256(m, n, k, a, packed, keep, c);
        break;
#endif
    default:
        multiply_128(m, n, k, a, packed, keep, c);
    }
}

void mat_rows_packed(size_t rows, size_t outputs, size_t inputs, const real *x, size_t x_stride,
                     const real *packed, const real *bias, real *y, size_t y_stride)
{
    for (size_t r = 0; bias && r < rows; r++)
        memcpy(y + r * y_stride, bias, outputs * sizeof *y);
    mat_multiply_packed(rows, outputs, inputs, mat_of(x, x_stride), packed, bias ? 1 : 0,
                        mat_of(y, y_stride));
}
