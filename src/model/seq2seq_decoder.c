/*
 * The three decoders in training, from the embedded target to the output vectors, and back.
 *
 * A plain decoder runs its layers over the whole target and then attends with all states at once.
 * The conditional one goes step by step through its pair of cells, then runs its other layers over
 * their states; the input-feeding one goes step by step through everything.
 */
#include <string.h>

#include "model/seq2seq_parts.h"
#include "nn/layer.h"

/* Parts of one time step, or of [T, B, width] from step t on. */
static struct mat steps_of(const struct seq2seq_pass *pass, const real *data, size_t t,
                           size_t width)
{
    return mat_of(data + t * pass->batch->batch * width, width);
}

static int begin_attention(struct seq2seq_pass *pass, struct err *err)
{
    const struct seq2seq_batch *batch = pass->batch;
    if (!pass->model->attends)
        return 0;
    pass->contexts =
        seq2seq_reals(pass, batch->target_steps * batch->batch * pass->model->memory, err);
    if (!pass->contexts)
        return ERR_MEMORY;
    pass->attention = (struct attention_run){
        .attention = &pass->model->attention,
        .memory_steps = batch->source_steps,
        .query_steps = batch->target_steps,
        .batch = batch->batch,
        .lengths = batch->source_lengths,
        .memory = pass->memory,
    };
    return attention_begin(&pass->attention, pass->arena, err);
}

static void attend(struct seq2seq_pass *pass, size_t t, size_t count, const real *queries)
{
    if (pass->model->attends)
        attention_steps(&pass->attention, t, count, steps_of(pass, queries, t, pass->model->hidden),
                        steps_of(pass, pass->contexts, t, pass->model->memory));
}

static void attend_back(struct seq2seq_pass *pass, size_t t, size_t count, const real *queries,
                        struct mat d_queries)
{
    if (pass->model->attends)
        attention_steps_back(
            &pass->attention, t, count, steps_of(pass, queries, t, pass->model->hidden),
            steps_of(pass, pass->d_contexts, t, pass->model->memory), d_queries, pass->d_memory);
}

static void end_attention(struct seq2seq_pass *pass, const real *queries)
{
    if (pass->model->attends)
        attention_end_back(&pass->attention, &pass->gradients->attention.w,
                           mat_of(queries, pass->model->hidden), pass->d_memory);
}

/* Output vector: o = tanh(Wc [c; s; y] + bc), in parts ----------------------------------------- */

struct part {
    size_t column, width;
    real *x, *d_x; /* [T, B, width] */
};

static size_t combine_parts(const struct seq2seq_pass *pass, struct part parts[3])
{
    const struct seq2seq *model = pass->model;
    size_t count = 0, column = 0;
    if (model->attends) {
        parts[count++] = (struct part){column, model->memory, pass->contexts, pass->d_contexts};
        column += model->memory;
    }
    parts[count++] = (struct part){column, model->hidden, pass->states, pass->d_states};
    column += model->hidden;
    if (model->deep)
        parts[count++] = (struct part){column, model->embedding, pass->target, pass->d_target};
    return count;
}

static struct linear combine_layer(const struct seq2seq *model, const struct part *part)
{
    return (struct linear){.w = mat_of(model->combine_weight + part->column, model->combined),
                           .bias = part->column == 0 ? model->combine_bias : NULL};
}

/* `count` steps from t. */
static void combine_forward(struct seq2seq_pass *pass, size_t t, size_t count)
{
    const size_t rows = count * pass->batch->batch, E = pass->model->embedding;
    const struct mat combined = steps_of(pass, pass->combined, t, E);
    struct part parts[3];
    const size_t part_count = combine_parts(pass, parts);
    for (size_t i = 0; i < part_count; i++) {
        const struct linear layer = combine_layer(pass->model, &parts[i]);
        linear_forward(rows, E, parts[i].width, steps_of(pass, parts[i].x, t, parts[i].width),
                       &layer, i > 0, combined);
    }
    tanh_forward(rows * E, combined.data);
}

/* Turns d_output, the gradient by o, into that by the tanh's input, and adds to those by the parts.
 */
static void combine_backward(struct seq2seq_pass *pass, size_t t, size_t count)
{
    const size_t rows = count * pass->batch->batch, E = pass->model->embedding;
    const struct mat d_output = steps_of(pass, pass->d_output, t, E);
    struct part parts[3];
    const size_t part_count = combine_parts(pass, parts);
    tanh_backward(rows * E, steps_of(pass, pass->combined, t, E).data, d_output.data);
    for (size_t i = 0; i < part_count; i++) {
        const struct linear layer = combine_layer(pass->model, &parts[i]);
        const struct linear gradient = combine_layer(pass->gradients, &parts[i]);
        linear_backward(rows, E, parts[i].width, steps_of(pass, parts[i].x, t, parts[i].width),
                        &layer, &gradient, d_output, 1,
                        steps_of(pass, parts[i].d_x, t, parts[i].width));
    }
}

