/* The translation network in training: one padded batch forward, its loss, and backward. The
   decoders are in seq2seq_decoder.c. */
#include <string.h>

#include "model/seq2seq_parts.h"
#include "nn/layer.h"
#include "nn/loss.h"

/* Output rows whose logits are in memory at once: V * LOSS_ROWS values should stay in cache. */
#define LOSS_ROWS 256

real *seq2seq_reals(const struct seq2seq_pass *pass, size_t count, struct err *err)
{
    return arena_alloc(pass->arena, count, sizeof(real), err);
}

struct slot {
    real **pointer;
    size_t count;
};

static int allocate(const struct seq2seq_pass *pass, const struct slot *slots, size_t count,
                    struct err *err)
{
    for (size_t i = 0; i < count; i++)
        if (!(*slots[i].pointer = seq2seq_reals(pass, slots[i].count, err)))
            return ERR_MEMORY;
    return 0;
}

static int allocate_activations(struct seq2seq_pass *pass, struct err *err)
{
    const size_t B = pass->batch->batch, E = pass->model->embedding, D = pass->model->memory;
    const size_t SB = pass->batch->source_steps * B, TB = pass->batch->target_steps * B;
    const struct slot slots[] = {
        {&pass->source, SB * E},
        {&pass->source_mask, SB * E},
        {&pass->projected, pass->model->row > 0 ? SB * E : 0},
        {&pass->target, TB * E},
        {&pass->target_mask, TB * E},
        {&pass->summary, B * D},
        {&pass->combined, TB * E},
        {&pass->first, B * pass->model->first},
        {&pass->output, TB * E},
        {&pass->output_mask, TB * E},
    };
    return allocate(pass, slots, sizeof slots / sizeof *slots, err);
}

static int allocate_gradients(struct seq2seq_pass *pass, struct err *err)
{
    const size_t B = pass->batch->batch, E = pass->model->embedding;
    const size_t D = pass->model->memory, H = pass->model->hidden;
    const size_t SB = pass->batch->source_steps * B, TB = pass->batch->target_steps * B;
    const struct slot slots[] = {
        {&pass->d_source, SB * E},   {&pass->d_target, TB * E},
        {&pass->d_memory, SB * D},   {&pass->d_summary, B * D},
        {&pass->d_states, TB * H},   {&pass->d_first, B * pass->model->first},
        {&pass->d_contexts, TB * D}, {&pass->d_output, TB * E},
    };
    return allocate(pass, slots, sizeof slots / sizeof *slots, err);
}

/* Embeddings ----------------------------------------------------------------------------------- */

/* x = E_s y, or x = tanh(Wr r + br) */
static void source_forward(struct seq2seq_pass *pass, size_t SB)
{
    const struct seq2seq *model = pass->model;
    const size_t E = model->embedding, F = model->row;
    if (F == 0) {
        embedding_forward(SB, E, pass->batch->source, model->source_embedding, pass->source);
        return;
    }
    const struct linear layer = {.w = mat_of(model->row_weight, F), .bias = model->row_bias};
    linear_forward(SB, E, F, mat_of(pass->batch->rows, F), &layer, 0, mat_of(pass->projected, E));
    tanh_forward(SB * E, pass->projected);
    memcpy(pass->source, pass->projected, SB * E * sizeof(real));
}

static void source_backward(struct seq2seq_pass *pass, size_t SB)
{
    const struct seq2seq *model = pass->model;
    const size_t E = model->embedding, F = model->row;
    if (F == 0) {
        embedding_backward(SB, E, pass->batch->source, pass->d_source,
                           pass->gradients->source_embedding);
        return;
    }
    const struct seq2seq *gradients = pass->gradients;
    tanh_backward(SB * E, pass->projected, pass->d_source);
    mat_multiply(MAT_TN, E, F, SB, mat_of(pass->d_source, E), mat_of(pass->batch->rows, F), 1,
                 mat_of(gradients->row_weight, F));
    mat_add_rows(SB, E, mat_of(pass->d_source, E), gradients->row_bias);
}

static void embed_forward(struct seq2seq_pass *pass)
{
    const struct seq2seq_batch *batch = pass->batch;
    const size_t E = pass->model->embedding;
    const size_t SB = batch->source_steps * batch->batch, TB = batch->target_steps * batch->batch;
    const double rate = pass->training->dropout_embedding;
    source_forward(pass, SB);
    dropout_forward(SB * E, rate, pass->rng, pass->source, pass->source_mask);
    embedding_forward(TB, E, batch->target_input, pass->model->target_embedding, pass->target);
    dropout_forward(TB * E, rate, pass->rng, pass->target, pass->target_mask);
}

static void embed_backward(struct seq2seq_pass *pass)
{
    const struct seq2seq_batch *batch = pass->batch;
    const size_t E = pass->model->embedding;
    const size_t SB = batch->source_steps * batch->batch, TB = batch->target_steps * batch->batch;
    const double rate = pass->training->dropout_embedding;
    dropout_backward(TB * E, rate, pass->target_mask, pass->d_target);
    embedding_backward(TB, E, batch->target_input, pass->d_target,
                       pass->gradients->target_embedding);
    dropout_backward(SB * E, rate, pass->source_mask, pass->d_source);
    source_backward(pass, SB);
}

