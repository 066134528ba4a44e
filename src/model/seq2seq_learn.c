/* The translation network in training: forward, loss and backward over one padded batch. */
#include <string.h>

#include "model/seq2seq.h"
#include "nn/layer.h"
#include "nn/loss.h"

/* Output rows whose logits are in memory at once: V * LOSS_ROWS values should stay in cache. */
#define LOSS_ROWS 128

static struct linear combine_part(const struct seq2seq *model, const struct seq2seq_weights *w,
                                  bool state)
{
    return (struct linear){
        .w = mat_of(w->combine_weight + (state ? model->memory : 0), model->memory + model->hidden),
        .bias = state ? w->combine_bias : NULL};
}

static struct linear output_layer(const struct seq2seq *model, const struct seq2seq_weights *w)
{
    return (struct linear){.w = mat_of(w->output_weight, model->embedding), .bias = w->output_bias};
}

static struct linear bridge_layer(const struct seq2seq *model, const struct seq2seq_weights *w)
{
    return (struct linear){.w = mat_of(w->bridge_weight, model->memory), .bias = w->bridge_bias};
}

static struct gru_shape encoder_shape(const struct seq2seq *model,
                                      const struct seq2seq_batch *batch, size_t direction)
{
    return (struct gru_shape){.steps = batch->source_steps,
                              .batch = batch->batch,
                              .input = model->embedding,
                              .hidden = model->encoder_hidden,
                              .reverse = direction == 1,
                              .lengths = batch->source_lengths};
}

static struct gru_shape decoder_shape(const struct seq2seq *model,
                                      const struct seq2seq_batch *batch)
{
    return (struct gru_shape){.steps = batch->target_steps,
                              .batch = batch->batch,
                              .input = model->embedding,
                              .hidden = model->hidden,
                              .lengths = batch->target_lengths};
}

static struct attention_shape attention_shape(const struct seq2seq *model,
                                              const struct seq2seq_batch *batch)
{
    return (struct attention_shape){.memory_steps = batch->source_steps,
                                    .query_steps = batch->target_steps,
                                    .batch = batch->batch,
                                    .memory_size = model->memory,
                                    .query_size = model->hidden,
                                    .lengths = batch->source_lengths};
}

static int allocate(const struct seq2seq *model, const struct seq2seq_batch *batch,
                    struct seq2seq_activations *a, struct arena *arena, struct err *err)
{
    const size_t B = batch->batch, SB = batch->source_steps * B, TB = batch->target_steps * B;
    const size_t E = model->embedding, D = model->memory, H = model->hidden;
    const struct {
        real **slot;
        size_t count;
    } list[] = {
        {&a->source, SB * E},      {&a->source_mask, SB * E}, {&a->target, TB * E},
        {&a->target_mask, TB * E}, {&a->memory, SB * D},      {&a->last, B * D},
        {&a->first, B * H},        {&a->states, TB * H},      {&a->context, TB * D},
        {&a->combined, TB * E},    {&a->output, TB * E},      {&a->output_mask, TB * E},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (!(*list[i].slot = arena_alloc(arena, list[i].count, sizeof(real), err)))
            return ERR_MEMORY;
    return 0;
}

/* The encoder's last states of both directions: forward at S - 1, reverse at 0. */
static real *last_state(const struct seq2seq *model, const struct seq2seq_batch *batch,
                        real *memory, size_t b, size_t direction)
{
    const size_t step = direction == 0 ? batch->source_steps - 1 : 0;
    return memory + (step * batch->batch + b) * model->memory + direction * model->encoder_hidden;
}

static int encoder_forward(const struct seq2seq *model, const struct seq2seq_batch *batch,
                           struct seq2seq_activations *a, struct arena *arena, struct err *err)
{
    const size_t half = model->encoder_hidden;
    for (size_t d = 0; d < model->directions; d++) {
        const struct gru_shape shape = encoder_shape(model, batch, d);
        if (gru_forward(&model->weights.encoder[d], &shape, a->source, NULL,
                        mat_of(a->memory + d * half, model->memory), &a->encoder[d], arena, err))
            return err->code;
        for (size_t b = 0; b < batch->batch; b++)
            memcpy(a->last + b * model->memory + d * half,
                   last_state(model, batch, a->memory, b, d), half * sizeof(real));
    }
    return 0;
}

int seq2seq_forward(const struct seq2seq *model, const struct seq2seq_batch *batch,
                    const struct seq2seq_training *training, struct rng *rng,
                    struct seq2seq_activations *a, struct arena *arena, struct err *err)
{
    const struct seq2seq_weights *w = &model->weights;
    const size_t B = batch->batch, SB = batch->source_steps * B, TB = batch->target_steps * B;
    const size_t E = model->embedding, D = model->memory, H = model->hidden;
    if (allocate(model, batch, a, arena, err))
        return err->code;

