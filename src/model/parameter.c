#include "model/parameter.h"

#include <stdint.h>

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

void parameters_bind(const struct parameter *list, size_t count, real *flat)
{
    for (size_t i = 0; i < count; i++) {
        *list[i].slot = flat;
        flat += values_of(&list[i]);
    }
}

int parameters_open(const struct parameter *list, size_t count, const struct safetensors *file,
                    struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const float *data;
        if (safetensors_get(file, list[i].name, list[i].rows, list[i].columns, &data, err))
            return err->code;
        *list[i].slot = (real *) (uintptr_t) data;
    }
    if (file->count != count)
        return err_set(err, ERR_FORMAT, "%zu tensors where the architecture has %zu", file->count,
                       count);
    return 0;
}

void parameters_tensors(const struct parameter *list, size_t count, struct tensor *tensors)
{
    for (size_t i = 0; i < count; i++)
        tensors[i] = (struct tensor){
            .name = (char *) (uintptr_t) list[i].name,
            .dimensions = list[i].columns ? 2 : 1,
            .shape = {list[i].rows, list[i].columns},
            .count = values_of(&list[i]),
            .data = *list[i].slot,
        };
}