/* Encoder -------------------------------------------------------------------------------------- */

static int layers_forward(struct seq2seq_pass *pass, struct err *err)
{
    const struct seq2seq_batch *batch = pass->batch;
    pass->source_sequence = (struct recurrent_sequence){
        .steps = batch->source_steps,
        .batch = batch->batch,
        .lengths = batch->source_lengths,
        .x = pass->source,
        .dropout_layer = pass->training->dropout_layer,
        .dropout_state = pass->training->dropout_state,
    };
    return recurrent_forward(&pass->model->encoder, &pass->source_sequence, pass->rng,
                             &pass->encoder, pass->arena, err);
}

static int encoder_forward(struct seq2seq_pass *pass, struct err *err)
{
    const struct seq2seq_batch *batch = pass->batch;
    if (pass->model->encoder.layers == 0)
        pass->encoder.output = pass->source;
    else if (layers_forward(pass, err))
        return err->code;
    const size_t count = batch->source_steps * batch->batch * pass->model->memory;
    pass->memory = pass->encoder.output;
    if (pass->training->dropout_memory <= 0)
        return 0;
    /* The encoder's own backward needs its output as it is. */
    pass->memory = seq2seq_reals(pass, count, err);
    pass->memory_mask = seq2seq_reals(pass, count, err);
    if (!pass->memory || !pass->memory_mask)
        return ERR_MEMORY;
    memcpy(pass->memory, pass->encoder.output, count * sizeof(real));
    dropout_forward(count, pass->training->dropout_memory, pass->rng, pass->memory,
                    pass->memory_mask);
    return 0;
}

/* d_last: by the encoder's last states, or NULL. */
static int encoder_backward(struct seq2seq_pass *pass, const real *d_last, struct err *err)
{
    const struct seq2seq_batch *batch = pass->batch;
    dropout_backward(batch->source_steps * batch->batch * pass->model->memory,
                     pass->training->dropout_memory, pass->memory_mask, pass->d_memory);
    if (pass->model->encoder.layers == 0) {
        pass->d_source = pass->d_memory;
        return 0;
    }
    return recurrent_backward(&pass->model->encoder, &pass->gradients->encoder,
                              &pass->source_sequence, &pass->encoder, pass->d_memory, d_last,
                              pass->d_source, 0, NULL, pass->arena, err);
}

/* Bridge: first = tanh(Wb u + bb) -------------------------------------------------------------- */

static struct linear bridge_layer(const struct seq2seq *model)
{
    return (struct linear){.w = mat_of(model->bridge_weight, model->memory),
                           .bias = model->bridge_bias};
}

/* u: the top layer's last states, forward then reverse, or the mean of the memory. */
static void summary_forward(struct seq2seq_pass *pass)
{
    const struct recurrent *encoder = &pass->model->encoder;
    const size_t B = pass->batch->batch, D = pass->model->memory;
    const size_t half = D / encoder->directions, state = recurrent_state(encoder);
    for (size_t b = 0; b < B; b++) {
        real *u = pass->summary + b * D;
        const size_t length = (size_t)pass->batch->source_lengths[b];
        if (pass->model->bridge == SPEC_BRIDGE_LAST)
            for (size_t d = 0; d < encoder->directions; d++)
                memcpy(u + d * half, pass->encoder.last + b * state + seq2seq_top_state(encoder, d),
                       half * sizeof(real));
        else
            for (size_t s = 0; s < length; s++)
                mat_add_scaled(D, 1 / (real)length, pass->memory + (s * B + b) * D, u);
    }
}

/* d_last [B, recurrent_state], zero before, where u is the last states; else adds to d_memory. */
static void summary_backward(struct seq2seq_pass *pass, real *d_last)
{
    const struct recurrent *encoder = &pass->model->encoder;
    const size_t B = pass->batch->batch, D = pass->model->memory;
    const size_t half = D / encoder->directions, state = recurrent_state(encoder);
    for (size_t b = 0; b < B; b++) {
        const real *d_u = pass->d_summary + b * D;
        const size_t length = (size_t)pass->batch->source_lengths[b];
        if (pass->model->bridge == SPEC_BRIDGE_LAST)
            for (size_t d = 0; d < encoder->directions; d++)
                memcpy(d_last + b * state + seq2seq_top_state(encoder, d), d_u + d * half,
                       half * sizeof(real));
        else
            for (size_t s = 0; s < length; s++)
                mat_add_scaled(D, 1 / (real)length, d_u, pass->d_memory + (s * B + b) * D);
    }
}

static void bridge_forward(struct seq2seq_pass *pass)
{
    const size_t B = pass->batch->batch, D = pass->model->memory, N = pass->model->first;
    const struct linear bridge = bridge_layer(pass->model);
    summary_forward(pass);
    linear_forward(B, N, D, mat_of(pass->summary, D), &bridge, 0, mat_of(pass->first, N));
    tanh_forward(B * N, pass->first);
}

