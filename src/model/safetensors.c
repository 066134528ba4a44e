/*
 * Weight files. A file is trusted only after all of it was checked: the header against the file's
 * size, every tensor's range against its shape and against its neighbours (sorted by offset they
 * must tile the data exactly), and every float for being finite. No sum or product of numbers from
 * the file is formed before it is known to fit. What was checked is a copy, which stays as it was
 * even if somebody writes into the file.
 */
#include "model/safetensors.h"

#include <jansson.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define PREFIX_BYTES 8    /* the header's length */
#define DATA_ALIGN 64     /* of the data in files that we write */
#define SCAN_FLOATS 1024u /* looked at between two questions whether one was not finite */

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "weights are used as they are");
_Static_assert(sizeof(float) == 4, "F32 is used as float");

static const char *const type_names[] = {
    [TENSOR_F32] = "F32", [TENSOR_I64] = "I64", [TENSOR_I8] = "I8", [TENSOR_F16] = "F16"};
static const size_t type_sizes[] = {[TENSOR_F32] = sizeof(float),
                                    [TENSOR_I64] = sizeof(int64_t),
                                    [TENSOR_I8] = sizeof(int8_t),
                                    [TENSOR_F16] = sizeof(uint16_t)};

static size_t tensor_bytes(const struct tensor *tensor)
{
    return tensor->count * type_sizes[tensor->type];
}

/* Where a tensor lies, in bytes from the start of the data. */
struct range {
    size_t begin, end, tensor;
};

static int compare_ranges(const void *left, const void *right)
{
    const struct range *a = left, *b = right;
    return (a->begin > b->begin) - (a->begin < b->begin);
}

/* Only clean names may stand in messages. jansson has checked that they are UTF-8. */
static bool name_is_valid(const char *name)
{
    size_t len = strlen(name);
    if (len < 1 || len > SAFETENSORS_MAX_NAME)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return false;
    return true;
}

/* One element of an array of sizes, at most `max`. */
static int read_size(const json_t *value, const char *name, const char *what, size_t max,
                     size_t *size, struct err *err)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return err_set(err, ERR_FORMAT, "tensor \"%s\": %s must hold whole numbers from 0 up", name,
                       what);
    if ((uint64_t)json_integer_value(value) > max)
        return err_set(err, ERR_FORMAT, "tensor \"%s\": %s has %lld, at most %zu fits the file",
                       name, what, (long long)json_integer_value(value), max);
    *size = (size_t)json_integer_value(value);
    return 0;
}

/* No dimension and no product of dimensions may exceed what fits the data: nothing can overflow. */
static int read_shape(struct tensor *tensor, const json_t *shape, size_t data_size, struct err *err)
{
    size_t most = data_size / type_sizes[tensor->type];
    if (!json_is_array(shape))
        return err_set(err, ERR_FORMAT, "tensor \"%s\": \"shape\" must be an array", tensor->name);
    if (json_array_size(shape) > SAFETENSORS_MAX_DIMENSIONS)
        return err_set(err, ERR_LIMIT, "tensor \"%s\": %zu dimensions, allowed are %d",
                       tensor->name, json_array_size(shape), SAFETENSORS_MAX_DIMENSIONS);
    tensor->dimensions = json_array_size(shape);
    tensor->count = 1;
    for (size_t i = 0; i < tensor->dimensions; i++) {
        int code = read_size(json_array_get(shape, i), tensor->name, "\"shape\"", most,
                             &tensor->shape[i], err);
        if (code < 0)
            return code;
        if (tensor->shape[i] == 0)
            return err_set(err, ERR_FORMAT, "tensor \"%s\": a dimension is 0", tensor->name);
        if (tensor->count > most / tensor->shape[i])
            return err_set(err, ERR_FORMAT, "tensor \"%s\": its shape needs more than the file has",
                           tensor->name);
        tensor->count *= tensor->shape[i];
    }
    return 0;
}

