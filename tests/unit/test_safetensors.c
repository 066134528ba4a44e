/* Weight files: the format as others write it is read, every kind of damage is refused. */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "model/safetensors.h"

/* A file in memory, aligned as a map is. */
struct image {
    unsigned char *bytes;
    size_t size;
};

static struct image build(const char *header, const float *data, size_t count)
{
    size_t len = strlen(header), padded = (len + 7) / 8 * 8;
    struct image image = {.size = 8 + padded + count * sizeof(float)};
    uint64_t length = padded;
    image.bytes = aligned_alloc(64, (image.size + 63) / 64 * 64);
    assert_non_null(image.bytes);
    memcpy(image.bytes, &length, 8);
    memset(image.bytes + 8, ' ', padded);
    memcpy(image.bytes + 8, header, len);
    if (count > 0)
        memcpy(image.bytes + 8 + padded, data, count * sizeof(float));
    return image;
}

static const float numbers[12] = {0, 1, -2, 3.5f, 1e38f, -1e-38f, 6, 7, 8, 9, 10, 11};
static const char good[] = "{\"__metadata__\":{\"format\":\"pt\"},"
                           "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[24,32]},"
                           "\"a.x\":{\"dtype\":\"F32\",\"shape\":[2,3],\"data_offsets\":[0,24]},"
                           "\"\\u00e9\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[32,36]}}";

static void reads_a_file(void **state)
{
    struct err err = ERR_INIT;
    struct safetensors file;
    const float *data;
    (void)state;
    struct image image = build(good, numbers, 9);
    assert_fine(safetensors_parse(&file, image.bytes, image.size, &err), err);
    assert_int_equal(file.count, 3);
    assert_fine(safetensors_get(&file, "a.x", 2, 3, &data, &err), err);
    assert_memory_equal(data, numbers, 6 * sizeof(float));
    assert_fine(safetensors_get(&file, "b", 2, 0, &data, &err), err);
    assert_memory_equal(data, numbers + 6, 2 * sizeof(float));
    safetensors_close(&file);
    free(image.bytes);
}

static void gets_only_what_fits(void **state)
{
    struct err err = ERR_INIT;
    struct safetensors file;
    const float *data = NULL;
    (void)state;
    struct image image = build(good, numbers, 9);
    assert_fine(safetensors_parse(&file, image.bytes, image.size, &err), err);
    assert_int_equal(safetensors_get(&file, "a.x", 3, 2, &data, &err), ERR_FORMAT);
    assert_string_equal(err.message, "tensor \"a.x\" has shape [2, 3], the model needs [3, 2]");
    err_clear(&err);
    assert_int_equal(safetensors_get(&file, "a.x", 6, 0, &data, &err), ERR_FORMAT);
    err_clear(&err);
    assert_int_equal(safetensors_get(&file, "b", 1, 2, &data, &err), ERR_FORMAT);
    err_clear(&err);
    assert_int_equal(safetensors_get(&file, "c", 1, 2, &data, &err), ERR_FORMAT);
    assert_string_equal(err.message, "tensor \"c\" is missing");
    assert_null(data);
    safetensors_close(&file);
    free(image.bytes);
}

struct refusal {
    const char *header;
    size_t count; /* floats that follow */
    enum err_code code;
    const char *words;
};
#define ONE(type, shape, offsets)                                                                  \
    "{\"w\":{\"dtype\":" type ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
#define TWO(offsets_a, offsets_b)                                                                  \
    "{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":" offsets_a "},"                     \
    "\"b\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":" offsets_b "}}"

