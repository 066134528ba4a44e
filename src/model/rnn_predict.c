/*
 * The network in use: one text at a time, through the products whose sums have one order
 * (nn/mat.h), so that an answer depends on the text alone.
 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "model/rnn_parts.h"

int rnn_overflow(struct err *err)
{
    return err_set(err, ERR_FORMAT, "the model's weights overflow on this text");
}

/* Weights are finite, but their sums need not be. */
static bool is_finite(size_t count, const real *outputs)
{
    for (size_t i = 0; i < count; i++)
        if (!isfinite(outputs[i]))
            return false;
    return true;
}

static int check_finite(size_t count, const real *outputs, struct err *err)
{
    return is_finite(count, outputs) ? 0 : rnn_overflow(err);
}

/*
 * The condition, made once for a text
 */

struct condition {
    real *vector; /* [C], on its way to the first state or to each step's input; NULL: none */
    real *first;  /* [recurrent_state], NULL for zero */
};

static void condition_release(struct condition *condition)
{
    mem_free(condition->first);
    mem_free(condition->vector);
}

/* h_0 = tanh(W v + b) */
static int make_first(const struct rnn *model, struct condition *condition, struct err *err)
{
    const size_t C = model->feature, layers = model->encoder.layers;
    const size_t state = recurrent_state(&model->encoder), all = rnn_first_width(model);
    real *h = mem_alloc(all, sizeof *h, err);
    condition->first = mem_alloc(state, sizeof *condition->first, err);
    if (h != NULL && condition->first != NULL) {
        const struct dense first = {
            .outputs = all, .inputs = C, .floats = model->first_weight, .form = model->forms.first};
        dense_rows(&first, 1, condition->vector, C, model->first_bias, h, all);
        tanh_forward(all, h);
        for (size_t l = 0; l < layers; l++)
            memcpy(condition->first + l * (state / layers), h + l * (all / layers),
                   all / layers * sizeof *h);
    }
    const int code = h == NULL || condition->first == NULL ? ERR_MEMORY : 0;
    mem_free(h);
    return code;
}

static int condition_make(const struct rnn *model, const struct rnn_input *input,
                          struct condition *condition, struct err *err)
{
    const size_t C = model->feature;
    *condition = (struct condition){.vector = NULL};
    if (model->condition == SPEC_CONDITION_NONE)
        return 0;
    condition->vector = mem_alloc(C, sizeof *condition->vector, err);
    if (condition->vector == NULL)
        return ERR_MEMORY;
    if (rnn_has_label(model))
        embedding_forward(1, C, &input->label, model->label_weight, condition->vector);
    else
        for (size_t i = 0; i < C; i++)
            condition->vector[i] = (real)input->feature[i];
    return model->condition == SPEC_CONDITION_FIRST ? make_first(model, condition, err) : 0;
}

/* x_t of token or row `t` of the input, [cell_stride(rnn_input_width)] */
static void read_step(const struct rnn *model, const struct rnn_input *input, size_t t,
                      const struct condition *condition, real *row, real *x)
{
    const size_t E = model->embedding, F = model->row;
    const struct dense embedding = {.outputs = model->vocabulary,
                                    .inputs = E,
                                    .floats = model->embedding_weight,
                                    .form = model->forms.embedding};
    const struct dense projection = {
        .outputs = E, .inputs = F, .floats = model->row_weight, .form = model->forms.row};
    if (F > 0) {
        for (size_t i = 0; i < F; i++)
            row[i] = (real)input->rows[t * F + i];
        dense_rows(&projection, 1, row, F, model->row_bias, x, E);
    } else {
        dense_row(&embedding, (size_t)input->ids[t], x);
    }
    if (model->condition == SPEC_CONDITION_EVERY)
        memcpy(x + E, condition->vector, model->feature * sizeof *x);
}

/*
 * A whole text
 */

struct states { /* of one text; rows `stride` apart */
    size_t stride;
    real *rows; /* [T, D] */
};

/* Runs the stack over the input; states->rows belongs to the caller, also after a failure. */
static int run_stack(const struct rnn *model, const struct rnn_input *input,
                     const struct rnn_trace *trace, struct states *states, struct err *err)
{
    const struct recurrent *net = &model->encoder;
    const size_t T = input->count, x_stride = cell_stride(rnn_input_width(model));
    struct condition condition = {.vector = NULL};
    states->stride = cell_stride(model->pool);
    states->rows = mem_alloc(T, states->stride * sizeof(real), err);
    real *x = mem_alloc(T, x_stride * sizeof *x, err);
    real *last = mem_alloc(recurrent_state(net), sizeof *last, err);
    real *scratch = mem_alloc(recurrent_scratch(net, T), sizeof *scratch, err);
    real *row = mem_alloc(model->row, sizeof *row, err);
    int code = ERR_MEMORY;
    if (states->rows != NULL && x != NULL && last != NULL && scratch != NULL && row != NULL)
        code = condition_make(model, input, &condition, err);
    if (code == 0 && T > 0) {
        for (size_t t = 0; t < T; t++)
            read_step(model, input, t, &condition, row, x + t * x_stride);
        recurrent_encode_watched(net, T, x, condition.first, states->rows, last, scratch,
                                 trace == NULL ? NULL : trace->watch);
    }
    condition_release(&condition);
    mem_free(row);
    mem_free(scratch);
    mem_free(last);
    mem_free(x);
    return code;
}

