/*
 * Optimisation: Adam (Kingma and Ba 2015) with bias correction, as torch.optim.Adam, and clipping
 * by global norm (Pascanu, Mikolov, Bengio 2013). All work on flat vectors, so that several threads
 * can each take a slice.
 */
#ifndef DRAGOMAN_NN_OPTIM_H
#define DRAGOMAN_NN_OPTIM_H

#include <stddef.h>
#include "nn/real.h"

struct adam {
    double rate, beta1, beta2, epsilon, weight_decay; /* weight_decay: L2, added to the gradient */
};
/* Update number `step` (1, 2, ...) of weights[0..count) by gradient * scale; m and v are the
   running moments. */
void adam_update(const struct adam *adam, size_t step, size_t count, real scale,
                 const real *gradient, real *m, real *v, real *weights);

/* The factor that brings a gradient of this norm to at most `threshold`; 1 where threshold is 0. */
double clip_scale(double norm, double threshold);

#endif
