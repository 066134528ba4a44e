/*
 * One training pass of the translation network, as its files share it: seq2seq_learn.c (embeddings,
 * encoder, bridge, output and loss) and seq2seq_decoder.c (the three decoders). Everything lives in
 * the arena.
 */
#ifndef DRAGOMAN_MODEL_SEQ2SEQ_PARTS_H
#define DRAGOMAN_MODEL_SEQ2SEQ_PARTS_H

#include "model/seq2seq.h"

struct seq2seq_state { /* of a decoder: h and c of one layer, each [B, H]; c NULL where it has none
                        */
    real *h, *c;
};

struct seq2seq_pass {
    const struct seq2seq *model, *gradients;
    const struct seq2seq_batch *batch;
    const struct seq2seq_training *training;
    struct rng *rng;
    struct arena *arena;
    /* Activations. Masks are of dropout. */
    real *source, *source_mask, *target, *target_mask; /* embedded: [S, B, E], [T, B, E] */
    real *projected;                                   /* rows: the source before its dropout */
    struct recurrent_sequence source_sequence;
    struct recurrent_trace encoder;
    real *memory, *memory_mask;     /* [S, B, D] */
    real *summary, *first;          /* [B, D], what the bridge reads; [B, N] */
    struct cell_run query, context; /* conditional */
    struct seq2seq_state begin;     /* conditional: the chain's first state */
    real *above, *above_mask;       /* conditional: [T, B, H], what the layers above read */
    struct cell_run fed[RECURRENT_MAX_LAYERS]; /* input-feeding */
    struct seq2seq_state fed_begin[RECURRENT_MAX_LAYERS];
    real *fed_input[RECURRENT_MAX_LAYERS], *fed_mask[RECURRENT_MAX_LAYERS];
    struct recurrent_sequence target_sequence; /* plain; conditional: the layers above */
    struct recurrent_trace decoder;
    real *decoder_first; /* [B, recurrent_state(decoder)] */
    struct attention_run attention;
    real *states, *contexts; /* [T, B, H], [T, B, D] */
    real *combined;          /* [T, B, E]: o before dropout */
    real *output, *output_mask;
    /* Gradients by the activations of the same names */
    real *d_source, *d_target, *d_memory, *d_summary, *d_first, *d_states, *d_contexts, *d_output;
};

/* Where in one sentence's last states h of the encoder's top layer begins, in one direction. */
static inline size_t seq2seq_top_state(const struct recurrent *encoder, size_t direction)
{
    const size_t state = cell_state(encoder->layer[0][0].kind) * encoder->layer[0][0].hidden;
    return ((encoder->layers - 1) * encoder->directions + direction) * state;
}

real *seq2seq_reals(const struct seq2seq_pass *pass, size_t count, struct err *err);

/* All activations, as far as `output`. */
int seq2seq_pass_forward(struct seq2seq_pass *pass, struct err *err);
/* states, contexts and combined from target, memory and first. */
int seq2seq_decode_forward(struct seq2seq_pass *pass, struct err *err);
/* From d_output (by `combined`) to d_target (overwritten), d_memory (added to) and d_first. */
int seq2seq_decode_backward(struct seq2seq_pass *pass, struct err *err);

#endif
