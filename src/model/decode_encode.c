/*
 * The source side of decoding: one sentence through the encoder, its attention keys, and the
 * decoder's first state.
 *
 * Keys (m W, once for each source token) rather than transformed queries (W s, once for each live
 * row and step): with 9 source and 10 target tokens that is 9 products of a vector with W in one
 * pass over it, against 10 of them in 10 passes for greedy search and 50 for a beam of 5.
 */
#include <string.h>

#include "model/decode_parts.h"
#include "nn/layer.h"

static void encode_direction(struct decoder *decoder, struct sentence *sentence, size_t direction)
{
    const struct seq2seq *model = decoder->model;
    const struct gru_weights *w = &model->weights.encoder[direction];
    const size_t S = sentence->steps, E = model->embedding, He = model->encoder_hidden;
    const size_t stride = decode_stride(3 * He);
    mat_rows(S, 3 * He, E, decoder->embedded, decode_stride(E), w->weight_ih, E, w->bias_ih,
             decoder->products, stride);
    memset(decoder->state, 0, He * sizeof(real));
    for (size_t step = 0; step < S; step++) {
        const size_t s = direction == 0 ? step : S - 1 - step;
        mat_rows(1, 3 * He, He, decoder->state, He, w->weight_hh, He, w->bias_hh,
                 decoder->recurrent, 3 * He);
        gru_step(1, He, decoder->products + s * stride, decoder->recurrent, decoder->state);
        memcpy(sentence->memory + s * model->memory + direction * He, decoder->state,
               He * sizeof(real));
    }
}

/* tanh(Wb [forward's last state; reverse's last state] + bb); the reverse direction ends at 0. */
static void encode_first(struct decoder *decoder, struct sentence *sentence)
{
    const struct seq2seq *model = decoder->model;
    const struct seq2seq_weights *w = &model->weights;
    const size_t D = model->memory, H = model->hidden, He = model->encoder_hidden;
    real *last = decoder->joined; /* [D] */
    memcpy(last, sentence->memory + (sentence->steps - 1) * D, He * sizeof(real));
    if (model->directions == 2)
        memcpy(last + He, sentence->memory + He, He * sizeof(real));
    mat_rows(1, H, D, last, D, w->bridge_weight, D, w->bridge_bias, sentence->first, H);
    tanh_forward(H, sentence->first);
}

void decode_encode(struct decoder *decoder, struct sentence *sentence)
{
    const struct seq2seq *model = decoder->model;
    const size_t S = sentence->steps, E = model->embedding;
    const size_t D = model->memory, H = model->hidden;
    for (size_t s = 0; s < S; s++)
        embedding_forward(1, E, sentence->source + s, model->weights.embedding,
                          decoder->embedded + s * decode_stride(E));
    for (size_t d = 0; d < model->directions; d++)
        encode_direction(decoder, sentence, d);
    mat_rows(S, H, D, sentence->memory, D, decoder->attention, D, NULL, sentence->keys, H);
    encode_first(decoder, sentence);
}
