#include "nn/recurrent.h"

#include <string.h>

#include "nn/layer.h"

void recurrent_size(struct recurrent *net, enum cell_kind kind, enum cell_norm norm, size_t input,
                    size_t hidden, size_t layers, size_t directions, bool residual)
{
    *net = (struct recurrent){.layers = layers, .directions = directions, .residual = residual};
    for (size_t l = 0; l < layers; l++)
        for (size_t d = 0; d < directions; d++)
            net->layer[l][d] = (struct cell_layer){.kind = kind,
                                                   .norm = norm,
                                                   .input = l ? directions * hidden : input,
                                                   .hidden = hidden};
}

size_t recurrent_width(const struct recurrent *net)
{
    return net->directions * net->layer[0][0].hidden;
}

/* Of one layer in one direction. */
static size_t state_width(const struct recurrent *net)
{
    return cell_state(net->layer[0][0].kind) * net->layer[0][0].hidden;
}

size_t recurrent_state(const struct recurrent *net)
{
    return net->layers * net->directions * state_width(net);
}

void recurrent_init(const struct recurrent *net, const struct cell_init_settings *settings,
                    struct rng *rng)
{
    for (size_t l = 0; l < net->layers; l++)
        for (size_t d = 0; d < net->directions; d++)
            cell_init(&net->layer[l][d], settings, rng);
}

static bool is_residual(const struct recurrent *net, size_t l)
{
    return net->residual && net->layer[l][0].input == recurrent_width(net);
}

/* The step that a direction takes as its n-th. */
static size_t nth_step(size_t direction, size_t steps, size_t n)
{
    return direction == 0 ? n : steps - 1 - n;
}

/* Training ------------------------------------------------------------------------------------ */

/* Copies a layer's vector `part` (0: h, 1: c) between a sequence's states [B, recurrent_state] and
   rows of H. */
static void take_state(const struct recurrent *net, size_t l, size_t d, size_t part, size_t B,
                       const real *states, real *rows)
{
    const size_t H = net->layer[0][0].hidden, width = recurrent_state(net);
    const size_t at = (l * net->directions + d) * state_width(net) + part * H;
    for (size_t b = 0; b < B; b++)
        memcpy(rows + b * H, states + b * width + at, H * sizeof(real));
}

static void put_state(const struct recurrent *net, size_t l, size_t d, size_t part, size_t B,
                      const real *rows, real *states)
{
    const size_t H = net->layer[0][0].hidden, width = recurrent_state(net);
    const size_t at = (l * net->directions + d) * state_width(net) + part * H;
    for (size_t b = 0; b < B; b++)
        memcpy(states + b * width + at, rows + b * H, H * sizeof(real));
}

static bool has_cell_state(const struct recurrent *net)
{
    return cell_state(net->layer[0][0].kind) > 1;
}

/* The state before the first step, as rows of H. */
static int find_first(const struct recurrent *net, size_t l, size_t d,
                      const struct recurrent_sequence *sequence, struct recurrent_trace *trace,
                      struct arena *arena, struct err *err)
{
    const size_t B = sequence->batch, H = net->layer[0][0].hidden;
    real *rows[2] = {trace->zero, trace->zero};
    for (size_t part = 0; sequence->first && part < cell_state(net->layer[0][0].kind); part++) {
        rows[part] = arena_alloc(arena, B * H, sizeof(real), err);
        if (!rows[part])
            return ERR_MEMORY;
        take_state(net, l, d, part, B, sequence->first, rows[part]);
    }
    trace->first[l][d] = (struct cell_before){rows[0], rows[1]};
    return 0;
}

/* The state before the n-th step of a direction. */
static struct cell_before before_step(const struct recurrent_trace *trace, size_t l, size_t d,
                                      size_t n)
{
    const struct cell_run *run = &trace->run[l][d];
    if (n == 0)
        return trace->first[l][d];
    const size_t at = nth_step(d, run->steps, n - 1) * run->batch * run->layer->hidden;
    return (struct cell_before){run->h + at, run->c ? run->c + at : NULL};
}

