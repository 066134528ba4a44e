/* One layer of cells for the diagnostics: where its weights lie, and what they begin as. */
#ifndef DRAGOMAN_BENCH_DIAGNOSTICS_LAYER_H
#define DRAGOMAN_BENCH_DIAGNOSTICS_LAYER_H

#include "nn/cell.h"

/* Points the layer's weights into flat[0..), unless that is NULL. Returns how many there are. */
size_t diagnostics_layer_bind(struct cell_layer *layer, real *flat);

struct diagnostics_start {
    double radius; /* of the recurrent matrices: orthogonal ones, gate by gate, times this */
    /* Bias of the gate that keeps the state: an LSTM's forget gate (Gers et al. 2000), a GRU's
       update gate (Tallec and Ollivier 2018). */
    double forget_bias;
};
void diagnostics_layer_init(const struct cell_layer *layer, const struct diagnostics_start *start,
                            struct rng *rng);

#endif