static int bridge_backward(struct seq2seq_pass *pass, real **d_last, struct err *err)
{
    const size_t B = pass->batch->batch, D = pass->model->memory, N = pass->model->first;
    const struct linear bridge = bridge_layer(pass->model);
    const struct linear gradient = bridge_layer(pass->gradients);
    *d_last = seq2seq_reals(pass, B * recurrent_state(&pass->model->encoder), err);
    if (!*d_last)
        return ERR_MEMORY;
    tanh_backward(B * N, pass->first, pass->d_first);
    linear_backward(B, N, D, mat_of(pass->summary, D), &bridge, &gradient, mat_of(pass->d_first, N),
                    0, mat_of(pass->d_summary, D));
    summary_backward(pass, *d_last);
    return 0;
}

/* Output: logits = Wo dropout(o) + bo, and the loss -------------------------------------------- */

static struct linear output_layer(const struct seq2seq *model)
{
    return (struct linear){.w = mat_of(model->output_weight, model->embedding),
                           .bias = model->output_bias};
}

int seq2seq_pass_forward(struct seq2seq_pass *pass, struct err *err)
{
    const size_t TB = pass->batch->target_steps * pass->batch->batch, E = pass->model->embedding;
    if (allocate_activations(pass, err))
        return err->code;
    embed_forward(pass);
    if (encoder_forward(pass, err))
        return err->code;
    bridge_forward(pass);
    if (seq2seq_decode_forward(pass, err))
        return err->code;
    memcpy(pass->output, pass->combined, TB * E * sizeof(real));
    dropout_forward(TB * E, pass->training->dropout_output, pass->rng, pass->output,
                    pass->output_mask);
    return 0;
}

int seq2seq_forward(const struct seq2seq *model, const struct seq2seq_batch *batch,
                    const struct seq2seq_training *training, struct rng *rng, const real **output,
                    struct arena *arena, struct err *err)
{
    struct seq2seq_pass pass = {
        .model = model, .batch = batch, .training = training, .rng = rng, .arena = arena};
    if (seq2seq_pass_forward(&pass, err))
        return err->code;
    *output = pass.output;
    return 0;
}

void seq2seq_logits(const struct seq2seq *model, size_t rows, const real *output, real *logits)
{
    const struct linear layer = output_layer(model);
    linear_forward(rows, model->vocabulary, model->embedding, mat_of(output, model->embedding),
                   &layer, 0, mat_of(logits, model->vocabulary));
}

/* The loss of all tokens and, where gradients are wanted, the output layer's backward: d_output
   [T, B, E]. */
static int output_learn(struct seq2seq_pass *pass, struct seq2seq_sums *sums, struct err *err)
{
    const struct seq2seq_training *training = pass->training;
    const size_t rows = pass->batch->target_steps * pass->batch->batch;
    const size_t V = pass->model->vocabulary, E = pass->model->embedding;
    const struct linear layer = output_layer(pass->model);
    real *logits = seq2seq_reals(pass, LOSS_ROWS * V, err);
    if (!logits)
        return ERR_MEMORY;
    for (size_t begin = 0; begin < rows; begin += LOSS_ROWS) {
        const size_t count = rows - begin < LOSS_ROWS ? rows - begin : LOSS_ROWS;
        const struct mat output = mat_of(pass->output + begin * E, E);
        double negative_log;
        seq2seq_logits(pass->model, count, output.data, logits);
        sums->loss += cross_entropy(count, V, pass->batch->target_output + begin,
                                    (real)training->label_smoothing, (real)training->scale, logits,
                                    &negative_log);
        sums->negative_log += negative_log;
        if (!pass->gradients)
            continue;
        const struct linear gradient = output_layer(pass->gradients);
        linear_backward(count, V, E, output, &layer, &gradient, mat_of(logits, V), 0,
                        mat_of(pass->d_output + begin * E, E));
    }
    return 0;
}

/* From d_output back to all weights, in the reverse order of forward. */
static int backward(struct seq2seq_pass *pass, struct err *err)
{
    const size_t TB = pass->batch->target_steps * pass->batch->batch, E = pass->model->embedding;
    real *d_last;
    dropout_backward(TB * E, pass->training->dropout_output, pass->output_mask, pass->d_output);
    if (seq2seq_decode_backward(pass, err) || bridge_backward(pass, &d_last, err) ||
        encoder_backward(pass, d_last, err))
        return err->code;
    embed_backward(pass);
    return 0;
}

int seq2seq_learn(const struct seq2seq *model, const struct seq2seq *gradients,
                  const struct seq2seq_batch *batch, const struct seq2seq_training *training,
                  struct rng *rng, struct seq2seq_sums *sums, struct arena *arena, struct err *err)
{
    struct seq2seq_pass pass = {.model = model,
                                .gradients = gradients,
                                .batch = batch,
                                .training = training,
                                .rng = rng,
                                .arena = arena};
    if (seq2seq_pass_forward(&pass, err) || (gradients && allocate_gradients(&pass, err)) ||
        output_learn(&pass, sums, err))
        return err->code;
    return gradients ? backward(&pass, err) : 0;
}