static int read_range(const struct tensor *tensor, const json_t *offsets, size_t data_size,
                      struct range *range, struct err *err)
{
    int code;
    if (!json_is_array(offsets) || json_array_size(offsets) != 2)
        return err_set(err, ERR_FORMAT, "tensor \"%s\": \"data_offsets\" must be [begin, end]",
                       tensor->name);
    if ((code = read_size(json_array_get(offsets, 0), tensor->name, "\"data_offsets\"", data_size,
                          &range->begin, err)) < 0 ||
        (code = read_size(json_array_get(offsets, 1), tensor->name, "\"data_offsets\"", data_size,
                          &range->end, err)) < 0)
        return code;
    if (range->end < range->begin)
        return err_set(err, ERR_FORMAT, "tensor \"%s\": \"data_offsets\" end before they begin",
                       tensor->name);
    if (range->end - range->begin != tensor_bytes(tensor))
        return err_set(err, ERR_FORMAT,
                       "tensor \"%s\": \"data_offsets\" span %zu bytes, its shape needs %zu",
                       tensor->name, range->end - range->begin, tensor_bytes(tensor));
    return 0;
}

static int read_type(struct tensor *tensor, const json_t *type, struct err *err)
{
    if (!json_is_string(type))
        return err_set(err, ERR_FORMAT, "tensor \"%s\": \"dtype\" must be a text", tensor->name);
    for (size_t i = 0; i < sizeof type_names / sizeof *type_names; i++)
        if (strcmp(json_string_value(type), type_names[i]) == 0) {
            tensor->type = (enum tensor_type)i;
            return 0;
        }
    bool clean = name_is_valid(json_string_value(type)) && json_string_length(type) <= 16;
    return err_set(err, ERR_FORMAT,
                   "tensor \"%s\": type %s is not supported, only F32, F16, I64 and I8 are",
                   tensor->name, clean ? json_string_value(type) : "(unprintable)");
}

static int read_tensor(struct tensor *tensor, const char *name, const json_t *entry,
                       size_t data_size, struct range *range, struct err *err)
{
    int code;
    tensor->name = mem_copy_text(name, strlen(name), err);
    if (tensor->name == NULL)
        return ERR_MEMORY;
    if (!json_is_object(entry))
        return err_set(err, ERR_FORMAT, "tensor \"%s\" must be an object", name);
    if ((code = read_type(tensor, json_object_get(entry, "dtype"), err)) < 0 ||
        (code = read_shape(tensor, json_object_get(entry, "shape"), data_size, err)) < 0)
        return code;
    return read_range(tensor, json_object_get(entry, "data_offsets"), data_size, range, err);
}

/* Sorted by offset, each tensor must begin where the one before it ended. */
static int check_tiling(const struct safetensors *file, struct range *ranges, size_t data_size,
                        struct err *err)
{
    size_t at = 0;
    if (file->count > 0)
        qsort(ranges, file->count, sizeof *ranges, compare_ranges);
    for (size_t i = 0; i < file->count; i++) {
        const char *name = file->tensors[ranges[i].tensor].name;
        if (ranges[i].begin < at)
            return err_set(err, ERR_FORMAT, "tensor \"%s\" overlaps another", name);
        if (ranges[i].begin > at)
            return err_set(err, ERR_FORMAT, "tensor \"%s\": %zu unused bytes before it", name,
                           ranges[i].begin - at);
        at = ranges[i].end;
    }
    if (at != data_size)
        return err_set(err, ERR_FORMAT, "%zu unused bytes at the end", data_size - at);
    return 0;
}

/* An exponent of all ones is infinity or not a number. */
static bool floats_are_finite(const float *data, size_t count)
{
    const uint32_t exponent = 0x7f800000;
    while (count > 0) {
        uint32_t bad = 0;
        size_t n = count < SCAN_FLOATS ? count : SCAN_FLOATS;
        for (size_t i = 0; i < n; i++) {
            uint32_t bits;
            memcpy(&bits, data + i, sizeof bits);
            bad |= (bits & exponent) == exponent;
        }
        if (bad)
            return false;
        data += n;
        count -= n;
    }
    return true;
}

/* The same for floats of 16 bits. */
static bool halves_are_finite(const uint16_t *data, size_t count)
{
    const uint16_t exponent = 0x7c00;
    unsigned bad = 0;
    for (size_t i = 0; i < count; i++)
        bad |= (data[i] & exponent) == exponent;
    return bad == 0;
}

static bool is_finite(const struct tensor *tensor, size_t from, size_t count)
{
    switch (tensor->type) {
    case TENSOR_F32:
        return floats_are_finite(tensor->data + from, count);
    case TENSOR_F16:
        return halves_are_finite(tensor->halves + from, count);
    case TENSOR_I64:
    case TENSOR_I8:
        break;
    }
    return true;
}

