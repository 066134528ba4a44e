/*
 * The target side of decoding: one token for a block of live rows, which may belong to any number
 * of sentences, through each model. Only the attention looks at a row's sentence.
 */
#include <string.h>

#include "model/decode_parts.h"
#include "nn/layer.h"
#include "nn/softmax.h"
#include "text/token.h"

/* One block of live rows in one model. */
struct advance {
    const struct decoder *decoder;
    const struct network *network;
    const struct live_row *live; /* [rows] */
    size_t rows;
    real *states; /* [rows, network.state] */
};

static int32_t last_token(const struct live_row *live)
{
    const struct sentence *sentence = live->sentence;
    if (sentence->length == 0)
        return TOKEN_BOS;
    return sentence->extensions[(sentence->length - 1) * sentence->options.beam + live->row].id;
}

/* E y, and with input feeding [E y; o] */
static struct mat embed(const struct advance *step)
{
    const struct network *network = step->network;
    const size_t E = network->model->embedding;
    const struct mat input = mat_of(network->input, cell_stride(network->fed ? 2 * E : E));
    for (size_t r = 0; r < step->rows; r++) {
        const int32_t id = last_token(&step->live[r]);
        real *row = input.data + r * input.stride;
        dense_row(&network->target_embedding, (size_t)id, row);
        if (network->fed)
            memcpy(row + E, step->states + r * network->state + network->fed, E * sizeof(real));
    }
    return input;
}

/* One cell, whose state stands in column `at` of the states; returns h. */
static struct mat advance_cell(const struct advance *step, const struct cell_layer *layer,
                               struct mat x, size_t at)
{
    const struct network *network = step->network;
    cell_input(layer, step->rows, x.data, x.stride, network->products);
    cell_step(layer, step->rows, network->products, step->states + at, network->state,
              network->cell);
    return mat_of(step->states + at, network->state);
}

/* h + x, in the buffer of residual sums */
static struct mat add_input(const struct advance *step, struct mat h, struct mat x)
{
    const size_t H = step->network->model->hidden;
    const struct mat sum = mat_of(step->network->residual, cell_stride(H));
    for (size_t r = 0; r < step->rows; r++) {
        real *row = sum.data + r * sum.stride;
        if (x.data != sum.data)
            memcpy(row, x.data + r * x.stride, H * sizeof(real));
        mat_add_scaled(H, 1, h.data + r * h.stride, row);
    }
    return sum;
}

/* The decoder's layers, whose states stand from column `at` on; returns the last one's output. */
static struct mat advance_layers(const struct advance *step, struct mat x, size_t at)
{
    const struct recurrent *net = &step->network->model->decoder;
    for (size_t l = 0; l < net->layers; l++) {
        const struct cell_layer *layer = &net->layer[l][0];
        const struct mat h = advance_cell(step, layer, x, at);
        x = net->residual && layer->input == layer->hidden ? add_input(step, h, x) : h;
        at += cell_state(layer->kind) * layer->hidden;
    }
    return x;
}

/* Where the row's attention is kept. */
static real *attention_of(const struct live_row *live)
{
    const struct sentence *sentence = live->sentence;
    return sentence->attention +
           (sentence->length * sentence->options.beam + live->row) * cell_stride(sentence->steps);
}

/* c = attention(q, m), the first columns of `joined`; q [rows, H]. The weights of the first model
   that attends are kept, those of the others added. */
static void attend(const struct advance *step, struct mat q)
{
    const struct decoder *decoder = step->decoder;
    const struct network *network = step->network;
    const struct attention *attention = &network->model->attention;
    const size_t D = network->model->memory, K = attention_keys(attention);
    const size_t joined = cell_stride(network->model->combined);
    const size_t i = (size_t)(network - decoder->networks);
    if (network->query) {
        attention_query(attention, step->rows, q.data, q.stride, network->query, cell_stride(K));
        q = mat_of(network->query, cell_stride(K));
    }
    for (size_t r = 0; r < step->rows; r++) {
        const struct sentence *sentence = step->live[r].sentence;
        const struct encoding *encoding = &sentence->encodings[i];
        real *kept = attention_of(&step->live[r]);
        real *weights = decoder->weights ? decoder->weights : kept;
        attention_step(attention, sentence->steps, encoding->memory, cell_stride(D), encoding->keys,
                       cell_stride(K), q.data + r * q.stride, weights,
                       network->joined + r * joined);
        if (weights != kept)
            mat_add_scaled(sentence->steps, 1, weights, kept);
    }
}

