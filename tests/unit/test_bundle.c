/*
 * Bundles: saved ones are what was given, and stay whole whatever happens to saving; damaged ones
 * are refused with a message that names the file and the fault.
 */
#include "unit.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "model/bundle.h"
#include "model/model.h"
#include "support/tiny_bundle.h"

#define FILE_MOST ((size_t)1 << 20)

static const enum spec_kind kinds[] = {SPEC_SEQ2SEQ, SPEC_RNN, SPEC_BAG_OF_WORDS};

/* The three files of a good bundle, kept in memory to damage one after the other. */
struct original {
    struct buf spec, weights, vocabulary;
    char *folder;
};

static char *join(const char *folder, const char *name)
{
    char *path = file_join(folder, name, NULL);
    assert_non_null(path);
    return path;
}

static void read_part(const char *folder, const char *name, struct buf *out)
{
    struct err err = ERR_INIT;
    char *path = join(folder, name);
    *out = (struct buf)BUF_INIT;
    assert_fine(file_read(path, FILE_MOST, out, &err), err);
    mem_free(path);
}

static void write_part(const char *folder, const char *name, const void *data, size_t size)
{
    char *path = join(folder, name);
    FILE *stream = fopen(path, "wb");
    assert_non_null(stream);
    assert_int_equal(fwrite(data, 1, size, stream), size);
    assert_int_equal(fclose(stream), 0);
    mem_free(path);
}

static void remove_part(const char *folder, const char *name)
{
    char *path = join(folder, name);
    assert_int_equal(unlink(path), 0);
    mem_free(path);
}

static void make_original(struct original *original, const char *scratch, enum spec_kind kind)
{
    const struct tiny_bundle tiny = {.name = "tiny", .kind = kind, .seed = 5};
    struct err err = ERR_INIT;
    original->folder = join(scratch, "tiny");
    assert_fine(tiny_bundle_write(original->folder, &tiny, &err), err);
    read_part(original->folder, BUNDLE_SPEC, &original->spec);
    read_part(original->folder, BUNDLE_WEIGHTS, &original->weights);
    read_part(original->folder, BUNDLE_VOCABULARY, &original->vocabulary);
}

static void restore(const struct original *original)
{
    write_part(original->folder, BUNDLE_SPEC, original->spec.data, original->spec.len);
    write_part(original->folder, BUNDLE_WEIGHTS, original->weights.data, original->weights.len);
    write_part(original->folder, BUNDLE_VOCABULARY, original->vocabulary.data,
               original->vocabulary.len);
}

static void release_original(struct original *original)
{
    struct err err = ERR_INIT;
    assert_fine(file_remove_folder(original->folder, &err), err);
    buf_release(&original->spec);
    buf_release(&original->weights);
    buf_release(&original->vocabulary);
    mem_free(original->folder);
}

static void opens(const char *folder)
{
    struct err err = ERR_INIT;
    struct model *model = NULL;
    assert_fine(model_open(&model, folder, &err), err);
    assert_string_equal(model->folder, folder);
    model_release(model);
}

/* The bundle is refused with a message that begins with the part's path and holds `words`. */
static enum err_code refused(const char *folder, const char *part, const char *words)
{
    struct err err = ERR_INIT;
    struct model *model = NULL;
    char *path = join(folder, part);
    const int code = model_open(&model, folder, &err);
    if (code == 0)
        fail_msg("%s with \"%s\" was opened", part, words);
    assert_int_equal(code, err.code);
    assert_null(model);
    if (strncmp(err.message, path, strlen(path)) != 0)
        fail_msg("\"%s\" does not begin with %s", err.message, path);
    if (strstr(err.message, words) == NULL)
        fail_msg("\"%s\" lacks \"%s\"", err.message, words);
    mem_free(path);
    return err.code;
}

static void missing_files_are_named(void **state)
{
    static const char *const parts[] = {BUNDLE_SPEC, BUNDLE_WEIGHTS, BUNDLE_VOCABULARY};
    struct original original;
    make_original(&original, *state, SPEC_SEQ2SEQ);
    for (size_t i = 0; i < 3; i++) {
        remove_part(original.folder, parts[i]);
        assert_int_equal(refused(original.folder, parts[i], "No such file"), ERR_NOT_FOUND);
        restore(&original);
    }
    opens(original.folder);
    release_original(&original);
}

