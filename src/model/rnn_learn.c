/*
 * The network in training: forward, loss and backward over one padded batch. Padding is kept out of
 * pool and targets and so out of the gradients. Outputs are computed LOSS_ROWS at a time, since
 * those of a language model would not fit the cache together.
 */
#include <math.h>
#include <string.h>

#include "model/rnn_parts.h"
#include "nn/loss.h"

#define LOSS_ROWS 256

/* One batch on its way; arrays are in the arena. */
struct pass {
    const struct rnn *model;
    const struct rnn *gradients; /* NULL: forward alone */
    const struct rnn_batch *batch;
    const struct rnn_training *training;
    struct rng *rng;
    struct arena *arena;
    real *input, *input_mask; /* [S, B, E] */
    const real *condition;    /* [B, C] */
    real *x;       /* [S, B, E + C]; the same as input without a condition at each step */
    real *h_first; /* [B, layers * H]: tanh(W v + b) */
    real *first;   /* [B, state] */
    struct recurrent_sequence sequence;
    struct recurrent_trace encoder;
    struct rnn_pool pool;
    size_t rows;                  /* of what the output layer reads: B or S * B */
    real *features, *output_mask; /* [rows, D] */
    real *d_features;             /* [rows, D] */
};

static real *reals(const struct pass *pass, size_t count, struct err *err)
{
    return arena_alloc(pass->arena, count, sizeof(real), err);
}

static struct linear output_layer(const struct rnn *model)
{
    return (struct linear){.w = mat_of(rnn_output_weight(model), model->pool),
                           .bias = model->output_bias};
}

static struct linear row_layer(const struct rnn *model)
{
    return (struct linear){.w = mat_of(model->row_weight, model->row), .bias = model->row_bias};
}

static struct linear first_layer(const struct rnn *model)
{
    return (struct linear){.w = mat_of(model->first_weight, model->feature),
                           .bias = model->first_bias};
}

/*
 * Input and condition
 */

static int read_input(struct pass *pass, struct err *err)
{
    const struct rnn *model = pass->model;
    const size_t SB = pass->batch->steps * pass->batch->batch, E = model->embedding;
    pass->input = reals(pass, SB * E, err);
    pass->input_mask = reals(pass, SB * E, err);
    if (pass->input == NULL || pass->input_mask == NULL)
        return ERR_MEMORY;
    if (model->row > 0) {
        const struct linear layer = row_layer(model);
        linear_forward(SB, E, model->row, mat_of(pass->batch->rows, model->row), &layer, 0,
                       mat_of(pass->input, E));
    } else {
        embedding_forward(SB, E, pass->batch->ids, model->embedding_weight, pass->input);
    }
    dropout_forward(SB * E, pass->training->dropout_input, pass->rng, pass->input,
                    pass->input_mask);
    pass->x = pass->input;
    return 0;
}

/* Gives back the gradient by the input, d_input [S, B, E], to what it was made from. */
static void read_input_backward(const struct pass *pass, real *d_input)
{
    const struct rnn *model = pass->model;
    const size_t SB = pass->batch->steps * pass->batch->batch, E = model->embedding;
    dropout_backward(SB * E, pass->training->dropout_input, pass->input_mask, d_input);
    if (model->row > 0) { /* input = W r + b */
        mat_multiply(MAT_TN, E, model->row, SB, mat_of(d_input, E),
                     mat_of(pass->batch->rows, model->row), 1,
                     mat_of(pass->gradients->row_weight, model->row));
        mat_add_rows(SB, E, mat_of(d_input, E), pass->gradients->row_bias);
    } else {
        embedding_backward(SB, E, pass->batch->ids, d_input, pass->gradients->embedding_weight);
    }
}

static int read_condition(struct pass *pass, struct err *err)
{
    const struct rnn *model = pass->model;
    const size_t B = pass->batch->batch, C = model->feature;
    pass->condition = pass->batch->features;
    if (!rnn_has_label(model))
        return 0;
    real *condition = reals(pass, B * C, err);
    if (condition == NULL)
        return ERR_MEMORY;
    embedding_forward(B, C, pass->batch->labels, model->label_weight, condition);
    pass->condition = condition;
    return 0;
}

