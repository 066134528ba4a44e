/* The registry: what it finds, in which order, what it reports, and what a reload shares. */
#include "unit.h"

#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "model/bundle.h"
#include "model/registry.h"
#include "support/tiny_bundle.h"

static char *join(const char *folder, const char *name)
{
    char *path = file_join(folder, name, NULL);
    assert_non_null(path);
    return path;
}

static char *fresh_folder(const char *scratch, const char *name)
{
    struct err err = ERR_INIT;
    char *path = join(scratch, name);
    assert_fine(file_make_folders(path, &err), err);
    return path;
}

static void write_bundle(const char *folder, const char *entry, const char *name,
                         enum spec_kind kind, uint64_t seed)
{
    struct err err = ERR_INIT;
    const struct tiny_bundle tiny = {.name = name, .kind = kind, .seed = seed};
    char *path = join(folder, entry);
    assert_fine(tiny_bundle_write(path, &tiny, &err), err);
    mem_free(path);
}

static void write_text(const char *folder, const char *entry, const char *part, const char *text)
{
    char *path = join(folder, entry), *file = join(path, part);
    FILE *stream = fopen(file, "w");
    assert_non_null(stream);
    fputs(text, stream);
    assert_int_equal(fclose(stream), 0);
    mem_free(file);
    mem_free(path);
}

static struct registry *load(const char *folder, const struct registry *previous)
{
    struct err err = ERR_INIT;
    struct registry *registry;
    assert_fine(registry_open(&registry, &folder, 1, previous, &err), err);
    return registry;
}

static void drop(char *folder)
{
    struct err err = ERR_INIT;
    assert_fine(file_remove_folder(folder, &err), err);
    mem_free(folder);
}

static void finds_by_name_pair_and_task(void **state)
{
    struct err err = ERR_INIT;
    char *folder = join(*state, "all");
    assert_fine(tiny_bundle_write_all(folder, &err), err);
    struct registry *registry = load(folder, NULL);
    assert_int_equal(registry->count, TINY_BUNDLES);
    assert_int_equal(registry->fault_count, 0);
    assert_string_equal(registry->models[0]->spec.name, "tiny-bag");
    assert_string_equal(registry->models[1]->spec.name, "tiny-en-fr");
    assert_string_equal(registry->models[2]->spec.name, "tiny-fr-en");
    for (size_t i = 1; i < registry->count; i++)
        assert_true(strcmp(registry->models[i - 1]->spec.name, registry->models[i]->spec.name) < 0);
    assert_ptr_equal(registry_by_name(registry, "tiny-fr-en"), registry->models[2]);
    assert_null(registry_by_name(registry, "tiny"));
    assert_ptr_equal(registry_by_pair(registry, "fr", "en"), registry->models[2]);
    assert_ptr_equal(registry_by_pair(registry, "EN", "fr"), registry->models[1]);
    assert_null(registry_by_pair(registry, "en", "de"));
    assert_null(registry_by_pair(registry, "", ""));
    assert_ptr_equal(registry_first(registry, SPEC_CLASSIFICATION), registry->models[0]);
    assert_ptr_equal(registry_first(registry, SPEC_TRANSLATION), registry->models[1]);
    assert_ptr_equal(registry_first(registry, SPEC_TAGGING),
                     registry_by_name(registry, "tiny-tags"));
    registry_free(registry);
    drop(folder);
}

static void a_bundle_may_be_given_itself(void **state)
{
    char *folder = fresh_folder(*state, "single");
    write_bundle(folder, "x", "x", SPEC_BAG_OF_WORDS, 1);
    char *bundle = join(folder, "x");
    struct registry *registry = load(bundle, NULL);
    assert_int_equal(registry->count, 1);
    assert_string_equal(registry->models[0]->folder, bundle);
    registry_free(registry);
    mem_free(bundle);
    drop(folder);
}

static void other_things_are_passed_over(void **state)
{
    struct err err = ERR_INIT;
    char *folder = fresh_folder(*state, "other");
    struct registry *registry = load(folder, NULL);
    assert_int_equal(registry->count + registry->fault_count, 0);
    assert_null(registry_first(registry, SPEC_TRANSLATION));
    registry_free(registry);
    write_bundle(folder, "x", "x", SPEC_BAG_OF_WORDS, 1);
    write_bundle(folder, ".hidden", "hidden", SPEC_BAG_OF_WORDS, 1);
    write_bundle(folder, "x.tmp-1-0", "left", SPEC_BAG_OF_WORDS, 1);
    char *recipes = fresh_folder(folder, "recipes"), *deep = fresh_folder(recipes, "deep");
    write_text(recipes, "deep", "model.txt", "nothing");
    write_text(folder, ".", "README", "nothing");
    registry = load(folder, NULL);
    assert_int_equal(registry->count, 1);
    assert_int_equal(registry->fault_count, 0);
    registry_free(registry);
    mem_free(deep);
    mem_free(recipes);
    drop(folder);
    const char *none = "/no/such/folder";
    assert_int_equal(registry_open(&registry, &none, 1, NULL, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, none));
}

