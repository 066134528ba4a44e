/* The translation network as an object: sizes, parameter table, first weights, opening. */
#include "model/seq2seq.h"

#include "base/mem.h"
#include "nn/init.h"

void seq2seq_size(struct seq2seq *model, const struct spec *spec)
{
    *model = (struct seq2seq){
        .vocabulary = spec->vocabulary,
        .embedding = spec->embedding,
        .encoder_hidden = spec->encoder_hidden,
        .directions = spec->bidirectional ? 2 : 1,
        .hidden = spec->decoder_hidden,
        .tied = spec->tied,
    };
    model->memory = model->encoder_hidden * model->directions;
}

static size_t add_gru(struct parameter *list, const char *const names[4], struct gru_weights *w,
                      size_t input, size_t hidden)
{
    list[0] = (struct parameter){names[0], 3 * hidden, input, &w->weight_ih};
    list[1] = (struct parameter){names[1], 3 * hidden, hidden, &w->weight_hh};
    list[2] = (struct parameter){names[2], 3 * hidden, 0, &w->bias_ih};
    list[3] = (struct parameter){names[3], 3 * hidden, 0, &w->bias_hh};
    return 4;
}

size_t seq2seq_parameters(const struct seq2seq *model, struct seq2seq_weights *weights,
                          struct parameter list[SEQ2SEQ_MAX_PARAMETERS])
{
    static const char *const encoder[2][4] = {
        {"encoder.weight_ih_l0", "encoder.weight_hh_l0", "encoder.bias_ih_l0",
         "encoder.bias_hh_l0"},
        {"encoder.weight_ih_l0_reverse", "encoder.weight_hh_l0_reverse",
         "encoder.bias_ih_l0_reverse", "encoder.bias_hh_l0_reverse"},
    };
    static const char *const decoder[4] = {"decoder.weight_ih_l0", "decoder.weight_hh_l0",
                                           "decoder.bias_ih_l0", "decoder.bias_hh_l0"};
    const size_t V = model->vocabulary, E = model->embedding;
    const size_t D = model->memory, H = model->hidden;
    size_t n = 0;
    list[n++] = (struct parameter){"embedding.weight", V, E, &weights->embedding};
    for (size_t d = 0; d < model->directions; d++)
        n += add_gru(list + n, encoder[d], &weights->encoder[d], E, model->encoder_hidden);
    list[n++] = (struct parameter){"bridge.weight", H, D, &weights->bridge_weight};
    list[n++] = (struct parameter){"bridge.bias", H, 0, &weights->bridge_bias};
    n += add_gru(list + n, decoder, &weights->decoder, E, H);
    list[n++] = (struct parameter){"attention.weight", D, H, &weights->attention};
    list[n++] = (struct parameter){"combine.weight", E, D + H, &weights->combine_weight};
    list[n++] = (struct parameter){"combine.bias", E, 0, &weights->combine_bias};
    if (!model->tied)
        list[n++] = (struct parameter){"output.weight", V, E, &weights->output_weight};
    list[n++] = (struct parameter){"output.bias", V, 0, &weights->output_bias};
    return n;
}

void seq2seq_tie(const struct seq2seq *model, struct seq2seq_weights *weights)
{
    if (model->tied)
        weights->output_weight = weights->embedding;
}

static void init_gru(const struct gru_weights *w, size_t input, size_t hidden, struct rng *rng)
{
    const double bound = 1 / sqrt((double)hidden);
    init_uniform(3 * hidden * input, bound, rng, w->weight_ih);
    init_uniform(3 * hidden * hidden, bound, rng, w->weight_hh);
    init_uniform(3 * hidden, bound, rng, w->bias_ih);
    init_uniform(3 * hidden, bound, rng, w->bias_hh);
}

void seq2seq_init(struct seq2seq *model, struct rng *rng)
{
    const struct seq2seq_weights *w = &model->weights;
    const size_t V = model->vocabulary, E = model->embedding;
    const size_t D = model->memory, H = model->hidden;
    const double deviation = 1 / sqrt((double)E);
    init_normal(V * E, deviation, rng, w->embedding);
    for (size_t d = 0; d < model->directions; d++)
        init_gru(&w->encoder[d], E, model->encoder_hidden, rng);
    init_glorot(H, D, rng, w->bridge_weight);
    init_gru(&w->decoder, E, H, rng);
    init_glorot(D, H, rng, w->attention);
    init_glorot(E, D + H, rng, w->combine_weight);
    if (!model->tied)
        init_normal(V * E, deviation, rng, w->output_weight);
}

int seq2seq_open(struct seq2seq **model, const struct spec *spec, const struct safetensors *file,
                 struct err *err)
{
    struct parameter list[SEQ2SEQ_MAX_PARAMETERS];
    struct seq2seq *opened = mem_alloc(1, sizeof *opened, err);
    if (!opened)
        return ERR_MEMORY;
    seq2seq_size(opened, spec);
    const size_t count = seq2seq_parameters(opened, &opened->weights, list);
    const int status = parameters_open(list, count, file, err);
    if (status) {
        mem_free(opened);
        return status;
    }
    seq2seq_tie(opened, &opened->weights);
    *model = opened;
    return 0;
}

void seq2seq_free(struct seq2seq *model)
{
    mem_free(model);
}
