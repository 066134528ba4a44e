/*
 * A stack of recurrent layers over a whole sequence: any cell, any number of layers, one direction
 * or both (Schuster and Paliwal 1997), residual connections (h_l + x_l where their sizes agree, x_l
 * before its dropout; He et al. 2016, Wu et al. 2016), dropout between layers (Zaremba et al. 2014)
 * and on the recurrent state (Gal and Ghahramani 2016). Both directions of a layer are
 * concatenated, forward first, and are the next layer's input, as in PyTorch.
 */
#ifndef DRAGOMAN_NN_RECURRENT_H
#define DRAGOMAN_NN_RECURRENT_H

#include "nn/cell.h"

#define RECURRENT_MAX_LAYERS 8

struct recurrent {
    size_t layers, directions; /* 1..RECURRENT_MAX_LAYERS; 1 or 2 */
    bool residual;
    struct cell_layer layer[RECURRENT_MAX_LAYERS][2];
};
/* Sizes alone; weights are not bound. */
void recurrent_size(struct recurrent *net, enum cell_kind kind, enum cell_norm norm, size_t input,
                    size_t hidden, size_t layers, size_t directions, bool residual);
size_t recurrent_width(const struct recurrent *net); /* of the output: directions * H */
size_t recurrent_state(const struct recurrent *net); /* layers * directions * cell_state * H */
void recurrent_init(const struct recurrent *net, const struct cell_init_settings *settings,
                    struct rng *rng);

struct recurrent_sequence {
    size_t steps, batch;    /* T >= 1, B */
    const int32_t *lengths; /* [B], or NULL where all are T */
    const real *x;          /* [T, B, I] */
    /* State before the first step (for the reverse direction: before its first, the last), [B,
       recurrent_state]: layer by layer, in it direction by direction, in it h, then c; NULL for
       zero. */
    const real *first;
    double dropout_layer, dropout_state; /* between layers; of the state, one mask a sequence */
};

struct recurrent_trace { /* what forward leaves for backward, in the arena */
    struct cell_run run[RECURRENT_MAX_LAYERS][2];
    real *input[RECURRENT_MAX_LAYERS];      /* of each layer, [T, B, I] */
    real *input_mask[RECURRENT_MAX_LAYERS]; /* of its dropout */
    real *output;                           /* [T, B, recurrent_width] */
    real *last; /* [B, recurrent_state]: the state after the last step, ordered as `first` */
    real *zero; /* [B, H] */
    struct cell_before first[RECURRENT_MAX_LAYERS][2];
};

int recurrent_forward(const struct recurrent *net, const struct recurrent_sequence *sequence,
                      struct rng *rng, struct recurrent_trace *trace, struct arena *arena,
                      struct err *err);
/* d_output [T, B, width] (overwritten), d_last [B, recurrent_state] or NULL: gradients of the loss
   by output and last. Adds to g (a net of the same sizes bound to gradients); writes d_x [T, B, I]
   plus keep_x * what it held (unless NULL) and d_first (unless NULL). */
int recurrent_backward(const struct recurrent *net, const struct recurrent *g,
                       const struct recurrent_sequence *sequence,
                       const struct recurrent_trace *trace, real *d_output, const real *d_last,
                       real *d_x, real keep_x, real *d_first, struct arena *arena, struct err *err);

/* Inference ----------------------------------------------------------------------------------- */

/* One sentence: x [T, I] with rows cell_stride(I) apart; output [T, cell_stride(width)]; first
   (NULL for zero) and last [recurrent_state] as in training, and they may be the same. scratch:
   recurrent_scratch(net, T) reals on a MEM_ALIGN boundary. */
size_t recurrent_scratch(const struct recurrent *net, size_t steps);
void recurrent_encode(const struct recurrent *net, size_t steps, const real *x, const real *first,
                      real *output, real *last, real *scratch);

/* Sees every step of every layer and direction just after it was made: what the gates became,
   [G H] in the cell's order, and the state, [cell_state H]. Both go when the call is over. */
struct recurrent_watch {
    void *context;
    void (*step)(void *context, size_t layer, size_t direction, size_t t, const real *gates,
                 const real *state);
};
/* recurrent_encode, watched; watch may be NULL. */
void recurrent_encode_watched(const struct recurrent *net, size_t steps, const real *x,
                              const real *first, real *output, real *last, real *scratch,
                              const struct recurrent_watch *watch);

/* Many sentences together, each with the same bytes as alone: a step advances all that are so long,
   and nothing is computed for those that are not. */
struct recurrent_item {
    size_t steps;      /* T; the longest comes first, and so on */
    const real *first; /* as above; NULL for zero */
    real *output;      /* [T, cell_stride(width)] */
    real *last;        /* [recurrent_state] */
};
/* x: all T rows of the first item, then those of the next. scratch: recurrent_scratch_many(net, sum
   of T, count) reals. */
size_t recurrent_scratch_many(const struct recurrent *net, size_t steps, size_t count);
void recurrent_encode_many(const struct recurrent *net, const struct recurrent_item *items,
                           size_t count, const real *x, real *scratch);

#endif
