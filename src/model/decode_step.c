/*
 * The target side of decoding: one token for a block of live rows, which may belong to any number
 * of sentences. Only the attention looks at a row's sentence.
 */
#include <string.h>

#include "model/decode_parts.h"
#include "nn/layer.h"
#include "text/token.h"

static int32_t last_token(const struct sentence *sentence, size_t row)
{
    if (sentence->length == 0)
        return TOKEN_BOS;
    return sentence->extensions[(sentence->length - 1) * sentence->options.beam + row].id;
}

/* s = gru(E y, s) */
static void advance_states(struct decoder *decoder, size_t rows, const struct live_row *live,
                           real *states)
{
    const struct seq2seq *model = decoder->model;
    const struct gru_weights *w = &model->weights.decoder;
    const size_t E = model->embedding, H = model->hidden;
    const size_t last = decode_stride(E), gates = decode_stride(3 * H), state = decode_stride(H);
    for (size_t r = 0; r < rows; r++) {
        const int32_t id = last_token(live[r].sentence, live[r].row);
        embedding_forward(1, E, &id, model->weights.embedding, decoder->last + r * last);
    }
    mat_rows(rows, 3 * H, E, decoder->last, last, w->weight_ih, E, w->bias_ih,
             decoder->input_products, gates);
    mat_rows(rows, 3 * H, H, states, state, w->weight_hh, H, w->bias_hh, decoder->state_products,
             gates);
    for (size_t r = 0; r < rows; r++)
        gru_step(1, H, decoder->input_products + r * gates, decoder->state_products + r * gates,
                 states + r * state);
}

/* o = tanh(Wc [attention(s, m); s] + bc) */
static void advance_output(struct decoder *decoder, size_t rows, const struct live_row *live,
                           const real *states)
{
    const struct seq2seq *model = decoder->model;
    const struct seq2seq_weights *w = &model->weights;
    const size_t E = model->embedding, D = model->memory, H = model->hidden;
    const size_t joined = decode_stride(D + H), output = decode_stride(E);
    for (size_t r = 0; r < rows; r++) {
        const struct sentence *sentence = live[r].sentence;
        const real *state = states + r * decode_stride(H);
        real *row = decoder->joined + r * joined;
        real *attention =
            sentence->attention + (sentence->length * sentence->options.beam + live[r].row) *
                                      decode_stride(sentence->steps);
        general_attention_step(sentence->steps, D, H, sentence->memory, sentence->keys, state,
                               attention, row);
        memcpy(row + D, state, H * sizeof(real));
    }
    mat_rows(rows, E, D + H, decoder->joined, joined, w->combine_weight, D + H, w->combine_bias,
             decoder->output, output);
    for (size_t r = 0; r < rows; r++)
        tanh_forward(E, decoder->output + r * output);
}

void decode_advance(struct decoder *decoder, size_t rows, const struct live_row *live, real *states)
{
    const struct seq2seq *model = decoder->model;
    const size_t V = model->vocabulary, E = model->embedding;
    const size_t logits = decode_stride(V);
    advance_states(decoder, rows, live, states);
    advance_output(decoder, rows, live, states);
    mat_rows(rows, V, E, decoder->output, decode_stride(E), model->weights.output_weight, E,
             model->weights.output_bias, decoder->logits, logits);
    for (size_t r = 0; r < rows; r++)
        beam_offer(live[r].sentence, live[r].row, V, decoder->logits + r * logits);
}