/* x_t = [input_t; v] */
static int join_condition(struct pass *pass, struct err *err)
{
    const size_t B = pass->batch->batch, SB = pass->batch->steps * B;
    const size_t E = pass->model->embedding, C = pass->model->feature;
    pass->x = reals(pass, SB * (E + C), err);
    if (pass->x == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < SB; i++) {
        memcpy(pass->x + i * (E + C), pass->input + i * E, E * sizeof(real));
        memcpy(pass->x + i * (E + C) + E, pass->condition + i % B * C, C * sizeof(real));
    }
    return 0;
}

/* d_x [S, B, E + C] -> d_input [S, B, E] and, added, d_condition [B, C] */
static void join_condition_backward(const struct pass *pass, const real *d_x, real *d_input,
                                    real *d_condition)
{
    const size_t B = pass->batch->batch, SB = pass->batch->steps * B;
    const size_t E = pass->model->embedding, C = pass->model->feature;
    /* x_t = [input_t; v] */
    for (size_t i = 0; i < SB; i++) {
        memcpy(d_input + i * E, d_x + i * (E + C), E * sizeof(real));
        mat_add_scaled(C, 1, d_x + i * (E + C) + E, d_condition + i % B * C);
    }
}

/* Where h of layer l stands in a row of the whole state. */
static size_t place_of_layer(const struct rnn *model, size_t l)
{
    return l * (recurrent_state(&model->encoder) / model->encoder.layers);
}

/* h_0 = tanh(W v + b), c_0 = 0, unless a state is carried in. */
static int begin_state(struct pass *pass, struct err *err)
{
    const struct rnn *model = pass->model;
    const size_t B = pass->batch->batch, C = model->feature, all = rnn_first_width(model);
    const size_t state = recurrent_state(&model->encoder), H = all / model->encoder.layers;
    const struct linear layer = first_layer(model);
    pass->h_first = reals(pass, B * all, err);
    pass->first = reals(pass, B * state, err);
    if (pass->h_first == NULL || pass->first == NULL)
        return ERR_MEMORY;
    linear_forward(B, all, C, mat_of(pass->condition, C), &layer, 0, mat_of(pass->h_first, all));
    tanh_forward(B * all, pass->h_first);
    for (size_t b = 0; b < B; b++)
        for (size_t l = 0; l < model->encoder.layers; l++)
            memcpy(pass->first + b * state + place_of_layer(model, l),
                   pass->h_first + b * all + l * H, H * sizeof(real));
    return 0;
}

/* d_first [B, state]; adds to d_condition [B, C]. */
static int begin_state_backward(const struct pass *pass, const real *d_first, real *d_condition,
                                struct err *err)
{
    const struct rnn *model = pass->model;
    const size_t B = pass->batch->batch, C = model->feature, all = rnn_first_width(model);
    const size_t state = recurrent_state(&model->encoder), H = all / model->encoder.layers;
    const struct linear layer = first_layer(model), g_layer = first_layer(pass->gradients);
    real *d = reals(pass, B * all, err);
    if (d == NULL)
        return ERR_MEMORY;
    for (size_t b = 0; b < B; b++)
        for (size_t l = 0; l < model->encoder.layers; l++)
            memcpy(d + b * all + l * H, d_first + b * state + place_of_layer(model, l),
                   H * sizeof(real));
    /* h_0 = tanh(W v + b) */
    tanh_backward(B * all, pass->h_first, d);
    linear_backward(B, all, C, mat_of(pass->condition, C), &layer, &g_layer, mat_of(d, all), 1,
                    mat_of(d_condition, C));
    return 0;
}

static int condition_forward(struct pass *pass, struct err *err)
{
    if (pass->model->condition == SPEC_CONDITION_NONE)
        return 0;
    if (read_condition(pass, err) < 0)
        return ERR_MEMORY;
    return pass->model->condition == SPEC_CONDITION_EVERY ? join_condition(pass, err)
                                                          : begin_state(pass, err);
}

/*
 * Forward
 */