/* First states --------------------------------------------------------------------------------- */

/* Columns [column, column + width) of [B, N] into rows of their own: to [B, width]. */
static void take_columns(size_t rows, const real *from, size_t stride, size_t column, size_t width,
                         real *to)
{
    for (size_t r = 0; r < rows; r++)
        memcpy(to + r * width, from + r * stride + column, width * sizeof(real));
}

static void put_columns(size_t rows, const real *from, size_t width, real *to, size_t stride,
                        size_t column)
{
    for (size_t r = 0; r < rows; r++)
        memcpy(to + r * stride + column, from + r * width, width * sizeof(real));
}

static int new_state(const struct seq2seq_pass *pass, struct seq2seq_state *state, struct err *err)
{
    const size_t count = pass->batch->batch * pass->model->hidden;
    const enum cell_kind kind = pass->model->kind == SPEC_DECODER_CONDITIONAL
                                    ? pass->model->query_cell.kind
                                    : pass->model->decoder.layer[0][0].kind;
    *state = (struct seq2seq_state){.h = seq2seq_reals(pass, count, err)};
    if (state->h && cell_state(kind) == 2)
        state->c = seq2seq_reals(pass, count, err);
    return state->h && (cell_state(kind) == 1 || state->c) ? 0 : ERR_MEMORY;
}

static int take_state(struct seq2seq_pass *pass, size_t column, struct seq2seq_state *state,
                      struct err *err)
{
    const size_t B = pass->batch->batch, H = pass->model->hidden, N = pass->model->first;
    if (new_state(pass, state, err))
        return ERR_MEMORY;
    take_columns(B, pass->first, N, column, H, state->h);
    if (state->c)
        take_columns(B, pass->first, N, column + H, H, state->c);
    return 0;
}

static void put_state(struct seq2seq_pass *pass, size_t column, const struct seq2seq_state *d)
{
    const size_t B = pass->batch->batch, H = pass->model->hidden, N = pass->model->first;
    put_columns(B, d->h, H, pass->d_first, N, column);
    if (d->c)
        put_columns(B, d->c, H, pass->d_first, N, column + H);
}

/* The state after step t - 1 of a run that begins with `begin`. */
static struct cell_before before_of(const struct seq2seq_pass *pass, const struct cell_run *run,
                                    const struct seq2seq_state *begin, size_t t)
{
    const size_t step = pass->batch->batch * pass->model->hidden;
    if (t == 0)
        return (struct cell_before){begin->h, begin->c};
    return (struct cell_before){run->h + (t - 1) * step, run->c ? run->c + (t - 1) * step : NULL};
}

static int begin_run(struct seq2seq_pass *pass, struct cell_run *run,
                     const struct cell_layer *layer, bool stepwise, struct err *err)
{
    const size_t count = pass->batch->batch * layer->hidden;
    const double rate = pass->training->dropout_state;
    *run = (struct cell_run){.layer = layer,
                             .steps = pass->batch->target_steps,
                             .batch = pass->batch->batch,
                             .lengths = pass->batch->target_lengths,
                             .stepwise = stepwise};
    if (rate > 0) {
        real *mask = seq2seq_reals(pass, count, err);
        if (!mask)
            return ERR_MEMORY;
        for (size_t i = 0; i < count; i++)
            mask[i] = 1;
        dropout_forward(count, rate, pass->rng, mask, mask);
        run->state_mask = mask;
    }
    return cell_run_begin(run, pass->arena, err);
}

/* The decoder's layers over a whole sequence: plain, and conditional's upper ones -------------- */

static int layers_forward(struct seq2seq_pass *pass, const real *x, struct err *err)
{
    const struct recurrent *net = &pass->model->decoder;
    const size_t B = pass->batch->batch, state = recurrent_state(net);
    pass->decoder_first = seq2seq_reals(pass, B * state, err);
    if (!pass->decoder_first)
        return ERR_MEMORY;
    take_columns(B, pass->first, pass->model->first, pass->model->first - state, state,
                 pass->decoder_first);
    pass->target_sequence = (struct recurrent_sequence){
        .steps = pass->batch->target_steps,
        .batch = B,
        .lengths = pass->batch->target_lengths,
        .x = x,
        .first = pass->decoder_first,
        .dropout_layer = pass->training->dropout_layer,
        .dropout_state = pass->training->dropout_state,
    };
    if (recurrent_forward(net, &pass->target_sequence, pass->rng, &pass->decoder, pass->arena, err))
        return err->code;
    pass->states = pass->decoder.output;
    return 0;
}

