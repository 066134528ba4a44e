/*
 * One layer of recurrent cells, in one direction: the interface that all cells share.
 *
 * A cell is defined by its equations (each file cell_<name>.c opens with them) and one entry in
 * CELL_LIST. Everything that cells have in common happens once (cell_parts.h): the products with
 * the weights, layer normalisation, dropout on the state, padding, weight gradients.
 *
 *   input I, hidden H, G gates, P of them with a product of the input, R with one of the state
 *   weight_ih [P H, I]   bias_ih [P H]   weight_hh [R H, H]   bias_hh [R H], or fewer, or none
 *
 * with PyTorch's names and gate order. P = R = G but for mut1 and mut2: their gates are r, z, n, in
 * one of them x stands without a product (n of mut1, r of mut2), and mut1's z does not read h.
 * rnn, lstm and gru have both biases, as in PyTorch; the others have one a gate, bias_ih; that of
 * the gate where x stands alone is with the state's product, as bias_hh [H].
 *
 * The state of a cell is h [H], and for the LSTMs also c [H].
 *
 * Training works on a run of T steps over B sentences. The input's products are made for many steps
 * at once, the steps one by one, in any order that a decoder needs, and all weight gradients are
 * made at the end in one product each. Where t >= lengths[b] the state is carried over unchanged.
 */
#ifndef DRAGOMAN_NN_CELL_H
#define DRAGOMAN_NN_CELL_H

#include <stdbool.h>
#include "base/mem.h"
#include "base/rng.h"
#include "nn/dense.h"

/* All cells: their constants, names, and definitions (cell_parts.h). */
#define CELL_LIST(CELL)                                                                            \
    CELL(CELL_RNN_TANH, "rnn-tanh", cell_rnn_tanh)                                                 \
    CELL(CELL_RNN_RELU, "rnn-relu", cell_rnn_relu)                                                 \
    CELL(CELL_LSTM, "lstm", cell_lstm)                                                             \
    CELL(CELL_LSTM_PEEPHOLE, "lstm-peephole", cell_lstm_peephole)                                  \
    CELL(CELL_GRU, "gru", cell_gru)                                                                \
    CELL(CELL_GRU_CHO, "gru-cho", cell_gru_cho)                                                    \
    CELL(CELL_MUT1, "mut1", cell_mut1)                                                             \
    CELL(CELL_MUT2, "mut2", cell_mut2)                                                             \
    CELL(CELL_MUT3, "mut3", cell_mut3)

#define CELL_CONSTANT(constant, name, definition) constant,
enum cell_kind { CELL_LIST(CELL_CONSTANT) };
#undef CELL_CONSTANT
/* "rnn-tanh|rnn-relu|lstm|...": the names as the words of an option. */
#define CELL_WORD(constant, name, definition) "|" name
#define CELL_WORDS (&(CELL_LIST(CELL_WORD))[1])
extern const char *const cell_names[]; /* "rnn-tanh", "rnn-relu", "lstm", ...; NULL ends */

/* Layer normalisation (Ba, Kiros, Hinton 2016) of the products, before the gates: separate, as
   Nematus: each product with its bias by itself, with gain and shift, epsilon 1e-5; joint, as
   Marian: all gates' products of the input together, and of the state together as far as they are
   made together, with gain only and the bias after it, epsilon 1e-9. Which gates make a product of
   their own is in the cell's definition: of the GRUs r and z together, and n; of an LSTM all. An
   x that stands without a product is left as it is. */
enum cell_norm { CELL_NORM_NONE, CELL_NORM_SEPARATE, CELL_NORM_JOINT };
extern const char *const cell_norm_names[]; /* "none", "separate", "joint"; NULL ends */

struct cell_weights { /* or their gradients; NULL where the cell has none */
    real *weight_ih, *weight_hh, *bias_ih, *bias_hh;
    /* [H, I], where I != H, of mut1 and mut2: x is projected where it stands without a product */
    real *projection;
    real *peephole;                                /* [3 H]: i, f, o */
    real *gain_ih, *gain_hh, *shift_ih, *shift_hh; /* [P H], [R H]; shift_*: separate */
    /* For inference: other forms of weight_ih, weight_hh (in parts of H outputs) and projection. */
    struct dense_form form_ih, form_hh, form_projection;
};

struct cell_layer {
    enum cell_kind kind;
    enum cell_norm norm;
    size_t input, hidden; /* I, H */
    struct cell_weights w;
};

/* Facts about a cell. */
size_t cell_gates(enum cell_kind kind); /* G */
size_t cell_state(enum cell_kind kind); /* vectors of H in its state: 1 (h), or 2 (h, c) */
/* A letter for each gate in its order, "ifgo", "rzn" or "n": g and n are candidates, made by tanh
   (n of rnn-relu by relu), and lie in -1..1; all others are logistic, in 0..1. */
