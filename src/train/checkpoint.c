#include "train/checkpoint.h"

#include <string.h>

#include "model/safetensors.h"
#include "nn/mat.h"

#define PIECES 4 /* floats of 16 bits that hold one number of the progress */
#define NUMBERS (sizeof(struct checkpoint_progress) / sizeof(uint64_t))
#define VECTORS 5

_Static_assert(sizeof(double) == sizeof(uint64_t), "a double is stored by its bits");
_Static_assert(sizeof(struct checkpoint_progress) % sizeof(uint64_t) == 0, "nothing between them");

struct named {
    const char *name;
    real *data;
    size_t count;
};

static void name_vectors(const struct checkpoint_vectors *vectors, struct named named[VECTORS])
{
    named[0] = (struct named){"weights", vectors->weights, vectors->parameters};
    named[1] = (struct named){"moment.first", vectors->first, vectors->parameters};
    named[2] = (struct named){"moment.second", vectors->second, vectors->parameters};
    named[3] = (struct named){"average", vectors->average, vectors->parameters};
    named[4] = (struct named){"carried", vectors->carried, vectors->carried_count};
}

static struct tensor describe(const char *name, size_t count, const float *data)
{
    return (struct tensor){.name = (char *)(uintptr_t)name,
                           .dimensions = 1,
                           .shape = {count},
                           .count = count,
                           .data = data};
}

static void to_floats(const struct checkpoint_progress *progress, float pieces[NUMBERS * PIECES])
{
    uint64_t numbers[NUMBERS];
    memcpy(numbers, progress, sizeof numbers);
    for (size_t i = 0; i < NUMBERS * PIECES; i++)
        pieces[i] = (float)(numbers[i / PIECES] >> (16 * (i % PIECES)) & 0xFFFF);
}

static bool from_floats(const float *pieces, struct checkpoint_progress *progress)
{
    uint64_t numbers[NUMBERS] = {0};
    for (size_t i = 0; i < NUMBERS * PIECES; i++) {
        if (!(pieces[i] >= 0 && pieces[i] <= 0xFFFF))
            return false;
        numbers[i / PIECES] |= (uint64_t)pieces[i] << (16 * (i % PIECES));
    }
    memcpy(progress, numbers, sizeof numbers);
    return true;
}

int checkpoint_save(const char *path, const struct checkpoint_vectors *vectors,
                    const struct checkpoint_progress *progress, struct err *err)
{
    struct named named[VECTORS];
    struct tensor tensors[VECTORS + 1];
    float pieces[NUMBERS * PIECES];
    size_t count = 0;
    to_floats(progress, pieces);
    tensors[count++] = describe("progress", NUMBERS * PIECES, pieces);
    name_vectors(vectors, named);
    for (size_t i = 0; i < VECTORS; i++)
        if (named[i].data)
            tensors[count++] = describe(named[i].name, named[i].count, named[i].data);
    return safetensors_write(path, tensors, count, err);
}

static int read_progress(const struct safetensors *file, uint64_t origin,
                         struct checkpoint_progress *progress, struct err *err)
{
    const float *pieces;
    if (safetensors_get(file, "progress", NUMBERS * PIECES, 0, &pieces, err))
        return err->code;
    if (!from_floats(pieces, progress))
        return err_set(err, ERR_FORMAT, "the progress is out of range");
    if (progress->origin != origin)
        return err_set(err, ERR_FORMAT,
                       "cannot go on from it: the data, the vocabulary, the number of threads or a "
                       "setting that the weights depend on has changed since");
    return 0;
}

static int read_vectors(const struct safetensors *file, const struct checkpoint_vectors *vectors,
                        struct err *err)
{
    struct named named[VECTORS];
    name_vectors(vectors, named);
    for (size_t i = 0; i < VECTORS; i++) {
        const float *data;
        if (!named[i].data)
            continue;
        if (safetensors_get(file, named[i].name, named[i].count, 0, &data, err))
            return err->code;
        memcpy(named[i].data, data, named[i].count * sizeof *data);
    }
    return 0;
}

int checkpoint_load(const char *path, uint64_t origin, const struct checkpoint_vectors *vectors,
                    struct checkpoint_progress *progress, struct err *err)
{
    struct safetensors file;
    if (safetensors_open(&file, path, err))
        return err->code;
    int status = read_progress(&file, origin, progress, err);
    if (status == 0)
        status = read_vectors(&file, vectors, err);
    if (status)
        err_context(err, "%s", path);
    safetensors_close(&file);
    return status;
}

int checkpoint_save_weights(const char *path, size_t parameters, const real *weights,
                            struct err *err)
{
    const struct tensor tensor = describe("weights", parameters, weights);
    return safetensors_write(path, &tensor, 1, err);
}

int checkpoint_add_weights(const char *path, size_t parameters, real *sum, struct err *err)
{
    struct safetensors file;
    const float *weights;
    if (safetensors_open(&file, path, err))
        return err->code;
    const int status = safetensors_get(&file, "weights", parameters, 0, &weights, err);
    if (status == 0)
        mat_add_scaled(parameters, 1, weights, sum);
    else
        err_context(err, "%s", path);
    safetensors_close(&file);
    return status;
}
