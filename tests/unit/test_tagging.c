/*
 * The tagging task from data to bundle, and the bundle in use: a label for each word, at the word's
 * last token, whatever the tokenizer; what is wrong with data or text is an error or has an answer.
 */
#include "task_fixture.h"

#include <math.h>

#include "base/rng.h"
#include "model/bundle.h"
#include "model/tag.h"

#define WORD_SETTINGS                                                                              \
    {"task", "tagging"}, {"min-count", "1"}, {"merges", "30"}, {"embedding", "12"},                \
        {"encoder-hidden", "12"}, {"batch-tokens", "120"}, {"rate", "0.03"}, {"threads", "2"},     \
        {"dropout-embedding", "0"}, {"dropout-output", "0"},                                       \
    {                                                                                              \
        "label-smoothing", "0"                                                                     \
    }

static const char *const by_words[][2] = {
    WORD_SETTINGS, {"tokenizer", "word"}, {"epochs", "6"}, {NULL, NULL}};
static const char *const by_bpe[][2] = {
    WORD_SETTINGS, {"tokenizer", "bpe"}, {"epochs", "8"}, {NULL, NULL}};
static const char *const by_characters[][2] = {
    WORD_SETTINGS, {"tokenizer", "char"}, {"epochs", "12"}, {NULL, NULL}};

/* A word's label is what it is, but "it" is what the word before it was. */
static void write_data(const char *folder, const char *name, size_t lines, uint64_t seed)
{
    static const char *const words[] = {"apples,", "dogs", "it", "pears", "cats", "plums!"};
    static const char *const labels[] = {"fruit", "animal", "none", "fruit", "animal", "fruit"};
    FILE *stream = open_data(folder, name);
    struct rng rng;
    rng_seed(&rng, seed, 0);
    for (size_t i = 0; i < lines; i++) {
        const size_t count = 1 + rng_below(&rng, 6);
        const char *line[6], *before = "none";
        for (size_t w = 0; w < count; w++) {
            const size_t word = rng_below(&rng, 6);
            fprintf(stream, "%s%s", w == 0 ? "" : rng_below(&rng, 8) > 0 ? " " : "  ", words[word]);
            line[w] = before = word == 2 ? before : labels[word];
        }
        for (size_t w = 0; w < count; w++)
            fprintf(stream, "%c%s", w > 0 ? ' ' : '\t', line[w]);
        fputc('\n', stream);
    }
    assert_int_equal(fclose(stream), 0);
}

static void tag(const struct model *model, const char *text, struct tagged *tagged)
{
    struct err err = ERR_INIT;
    assert_fine(model_tag(model, text, strlen(text), tagged, &err), err);
}

/* The labels of a text and the words that they stand for, as "word/label word/label". */
static void assert_tags(const struct model *model, const char *text, const char *expected)
{
    struct tagged tagged = {.count = 0};
    struct buf found = BUF_INIT;
    tag(model, text, &tagged);
    for (size_t w = 0; w < tagged.count; w++) {
        const struct tagged_word *word = &tagged.words[w];
        assert_true(word->probability > 1.0f / 3 - 1e-6f && word->probability <= 1.0f);
        assert_int_equal(buf_printf(&found, NULL, "%s%.*s/%s", w > 0 ? " " : "",
                                    (int)(word->end - word->begin), text + word->begin,
                                    model->spec.labels[word->label]),
                         0);
    }
    assert_string_equal(found.data ? found.data : "", expected);
    buf_release(&found);
    tagged_release(&tagged);
}

static void learns(const char *folder, const char *const (*settings)[2])
{
    struct err err = ERR_INIT;
    struct run run = {folder, "train.tsv", "dev.tsv", "learned", settings, 0, 0};
    assert_fine(train(&run, &err), err);
    assert_true(run.best > 99);
    struct model *model = open_trained(&run);
    assert_int_equal(model->spec.task, SPEC_TAGGING);
    assert_int_equal(model->spec.label_count, 3);
    assert_string_equal(model->spec.labels[0], "animal");
    assert_tags(model, "dogs it it apples, it",
                "dogs/animal it/animal it/animal apples,/fruit it/fruit");
    assert_tags(model, "plums!  cats  ", "plums!/fruit cats/animal");
    assert_tags(model, "pears", "pears/fruit");
    assert_tags(model, "", "");
    assert_tags(model, " \t ", "");
    model_release(model);
}

