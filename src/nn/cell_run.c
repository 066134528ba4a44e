/*
 * The forward pass of a recurrent layer in training: see cell.h and cell_parts.h.
 */
#include <string.h>

#include "nn/cell_parts.h"

/* *at = `count` reals, none where count is 0; false if there is no memory. */
static bool reserve(struct arena *arena, size_t count, real **at, struct err *err)
{
    *at = count ? arena_alloc(arena, count, sizeof(real), err) : NULL;
    return count == 0 || *at;
}

static bool reserve_normal(struct arena *arena, size_t rows, size_t blocks, size_t hidden,
                           struct cell_normal *normal, struct err *err)
{
    normal->rows = rows;
    return reserve(arena, rows * blocks * hidden, &normal->x, err) &&
           reserve(arena, rows * blocks, &normal->inverse, err);
}

/* *to = weights [n, k], packed to be multiplied with them or with their transpose. */
static bool pack(enum mat_form form, size_t n, size_t k, const real *weights, real **to,
                 struct arena *arena, struct err *err)
{
    const size_t outputs = form == MAT_NT ? n : k, inputs = form == MAT_NT ? k : n;
    *to = arena_alloc(arena, mat_packed_size(outputs, inputs), sizeof(real), err);
    if (*to)
        mat_pack(form, outputs, inputs, mat_of(weights, k), *to);
    return *to;
}

int cell_pack(const struct cell_run *run, enum mat_form form, real *packed[CELL_MAX_STAGES],
              real **packed_input, struct arena *arena, struct err *err)
{
    const struct cell_layer *layer = run->layer;
    const struct cell_definition *cell = cell_definition(layer->kind);
    const size_t I = layer->input, H = layer->hidden;
    for (size_t s = 0; cell->stages[s].count; s++)
        if (!pack(form, cell->stages[s].count * H, H,
                  layer->w.weight_hh + cell->stages[s].first * H * H, &packed[s], arena, err))
            return ERR_MEMORY;
    if (run->stepwise &&
        !pack(form, cell->inputs * H, I, layer->w.weight_ih, packed_input, arena, err))
        return ERR_MEMORY;
    return 0;
}

int cell_run_begin(struct cell_run *run, struct arena *arena, struct err *err)
{
    const struct cell_layer *layer = run->layer;
    const struct cell_definition *cell = cell_definition(layer->kind);
    const size_t B = run->batch, H = layer->hidden, rows = run->steps * B;
    struct cell_trace *trace = arena_alloc(arena, 1, sizeof *trace, err);
    if (!trace || !reserve(arena, rows * cell->gates * H, &run->products, err) ||
        !reserve(arena, rows * H, &run->h, err) ||
        !reserve(arena, cell->state > 1 ? rows * H : 0, &run->c, err) ||
        !reserve(arena, B * cell->products * H, &trace->products, err) ||
        !reserve(arena, run->state_mask ? rows * H : 0, &trace->seen, err) ||
        !reserve(arena, rows * cell->kept * H, &trace->kept, err))
        return ERR_MEMORY;
    for (size_t s = 0; s < CELL_MAX_STAGES; s++)
        if (!reserve(arena, cell->stages[s].operand ? rows * H : 0, &trace->operand[s], err))
            return ERR_MEMORY;
    if (layer->norm != CELL_NORM_NONE &&
        (!reserve_normal(arena, rows, cell->inputs, H, &trace->input, err) ||
         !reserve_normal(arena, rows, cell->products, H, &trace->state, err)))
        return ERR_MEMORY;
    run->trace = trace;
    return cell_pack(run, MAT_NT, trace->packed, &trace->packed_input, arena, err);
}

/* `to` [rows, H] = x, or its projection. */
static void enter_bare(const struct cell_layer *layer, size_t rows, struct mat x, struct mat to)
{
    if (layer->w.projection)
        mat_multiply(MAT_NT, rows, layer->hidden, layer->input, x,
                     mat_of(layer->w.projection, layer->input), 0, to);
    else
        for (size_t row = 0; row < rows; row++)
            memcpy(to.data + row * to.stride, x.data + row * x.stride,
                   layer->hidden * sizeof(real));
}