static int layers_backward(struct seq2seq_pass *pass, real *d_x, real keep, struct err *err)
{
    const struct recurrent *net = &pass->model->decoder;
    const size_t B = pass->batch->batch, state = recurrent_state(net);
    real *d_first = seq2seq_reals(pass, B * state, err);
    if (!d_first ||
        recurrent_backward(net, &pass->gradients->decoder, &pass->target_sequence, &pass->decoder,
                           pass->d_states, NULL, d_x, keep, d_first, pass->arena, err))
        return err->code;
    put_columns(B, d_first, state, pass->d_first, pass->model->first, pass->model->first - state);
    return 0;
}

/* Plain ---------------------------------------------------------------------------------------- */

static int plain_forward(struct seq2seq_pass *pass, struct err *err)
{
    if (layers_forward(pass, pass->target, err) || begin_attention(pass, err))
        return err->code;
    attend(pass, 0, pass->batch->target_steps, pass->states);
    combine_forward(pass, 0, pass->batch->target_steps);
    return 0;
}

static int plain_backward(struct seq2seq_pass *pass, struct err *err)
{
    const size_t T = pass->batch->target_steps;
    combine_backward(pass, 0, T);
    attend_back(pass, 0, T, pass->states, mat_of(pass->d_states, pass->model->hidden));
    end_attention(pass, pass->states);
    return layers_backward(pass, pass->d_target, pass->model->deep, err);
}

/* Conditional ---------------------------------------------------------------------------------- */

/* The layers above the pair, over all its states, with dropout between as between any layers. */
static int above_forward(struct seq2seq_pass *pass, struct err *err)
{
    const size_t count = pass->batch->target_steps * pass->batch->batch * pass->model->hidden;
    pass->above = pass->context.h;
    if (pass->training->dropout_layer > 0) {
        pass->above = seq2seq_reals(pass, count, err);
        pass->above_mask = seq2seq_reals(pass, count, err);
        if (!pass->above || !pass->above_mask)
            return ERR_MEMORY;
        memcpy(pass->above, pass->context.h, count * sizeof(real));
        dropout_forward(count, pass->training->dropout_layer, pass->rng, pass->above,
                        pass->above_mask);
    }
    return layers_forward(pass, pass->above, err);
}

/* d_states, by the top layer's states, becomes the gradient by the pair's. */
static int above_backward(struct seq2seq_pass *pass, struct err *err)
{
    const size_t count = pass->batch->target_steps * pass->batch->batch * pass->model->hidden;
    real *d_x = seq2seq_reals(pass, count, err);
    if (!d_x || layers_backward(pass, d_x, 0, err))
        return err->code;
    dropout_backward(count, pass->training->dropout_layer, pass->above_mask, d_x);
    pass->d_states = d_x;
    return 0;
}

static int conditional_forward(struct seq2seq_pass *pass, struct err *err)
{
    const struct seq2seq *model = pass->model;
    const size_t T = pass->batch->target_steps, D = model->memory;
    struct cell_run *query = &pass->query, *context = &pass->context;
    if (begin_attention(pass, err) || take_state(pass, 0, &pass->begin, err) ||
        begin_run(pass, query, &model->query_cell, false, err) ||
        begin_run(pass, context, &model->context_cell, true, err))
        return err->code;
    cell_run_input(query, 0, T, mat_of(pass->target, model->embedding));
    for (size_t t = 0; t < T; t++) {
        cell_run_step(query, t, before_of(pass, context, &pass->begin, t));
        attend(pass, t, 1, query->h);
        cell_run_input(context, t, 1, steps_of(pass, pass->contexts, t, D));
        cell_run_step(context, t, before_of(pass, query, NULL, t + 1));
    }
    pass->states = context->h;
    if (model->decoder.layers > 0 && above_forward(pass, err))
        return err->code;
    combine_forward(pass, 0, T);
    return 0;
}

