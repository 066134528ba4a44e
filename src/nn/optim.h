/*
 * Optimisers: SGD with momentum, Adagrad (Duchi et al. 2011), RMSprop (Tieleman and Hinton 2012),
 * Adam (Kingma and Ba 2015) and AdamW (Loshchilov and Hutter 2019), each as torch.optim defines it;
 * and clipping, by value and by global norm (Pascanu, Mikolov, Bengio 2013).
 *
 * All parameters of a network lie in flat vectors, so that several threads can each take a slice.
 * An update is two passes over memory: optim_gather sums the threads' gradients, clips them by
 * value and measures them; optim_update does everything else.
 */
#ifndef DRAGOMAN_NN_OPTIM_H
#define DRAGOMAN_NN_OPTIM_H

#include <stdbool.h>
#include <stddef.h>
#include "nn/real.h"

/* Order of the words of the recipe's option. */
enum optim_kind { OPTIM_SGD, OPTIM_ADAGRAD, OPTIM_RMSPROP, OPTIM_ADAM, OPTIM_ADAMW };

struct optim {
    enum optim_kind kind;
    double rate;
    double momentum;     /* sgd; without dampening, not Nesterov's */
    double beta1, beta2; /* adam, adamw; beta2 is rmsprop's alpha */
    double epsilon;      /* not of sgd */
    double weight_decay; /* L2, added to the gradient; adamw takes it off the weights instead */
};

/* Which running moments it keeps; they begin at 0. */
bool optim_has_first(const struct optim *optim);
bool optim_has_second(const struct optim *optim);

struct optim_slice { /* entries of the flat vectors */
    size_t count;
    real *weights, *gradient;
    real *first, *second; /* NULL where the optimiser keeps none */
    real *average;        /* exponential average of the weights, or NULL */
};

/* Update number `step` (1, 2, ...) by gradient * scale; then average += share * (weights - average)
   and the gradient is zeroed. False where a weight or a moment is no longer finite. */
bool optim_update(const struct optim *optim, size_t step, double scale, double share,
                  const struct optim_slice *slice);

/* What `share` must be after `step` updates for an average that forgets by `decay` an update, and
   that is a weighted mean of the weights since the first: as Adam's correction of its moments. */
double optim_average_share(double decay, size_t step);

/* Adds parts 1.. of a gradient to part 0 in their order, zeroes them, and brings each entry of the
   sum into [-threshold, threshold]; 0: as it is. Returns the sum of squares; not a number where an
   entry is not finite, which is left as it is. */
double optim_gather(size_t count, size_t parts, real *const *gradients, double threshold);

/* The factor that brings a gradient of this norm to at most `threshold`; 1 where threshold is 0. */
double clip_scale(double norm, double threshold);

/* The first entry that is not finite; count where all are. */
size_t optim_first_bad(size_t count, const real *values);

#endif