void cell_run_input(struct cell_run *run, size_t t, size_t count, struct mat x)
{
    const struct cell_layer *layer = run->layer;
    const struct cell_definition *cell = cell_definition(layer->kind);
    const struct cell_side side = cell_input_side(layer, &layer->w);
    const size_t I = layer->input, H = layer->hidden, rows = count * run->batch;
    const size_t width = cell->gates * H, bare = cell_bare_gate(cell);
    real *gates = run->products + t * run->batch * width;
    const struct mat products = mat_of(gates + cell->first_input * H, width);
    if (run->trace->packed_input)
        mat_multiply_packed(rows, cell->inputs * H, I, x, run->trace->packed_input, 0, products);
    else
        mat_multiply(MAT_NT, rows, cell->inputs * H, I, x, mat_of(layer->w.weight_ih, I), 0,
                     products);
    cell_finish(&side, 0, cell->inputs, rows, products, &run->trace->input, t * run->batch);
    if (bare < cell->gates)
        enter_bare(layer, rows, x, mat_of(gates + bare * H, width));
}

/* The state as the products see it, [B, H]. */
static const real *see(struct cell_run *run, size_t t, const real *h)
{
    const size_t count = run->batch * run->layer->hidden;
    if (!run->state_mask)
        return h;
    real *seen = run->trace->seen + t * count;
    for (size_t i = 0; i < count; i++)
        seen[i] = h[i] * run->state_mask[i];
    return seen;
}

static struct cell_row row_of(const struct cell_run *run, size_t t, size_t b,
                              struct cell_before before, const real *seen)
{
    const struct cell_definition *cell = cell_definition(run->layer->kind);
    const struct cell_trace *trace = run->trace;
    const size_t H = run->layer->hidden, row = t * run->batch + b;
    return (struct cell_row){
        .hidden = H,
        .peephole = run->layer->w.peephole,
        .gates = run->products + row * cell->gates * H,
        .products = trace->products + b * cell->products * H,
        .seen = seen + b * H,
        .h = before.h + b * H,
        .c = run->c ? before.c + b * H : NULL,
        .next_h = run->h + row * H,
        .next_c = run->c ? run->c + row * H : NULL,
        .kept = cell->kept ? trace->kept + row * cell->kept * H : NULL,
    };
}

/* What the stage multiplies, [B, H]; zero for sentences that are over. */
static const real *make_operand(struct cell_run *run, size_t t, size_t s, struct cell_before before,
                                const real *seen)
{
    const size_t B = run->batch, H = run->layer->hidden;
    const struct cell_stage *stage = &cell_definition(run->layer->kind)->stages[s];
    if (!stage->operand)
        return seen;
    real *operand = run->trace->operand[s] + t * B * H;
    for (size_t b = 0; b < B; b++) {
        struct cell_row row = row_of(run, t, b, before, seen);
        row.operand = operand + b * H;
        if (!cell_is_over(run, t, b))
            stage->operand(&row);
    }
    return operand;
}

static void carry_over(const struct cell_row *row)
{
    memcpy(row->next_h, row->h, row->hidden * sizeof(real));
    if (row->c)
        memcpy(row->next_c, row->c, row->hidden * sizeof(real));
}

void cell_run_step(struct cell_run *run, size_t t, struct cell_before before)
{
    const struct cell_layer *layer = run->layer;
    const struct cell_definition *cell = cell_definition(layer->kind);
    const struct cell_side side = cell_state_side(layer, &layer->w);
    const size_t B = run->batch, H = layer->hidden, width = cell->products * H;
    const real *seen = see(run, t, before.h);
    for (size_t s = 0; cell->stages[s].count; s++) {
        const size_t first = cell->stages[s].first, count = cell->stages[s].count;
        const real *operand = make_operand(run, t, s, before, seen);
        mat_multiply_packed(B, count * H, H, mat_of(operand, H), run->trace->packed[s], 0,
                            mat_of(run->trace->products + first * H, width));
        cell_finish(&side, first, count, B, mat_of(run->trace->products, width), &run->trace->state,
                    t * B);
    }
    for (size_t b = 0; b < B; b++) {
        const struct cell_row row = row_of(run, t, b, before, seen);
        if (cell_is_over(run, t, b))
            carry_over(&row);
        else
            cell->forward(&row);
    }
}
