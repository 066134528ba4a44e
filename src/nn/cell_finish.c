/*
 * From products to what the gates read: bias and layer normalisation. Separate normalisation takes
 * the bias in, joint has it come after.
 */
#include "nn/cell_parts.h"
#include "nn/layer_norm.h"

#include <string.h>

static const real epsilons[] = {
    [CELL_NORM_NONE] = 0, [CELL_NORM_SEPARATE] = (real)1e-5, [CELL_NORM_JOINT] = (real)1e-9};

struct cell_side cell_input_side(const struct cell_layer *layer, const struct cell_weights *w)
{
    const struct cell_definition *cell = cell_definition(layer->kind);
    struct cell_side side = {
        .norm = layer->norm,
        .hidden = layer->hidden,
        .blocks = cell->inputs,
        .biases = cell->inputs,
        .bias = w->bias_ih,
        .gain = w->gain_ih,
        .shift = w->shift_ih,
    };
    if (layer->norm == CELL_NORM_JOINT)
        side.groups[0] = cell->inputs;
    else
        memcpy(side.groups, cell->input_groups, sizeof side.groups);
    return side;
}

struct cell_side cell_state_side(const struct cell_layer *layer, const struct cell_weights *w)
{
    const struct cell_definition *cell = cell_definition(layer->kind);
    struct cell_side side = {
        .norm = layer->norm,
        .hidden = layer->hidden,
        .blocks = cell->products,
        .first_bias = cell->first_bias,
        .biases = cell->biases,
        .bias = w->bias_hh,
        .gain = w->gain_hh,
        .shift = w->shift_hh,
    };
    if (layer->norm == CELL_NORM_JOINT)
        for (size_t s = 0; cell->stages[s].count; s++)
            side.groups[s] = cell->stages[s].count;
    else
        memcpy(side.groups, cell->product_groups, sizeof side.groups);
    return side;
}

static void add_bias(const struct cell_side *side, size_t first, size_t count, size_t rows,
                     struct mat products)
{
    const size_t H = side->hidden, end_bias = side->first_bias + side->biases;
    const size_t from = first > side->first_bias ? first : side->first_bias;
    const size_t to = first + count < end_bias ? first + count : end_bias;
    if (from < to)
        mat_add_bias(rows, (to - from) * H, side->bias + (from - side->first_bias) * H,
                     mat_of(products.data + from * H, products.stride));
}

void cell_finish(const struct cell_side *side, size_t first, size_t count, size_t rows,
                 struct mat products, const struct cell_normal *kept, size_t row)
{
    const size_t H = side->hidden, width = side->blocks * H;
    if (side->norm != CELL_NORM_JOINT)
        add_bias(side, first, count, rows, products);
    if (side->norm == CELL_NORM_NONE)
        return;
    for (size_t block = 0, group = 0; block < first + count; block += side->groups[group++]) {
        if (block < first)
            continue;
        layer_norm_forward(rows, side->groups[group] * H, side->gain + block * H,
                           side->shift ? side->shift + block * H : NULL, epsilons[side->norm],
                           mat_of(products.data + block * H, products.stride),
                           mat_of(kept ? kept->x + row * width + block * H : NULL, width),
                           kept ? kept->inverse + block * kept->rows + row : NULL);
    }
    if (side->norm == CELL_NORM_JOINT)
        add_bias(side, first, count, rows, products);
}

void cell_finish_back(const struct cell_side *side, size_t first, size_t count, size_t rows,
                      struct mat d, const struct cell_normal *kept, size_t row)
{
    const size_t H = side->hidden, width = side->blocks * H;
    if (side->norm == CELL_NORM_NONE)
        return;
    for (size_t block = 0, group = 0; block < first + count; block += side->groups[group++])
        if (block >= first)
            layer_norm_backward(rows, side->groups[group] * H, side->gain + block * H,
                                mat_of(kept->x + row * width + block * H, width),
                                kept->inverse + block * kept->rows + row,
                                mat_of(d.data + block * H, d.stride), kept->d_gain + block * H,
                                kept->d_output + block * H);
}

void cell_finish_end(const struct cell_side *g, size_t rows, struct mat d,
                     const struct cell_normal *kept)
{
    const size_t H = g->hidden, width = g->blocks * H;
    const size_t bias_at = g->first_bias * H, bias_width = g->biases * H;
    if (g->biases && g->norm == CELL_NORM_JOINT)
        mat_add_scaled(bias_width, 1, kept->d_output + bias_at, g->bias);
    else if (g->biases)
        mat_add_rows(rows, bias_width, mat_of(d.data + bias_at, d.stride), g->bias);
    if (g->norm != CELL_NORM_NONE)
        mat_add_scaled(width, 1, kept->d_gain, g->gain);
    if (g->norm == CELL_NORM_SEPARATE)
        mat_add_scaled(width, 1, kept->d_output, g->shift);
}
