/*
 * A recurrent layer in inference: products are dense_rows, everything else goes row by row.
 */
#include <string.h>

#include "nn/cell_parts.h"

/* The bias of all blocks where each has one and nothing is normalised: it is added by the product.
   Else NULL, and cell_finish adds what there is. */
static const real *whole_bias(const struct cell_side *side)
{
    const bool whole = side->norm == CELL_NORM_NONE && side->biases == side->blocks;
    return whole ? side->bias : NULL;
}

void cell_input(const struct cell_layer *layer, size_t rows, const real *x, size_t x_stride,
                real *products)
{
    const struct cell_definition *cell = cell_definition(layer->kind);
    const struct cell_side side = cell_input_side(layer, &layer->w);
    const size_t I = layer->input, H = layer->hidden;
    const size_t stride = cell_stride(cell->gates * H), bare = cell_bare_gate(cell);
    real *of_input = products + cell->first_input * H;
    const real *bias = whole_bias(&side);
    const struct dense weight = {.outputs = cell->inputs * H,
                                 .inputs = I,
                                 .floats = layer->w.weight_ih,
                                 .form = layer->w.form_ih};
    dense_rows(&weight, rows, x, x_stride, bias, of_input, stride);
    for (size_t row = 0; !bias && row < rows; row++)
        cell_finish(&side, 0, cell->inputs, 1, mat_of(of_input + row * stride, stride), NULL, 0);
    if (bare == cell->gates)
        return;
    const struct dense projection = {
        .outputs = H, .inputs = I, .floats = layer->w.projection, .form = layer->w.form_projection};
    if (I != H)
        dense_rows(&projection, rows, x, x_stride, NULL, products + bare * H, stride);
    else
        for (size_t row = 0; row < rows; row++)
            memcpy(products + row * stride + bare * H, x + row * x_stride, H * sizeof(real));
}

/* A row of scratch: products of the state, the operand of a stage, what `forward` keeps. */
size_t cell_scratch(const struct cell_layer *layer)
{
    const struct cell_definition *cell = cell_definition(layer->kind);
    const size_t H = layer->hidden;
    return cell_stride(cell->products * H) + cell_stride(H) + cell_stride(cell->kept * H);
}

static struct cell_row row_of(const struct cell_layer *layer, real *gates, real *state,
                              real *scratch)
{
    const struct cell_definition *cell = cell_definition(layer->kind);
    const size_t H = layer->hidden;
    real *operand = scratch + cell_stride(cell->products * H);
    return (struct cell_row){
        .hidden = H,
        .peephole = layer->w.peephole,
        .gates = gates,
        .products = scratch,
        .seen = state,
        .h = state,
        .c = state + H,
        .next_h = state,
        .next_c = state + H,
        .operand = operand,
        .kept = operand + cell_stride(H),
    };
}

void cell_step(const struct cell_layer *layer, size_t rows, real *products, real *state,
               size_t state_stride, real *scratch)
{
    const struct cell_definition *cell = cell_definition(layer->kind);
    const struct cell_side side = cell_state_side(layer, &layer->w);
    const size_t H = layer->hidden, stride = cell_stride(cell->gates * H);
    const size_t scratch_stride = cell_scratch(layer);
    const real *bias = whole_bias(&side);
    const struct dense weight = {.outputs = cell->products * H,
                                 .inputs = H,
                                 .part = H,
                                 .floats = layer->w.weight_hh,
                                 .form = layer->w.form_hh};
    for (const struct cell_stage *stage = cell->stages; stage->count; stage++) {
        for (size_t r = 0; stage->operand && r < rows; r++) {
            const struct cell_row row =
                row_of(layer, products + r * stride, state + r * state_stride,
                       scratch + r * scratch_stride);
            stage->operand(&row);
        }
        const real *operand = stage->operand ? scratch + cell_stride(cell->products * H) : state;
        const struct dense part = dense_part(&weight, stage->first * H, stage->count * H);
        dense_rows(&part, rows, operand, stage->operand ? scratch_stride : state_stride,
                   bias ? bias + stage->first * H : NULL, scratch + stage->first * H,
                   scratch_stride);
        for (size_t r = 0; !bias && r < rows; r++)
            cell_finish(&side, stage->first, stage->count, 1,
                        mat_of(scratch + r * scratch_stride, scratch_stride), NULL, 0);
    }
    for (size_t r = 0; r < rows; r++) {
        const struct cell_row row = row_of(layer, products + r * stride, state + r * state_stride,
                                           scratch + r * scratch_stride);
        cell->forward(&row);
    }
}
