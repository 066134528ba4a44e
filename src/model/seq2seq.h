/*
 * The translation network: embeddings, a recurrent encoder, a bridge from it to the decoder's first
 * state, a recurrent decoder with attention, and an output layer that may share embeddings.
 *
 *   m = encoder(E_s x)       first = tanh(Wb u + bb), u the encoder's last states or the mean of m
 *
 * Where the source is rows of numbers r, such as the features of a picture's parts, tanh(Wr r + br)
 * takes the place of E_s x, and there may be no encoder: m is that itself (Xu et al. 2015, Show,
 * Attend and Tell).
 *
 *   plain                    s_t = decoder(E_t y_t-1, s_t-1)                   c_t = attention(s_t)
 *   input-feeding            s_t = decoder([E_t y_t-1; o_t-1], s_t-1), o_0 = 0 c_t = attention(s_t)
 *   conditional              q_t = cell(E_t y_t-1, s_t-1)                      c_t = attention(q_t)
 *                            s_t = context_cell(c_t, q_t), then the decoder's other layers over s
 *
 *   o_t = tanh(Wc [c_t; s_t] + bc), or with deep output tanh(Wc [c_t; s_t; E_t y_t-1] + bc)
 *   logits = Wo o_t + bo
 *
 * (Sutskever et al. 2014 without attention; Bahdanau et al. 2015; Luong et al. 2015; Sennrich et
 * al. 2017, arXiv 1703.04357, whose decoder is the conditional one with deep output; there the y
 * before the first word is the zero vector.) A plain decoder's attention and output are computed in
 * products over all time steps of a training batch.
 */
#ifndef DRAGOMAN_MODEL_SEQ2SEQ_H
#define DRAGOMAN_MODEL_SEQ2SEQ_H

#include "base/rng.h"
#include "model/parameter.h"
#include "model/spec.h"
#include "nn/attention.h"
#include "nn/recurrent.h"

#define SEQ2SEQ_MAX_PARAMETERS (2 * PARAMETER_MAX_STACK + 2 * CELL_MAX_TENSORS + 16)

struct seq2seq { /* or, bound to another vector, its gradients */
    enum spec_decoder kind;
    enum spec_bridge bridge;
    enum spec_tying tying;
    bool attends, deep;
    size_t row;                   /* F: numbers in a row of the source, 0 for tokens */
    size_t vocabulary, embedding; /* V, E */
    size_t memory, hidden;        /* D: width of the encoder's output; H, of the decoder's state */
    size_t first;                 /* N: the decoder's whole first state: conditional's cell pair,
                                     then `decoder` */
    size_t combined;              /* inputs of the output vector: D (if it attends) + H (+ E) */
    struct recurrent encoder;     /* of no layers, where it is not there */
    struct cell_layer query_cell, context_cell; /* conditional */
    struct recurrent decoder; /* conditional: the layers above, maybe none; else all layers */
    struct attention attention;
    real *source_embedding, *target_embedding; /* [V, E]; source: NULL for rows */
    real *row_weight, *row_bias;               /* [E, F], [E] */
    real *bridge_weight, *bridge_bias;         /* [N, D], [N] */
    real *combine_weight, *combine_bias;       /* [E, combined], [E]: columns c, s, y */
    real *output_weight, *output_bias;         /* [V, E], [V] */
    struct seq2seq_forms {                     /* of the matrices above, for inference */
        struct dense_form source_embedding, target_embedding, row, bridge, combine, output;
    } forms;
    bool packs; /* weights never change, and may be packed */
    real *packed;
};

/* The sizes from the spec; weights are not bound yet. */
void seq2seq_size(struct seq2seq *model, const struct spec *spec);
/* Fills the table of the model's own parameters; returns its length. After binding call
   seq2seq_tie. */
size_t seq2seq_parameters(struct seq2seq *model, struct parameter list[SEQ2SEQ_MAX_PARAMETERS]);
void seq2seq_tie(struct seq2seq *model);
/* First weights for training; the model is bound. */
void seq2seq_init(struct seq2seq *model, const struct cell_init_settings *settings,
                  struct rng *rng);

/* A model that reads its weights from an open bundle file, which must outlive it. */
int seq2seq_open(struct seq2seq **model, const struct spec *spec, const struct safetensors *file,
                 struct err *err);
void seq2seq_free(struct seq2seq *model);
/* The matrices of embeddings and output, as inference has them. */
struct dense seq2seq_source_embedding(const struct seq2seq *model);
struct dense seq2seq_target_embedding(const struct seq2seq *model);
struct dense seq2seq_output_layer(const struct seq2seq *model);
/* Packs the matrices of an opened model's products for this processor, once; the decoder does so
   when it is made. Any thread. Nothing is done where the weights are 8-bit integers. */
int seq2seq_pack(const struct seq2seq *model, struct err *err);
/* The same network with weights of its own, all of them floats: for what only training's forward
   pass does. Free with seq2seq_free. */
int seq2seq_expand(struct seq2seq **floats, const struct seq2seq *model, struct err *err);

/* Training ------------------------------------------------------------------------------------ */

struct seq2seq_batch {                        /* time-major */
    size_t batch, source_steps, target_steps; /* B, S, T */
    const int32_t *source;                    /* [S, B], each sentence ends with EOS, then PAD */
    const int32_t *source_lengths;            /* [B], with EOS */
    const int32_t *target_input;              /* [T, B], starts with BOS, then PAD */
    const int32_t *target_output;             /* [T, B], ends with EOS, then -1 */
    const int32_t *target_lengths;            /* [B], with EOS */
    const real *rows; /* [S, B, F] instead of `source`; there is no EOS after them */
};

struct seq2seq_pair { /* ids without BOS and EOS */
    const int32_t *source, *target;
    size_t source_count, target_count;
    const float *rows; /* [source_count, row] instead of `source`, at least one */
    size_t row;        /* F, the same for all pairs of a batch; 0: tokens */
};
/* The batch of `count` pairs, in the arena. */
int seq2seq_batch_make(struct seq2seq_batch *batch, const struct seq2seq_pair *pairs, size_t count,
                       struct arena *arena, struct err *err);

struct seq2seq_training {
    double dropout_embedding, dropout_layer, dropout_state, dropout_memory, dropout_output;
    double label_smoothing;
    double scale; /* of the gradient: 1 / tokens of the whole update */
};

struct seq2seq_sums {
    double loss;         /* sum over tokens, with smoothing */
    double negative_log; /* sum of -log p(token), natural logarithm */
};

/* Forward alone, with the dropout of `training`: *output [T, B, E], the vectors that the output
   layer sees, in the arena. */
int seq2seq_forward(const struct seq2seq *model, const struct seq2seq_batch *batch,
                    const struct seq2seq_training *training, struct rng *rng, const real **output,
                    struct arena *arena, struct err *err);
/* logits [rows, V] of such vectors [rows, E] */
void seq2seq_logits(const struct seq2seq *model, size_t rows, const real *output, real *logits);
/* Forward, loss and backward: adds the gradient of scale * loss to `gradients` (a model of the same
   sizes), unless that is NULL, and the sums to *sums. */
int seq2seq_learn(const struct seq2seq *model, const struct seq2seq *gradients,
                  const struct seq2seq_batch *batch, const struct seq2seq_training *training,
                  struct rng *rng, struct seq2seq_sums *sums, struct arena *arena, struct err *err);

#endif