const char *cell_letters(enum cell_kind kind);

/* The layer's tensors, in the order in which they lie in a flat vector: their names, shapes and
   where in `w` their pointers are. */
#define CELL_MAX_TENSORS 10
struct cell_tensor {
    const char *name;     /* "weight_ih", ... */
    size_t rows, columns; /* columns 0: a vector */
    real **slot;
    struct dense_form *form; /* NULL: it has but one */
    size_t part;             /* of the form */
};
size_t cell_tensors(const struct cell_layer *layer, struct cell_weights *w,
                    struct cell_tensor list[CELL_MAX_TENSORS]);

enum cell_init { CELL_INIT_UNIFORM, CELL_INIT_GLOROT, CELL_INIT_ORTHOGONAL };
struct cell_init_settings {
    /* uniform: all within 1/sqrt(H), as PyTorch. glorot: each gate's matrix, vectors 0. orthogonal:
       recurrent matrices, gate by gate (Saxe et al. 2014); input ones Glorot, vectors 0. Gains are
       1 and shifts 0 in all three. */
    enum cell_init kind;
    double forget_bias; /* added to the bias of an LSTM's forget gate (Gers et al. 2000) */
};
void cell_init(const struct cell_layer *layer, const struct cell_init_settings *settings,
               struct rng *rng);

/* Training ------------------------------------------------------------------------------------ */

struct cell_run {
    /* Set by the caller: */
    const struct cell_layer *layer;
    size_t steps, batch;    /* T, B */
    const int32_t *lengths; /* [B], or NULL where all are T */
    bool stepwise;          /* cell_run_input will be called step by step, not for all at once */
    const real *state_mask; /* [B, H], or NULL: dropout of h on its way into the products, the
                               same for all steps (Gal and Ghahramani 2016) */
    /* Made by cell_run_begin, in the arena; zero before: */
    real *products; /* [T, B, G H]: what the input contributes; after the step, what the gates
                       became; after the step back, the gradient of what the input contributes */
    real *h, *c;    /* [T, B, H]: after step t; c NULL where the cell has none */
    struct cell_trace *trace; /* what else backward needs */
};

struct cell_before {   /* the state before a step, rows H apart; stays until cell_run_end_back */
    const real *h, *c; /* [B, H]; c unused where the cell has none */
};

int cell_run_begin(struct cell_run *run, struct arena *arena, struct err *err);
/* products[t] = what the input contributes at `count` steps from `t`, with bias_ih; x [count, B, I]
   with rows x.stride apart, which must stay as it is until cell_run_end_back. All steps of a run at
   once are fastest; a decoder that feeds its output back gives them one by one. */
void cell_run_input(struct cell_run *run, size_t t, size_t count, struct mat x);
/* h[t], c[t] from the state before. */
void cell_run_step(struct cell_run *run, size_t t, struct cell_before before);

/* Backward. cell_run_step_back for the steps in the reverse of their forward order; after that of
   step t (or of all steps) cell_run_input_back for the gradient by the input; at last
   cell_run_end_back, which makes all weight gradients, in one product over all steps each.

   d_h, d_c [B, H]: in: dL/d state after step t; out: dL/d state before it. */
int cell_run_begin_back(struct cell_run *run, struct arena *arena, struct err *err);
void cell_run_step_back(struct cell_run *run, size_t t, struct cell_before before, real *d_h,
                        real *d_c);
/* d_x [count, B, I] = gradient by the input of `count` steps from `t` + keep * d_x. */
void cell_run_input_back(struct cell_run *run, size_t t, size_t count, real keep, struct mat d_x);
/* Adds the gradients by all weights, after all T steps. x [T, B, I]: the whole input, as in
   forward. */
void cell_run_end_back(struct cell_run *run, const struct cell_weights *g, struct mat x);

/* Inference ----------------------------------------------------------------------------------- */

/* Elements from one row to the next. */
static inline size_t cell_stride(size_t width)
{
    const size_t aligned = MEM_ALIGN / sizeof(real);
    return (width + aligned - 1) / aligned * aligned;
}

/* One row's results do not depend on the others: products are dense_rows, the rest goes row by row.
   Every row of every array starts on a MEM_ALIGN boundary: strides are cell_stride(width).

   products [rows, G H] from x [rows, I]: all that the input contributes */
void cell_input(const struct cell_layer *layer, size_t rows, const real *x, size_t x_stride,
                real *products);
/* One step: state [rows] of h, and c in the second half of a row of cell_state() * H, is replaced.
   products, from cell_input, are used up. scratch: [rows, cell_scratch()] reals. */
size_t cell_scratch(const struct cell_layer *layer);
void cell_step(const struct cell_layer *layer, size_t rows, real *products, real *state,
               size_t state_stride, real *scratch);

#endif
