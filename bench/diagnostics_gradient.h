/*
 * How the gradient fades or grows on its way back through time: |dL/dh_t| where L reads the last
 * state only (Bengio, Simard and Frasconi 1994; Pascanu, Mikolov and Bengio 2013).
 */
#ifndef DRAGOMAN_BENCH_DIAGNOSTICS_GRADIENT_H
#define DRAGOMAN_BENCH_DIAGNOSTICS_GRADIENT_H

#include "diagnostics_layer.h"

/* norms[k], k = 0..steps: |dL/dh_t| for t = steps - k over that of the last state, |.| being the
   root of the sum of squares over the batch. x [T, B, I]; d_h [B, H]: dL/dh_T, overwritten. Of a
   cell with a second state c, dL/dh_t is what goes through h_t, not what goes past it in c_t. */
int gradient_norms(const struct cell_layer *layer, size_t steps, size_t batch, const real *x,
                   real *d_h, double *norms, struct err *err);

struct gradient_settings {
    enum cell_kind cell;
    struct diagnostics_start start;
    size_t steps, batch, input, hidden;
    double deviation; /* of the inputs, normal deviates */
    uint64_t seed;
};
/* Of a layer as it begins, for normal dL/dh_T. */
int gradient_norms_at_start(const struct gradient_settings *settings, double *norms,
                            struct err *err);

#endif
