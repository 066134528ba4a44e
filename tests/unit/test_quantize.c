/*
 * Quantised bundles: what they hold, that they answer about what the original answers, and that
 * damaged ones are refused with a message that says what is wrong.
 */
#include <string.h>

#include "base/mem.h"
#include "model/bundle.h"
#include "model/model.h"
#include "model/parameter.h"
#include "model/quantize.h"
#include "model/tag.h"
#include "support/tiny_bundle.h"
#include "unit.h"

static const char *folder; /* of this run, below it "tiny-*" and "small-*" */

static char *path_of(const char *prefix, const char *name)
{
    struct buf text = BUF_INIT;
    assert_int_equal(buf_printf(&text, NULL, "%s/%s-%s", folder, prefix, name), 0);
    return text.data;
}

static struct model *opened(const char *prefix, const char *name)
{
    struct err err = ERR_INIT;
    struct model *model;
    char *path = path_of(prefix, name);
    assert_fine(model_open(&model, path, &err), err);
    mem_free(path);
    return model;
}

static const char *const names[] = {"en-fr",  "fr-en", "bag", "rnn",   "tags",
                                    "length", "rows",  "lm",  "names", "scene"};
#define NAMES (sizeof names / sizeof *names)

static int make_all(void **state)
{
    struct err err = ERR_INIT;
    if (scratch_make(state))
        return -1;
    folder = *state;
    assert_int_equal(NAMES, TINY_BUNDLES);
    assert_fine(tiny_bundle_write_all(folder, &err), err);
    for (size_t i = 0; i < NAMES; i++) {
        struct model *model = opened("tiny", names[i]);
        char *path = path_of("small", names[i]);
        assert_fine(quantize_save(model, path, &err), err);
        mem_free(path);
        model_release(model);
    }
    return 0;
}

/* Integers lie where vectors of them can be loaded; all else is as it was. */
static void test_tensors(void **state)
{
    (void)state;
    for (size_t i = 0; i < NAMES; i++) {
        struct model *before = opened("tiny", names[i]), *after = opened("small", names[i]);
        const bool bag = after->spec.kind == SPEC_BAG_OF_WORDS;
        size_t small = 0;
        assert_int_equal(after->spec.weights, bag ? SPEC_WEIGHTS_F16 : SPEC_WEIGHTS_INT8);
        for (size_t t = 0; t < after->weights.count; t++) {
            const struct tensor *tensor = &after->weights.tensors[t];
            const float *data;
            small += tensor->type == (bag ? TENSOR_F16 : TENSOR_I8);
            if (tensor->type == TENSOR_I8)
                assert_int_equal((uintptr_t)tensor->bytes % 64, 0);
            if (tensor->type == TENSOR_F32 && !strstr(tensor->name, PARAMETER_SCALES)) {
                assert_int_equal(safetensors_get(&before->weights, tensor->name, tensor->shape[0],
                                                 tensor->dimensions > 1 ? tensor->shape[1] : 0,
                                                 &data, NULL),
                                 0);
                assert_memory_equal(tensor->data, data, tensor->count * sizeof *data);
            }
        }
        assert_true(small > 0);
        model_release(after);
        model_release(before);
    }
}

static void test_only_once(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct model *model = opened("small", "en-fr");
    char *path = path_of("again", "en-fr");
    assert_int_equal(quantize_save(model, path, &err), ERR_ARGUMENT);
    assert_non_null(strstr(err.message, "is quantised already"));
    assert_false(file_exists(path));
    mem_free(path);
    model_release(model);
}

static const char *const texts[] = {"a good film", "not a bad one", "",
                                    "the film was long and dull"};
#define TEXTS (sizeof texts / sizeof *texts)

static void check_classes(const char *name, float tolerance)
{
    struct model *before = opened("tiny", name), *after = opened("small", name);
    for (size_t i = 0; i < TEXTS; i++) {
        struct err err = ERR_INIT;
        float x[2], y[2];
        assert_fine(model_classify(before, texts[i], strlen(texts[i]), x, &err), err);
        assert_fine(model_classify(after, texts[i], strlen(texts[i]), y, &err), err);
        for (size_t l = 0; l < 2; l++)
            assert_true(x[l] - y[l] < tolerance && y[l] - x[l] < tolerance);
    }
    model_release(after);
    model_release(before);
}

static void test_classes(void **state)
{
    (void)state;
    check_classes("bag", 1e-3f);
    check_classes("rnn", 0.05f);
}

static void test_numbers(void **state)
{
    (void)state;
    struct model *before = opened("tiny", "length"), *after = opened("small", "length");
    for (size_t i = 0; i < TEXTS; i++) {
        struct err err = ERR_INIT;
        double x, y;
        assert_fine(model_regress(before, texts[i], strlen(texts[i]), NULL, &x, &err), err);
        assert_fine(model_regress(after, texts[i], strlen(texts[i]), NULL, &y, &err), err);
        assert_true(x - y < 0.1 && y - x < 0.1);
    }
    model_release(after);
    model_release(before);
}

/* Damage ----------------------------------------------------------------------------------------
 */

struct damage {
    const char *name;      /* of the bundle */
    const char *tensor;    /* which one */
    const char *new_name;  /* NULL: the same; "": left out */
    enum tensor_type type; /* what it becomes, of the same number of bytes */
    size_t dimensions, shape[4];
    enum spec_weights weights;
    const char *words; /* of the message */
};