static const struct refusal refusals[] = {
    {"", 0, ERR_FORMAT, "not valid JSON"},
    {"{", 0, ERR_FORMAT, "not valid JSON"},
    {"[]", 0, ERR_FORMAT, "not a JSON object"},
    {"{}", 1, ERR_FORMAT, "4 unused bytes at the end"},
    {"{\"w\":1}", 0, ERR_FORMAT, "\"w\" must be an object"},
    {"{\"\":{}}", 0, ERR_FORMAT, "its name is empty"},
    {"{\"a\\nb\":{}}", 0, ERR_FORMAT, "control characters"},
    {"{\"a\":{},\"a\":{}}", 0, ERR_FORMAT, "a name stands there twice"},
    {"{\"\xff\":{}}", 0, ERR_FORMAT, "UTF-8"},
    {"{\"w\":{}}", 0, ERR_FORMAT, "\"dtype\" must be a text"},
    {ONE("\"F64\"", "[1]", "[0,8]"), 2, ERR_FORMAT, "\"w\": type F64 is not supported"},
    {ONE("\"BF16\"", "[4]", "[0,8]"), 2, ERR_FORMAT, "type BF16 is not supported"},
    {ONE("\"a\\nb\"", "[2]", "[0,8]"), 2, ERR_FORMAT, "type (unprintable)"},
    {ONE("32", "[2]", "[0,8]"), 2, ERR_FORMAT, "\"dtype\" must be a text"},
    {ONE("\"F32\"", "2", "[0,8]"), 2, ERR_FORMAT, "\"shape\" must be an array"},
    {ONE("\"F32\"", "[2.0]", "[0,8]"), 2, ERR_FORMAT, "\"shape\" must hold whole numbers"},
    {ONE("\"F32\"", "[-2]", "[0,8]"), 2, ERR_FORMAT, "\"shape\" must hold whole numbers"},
    {ONE("\"F32\"", "[\"2\"]", "[0,8]"), 2, ERR_FORMAT, "\"shape\" must hold whole numbers"},
    {ONE("\"F32\"", "[0]", "[0,0]"), 0, ERR_FORMAT, "a dimension is 0"},
    {ONE("\"F32\"", "[3]", "[0,8]"), 2, ERR_FORMAT, "at most 2 fits"},
    {ONE("\"F32\"", "[2,2]", "[0,8]"), 2, ERR_FORMAT, "needs more than the file has"},
    {ONE("\"F32\"", "[4294967296,4294967296]", "[0,8]"), 2, ERR_FORMAT, "at most 2 fits"},
    {ONE("\"F32\"", "[9223372036854775807]", "[0,8]"), 2, ERR_FORMAT, "at most 2 fits"},
    {ONE("\"F32\"", "[1,1,1,1,2]", "[0,8]"), 2, ERR_LIMIT, "5 dimensions"},
    {ONE("\"F32\"", "[1]", "[0,8]"), 2, ERR_FORMAT, "span 8 bytes, its shape needs 4"},
    {ONE("\"F32\"", "[2]", "[0]"), 2, ERR_FORMAT, "must be [begin, end]"},
    {ONE("\"F32\"", "[2]", "[0,8,8]"), 2, ERR_FORMAT, "must be [begin, end]"},
    {ONE("\"F32\"", "[2]", "{}"), 2, ERR_FORMAT, "must be [begin, end]"},
    {ONE("\"F32\"", "[2]", "[8,0]"), 2, ERR_FORMAT, "end before they begin"},
    {ONE("\"F32\"", "[2]", "[0,16]"), 2, ERR_FORMAT, "at most 8 fits"},
    {ONE("\"F32\"", "[2]", "[-8,0]"), 2, ERR_FORMAT, "whole numbers"},
    {ONE("\"F32\"", "[2]", "[9223372036854775800,9223372036854775807]"), 2, ERR_FORMAT, "fits"},
    {ONE("\"F32\"", "[2]", "[0,18446744073709551616]"), 2, ERR_FORMAT, "not valid JSON"},
    {ONE("\"F32\"", "[2]", "[4,12]"), 3, ERR_FORMAT, "\"w\": 4 unused bytes before it"},
    {ONE("\"F32\"", "[2]", "[0,8]"), 3, ERR_FORMAT, "4 unused bytes at the end"},
    {TWO("[0,8]", "[0,8]"), 2, ERR_FORMAT, "overlaps"},
    {TWO("[0,8]", "[4,12]"), 3, ERR_FORMAT, "\"b\" overlaps"},
    {TWO("[0,8]", "[12,20]"), 5, ERR_FORMAT, "\"b\": 4 unused bytes before it"},
    {TWO("[8,16]", "[1,9]"), 4, ERR_FORMAT, "\"b\": 1 unused bytes before it"},
};

static void refuses_bad_headers(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        struct err err = ERR_INIT;
        struct safetensors file;
        struct image image = build(refusals[i].header, numbers, refusals[i].count);
        assert_int_equal(safetensors_parse(&file, image.bytes, image.size, &err), refusals[i].code);
        assert_int_equal(file.count, 0);
        if (strstr(err.message, refusals[i].words) == NULL)
            fail_msg("%s: \"%s\" lacks \"%s\"", refusals[i].header, err.message, refusals[i].words);
        free(image.bytes);
    }
}

static void refuses_every_length_but_its_own(void **state)
{
    struct safetensors file;
    (void)state;
    struct image image = build(good, numbers, 9);
    for (size_t size = 0; size < image.size; size++) {
        struct err err = ERR_INIT;
        unsigned char *cut = aligned_alloc(64, (size + 64) / 64 * 64);
        memcpy(cut, image.bytes, size);
        assert_int_equal(safetensors_parse(&file, cut, size, &err), ERR_FORMAT);
        assert_true(err.message[0] != '\0');
        free(cut);
    }
    free(image.bytes);
}

