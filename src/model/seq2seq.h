/*
 * The translation network: embedding, (bidirectional) GRU encoder, a bridge from its last states to
 * the decoder's first, GRU decoder, global attention, and an output layer that may share the
 * embedding (Press and Wolf 2017):
 *
 *   m = encoder(E x)           s_0 = tanh(Wb [m_last; m_first reversed] + bb)
 *   s_t = gru(E y_t-1, s_t-1)  c_t = attention(s_t, m)
 *   o_t = tanh(Wc [c_t; s_t] + bc)      logits = Wo o_t + bo
 *
 * (Luong, Pham, Manning 2015, without input feeding.) All attention and output of a training batch
 * is therefore computed in products over all its time steps.
 */
#ifndef DRAGOMAN_MODEL_SEQ2SEQ_H
#define DRAGOMAN_MODEL_SEQ2SEQ_H

#include "base/rng.h"
#include "model/parameter.h"
#include "model/spec.h"
#include "nn/attention.h"
#include "nn/cell_gru.h"

#define SEQ2SEQ_MAX_PARAMETERS 24

struct seq2seq_weights { /* or their gradients */
    real *embedding;     /* [V, E], for source and target */
    struct gru_weights encoder[2];
    real *bridge_weight, *bridge_bias; /* [H, D], [H] */
    struct gru_weights decoder;
    real *attention;                     /* [D, H] */
    real *combine_weight, *combine_bias; /* [E, D + H], [E] */
    real *output_weight, *output_bias;   /* [V, E], the embedding where tied; [V] */
};

struct seq2seq {
    size_t vocabulary, embedding; /* V, E */
    size_t encoder_hidden;        /* of one direction */
    size_t directions;            /* 1 or 2 */
    size_t memory;                /* D = encoder_hidden * directions */
    size_t hidden;                /* H, of the decoder */
    bool tied;
    struct seq2seq_weights weights;
};

/* The sizes from the spec; weights are not bound yet. */
void seq2seq_size(struct seq2seq *model, const struct spec *spec);
/* Fills the table for `weights` (the model's own or gradients of the same sizes); returns its
   length. After binding call seq2seq_tie. */
size_t seq2seq_parameters(const struct seq2seq *model, struct seq2seq_weights *weights,
                          struct parameter list[SEQ2SEQ_MAX_PARAMETERS]);
void seq2seq_tie(const struct seq2seq *model, struct seq2seq_weights *weights);
/* First weights for training; the model is bound. */
void seq2seq_init(struct seq2seq *model, struct rng *rng);

/* A model that reads its weights from an open bundle file, which must outlive it. */
int seq2seq_open(struct seq2seq **model, const struct spec *spec, const struct safetensors *file,
                 struct err *err);
void seq2seq_free(struct seq2seq *model);

/* Training ------------------------------------------------------------------------------------ */

struct seq2seq_batch {                        /* time-major */
    size_t batch, source_steps, target_steps; /* B, S, T */
    const int32_t *source;                    /* [S, B], each sentence ends with EOS, then PAD */
    const int32_t *source_lengths;            /* [B], with EOS */
    const int32_t *target_input;              /* [T, B], starts with BOS, then PAD */
    const int32_t *target_output;             /* [T, B], ends with EOS, then -1 */
    const int32_t *target_lengths;            /* [B], with EOS */
};

struct seq2seq_training {
    double dropout_embedding, dropout_output, label_smoothing;
    double scale; /* of the gradient: 1 / tokens of the whole update */
};

struct seq2seq_sums {
    double loss;         /* sum over tokens, with smoothing */
    double negative_log; /* sum of -log p(token), natural logarithm */
};

/* What forward leaves for backward, in the arena. */
struct seq2seq_activations {
    real *source, *source_mask, *target, *target_mask; /* embedded: [S, B, E], [T, B, E] */
    struct gru_cache encoder[2], decoder;
    real *memory;       /* [S, B, D] */
    real *last, *first; /* [B, D] encoder's last states; [B, H] decoder's first */
    real *states;       /* [T, B, H] */
    real *context;      /* [T, B, D] */
    struct attention_cache attention;
    real *combined; /* [T, B, E], o before dropout */
    real *output;   /* [T, B, E], o after dropout */
    real *output_mask;
};

int seq2seq_forward(const struct seq2seq *model, const struct seq2seq_batch *batch,
                    const struct seq2seq_training *training, struct rng *rng,
                    struct seq2seq_activations *activations, struct arena *arena, struct err *err);
/* logits [rows, V] of output rows [rows, E] */
void seq2seq_logits(const struct seq2seq *model, size_t rows, const real *output, real *logits);
/* Forward, loss and backward: adds the gradient of scale * loss to `gradients` and the sums to
 *sums. Without `gradients` (NULL) the sums are all. */
int seq2seq_learn(const struct seq2seq *model, const struct seq2seq_weights *gradients,
                  const struct seq2seq_batch *batch, const struct seq2seq_training *training,
                  struct rng *rng, struct seq2seq_sums *sums, struct arena *arena, struct err *err);

#endif