static void cut_files_are_refused(void **state)
{
    for (size_t k = 0; k < 3; k++) {
        struct original original;
        make_original(&original, *state, kinds[k]);
        /* from the last two bytes of the spec on, only white space is lost */
        for (size_t size = 0; size < original.spec.len - 2; size += 1 + size / 20) {
            write_part(original.folder, BUNDLE_SPEC, original.spec.data, size);
            refused(original.folder, BUNDLE_SPEC, "not valid JSON");
        }
        restore(&original);
        for (size_t size = 0; size < original.weights.len; size += 1 + size / 20) {
            write_part(original.folder, BUNDLE_WEIGHTS, original.weights.data, size);
            refused(original.folder, BUNDLE_WEIGHTS, "");
        }
        restore(&original);
        for (size_t size = 0; size < original.vocabulary.len; size += 1 + size / 5) {
            write_part(original.folder, BUNDLE_VOCABULARY, original.vocabulary.data, size);
            refused(original.folder, BUNDLE_VOCABULARY, "");
        }
        release_original(&original);
    }
}

/*
 * Weights
 */

/* The header of the weights as a tree; *data is where the floats begin. */
static json_t *weights_header(const struct buf *weights, size_t *data)
{
    uint64_t length;
    memcpy(&length, weights->data, sizeof length);
    *data = 8 + (size_t)length;
    json_t *header = json_loadb(weights->data + 8, (size_t)length, 0, NULL);
    assert_non_null(header);
    return header;
}

static void write_weights(const struct original *original, const json_t *header, size_t data)
{
    struct buf out = BUF_INIT;
    char *text = json_dumps(header, JSON_COMPACT);
    const uint64_t length = (strlen(text) + 63) / 8 * 8;
    assert_int_equal(buf_append(&out, &length, sizeof length, NULL), 0);
    assert_int_equal(buf_printf(&out, NULL, "%-*s", (int)length, text), 0);
    assert_int_equal(
        buf_append(&out, original->weights.data + data, original->weights.len - data, NULL), 0);
    write_part(original->folder, BUNDLE_WEIGHTS, out.data, out.len);
    buf_release(&out);
    free(text);
}

static void each_offset_and_size_is_checked(void **state)
{
    static const json_int_t changes[] = {-1, 1, -4, 4, 4096, -4096, INT64_C(1) << 40};
    for (size_t k = 0; k < 3; k++) {
        struct original original;
        const char *name;
        json_t *entry;
        size_t data;
        make_original(&original, *state, kinds[k]);
        json_t *header = weights_header(&original.weights, &data);
        write_weights(&original, header, data);
        opens(original.folder);
        json_object_foreach(header, name, entry)
        {
            for (size_t i = 0; i < 4; i++) {
                json_t *array = json_object_get(entry, i < 2 ? "data_offsets" : "shape");
                if (array == NULL || json_array_size(array) <= i % 2)
                    continue;
                const json_int_t old = json_integer_value(json_array_get(array, i % 2));
                for (size_t c = 0; c < sizeof changes / sizeof changes[0]; c++) {
                    json_array_set_new(array, i % 2, json_integer(old + changes[c]));
                    write_weights(&original, header, data);
                    refused(original.folder, BUNDLE_WEIGHTS, "tensor \"");
                }
                json_array_set_new(array, i % 2, json_integer(old));
            }
        }
        json_decref(header);
        release_original(&original);
    }
}

/* Another order of dimensions keeps every size in the file right: only the spec tells. */
static void shapes_must_fit_the_architecture(void **state)
{
    for (size_t k = 0; k < 3; k++) {
        struct original original;
        const char *name;
        json_t *entry;
        size_t data;
        make_original(&original, *state, kinds[k]);
        json_t *header = weights_header(&original.weights, &data);
        json_object_foreach(header, name, entry)
        {
            char words[128];
            json_t *shape = json_object_get(entry, "shape");
            if (shape == NULL)
                continue;
            json_array_append_new(shape, json_integer(1));
            write_weights(&original, header, data);
            snprintf(words, sizeof words, "tensor \"%s\" has shape [", name);
            refused(original.folder, BUNDLE_WEIGHTS, words);
            json_array_remove(shape, json_array_size(shape) - 1);
        }
        json_decref(header);
        release_original(&original);
    }
}

