/*
 * The network of all tasks but translation: what is read, a stack of cells over it, and a head that
 * the task gives.
 *
 *   input       x_t = E y_t of a token, or W r_t + b of a row of numbers; a condition v (a feature
 *               vector, or the embedding of a label) may join every x_t, [x_t; v], or give the
 *               first state, h_0 = tanh(W v + b) in every layer (Vinyals et al. 2015; Karpathy and
 *               Fei-Fei 2015)
 *   stack       m_t: any cells (nn/recurrent.h)
 *   pooled      classification, regression: outputs = W pool(m) + b, where pool is the last state,
 *               the mean or the maximum of all, or their sum weighted by attention,
 *               a = softmax_t(u . tanh(Wa m_t + ba)) (Yang et al. 2016)
 *   in step     tagging, generation: outputs_t = W m_t + b
 *
 * Outputs are logits of labels (or, in generation, of the next token), or in regression one number.
 * A text without tokens has a pool of zeros: its outputs are b.
 */
#ifndef DRAGOMAN_MODEL_RNN_H
#define DRAGOMAN_MODEL_RNN_H

#include "base/rng.h"
#include "model/parameter.h"
#include "model/spec.h"
#include "nn/layer.h"
#include "nn/recurrent.h"

#define RNN_MAX_PARAMETERS (PARAMETER_MAX_STACK + 10)

struct rnn { /* or, bound to another vector, its gradients */
    enum spec_task task;
    size_t vocabulary, labels; /* V; of classification, tagging, or of the condition */
    size_t row, embedding;     /* F: numbers in a row, 0 for tokens; E */
    enum spec_condition condition;
    size_t feature; /* C: size of the condition */
    enum spec_pooling pooling;
    bool tied;            /* the output layer is the embedding: generation */
    size_t outputs, pool; /* O; D: width of the stack's output */
    struct recurrent encoder;
    real *embedding_weight;          /* [V, E], or */
    real *row_weight, *row_bias;     /* [E, F], [E] */
    real *label_weight;              /* [labels, C], or NULL where the caller gives v */
    real *first_weight, *first_bias; /* [layers * H, C], [layers * H]: h_0 */
    real *key_weight, *key_bias;     /* [D, D], [D]: Wa, ba */
    real *score_weight;              /* [D]: u */
    real *output_weight;             /* [O, D]; NULL where tied */
    real *output_bias;               /* [O] */
    struct rnn_forms {               /* of the matrices above, for inference */
        struct dense_form embedding, row, first, key, output;
    } forms;
    real *own; /* rnn_expand's */
};

/* The sizes from the spec; weights are not bound yet. */
void rnn_size(struct rnn *model, const struct spec *spec);
/* Fills the table of the model's own parameters; returns its length. */
size_t rnn_parameters(struct rnn *model, struct parameter list[RNN_MAX_PARAMETERS]);
/* First weights for training; the model is bound. */
void rnn_init(struct rnn *model, const struct cell_init_settings *settings, struct rng *rng);

/* A model that reads its weights from an open bundle file, which must outlive it. */
int rnn_open(struct rnn **model, const struct spec *spec, const struct safetensors *file,
             struct err *err);
void rnn_free(struct rnn *model);
/* The same network with weights of its own, all of them floats: for what only training's forward
   pass does. Free with rnn_free. */
int rnn_expand(struct rnn **floats, const struct rnn *model, struct err *err);

bool rnn_is_pooled(const struct rnn *model);
/* Whether the condition is a label's embedding, and not a vector of the caller's. */
bool rnn_has_label(const struct rnn *model);

/* Inference ------------------------------------------------------------------------------------
   Any thread; the result depends on nothing but model and input. Outputs that are not finite are an
   error, ERR_FORMAT. */

struct rnn_input {
    size_t count;         /* T: tokens or rows */
    const int32_t *ids;   /* [T] < V, or */
    const float *rows;    /* [T, F] */
    int32_t label;        /* of the condition, < labels */
    const float *feature; /* [C]: the condition */
};

/* The inner life of a run, for those who want to see it; the arrays are the caller's, or NULL. */
struct rnn_trace {
    float *states;    /* [T, D]: the stack's outputs */
    float *attention; /* [T]: weights of the pool that attends */
    const struct recurrent_watch *watch;
};

