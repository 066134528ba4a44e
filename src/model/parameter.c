#include "model/parameter.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

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