static int check_finite(const struct tensor *tensor, struct err *err)
{
    size_t at = 0;
    if (is_finite(tensor, 0, tensor->count))
        return 0;
    while (is_finite(tensor, at, 1))
        at++;
    return err_set(err, ERR_FORMAT, "tensor \"%s\": element %zu is not a finite number",
                   tensor->name, at);
}

static int read_tensors(struct safetensors *file, json_t *header, struct range *ranges,
                        size_t data_size, struct err *err)
{
    const char *name;
    json_t *entry;
    json_object_foreach(header, name, entry)
    {
        if (strcmp(name, "__metadata__") == 0)
            continue;
        if (!name_is_valid(name))
            return err_set(err, ERR_FORMAT,
                           "tensor %zu: its name is empty, too long or has control characters",
                           file->count);
        size_t index = file->count++;
        ranges[index].tensor = index;
        int code = read_tensor(&file->tensors[index], name, entry, data_size, &ranges[index], err);
        if (code < 0)
            return code;
    }
    return 0;
}

static void set_data(struct tensor *tensor, const void *data)
{
    switch (tensor->type) {
    case TENSOR_F32:
        tensor->data = data;
        break;
    case TENSOR_I64:
        tensor->integers = data;
        break;
    case TENSOR_I8:
        tensor->bytes = data;
        break;
    case TENSOR_F16:
        tensor->halves = data;
        break;
    }
}

static const void *get_data(const struct tensor *tensor)
{
    switch (tensor->type) {
    case TENSOR_F32:
        return tensor->data;
    case TENSOR_I64:
        return tensor->integers;
    case TENSOR_I8:
        return tensor->bytes;
    case TENSOR_F16:
        return tensor->halves;
    }
    return NULL;
}

static int place_tensor(struct tensor *tensor, const void *data, struct err *err)
{
    if ((uintptr_t)data % type_sizes[tensor->type] != 0)
        return err_set(err, ERR_FORMAT, "tensor \"%s\" is not aligned to %zu bytes", tensor->name,
                       type_sizes[tensor->type]);
    set_data(tensor, data);
    return 0;
}

/* Fills file->tensors from the header; data_size bytes of data follow at `data`. */
static int read_header(struct safetensors *file, json_t *header, const unsigned char *data,
                       size_t data_size, struct err *err)
{
    size_t entries = json_object_size(header);
    if (!json_is_object(header))
        return err_set(err, ERR_FORMAT, "the header is not a JSON object");
    if (entries > SAFETENSORS_MAX_TENSORS + 1)
        return err_set(err, ERR_LIMIT, "%zu tensors, allowed are %d", entries,
                       SAFETENSORS_MAX_TENSORS);
    struct range *ranges = mem_alloc(entries, sizeof *ranges, err);
    file->tensors = mem_alloc(entries, sizeof *file->tensors, err);
    int code = ERR_MEMORY;
    if (ranges == NULL || file->tensors == NULL ||
        (code = read_tensors(file, header, ranges, data_size, err)) < 0)
        goto out;
    code = check_tiling(file, ranges, data_size, err);
    for (size_t i = 0; i < file->count && code == 0; i++)
        code = place_tensor(&file->tensors[ranges[i].tensor], data + ranges[i].begin, err);
    for (size_t i = 0; i < file->count && code == 0; i++)
        code = check_finite(&file->tensors[i], err);
out:
    mem_free(ranges);
    return code;
}

/* jansson's own words may quote binary garbage: only the place is passed on. */
static json_t *parse_json(const unsigned char *text, size_t len, struct err *err)
{
    json_error_t error;
    json_t *header = json_loadb((const char *)text, len, JSON_REJECT_DUPLICATES, &error);
    if (header != NULL)
        return header;
    enum json_error_code reason = json_error_code(&error);
    if (error.text[0] == '\0' || reason == json_error_out_of_memory)
        err_set(err, ERR_MEMORY, "no memory to parse the header");
    else
        err_set(err, ERR_FORMAT, "the header is not valid JSON at byte %d%s",
                error.position < 0 ? 0 : error.position,
                reason == json_error_duplicate_key  ? ": a name stands there twice"
                : reason == json_error_invalid_utf8 ? ": not UTF-8"
                                                    : "");
    return NULL;
}

