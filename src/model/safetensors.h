/*
 * safetensors files: 8 bytes little-endian header length, a JSON header
 * {"name": {"dtype": "F32", "shape": [rows, columns], "data_offsets": [begin, end]}, ...,
 * "__metadata__": {...}}, then the data. Reading copies the file; every offset and size is checked
 * against it, tensors must neither overlap nor leave holes, and all floats must be finite. Besides
 * floats of 32 bits there are those of 16, "F16" (IEEE 754 binary16), and integers of 8 and of 64
 * bits, "I8" and "I64".
 * https://github.com/huggingface/safetensors#format
 */
#ifndef DRAGOMAN_MODEL_SAFETENSORS_H
#define DRAGOMAN_MODEL_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "base/file.h"

#define SAFETENSORS_MAX_BYTES ((size_t)4 << 30)
#define SAFETENSORS_MAX_HEADER (2u << 20)
#define SAFETENSORS_MAX_TENSORS 4096
#define SAFETENSORS_MAX_DIMENSIONS 4
#define SAFETENSORS_MAX_NAME 255 /* bytes */

enum tensor_type { TENSOR_F32, TENSOR_I64, TENSOR_I8, TENSOR_F16 };

struct tensor {
    char *name;
    enum tensor_type type;
    size_t dimensions, shape[SAFETENSORS_MAX_DIMENSIONS];
    size_t count; /* product of shape */
    /* Row-major and aligned, inside the copy (or the writer's own memory); those of other types are
       NULL. */
    const float *data;
    const int64_t *integers;
    const int8_t *bytes;
    const uint16_t *halves;
};
struct safetensors {
    struct file_copy copy;
    struct tensor *tensors;
    size_t count;
};

int safetensors_open(struct safetensors *file, const char *path, struct err *err);
/* The same on bytes in memory, for fuzzing: nothing is owned but the tensor table. */
int safetensors_parse(struct safetensors *file, const void *data, size_t size, struct err *err);
void safetensors_close(struct safetensors *file);
/* The tensor `name`, which must have exactly this shape (pass columns = 0 for one dimension). */
int safetensors_get(const struct safetensors *file, const char *name, size_t rows, size_t columns,
                    const float **data, struct err *err);
/* The same for integers, of one dimension. */
int safetensors_get_integers(const struct safetensors *file, const char *name, size_t count,
                             const int64_t **integers, struct err *err);
/* The same for a tensor of any other type and shape, which the caller describes: type, dimensions
   and shape of `wanted` are given, its data is filled in. */
int safetensors_find(const struct safetensors *file, const char *name, struct tensor *wanted,
                     struct err *err);
/* Writes the tensors in the order given, header padded so that data is 64-byte aligned. */
int safetensors_write(const char *path, const struct tensor *tensors, size_t count,
                      struct err *err);

#endif
