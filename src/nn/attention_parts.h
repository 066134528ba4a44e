/* What the files of attention share. */
#ifndef DRAGOMAN_NN_ATTENTION_PARTS_H
#define DRAGOMAN_NN_ATTENTION_PARTS_H

#include "nn/attention.h"

/* One query [A] over one sentence's keys [S, A]: scores [S] = v.tanh(keys + query) */
void attention_additive_scores(size_t steps, size_t hidden, const real *v, struct mat keys,
                               const real *query, real *scores);
/* Adds to d_keys, d_query and d_v. */
void attention_additive_scores_back(size_t steps, size_t hidden, const real *v, struct mat keys,
                                    const real *query, const real *d_scores, struct mat d_keys,
                                    real *d_query, real *d_v);

#endif