int safetensors_parse(struct safetensors *file, const void *data, size_t size, struct err *err)
{
    const unsigned char *bytes = data;
    uint64_t length;
    *file = (struct safetensors){.count = 0};
    if (size < PREFIX_BYTES)
        return err_set(err, ERR_FORMAT, "%zu bytes are too short for a safetensors file", size);
    memcpy(&length, bytes, sizeof length);
    if (length > SAFETENSORS_MAX_HEADER)
        return err_set(err, ERR_LIMIT, "the header claims %llu bytes, allowed are %u",
                       (unsigned long long)length, SAFETENSORS_MAX_HEADER);
    if (length > size - PREFIX_BYTES)
        return err_set(err, ERR_FORMAT, "the header claims %llu bytes, the file has %zu",
                       (unsigned long long)length, size - PREFIX_BYTES);
    const unsigned char *floats = bytes + PREFIX_BYTES + length;
    if ((uintptr_t)floats % alignof(float) != 0)
        return err_set(err, ERR_FORMAT, "the data is not aligned to %zu bytes", alignof(float));
    json_t *header = parse_json(bytes + PREFIX_BYTES, (size_t)length, err);
    if (header == NULL)
        return err == NULL ? ERR_FORMAT : (int)err->code;
    int code = read_header(file, header, floats, size - PREFIX_BYTES - (size_t)length, err);
    json_decref(header);
    if (code < 0)
        safetensors_close(file);
    return code;
}

int safetensors_open(struct safetensors *file, const char *path, struct err *err)
{
    struct file_copy copy;
    *file = (struct safetensors){.count = 0};
    int code = file_copy_open(&copy, path, SAFETENSORS_MAX_BYTES, err);
    if (code < 0)
        return code;
    code = safetensors_parse(file, copy.data, copy.size, err);
    if (code < 0) {
        file_copy_close(&copy);
        err_context(err, "%s", path);
        return code;
    }
    file->copy = copy;
    return 0;
}

void safetensors_close(struct safetensors *file)
{
    for (size_t i = 0; i < file->count; i++)
        mem_free(file->tensors[i].name);
    mem_free(file->tensors);
    file_copy_close(&file->copy);
    *file = (struct safetensors){.count = 0};
}

static void describe_shape(const struct tensor *tensor, char *text, size_t size)
{
    size_t len = 0;
    text[0] = '\0';
    for (size_t i = 0; i < tensor->dimensions; i++)
        len +=
            (size_t)snprintf(text + len, size - len, "%s%zu", i == 0 ? "" : ", ", tensor->shape[i]);
}

static int shape_error(const struct tensor *tensor, const struct tensor *wanted, struct err *err)
{
    char found[SAFETENSORS_MAX_DIMENSIONS * 24], needed[SAFETENSORS_MAX_DIMENSIONS * 24];
    describe_shape(tensor, found, sizeof found);
    describe_shape(wanted, needed, sizeof needed);
    return err_set(err, ERR_FORMAT, "tensor \"%s\" has shape [%s], the model needs [%s]",
                   tensor->name, found, needed);
}

static bool same_shape(const struct tensor *a, const struct tensor *b)
{
    return a->dimensions == b->dimensions &&
           memcmp(a->shape, b->shape, a->dimensions * sizeof *a->shape) == 0;
}

int safetensors_find(const struct safetensors *file, const char *name, struct tensor *wanted,
                     struct err *err)
{
    for (size_t i = 0; i < file->count; i++) {
        const struct tensor *tensor = &file->tensors[i];
        if (strcmp(tensor->name, name) != 0)
            continue;
        if (tensor->type != wanted->type)
            return err_set(err, ERR_FORMAT, "tensor \"%s\" has the type %s, the model needs %s",
                           name, type_names[tensor->type], type_names[wanted->type]);
        if (!same_shape(tensor, wanted))
            return shape_error(tensor, wanted, err);
        *wanted = *tensor;
        return 0;
    }
    return err_set(err, ERR_FORMAT, "tensor \"%s\" is missing", name);
}

int safetensors_get(const struct safetensors *file, const char *name, size_t rows, size_t columns,
                    const float **data, struct err *err)
{
    struct tensor tensor = {
        .type = TENSOR_F32, .dimensions = columns == 0 ? 1 : 2, .shape = {rows, columns}};
    const int code = safetensors_find(file, name, &tensor, err);
    if (code == 0)
        *data = tensor.data;
    return code;
}