    embedding_forward(SB, E, batch->source, w->embedding, a->source);
    dropout_forward(SB * E, training->dropout_embedding, rng, a->source, a->source_mask);
    embedding_forward(TB, E, batch->target_input, w->embedding, a->target);
    dropout_forward(TB * E, training->dropout_embedding, rng, a->target, a->target_mask);

    if (encoder_forward(model, batch, a, arena, err))
        return err->code;
    const struct linear bridge = bridge_layer(model, w);
    linear_forward(B, H, D, mat_of(a->last, D), &bridge, 0, mat_of(a->first, H));
    tanh_forward(B * H, a->first);

    const struct gru_shape decoder = decoder_shape(model, batch);
    if (gru_forward(&w->decoder, &decoder, a->target, a->first, mat_of(a->states, H), &a->decoder,
                    arena, err))
        return err->code;
    const struct attention_shape attention = attention_shape(model, batch);
    if (attention_forward(&attention, w->attention, a->memory, a->states, a->context, &a->attention,
                          arena, err))
        return err->code;

    const struct linear context = combine_part(model, w, false);
    const struct linear state = combine_part(model, w, true);
    linear_forward(TB, E, D, mat_of(a->context, D), &context, 0, mat_of(a->combined, E));
    linear_forward(TB, E, H, mat_of(a->states, H), &state, 1, mat_of(a->combined, E));
    tanh_forward(TB * E, a->combined);
    memcpy(a->output, a->combined, TB * E * sizeof(real));
    dropout_forward(TB * E, training->dropout_output, rng, a->output, a->output_mask);
    return 0;
}

void seq2seq_logits(const struct seq2seq *model, size_t rows, const real *output, real *logits)
{
    const struct linear layer = output_layer(model, &model->weights);
    linear_forward(rows, model->vocabulary, model->embedding, mat_of(output, model->embedding),
                   &layer, 0, mat_of(logits, model->vocabulary));
}

/* Loss and the output layer's backward; d_output [T, B, E]. */
static int output_learn(const struct seq2seq *model, const struct seq2seq_weights *g,
                        const struct seq2seq_batch *batch, const struct seq2seq_training *training,
                        const real *output, real *d_output, struct seq2seq_sums *sums,
                        struct arena *arena, struct err *err)
{
    const size_t rows = batch->target_steps * batch->batch;
    const size_t V = model->vocabulary, E = model->embedding;
    const struct linear layer = output_layer(model, &model->weights);
    real *logits = arena_alloc(arena, LOSS_ROWS * V, sizeof(real), err);
    if (!logits)
        return ERR_MEMORY;
    for (size_t begin = 0; begin < rows; begin += LOSS_ROWS) {
        const size_t count = rows - begin < LOSS_ROWS ? rows - begin : LOSS_ROWS;
        double negative_log;
        seq2seq_logits(model, count, output + begin * E, logits);
        sums->loss +=
            cross_entropy(count, V, batch->target_output + begin, (real)training->label_smoothing,
                          (real)training->scale, logits, &negative_log);
        sums->negative_log += negative_log;
        if (!g)
            continue;
        const struct linear gradient = output_layer(model, g);
        linear_backward(count, V, E, mat_of(output + begin * E, E), &layer, &gradient,
                        mat_of(logits, V), 0, mat_of(d_output + begin * E, E));
    }
    return 0;
}

static int encoder_backward(const struct seq2seq *model, const struct seq2seq_weights *g,
                            const struct seq2seq_batch *batch, const struct seq2seq_activations *a,
                            real *d_memory, real *d_last, real *d_source, struct arena *arena,
                            struct err *err)
{
    const size_t D = model->memory, half = model->encoder_hidden;
    for (size_t d = 0; d < model->directions; d++) {
        const struct gru_shape shape = encoder_shape(model, batch, d);
        for (size_t b = 0; b < batch->batch; b++)
            mat_add_scaled(half, 1, d_last + b * D + d * half,
                           last_state(model, batch, d_memory, b, d));
        if (gru_backward(&model->weights.encoder[d], &g->encoder[d], &shape, a->source, NULL,
                         mat_of(a->memory + d * half, D), &a->encoder[d],
                         mat_of(d_memory + d * half, D), d_source, d > 0, NULL, arena, err))
            return err->code;
    }
    return 0;
}

struct seq2seq_d { /* gradients by the activations of the same names */
    real *source, *target, *memory, *last, *first, *states, *context, *output;
};

static int allocate_d(const struct seq2seq *model, const struct seq2seq_batch *batch,
                      struct seq2seq_d *d, struct arena *arena, struct err *err)
{
    const size_t B = batch->batch, SB = batch->source_steps * B, TB = batch->target_steps * B;
    const size_t E = model->embedding, D = model->memory, H = model->hidden;
    const struct {
        real **slot;
        size_t count;
    } list[] = {
        {&d->source, SB * E}, {&d->target, TB * E}, {&d->memory, SB * D},  {&d->last, B * D},
        {&d->first, B * H},   {&d->states, TB * H}, {&d->context, TB * D}, {&d->output, TB * E},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++)
        if (!(*list[i].slot = arena_alloc(arena, list[i].count, sizeof(real), err)))
            return ERR_MEMORY;
    return 0;
}

/* From d->output back to all weights, in the reverse order of seq2seq_forward. */
static int backward(const struct seq2seq *model, const struct seq2seq_weights *g,
                    const struct seq2seq_batch *batch, const struct seq2seq_training *training,
                    const struct seq2seq_activations *a, struct seq2seq_d *d, struct arena *arena,
                    struct err *err)
{
    const struct seq2seq_weights *w = &model->weights;
    const size_t B = batch->batch, SB = batch->source_steps * B, TB = batch->target_steps * B;
    const size_t E = model->embedding, D = model->memory, H = model->hidden;

