/*
 * The number type of the networks: float, or double where the layer is built a second time with
 * DRAGOMAN_DOUBLE to hold every backward pass against finite differences.
 *
 * The elementary functions are plain expressions without branches or calls, so that loops over
 * them vectorise. exp follows Cephes expf (S. Moshier): range reduction by ln 2 in two parts and a
 * polynomial of degree 6; relative error below 2e-7 on [-87, 88], outside it saturates.
 */
#ifndef DRAGOMAN_NN_REAL_H
#define DRAGOMAN_NN_REAL_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#ifdef DRAGOMAN_DOUBLE
typedef double real;

static inline real real_exp(real x)
{
    return exp(x);
}
static inline real real_tanh(real x)
{
    return tanh(x);
}
static inline real real_log(real x)
{
    return log(x);
}
#else
typedef float real;

static inline real real_exp(real x)
{
    const float limited = x < -87.0f ? -87.0f : x > 88.0f ? 88.0f : x;
    const float shifted = limited * 1.44269504f + 12582912.0f; /* 1.5 * 2^23 rounds to integer */
    const float n = shifted - 12582912.0f;
    const float r = (limited - n * 0.693359375f) + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    /* n stands in the low bits of `shifted`; NaN needs no conversion to integer this way. */
    union {
        float value;
        uint32_t bits;
    } power = {.value = shifted};
    power.bits = (power.bits + 127) << 23;
    return p * power.value;
}
static inline real real_tanh(real x)
{
    return 1.0f - 2.0f / (real_exp(2.0f * x) + 1.0f);
}
/* x normal and above 0. x = 2^n (1 + r), 1/sqrt 2 <= 1 + r < sqrt 2; log(1 + r) from the series of
   2 artanh(r / (2 + r)), which converges fast there. */
static inline real real_log(real x)
{
    union {
        float value;
        uint32_t bits;
    } mantissa = {.value = x};
    const uint32_t shifted = mantissa.bits - 0x3f3504f3u; /* 1/sqrt 2 */
    const float n = (float)((int32_t)shifted >> 23);
    mantissa.bits = (shifted & 0x007fffffu) + 0x3f3504f3u;
    const float r = mantissa.value - 1.0f, z = r / (2.0f + r), z2 = z * z;
    float p = 2.0f / 9;
    p = p * z2 + 2.0f / 7;
    p = p * z2 + 2.0f / 5;
    p = p * z2 + 2.0f / 3;
    const float y = n * 0.693359375f + (n * -2.12194440e-4f + (p * z2 * z + 2.0f * z));
    return x == x ? y : x;
}
#endif

static inline real real_logistic(real x)
{
    return (real)1 / ((real)1 + real_exp(-x));
}

/*
 * Marks a function that is compiled once for each vector width and chosen at start-up. Off under
 * sanitizers, whose run time is not ready yet when the choice is made.
 */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) &&                             \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && !defined(DRAGOMAN_DOUBLE)
#define NN_VECTORISED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define NN_VECTORISED
#endif

/* Before a loop whose iterations read nothing that another one writes. */
#ifdef __clang__
/* Where optimisation is off, it is no fault that such a loop is not vectorised. */
#pragma clang diagnostic ignored "-Wpass-failed"
#define NN_INDEPENDENT _Pragma("clang loop vectorize(assume_safety)")
#else
#define NN_INDEPENDENT _Pragma("GCC ivdep")
#endif

#endif