static void faults_are_reported_and_the_rest_is_served(void **state)
{
    char *folder = fresh_folder(*state, "faults");
    write_bundle(folder, "a", "a", SPEC_BAG_OF_WORDS, 1);
    write_bundle(folder, "b", "b", SPEC_RNN, 2);
    write_bundle(folder, "c", "c", SPEC_SEQ2SEQ, 3);
    write_text(folder, "b", BUNDLE_SPEC, "{\"format\":9}");
    struct registry *registry = load(folder, NULL);
    assert_int_equal(registry->count, 2);
    assert_int_equal(registry->fault_count, 1);
    assert_null(registry_by_name(registry, "b"));
    char *bundle = join(folder, "b");
    assert_string_equal(registry->faults[0].folder, bundle);
    assert_non_null(strstr(registry->faults[0].err.message, "b/model.json"));
    assert_non_null(strstr(registry->faults[0].err.message, "\"format\" is 9"));
    registry_free(registry);
    /* a bundle without its spec is a bundle that lacks something, not nothing */
    char *spec = join(bundle, BUNDLE_SPEC);
    assert_int_equal(unlink(spec), 0);
    registry = load(folder, NULL);
    assert_int_equal(registry->fault_count, 1);
    assert_non_null(strstr(registry->faults[0].err.message, spec));
    registry_free(registry);
    mem_free(spec);
    mem_free(bundle);
    drop(folder);
}

static void the_first_of_a_name_is_kept(void **state)
{
    struct err err = ERR_INIT;
    struct registry *registry;
    char *one = fresh_folder(*state, "one"), *two = fresh_folder(*state, "two");
    write_bundle(one, "z", "same", SPEC_BAG_OF_WORDS, 1);
    write_bundle(two, "a", "same", SPEC_SEQ2SEQ, 2);
    write_bundle(two, "b", "other", SPEC_SEQ2SEQ, 3);
    const char *folders[] = {one, two};
    assert_fine(registry_open(&registry, folders, 2, NULL, &err), err);
    assert_int_equal(registry->count, 2);
    assert_int_equal(registry_by_name(registry, "same")->spec.kind, SPEC_BAG_OF_WORDS);
    assert_int_equal(registry->fault_count, 1);
    assert_non_null(strstr(registry->faults[0].folder, "two/a"));
    assert_non_null(strstr(registry->faults[0].err.message, "one/z"));
    registry_free(registry);
    drop(one);
    drop(two);
}

static void reload_shares_what_did_not_change(void **state)
{
    char *folder = fresh_folder(*state, "reload");
    write_bundle(folder, "same", "same", SPEC_SEQ2SEQ, 1);
    write_bundle(folder, "changed", "changed", SPEC_BAG_OF_WORDS, 1);
    write_bundle(folder, "gone", "gone", SPEC_BAG_OF_WORDS, 1);
    struct registry *before = load(folder, NULL);
    assert_int_equal(before->count, 3);
    write_bundle(folder, "changed", "changed", SPEC_BAG_OF_WORDS, 2);
    write_bundle(folder, "new", "new", SPEC_RNN, 1);
    char *gone = join(folder, "gone");
    drop(gone);
    struct registry *after = load(folder, before);
    assert_int_equal(after->count, 3);
    assert_int_equal(after->fault_count, 0);
    assert_ptr_equal(registry_by_name(after, "same"), registry_by_name(before, "same"));
    assert_int_equal(registry_by_name(after, "same")->references, 2);
    assert_ptr_not_equal(registry_by_name(after, "changed"), registry_by_name(before, "changed"));
    assert_non_null(registry_by_name(after, "new"));
    assert_null(registry_by_name(after, "gone"));
    /* the old registry still serves what it has, and a user may outlive both */
    struct model *kept = model_retain(registry_by_name(before, "gone"));
    float probabilities[2];
    struct err err = ERR_INIT;
    registry_free(before);
    assert_int_equal(registry_by_name(after, "same")->references, 1);
    registry_free(after);
    assert_fine(model_classify(kept, "fun", 3, probabilities, &err), err);
    model_release(kept);
    drop(folder);
}

static void each_file_counts_as_change(void **state)
{
    static const char *const parts[] = {BUNDLE_SPEC, BUNDLE_WEIGHTS, BUNDLE_VOCABULARY};
    struct err err = ERR_INIT;
    char *folder = fresh_folder(*state, "files");
    write_bundle(folder, "x", "x", SPEC_BAG_OF_WORDS, 1);
    char *bundle = join(folder, "x");
    for (size_t i = 0; i < 3; i++) {
        struct registry *before = load(folder, NULL);
        struct buf content = BUF_INIT;
        struct file_save save;
        char *path = join(bundle, parts[i]);
        assert_fine(file_read(path, 1 << 20, &content, &err), err);
        assert_fine(file_save_begin(&save, path, &err), err);
        assert_int_equal(fwrite(content.data, 1, content.len, save.stream), content.len);
        assert_fine(file_save_commit(&save, &err), err);
        struct registry *after = load(folder, before);
        assert_ptr_not_equal(after->models[0], before->models[0]);
        struct registry *again = load(folder, after);
        assert_ptr_equal(again->models[0], after->models[0]);
        registry_free(again);
        registry_free(after);
        registry_free(before);
        buf_release(&content);
        mem_free(path);
    }
    mem_free(bundle);
    drop(folder);
}

