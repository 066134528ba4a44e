/*
 * The backward pass of a recurrent layer. What the gates became is overwritten by the gradient of
 * what the input contributes; the gradient of the state's products has a place of its own where it
 * differs.
 */
#include <string.h>

#include "nn/cell_parts.h"

static bool reserve_sums(struct arena *arena, size_t width, struct cell_normal *normal,
                         struct err *err)
{
    normal->d_gain = arena_alloc(arena, width, sizeof(real), err);
    normal->d_output = arena_alloc(arena, width, sizeof(real), err);
    return normal->d_gain && normal->d_output;
}

/* Without normalisation the two gradients of a cell with same_gradient are one. */
static bool has_one_gradient(const struct cell_layer *layer)
{
    return cell_definition(layer->kind)->same_gradient && layer->norm == CELL_NORM_NONE;
}

int cell_run_begin_back(struct cell_run *run, struct arena *arena, struct err *err)
{
    const struct cell_layer *layer = run->layer;
    const struct cell_definition *cell = cell_definition(layer->kind);
    const size_t T = run->steps, B = run->batch, H = layer->hidden;
    struct cell_trace *trace = run->trace;
    trace->before = arena_alloc(arena, T, sizeof *trace->before, err);
    trace->d_operand = arena_alloc(arena, B * H, sizeof(real), err);
    trace->d_seen = arena_alloc(arena, B * H, sizeof(real), err);
    trace->d_peephole = arena_alloc(arena, 3 * H, sizeof(real), err);
    trace->d_products = has_one_gradient(layer)
                            ? run->products
                            : arena_alloc(arena, T * B * cell->products * H, sizeof(real), err);
    if (!trace->before || !trace->d_operand || !trace->d_seen || !trace->d_peephole ||
        !trace->d_products)
        return ERR_MEMORY;
    if (layer->norm != CELL_NORM_NONE &&
        (!reserve_sums(arena, cell->inputs * H, &trace->input, err) ||
         !reserve_sums(arena, cell->products * H, &trace->state, err)))
        return ERR_MEMORY;
    return cell_pack(run, MAT_NN, trace->packed_back, &trace->packed_input_back, arena, err);
}

static struct cell_row_back row_of(const struct cell_run *run, size_t t, size_t b,
                                   struct cell_before before)
{
    const struct cell_definition *cell = cell_definition(run->layer->kind);
    const struct cell_trace *trace = run->trace;
    const size_t H = run->layer->hidden, row = t * run->batch + b;
    return (struct cell_row_back){
        .hidden = H,
        .peephole = run->layer->w.peephole,
        .gates = run->products + row * cell->gates * H,
        .d_products = trace->d_products + row * cell->products * H,
        .seen = trace->before[t] + b * H,
        .h = before.h + b * H,
        .c = run->c ? before.c + b * H : NULL,
        .next_c = run->c ? run->c + row * H : NULL,
        .kept = cell->kept ? trace->kept + row * cell->kept * H : NULL,
        .d_peephole = trace->d_peephole,
        .d_operand = trace->d_operand + b * H,
    };
}

/* From dL/d state after the step to the gradients of the gates. A sentence that is over has none:
   its state was carried over. */
static void gates_back(struct cell_run *run, size_t t, struct cell_before before, real *d_h,
                       real *d_c)
{
    const struct cell_definition *cell = cell_definition(run->layer->kind);
    const size_t H = run->layer->hidden;
    for (size_t b = 0; b < run->batch; b++) {
        struct cell_row_back row = row_of(run, t, b, before);
        row.d_h = d_h + b * H;
        row.d_c = run->c ? d_c + b * H : NULL;
        if (cell_is_over(run, t, b)) {
            memset(row.gates, 0, cell->gates * H * sizeof(real));
            memset(row.d_products, 0, cell->products * H * sizeof(real));
        } else {
            cell->backward(&row);
        }
    }
}

/* d_products of the stage's gates = those of the input, where they are the same but for the
   normalisation that is still to come. */
static void copy_gradient(struct cell_run *run, size_t t, const struct cell_stage *stage)
{
    const struct cell_definition *cell = cell_definition(run->layer->kind);
    const size_t B = run->batch, H = run->layer->hidden, width = cell->gates * H;
    for (size_t row = t * B; row < (t + 1) * B; row++)
        memcpy(run->trace->d_products + row * width + stage->first * H,
               run->products + row * width + stage->first * H, stage->count * H * sizeof(real));
}

/* d_seen [B, H] += gradient by what the products saw, through one stage. */
static void stage_back(struct cell_run *run, size_t t, size_t s, struct cell_before before,
                       real *d_seen)
{
    const struct cell_layer *layer = run->layer;
    const struct cell_definition *cell = cell_definition(layer->kind);
    const struct cell_side side = cell_state_side(layer, &layer->w);
    const struct cell_stage *stage = &cell->stages[s];
    const size_t B = run->batch, H = layer->hidden, width = cell->products * H;
    real *d = run->trace->d_products + t * B * width;
    real *d_operand = stage->operand ? run->trace->d_operand : d_seen;
    if (cell->same_gradient && !has_one_gradient(layer))
        copy_gradient(run, t, stage);
    cell_finish_back(&side, stage->first, stage->count, B, mat_of(d, width), &run->trace->state,
                     t * B);
    /* products = operand U^T */
    mat_multiply_packed(B, H, stage->count * H, mat_of(d + stage->first * H, width),
                        run->trace->packed_back[s], stage->operand ? 0 : 1, mat_of(d_operand, H));
    for (size_t b = 0; stage->operand && b < B; b++) {
        struct cell_row_back row = row_of(run, t, b, before);
        row.operand = run->trace->operand[s] + (t * B + b) * H;
        row.d_seen = d_seen + b * H;
        if (!cell_is_over(run, t, b))
            stage->operand_back(&row);
    }
}