static void keep_states(const struct rnn *model, size_t count, const struct states *states,
                        const struct rnn_trace *trace)
{
    if (trace == NULL || trace->states == NULL)
        return;
    for (size_t t = 0; t < count; t++)
        for (size_t i = 0; i < model->pool; i++)
            trace->states[t * model->pool + i] = (float)states->rows[t * states->stride + i];
}

static void output_rows(const struct rnn *model, size_t rows, const real *x, size_t stride,
                        real *outputs)
{
    const struct dense layer = rnn_output_layer(model);
    dense_rows(&layer, rows, x, stride, model->output_bias, outputs, model->outputs);
}

static int write_outputs(size_t count, const real *from, float *outputs, struct err *err)
{
    const int code = check_finite(count, from, err);
    for (size_t i = 0; i < count && code == 0; i++)
        outputs[i] = (float)from[i];
    return code;
}

int rnn_pooled(const struct rnn *model, const struct rnn_input *input, float *outputs,
               const struct rnn_trace *trace, struct err *err)
{
    struct states states;
    int code = run_stack(model, input, trace, &states, err);
    real *pool = mem_alloc(2, cell_stride(model->pool) * sizeof *pool, err);
    real *weights = mem_alloc(input->count, sizeof *weights, err);
    real *result = mem_alloc(model->outputs, sizeof *result, err);
    if (pool == NULL || weights == NULL || result == NULL)
        code = ERR_MEMORY;
    if (code == 0) {
        rnn_pool_states(model, input->count, states.rows, states.stride, pool, weights,
                        pool + states.stride);
        output_rows(model, 1, pool, states.stride, result);
        keep_states(model, input->count, &states, trace);
        for (size_t t = 0; trace != NULL && trace->attention != NULL && t < input->count; t++)
            trace->attention[t] = (float)weights[t];
        code = write_outputs(model->outputs, result, outputs, err);
    }
    mem_free(result);
    mem_free(weights);
    mem_free(pool);
    mem_free(states.rows);
    return code;
}

int rnn_in_step(const struct rnn *model, const struct rnn_input *input, float *outputs,
                const struct rnn_trace *trace, struct err *err)
{
    struct states states;
    const size_t count = input->count * model->outputs;
    int code = run_stack(model, input, trace, &states, err);
    real *result = mem_alloc(count, sizeof *result, err);
    if (result == NULL)
        code = ERR_MEMORY;
    if (code == 0) {
        output_rows(model, input->count, states.rows, states.stride, result);
        keep_states(model, input->count, &states, trace);
        code = write_outputs(count, result, outputs, err);
    }
    mem_free(result);
    mem_free(states.rows);
    return code;
}

/*
 * A text under way
 */

struct rnn_walk {
    const struct rnn *model;
    struct condition condition;
    real *x, *state, *output, *scratch; /* one step's */
    real *logits;
    const struct recurrent_watch *watch; /* or NULL */
};

int rnn_walk_new(struct rnn_walk **walk, const struct rnn *model, const struct rnn_input *condition,
                 struct err *err)
{
    const struct recurrent *net = &model->encoder;
    const size_t state = recurrent_state(net);
    struct rnn_walk *made = mem_alloc(1, sizeof *made, err);
    if (made == NULL)
        return ERR_MEMORY;
    made->model = model;
    made->x = mem_alloc(cell_stride(rnn_input_width(model)), sizeof(real), err);
    made->state = mem_alloc(state, sizeof(real), err);
    made->output = mem_alloc(cell_stride(model->pool), sizeof(real), err);
    made->scratch = mem_alloc(recurrent_scratch(net, 1), sizeof(real), err);
    made->logits = mem_alloc(model->outputs, sizeof(real), err);
    int code = ERR_MEMORY;
    if (made->x != NULL && made->state != NULL && made->output != NULL && made->scratch != NULL &&
        made->logits != NULL)
        code = condition_make(model, condition, &made->condition, err);
    if (code < 0) {
        rnn_walk_free(made);
        return code;
    }
    if (made->condition.first != NULL)
        memcpy(made->state, made->condition.first, state * sizeof(real));
    *walk = made;
    return 0;
}