static void a_bundle_that_went_bad_is_kept_and_reported(void **state)
{
    char *folder = fresh_folder(*state, "bad");
    write_bundle(folder, "x", "x", SPEC_BAG_OF_WORDS, 1);
    struct registry *first = load(folder, NULL);
    write_text(folder, "x", BUNDLE_SPEC, "{");
    struct registry *second = load(folder, first);
    assert_int_equal(second->count, 1);
    assert_ptr_equal(second->models[0], first->models[0]);
    assert_int_equal(second->fault_count, 1);
    assert_non_null(strstr(second->faults[0].err.message, BUNDLE_SPEC));
    /* the fault does not get lost in later reloads */
    struct registry *third = load(folder, second);
    assert_ptr_equal(third->models[0], first->models[0]);
    assert_int_equal(third->fault_count, 1);
    write_bundle(folder, "x", "x", SPEC_BAG_OF_WORDS, 2);
    struct registry *fourth = load(folder, third);
    assert_int_equal(fourth->fault_count, 0);
    assert_ptr_not_equal(fourth->models[0], first->models[0]);
    registry_free(first);
    registry_free(second);
    registry_free(third);
    registry_free(fourth);
    drop(folder);
}

/* What cp does to a file that is there already: the model in service must not notice. */
static void writing_into_its_files_leaves_a_model_alone(void **state)
{
    struct err err = ERR_INIT;
    float before[2], after[2];
    char *folder = fresh_folder(*state, "written");
    write_bundle(folder, "x", "x", SPEC_BAG_OF_WORDS, 1);
    struct registry *registry = load(folder, NULL);
    const struct model *model = registry_by_name(registry, "x");
    assert_fine(model_classify(model, "Great fun!", 10, before, &err), err);
    write_text(folder, "x", BUNDLE_WEIGHTS, "");
    write_text(folder, "x", BUNDLE_VOCABULARY, "");
    assert_fine(model_classify(model, "Great fun!", 10, after, &err), err);
    assert_memory_equal(before, after, sizeof before);
    registry_free(registry);
    drop(folder);
}

static void models_do_their_own_task_only(void **state)
{
    struct err err = ERR_INIT;
    const struct decode_options options = {.beam = 2, .nbest = 1, .length_penalty = 1};
    struct buf out = BUF_INIT;
    float score, probabilities[2];
    char *folder = join(*state, "tasks");
    assert_fine(tiny_bundle_write_all(folder, &err), err);
    struct registry *registry = load(folder, NULL);
    const struct model *bag = registry_by_name(registry, "tiny-bag");
    const struct model *translation = registry_by_name(registry, "tiny-en-fr");
    assert_int_equal(model_translate(bag, "a", 1, &options, &out, &score, &err), ERR_ARGUMENT);
    assert_string_equal(err.message,
                        "model \"tiny-bag\" is for classification, not for translation");
    err_clear(&err);
    assert_int_equal(model_classify(translation, "a", 1, probabilities, &err), ERR_ARGUMENT);
    err_clear(&err);
    assert_int_equal(model_classify(bag, "\xff", 1, probabilities, &err), ERR_UTF8);
    err_clear(&err);
    assert_int_equal(model_translate(translation, "a\xc3", 2, &options, &out, &score, &err),
                     ERR_UTF8);
    err_clear(&err);
    assert_fine(model_translate(translation, "", 0, &options, &out, &score, &err), err);
    assert_int_equal(out.len, 0);
    assert_fine(model_translate(translation, "Where?", 6, &options, &out, &score, &err), err);
    assert_true(out.len > 0 && score < 0);
    assert_fine(model_classify(bag, "Great fun!", 10, probabilities, &err), err);
    assert_true(probabilities[0] + probabilities[1] > 0.9999f);
    buf_release(&out);
    registry_free(registry);
    drop(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_by_name_pair_and_task),
        cmocka_unit_test(a_bundle_may_be_given_itself),
        cmocka_unit_test(other_things_are_passed_over),
        cmocka_unit_test(faults_are_reported_and_the_rest_is_served),
        cmocka_unit_test(the_first_of_a_name_is_kept),
        cmocka_unit_test(reload_shares_what_did_not_change),
        cmocka_unit_test(each_file_counts_as_change),
        cmocka_unit_test(a_bundle_that_went_bad_is_kept_and_reported),
        cmocka_unit_test(writing_into_its_files_leaves_a_model_alone),
        cmocka_unit_test(models_do_their_own_task_only),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
