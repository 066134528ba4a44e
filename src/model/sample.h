/*
 * From a language model's outputs to the next token: temperature, top-k (Fan et al. 2018), top-p
 * (nucleus sampling, Holtzman et al. 2020).
 */
#ifndef DRAGOMAN_MODEL_SAMPLE_H
#define DRAGOMAN_MODEL_SAMPLE_H

#include <stddef.h>
#include "base/rng.h"

struct sample_settings {
    double temperature; /* the logits are divided by it; 0: the most probable token alone */
    size_t top_k;       /* only so many of the most probable ones; 0: all */
    double top_p; /* of those the fewest whose probabilities, renormalised, reach this; 1: all */
};

struct sample_item {
    double probability;
    size_t index;
};

/* The distribution that is drawn from. logits [count], of which at least one is finite; -INFINITY
   is never drawn. probabilities [count] sum to 1; of equally probable tokens the lower index comes
   first. scratch [count] */
void sample_distribution(const struct sample_settings *settings, size_t count, const float *logits,
                         double *probabilities, struct sample_item *scratch);
/* An index of probability above 0. Draws one number. */
size_t sample_draw(size_t count, const double *probabilities, struct rng *rng);

#endif
