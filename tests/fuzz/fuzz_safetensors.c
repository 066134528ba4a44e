/* Fuzz target: safetensors files. Every number of every tensor that is accepted is read, so that
   the address sanitizer sees one that lies outside. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "model/safetensors.h"

static volatile uint64_t sum_of_integers;

static void require(int condition)
{
    if (!condition)
        abort();
}

static void check_tensor(const struct tensor *tensor)
{
    size_t count = 1;
    require(tensor->name != NULL && tensor->dimensions <= SAFETENSORS_MAX_DIMENSIONS);
    for (size_t i = 0; i < tensor->dimensions; i++)
        count *= tensor->shape[i];
    require(count == tensor->count);
    require((tensor->data == NULL) == (tensor->type == TENSOR_I64));
    require((tensor->integers == NULL) == (tensor->type == TENSOR_F32));
    for (size_t i = 0; i < count && tensor->data != NULL; i++)
        require(isfinite(tensor->data[i]));
    for (size_t i = 0; i < count && tensor->integers != NULL; i++)
        sum_of_integers += (uint64_t)tensor->integers[i];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct safetensors file = {0};
    struct err err = ERR_INIT;
    int rc = safetensors_parse(&file, data, size, &err);
    require(rc == (int)err.code && (rc != 0) == (err.message[0] != '\0'));
    if (rc)
        return 0;
    require(file.count <= SAFETENSORS_MAX_TENSORS);
    for (size_t i = 0; i < file.count; i++)
        check_tensor(&file.tensors[i]);
    safetensors_close(&file);
    return 0;
}