static void tokenizers_learn_the_same(void **state)
{
    learns(*state, by_words);
    learns(*state, by_bpe);
    learns(*state, by_characters);
}

/* Nothing is known of such words, but they have labels. */
static void unknown_words_have_labels(void **state)
{
    struct err err = ERR_INIT;
    struct run run = {*state, "train.tsv", "dev.tsv", "unknown", by_words, 0, 0};
    struct tagged tagged = {.count = 0};
    assert_fine(train(&run, &err), err);
    struct model *model = open_trained(&run);
    tag(model, "zebras \xC3\xA9t\xC3\xA9 42", &tagged);
    assert_int_equal(tagged.count, 3);
    assert_int_equal(tagged.words[1].begin, 7);
    assert_int_equal(tagged.words[1].end, 12);
    assert_int_equal(model_tag(model, "a\xFF", 2, &tagged, &err), ERR_UTF8);
    assert_int_equal(tagged.count, 0);
    tagged_release(&tagged);
    model_release(model);
}

static void another_task_is_refused(void **state)
{
    struct err err = ERR_INIT;
    struct run run = {*state, "train.tsv", "dev.tsv", "task", by_words, 0, 0};
    float probabilities[3];
    double value;
    assert_fine(train(&run, &err), err);
    struct model *model = open_trained(&run);
    assert_int_equal(model_classify(model, "dogs", 4, probabilities, &err), ERR_ARGUMENT);
    assert_non_null(strstr(err.message, "is for tagging, not for classification"));
    err_clear(&err);
    assert_int_equal(model_regress(model, "dogs", 4, NULL, &value, &err), ERR_ARGUMENT);
    assert_non_null(strstr(err.message, "is for tagging, not for regression"));
    model_release(model);
}

/* Every prediction of such a word is wrong; nothing else changes. */
static void labels_of_dev_alone_count_as_wrong(void **state)
{
    struct err err = ERR_INIT;
    struct run run = {*state, "train.tsv", "odd.tsv", "odd", by_words, 0, 0};
    write_text(*state, "odd.tsv", "dogs pears it cats\tanimal stone fruit animal\n");
    assert_fine(train(&run, &err), err);
    assert_true(fabs(run.best - 75) < 1e-9);
}

/* A class with one example is a class. */
static void a_label_may_be_rare(void **state)
{
    struct err err = ERR_INIT;
    struct run run = {*state, "rare.tsv", "dev.tsv", "rare", by_words, 0, 0};
    write_text(*state, "rare.tsv", "dogs cats pears\tanimal animal fruit\nit\tonce\n");
    assert_fine(train(&run, &err), err);
    struct model *model = open_trained(&run);
    assert_int_equal(model->spec.label_count, 3);
    model_release(model);
}

static void bad_data_is_refused(void **state)
{
    struct run run = {*state, "bad.tsv", "dev.tsv", "bad", by_words, 0, 0};
    write_text(*state, "bad.tsv", "dogs pears\tanimal fruit\ndogs it\tanimal\n");
    assert_refused(&run, ERR_FORMAT, "bad.tsv:2: 2 words, but 1 labels");
    write_text(*state, "bad.tsv", "dogs cats\tanimal animal\n");
    assert_refused(&run, ERR_LIMIT, "the training data has 1 labels");
    write_text(*state, "bad.tsv", "dogs cats\tanimal fruit\n\xC2\xA0 x\tanimal\n");
    assert_refused(&run, ERR_FORMAT, "bad.tsv:2: 2 words, but 1 labels");
    run = (struct run){*state, "train.tsv", "bad.tsv", "bad", by_words, 0, 0};
    write_text(*state, "bad.tsv", "dogs\tanimal animal\n");
    assert_refused(&run, ERR_FORMAT, "bad.tsv:1: 1 words, but 2 labels");
}