static void each_tensor_must_be_there(void **state)
{
    for (size_t k = 0; k < 3; k++) {
        struct original original;
        const char *name;
        json_t *entry;
        size_t data;
        make_original(&original, *state, kinds[k]);
        json_t *header = weights_header(&original.weights, &data);
        json_object_foreach(header, name, entry)
        {
            char words[128];
            if (json_object_get(entry, "shape") == NULL)
                continue;
            json_t *renamed = json_copy(header);
            json_object_del(renamed, name);
            json_object_set(renamed, "stranger", entry);
            write_weights(&original, renamed, data);
            snprintf(words, sizeof words, "tensor \"%s\" is missing", name);
            refused(original.folder, BUNDLE_WEIGHTS, words);
            json_decref(renamed);
        }
        json_decref(header);
        release_original(&original);
    }
}

static void superfluous_tensors_are_named(void **state)
{
    static const float more[3] = {1, 2, 3};
    for (size_t k = 0; k < 3; k++) {
        struct err err = ERR_INIT;
        struct original original;
        struct safetensors file;
        struct tensor tensors[32];
        make_original(&original, *state, kinds[k]);
        char *path = join(original.folder, BUNDLE_WEIGHTS);
        assert_fine(safetensors_open(&file, path, &err), err);
        memcpy(tensors, file.tensors, file.count * sizeof *tensors);
        tensors[file.count] = (struct tensor){
            .name = "stranger", .dimensions = 1, .shape = {3}, .count = 3, .data = more};
        assert_fine(safetensors_write(path, tensors, file.count + 1, &err), err);
        safetensors_close(&file);
        refused(original.folder, BUNDLE_WEIGHTS, "tensor \"stranger\"");
        mem_free(path);
        release_original(&original);
    }
}

static void each_tensor_must_be_finite(void **state)
{
    for (size_t k = 0; k < 3; k++) {
        const float bad[2] = {NAN, -INFINITY};
        struct original original;
        const char *name;
        json_t *entry;
        size_t data, turn = 0;
        make_original(&original, *state, kinds[k]);
        json_t *header = weights_header(&original.weights, &data);
        json_object_foreach(header, name, entry)
        {
            char words[128], *end;
            const json_t *offsets = json_object_get(entry, "data_offsets");
            if (offsets == NULL)
                continue;
            /* the last float of the tensor */
            end = original.weights.data + data + json_integer_value(json_array_get(offsets, 1));
            float old;
            memcpy(&old, end - 4, 4);
            memcpy(end - 4, &bad[turn++ % 2], 4);
            write_weights(&original, header, data);
            snprintf(words, sizeof words, "tensor \"%s\": element", name);
            refused(original.folder, BUNDLE_WEIGHTS, words);
            memcpy(end - 4, &old, 4);
        }
        json_decref(header);
        release_original(&original);
    }
}

/*
 * Spec against the rest
 */

