#include "model/parameter.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

void parameters_add(struct parameter_list *list, const char *prefix, const char *name,
                    const char *suffix, size_t rows, size_t columns, real **slot)
{
    struct parameter *added = &list->list[list->count++];
    *added = (struct parameter){.rows = rows, .columns = columns, .slot = slot};
    snprintf(added->name, sizeof added->name, "%s%s%s", prefix, name, suffix);
}

void parameters_add_cell(struct parameter_list *list, const char *prefix, const char *suffix,
                         struct cell_layer *layer)
{
    struct cell_tensor tensors[CELL_MAX_TENSORS];
    const size_t count = cell_tensors(layer, &layer->w, tensors);
    for (size_t i = 0; i < count; i++)
        parameters_add(list, prefix, tensors[i].name, suffix, tensors[i].rows, tensors[i].columns,
                       tensors[i].slot);
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

static bool has_name(const struct parameter *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(list[i].name, name) == 0)
            return true;
    return false;
}

int parameters_open(const struct parameter *list, size_t count, const struct safetensors *file,
                    struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const float *data;
        const int code =
            safetensors_get(file, list[i].name, list[i].rows, list[i].columns, &data, err);
        if (code < 0)
            return code;
        *list[i].slot = (real *)(uintptr_t)data;
    }
    for (size_t i = 0; file->count != count && i < file->count; i++)
        if (!has_name(list, count, file->tensors[i].name))
            return err_set(err, ERR_FORMAT, "tensor \"%s\" is none of the architecture's",
                           file->tensors[i].name);
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