static void settings_that_mean_nothing_are_refused(void **state)
{
    static const struct {
        const char *name, *value, *words;
    } cases[] = {{"labels", "animal=beast", "--labels means nothing for --task tagging"},
                 {"dropout-bpe", "0.1", "--dropout-bpe means nothing for --task tagging"},
                 {"input", "rows", "--input rows has no words"},
                 {"kind", "bag-of-words", "--kind bag-of-words does not do --task tagging"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *const settings[][2] = {
            {"task", "tagging"}, {cases[i].name, cases[i].value}, {NULL, NULL}};
        struct run run = {*state, "train.tsv", "dev.tsv", "bad", settings, 0, 0};
        assert_refused(&run, ERR_ARGUMENT, cases[i].words);
    }
}

/* Words beyond max-tokens are not learned, but the others of their lines are. */
static void long_texts_are_cut(void **state)
{
    static const char *const cut[][2] = {
        WORD_SETTINGS, {"tokenizer", "word"}, {"epochs", "2"}, {"max-tokens", "1"}, {NULL, NULL}};
    struct err err = ERR_INIT;
    struct run run = {*state, "train.tsv", "dev.tsv", "cut", cut, 0, 0};
    assert_fine(train(&run, &err), err);
    struct model *model = open_trained(&run);
    assert_tags(model, "dogs", "dogs/animal");
    model_release(model);
    run.train = "long.tsv";
    write_text(*state, "long.tsv", "apples, plums!\tfruit none\n");
    assert_refused(&run, ERR_LIMIT, "no word of the training data ends within 1 tokens");
}

static void read_weights(const struct run *run, struct buf *weights)
{
    struct err err = ERR_INIT;
    char *bundle = join(run->folder, run->out), *path = join(bundle, BUNDLE_WEIGHTS);
    *weights = (struct buf)BUF_INIT;
    assert_fine(file_read(path, 1 << 20, weights, &err), err);
    mem_free(path);
    mem_free(bundle);
}

static void resuming_repeats_the_model(void **state)
{
    static const char *const again[][2] = {
        WORD_SETTINGS, {"tokenizer", "word"}, {"epochs", "6"}, {"resume", "yes"}, {NULL, NULL}};
    struct err err = ERR_INIT;
    struct run run = {*state, "train.tsv", "dev.tsv", "unbroken", by_words, 0, 0};
    struct buf unbroken, broken;
    assert_fine(train(&run, &err), err);
    read_weights(&run, &unbroken);
    run.out = "broken";
    run.stop_after = 17;
    assert_fine(train(&run, &err), err);
    run.stop_after = 0;
    run.settings = again;
    assert_fine(train(&run, &err), err);
    read_weights(&run, &broken);
    assert_int_equal(unbroken.len, broken.len);
    assert_memory_equal(unbroken.data, broken.data, broken.len);
    buf_release(&broken);
    buf_release(&unbroken);
}

static int tag_again(void *context, struct err *err)
{
    struct tagged tagged = {.count = 0};
    const int code = model_tag(context, "dogs it zebras", 14, &tagged, err);
    tagged_release(&tagged);
    return code;
}

static void lack_of_memory_is_an_error(void **state)
{
    struct err err = ERR_INIT;
    struct run run = {*state, "train.tsv", "dev.tsv", "memory", by_words, 0, 0};
    assert_fine(train(&run, &err), err);
    struct model *model = open_trained(&run);
    assert_true(fault_loop(tag_again, model) > 5);
    model_release(model);
    assert_task_survives(
        &run, (struct task_maker){.make = tagging_task, .release = tagging_task_release});
}

static int set_up(void **state)
{
    if (scratch_make(state) != 0)
        return -1;
    write_data(*state, "train.tsv", 300, 1);
    write_data(*state, "dev.tsv", 60, 2);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokenizers_learn_the_same),
        cmocka_unit_test(unknown_words_have_labels),
        cmocka_unit_test(another_task_is_refused),
        cmocka_unit_test(labels_of_dev_alone_count_as_wrong),
        cmocka_unit_test(a_label_may_be_rare),
        cmocka_unit_test(bad_data_is_refused),
        cmocka_unit_test(settings_that_mean_nothing_are_refused),
        cmocka_unit_test(long_texts_are_cut),
        cmocka_unit_test(resuming_repeats_the_model),
        cmocka_unit_test(lack_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, set_up, scratch_remove);
}