/* Step t of the chain, back: d holds the gradient by the state after it, then by that before. */
static void conditional_step_back(struct seq2seq_pass *pass, size_t t, struct seq2seq_state *d)
{
    const size_t H = pass->model->hidden, D = pass->model->memory;
    struct cell_run *query = &pass->query, *context = &pass->context;
    mat_add_scaled(pass->batch->batch * H, 1, steps_of(pass, pass->d_states, t, H).data, d->h);
    cell_run_step_back(context, t, before_of(pass, query, NULL, t + 1), d->h, d->c);
    cell_run_input_back(context, t, 1, 1, steps_of(pass, pass->d_contexts, t, D));
    attend_back(pass, t, 1, query->h, mat_of(d->h, H));
    cell_run_step_back(query, t, before_of(pass, context, &pass->begin, t), d->h, d->c);
}

static int conditional_backward(struct seq2seq_pass *pass, struct err *err)
{
    const struct seq2seq *model = pass->model, *g = pass->gradients;
    const size_t T = pass->batch->target_steps, E = model->embedding;
    struct cell_run *query = &pass->query, *context = &pass->context;
    struct seq2seq_state d;
    combine_backward(pass, 0, T);
    if (model->decoder.layers > 0 && above_backward(pass, err))
        return err->code;
    if (new_state(pass, &d, err) || cell_run_begin_back(query, pass->arena, err) ||
        cell_run_begin_back(context, pass->arena, err))
        return err->code;
    for (size_t t = T; t-- > 0;)
        conditional_step_back(pass, t, &d);
    cell_run_input_back(query, 0, T, model->deep, mat_of(pass->d_target, E));
    cell_run_end_back(query, &g->query_cell.w, mat_of(pass->target, E));
    cell_run_end_back(context, &g->context_cell.w, mat_of(pass->contexts, model->memory));
    end_attention(pass, query->h);
    put_state(pass, 0, &d);
    return 0;
}

/* Input feeding -------------------------------------------------------------------------------- */

static bool adds_input(const struct recurrent *net, size_t l)
{
    return net->residual && net->layer[l][0].input == net->layer[l][0].hidden;
}

static int begin_fed(struct seq2seq_pass *pass, struct err *err)
{
    const struct recurrent *net = &pass->model->decoder;
    const size_t B = pass->batch->batch, T = pass->batch->target_steps, H = pass->model->hidden;
    const size_t state = cell_state(net->layer[0][0].kind) * H;
    pass->states = seq2seq_reals(pass, T * B * H, err);
    if (!pass->states || begin_attention(pass, err))
        return ERR_MEMORY;
    for (size_t l = 0; l < net->layers; l++) {
        const size_t count = T * B * net->layer[l][0].input;
        pass->fed_input[l] = seq2seq_reals(pass, count, err);
        pass->fed_mask[l] = seq2seq_reals(pass, count, err);
        if (!pass->fed_input[l] || !pass->fed_mask[l] ||
            take_state(pass, l * state, &pass->fed_begin[l], err) ||
            begin_run(pass, &pass->fed[l], &net->layer[l][0], true, err))
            return err->code;
    }
    return 0;
}

/* Layer l at step t: x = its input; y receives its output. */
static void fed_layer_forward(struct seq2seq_pass *pass, size_t l, size_t t, struct mat x, real *y)
{
    const size_t count = pass->batch->batch * pass->model->hidden;
    struct cell_run *run = &pass->fed[l];
    cell_run_input(run, t, 1, x);
    cell_run_step(run, t, before_of(pass, run, &pass->fed_begin[l], t));
    memcpy(y, run->h + t * count, count * sizeof(real));
    if (adds_input(&pass->model->decoder, l))
        mat_add_scaled(count, 1, x.data, y);
}

static int fed_forward(struct seq2seq_pass *pass, struct err *err)
{
    const struct recurrent *net = &pass->model->decoder;
    const size_t B = pass->batch->batch, E = pass->model->embedding, H = pass->model->hidden;
    if (begin_fed(pass, err))
        return err->code;
    for (size_t t = 0; t < pass->batch->target_steps; t++) {
        struct mat x = steps_of(pass, pass->fed_input[0], t, 2 * E);
        put_columns(B, steps_of(pass, pass->target, t, E).data, E, x.data, 2 * E, 0);
        if (t > 0)
            put_columns(B, steps_of(pass, pass->combined, t - 1, E).data, E, x.data, 2 * E, E);
        for (size_t l = 0; l < net->layers; l++) {
            const bool top = l + 1 == net->layers;
            struct mat y = steps_of(pass, top ? pass->states : pass->fed_input[l + 1], t, H);
            fed_layer_forward(pass, l, t, x, y.data);
            if (!top)
                dropout_forward(B * H, pass->training->dropout_layer, pass->rng, y.data,
                                steps_of(pass, pass->fed_mask[l + 1], t, H).data);
            x = y;
        }
        attend(pass, t, 1, pass->states);
        combine_forward(pass, t, 1);
    }
    return 0;
}

