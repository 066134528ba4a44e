/*
 * The gated recurrent unit in PyTorch's form (also Nematus's and Marian's), over a whole sequence:
 *
 *   r = s(Wr x + br + Ur h + br')   z = s(Wz x + bz + Uz h + bz')
 *   n = tanh(Wn x + bn + r * (Un h + bn'))        h' = (1 - z) * n + z * h
 *
 * Weights as in torch.nn.GRU: weight_ih [3H, I] and weight_hh [3H, H], gates in the order r, z, n.
 * Sequences are time-major, [T, B, ...]; where t >= lengths[b] the state is carried over unchanged,
 * so the last state of the forward direction is at T - 1 and that of the reverse direction at 0.
 */
#ifndef DRAGOMAN_NN_CELL_GRU_H
#define DRAGOMAN_NN_CELL_GRU_H

#include <stdbool.h>
#include "base/mem.h"
#include "nn/mat.h"

struct gru_weights { /* or their gradients */
    real *weight_ih, *weight_hh, *bias_ih, *bias_hh;
};

struct gru_shape {
    size_t steps, batch, input, hidden; /* T, B, I, H */
    bool reverse;                       /* from T - 1 down to 0 */
    const int32_t *lengths;             /* [B], or NULL where all are T */
};

struct gru_cache {   /* what backward needs from forward; lives in the arena */
    real *gates;     /* [T, B, 3H]: r, z, n after their functions */
    real *candidate; /* [T, B, H]: Un h + bn' */
};

/* states [T, B, H] with rows `states.stride` apart receives h'; first [B, H] is h before the first
   step, NULL for zero; x [T, B, I]. */
int gru_forward(const struct gru_weights *w, const struct gru_shape *shape, const real *x,
                const real *first, struct mat states, struct gru_cache *cache, struct arena *arena,
                struct err *err);
/* d_states is the gradient of the loss by states. Adds to `g`; writes d_x [T, B, I] (plus keep_x *
   what it held) and, unless NULL, d_first [B, H]. */
int gru_backward(const struct gru_weights *w, const struct gru_weights *g,
                 const struct gru_shape *shape, const real *x, const real *first, struct mat states,
                 const struct gru_cache *cache, struct mat d_states, real *d_x, real keep_x,
                 real *d_first, struct arena *arena, struct err *err);

/* Inference: the pointwise half of one step on rows of products: input [rows, 3H] = Wx + b and
   recurrent [rows, 3H] = Uh + b'. h [rows, H] is replaced by h', input by the gates. Rows do not
   influence each other. */
void gru_step(size_t rows, size_t hidden, real *input, const real *recurrent, real *h);

#endif
