/*
 * Attention of queries q over a memory m_1..m_S, one memory a sentence:
 *
 *   dot       score = m.q                        D = H
 *   general   score = m.(W q)                    W [D, H]     (Luong, Pham, Manning 2015)
 *   additive  score = v.tanh(Wm m + Wq q + b)    Wm [A, D], Wq [A, H], v, b [A]
 *                                                             (Bahdanau, Cho, Bengio 2015)
 *   a = softmax(score) over s < lengths[b], 0 beyond;   context c = sum_s a_s m_s
 *
 * The memory is projected once to keys: m (dot), m W (general), Wm m + b (additive). In training
 * the steps may be taken all at once, or one by one where a query depends on the context before it.
 */
#ifndef DRAGOMAN_NN_ATTENTION_H
#define DRAGOMAN_NN_ATTENTION_H

#include "base/mem.h"
#include "base/rng.h"
#include "nn/dense.h"

enum attention_kind { ATTENTION_NONE, ATTENTION_DOT, ATTENTION_GENERAL, ATTENTION_ADDITIVE };
extern const char *const attention_names[]; /* "none", "dot", "general", "additive"; NULL ends */

struct attention_weights { /* or their gradients; NULL where the kind has none */
    real *weight;          /* general: W [D, H] */
    real *memory_weight, *query_weight, *v, *bias; /* additive */
    /* For inference: other forms of weight, transposed [H, D], of memory_weight and query_weight.
     */
    struct dense_form form, form_memory, form_query;
};
struct attention {
    enum attention_kind kind;     /* not ATTENTION_NONE */
    size_t memory, query, hidden; /* D, H, A (additive only) */
    struct attention_weights w;
};
size_t attention_keys(const struct attention *attention); /* width K of a key: H or A */

#define ATTENTION_MAX_TENSORS 4
struct attention_tensor {
    const char *name; /* "weight", "memory_weight", "query_weight", "v", "bias" */
    size_t rows, columns;
    real **slot;
    struct dense_form *form; /* NULL: it has but one */
    bool transposed;         /* in the form */
};
size_t attention_tensors(const struct attention *attention, struct attention_weights *w,
                         struct attention_tensor list[ATTENTION_MAX_TENSORS]);
void attention_init(const struct attention *attention, struct rng *rng); /* Glorot; biases 0 */

/* Training ------------------------------------------------------------------------------------ */

struct attention_run {
    /* Set by the caller: */
    const struct attention *attention;
    size_t memory_steps, query_steps, batch; /* S, T, B */
    const int32_t *lengths;                  /* [B], each 1..S */
    const real *memory;                      /* [S, B, D] */
    /* Made by attention_begin, in the arena: */
    real *keys;      /* [S, B, K] */
    real *projected; /* additive: Wq q [T, B, A] */
    real *weights;   /* [B, T, S], zero at s >= lengths[b] */
    /* Made by attention_begin_back; keys and d_keys of the kind dot are the memory's own: */
    real *d_scores;    /* [B, T, S] */
    real *d_keys;      /* [S, B, K] */
    real *d_projected; /* additive: [T, B, A] */
    real *d_v;         /* additive: [A] */
};
int attention_begin(struct attention_run *run, struct arena *arena, struct err *err);
/* Steps t .. t + count - 1: queries [count, B, H], written: context [count, B, D]. A row's end and
   the next one's beginning are as far apart as the strides say. */
void attention_steps(struct attention_run *run, size_t t, size_t count, struct mat queries,
                     struct mat context);
/* Backward: begin, then the steps in any order, then end. */
int attention_begin_back(struct attention_run *run, struct arena *arena, struct err *err);
/* Adds to d_queries [count, B, H] and d_memory [S, B, D]. */
void attention_steps_back(struct attention_run *run, size_t t, size_t count, struct mat queries,
                          struct mat d_context, struct mat d_queries, real *d_memory);
/* Adds what went through the keys to d_memory, and the weights' gradients to g. queries: all of
   them, [T, B, H]. */
void attention_end_back(struct attention_run *run, const struct attention_weights *g,
                        struct mat queries, real *d_memory);

/* Inference ----------------------------------------------------------------------------------- */

/* What attention_project wants instead of the weights: W transposed (general, where there is no
   other form of it). Size attention_prepared() reals; 0 where nothing is to prepare. */
size_t attention_prepared(const struct attention *attention);
void attention_prepare(const struct attention *attention, real *prepared);
/* keys [S, cell-aligned K] of one sentence's memory [S, D]; strides in elements. */
void attention_project(const struct attention *attention, const real *prepared, size_t steps,
                       const real *memory, size_t memory_stride, real *keys, size_t keys_stride);
/* The queries' own projection for many rows (additive; otherwise nothing is done and the query
   itself goes to attention_step): projected [rows, A] */
void attention_query(const struct attention *attention, size_t rows, const real *queries,
                     size_t query_stride, real *projected, size_t projected_stride);
/* One query (or projected query) over one sentence: writes weights [S] and context [D]. */
void attention_step(const struct attention *attention, size_t steps, const real *memory,
                    size_t memory_stride, const real *keys, size_t keys_stride, const real *query,
                    real *weights, real *context);

#endif