#define COMBINE "combine.weight"
static const struct damage damages[] = {
    {"en-fr",
     COMBINE ".scales",
     "",
     TENSOR_F32,
     0,
     {0},
     SPEC_WEIGHTS_INT8,
     "tensor \"" COMBINE ".scales\" is missing"},
    {"en-fr",
     COMBINE,
     "",
     TENSOR_F32,
     0,
     {0},
     SPEC_WEIGHTS_INT8,
     "tensor \"" COMBINE "\" is missing"},
    {"en-fr",
     COMBINE,
     NULL,
     TENSOR_I8,
     4,
     {1, 6, 4, 16},
     SPEC_WEIGHTS_INT8,
     "has shape [1, 6, 4, 16], the model needs [1, 6, 16, 4]"},
    {"en-fr",
     COMBINE,
     NULL,
     TENSOR_I64,
     3,
     {1, 6, 8},
     SPEC_WEIGHTS_INT8,
     "has the type I64, the model needs I8"},
    {"en-fr",
     COMBINE ".scales",
     NULL,
     TENSOR_F32,
     2,
     {4, 2},
     SPEC_WEIGHTS_INT8,
     "has shape [4, 2], the model needs [8]"},
    {"en-fr",
     "combine.bias",
     "combine.bias.scales",
     TENSOR_F32,
     1,
     {8},
     SPEC_WEIGHTS_INT8,
     "tensor \"combine.bias\" is missing"},
    {"en-fr",
     NULL,
     NULL,
     TENSOR_F32,
     0,
     {0},
     SPEC_WEIGHTS_F32,
     "has the type I8, the model needs F32"},
    {"bag",
     "weight",
     NULL,
     TENSOR_I8,
     2,
     {64, 4},
     SPEC_WEIGHTS_F16,
     "has the type I8, the model needs F16"},
    {"bag",
     NULL,
     NULL,
     TENSOR_F32,
     0,
     {0},
     SPEC_WEIGHTS_F32,
     "has the type F16, the model needs F32"},
};

static const void *data_of(const struct tensor *tensor)
{
    return tensor->bytes      ? (const void *)tensor->bytes
           : tensor->halves   ? (const void *)tensor->halves
           : tensor->integers ? (const void *)tensor->integers
                              : tensor->data;
}

static void change(struct tensor *tensor, const struct damage *damage)
{
    const void *data = data_of(tensor);
    if (damage->new_name)
        tensor->name = (char *)(uintptr_t)damage->new_name;
    if (damage->dimensions == 0)
        return;
    *tensor = (struct tensor){
        .name = tensor->name, .type = damage->type, .dimensions = damage->dimensions, .count = 1};
    for (size_t d = 0; d < damage->dimensions; d++)
        tensor->count *= tensor->shape[d] = damage->shape[d];
    tensor->bytes = damage->type == TENSOR_I8 ? data : NULL;
    tensor->halves = damage->type == TENSOR_F16 ? data : NULL;
    tensor->integers = damage->type == TENSOR_I64 ? data : NULL;
    tensor->data = damage->type == TENSOR_F32 ? data : NULL;
}

static void save_damaged(const struct model *model, const struct damage *damage, const char *path)
{
    struct tensor tensors[64];
    struct err err = ERR_INIT;
    struct spec spec = model->spec;
    char *vocabulary = file_join(model->folder, BUNDLE_VOCABULARY, &err);
    size_t count = 0;
    bool found = damage->tensor == NULL;
    spec.weights = damage->weights;
    for (size_t i = 0; i < model->weights.count; i++) {
        assert_true(count < 64);
        tensors[count] = model->weights.tensors[i];
        if (damage->tensor && strcmp(tensors[count].name, damage->tensor) == 0) {
            found = true;
            change(&tensors[count], damage);
        }
        count += tensors[count].name[0] != '\0';
    }
    assert_true(found);
    assert_fine(bundle_save(path, &spec, vocabulary, tensors, count, &err), err);
    mem_free(vocabulary);
}

static void test_damage(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof damages / sizeof *damages; i++) {
        const struct damage *damage = &damages[i];
        struct err err = ERR_INIT;
        struct model *model = opened("small", damage->name), *damaged;
        char *path = path_of("damaged", damage->name);
        save_damaged(model, damage, path);
        assert_int_equal(model_open(&damaged, path, &err), ERR_FORMAT);
        if (!strstr(err.message, damage->words) || !strstr(err.message, BUNDLE_WEIGHTS))
            fail_msg("\"%s\" lacks \"%s\"", err.message, damage->words);
        mem_free(path);
        model_release(model);
    }
}

/* Too large for 16 bits. */
static void test_large(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct model *model = opened("tiny", "bag");
    char *path = path_of("large", "bag");
    ((float *)(uintptr_t)model->weights.tensors[0].data)[1] = 1e6f;
    assert_int_equal(quantize_save(model, path, &err), ERR_ARGUMENT);
    assert_non_null(strstr(err.message, "too large for a float of 16 bits"));
    mem_free(path);
    model_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tensors), cmocka_unit_test(test_only_once),
        cmocka_unit_test(test_classes), cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_damage),  cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests(tests, make_all, scratch_remove);
}