/* The head's input, [rows, D]: the pool, or all states. */
static int head_forward(struct pass *pass, struct err *err)
{
    const struct rnn *model = pass->model;
    const size_t B = pass->batch->batch, S = pass->batch->steps, D = model->pool;
    if (rnn_is_pooled(model)) {
        pass->pool = (struct rnn_pool){.steps = S,
                                       .batch = B,
                                       .lengths = pass->batch->lengths,
                                       .states = pass->encoder.output};
        if (rnn_pool_forward(model, &pass->pool, pass->arena, err) < 0)
            return ERR_MEMORY;
        pass->features = pass->pool.pool;
        pass->rows = B;
    } else {
        pass->features = pass->encoder.output;
        pass->rows = S * B;
    }
    if (pass->training->dropout_output <= 0)
        return 0;
    pass->output_mask = reals(pass, pass->rows * D, err);
    real *features = reals(pass, pass->rows * D, err); /* the stack's backward needs its own */
    if (pass->output_mask == NULL || features == NULL)
        return ERR_MEMORY;
    memcpy(features, pass->features, pass->rows * D * sizeof(real));
    pass->features = features;
    dropout_forward(pass->rows * D, pass->training->dropout_output, pass->rng, pass->features,
                    pass->output_mask);
    return 0;
}

static int forward(struct pass *pass, struct err *err)
{
    const struct rnn_batch *batch = pass->batch;
    if (read_input(pass, err) < 0 || condition_forward(pass, err) < 0)
        return ERR_MEMORY;
    pass->sequence = (struct recurrent_sequence){.steps = batch->steps,
                                                 .batch = batch->batch,
                                                 .lengths = batch->lengths,
                                                 .x = pass->x,
                                                 .first = batch->first ? batch->first : pass->first,
                                                 .dropout_layer = pass->training->dropout_layer,
                                                 .dropout_state = pass->training->dropout_state};
    if (recurrent_forward(&pass->model->encoder, &pass->sequence, pass->rng, &pass->encoder,
                          pass->arena, err) < 0)
        return ERR_MEMORY;
    if (batch->last != NULL)
        memcpy(batch->last, pass->encoder.last,
               batch->batch * recurrent_state(&pass->model->encoder) * sizeof(real));
    return head_forward(pass, err);
}

/*
 * Loss
 */

static void targets_loss(const struct pass *pass, size_t begin, size_t count, real *outputs,
                         struct rnn_sums *sums)
{
    const struct rnn_training *training = pass->training;
    const size_t O = pass->model->outputs;
    const int32_t *targets = pass->batch->targets + begin;
    const size_t together = training->class_weights ? 1 : count;
    for (size_t i = 0; i < count; i += together) {
        const bool weighted = training->class_weights && targets[i] >= 0;
        const real weight = weighted ? training->class_weights[targets[i]] : 1;
        double negative_log;
        sums->loss += (double)weight *
                      cross_entropy(together, O, targets + i, (real)training->label_smoothing,
                                    weight * (real)training->scale, outputs + i * O, &negative_log);
        sums->negative_log += negative_log;
    }
    for (size_t i = 0; i < count; i++)
        sums->targets += targets[i] >= 0;
}

/* outputs [count, O] of the rows from `begin` become the gradient by them. */
static void loss(const struct pass *pass, size_t begin, size_t count, real *outputs,
                 struct rnn_sums *sums)
{
    if (pass->model->task != SPEC_REGRESSION) {
        targets_loss(pass, begin, count, outputs, sums);
        return;
    }
    sums->loss +=
        squared_error(count, pass->batch->values + begin, (real)pass->training->scale, outputs);
    sums->targets += count;
}

/* Outputs, loss and, where there are gradients, backward through the output layer. kept, or NULL,
   receives all outputs. */
static int output_learn(struct pass *pass, real *kept, struct rnn_sums *sums, struct err *err)
{
    const size_t O = pass->model->outputs, D = pass->model->pool;
    const struct linear layer = output_layer(pass->model);
    real *outputs = reals(pass, (pass->rows < LOSS_ROWS ? pass->rows : LOSS_ROWS) * O, err);
    pass->d_features = pass->gradients ? reals(pass, pass->rows * D, err) : NULL;
    if (outputs == NULL || (pass->gradients && pass->d_features == NULL))
        return ERR_MEMORY;
    for (size_t begin = 0; begin < pass->rows; begin += LOSS_ROWS) {
        const size_t count = pass->rows - begin < LOSS_ROWS ? pass->rows - begin : LOSS_ROWS;
        const struct mat features = mat_of(pass->features + begin * D, D);
        linear_forward(count, O, D, features, &layer, 0, mat_of(outputs, O));
        if (kept != NULL)
            memcpy(kept + begin * O, outputs, count * O * sizeof(real));
        loss(pass, begin, count, outputs, sums);
        if (!pass->gradients)
            continue;
        const struct linear g_layer = output_layer(pass->gradients);
        linear_backward(count, O, D, features, &layer, &g_layer, mat_of(outputs, O), 0,
                        mat_of(pass->d_features + begin * D, D));
    }
    return 0;
}