static int make_state_mask(struct cell_run *run, double rate, struct rng *rng, struct arena *arena,
                           struct err *err)
{
    const size_t count = run->batch * run->layer->hidden;
    if (rate <= 0)
        return 0;
    real *ones = arena_alloc(arena, count, sizeof(real), err);
    real *mask = arena_alloc(arena, count, sizeof(real), err);
    if (!ones || !mask)
        return ERR_MEMORY;
    dropout_forward(count, rate, rng, ones, mask);
    run->state_mask = mask;
    return 0;
}

static int direction_forward(const struct recurrent *net, size_t l, size_t d,
                             const struct recurrent_sequence *sequence, struct rng *rng,
                             struct recurrent_trace *trace, struct arena *arena, struct err *err)
{
    const struct cell_layer *layer = &net->layer[l][d];
    struct cell_run *run = &trace->run[l][d];
    *run = (struct cell_run){.layer = layer,
                             .steps = sequence->steps,
                             .batch = sequence->batch,
                             .lengths = sequence->lengths};
    if (make_state_mask(run, sequence->dropout_state, rng, arena, err) ||
        cell_run_begin(run, arena, err) || find_first(net, l, d, sequence, trace, arena, err))
        return ERR_MEMORY;
    cell_run_input(run, 0, run->steps, mat_of(trace->input[l], layer->input));
    for (size_t n = 0; n < run->steps; n++)
        cell_run_step(run, nth_step(d, run->steps, n), before_step(trace, l, d, n));
    return 0;
}

/* The states of both directions side by side, plus the layer's input before its dropout: [T, B,
   width]. What is already there in that form is not copied. */
static real *join_directions(const struct recurrent *net, size_t l,
                             const struct recurrent_sequence *sequence,
                             const struct recurrent_trace *trace, const real *below,
                             struct arena *arena, struct err *err)
{
    const size_t rows = sequence->steps * sequence->batch, H = net->layer[0][0].hidden;
    const size_t width = recurrent_width(net);
    if (net->directions == 1 && !is_residual(net, l))
        return trace->run[l][0].h;
    real *joined = arena_alloc(arena, rows * width, sizeof(real), err);
    if (!joined)
        return NULL;
    for (size_t d = 0; d < net->directions; d++)
        for (size_t row = 0; row < rows; row++)
            memcpy(joined + row * width + d * H, trace->run[l][d].h + row * H, H * sizeof(real));
    if (is_residual(net, l))
        mat_add_scaled(rows * width, 1, below, joined);
    return joined;
}

/* The layer's input: what is below it, after dropout. */
static int enter_layer(const struct recurrent *net, size_t l,
                       const struct recurrent_sequence *sequence, struct rng *rng,
                       const real *below, struct recurrent_trace *trace, struct arena *arena,
                       struct err *err)
{
    const size_t count = sequence->steps * sequence->batch * net->layer[l][0].input;
    trace->input[l] = (real *)(uintptr_t)below;
    trace->input_mask[l] = NULL;
    if (l == 0 || sequence->dropout_layer <= 0)
        return 0;
    trace->input[l] = arena_alloc(arena, count, sizeof(real), err);
    trace->input_mask[l] = arena_alloc(arena, count, sizeof(real), err);
    if (!trace->input[l] || !trace->input_mask[l])
        return ERR_MEMORY;
    memcpy(trace->input[l], below, count * sizeof(real));
    dropout_forward(count, sequence->dropout_layer, rng, trace->input[l], trace->input_mask[l]);
    return 0;
}

static void collect_last(const struct recurrent *net, const struct recurrent_sequence *sequence,
                         struct recurrent_trace *trace)
{
    const size_t T = sequence->steps, B = sequence->batch;
    for (size_t l = 0; l < net->layers; l++)
        for (size_t d = 0; d < net->directions; d++) {
            const struct cell_before after = before_step(trace, l, d, T);
            put_state(net, l, d, 0, B, after.h, trace->last);
            if (has_cell_state(net))
                put_state(net, l, d, 1, B, after.c, trace->last);
        }
}

