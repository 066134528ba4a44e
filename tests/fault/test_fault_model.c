/*
 * Every allocation of the model layer is made to fail once: reading and writing specs, weights and
 * bundles, opening and using models, loading and reloading a registry. Not so those that jansson
 * makes for itself: where its lexer cannot grow a buffer it goes on with part of the text.
 */
#include <dirent.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "fault.h"
#include "model/bundle.h"
#include "model/registry.h"
#include "support/tiny_bundle.h"

static char scratch[] = "/tmp/dragoman-fault-XXXXXX";
static char *models;     /* holds one tiny bundle of each kind */
static const char *kind; /* the bundle that is used */

static char *model_folder(struct err *err)
{
    return file_join(models, kind, err);
}

static int use_bundle(void *context, struct err *err)
{
    struct bundle bundle;
    char *folder = model_folder(err), *vocabulary = NULL, *copy = NULL;
    (void)context;
    int rc = folder ? bundle_open(&bundle, folder, err) : ERR_MEMORY;
    if (rc)
        goto out;
    vocabulary = file_join(folder, BUNDLE_VOCABULARY, err);
    copy = file_join(scratch, "copy/bundle", err);
    rc = vocabulary && copy ? bundle_save(copy, &bundle.spec, vocabulary, bundle.weights.tensors,
                                          bundle.weights.count, err)
                            : ERR_MEMORY;
    bundle_release(&bundle);
out:
    mem_free(copy);
    mem_free(vocabulary);
    mem_free(folder);
    return rc;
}

static int use_spec(void *context, struct err *err)
{
    struct spec spec, copy;
    char *folder = model_folder(err), *path = NULL;
    (void)context;
    path = folder ? file_join(folder, BUNDLE_SPEC, err) : NULL;
    int rc = path ? spec_read(&spec, path, err) : ERR_MEMORY;
    if (rc)
        goto out;
    rc = spec_card_text(&spec, "key", "value", err);
    if (!rc)
        rc = spec_card_number(&spec, "number", 1.5, err);
    if (!rc && !(rc = spec_copy(&copy, &spec, err)))
        spec_release(&copy);
    spec_release(&spec);
out:
    mem_free(path);
    mem_free(folder);
    return rc;
}

static int use_model(void *context, struct err *err)
{
    static const char text[] = "Where is the station?";
    const struct decode_options options = {.beam = 2, .nbest = 1, .length_penalty = 1};
    struct model *model;
    char *folder = model_folder(err);
    (void)context;
    int rc = folder ? model_open(&model, folder, err) : ERR_MEMORY;
    mem_free(folder);
    if (rc)
        return rc;
    if (model->spec.task == SPEC_TRANSLATION) {
        struct buf out = BUF_INIT;
        float score;
        rc = model_translate(model, text, strlen(text), &options, &out, &score, err);
        buf_release(&out);
    } else {
        float probabilities[2];
        rc = model_classify(model, text, strlen(text), probabilities, err);
    }
    model_release(model);
    return rc;
}

/* A model that memory was lacking for is a fault; the registry itself goes on. */
static int check_registry(const struct registry *registry, struct err *err)
{
    if (registry->count + registry->fault_count != TINY_BUNDLES)
        return err_set(err, ERR_INTERNAL, "%zu models and %zu faults", registry->count,
                       registry->fault_count);
    for (size_t i = 0; i < registry->fault_count; i++)
        err_set(err, registry->faults[i].err.code, "%s", registry->faults[i].err.message);
    return err->code;
}

static int use_registry(void *context, struct err *err)
{
    struct registry *first, *second;
    const char *folders[] = {models};
    (void)context;
    int rc = registry_open(&first, folders, 1, NULL, err);
    if (rc)
        return rc;
    rc = check_registry(first, err);
    if (!rc && !(rc = registry_open(&second, folders, 1, first, err))) {
        rc = check_registry(second, err);
        registry_free(second);
    }
    registry_free(first);
    return rc;
}

/* Only what a finished save has left: nothing half done, no temporary. */
static void check_scratch(void)
{
    char *path = file_join(scratch, "copy", NULL);
    DIR *folder = opendir(path);
    struct dirent *entry;
    assert_non_null(folder);
    while ((entry = readdir(folder)) != NULL)
        if (entry->d_name[0] != '.')
            assert_string_equal(entry->d_name, "bundle");
    closedir(folder);
    mem_free(path);
}

static void bundles_survive_memory_failures(void **state)
{
    (void)state;
    static const char *const kinds[] = {"tiny-en-fr", "tiny-bag"};
    for (size_t i = 0; i < 2; i++) {
        kind = kinds[i];
        assert_true(fault_loop(use_bundle, NULL) > 20);
        check_scratch();
        assert_true(fault_loop(use_spec, NULL) > 5);
    }
}

static void models_survive_memory_failures(void **state)
{
    (void)state;
    static const char *const kinds[] = {"tiny-en-fr", "tiny-bag", "tiny-rnn"};
    for (size_t i = 0; i < 3; i++) {
        kind = kinds[i];
        assert_true(fault_loop(use_model, NULL) > 20);
    }
}

static void registries_survive_memory_failures(void **state)
{
    (void)state;
    assert_true(fault_loop(use_registry, NULL) > 50);
}

static int set_up(void **state)
{
    struct err err = ERR_INIT;
    (void)state;
    if (!mkdtemp(scratch) || !(models = file_join(scratch, "models", &err)))
        return -1;
    return tiny_bundle_write_all(models, &err);
}

static int tear_down(void **state)
{
    (void)state;
    mem_free(models);
    return file_remove_folder(scratch, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bundles_survive_memory_failures),
        cmocka_unit_test(models_survive_memory_failures),
        cmocka_unit_test(registries_survive_memory_failures),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
