/*
 * The source side of decoding: one sentence through each model's encoder, its attention keys, and
 * the decoder's first state.
 *
 * Keys (m W, once for each source token) rather than transformed queries (W s, once for each live
 * row and step): with 9 source and 10 target tokens that is 9 products of a vector with W in one
 * pass over it, against 10 of them in 10 passes for greedy search and 50 for a beam of 5.
 */
#include <math.h>
#include <string.h>

#include "model/decode_parts.h"
#include "model/seq2seq_parts.h"
#include "nn/layer.h"

/* u, as in seq2seq_learn.c */
static void summarise(const struct network *network, size_t steps, const real *memory)
{
    const struct recurrent *encoder = &network->model->encoder;
    const size_t D = network->model->memory, half = D / encoder->directions;
    real *u = network->summary;
    if (network->model->bridge == SPEC_BRIDGE_LAST) {
        for (size_t d = 0; d < encoder->directions; d++)
            memcpy(u + d * half, network->last + seq2seq_top_state(encoder, d),
                   half * sizeof(real));
        return;
    }
    memset(u, 0, D * sizeof(real));
    for (size_t s = 0; s < steps; s++)
        mat_add_scaled(D, 1 / (real)steps, memory + s * cell_stride(D), u);
}

/* x of each step: E_s y, or tanh(Wr r + br). False where that is no number: rows may be so large
   that their products with the weights are not finite. */
static bool embed(const struct network *network, const struct sentence *sentence)
{
    const struct seq2seq *model = network->model;
    const size_t E = model->embedding, F = model->row, stride = cell_stride(E);
    for (size_t s = 0; s < sentence->steps; s++) {
        real *x = network->embedded + s * stride;
        if (F == 0) {
            dense_row(&network->source_embedding, (size_t)sentence->source[s], x);
            continue;
        }
        dense_rows(&network->row, 1, sentence->rows + s * cell_stride(F), F, model->row_bias, x, E);
        tanh_forward(E, x);
        for (size_t i = 0; i < E; i++)
            if (isnan(x[i]))
                return false;
    }
    return true;
}

static bool encode(const struct network *network, const struct sentence *sentence,
                   const struct encoding *encoding)
{
    const struct seq2seq *model = network->model;
    const size_t D = model->memory, steps = sentence->steps;
    if (!embed(network, sentence))
        return false;
    if (model->encoder.layers == 0)
        memcpy(encoding->memory, network->embedded, steps * cell_stride(D) * sizeof(real));
    else
        recurrent_encode(&model->encoder, steps, network->embedded, NULL, encoding->memory,
                         network->last, network->recurrent);
    if (model->attends && encoding->keys != encoding->memory)
        attention_project(&model->attention, network->prepared, steps, encoding->memory,
                          cell_stride(D), encoding->keys,
                          cell_stride(attention_keys(&model->attention)));
    summarise(network, steps, encoding->memory);
    dense_rows(&network->bridge, 1, network->summary, D, model->bridge_bias, encoding->first,
               model->first);
    tanh_forward(model->first, encoding->first);
    return true;
}

int decode_encode(struct decoder *decoder, struct sentence *sentence, struct err *err)
{
    for (size_t i = 0; i < decoder->models; i++)
        if (!encode(&decoder->networks[i], sentence, &sentence->encodings[i]))
            return err_set(err, ERR_ARGUMENT,
                           "the numbers of the rows are too large for the model");
    return 0;
}