static void refuses_false_header_lengths(void **state)
{
    static const uint64_t lengths[] = {0,
                                       1,
                                       sizeof good - 8,
                                       sizeof good + 200,
                                       SAFETENSORS_MAX_HEADER,
                                       SAFETENSORS_MAX_HEADER + 1,
                                       UINT64_C(1) << 32,
                                       UINT64_MAX - 7,
                                       UINT64_MAX};
    struct safetensors file;
    (void)state;
    struct image image = build(good, numbers, 9);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        struct err err = ERR_INIT;
        memcpy(image.bytes, &lengths[i], 8);
        int code = safetensors_parse(&file, image.bytes, image.size, &err);
        assert_int_equal(code, lengths[i] > SAFETENSORS_MAX_HEADER ? ERR_LIMIT : ERR_FORMAT);
    }
    free(image.bytes);
}

/* Any byte of the header may be anything: the file is refused or read, and nothing else. */
static void survives_every_flipped_byte(void **state)
{
    (void)state;
    struct image image = build(good, numbers, 9);
    for (size_t at = 0; at < image.size; at++) {
        const unsigned char old = image.bytes[at];
        for (unsigned value = 0; value < 256; value += 1 + value % 7) {
            struct err err = ERR_INIT;
            struct safetensors file;
            image.bytes[at] = (unsigned char)value;
            if (safetensors_parse(&file, image.bytes, image.size, &err) == 0) {
                for (size_t i = 0; i < file.count; i++)
                    for (size_t j = 0; j < file.tensors[i].count; j++)
                        assert_true(isfinite(file.tensors[i].data[j]));
                safetensors_close(&file);
            }
        }
        image.bytes[at] = old;
    }
    free(image.bytes);
}

static void refuses_what_is_not_finite(void **state)
{
    static const float bad[] = {INFINITY, -INFINITY, NAN, -NAN};
    enum { COUNT = 2600 };
    float *data = calloc(COUNT, sizeof *data);
    (void)state;
    for (size_t i = 0; i < COUNT; i += 1 + i / 3)
        for (size_t k = 0; k < sizeof bad / sizeof bad[0]; k++) {
            struct err err = ERR_INIT;
            struct safetensors file;
            char words[64];
            data[i] = bad[k];
            struct image image = build(ONE("\"F32\"", "[13,200]", "[0,10400]"), data, COUNT);
            assert_int_equal(safetensors_parse(&file, image.bytes, image.size, &err), ERR_FORMAT);
            snprintf(words, sizeof words, "tensor \"w\": element %zu is not a finite", i);
            assert_non_null(strstr(err.message, words));
            free(image.bytes);
            data[i] = 0;
        }
    free(data);
}

static void refuses_unaligned_data(void **state)
{
    struct err err = ERR_INIT;
    struct safetensors file;
    (void)state;
    struct image image = build("{} ", numbers, 0);
    const uint64_t length = 3;
    memcpy(image.bytes, &length, 8);
    assert_int_equal(safetensors_parse(&file, image.bytes, 11, &err), ERR_FORMAT);
    assert_non_null(strstr(err.message, "not aligned"));
    free(image.bytes);
}

static void refuses_too_many_tensors(void **state)
{
    struct err err = ERR_INIT;
    struct safetensors file;
    (void)state;
    char *header = malloc(1 << 20), *at = header;
    *at++ = '{';
    for (int i = 0; i <= SAFETENSORS_MAX_TENSORS + 1; i++)
        at += sprintf(at, "%s\"%d\":{}", i == 0 ? "" : ",", i);
    strcpy(at, "}");
    struct image image = build(header, numbers, 0);
    assert_int_equal(safetensors_parse(&file, image.bytes, image.size, &err), ERR_LIMIT);
    assert_non_null(strstr(err.message, "4098 tensors, allowed are 4096"));
    free(image.bytes);
    free(header);
}

static void writes_what_it_reads(void **state)
{
    struct err err = ERR_INIT;
    struct safetensors file;
    const float *data;
    char *path = file_join(*state, "written.safetensors", &err);
    const struct tensor tensors[] = {
        {.name = "z", .dimensions = 2, .shape = {3, 2}, .count = 6, .data = numbers},
        {.name = "a \"quoted\" é", .dimensions = 1, .shape = {5}, .count = 5, .data = numbers + 6},
    };
    assert_fine(safetensors_write(path, tensors, 2, &err), err);
    assert_fine(safetensors_open(&file, path, &err), err);
    assert_int_equal(file.count, 2);
    assert_fine(safetensors_get(&file, "z", 3, 2, &data, &err), err);
    assert_memory_equal(data, numbers, 6 * sizeof(float));
    assert_int_equal((uintptr_t)data % 64, 0);
    assert_fine(safetensors_get(&file, "a \"quoted\" é", 5, 0, &data, &err), err);
    assert_memory_equal(data, numbers + 6, 5 * sizeof(float));
    safetensors_close(&file);
    mem_free(path);
}