/* Pooled: outputs [O], not through the softmax. trace may be NULL. Work and memory are proportional
   to T. */
int rnn_pooled(const struct rnn *model, const struct rnn_input *input, float *outputs,
               const struct rnn_trace *trace, struct err *err);
/* In step, any direction: outputs [T, O], not through the softmax. */
int rnn_in_step(const struct rnn *model, const struct rnn_input *input, float *outputs,
                const struct rnn_trace *trace, struct err *err);

/* A text under way, token by token: only a stack of one direction can do that. */
struct rnn_walk;
/* From the zero state, or the one that the condition gives. The condition's vector is copied. */
int rnn_walk_new(struct rnn_walk **walk, const struct rnn *model, const struct rnn_input *condition,
                 struct err *err);
/* Reads one token; outputs [O] belong to the walk and stay until its next step. */
int rnn_walk_step(struct rnn_walk *walk, int32_t id, const float **outputs, struct err *err);
/* The state of all layers, [recurrent_state(&model->encoder)], as nn/recurrent.h orders it. */
const float *rnn_walk_state(const struct rnn_walk *walk);
/* From now on each step is seen by `watch`, at t = 0; NULL: by nobody. */
void rnn_walk_watch(struct rnn_walk *walk, const struct recurrent_watch *watch);
void rnn_walk_free(struct rnn_walk *walk);

/* Many walks of one model together, each with the same numbers as alone. A reader is scratch, of
   one thread at a time, for so many walks and tokens at once. */
struct rnn_reader;
int rnn_reader_new(struct rnn_reader **reader, const struct rnn *model, size_t walks, size_t tokens,
                   struct err *err);
void rnn_reader_free(struct rnn_reader *reader); /* NULL is ignored */
struct rnn_reading {
    struct rnn_walk *walk;
    const int32_t *ids;   /* [count] */
    size_t count;         /* at least 1 */
    const float *outputs; /* after the last token; as of rnn_walk_step */
    bool overflows;       /* they are not finite */
};
int rnn_overflow(struct err *err); /* sets and returns the error for that */
void rnn_read(struct rnn_reader *reader, struct rnn_reading *readings, size_t count);

/* Training ------------------------------------------------------------------------------------ */

struct rnn_batch {
    size_t batch, steps;    /* B; S, the longest text, at least 1 */
    const int32_t *lengths; /* [B], 0 is allowed */
    const int32_t *ids;     /* [S, B], time-major, PAD after the text's end, or */
    const real *rows;       /* [S, B, F] */
    const int32_t *labels;  /* [B]: of the condition */
    const real *features;   /* [B, C]: the condition */
    const real *first;      /* [B, recurrent_state] carried from the chunk before, or NULL */
    real *last;             /* [B, recurrent_state] receives the state after the batch, or NULL */
    /* What is wanted: */
    const int32_t *targets; /* pooled: [B]; in step: [S, B], negative where nothing is predicted */
    const real *values;     /* regression: [B] */
};

struct rnn_training {
    double dropout_input;                /* of x, the condition left out */
    double dropout_layer, dropout_state; /* between layers; of the recurrent state */
    double dropout_output;               /* of what the output layer reads */
    double label_smoothing;
    const real *class_weights; /* [O] factors of the loss by target, or NULL: all 1 */
    double scale;              /* of the gradient: 1 / units of the whole update */
};

struct rnn_sums {
    double loss;         /* sum over targets, with smoothing and class weights; squared errors */
    double negative_log; /* sum of -log p(target), natural logarithm */
    size_t targets;
};

/* Forward and loss; outputs, or NULL, [B, O] or [S, B, O], receives the outputs. */
int rnn_forward(const struct rnn *model, const struct rnn_batch *batch,
                const struct rnn_training *training, struct rng *rng, real *outputs,
                struct rnn_sums *sums, struct arena *arena, struct err *err);
/* Forward, loss and backward: adds the gradient of scale * loss to `gradients` (a model of the same
   sizes) and the sums to *sums. */
int rnn_learn(const struct rnn *model, const struct rnn *gradients, const struct rnn_batch *batch,
              const struct rnn_training *training, struct rng *rng, struct rnn_sums *sums,
              struct arena *arena, struct err *err);

#endif
