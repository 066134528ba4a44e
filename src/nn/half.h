/*
 * Floats of 16 bits (IEEE 754 binary16), as weights are kept where 32 bits say more than is known:
 * 1 bit of sign, 5 of exponent, 10 of mantissa. Values from 6e-8 to 65504, the larger ones (from
 * 6.1e-5) to a relative error of 2^-11.
 */
#ifndef DRAGOMAN_NN_HALF_H
#define DRAGOMAN_NN_HALF_H

#include <math.h>
#include <stdint.h>

#define HALF_LARGEST 65504.0f

union half_bits {
    float value;
    uint32_t bits;
};

/* Of a finite one, exactly. Exponent and mantissa move to where a float has them; the difference of
   the exponents' zeros, 127 - 15, is a factor, which also makes the smallest ones normal. */
static inline float half_value(uint16_t half)
{
    union half_bits x = {.bits = (uint32_t)(half & 0x7fffu) << 13};
    x.value *= 0x1p112f;
    x.bits |= (uint32_t)(half & 0x8000u) << 16;
    return x.value;
}

/* The nearest one, to even in the middle, of a finite value of at most HALF_LARGEST in magnitude.
 */
static inline uint16_t half_nearest(float value)
{
    const union half_bits x = {.value = fabsf(value)};
    const uint16_t sign = signbit(value) ? 0x8000 : 0;
    if (x.value < 0x1p-14f) /* below the normal ones: in steps of 2^-24 */
        return (uint16_t)(sign | (uint16_t)lrintf(x.value * 0x1p24f));
    const uint32_t even = x.bits >> 13 & 1;
    return (uint16_t)(sign | ((x.bits + 0xfff + even - ((127 - 15) << 23)) >> 13));
}

#endif
