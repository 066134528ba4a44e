#include "model/parameter.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"

void parameters_add(struct parameter_list *list, const char *prefix, const char *name,
                    const char *suffix, size_t rows, size_t columns, real **slot)
{
    struct parameter *added = &list->list[list->count++];
    *added = (struct parameter){.rows = rows, .columns = columns, .slot = slot};
    snprintf(added->name, sizeof added->name, "%s%s%s", prefix, name, suffix);
}

void parameters_add_matrix(struct parameter_list *list, const char *prefix, size_t rows,
                           size_t columns, real **slot, struct dense_form *form)
{
    parameters_add(list, prefix, "weight", "", rows, columns, slot);
    list->list[list->count - 1].form = form;
}

void parameters_add_cell(struct parameter_list *list, const char *prefix, const char *suffix,
                         struct cell_layer *layer)
{
    struct cell_tensor tensors[CELL_MAX_TENSORS];
    const size_t count = cell_tensors(layer, &layer->w, tensors);
    for (size_t i = 0; i < count; i++) {
        parameters_add(list, prefix, tensors[i].name, suffix, tensors[i].rows, tensors[i].columns,
                       tensors[i].slot);
        list->list[list->count - 1].form = tensors[i].form;
        list->list[list->count - 1].part = tensors[i].part;
    }
}

void parameters_add_stack(struct parameter_list *list, const char *prefix, struct recurrent *net)
{
    for (size_t l = 0; l < net->layers; l++)
        for (size_t d = 0; d < net->directions; d++) {
            char suffix[48];
            snprintf(suffix, sizeof suffix, "_l%zu%s", l, d == 1 ? "_reverse" : "");
            parameters_add_cell(list, prefix, suffix, &net->layer[l][d]);
        }
}

static size_t values_of(const struct parameter *parameter)
{
    return parameter->rows * (parameter->columns ? parameter->columns : 1);
}

size_t parameters_total(const struct parameter *list, size_t count)
{
    size_t total = 0;
    for (size_t i = 0; i < count; i++)
        total += values_of(&list[i]);
    return total;
}

const struct parameter *parameters_at(const struct parameter *list, size_t *offset)
{
    while (*offset >= values_of(list))
        *offset -= values_of(list++);
    return list;
}

void parameters_bind(const struct parameter *list, size_t count, real *flat)
{
    for (size_t i = 0; i < count; i++) {
        *list[i].slot = flat;
        flat += values_of(&list[i]);
    }
}

static const struct parameter *find_name(const struct parameter *list, size_t count,
                                         const char *name, size_t len)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(list[i].name) == len && memcmp(list[i].name, name, len) == 0)
            return &list[i];
    return NULL;
}

/* Whether a tensor of that name belongs to the network. */
static bool is_known(const struct parameter *list, size_t count, bool quantized, const char *name)
{
    const size_t len = strlen(name), suffix = strlen(PARAMETER_SCALES);
    if (find_name(list, count, name, len))
        return true;
    if (!quantized || len < suffix || strcmp(name + len - suffix, PARAMETER_SCALES) != 0)
        return false;
    const struct parameter *matrix = find_name(list, count, name, len - suffix);
    return matrix && matrix->form;
}

struct dense parameter_dense(const struct parameter *parameter)
{
    const bool swap = parameter->transposed;
    struct dense w = {.outputs = swap ? parameter->columns : parameter->rows,
                      .inputs = swap ? parameter->rows : parameter->columns,
                      .part = parameter->part,
                      .floats = *parameter->slot};
    if (parameter->form)
        w.form = *parameter->form;
    return w;
}

void parameter_describe(const struct parameter *parameter, bool quantized, struct tensor *tensor)
{
    *tensor = (struct tensor){.type = TENSOR_F32,
                              .dimensions = parameter->columns ? 2 : 1,
                              .shape = {parameter->rows, parameter->columns},
                              .count = values_of(parameter)};
    if (quantized && parameter->halves)
        tensor->type = TENSOR_F16;
    if (!quantized || !parameter->form)
        return;
    const struct dense w = parameter_dense(parameter);
    const size_t part = w.part ? w.part : w.outputs;
    const size_t panels = w.outputs / part * ((part + INT8_PANEL - 1) / INT8_PANEL);
    const size_t groups = (w.inputs + INT8_GROUP - 1) / INT8_GROUP;
    *tensor = (struct tensor){.type = TENSOR_I8,
                              .dimensions = 4,
                              .shape = {panels, groups, INT8_PANEL, INT8_GROUP},
                              .count = panels * groups * INT8_BLOCK};
}

static int open_scales(const struct parameter *parameter, const struct safetensors *file,
                       struct err *err)
{
    char name[PARAMETER_MAX_NAME + sizeof PARAMETER_SCALES];
    snprintf(name, sizeof name, "%s" PARAMETER_SCALES, parameter->name);
    return safetensors_get(file, name, parameter_dense(parameter).outputs, 0,
                           &parameter->form->scales, err);
}

static int open_one(const struct parameter *parameter, bool quantized,
                    const struct safetensors *file, struct err *err)
{
    struct tensor tensor;
    parameter_describe(parameter, quantized, &tensor);
    const int code = safetensors_find(file, parameter->name, &tensor, err);
    if (code < 0)
        return code;
    *parameter->slot = (real *)(uintptr_t)tensor.data;
    if (parameter->halves)
        *parameter->halves = tensor.halves;
    if (!parameter->form)
        return 0;
    *parameter->form = (struct dense_form){.int8 = tensor.bytes};
    return tensor.bytes ? open_scales(parameter, file, err) : 0;
}

int parameters_open(const struct parameter *list, size_t count, bool quantized,
                    const struct safetensors *file, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const int code = open_one(&list[i], quantized, file, err);
        if (code < 0)
            return code;
    }
    for (size_t i = 0; i < file->count; i++)
        if (!is_known(list, count, quantized, file->tensors[i].name))
            return err_set(err, ERR_FORMAT, "tensor \"%s\" is none of the architecture's",
                           file->tensors[i].name);
    return 0;
}

/* flat [rows, columns] from the rows of a form; row: scratch for one of them */
static void expand_form(const struct parameter *parameter, real *flat, real *row)
{
    const struct dense w = parameter_dense(parameter);
    for (size_t o = 0; o < w.outputs; o++) {
        dense_row(&w, o, row);
        for (size_t i = 0; i < w.inputs; i++)
            flat[parameter->transposed ? i * w.outputs + o : o * w.inputs + i] = row[i];
    }
}

int parameters_expand(const struct parameter *list, size_t count, real *flat, struct err *err)
{
    size_t widest = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t inputs = parameter_dense(&list[i]).inputs;
        widest = inputs > widest ? inputs : widest;
    }
    real *row = mem_alloc(widest, sizeof *row, err);
    if (!row)
        return ERR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        if (*list[i].slot)
            memcpy(flat, *list[i].slot, values_of(&list[i]) * sizeof *flat);
        else if (list[i].form)
            expand_form(&list[i], flat, row);
        flat += values_of(&list[i]);
    }
    mem_free(row);
    return 0;
}

#ifndef DRAGOMAN_DOUBLE /* files hold floats */
void parameters_tensors(const struct parameter *list, size_t count, struct tensor *tensors)
{
    for (size_t i = 0; i < count; i++)
        tensors[i] = (struct tensor){
            .name = (char *)(uintptr_t)list[i].name,
            .dimensions = list[i].columns ? 2 : 1,
            .shape = {list[i].rows, list[i].columns},
            .count = values_of(&list[i]),
            .data = *list[i].slot,
        };
}
#endif
