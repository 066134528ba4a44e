/* The network as an object: sizes, parameter table, first weights, opening. */
#include "model/rnn.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "model/rnn_parts.h"
#include "nn/init.h"

bool rnn_is_pooled(const struct rnn *model)
{
    return model->task == SPEC_CLASSIFICATION || model->task == SPEC_REGRESSION;
}

bool rnn_has_label(const struct rnn *model)
{
    return model->condition != SPEC_CONDITION_NONE && model->labels > 0;
}

size_t rnn_input_width(const struct rnn *model)
{
    return model->embedding + (model->condition == SPEC_CONDITION_EVERY ? model->feature : 0);
}

size_t rnn_first_width(const struct rnn *model)
{
    return model->encoder.layers * model->encoder.layer[0][0].hidden;
}

static size_t outputs_of(const struct spec *spec)
{
    if (spec->task == SPEC_REGRESSION)
        return 1;
    return spec->task == SPEC_GENERATION ? spec->vocabulary : spec->label_count;
}

void rnn_size(struct rnn *model, const struct spec *spec)
{
    const struct spec_recurrent *net = &spec->encoder;
    const bool conditioned = spec->condition != SPEC_CONDITION_NONE;
    *model = (struct rnn){
        .task = spec->task,
        .vocabulary = spec->vocabulary,
        .labels = spec->label_count,
        .row = spec->row,
        .embedding = spec->embedding,
        .condition = spec->condition,
        .feature = conditioned ? spec->feature : 0,
        .pooling = spec->pooling,
        .tied = spec->tied,
        .outputs = outputs_of(spec),
    };
    recurrent_size(&model->encoder, net->cell, net->norm, rnn_input_width(model), net->hidden,
                   net->layers, net->bidirectional ? 2 : 1, net->residual);
    model->pool = recurrent_width(&model->encoder);
}

static void add_input(struct rnn *model, struct parameter_list *all)
{
    const size_t E = model->embedding, F = model->row, C = model->feature;
    if (F == 0) {
        parameters_add_matrix(all, "embedding.", model->vocabulary, E, &model->embedding_weight,
                              &model->forms.embedding);
    } else {
        parameters_add_matrix(all, "row.", E, F, &model->row_weight, &model->forms.row);
        parameters_add(all, "row.", "bias", "", E, 0, &model->row_bias);
    }
    if (rnn_has_label(model))
        parameters_add(all, "label.", "weight", "", model->labels, C, &model->label_weight);
    if (model->condition == SPEC_CONDITION_FIRST) {
        const size_t H = rnn_first_width(model);
        parameters_add_matrix(all, "first.", H, C, &model->first_weight, &model->forms.first);
        parameters_add(all, "first.", "bias", "", H, 0, &model->first_bias);
    }
}

size_t rnn_parameters(struct rnn *model, struct parameter list[RNN_MAX_PARAMETERS])
{
    const size_t O = model->outputs, D = model->pool;
    struct parameter_list all = {.list = list};
    add_input(model, &all);
    parameters_add_stack(&all, "encoder.", &model->encoder);
    if (rnn_is_pooled(model) && model->pooling == SPEC_POOL_ATTENTION) {
        parameters_add(&all, "attention.", "key_weight", "", D, D, &model->key_weight);
        all.list[all.count - 1].form = &model->forms.key;
        parameters_add(&all, "attention.", "key_bias", "", D, 0, &model->key_bias);
        parameters_add(&all, "attention.", "score_weight", "", D, 0, &model->score_weight);
    }
    if (!model->tied)
        parameters_add_matrix(&all, "output.", O, D, &model->output_weight, &model->forms.output);
    parameters_add(&all, "output.", "bias", "", O, 0, &model->output_bias);
    return all.count;
}

static void init_input(struct rnn *model, struct rng *rng)
{
    const size_t V = model->vocabulary, E = model->embedding, C = model->feature;
    if (model->row > 0) {
        init_glorot(E, model->row, rng, model->row_weight);
        memset(model->row_bias, 0, E * sizeof(real));
    } else {
        init_normal(V * E, 1 / sqrt((double)E), rng, model->embedding_weight);
    }
    if (rnn_has_label(model))
        init_normal(model->labels * C, 1 / sqrt((double)C), rng, model->label_weight);
    if (model->condition == SPEC_CONDITION_FIRST) {
        init_glorot(rnn_first_width(model), C, rng, model->first_weight);
        memset(model->first_bias, 0, rnn_first_width(model) * sizeof(real));
    }
}

void rnn_init(struct rnn *model, const struct cell_init_settings *settings, struct rng *rng)
{
    const size_t D = model->pool;
    init_input(model, rng);
    recurrent_init(&model->encoder, settings, rng);
    if (model->key_weight != NULL) {
        init_glorot(D, D, rng, model->key_weight);
        memset(model->key_bias, 0, D * sizeof(real));
        init_glorot(1, D, rng, model->score_weight);
    }
    if (!model->tied)
        init_glorot(model->outputs, D, rng, model->output_weight);
    memset(model->output_bias, 0, model->outputs * sizeof(real));
}

int rnn_open(struct rnn **model, const struct spec *spec, const struct safetensors *file,
             struct err *err)
{
    struct rnn *opened = mem_alloc(1, sizeof *opened, err);
    struct parameter *list = mem_alloc(RNN_MAX_PARAMETERS, sizeof *list, err);
    int code = ERR_MEMORY;
    if (opened == NULL || list == NULL)
        goto failed;
    rnn_size(opened, spec);
    code = parameters_open(list, rnn_parameters(opened, list), spec->weights == SPEC_WEIGHTS_INT8,
                           file, err);
    if (code < 0)
        goto failed;
    mem_free(list);
    *model = opened;
    return 0;
failed:
    mem_free(list);
    mem_free(opened);
    return code;
}

int rnn_expand(struct rnn **floats, const struct rnn *model, struct err *err)
{
    int code = ERR_MEMORY;
    struct rnn *expanded = mem_alloc(1, sizeof *expanded, err);
    struct parameter *list = mem_alloc(RNN_MAX_PARAMETERS, sizeof *list, err);
    if (expanded == NULL || list == NULL)
        goto out;
    *expanded = *model;
    const size_t count = rnn_parameters(expanded, list);
    expanded->own = mem_alloc(parameters_total(list, count), sizeof(real), err);
    if (expanded->own == NULL)
        goto out;
    code = parameters_expand(list, count, expanded->own, err);
    parameters_bind(list, count, expanded->own);
    for (size_t i = 0; i < count; i++)
        if (list[i].form != NULL)
            *list[i].form = (struct dense_form){.int8 = NULL};
out:
    mem_free(list);
    if (code < 0)
        rnn_free(expanded);
    else
        *floats = expanded;
    return code;
}

void rnn_free(struct rnn *model)
{
    if (model != NULL)
        mem_free(model->own);
    mem_free(model);
}