/* The three kinds of decoders: s [rows, H], and the context where there is attention. x: the
   embedded tokens, as the kind wants them. */
static struct mat advance_states(const struct advance *step, struct mat x)
{
    const struct seq2seq *model = step->network->model;
    const struct mat contexts = mat_of(step->network->joined, cell_stride(model->combined));
    if (model->kind == SPEC_DECODER_CONDITIONAL) {
        attend(step, advance_cell(step, &model->query_cell, x, 0));
        const struct mat s = advance_cell(step, &model->context_cell, contexts, 0);
        return advance_layers(step, s, cell_state(model->context_cell.kind) * model->hidden);
    }
    const struct mat s = advance_layers(step, x, 0);
    if (model->attends)
        attend(step, s);
    return s;
}

/* o = tanh(Wc [c; s; y] + bc); returns where it stands: with input feeding, in the states. */
static struct mat advance_output(const struct advance *step, struct mat s, struct mat x)
{
    const struct network *network = step->network;
    const struct seq2seq *model = network->model;
    const size_t E = model->embedding, H = model->hidden, C = model->combined;
    const size_t joined = cell_stride(C), column = model->attends ? model->memory : 0;
    const struct mat output = network->fed ? mat_of(step->states + network->fed, network->state)
                                           : mat_of(network->output, cell_stride(E));
    for (size_t r = 0; r < step->rows; r++) {
        real *row = network->joined + r * joined + column;
        memcpy(row, s.data + r * s.stride, H * sizeof(real));
        if (model->deep)
            memcpy(row + H, x.data + r * x.stride, E * sizeof(real));
    }
    dense_rows(&network->combine, step->rows, network->joined, joined, model->combine_bias,
               output.data, output.stride);
    for (size_t r = 0; r < step->rows; r++)
        tanh_forward(E, output.data + r * output.stride);
    return output;
}

/* One model's logits [rows, V]. */
static void advance_model(const struct advance *step, real *logits)
{
    const struct seq2seq *model = step->network->model;
    const struct mat x = embed(step);
    const struct mat s = advance_states(step, x);
    const struct mat output = advance_output(step, s, x);
    dense_rows(&step->network->output_layer, step->rows, output.data, output.stride,
               model->output_bias, logits, cell_stride(model->vocabulary));
}

/* The logarithms of probabilities, summed so far. */
static void add_probabilities(const struct decoder *decoder, size_t model, size_t rows)
{
    const size_t V = decoder->vocabulary, stride = cell_stride(V);
    for (size_t r = 0; r < rows; r++) {
        real *sum = decoder->logits + r * stride;
        const real *logits = decoder->others + r * stride;
        if (model == 0)
            softmax_log(V, sum);
        else
            softmax_log_add(V, logits, sum);
    }
}

/* An ensemble's logits are log(p1 + p2 + ...): beam_offer divides by what they sum up to, which is
   the number of models, and so has the mean of the probabilities. */
void decode_advance(struct decoder *decoder, size_t first, size_t rows)
{
    const size_t V = decoder->vocabulary;
    const struct live_row *live = decoder->live + first;
    for (size_t i = 0; i < decoder->models; i++) {
        const struct network *network = &decoder->networks[i];
        const struct advance step = {.decoder = decoder,
                                     .network = network,
                                     .live = live,
                                     .rows = rows,
                                     .states = network->states + first * network->state};
        advance_model(&step, i == 0 ? decoder->logits : decoder->others);
        if (decoder->models > 1)
            add_probabilities(decoder, i, rows);
    }
    for (size_t r = 0; r < rows; r++)
        beam_offer(live[r].sentence, live[r].row, V, decoder->logits + r * cell_stride(V));
}
