/*
 * What the files of the recurrent cells share. The driver is cell.c (facts), cell_run.c and
 * cell_back.c (training), cell_step.c (inference) and cell_init.c; it knows no cell. Each
 * cell_<name>.c defines cells: a struct cell_definition and functions of one row each, the same in
 * training and in inference. To add a cell, add its file and its line in CELL_LIST.
 *
 * A step makes the products of the state with weight_hh in one or more stages, since some cells
 * multiply not h but what a gate made of it. Then `forward` makes the gates and the new state.
 */
#ifndef DRAGOMAN_NN_CELL_PARTS_H
#define DRAGOMAN_NN_CELL_PARTS_H

#include "nn/cell.h"

#define CELL_MAX_BLOCKS 4 /* of H values each, in a row of products */
#define CELL_MAX_STAGES 3

/* One row of a step. `next_h` may be `h`, `next_c` may be `c`. */
struct cell_row {
    size_t hidden;
    const real *peephole;
    real *gates;           /* [G H]: what the input contributes; then what backward needs */
    const real *products;  /* [R H]: of the state */
    const real *seen;      /* [H]: h as the products see it, after dropout */
    const real *h, *c;     /* [H]: before */
    real *next_h, *next_c; /* [H] */
    real *kept;            /* [K H]: more that backward needs */
    real *operand;         /* [H]: what a stage multiplies */
};

/* The same row in backward. */
struct cell_row_back {
    size_t hidden;
    const real *peephole;
    real *gates;      /* what forward left; then the gradient of what the input contributes */
    real *d_products; /* gradient by the state's products; `gates` where the two are the same */
    const real *seen, *h, *c, *next_c, *kept, *operand;
    real *d_h;        /* by next_h; then by h, without what goes through the products */
    real *d_c;        /* by next_c; then by c */
    real *d_peephole; /* added to */
    const real *d_operand;
    real *d_seen; /* added to */
};

struct cell_stage {
    uint8_t first, count; /* the blocks of the state's products that it makes */
    /* Makes `operand` from `seen` and the stages before. NULL: the operand is `seen`. */
    void (*operand)(const struct cell_row *row);
    /* Adds to d_seen, and makes the gradients of the gate that `operand` used: of both products. */
    void (*operand_back)(const struct cell_row_back *row);
};

struct cell_definition {
    const char *letters;         /* cell_letters */
    uint8_t gates, state, kept;  /* G, vectors of the state, K */
    uint8_t first_input, inputs; /* gates with a product of the input; P */
    uint8_t products;            /* R */
    uint8_t first_bias, biases;  /* blocks of the state's products that have a bias_hh */
    /* The state's products are those of all gates, in their order, and so are the gradients:
       `backward` makes those of `gates` only. */
    bool same_gradient;
    bool peephole, has_forget;
    uint8_t forget; /* which gate, if has_forget */
    /* Separate normalisation: how many blocks of products are normalised together. */
    uint8_t input_groups[CELL_MAX_BLOCKS], product_groups[CELL_MAX_BLOCKS];
    struct cell_stage stages[CELL_MAX_STAGES + 1]; /* count 0 ends */
    void (*forward)(const struct cell_row *row);
    void (*backward)(const struct cell_row_back *row);
};

#define CELL_DECLARATION(constant, name, definition) extern const struct cell_definition definition;
CELL_LIST(CELL_DECLARATION)
#undef CELL_DECLARATION

const struct cell_definition *cell_definition(enum cell_kind kind);

/* The stage's operand r * h, where r is gate 0 and its product of the state is block 0. */
void cell_reset_operand(const struct cell_row *row);
void cell_reset_operand_back(const struct cell_row_back *row);

/* The gate where x stands without a product, or G where there is none. */
static inline size_t cell_bare_gate(const struct cell_definition *cell)
{
    if (cell->inputs == cell->gates)
        return cell->gates;
    return cell->first_input > 0 ? 0 : cell->inputs;
}

/* What turns products into what the gates read: bias and normalisation; of one side, the input's
   or the state's. A block is H values of a row. */
struct cell_side {
    enum cell_norm norm;
    size_t hidden, blocks;
    uint8_t groups[CELL_MAX_BLOCKS]; /* blocks that are normalised together, one after another */
    size_t first_bias, biases;       /* blocks that have a bias */
    real *bias, *gain, *shift;       /* or their gradients */
};
struct cell_side cell_input_side(const struct cell_layer *layer, const struct cell_weights *w);
struct cell_side cell_state_side(const struct cell_layer *layer, const struct cell_weights *w);

/* What backward needs of a side's normalisation over all steps. */
struct cell_normal {
    size_t rows;             /* T B */
    real *x;                 /* [T B, blocks H]: normalised, before gain and shift */
    real *inverse;           /* [blocks, T B]: 1 / deviation, at a group's first block */
    real *d_gain, *d_output; /* [blocks H]: sums of gradients; by gain, and by what comes out */
};

/* Blocks first..first + count of `rows` rows of products [rows, blocks H], in place. `kept` is NULL
   in inference; `row` is the first row's place in it. */
void cell_finish(const struct cell_side *side, size_t first, size_t count, size_t rows,
                 struct mat products, const struct cell_normal *kept, size_t row);
/* d [rows, blocks H]: gradient by what came out; then by the products. */
void cell_finish_back(const struct cell_side *side, size_t first, size_t count, size_t rows,
                      struct mat d, const struct cell_normal *kept, size_t row);
/* Adds the gradients by bias, gain and shift to those of `g`, from d [rows, blocks H] of all rows,
   the gradient by the products. */
void cell_finish_end(const struct cell_side *g, size_t rows, struct mat d,
                     const struct cell_normal *kept);

struct cell_trace {
    real *products;                 /* [B, R H]: the state's, of one step */
    real *seen;                     /* [T, B, H] where there is dropout of the state */
    real *operand[CELL_MAX_STAGES]; /* [T, B, H] of each stage that makes one */
    real *kept;                     /* [T, B, K H] */
    real *packed[CELL_MAX_STAGES];  /* weight_hh of each stage for mat_multiply_packed */
    real *packed_input;             /* weight_ih, where the input comes step by step */
    struct cell_normal input, state;
    /* Backward: */
    real *packed_back[CELL_MAX_STAGES], *packed_input_back;
    real *d_products;         /* [T, B, R H] */
    const real **before;      /* [T]: what a stage without an operand of its own multiplied */
    real *d_operand, *d_seen; /* [B, H] */
    real *d_peephole;         /* [3 H] */
};

/* Packs each stage's weight_hh, in one of the two forms, and weight_ih where the run is stepwise.
 */
int cell_pack(const struct cell_run *run, enum mat_form form, real *packed[CELL_MAX_STAGES],
              real **packed_input, struct arena *arena, struct err *err);

/* Whether sentence b is over at step t. */
static inline bool cell_is_over(const struct cell_run *run, size_t t, size_t b)
{
    return run->lengths && (size_t)run->lengths[b] <= t;
}

#endif