/* d_y, the gradient by the layer's output at step t, to d_x, that by its input. */
static void fed_layer_back(struct seq2seq_pass *pass, size_t l, size_t t, struct seq2seq_state *d,
                           const real *d_y, real *d_x)
{
    const struct cell_layer *layer = &pass->model->decoder.layer[l][0];
    const size_t count = pass->batch->batch * layer->hidden;
    struct cell_run *run = &pass->fed[l];
    const bool added = adds_input(&pass->model->decoder, l);
    mat_add_scaled(count, 1, d_y, d->h);
    cell_run_step_back(run, t, before_of(pass, run, &pass->fed_begin[l], t), d->h, d->c);
    if (added)
        memcpy(d_x, d_y, count * sizeof(real));
    cell_run_input_back(run, t, 1, added, mat_of(d_x, layer->input));
}

/* Step t back through all layers; d_x [layers] are buffers for the gradients by their inputs. */
static void fed_step_back(struct seq2seq_pass *pass, size_t t, struct seq2seq_state *d, real **d_x)
{
    const struct recurrent *net = &pass->model->decoder;
    const size_t B = pass->batch->batch, E = pass->model->embedding, H = pass->model->hidden;
    const real *d_y = steps_of(pass, pass->d_states, t, H).data;
    combine_backward(pass, t, 1);
    attend_back(pass, t, 1, pass->states, steps_of(pass, pass->d_states, t, H));
    for (size_t l = net->layers; l-- > 0;) {
        fed_layer_back(pass, l, t, &d[l], d_y, d_x[l]);
        if (l > 0)
            dropout_backward(B * H, pass->training->dropout_layer,
                             steps_of(pass, pass->fed_mask[l], t, H).data, d_x[l]);
        d_y = d_x[l];
    }
    /* x_t = [y_t; o_t-1] */
    for (size_t b = 0; b < B; b++) {
        const real *row = d_x[0] + b * 2 * E;
        mat_add_scaled(E, 1, row, steps_of(pass, pass->d_target, t, E).data + b * E);
        if (t > 0)
            mat_add_scaled(E, 1, row + E, steps_of(pass, pass->d_output, t - 1, E).data + b * E);
    }
}

static int fed_backward(struct seq2seq_pass *pass, struct err *err)
{
    const struct recurrent *net = &pass->model->decoder;
    const size_t B = pass->batch->batch, H = pass->model->hidden;
    const size_t state = cell_state(net->layer[0][0].kind) * H;
    struct seq2seq_state d[RECURRENT_MAX_LAYERS];
    real *d_x[RECURRENT_MAX_LAYERS];
    for (size_t l = 0; l < net->layers; l++) {
        d_x[l] = seq2seq_reals(pass, B * net->layer[l][0].input, err);
        if (!d_x[l] || new_state(pass, &d[l], err) ||
            cell_run_begin_back(&pass->fed[l], pass->arena, err))
            return err->code;
    }
    for (size_t t = pass->batch->target_steps; t-- > 0;)
        fed_step_back(pass, t, d, d_x);
    for (size_t l = 0; l < net->layers; l++) {
        cell_run_end_back(&pass->fed[l], &pass->gradients->decoder.layer[l][0].w,
                          mat_of(pass->fed_input[l], net->layer[l][0].input));
        put_state(pass, l * state, &d[l]);
    }
    end_attention(pass, pass->states);
    return 0;
}

/* ---------------------------------------------------------------------------------------------- */

int seq2seq_decode_forward(struct seq2seq_pass *pass, struct err *err)
{
    switch (pass->model->kind) {
    case SPEC_DECODER_PLAIN:
        return plain_forward(pass, err);
    case SPEC_DECODER_INPUT_FEEDING:
        return fed_forward(pass, err);
    case SPEC_DECODER_CONDITIONAL:
        return conditional_forward(pass, err);
    }
    return err_set(err, ERR_INTERNAL, "decoder %d is unknown", (int)pass->model->kind);
}

int seq2seq_decode_backward(struct seq2seq_pass *pass, struct err *err)
{
    if (pass->model->attends && attention_begin_back(&pass->attention, pass->arena, err))
        return err->code;
    switch (pass->model->kind) {
    case SPEC_DECODER_PLAIN:
        return plain_backward(pass, err);
    case SPEC_DECODER_INPUT_FEEDING:
        return fed_backward(pass, err);
    case SPEC_DECODER_CONDITIONAL:
        return conditional_backward(pass, err);
    }
    return err_set(err, ERR_INTERNAL, "decoder %d is unknown", (int)pass->model->kind);
}