static void sizes_must_agree_with_the_spec(void **state)
{
    static const struct {
        enum spec_kind kind;
        const char *key, *part, *words;
    } cases[] = {
        {SPEC_SEQ2SEQ, "vocabulary", BUNDLE_VOCABULARY, "tokens, model.json says"},
        {SPEC_SEQ2SEQ, "embedding", BUNDLE_WEIGHTS, "\"embedding.weight\" has shape"},
        {SPEC_SEQ2SEQ, "encoder.hidden", BUNDLE_WEIGHTS, "\"encoder.weight_ih_l0\" has shape"},
        {SPEC_SEQ2SEQ, "decoder.hidden", BUNDLE_WEIGHTS, "has shape"},
        {SPEC_RNN, "vocabulary", BUNDLE_VOCABULARY, "tokens, model.json says"},
        {SPEC_RNN, "embedding", BUNDLE_WEIGHTS, "\"embedding.weight\" has shape"},
        {SPEC_RNN, "encoder.hidden", BUNDLE_WEIGHTS, "\"encoder.weight_ih_l0\" has"},
        {SPEC_BAG_OF_WORDS, "vocabulary", BUNDLE_VOCABULARY, "tokens, model.json says"},
        {SPEC_BAG_OF_WORDS, "buckets", BUNDLE_WEIGHTS, "\"weight\" has shape"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct original original;
        make_original(&original, *state, cases[i].kind);
        json_t *spec = json_loadb(original.spec.data, original.spec.len, 0, NULL);
        json_t *node = json_object_get(spec, "architecture");
        const char *dot = strchr(cases[i].key, '.'), *key = cases[i].key;
        if (dot != NULL) {
            node = json_object_get(node, key[0] == 'e' ? "encoder" : "decoder");
            key = dot + 1;
        }
        for (int change = -1; change <= 1; change += 2) {
            const json_int_t old = json_integer_value(json_object_get(node, key));
            json_object_set_new(node, key, json_integer(old + change));
            char *text = json_dumps(spec, 0);
            write_part(original.folder, BUNDLE_SPEC, text, strlen(text));
            refused(original.folder, cases[i].part, cases[i].words);
            free(text);
            json_object_set_new(node, key, json_integer(old));
        }
        json_decref(spec);
        release_original(&original);
    }
}

/*
 * Vocabulary
 */

static sqlite3 *open_database(const char *folder)
{
    sqlite3 *db;
    char *path = join(folder, BUNDLE_VOCABULARY);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    mem_free(path);
    return db;
}

static void run_sql(const char *folder, const char *sql)
{
    char *message = NULL;
    sqlite3 *db = open_database(folder);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(db);
}

static void wrong_vocabularies_are_refused(void **state)
{
    static const char *const changes[] = {
        "DROP TABLE token",
        "DROP TABLE merge",
        "DROP TABLE meta",
        "DELETE FROM token",
        "DELETE FROM token WHERE id = 10",
        "DELETE FROM token WHERE id = (SELECT max(id) FROM token)",
        "UPDATE token SET id = 1000000 WHERE id = (SELECT max(id) FROM token)",
        "UPDATE token SET text = CAST(x'ff41' AS TEXT) WHERE id = 290",
        "UPDATE token SET text = CAST(x'c3' AS TEXT) WHERE id = 290",
        "UPDATE token SET text = '' WHERE id = 290",
        "UPDATE token SET text = x'41' WHERE id = 290",
        "UPDATE token SET text = (SELECT text FROM token WHERE id = 291) WHERE id = 290",
        "UPDATE merge SET left = 1000000 WHERE rank = 1",
        "UPDATE merge SET right = -1 WHERE rank = 1",
    };
    struct original original;
    make_original(&original, *state, SPEC_SEQ2SEQ);
    for (size_t i = 0; i < sizeof changes / sizeof changes[0]; i++) {
        print_message("%s\n", changes[i]);
        run_sql(original.folder, changes[i]);
        refused(original.folder, BUNDLE_VOCABULARY, "");
        restore(&original);
    }
    opens(original.folder);
    release_original(&original);
}

static void other_files_are_no_vocabulary(void **state)
{
    struct original original;
    char page[4096];
    make_original(&original, *state, SPEC_BAG_OF_WORDS);
    write_part(original.folder, BUNDLE_VOCABULARY, "", 0);
    assert_int_equal(refused(original.folder, BUNDLE_VOCABULARY, "empty"), ERR_FORMAT);
    memset(page, 'x', sizeof page);
    write_part(original.folder, BUNDLE_VOCABULARY, page, sizeof page);
    assert_int_equal(refused(original.folder, BUNDLE_VOCABULARY, "not an SQLite"), ERR_FORMAT);
    release_original(&original);
}

/* A page that is not read does no harm; any other damage is found. */
static void damaged_pages_are_found(void **state)
{
    struct original original;
    size_t found = 0;
    make_original(&original, *state, SPEC_SEQ2SEQ);
    for (size_t at = 100; at < original.vocabulary.len; at += 4096) {
        struct err err = ERR_INIT;
        struct model *model = NULL;
        struct buf damaged = BUF_INIT;
        buf_append(&damaged, original.vocabulary.data, original.vocabulary.len, NULL);
        memset(damaged.data + at, 0xff, 3900);
        write_part(original.folder, BUNDLE_VOCABULARY, damaged.data, damaged.len);
        if (model_open(&model, original.folder, &err) < 0) {
            assert_non_null(strstr(err.message, BUNDLE_VOCABULARY));
            found++;
        }
        model_release(model);
        buf_release(&damaged);
    }
    assert_true(found >= 3);
    release_original(&original);
}

static void locked_vocabulary_is_busy(void **state)
{
    struct original original;
    make_original(&original, *state, SPEC_SEQ2SEQ);
    sqlite3 *db = open_database(original.folder);
    assert_int_equal(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(refused(original.folder, BUNDLE_VOCABULARY, "locked"), ERR_BUSY);
    assert_int_equal(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    opens(original.folder);
    release_original(&original);
}

/*
 * Saving
 */

static void saving_replaces_the_whole(void **state)
{
    struct err err = ERR_INIT;
    struct tiny_bundle tiny = {.name = "first", .kind = SPEC_SEQ2SEQ, .seed = 1};
    struct model *old, *new;
    char *folder = join(*state, "deep/er/bundle/");
    char *parent = join(*state, "deep/er");
    assert_fine(file_make_folders(parent, &err), err);
    assert_fine(tiny_bundle_write(folder, &tiny, &err), err);
    assert_fine(model_open(&old, folder, &err), err);
    tiny.name = "second";
    tiny.kind = SPEC_BAG_OF_WORDS;
    assert_fine(tiny_bundle_write(folder, &tiny, &err), err);
    assert_fine(model_open(&new, folder, &err), err);
    assert_string_equal(new->spec.name, "second");
    /* the old one is still copied and works */
    struct buf out = BUF_INIT;
    const struct decode_options options = {.beam = 2, .nbest = 1, .length_penalty = 1};
    assert_fine(model_translate(old, "Where is it?", 12, &options, &out, NULL, &err), err);
    buf_release(&out);
    model_release(old);
    model_release(new);
    assert_fine(file_remove_folder(folder, &err), err);
    assert_int_equal(rmdir(parent), 0); /* nothing else was left there */
    mem_free(parent);
    mem_free(folder);
}

/* The program is linked so that the library's renameat2 is this one. */
static int exchange_error;
int __real_renameat2(int old_folder, const char *old, int new_folder, const char *new,
                     unsigned flags);
int __wrap_renameat2(int old_folder, const char *old, int new_folder, const char *new,
                     unsigned flags);
int __wrap_renameat2(int old_folder, const char *old, int new_folder, const char *new,
                     unsigned flags)
{
    if (exchange_error == 0)
        return __real_renameat2(old_folder, old, new_folder, new, flags);
    errno = exchange_error;
    return -1;
}

/* Some file systems cannot exchange folders: then the files are renamed one by one. */
static void saves_where_folders_cannot_be_exchanged(void **state)
{
    static const int errors[] = {EINVAL, EXDEV, ENOSYS};
    struct err err = ERR_INIT;
    struct tiny_bundle tiny = {.name = "old", .kind = SPEC_SEQ2SEQ, .seed = 1};
    char *parent = join(*state, "exchange"), *folder = join(parent, "bundle");
    assert_fine(file_make_folders(parent, &err), err);
    assert_fine(tiny_bundle_write(folder, &tiny, &err), err);
    for (size_t i = 0; i < 3; i++) {
        struct model *model;
        tiny.name = i % 2 == 0 ? "new" : "newer";
        tiny.kind = i % 2 == 0 ? SPEC_BAG_OF_WORDS : SPEC_RNN;
        exchange_error = errors[i];
        int code = tiny_bundle_write(folder, &tiny, &err);
        exchange_error = 0;
        assert_fine(code, err);
        assert_fine(model_open(&model, folder, &err), err);
        assert_string_equal(model->spec.name, tiny.name);
        model_release(model);
    }
    exchange_error = EACCES;
    int code = tiny_bundle_write(folder, &tiny, &err);
    exchange_error = 0;
    assert_int_equal(code, ERR_IO);
    opens(folder);
    assert_fine(file_remove_folder(folder, NULL), err);
    assert_int_equal(rmdir(parent), 0);
    mem_free(folder);
    mem_free(parent);
}

static void links_to_bundles_stay_links(void **state)
{
    struct err err = ERR_INIT;
    struct stat info;
    const struct tiny_bundle tiny = {.name = "tiny", .kind = SPEC_BAG_OF_WORDS, .seed = 1};
    char *folder = join(*state, "target"), *link = join(*state, "link");
    assert_fine(tiny_bundle_write(folder, &tiny, &err), err);
    assert_int_equal(symlink(folder, link), 0);
    assert_fine(tiny_bundle_write(link, &tiny, &err), err);
    assert_int_equal(lstat(link, &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    opens(link);
    assert_int_equal(unlink(link), 0);
    assert_fine(file_remove_folder(folder, &err), err);
    mem_free(link);
    mem_free(folder);
}

static void other_folders_are_not_replaced(void **state)
{
    struct err err = ERR_INIT;
    const struct tiny_bundle tiny = {.name = "tiny", .kind = SPEC_BAG_OF_WORDS, .seed = 1};
    char *folder = join(*state, "letters"), *letter = join(folder, "letter.txt");
    assert_fine(bundle_check_target(folder, &err), err);
    assert_fine(file_make_folders(folder, &err), err);
    assert_fine(bundle_check_target(folder, &err), err);
    write_part(folder, "letter.txt", "dear", 4);
    assert_int_equal(bundle_check_target(folder, &err), ERR_ARGUMENT);
    assert_non_null(strstr(err.message, "\"letter.txt\""));
    err_clear(&err);
    assert_int_equal(tiny_bundle_write(folder, &tiny, &err), ERR_ARGUMENT);
    assert_true(file_exists(letter));
    err_clear(&err);
    assert_int_equal(bundle_check_target(letter, &err), ERR_IO); /* not a folder */
    assert_fine(file_remove_folder(folder, NULL), err);
    mem_free(letter);
    mem_free(folder);
}

/* Saves a bundle with the files of `original` but other tensors or vocabulary, which must fail. */
static void fails_to_save(const struct original *original, const char *vocabulary, bool finite)
{
    struct err err = ERR_INIT;
    struct bundle bundle;
    const float bad[1] = {NAN};
    assert_fine(bundle_open(&bundle, original->folder, &err), err);
    if (!finite) {
        bundle.weights.tensors[1].data = bad;
        bundle.weights.tensors[1].count = bundle.weights.tensors[1].shape[0] = 1;
        bundle.weights.tensors[1].dimensions = 1;
    }
    int code = bundle_save(original->folder, &bundle.spec, vocabulary, bundle.weights.tensors,
                           bundle.weights.count, &err);
    assert_true(code < 0);
    assert_true(err.message[0] != '\0');
    bundle_release(&bundle);
}

static void failed_saves_leave_the_old_bundle(void **state)
{
    struct original original;
    struct buf after;
    char *folder = join(*state, "save");
    assert_int_equal(file_make_folders(folder, NULL), 0);
    make_original(&original, folder, SPEC_RNN);
    char *vocabulary = join(original.folder, BUNDLE_VOCABULARY);
    fails_to_save(&original, "/no/such/vocabulary", true);
    fails_to_save(&original, vocabulary, false);
    opens(original.folder);
    read_part(original.folder, BUNDLE_WEIGHTS, &after);
    assert_int_equal(after.len, original.weights.len);
    assert_memory_equal(after.data, original.weights.data, after.len);
    buf_release(&after);
    mem_free(vocabulary);
    release_original(&original);
    assert_int_equal(rmdir(folder), 0); /* no temporary was left */
    mem_free(folder);
}

static void leftovers_are_known(void **state)
{
    (void)state;
    assert_true(bundle_is_leftover("en-fr.tmp-123-0"));
    assert_false(bundle_is_leftover("en-fr"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_files_are_named),
        cmocka_unit_test(cut_files_are_refused),
        cmocka_unit_test(each_offset_and_size_is_checked),
        cmocka_unit_test(shapes_must_fit_the_architecture),
        cmocka_unit_test(each_tensor_must_be_there),
        cmocka_unit_test(superfluous_tensors_are_named),
        cmocka_unit_test(each_tensor_must_be_finite),
        cmocka_unit_test(sizes_must_agree_with_the_spec),
        cmocka_unit_test(wrong_vocabularies_are_refused),
        cmocka_unit_test(other_files_are_no_vocabulary),
        cmocka_unit_test(damaged_pages_are_found),
        cmocka_unit_test(locked_vocabulary_is_busy),
        cmocka_unit_test(saving_replaces_the_whole),
        cmocka_unit_test(saves_where_folders_cannot_be_exchanged),
        cmocka_unit_test(links_to_bundles_stay_links),
        cmocka_unit_test(other_folders_are_not_replaced),
        cmocka_unit_test(failed_saves_leave_the_old_bundle),
        cmocka_unit_test(leftovers_are_known),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