int safetensors_get_integers(const struct safetensors *file, const char *name, size_t count,
                             const int64_t **integers, struct err *err)
{
    struct tensor tensor = {.type = TENSOR_I64, .dimensions = 1, .shape = {count}};
    const int code = safetensors_find(file, name, &tensor, err);
    if (code == 0)
        *integers = tensor.integers;
    return code;
}

static json_t *make_entry(const struct tensor *tensor, size_t begin)
{
    json_t *shape = json_array();
    for (size_t i = 0; i < tensor->dimensions; i++) {
        if (json_array_append_new(shape, json_integer((json_int_t)tensor->shape[i])) < 0) {
            json_decref(shape);
            return NULL;
        }
    }
    return json_pack("{s:s, s:o, s:[I, I]}", "dtype", type_names[tensor->type], "shape", shape,
                     "data_offsets", (json_int_t)begin, (json_int_t)(begin + tensor_bytes(tensor)));
}

/* The JSON text (jansson's memory), NULL and err on failure. */
static char *make_header(const struct tensor *tensors, size_t count, struct err *err)
{
    char *text = NULL;
    size_t at = 0;
    json_t *header = json_object();
    if (json_object_set_new(header, "__metadata__", json_pack("{s:s}", "format", "pt")) < 0)
        goto out;
    for (size_t i = 0; i < count; i++) {
        if (json_object_set_new(header, tensors[i].name, make_entry(&tensors[i], at)) < 0)
            goto out;
        at += tensor_bytes(&tensors[i]);
    }
    text = json_dumps(header, JSON_COMPACT);
out:
    json_decref(header);
    if (text == NULL)
        err_set(err, ERR_MEMORY, "no memory for the header");
    return text;
}

/* What safetensors_open would refuse is not written. */
static int check_tensors(const struct tensor *tensors, size_t count, struct err *err)
{
    if (count > SAFETENSORS_MAX_TENSORS)
        return err_set(err, ERR_LIMIT, "%zu tensors, allowed are %d", count,
                       SAFETENSORS_MAX_TENSORS);
    for (size_t i = 0; i < count; i++) {
        size_t product = 1;
        if (!name_is_valid(tensors[i].name) || tensors[i].dimensions > SAFETENSORS_MAX_DIMENSIONS)
            return err_set(err, ERR_ARGUMENT, "tensor %zu has an invalid name or shape", i);
        for (size_t j = 0; j < tensors[i].dimensions; j++)
            product *= tensors[i].shape[j];
        if (product == 0 || product != tensors[i].count)
            return err_set(err, ERR_ARGUMENT, "tensor \"%s\": shape and count differ",
                           tensors[i].name);
        for (size_t j = 0; j < i; j++)
            if (strcmp(tensors[i].name, tensors[j].name) == 0)
                return err_set(err, ERR_ARGUMENT, "tensor \"%s\" is given twice", tensors[i].name);
        int code = check_finite(&tensors[i], err);
        if (code < 0)
            return code;
    }
    return 0;
}

static bool write_all(FILE *stream, const char *header, const struct tensor *tensors, size_t count)
{
    size_t len = strlen(header);
    size_t padding = (DATA_ALIGN - (PREFIX_BYTES + len) % DATA_ALIGN) % DATA_ALIGN;
    uint64_t length = len + padding;
    if (fwrite(&length, sizeof length, 1, stream) != 1 || fwrite(header, 1, len, stream) != len)
        return false;
    for (size_t i = 0; i < padding; i++)
        if (fputc(' ', stream) == EOF)
            return false;
    for (size_t i = 0; i < count; i++) {
        const struct tensor *tensor = &tensors[i];
        if (fwrite(get_data(tensor), type_sizes[tensor->type], tensor->count, stream) !=
            tensor->count)
            return false;
    }
    return true;
}

int safetensors_write(const char *path, const struct tensor *tensors, size_t count, struct err *err)
{
    struct file_save save;
    int code = check_tensors(tensors, count, err);
    if (code < 0) {
        err_context(err, "%s", path);
        return code;
    }
    char *header = make_header(tensors, count, err);
    if (header == NULL)
        return ERR_MEMORY;
    code = file_save_begin(&save, path, err);
    if (code < 0)
        goto out;
    if (!write_all(save.stream, header, tensors, count)) {
        code = err_errno(err, "%s: cannot write", path);
        file_save_abort(&save);
        goto out;
    }
    code = file_save_commit(&save, err);
out:
    free(header);
    return code;
}