void cell_run_step_back(struct cell_run *run, size_t t, struct cell_before before, real *d_h,
                        real *d_c)
{
    const struct cell_layer *layer = run->layer;
    const struct cell_definition *cell = cell_definition(layer->kind);
    const struct cell_side side = cell_input_side(layer, &layer->w);
    struct cell_trace *trace = run->trace;
    const size_t B = run->batch, H = layer->hidden, width = cell->gates * H;
    real *d_seen = run->state_mask ? trace->d_seen : d_h;
    trace->before[t] = run->state_mask ? trace->seen + t * B * H : before.h;
    gates_back(run, t, before, d_h, d_c);
    if (run->state_mask)
        memset(d_seen, 0, B * H * sizeof(real));
    size_t stages = 0;
    while (cell->stages[stages].count)
        stages++;
    while (stages-- > 0)
        stage_back(run, t, stages, before, d_seen);
    /* seen = h * mask */
    for (size_t i = 0; run->state_mask && i < B * H; i++)
        d_h[i] += d_seen[i] * run->state_mask[i];
    cell_finish_back(&side, 0, cell->inputs, B,
                     mat_of(run->products + t * B * width + cell->first_input * H, width),
                     &trace->input, t * B);
}

void cell_run_input_back(struct cell_run *run, size_t t, size_t count, real keep, struct mat d_x)
{
    const struct cell_layer *layer = run->layer;
    const struct cell_definition *cell = cell_definition(layer->kind);
    const size_t I = layer->input, H = layer->hidden, rows = count * run->batch;
    const size_t width = cell->gates * H, bare = cell_bare_gate(cell);
    const real *d = run->products + t * run->batch * width;
    /* products = x W^T */
    const struct mat d_products = mat_of(d + cell->first_input * H, width);
    if (run->trace->packed_input_back)
        mat_multiply_packed(rows, I, cell->inputs * H, d_products, run->trace->packed_input_back,
                            keep, d_x);
    else
        mat_multiply(MAT_NN, rows, I, cell->inputs * H, d_products, mat_of(layer->w.weight_ih, I),
                     keep, d_x);
    if (bare == cell->gates)
        return;
    if (layer->w.projection)
        mat_multiply(MAT_NN, rows, I, H, mat_of(d + bare * H, width),
                     mat_of(layer->w.projection, I), 1, d_x);
    else
        for (size_t row = 0; row < rows; row++)
            mat_add_scaled(H, 1, d + row * width + bare * H, d_x.data + row * d_x.stride);
}

/* dL/dU of one stage: operands of successive steps that lie one behind the other go into one
   product. */
static void weight_hh_gradient(const struct cell_run *run, size_t s, real *g)
{
    const struct cell_definition *cell = cell_definition(run->layer->kind);
    const struct cell_stage *stage = &cell->stages[s];
    const struct cell_trace *trace = run->trace;
    const size_t T = run->steps, B = run->batch, H = run->layer->hidden;
    const size_t width = cell->products * H;
    for (size_t t = 0, end; t < T; t = end) {
        const real *operand = stage->operand ? trace->operand[s] : trace->before[t];
        end = stage->operand ? T : t + 1;
        while (end < T && trace->before[end] == operand + (end - t) * B * H)
            end++;
        mat_multiply(MAT_TN, stage->count * H, H, (end - t) * B,
                     mat_of(trace->d_products + t * B * width + stage->first * H, width),
                     mat_of(operand, H), 1, mat_of(g + stage->first * H * H, H));
    }
}

void cell_run_end_back(struct cell_run *run, const struct cell_weights *g, struct mat x)
{
    const struct cell_layer *layer = run->layer;
    const struct cell_definition *cell = cell_definition(layer->kind);
    const struct cell_trace *trace = run->trace;
    const size_t I = layer->input, H = layer->hidden, rows = run->steps * run->batch;
    const size_t width = cell->gates * H;
    const struct cell_side input = cell_input_side(layer, g), state = cell_state_side(layer, g);
    const struct mat d = mat_of(run->products + cell->first_input * H, width);
    mat_multiply(MAT_TN, cell->inputs * H, I, rows, d, x, 1, mat_of(g->weight_ih, I));
    cell_finish_end(&input, rows, d, &trace->input);
    for (size_t s = 0; cell->stages[s].count; s++)
        weight_hh_gradient(run, s, g->weight_hh);
    cell_finish_end(&state, rows, mat_of(trace->d_products, cell->products * H), &trace->state);
    if (g->projection)
        mat_multiply(MAT_TN, H, I, rows, mat_of(run->products + cell_bare_gate(cell) * H, width), x,
                     1, mat_of(g->projection, I));
    if (g->peephole)
        mat_add_scaled(3 * H, 1, trace->d_peephole, g->peephole);
}
