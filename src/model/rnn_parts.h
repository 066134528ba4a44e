/* What the network's files share. */
#ifndef DRAGOMAN_MODEL_RNN_PARTS_H
#define DRAGOMAN_MODEL_RNN_PARTS_H

#include "model/rnn.h"

/* The output layer's weights, wherever they are. */
static inline const real *rnn_output_weight(const struct rnn *model)
{
    return model->tied ? model->embedding_weight : model->output_weight;
}

/* For inference. */
static inline struct dense rnn_output_layer(const struct rnn *model)
{
    return (struct dense){.outputs = model->outputs,
                          .inputs = model->pool,
                          .floats = rnn_output_weight(model),
                          .form = model->tied ? model->forms.embedding : model->forms.output};
}

/* Numbers in x_t without a condition, and with it. */
size_t rnn_input_width(const struct rnn *model);
/* Size of h_0 in all layers. */
size_t rnn_first_width(const struct rnn *model);

/* Pooling in training: states [S, B, D] -> pool [B, D], over t < lengths[b]. */
struct rnn_pool {
    size_t steps, batch;
    const int32_t *lengths;
    const real *states;
    /* Made by forward, in the arena: */
    real *pool;      /* [B, D] */
    int32_t *winner; /* [B, D], last and max: the step whose state it is */
    real *keys;      /* [S, B, D], attention: tanh(Wa m + ba) */
    real *weights;   /* [B, S], attention */
};
int rnn_pool_forward(const struct rnn *model, struct rnn_pool *pool, struct arena *arena,
                     struct err *err);
/* d_states [S, B, D], zero before; adds to g's weights. */
int rnn_pool_backward(const struct rnn *model, const struct rnn *g, const struct rnn_pool *pool,
                      const real *d_pool, real *d_states, struct arena *arena, struct err *err);

/* Pooling of one text for inference: states [count] rows `stride` apart -> pool [D]. weights
   [count] receives those of the attention. scratch: stride reals. */
void rnn_pool_states(const struct rnn *model, size_t count, const real *states, size_t stride,
                     real *pool, real *weights, real *scratch);

#endif
