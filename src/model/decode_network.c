/* One model of a decoder: its states, its scratch, and room for what it makes of a source. */
#include "model/decode_parts.h"

struct buffer {
    real **slot;
    size_t rows, columns; /* of cell_stride(columns) each */
};

static int allocate(const struct buffer *list, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (list[i].columns > 0 &&
            !(*list[i].slot =
                  mem_alloc(list[i].rows, cell_stride(list[i].columns) * sizeof(real), err)))
            return ERR_MEMORY;
    return 0;
}

static int allocate_source(struct network *network, size_t group, struct err *err)
{
    const struct seq2seq *model = network->model;
    const struct recurrent *encoder = &model->encoder;
    const size_t S = DECODE_MAX_SOURCE + 1;
    const struct buffer list[] = {
        {&network->prepared, 1, model->attends ? attention_prepared(&model->attention) : 0},
        {&network->embedded, S, model->embedding},
        {&network->recurrent, 1, recurrent_scratch_many(encoder, S, group)},
        {&network->last, group, recurrent_state(encoder)},
        {&network->summary, group, model->memory},
        {&network->firsts, group, model->first},
    };
    return allocate(list, sizeof list / sizeof *list, err);
}

/* All cells of the decoder are of one kind and size. */
static const struct cell_layer *any_cell(const struct seq2seq *model)
{
    return model->kind == SPEC_DECODER_CONDITIONAL ? &model->context_cell
                                                   : &model->decoder.layer[0][0];
}

static int allocate_target(struct network *network, size_t rows, size_t block, struct err *err)
{
    const struct seq2seq *model = network->model;
    const struct cell_layer *cell = any_cell(model);
    const bool additive = model->attends && model->attention.kind == ATTENTION_ADDITIVE;
    const size_t E = model->embedding, H = model->hidden;
    const struct buffer list[] = {
        {&network->states, rows, network->state},
        {&network->gathered, rows, network->state},
        {&network->input, block, network->fed ? 2 * E : E},
        {&network->products, block, cell_gates(cell->kind) * H},
        {&network->cell, block, cell_scratch(cell)},
        {&network->residual, block, model->decoder.residual ? H : 0},
        {&network->query, block, additive ? attention_keys(&model->attention) : 0},
        {&network->joined, block, model->combined},
        {&network->output, block, network->fed ? 0 : E},
    };
    return allocate(list, sizeof list / sizeof *list, err);
}

/* The model's matrices, in the form that they have by now. */
static void bind(struct network *network)
{
    const struct seq2seq *model = network->model;
    const struct seq2seq_forms *forms = &model->forms;
    const size_t E = model->embedding;
    network->source_embedding = seq2seq_source_embedding(model);
    network->target_embedding = seq2seq_target_embedding(model);
    network->output_layer = seq2seq_output_layer(model);
    network->row = (struct dense){
        .outputs = E, .inputs = model->row, .floats = model->row_weight, .form = forms->row};
    network->bridge = (struct dense){.outputs = model->first,
                                     .inputs = model->memory,
                                     .floats = model->bridge_weight,
                                     .form = forms->bridge};
    network->combine = (struct dense){.outputs = E,
                                      .inputs = model->combined,
                                      .floats = model->combine_weight,
                                      .form = forms->combine};
}

int network_init(struct network *network, const struct seq2seq *model, size_t rows, size_t block,
                 struct err *err)
{
    const size_t cells = cell_stride(model->first);
    network->model = model;
    network->fed = model->kind == SPEC_DECODER_INPUT_FEEDING ? cells : 0;
    network->state = cells + (network->fed ? cell_stride(model->embedding) : 0);
    network->group = decode_group(rows);
    if (seq2seq_pack(model, err))
        return ERR_MEMORY;
    bind(network);
    if (allocate_source(network, network->group, err) ||
        allocate_target(network, rows, block, err)) {
        network_release(network);
        return ERR_MEMORY;
    }
    if (network->prepared)
        attention_prepare(&model->attention, network->prepared);
    return 0;
}

void network_release(struct network *network)
{
    real *const buffers[] = {
        network->output,    network->joined,   network->query,    network->residual,
        network->cell,      network->products, network->input,    network->gathered,
        network->states,    network->firsts,   network->summary,  network->last,
        network->recurrent, network->embedded, network->prepared,
    };
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        mem_free(buffers[i]);
}

int network_allocate_encoding(const struct network *network, size_t steps,
                              struct encoding *encoding, struct arena *arena, struct err *err)
{
    const struct seq2seq *model = network->model;
    encoding->memory = arena_alloc(arena, steps, cell_stride(model->memory) * sizeof(real), err);
    encoding->first = arena_alloc(arena, network->state, sizeof(real), err);
    if (!encoding->memory || !encoding->first)
        return ERR_MEMORY;
    if (!model->attends)
        return 0;
    if (model->attention.kind == ATTENTION_DOT) {
        encoding->keys = encoding->memory; /* the same */
        return 0;
    }
    encoding->keys = arena_alloc(
        arena, steps, cell_stride(attention_keys(&model->attention)) * sizeof(real), err);
    return encoding->keys ? 0 : ERR_MEMORY;
}