static void keeps_integers(void **state)
{
    static const int64_t integers[3] = {INT64_MIN, -1, INT64_MAX};
    struct err err = ERR_INIT;
    struct safetensors file;
    const int64_t *read;
    const float *data;
    char *path = file_join(*state, "integers.safetensors", &err);
    const struct tensor tensors[] = {
        {.name = "i",
         .type = TENSOR_I64,
         .dimensions = 1,
         .shape = {3},
         .count = 3,
         .integers = integers},
        {.name = "f", .dimensions = 1, .shape = {3}, .count = 3, .data = numbers}};
    assert_fine(safetensors_write(path, tensors, 2, &err), err);
    assert_fine(safetensors_open(&file, path, &err), err);
    assert_fine(safetensors_get_integers(&file, "i", 3, &read, &err), err);
    assert_memory_equal(read, integers, sizeof integers);
    assert_fine(safetensors_get(&file, "f", 3, 0, &data, &err), err);
    assert_memory_equal(data, numbers, 3 * sizeof(float));
    assert_int_equal(safetensors_get_integers(&file, "i", 2, &read, NULL), ERR_FORMAT);
    assert_int_equal(safetensors_get(&file, "i", 3, 0, &data, &err), ERR_FORMAT);
    assert_non_null(strstr(err.message, "type I64, the model needs F32"));
    assert_int_equal(safetensors_get_integers(&file, "f", 3, &read, NULL), ERR_FORMAT);
    safetensors_close(&file);
    mem_free(path);
}

/* Four bytes of floats before them: the integers cannot be read as such. */
static void refuses_integers_out_of_line(void **state)
{
    const struct tensor tensors[] = {
        {.name = "f", .dimensions = 1, .shape = {1}, .count = 1, .data = numbers},
        {.name = "i",
         .type = TENSOR_I64,
         .dimensions = 1,
         .shape = {1},
         .count = 1,
         .integers = &(int64_t){7}}};
    struct err err = ERR_INIT;
    struct safetensors file;
    char *path = file_join(*state, "odd.safetensors", &err);
    assert_fine(safetensors_write(path, tensors, 2, &err), err);
    assert_int_equal(safetensors_open(&file, path, &err), ERR_FORMAT);
    assert_non_null(strstr(err.message, "\"i\" is not aligned to 8 bytes"));
    mem_free(path);
}

static void refuses_to_write_nonsense(void **state)
{
    const float bad[2] = {0, NAN};
    const struct tensor wrong[][2] = {
        {{.name = "a", .dimensions = 1, .shape = {2}, .count = 2, .data = numbers},
         {.name = "a", .dimensions = 1, .shape = {2}, .count = 2, .data = numbers}},
        {{.name = "a", .dimensions = 1, .shape = {2}, .count = 2, .data = numbers},
         {.name = "b", .dimensions = 1, .shape = {2}, .count = 3, .data = numbers}},
        {{.name = "a", .dimensions = 1, .shape = {2}, .count = 2, .data = numbers},
         {.name = "", .dimensions = 1, .shape = {2}, .count = 2, .data = numbers}},
        {{.name = "a", .dimensions = 1, .shape = {2}, .count = 2, .data = bad},
         {.name = "b", .dimensions = 1, .shape = {2}, .count = 2, .data = numbers}},
    };
    char *path = file_join(*state, "nonsense.safetensors", NULL);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct err err = ERR_INIT;
        assert_true(safetensors_write(path, wrong[i], 2, &err) < 0);
        assert_non_null(strstr(err.message, path));
        assert_false(file_exists(path));
    }
    mem_free(path);
}

static void errors_name_the_file(void **state)
{
    struct err err = ERR_INIT;
    struct safetensors file;
    char *path = file_join(*state, "none.safetensors", NULL);
    assert_int_equal(safetensors_open(&file, path, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, path));
    err_clear(&err);
    fclose(fopen(path, "w"));
    assert_int_equal(safetensors_open(&file, path, &err), ERR_FORMAT);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, "0 bytes are too short"));
    mem_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_file),
        cmocka_unit_test(gets_only_what_fits),
        cmocka_unit_test(refuses_bad_headers),
        cmocka_unit_test(refuses_every_length_but_its_own),
        cmocka_unit_test(refuses_false_header_lengths),
        cmocka_unit_test(survives_every_flipped_byte),
        cmocka_unit_test(refuses_what_is_not_finite),
        cmocka_unit_test(refuses_unaligned_data),
        cmocka_unit_test(refuses_too_many_tensors),
        cmocka_unit_test(writes_what_it_reads),
        cmocka_unit_test(keeps_integers),
        cmocka_unit_test(refuses_integers_out_of_line),
        cmocka_unit_test(refuses_to_write_nonsense),
        cmocka_unit_test(errors_name_the_file),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
