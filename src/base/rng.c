/*
 * Random numbers. The generator is xoshiro256** 1.0: D. Blackman and S. Vigna, "Scrambled linear
 * pseudorandom number generators", 2018. Its state is filled by splitmix64, whose four successive
 * outputs are distinct, so that the state is never all zero.
 */
#include "base/rng.h"

#include <math.h>

static uint64_t rotate_left(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

static uint64_t splitmix64(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

void rng_seed(struct rng *rng, uint64_t seed, uint64_t stream)
{
    /* Stream 0 is splitmix64 of the seed itself; the others start from a mixed offset. */
    uint64_t state = seed;
    if (stream)
        state ^= splitmix64(&stream);
    for (int i = 0; i < 4; i++)
        rng->s[i] = splitmix64(&state);
}

uint64_t rng_next(struct rng *rng)
{
    uint64_t *s = rng->s;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

double rng_uniform(struct rng *rng)
{
    return (double)(rng_next(rng) >> 11) * 0x1.0p-53;
}

/* Box and Muller 1958; the second normal is thrown away so that the state stays four words. */
double rng_normal(struct rng *rng)
{
    double radius = sqrt(-2.0 * log(1.0 - rng_uniform(rng)));
    return radius * cos(2.0 * 3.14159265358979323846 * rng_uniform(rng));
}

uint64_t rng_below(struct rng *rng, uint64_t bound)
{
    /* 2^64 mod bound values at the bottom would be seen once too often: they are drawn again. */
    uint64_t reject = (0 - bound) % bound;
    uint64_t value;
    do
        value = rng_next(rng);
    while (value < reject);
    return value % bound;
}
