#include "nn/cell_parts.h"

#define CELL_NAME(constant, name, definition) [constant] = name,
const char *const cell_names[] = {CELL_LIST(CELL_NAME) NULL};

#define CELL_ADDRESS(constant, name, definition) [constant] = &definition,
static const struct cell_definition *const definitions[] = {CELL_LIST(CELL_ADDRESS)};

const char *const cell_norm_names[] = {"none", "separate", "joint", NULL};

const struct cell_definition *cell_definition(enum cell_kind kind)
{
    return definitions[kind];
}

size_t cell_gates(enum cell_kind kind)
{
    return definitions[kind]->gates;
}

size_t cell_state(enum cell_kind kind)
{
    return definitions[kind]->state;
}

const char *cell_letters(enum cell_kind kind)
{
    return definitions[kind]->letters;
}

size_t cell_tensors(const struct cell_layer *layer, struct cell_weights *w,
                    struct cell_tensor list[CELL_MAX_TENSORS])
{
    const struct cell_definition *cell = definitions[layer->kind];
    const size_t I = layer->input, H = layer->hidden, P = cell->inputs, R = cell->products;
    const bool projects = cell->inputs < cell->gates && I != H;
    const bool gain = layer->norm != CELL_NORM_NONE, shift = layer->norm == CELL_NORM_SEPARATE;
    const struct cell_tensor all[CELL_MAX_TENSORS] = {
        {"weight_ih", P * H, I, &w->weight_ih, &w->form_ih, 0},
        {"weight_hh", R * H, H, &w->weight_hh, &w->form_hh, H},
        {"bias_ih", P * H, 0, &w->bias_ih, NULL, 0},
        {"bias_hh", cell->biases * H, 0, &w->bias_hh, NULL, 0},
        {"projection", projects ? H : 0, I, &w->projection, &w->form_projection, 0},
        {"peephole", cell->peephole ? 3 * H : 0, 0, &w->peephole, NULL, 0},
        {"gain_ih", gain ? P * H : 0, 0, &w->gain_ih, NULL, 0},
        {"gain_hh", gain ? R * H : 0, 0, &w->gain_hh, NULL, 0},
        {"shift_ih", shift ? P * H : 0, 0, &w->shift_ih, NULL, 0},
        {"shift_hh", shift ? R * H : 0, 0, &w->shift_hh, NULL, 0},
    };
    size_t count = 0;
    for (size_t i = 0; i < CELL_MAX_TENSORS; i++)
        if (all[i].rows)
            list[count++] = all[i];
    return count;
}
