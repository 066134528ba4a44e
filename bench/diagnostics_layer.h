/* One layer of cells for the diagnostics: where its weights lie, and what they begin as. */
#ifndef DRAGOMAN_BENCH_DIAGNOSTICS_LAYER_H
#define DRAGOMAN_BENCH_DIAGNOSTICS_LAYER_H

#include "nn/cell.h"

/* Points the layer's weights into flat[0..), unless that is NULL. Returns how many there are. */
size_t diagnostics_layer_bind(struct cell_layer *layer, real *flat);

struct diagnostics_start {
    double radius;      /* of the recurrent matrices: orthogonal ones, gate by gate, times this */
    double forget_bias; /* of an LSTM */
};
void diagnostics_layer_init(const struct cell_layer *layer, const struct diagnostics_start *start,
                            struct rng *rng);

#endif
