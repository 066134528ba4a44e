/* First values of weights. */
#ifndef DRAGOMAN_NN_INIT_H
#define DRAGOMAN_NN_INIT_H

#include "base/rng.h"
#include "nn/real.h"

void init_uniform(size_t count, double bound, struct rng *rng, real *x); /* in [-bound, bound) */
void init_normal(size_t count, double deviation, struct rng *rng, real *x);
/* Uniform within sqrt(6 / (rows + columns)) (Glorot and Bengio 2010). */
void init_glorot(size_t rows, size_t columns, struct rng *rng, real *x);
/* A matrix whose rows, or where there are more of them its columns, are of length 1 and at right
   angles; any such is as likely as any other (Saxe, McClelland, Ganguli 2014). */
void init_orthogonal(size_t rows, size_t columns, struct rng *rng, real *x);

#endif
