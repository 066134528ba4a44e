/*
 * The source side of decoding: sentences through each model's encoder, their attention keys, and
 * the decoder's first states.
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

/* u, as in seq2seq_learn.c, of the sentence's memory and last state */
static void summarise(const struct network *network, size_t steps, const real *memory,
                      const real *last, real *u)
{
    const struct recurrent *encoder = &network->model->encoder;
    const size_t D = network->model->memory, half = D / encoder->directions;
    if (network->model->bridge == SPEC_BRIDGE_LAST) {
        for (size_t d = 0; d < encoder->directions; d++)
            memcpy(u + d * half, last + seq2seq_top_state(encoder, d), half * sizeof(real));
        return;
    }
    memset(u, 0, D * sizeof(real));
    for (size_t s = 0; s < steps; s++)
        mat_add_scaled(D, 1 / (real)steps, memory + s * cell_stride(D), u);
}

/* x of each step, [S, E]: E_s y, or tanh(Wr r + br) */
static void embed(const struct network *network, const struct sentence *sentence, real *embedded)
{
    const struct seq2seq *model = network->model;
    const size_t E = model->embedding, F = model->row, stride = cell_stride(E);
    for (size_t s = 0; s < sentence->steps; s++) {
        real *x = embedded + s * stride;
        if (F == 0) {
            dense_row(&network->source_embedding, (size_t)sentence->source[s], x);
            continue;
        }
        dense_rows(&network->row, 1, sentence->rows + s * cell_stride(F), F, model->row_bias, x, E);
        tanh_forward(E, x);
    }
}

static bool has_numbers(const struct network *network, const struct sentence *sentence)
{
    const size_t E = network->model->embedding, stride = cell_stride(E);
    embed(network, sentence, network->embedded);
    for (size_t s = 0; s < sentence->steps; s++)
        for (size_t i = 0; i < E; i++)
            if (isnan(network->embedded[s * stride + i]))
                return false;
    return true;
}

int decode_check(const struct decoder *decoder, const struct sentence *sentence, struct err *err)
{
    for (size_t i = 0; decoder->row > 0 && i < decoder->models; i++)
        if (!has_numbers(&decoder->networks[i], sentence))
            return err_set(err, ERR_ARGUMENT,
                           "the numbers of the rows are too large for the model");
    return 0;
}

/* The i-th model's memories of the sentences. */
static void remember(const struct decoder *decoder, size_t i, struct sentence *const *list,
                     size_t count)
{
    const struct network *network = &decoder->networks[i];
    const struct recurrent *encoder = &network->model->encoder;
    const size_t stride = cell_stride(network->model->embedding);
    const size_t state = cell_stride(recurrent_state(encoder));
    size_t at = 0;
    for (size_t b = 0; b < count; b++) {
        real *embedded = network->embedded + at * stride;
        embed(network, list[b], embedded);
        if (encoder->layers == 0)
            memcpy(list[b]->encodings[i].memory, embedded, list[b]->steps * stride * sizeof(real));
        decoder->items[b] = (struct recurrent_item){.steps = list[b]->steps,
                                                    .output = list[b]->encodings[i].memory,
                                                    .last = network->last + b * state};
        at += list[b]->steps;
    }
    if (encoder->layers > 0)
        recurrent_encode_many(encoder, decoder->items, count, network->embedded,
                              network->recurrent);
}

/* Their keys and first states. */
static void prepare(const struct network *network, size_t i, struct sentence *const *list,
                    size_t count)
{
    const struct seq2seq *model = network->model;
    const size_t D = model->memory, N = model->first;
    const size_t state = cell_stride(recurrent_state(&model->encoder));
    for (size_t b = 0; b < count; b++) {
        const struct encoding *encoding = &list[b]->encodings[i];
        if (model->attends && encoding->keys != encoding->memory)
            attention_project(&model->attention, network->prepared, list[b]->steps,
                              encoding->memory, cell_stride(D), encoding->keys,
                              cell_stride(attention_keys(&model->attention)));
        summarise(network, list[b]->steps, encoding->memory, network->last + b * state,
                  network->summary + b * cell_stride(D));
    }
    dense_rows(&network->bridge, count, network->summary, cell_stride(D), model->bridge_bias,
               network->firsts, cell_stride(N));
    for (size_t b = 0; b < count; b++) {
        memcpy(list[b]->encodings[i].first, network->firsts + b * cell_stride(N), N * sizeof(real));
        tanh_forward(N, list[b]->encodings[i].first);
    }
}

void decode_encode(struct decoder *decoder, struct sentence *const *list, size_t count)
{
    for (size_t i = 0; i < decoder->models; i++) {
        remember(decoder, i, list, count);
        prepare(&decoder->networks[i], i, list, count);
    }
}
