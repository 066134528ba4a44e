/*
 * The tensors of the quantised bundle are described as those who will open it describe them
 * (parameter.h). Integers come first, so that each of their tensors begins at a multiple of 64
 * bytes; what a bundle has besides parameters is copied.
 */
#include "model/quantize.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "model/bundle.h"
#include "model/model_parameters.h"
#include "nn/half.h"

#define ARENA_BLOCK ((size_t)1 << 20)

struct work {
    const struct model *model;
    struct arena arena;
    struct model_parameters *parameters;
    struct tensor *tensors;
    size_t count;
};

/* The floats that the form is made of: [outputs, inputs]. */
static const float *floats_of(const struct parameter *parameter, struct arena *arena,
                              struct err *err)
{
    const float *floats = *parameter->slot;
    const size_t rows = parameter->rows, columns = parameter->columns;
    if (!parameter->transposed)
        return floats;
    float *turned = arena_alloc(arena, rows * columns, sizeof *turned, err);
    for (size_t r = 0; turned && r < rows; r++)
        for (size_t c = 0; c < columns; c++)
            turned[c * rows + r] = floats[r * columns + c];
    return turned;
}

int quantize_matrix(const struct parameter *parameter, struct arena *arena, struct dense_form *form,
                    struct err *err)
{
    const struct dense w = parameter_dense(parameter);
    const size_t part = w.part ? w.part : w.outputs, size = int8_weights_size(part, w.inputs);
    int8_t *bytes = arena_alloc(arena, dense_int8_size(&w), 1, err);
    float *scales = arena_alloc(arena, w.outputs, sizeof *scales, err);
    const float *floats = floats_of(parameter, arena, err);
    if (!bytes || !scales || !floats)
        return ERR_MEMORY;
    *form = (struct dense_form){.int8 = bytes, .scales = scales};
    for (size_t first = 0; first < w.outputs; first += part, bytes += size)
        if (int8_quantize(part, w.inputs, floats + first * w.inputs, w.inputs, bytes,
                          scales + first, err) < 0)
            return err_context(err, "tensor \"%s\"", parameter->name);
    return 0;
}

static int add_int8(struct work *work, const struct parameter *parameter, struct err *err)
{
    const size_t outputs = parameter_dense(parameter).outputs;
    const size_t size = strlen(parameter->name) + sizeof PARAMETER_SCALES;
    struct dense_form form;
    char *name = arena_alloc(&work->arena, size, 1, err);
    const int code = name ? quantize_matrix(parameter, &work->arena, &form, err) : ERR_MEMORY;
    if (code < 0)
        return code;
    snprintf(name, size, "%s" PARAMETER_SCALES, parameter->name);
    struct tensor *tensor = &work->tensors[work->count++];
    parameter_describe(parameter, true, tensor);
    tensor->name = (char *)(uintptr_t)parameter->name;
    tensor->bytes = form.int8;
    work->tensors[work->count++] = (struct tensor){
        .name = name, .dimensions = 1, .shape = {outputs}, .count = outputs, .data = form.scales};
    return 0;
}

static int add_halves(struct work *work, const struct parameter *parameter, struct err *err)
{
    struct tensor *tensor = &work->tensors[work->count++];
    const float *floats = *parameter->slot;
    parameter_describe(parameter, true, tensor);
    tensor->name = (char *)(uintptr_t)parameter->name;
    uint16_t *halves = arena_alloc(&work->arena, tensor->count, sizeof *halves, err);
    if (!halves)
        return ERR_MEMORY;
    for (size_t i = 0; i < tensor->count; i++) {
        if (fabsf(floats[i]) > HALF_LARGEST)
            return err_set(err, ERR_ARGUMENT,
                           "tensor \"%s\": element %zu is too large for a float of 16 bits",
                           parameter->name, i);
        halves[i] = half_nearest(floats[i]);
    }
    tensor->halves = halves;
    return 0;
}

static int add_parameter(struct work *work, const struct parameter *parameter, struct err *err)
{
    if (parameter->form)
        return add_int8(work, parameter, err);
    if (parameter->halves)
        return add_halves(work, parameter, err);
    parameters_tensors(parameter, 1, &work->tensors[work->count++]);
    return 0;
}

/* A bag's table of features. */
static void add_others(struct work *work)
{
    const struct safetensors *file = &work->model->weights;
    for (size_t i = 0; i < file->count; i++)
        if (file->tensors[i].type == TENSOR_I64)
            work->tensors[work->count++] = file->tensors[i];
}

static int compare_types(const void *a, const void *b)
{
    static const int order[] = {
        [TENSOR_I8] = 0, [TENSOR_I64] = 1, [TENSOR_F32] = 2, [TENSOR_F16] = 3};
    const struct tensor *one = a, *other = b;
    if (one->type != other->type)
        return order[one->type] - order[other->type];
    return strcmp(one->name, other->name);
}

static int make_tensors(struct work *work, struct err *err)
{
    work->parameters = model_parameters(work->model, err);
    if (!work->parameters)
        return ERR_MEMORY;
    /* A matrix becomes two tensors; a bag has its table. */
    work->tensors =
        arena_alloc(&work->arena, 2 * work->parameters->count + 1, sizeof *work->tensors, err);
    if (!work->tensors)
        return ERR_MEMORY;
    for (size_t i = 0; i < work->parameters->count; i++) {
        const int code = add_parameter(work, &work->parameters->list[i], err);
        if (code < 0)
            return code;
    }
    add_others(work);
    qsort(work->tensors, work->count, sizeof *work->tensors, compare_types);
    return 0;
}

int quantize_save(const struct model *model, const char *folder, struct err *err)
{
    struct work work = {.model = model};
    struct spec spec = model->spec;
    if (spec.weights != SPEC_WEIGHTS_F32)
        return err_set(err, ERR_ARGUMENT, "%s: is quantised already", model->folder);
    spec.weights = spec_small_weights(spec.kind);
    char *vocabulary = file_join(model->folder, BUNDLE_VOCABULARY, err);
    if (!vocabulary)
        return ERR_MEMORY;
    arena_init(&work.arena, ARENA_BLOCK);
    int code = make_tensors(&work, err);
    if (code == 0)
        code = bundle_save(folder, &spec, vocabulary, work.tensors, work.count, err);
    mem_free(work.parameters);
    arena_release(&work.arena);
    mem_free(vocabulary);
    return code;
}