int recurrent_forward(const struct recurrent *net, const struct recurrent_sequence *sequence,
                      struct rng *rng, struct recurrent_trace *trace, struct arena *arena,
                      struct err *err)
{
    const size_t B = sequence->batch;
    const real *below = sequence->x;
    trace->last = arena_alloc(arena, B * recurrent_state(net), sizeof(real), err);
    trace->zero = arena_alloc(arena, B * net->layer[0][0].hidden, sizeof(real), err);
    if (!trace->last || !trace->zero)
        return ERR_MEMORY;
    for (size_t l = 0; l < net->layers; l++) {
        if (enter_layer(net, l, sequence, rng, below, trace, arena, err))
            return ERR_MEMORY;
        for (size_t d = 0; d < net->directions; d++)
            if (direction_forward(net, l, d, sequence, rng, trace, arena, err))
                return ERR_MEMORY;
        trace->output = join_directions(net, l, sequence, trace, below, arena, err);
        if (!trace->output)
            return ERR_MEMORY;
        below = trace->output;
    }
    collect_last(net, sequence, trace);
    return 0;
}

struct backward { /* what the backward pass carries about */
    const struct recurrent *net, *g;
    const struct recurrent_sequence *sequence;
    const struct recurrent_trace *trace;
    const real *d_last;
    real *d_first;
    real *d_h, *d_c; /* [B, H] */
};

static void add_columns(size_t rows, size_t columns, const real *x, size_t stride, real *sum)
{
    for (size_t row = 0; row < rows; row++)
        mat_add_scaled(columns, 1, x + row * stride, sum + row * columns);
}

/* One direction of a layer: d_output [T, B, width] is the gradient by what the layer gives; d_x
   that by its input, plus keep * d_x. */
static int direction_backward(const struct backward *pass, size_t l, size_t d, const real *d_output,
                              real *d_x, real keep, struct arena *arena, struct err *err)
{
    const struct recurrent *net = pass->net;
    struct cell_run run = pass->trace->run[l][d];
    const size_t T = run.steps, B = run.batch, H = run.layer->hidden, I = run.layer->input;
    const size_t width = recurrent_width(net);
    memset(pass->d_h, 0, B * H * sizeof(real));
    memset(pass->d_c, 0, B * H * sizeof(real));
    if (pass->d_last)
        take_state(net, l, d, 0, B, pass->d_last, pass->d_h);
    if (pass->d_last && has_cell_state(net))
        take_state(net, l, d, 1, B, pass->d_last, pass->d_c);
    if (cell_run_begin_back(&run, arena, err))
        return ERR_MEMORY;
    for (size_t n = T; n-- > 0;) {
        const size_t t = nth_step(d, T, n);
        add_columns(B, H, d_output + t * B * width + d * H, width, pass->d_h);
        cell_run_step_back(&run, t, before_step(pass->trace, l, d, n), pass->d_h, pass->d_c);
    }
    if (d_x)
        cell_run_input_back(&run, 0, T, keep, mat_of(d_x, I));
    cell_run_end_back(&run, &pass->g->layer[l][d].w, mat_of(pass->trace->input[l], I));
    if (pass->d_first)
        put_state(net, l, d, 0, B, pass->d_h, pass->d_first);
    if (pass->d_first && has_cell_state(net))
        put_state(net, l, d, 1, B, pass->d_c, pass->d_first);
    return 0;
}

/* A layer: d_output as above; d_x the gradient by what is below it, plus keep * d_x. */
static int layer_backward(const struct backward *pass, size_t l, const real *d_output, real *d_x,
                          real keep, struct arena *arena, struct err *err)
{
    const struct recurrent *net = pass->net;
    const size_t count = pass->sequence->steps * pass->sequence->batch * net->layer[l][0].input;
    for (size_t d = 0; d < net->directions; d++)
        if (direction_backward(pass, l, d, d_output, d_x, d ? 1 : keep, arena, err))
            return ERR_MEMORY;
    /* input = below * mask */
    if (d_x && pass->trace->input_mask[l])
        dropout_backward(count, pass->sequence->dropout_layer, pass->trace->input_mask[l], d_x);
    /* output = h + below */
    if (d_x && is_residual(net, l))
        mat_add_scaled(count, 1, d_output, d_x);
    return 0;
}