/*
 * Backward, in the reverse order of forward
 */

/* d_states [S, B, D] */
static int head_backward(struct pass *pass, real **d_states, struct err *err)
{
    const size_t D = pass->model->pool, SB = pass->batch->steps * pass->batch->batch;
    dropout_backward(pass->rows * D, pass->training->dropout_output, pass->output_mask,
                     pass->d_features);
    *d_states = pass->d_features;
    if (!rnn_is_pooled(pass->model))
        return 0;
    *d_states = reals(pass, SB * D, err);
    return *d_states == NULL ? ERR_MEMORY
                             : rnn_pool_backward(pass->model, pass->gradients, &pass->pool,
                                                 pass->d_features, *d_states, pass->arena, err);
}

/* d_x: of all that the stack reads; d_first: of its first state, or NULL. */
static int condition_backward(const struct pass *pass, real *d_x, const real *d_first,
                              struct err *err)
{
    const struct rnn *model = pass->model;
    const size_t B = pass->batch->batch, SB = pass->batch->steps * B, C = model->feature;
    real *d_condition = reals(pass, B * C, err), *d_input = d_x;
    if (d_condition == NULL)
        return ERR_MEMORY;
    if (model->condition == SPEC_CONDITION_EVERY) {
        d_input = reals(pass, SB * model->embedding, err);
        if (d_input == NULL)
            return ERR_MEMORY;
        join_condition_backward(pass, d_x, d_input, d_condition);
    } else if (d_first != NULL && begin_state_backward(pass, d_first, d_condition, err) < 0) {
        return ERR_MEMORY;
    }
    if (rnn_has_label(model))
        embedding_backward(B, C, pass->batch->labels, d_condition, pass->gradients->label_weight);
    read_input_backward(pass, d_input);
    return 0;
}

static int backward(struct pass *pass, struct err *err)
{
    const struct rnn *model = pass->model;
    const size_t B = pass->batch->batch, SB = pass->batch->steps * B;
    const bool first = pass->first != NULL && pass->batch->first == NULL;
    real *d_states, *d_first = NULL, *d_x = reals(pass, SB * rnn_input_width(model), err);
    if (first)
        d_first = reals(pass, B * recurrent_state(&model->encoder), err);
    if (d_x == NULL || (first && d_first == NULL) || head_backward(pass, &d_states, err) < 0 ||
        recurrent_backward(&model->encoder, &pass->gradients->encoder, &pass->sequence,
                           &pass->encoder, d_states, NULL, d_x, 0, d_first, pass->arena, err) < 0)
        return ERR_MEMORY;
    return condition_backward(pass, d_x, d_first, err);
}

int rnn_forward(const struct rnn *model, const struct rnn_batch *batch,
                const struct rnn_training *training, struct rng *rng, real *outputs,
                struct rnn_sums *sums, struct arena *arena, struct err *err)
{
    struct pass pass = {
        .model = model, .batch = batch, .training = training, .rng = rng, .arena = arena};
    const int code = forward(&pass, err);
    return code < 0 ? code : output_learn(&pass, outputs, sums, err);
}

int rnn_learn(const struct rnn *model, const struct rnn *gradients, const struct rnn_batch *batch,
              const struct rnn_training *training, struct rng *rng, struct rnn_sums *sums,
              struct arena *arena, struct err *err)
{
    struct pass pass = {.model = model,
                        .gradients = gradients,
                        .batch = batch,
                        .training = training,
                        .rng = rng,
                        .arena = arena};
    int code = forward(&pass, err);
    if (code == 0)
        code = output_learn(&pass, NULL, sums, err);
    return code < 0 ? code : backward(&pass, err);
}
