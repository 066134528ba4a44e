#include "nn/init.h"

void init_uniform(size_t count, double bound, struct rng *rng, real *x)
{
    for (size_t i = 0; i < count; i++)
        x[i] = (real)((2 * rng_uniform(rng) - 1) * bound);
}

void init_normal(size_t count, double deviation, struct rng *rng, real *x)
{
    for (size_t i = 0; i < count; i++)
        x[i] = (real)(rng_normal(rng) * deviation);
}

void init_glorot(size_t rows, size_t columns, struct rng *rng, real *x)
{
    init_uniform(rows * columns, sqrt(6.0 / (double)(rows + columns)), rng, x);
}