int recurrent_backward(const struct recurrent *net, const struct recurrent *g,
                       const struct recurrent_sequence *sequence,
                       const struct recurrent_trace *trace, real *d_output, const real *d_last,
                       real *d_x, real keep_x, real *d_first, struct arena *arena, struct err *err)
{
    const size_t count = sequence->batch * net->layer[0][0].hidden;
    struct backward pass = {net, g, sequence, trace, d_last, d_first, NULL, NULL};
    pass.d_h = arena_alloc(arena, count, sizeof(real), err);
    pass.d_c = arena_alloc(arena, count, sizeof(real), err);
    if (!pass.d_h || !pass.d_c)
        return ERR_MEMORY;
    for (size_t l = net->layers; l-- > 1;) {
        real *d_below = arena_alloc(
            arena, sequence->steps * sequence->batch * net->layer[l][0].input, sizeof(real), err);
        if (!d_below || layer_backward(&pass, l, d_output, d_below, 0, arena, err))
            return ERR_MEMORY;
        d_output = d_below;
    }
    return layer_backward(&pass, 0, d_output, d_x, keep_x, arena, err);
}

/* Inference ----------------------------------------------------------------------------------- */

struct encode_scratch { /* parts of the caller's scratch */
    real *products;     /* [rows, G H] */
    real *gathered;     /* [count, G H]: of one step; of one sentence it is not needed */
    real *state;        /* [count] */
    real *step;         /* [count, cell_scratch] */
    real *between[2];   /* [rows, width]: outputs of the layers below the last, in turn */
};

struct encode { /* what runs */
    const struct recurrent *net;
    const struct recurrent_item *items;
    size_t count, rows; /* sentences; steps of all of them */
    struct encode_scratch scratch;
    const struct recurrent_watch *watch; /* of a single sentence, or NULL */
};

static size_t divide_scratch(const struct recurrent *net, size_t rows, size_t count, real *scratch,
                             struct encode_scratch *parts)
{
    const struct cell_layer *layer = &net->layer[0][0];
    const size_t gates = cell_stride(cell_gates(layer->kind) * layer->hidden);
    const size_t between = net->layers > 1 ? rows * cell_stride(recurrent_width(net)) : 0;
    const size_t sizes[] = {rows * gates,
                            count > 1 ? count * gates : 0,
                            count * cell_stride(state_width(net)),
                            count * cell_scratch(layer),
                            between,
                            net->layers > 2 ? between : 0};
    real **const slots[] = {&parts->products, &parts->gathered,   &parts->state,
                            &parts->step,     &parts->between[0], &parts->between[1]};
    size_t used = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        *slots[i] = scratch ? scratch + used : NULL;
        used += sizes[i];
    }
    return used;
}

size_t recurrent_scratch_many(const struct recurrent *net, size_t steps, size_t count)
{
    struct encode_scratch parts;
    return divide_scratch(net, steps, count, NULL, &parts);
}

size_t recurrent_scratch(const struct recurrent *net, size_t steps)
{
    return recurrent_scratch_many(net, steps, 1);
}

/* Where layer l writes the rows of item b, which are from `at` on among those of all. */
static real *output_of(const struct encode *run, size_t l, size_t b, size_t at)
{
    if (l + 1 == run->net->layers)
        return run->items[b].output;
    return run->scratch.between[l % 2] + at * cell_stride(recurrent_width(run->net));
}

