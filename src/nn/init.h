/* First values of weights. */
#ifndef DRAGOMAN_NN_INIT_H
#define DRAGOMAN_NN_INIT_H

#include "base/rng.h"
#include "nn/real.h"

void init_uniform(size_t count, double bound, struct rng *rng, real *x); /* in [-bound, bound) */
void init_normal(size_t count, double deviation, struct rng *rng, real *x);
/* Uniform within sqrt(6 / (rows + columns)) (Glorot and Bengio 2010). */
void init_glorot(size_t rows, size_t columns, struct rng *rng, real *x);

#endif
