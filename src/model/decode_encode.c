/*
 * The source side of decoding: one sentence through each model's encoder, its attention keys, and
 * the decoder's first state.
 *
 * Keys (m W, once for each source token) rather than transformed queries (W s, once for each live
 * row and step): with 9 source and 10 target tokens that is 9 products of a vector with W in one
 * pass over it, against 10 of them in 10 passes for greedy search and 50 for a beam of 5.
 */
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

static void encode(const struct network *network, size_t steps, const int32_t *source,
                   const struct encoding *encoding)
{
    const struct seq2seq *model = network->model;
    const size_t E = model->embedding, D = model->memory, N = model->first;
    for (size_t s = 0; s < steps; s++)
        embedding_forward(1, E, source + s, model->source_embedding,
                          network->embedded + s * cell_stride(E));
    recurrent_encode(&model->encoder, steps, network->embedded, NULL, encoding->memory,
                     network->last, network->recurrent);
    if (model->attends && encoding->keys != encoding->memory)
        attention_project(&model->attention, network->prepared, steps, encoding->memory,
                          cell_stride(D), encoding->keys,
                          cell_stride(attention_keys(&model->attention)));
    summarise(network, steps, encoding->memory);
    mat_rows(1, N, D, network->summary, D, model->bridge_weight, D, model->bridge_bias,
             encoding->first, N);
    tanh_forward(N, encoding->first);
}

void decode_encode(struct decoder *decoder, struct sentence *sentence)
{
    for (size_t i = 0; i < decoder->models; i++)
        encode(&decoder->networks[i], sentence->steps, sentence->source, &sentence->encodings[i]);
}