int rnn_walk_step(struct rnn_walk *walk, int32_t id, const float **outputs, struct err *err)
{
    const struct rnn *model = walk->model;
    const struct rnn_input input = {.count = 1, .ids = &id};
    read_step(model, &input, 0, &walk->condition, NULL, walk->x);
    recurrent_encode_watched(&model->encoder, 1, walk->x, walk->state, walk->output, walk->state,
                             walk->scratch, walk->watch);
    output_rows(model, 1, walk->output, cell_stride(model->pool), walk->logits);
    *outputs = walk->logits;
    return check_finite(model->outputs, walk->logits, err);
}

const float *rnn_walk_state(const struct rnn_walk *walk)
{
    return walk->state;
}

void rnn_walk_watch(struct rnn_walk *walk, const struct recurrent_watch *watch)
{
    walk->watch = watch;
}

void rnn_walk_free(struct rnn_walk *walk)
{
    if (walk == NULL)
        return;
    condition_release(&walk->condition);
    mem_free(walk->logits);
    mem_free(walk->scratch);
    mem_free(walk->output);
    mem_free(walk->state);
    mem_free(walk->x);
    mem_free(walk);
}

/*
 * Many of them
 */

struct rnn_reader {
    const struct rnn *model;
    size_t walks;
    real *x, *output;             /* [tokens] */
    real *last, *logits;          /* [walks]: the last of each walk's rows */
    struct recurrent_item *items; /* [walks] */
    size_t *order;                /* [walks]: readings, the longest first */
    real *scratch;
};

int rnn_reader_new(struct rnn_reader **reader, const struct rnn *model, size_t walks, size_t tokens,
                   struct err *err)
{
    const struct recurrent *net = &model->encoder;
    const size_t pool = cell_stride(model->pool) * sizeof(real);
    struct rnn_reader *made = mem_alloc(1, sizeof *made, err);
    if (made == NULL)
        return ERR_MEMORY;
    made->model = model;
    made->walks = walks;
    made->x = mem_alloc(tokens, cell_stride(rnn_input_width(model)) * sizeof(real), err);
    made->output = mem_alloc(tokens, pool, err);
    made->last = mem_alloc(walks, pool, err);
    made->logits = mem_alloc(walks, model->outputs * sizeof(real), err);
    made->items = mem_alloc(walks, sizeof *made->items, err);
    made->order = mem_alloc(walks, sizeof *made->order, err);
    made->scratch = mem_alloc(recurrent_scratch_many(net, tokens, walks), sizeof(real), err);
    if (made->x == NULL || made->output == NULL || made->last == NULL || made->logits == NULL ||
        made->items == NULL || made->order == NULL || made->scratch == NULL) {
        rnn_reader_free(made);
        return ERR_MEMORY;
    }
    *reader = made;
    return 0;
}

void rnn_reader_free(struct rnn_reader *reader)
{
    if (reader == NULL)
        return;
    mem_free(reader->scratch);
    mem_free(reader->order);
    mem_free(reader->items);
    mem_free(reader->logits);
    mem_free(reader->last);
    mem_free(reader->output);
    mem_free(reader->x);
    mem_free(reader);
}

static void order_by_length(const struct rnn_reading *readings, size_t count, size_t *order)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (; at > 0 && readings[order[at - 1]].count < readings[i].count; at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

/* The stack's outputs for all tokens; the last ones of each walk in `last`. */
static void read_tokens(struct rnn_reader *reader, const struct rnn_reading *readings, size_t count)
{
    const struct rnn *model = reader->model;
    const size_t x_stride = cell_stride(rnn_input_width(model)), stride = cell_stride(model->pool);
    size_t row = 0;
    for (size_t i = 0; i < count; i++) {
        const struct rnn_reading *reading = &readings[reader->order[i]];
        const struct rnn_input input = {.count = reading->count, .ids = reading->ids};
        reader->items[i] = (struct recurrent_item){.steps = reading->count,
                                                   .first = reading->walk->state,
                                                   .output = reader->output + row * stride,
                                                   .last = reading->walk->state};
        for (size_t t = 0; t < reading->count; t++)
            read_step(model, &input, t, &reading->walk->condition, NULL,
                      reader->x + row++ * x_stride);
    }
    recurrent_encode_many(&model->encoder, reader->items, count, reader->x, reader->scratch);
    for (size_t i = 0; i < count; i++)
        memcpy(reader->last + i * stride,
               reader->items[i].output + (reader->items[i].steps - 1) * stride,
               model->pool * sizeof(real));
}

void rnn_read(struct rnn_reader *reader, struct rnn_reading *readings, size_t count)
{
    const size_t O = reader->model->outputs;
    if (count == 0)
        return;
    order_by_length(readings, count, reader->order);
    read_tokens(reader, readings, count);
    output_rows(reader->model, count, reader->last, cell_stride(reader->model->pool),
                reader->logits);
    for (size_t i = 0; i < count; i++) {
        struct rnn_reading *reading = &readings[reader->order[i]];
        memcpy(reading->walk->logits, reader->logits + i * O, O * sizeof(real));
        reading->outputs = reading->walk->logits;
        reading->overflows = !is_finite(O, reading->walk->logits);
    }
}
