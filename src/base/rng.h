/*
 * Random numbers: xoshiro256** (Blackman and Vigna 2018), seeded by splitmix64. The state is plain
 * data, so that a checkpoint can hold it. `stream` gives independent generators from one seed.
 */
#ifndef DRAGOMAN_BASE_RNG_H
#define DRAGOMAN_BASE_RNG_H

#include <stdint.h>

struct rng {
    uint64_t s[4];
};
void rng_seed(struct rng *rng, uint64_t seed, uint64_t stream);
uint64_t rng_next(struct rng *rng);
double rng_uniform(struct rng *rng);                 /* [0, 1) */
double rng_normal(struct rng *rng);                  /* mean 0, variance 1 */
uint64_t rng_below(struct rng *rng, uint64_t bound); /* [0, bound), unbiased; bound > 0 */

#endif