    dropout_backward(TB * E, training->dropout_output, a->output_mask, d->output);
    tanh_backward(TB * E, a->combined, d->output);
    const struct linear state = combine_part(model, w, true),
                        g_state = combine_part(model, g, true);
    const struct linear context = combine_part(model, w, false);
    const struct linear g_context = combine_part(model, g, false);
    linear_backward(TB, E, H, mat_of(a->states, H), &state, &g_state, mat_of(d->output, E), 0,
                    mat_of(d->states, H));
    linear_backward(TB, E, D, mat_of(a->context, D), &context, &g_context, mat_of(d->output, E), 0,
                    mat_of(d->context, D));

    const struct attention_shape attention = attention_shape(model, batch);
    if (attention_backward(&attention, w->attention, a->memory, a->states, &a->attention,
                           d->context, g->attention, d->memory, d->states, arena, err))
        return err->code;
    const struct gru_shape decoder = decoder_shape(model, batch);
    if (gru_backward(&w->decoder, &g->decoder, &decoder, a->target, a->first, mat_of(a->states, H),
                     &a->decoder, mat_of(d->states, H), d->target, 0, d->first, arena, err))
        return err->code;

    const struct linear bridge = bridge_layer(model, w), g_bridge = bridge_layer(model, g);
    tanh_backward(B * H, a->first, d->first);
    linear_backward(B, H, D, mat_of(a->last, D), &bridge, &g_bridge, mat_of(d->first, H), 0,
                    mat_of(d->last, D));
    if (encoder_backward(model, g, batch, a, d->memory, d->last, d->source, arena, err))
        return err->code;

    dropout_backward(TB * E, training->dropout_embedding, a->target_mask, d->target);
    embedding_backward(TB, E, batch->target_input, d->target, g->embedding);
    dropout_backward(SB * E, training->dropout_embedding, a->source_mask, d->source);
    embedding_backward(SB, E, batch->source, d->source, g->embedding);
    return 0;
}

int seq2seq_learn(const struct seq2seq *model, const struct seq2seq_weights *gradients,
                  const struct seq2seq_batch *batch, const struct seq2seq_training *training,
                  struct rng *rng, struct seq2seq_sums *sums, struct arena *arena, struct err *err)
{
    struct seq2seq_activations activations = {0};
    struct seq2seq_d d;
    if (seq2seq_forward(model, batch, training, rng, &activations, arena, err) ||
        allocate_d(model, batch, &d, arena, err) ||
        output_learn(model, gradients, batch, training, activations.output, d.output, sums, arena,
                     err))
        return err->code;
    if (!gradients)
        return 0;
    return backward(model, gradients, batch, training, &activations, &d, arena, err);
}