/* The products of the first `live` sentences at their n-th step, as rows one after the other. */
static real *gather_products(const struct encode *run, size_t d, size_t n, size_t live)
{
    const struct cell_layer *layer = &run->net->layer[0][0];
    const size_t stride = cell_stride(cell_gates(layer->kind) * layer->hidden);
    if (live == 1)
        return run->scratch.products + nth_step(d, run->items[0].steps, n) * stride;
    for (size_t b = 0, at = 0; b < live; at += run->items[b++].steps)
        memcpy(run->scratch.gathered + b * stride,
               run->scratch.products + (at + nth_step(d, run->items[b].steps, n)) * stride,
               stride * sizeof(real));
    return run->scratch.gathered;
}

static void begin_states(const struct encode *run, size_t at)
{
    const size_t width = state_width(run->net), stride = cell_stride(width);
    for (size_t b = 0; b < run->count; b++) {
        real *state = run->scratch.state + b * stride;
        if (run->items[b].first)
            memcpy(state, run->items[b].first + at, width * sizeof(real));
        else
            memset(state, 0, width * sizeof(real));
    }
}

static void encode_direction(const struct encode *run, size_t l, size_t d, const real *x)
{
    const struct recurrent *net = run->net;
    const struct cell_layer *layer = &net->layer[l][d];
    const size_t H = layer->hidden, width = state_width(net), stride = cell_stride(width);
    const size_t first = (l * net->directions + d) * width;
    size_t live = run->count;
    cell_input(layer, run->rows, x, cell_stride(layer->input), run->scratch.products);
    begin_states(run, first);
    for (size_t n = 0; n < run->items[0].steps; n++) {
        while (run->items[live - 1].steps <= n)
            live--;
        real *products = gather_products(run, d, n, live);
        cell_step(layer, live, products, run->scratch.state, stride, run->scratch.step);
        for (size_t b = 0, at = 0; b < live; at += run->items[b++].steps)
            memcpy(output_of(run, l, b, at) +
                       nth_step(d, run->items[b].steps, n) * cell_stride(recurrent_width(net)) +
                       d * H,
                   run->scratch.state + b * stride, H * sizeof(real));
        if (run->watch)
            run->watch->step(run->watch->context, l, d, nth_step(d, run->rows, n), products,
                             run->scratch.state);
    }
    for (size_t b = 0; b < run->count; b++)
        memcpy(run->items[b].last + first, run->scratch.state + b * stride, width * sizeof(real));
}

static void add_residual(const struct encode *run, size_t l, const real *x)
{
    const size_t width = recurrent_width(run->net), stride = cell_stride(width);
    for (size_t b = 0, at = 0; b < run->count; at += run->items[b++].steps)
        for (size_t t = 0; t < run->items[b].steps; t++)
            mat_add_scaled(width, 1, x + (at + t) * stride, output_of(run, l, b, at) + t * stride);
}

static void encode_layers(const struct encode *run, const real *x)
{
    const struct recurrent *net = run->net;
    for (size_t l = 0; l < net->layers; l++) {
        for (size_t d = 0; d < net->directions; d++)
            encode_direction(run, l, d, x);
        if (is_residual(net, l))
            add_residual(run, l, x);
        x = run->scratch.between[l % 2];
    }
}

void recurrent_encode_many(const struct recurrent *net, const struct recurrent_item *items,
                           size_t count, const real *x, real *scratch)
{
    struct encode run = {.net = net, .items = items, .count = count};
    for (size_t b = 0; b < count; b++)
        run.rows += items[b].steps;
    divide_scratch(net, run.rows, count, scratch, &run.scratch);
    encode_layers(&run, x);
}

void recurrent_encode_watched(const struct recurrent *net, size_t steps, const real *x,
                              const real *first, real *output, real *last, real *scratch,
                              const struct recurrent_watch *watch)
{
    const struct recurrent_item item = {
        .steps = steps, .first = first, .output = output, .last = last};
    struct encode run = {.net = net, .items = &item, .count = 1, .rows = steps, .watch = watch};
    divide_scratch(net, steps, 1, scratch, &run.scratch);
    encode_layers(&run, x);
}

void recurrent_encode(const struct recurrent *net, size_t steps, const real *x, const real *first,
                      real *output, real *last, real *scratch)
{
    recurrent_encode_watched(net, steps, x, first, output, last, scratch, NULL);
}
