/* The translation network as an object: sizes, parameter table, first weights, opening. */
#include "model/seq2seq.h"

#include "base/mem.h"
#include "nn/init.h"

static void size_decoder(struct seq2seq *model, const struct spec *spec)
{
    const struct spec_recurrent *net = &spec->decoder;
    const bool conditional = model->kind == SPEC_DECODER_CONDITIONAL;
    const size_t E = model->embedding, H = net->hidden;
    const size_t fed = model->kind == SPEC_DECODER_INPUT_FEEDING ? E : 0;
    recurrent_size(&model->decoder, net->cell, net->norm, conditional ? H : E + fed, H,
                   conditional ? net->layers - 1 : net->layers, 1, net->residual);
    model->first = recurrent_state(&model->decoder);
    if (!conditional)
        return;
    model->query_cell = (struct cell_layer){net->cell, net->norm, E, H, {0}};
    model->context_cell = (struct cell_layer){net->cell, net->norm, model->memory, H, {0}};
    model->first += cell_state(net->cell) * H;
}

void seq2seq_size(struct seq2seq *model, const struct spec *spec)
{
    const struct spec_recurrent *net = &spec->encoder;
    *model = (struct seq2seq){
        .kind = spec->decoder_kind,
        .bridge = spec->bridge,
        .tying = spec->tying,
        .attends = spec->attention != ATTENTION_NONE,
        .deep = spec->deep_output,
        .row = spec->row,
        .vocabulary = spec->vocabulary,
        .embedding = spec->embedding,
        .hidden = spec->decoder.hidden,
    };
    recurrent_size(&model->encoder, net->cell, net->norm, model->embedding, net->hidden,
                   net->layers, net->bidirectional ? 2 : 1, net->residual);
    model->memory = net->layers > 0 ? recurrent_width(&model->encoder) : model->embedding;
    size_decoder(model, spec);
    model->attention = (struct attention){
        .kind = spec->attention,
        .memory = model->memory,
        .query = model->hidden,
        .hidden = model->hidden,
    };
    model->combined =
        (model->attends ? model->memory : 0) + model->hidden + (model->deep ? model->embedding : 0);
}

static void add_attention(struct parameter_list *list, struct attention *attention)
{
    struct attention_tensor tensors[ATTENTION_MAX_TENSORS];
    const size_t count = attention_tensors(attention, &attention->w, tensors);
    for (size_t i = 0; i < count; i++) {
        parameters_add(list, "attention.", tensors[i].name, "", tensors[i].rows, tensors[i].columns,
                       tensors[i].slot);
        list->list[list->count - 1].form = tensors[i].form;
        list->list[list->count - 1].transposed = tensors[i].transposed;
    }
}

size_t seq2seq_parameters(struct seq2seq *model, struct parameter list[SEQ2SEQ_MAX_PARAMETERS])
{
    const size_t V = model->vocabulary, E = model->embedding, C = model->combined;
    struct parameter_list all = {.list = list};
    struct seq2seq_forms *forms = &model->forms;
    if (model->row > 0) {
        parameters_add_matrix(&all, "row.", E, model->row, &model->row_weight, &forms->row);
        parameters_add(&all, "row.", "bias", "", E, 0, &model->row_bias);
    } else {
        parameters_add_matrix(&all, "embedding.", V, E, &model->source_embedding,
                              &forms->source_embedding);
    }
    if (model->tying != SPEC_TYING_THREE_WAY)
        parameters_add_matrix(&all, "target_embedding.", V, E, &model->target_embedding,
                              &forms->target_embedding);
    parameters_add_stack(&all, "encoder.", &model->encoder);
    parameters_add_matrix(&all, "bridge.", model->first, model->memory, &model->bridge_weight,
                          &forms->bridge);
    parameters_add(&all, "bridge.", "bias", "", model->first, 0, &model->bridge_bias);
    if (model->kind == SPEC_DECODER_CONDITIONAL) {
        parameters_add_cell(&all, "query_cell.", "", &model->query_cell);
        parameters_add_cell(&all, "context_cell.", "", &model->context_cell);
    }
    parameters_add_stack(&all, "decoder.", &model->decoder);
    if (model->attends)
        add_attention(&all, &model->attention);
    parameters_add_matrix(&all, "combine.", E, C, &model->combine_weight, &forms->combine);
    parameters_add(&all, "combine.", "bias", "", E, 0, &model->combine_bias);
    if (model->tying == SPEC_TYING_NONE)
        parameters_add_matrix(&all, "output.", V, E, &model->output_weight, &forms->output);
    parameters_add(&all, "output.", "bias", "", V, 0, &model->output_bias);
    return all.count;
}

void seq2seq_tie(struct seq2seq *model)
{
    struct seq2seq_forms *forms = &model->forms;
    if (model->tying == SPEC_TYING_THREE_WAY) {
        model->target_embedding = model->source_embedding;
        forms->target_embedding = forms->source_embedding;
    }
    if (model->tying != SPEC_TYING_NONE) {
        model->output_weight = model->target_embedding;
        forms->output = forms->target_embedding;
    }
}

void seq2seq_init(struct seq2seq *model, const struct cell_init_settings *settings, struct rng *rng)
{
    const size_t V = model->vocabulary, E = model->embedding;
    const double deviation = 1 / sqrt((double)E);
    if (model->row > 0)
        init_glorot(E, model->row, rng, model->row_weight);
    else
        init_normal(V * E, deviation, rng, model->source_embedding);
    if (model->tying != SPEC_TYING_THREE_WAY)
        init_normal(V * E, deviation, rng, model->target_embedding);
    recurrent_init(&model->encoder, settings, rng);
    init_glorot(model->first, model->memory, rng, model->bridge_weight);
    if (model->kind == SPEC_DECODER_CONDITIONAL) {
        cell_init(&model->query_cell, settings, rng);
        cell_init(&model->context_cell, settings, rng);
    }
    recurrent_init(&model->decoder, settings, rng);
    if (model->attends)
        attention_init(&model->attention, rng);
    init_glorot(E, model->combined, rng, model->combine_weight);
    if (model->tying == SPEC_TYING_NONE)
        init_normal(V * E, deviation, rng, model->output_weight);
}

int seq2seq_open(struct seq2seq **model, const struct spec *spec, const struct safetensors *file,
                 struct err *err)
{
    struct seq2seq *opened = mem_alloc(1, sizeof *opened, err);
    struct parameter *list = mem_alloc(SEQ2SEQ_MAX_PARAMETERS, sizeof *list, err);
    int status = ERR_MEMORY;
    if (!opened || !list)
        goto failed;
    seq2seq_size(opened, spec);
    status = parameters_open(list, seq2seq_parameters(opened, list),
                             spec->weights == SPEC_WEIGHTS_INT8, file, err);
    if (status)
        goto failed;
    seq2seq_tie(opened);
    opened->packs = spec->weights == SPEC_WEIGHTS_F32;
    mem_free(list);
    *model = opened;
    return 0;
failed:
    mem_free(list);
    mem_free(opened);
    return status;
}

void seq2seq_free(struct seq2seq *model)
{
    if (model)
        mem_free(model->packed);
    mem_free(model);
}
