/* Which models may decode together, and that what is refused says which model does not fit. */
#include "unit.h"

#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "model/bundle.h"
#include "model/model.h"
#include "support/tiny_bundle.h"
#include "text/vocab_table.h"

static struct model *make_model(const char *scratch, const struct tiny_bundle *bundle)
{
    struct err err = ERR_INIT;
    struct model *model = NULL;
    char folder[4200];
    snprintf(folder, sizeof folder, "%s/%s", scratch, bundle->name);
    assert_fine(tiny_bundle_write(folder, bundle, &err), err);
    assert_fine(model_open(&model, folder, &err), err);
    return model;
}

/* The same bundle with two merges of its vocabulary exchanged: the same tokens, other ids. */
static struct model *make_exchanged(const char *scratch)
{
    struct model *model =
        make_model(scratch, &(struct tiny_bundle){.name = "exchanged", .kind = SPEC_SEQ2SEQ});
    struct err err = ERR_INIT;
    struct vocab_table table = {.merges = NULL};
    char path[4300];
    snprintf(path, sizeof path, "%s/" BUNDLE_VOCABULARY, model->folder);
    assert_fine(vocab_table_read(&table, &model->spec.tokenizer, path, &err), err);
    assert_true(table.merge_count > 1);
    const struct vocab_merge first = table.merges[0];
    table.merges[0] = table.merges[1];
    table.merges[1] = first;
    assert_fine(vocab_table_write(&table, path, &err), err);
    vocab_table_release(&table);
    char *folder = mem_copy_text(model->folder, strlen(model->folder), &err);
    model_release(model);
    assert_fine(model_open(&model, folder, &err), err);
    mem_free(folder);
    return model;
}

static void refused(struct model *first, struct model *other, const char *words)
{
    struct model *const models[] = {first, first, other};
    struct ensemble ensemble;
    struct err err = ERR_INIT;
    assert_int_equal(model_ensemble(&ensemble, models, 3, &err), ERR_ARGUMENT);
    if (strstr(err.message, words) == NULL || strstr(err.message, other->spec.name) == NULL)
        fail_msg("\"%s\" without \"%s\" or the name", err.message, words);
}

static void only_what_fits_is_accepted(void **state)
{
    struct model *first =
        make_model(*state, &(struct tiny_bundle){.name = "first", .kind = SPEC_SEQ2SEQ, .seed = 1});
    struct model *second = make_model(
        *state, &(struct tiny_bundle){.name = "second", .kind = SPEC_SEQ2SEQ, .seed = 2});
    struct model *reverse = make_model(
        *state, &(struct tiny_bundle){
                    .name = "reverse", .kind = SPEC_SEQ2SEQ, .source = "fr", .target = "en"});
    struct model *bag =
        make_model(*state, &(struct tiny_bundle){.name = "bag", .kind = SPEC_BAG_OF_WORDS});
    struct model *exchanged = make_exchanged(*state);
    struct model *const both[] = {first, second};
    struct ensemble ensemble;
    struct err err = ERR_INIT;
    assert_fine(model_ensemble(&ensemble, both, 2, &err), err);
    assert_int_equal(ensemble.count, 2);
    assert_ptr_equal(ensemble.models[0], first->seq2seq);
    assert_ptr_equal(ensemble.models[1], second->seq2seq);
    refused(first, reverse, "from fr to en");
    refused(first, bag, "classification");
    refused(first, exchanged, "another vocabulary");
    model_release(exchanged);
    model_release(bag);
    model_release(reverse);
    model_release(second);
    model_release(first);
}

static void numbers_are_checked(void **state)
{
    struct model *model =
        make_model(*state, &(struct tiny_bundle){.name = "one", .kind = SPEC_SEQ2SEQ});
    struct model *many[DECODE_MAX_MODELS + 1];
    struct ensemble ensemble;
    struct err err = ERR_INIT;
    for (size_t i = 0; i <= DECODE_MAX_MODELS; i++)
        many[i] = model;
    assert_fine(model_ensemble(&ensemble, many, DECODE_MAX_MODELS, &err), err);
    assert_int_equal(model_ensemble(&ensemble, many, DECODE_MAX_MODELS + 1, &err), ERR_ARGUMENT);
    err_clear(&err);
    assert_int_equal(model_ensemble(&ensemble, many, 0, &err), ERR_ARGUMENT);
    model_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_fits_is_accepted),
        cmocka_unit_test(numbers_are_checked),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
