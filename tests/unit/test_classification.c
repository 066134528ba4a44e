/*
 * The classification task of recurrent networks from data to bundle: they learn what can be
 * learned, the labels of the data become those of the model, the same seed gives the same model,
 * whether the run was broken or not, and wrong data is refused.
 */
#include "unit.h"

#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "model/bundle.h"
#include "model/model.h"
#include "train/train.h"

#define LINES 240

static char *join(const char *folder, const char *name)
{
    char *path = file_join(folder, name, NULL);
    assert_non_null(path);
    return path;
}

/* Sentences of neutral words around one telling word. */
static void write_data(const char *folder, const char *name, size_t lines, uint64_t seed)
{
    static const char *const neutral[] = {"the", "film", "was", "we", "saw", "it", "a", "today"};
    static const char *const telling[2][3] = {{"dull", "bad", "mess"}, {"great", "fun", "good"}};
    struct rng rng;
    char *path = join(folder, name);
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    rng_seed(&rng, seed, 0);
    for (size_t i = 0; i < lines; i++) {
        const size_t label = rng_below(&rng, 2), words = 1 + rng_below(&rng, 8);
        const size_t place = rng_below(&rng, words);
        for (size_t w = 0; w < words; w++)
            fprintf(stream, "%s ",
                    w == place ? telling[label][rng_below(&rng, 3)] : neutral[rng_below(&rng, 8)]);
        fprintf(stream, ".\t%zu\n", label);
    }
    assert_int_equal(fclose(stream), 0);
    mem_free(path);
}

static void append_text(const char *folder, const char *name, const char *text)
{
    char *path = join(folder, name);
    FILE *stream = fopen(path, "a");
    assert_non_null(stream);
    fputs(text, stream);
    assert_int_equal(fclose(stream), 0);
    mem_free(path);
}

static void write_text(const char *folder, const char *name, const char *text)
{
    char *path = join(folder, name);
    remove(path);
    append_text(folder, name, text);
    mem_free(path);
}

struct run {
    const char *folder, *dev, *out, *kind, *pooling;
    size_t stop_after; /* updates; 0: run to the end */
    bool resume;
    double best;
    const char *more[6]; /* further arguments, up to a NULL */
};

static void begin(void *context, const struct train_summary *summary)
{
    (void)context;
    assert_int_equal(summary->examples, LINES);
    assert_true(summary->parameters > 0);
    assert_string_equal(summary->unit, "examples");
    assert_string_equal(summary->score_name, "accuracy");
}

static bool report(void *context, const struct trainer_progress *progress)
{
    struct run *run = context;
    if (progress->scored)
        run->best = progress->best_score;
    return run->stop_after == 0 || progress->update < run->stop_after;
}

static int train(struct run *run, struct err *err)
{
    const struct train_watch watch = {run, begin, report};
    struct trainer_progress final;
    struct recipe recipe = {0};
    int rest;
    char *train_path = join(run->folder, "train.tsv"), *dev = join(run->folder, run->dev);
    char *out = join(run->folder, run->out);
    char *argv[64] = {"train",
                      "--task",
                      "classification",
                      "--train",
                      train_path,
                      "--dev",
                      dev,
                      "--out",
                      out,
                      "--kind",
                      (char *)(uintptr_t)run->kind,
                      "--pooling",
                      (char *)(uintptr_t)run->pooling,
                      "--tokenizer",
                      "word",
                      "--min-count",
                      "1",
                      "--embedding",
                      "12",
                      "--encoder-hidden",
                      "8",
                      "--epochs",
                      "8",
                      "--batch-tokens",
                      "50",
                      "--rate",
                      "0.03",
                      "--labels",
                      "0=negative",
                      "--labels",
                      "1=positive",
                      "--threads",
                      "2",
                      "--dropout-embedding",
                      "0.1",
                      "--dropout-output",
                      "0.1",
                      run->resume ? "--resume" : "--no-resume"};
    int argc = 0;
    while (argv[argc] != NULL)
        argc++;
    for (size_t i = 0; i < 6 && run->more[i] != NULL; i++)
        argv[argc++] = (char *)(uintptr_t)run->more[i];
    int code = opt_defaults(recipe_options, &recipe, err);
    if (code == 0)
        code = opt_parse_arguments(recipe_options, &recipe, argc, argv, &rest, err);
    if (code == 0 && (code = recipe_check(&recipe, err)) == 0)
        code = train_run(&recipe, "the command", &watch, &final, err);
    opt_release(recipe_options, &recipe);
    mem_free(out);
    mem_free(dev);
    mem_free(train_path);
    return code;
}

static float positive(const struct model *model, const char *text)
{
    struct err err = ERR_INIT;
    float probabilities[3];
    assert_fine(model_classify(model, text, strlen(text), probabilities, &err), err);
    return probabilities[1];
}

static void learns(const char *folder, const char *kind, const char *pooling)
{
    struct err err = ERR_INIT;
    struct run run = {folder, "dev.tsv", "learned", kind, pooling, 0, false, 0, {NULL}};
    struct model *model;
    char *path = join(folder, "learned");
    assert_fine(train(&run, &err), err);
    assert_true(run.best > 95);
    assert_fine(model_open(&model, path, &err), err);
    assert_string_equal(model->spec.name, "learned");
    assert_int_equal(model->spec.label_count, 2);
    assert_string_equal(model->spec.labels[0], "negative");
    assert_string_equal(model->spec.labels[1], "positive");
    assert_non_null(strstr(model->spec.card, "the command"));
    assert_true(positive(model, "great fun .") > 0.5f);
    assert_true(positive(model, "a dull mess .") < 0.5f);
    model_release(model);
    assert_fine(file_remove_folder(path, &err), err);
    mem_free(path);
}

static void rnn_learns(void **state)
{
    learns(*state, "rnn", "last");
    learns(*state, "rnn", "mean");
    learns(*state, "rnn", "max");
}

static void read_weights(const char *folder, const char *out, struct buf *weights)
{
    struct err err = ERR_INIT;
    char *bundle = join(folder, out), *path = join(bundle, BUNDLE_WEIGHTS);
    *weights = (struct buf)BUF_INIT;
    assert_fine(file_read(path, 1 << 20, weights, &err), err);
    mem_free(path);
    mem_free(bundle);
}

/* Half of the telling words are unknown in training; all of them are read when it counts. */
static void words_are_dropped_in_training_alone(void **state)
{
    struct err err = ERR_INIT;
    struct buf with, without;
    struct run run = {
        *state, "dev.tsv", "dropped", "rnn", "max", 0, false, 0, {"--dropout-word", "0.5"}};
    assert_fine(train(&run, &err), err);
    assert_true(run.best > 95);
    read_weights(*state, "dropped", &with);
    run.out = "whole";
    run.more[0] = NULL;
    assert_fine(train(&run, &err), err);
    read_weights(*state, "whole", &without);
    assert_int_equal(with.len, without.len);
    assert_memory_not_equal(with.data, without.data, with.len);
    buf_release(&without);
    buf_release(&with);
}

/* With a rate of nothing, the first embeddings are the last ones. */
static void first_embeddings_hold_the_ratios(void **state)
{
    struct err err = ERR_INIT;
    struct buf with, without;
    struct run run = {
        *state, "dev.tsv", "told", "rnn", "max", 0, false, 0, {"--epochs", "1", "--rate", "0"}};
    assert_fine(train(&run, &err), err);
    read_weights(*state, "told", &without);
    run.more[4] = "--embedding-bayes";
    run.more[5] = "2";
    assert_fine(train(&run, &err), err);
    read_weights(*state, "told", &with);
    assert_int_equal(with.len, without.len);
    assert_memory_not_equal(with.data, without.data, with.len);
    buf_release(&without);
    buf_release(&with);
}

/* A whole run, the same again, and one that was stopped in between: the same weights to the bit. */
static void seeds_and_resuming_repeat_the_model(void **state)
{
    struct err err = ERR_INIT;
    struct buf first, second, third;
    struct run run = {*state, "dev.tsv", "first",
                      "rnn",  "max",     0,
                      false,  0,         {"--dropout-word", "0.3", "--embedding-bayes", "0.5"}};
    assert_fine(train(&run, &err), err);
    run.out = "second";
    assert_fine(train(&run, &err), err);
    run.out = "third";
    run.stop_after = 23;
    assert_fine(train(&run, &err), err);
    run.stop_after = 0;
    run.resume = true;
    assert_fine(train(&run, &err), err);
    read_weights(*state, "first", &first);
    read_weights(*state, "second", &second);
    read_weights(*state, "third", &third);
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.data, second.data, first.len);
    assert_int_equal(first.len, third.len);
    assert_memory_equal(first.data, third.data, first.len);
    buf_release(&third);
    buf_release(&second);
    buf_release(&first);
}

static void unknown_labels_are_refused(void **state)
{
    struct err err = ERR_INIT;
    struct run run = {*state, "odd.tsv", "odd", "rnn", "mean", 0, false, 0, {NULL}};
    write_text(*state, "odd.tsv", "a great film\t1\na film\t2\n");
    assert_int_equal(train(&run, &err), ERR_FORMAT);
    assert_non_null(strstr(err.message, "\"2\""));
}

static void empty_data_is_refused(void **state)
{
    struct err err = ERR_INIT;
    struct run run = {*state, "empty.tsv", "empty", "rnn", "mean", 0, false, 0, {NULL}};
    write_text(*state, "empty.tsv", "\n");
    assert_int_equal(train(&run, &err), ERR_ARGUMENT);
    assert_non_null(strstr(err.message, "empty"));
}

static void one_label_is_too_few(void **state)
{
    struct err err = ERR_INIT;
    char *folder = join(*state, "one");
    struct run run = {folder, "train.tsv", "out", "rnn", "mean", 0, false, 0, {NULL}};
    assert_fine(file_make_folders(folder, &err), err);
    write_text(folder, "train.tsv", "a great film\t1\na film\t1\n");
    assert_int_equal(train(&run, &err), ERR_LIMIT);
    assert_non_null(strstr(err.message, "1 labels"));
    mem_free(folder);
}

static void only_a_recurrent_classifier_drops_words(void **state)
{
    static const char *const options[] = {"--dropout-word", "--embedding-bayes"};
    for (size_t o = 0; o < 2; o++) {
        struct err err = ERR_INIT;
        struct run run = {*state, "dev.tsv", "out", "bag-of-words",     "mean",
                          0,      false,     0,     {options[o], "0.5"}};
        assert_int_equal(train(&run, &err), ERR_ARGUMENT);
        assert_non_null(strstr(err.message, options[o]));
    }
}

/* A label that only one text has is a label all the same, whether classes weigh the same or not. */
static void a_label_of_one_text_counts(void **state)
{
    static const char *const weights[] = {"none", "balanced"};
    char *folder = join(*state, "rare"), *path = join(folder, "out");
    for (size_t w = 0; w < 2; w++) {
        struct err err = ERR_INIT;
        struct run run = {
            folder, "dev.tsv", "out", "rnn", "max", 0, false, 0, {"--class-weights", weights[w]}};
        struct model *model;
        assert_fine(file_make_folders(folder, &err), err);
        write_data(folder, "train.tsv", LINES - 1, 1);
        append_text(folder, "train.tsv", "perhaps we saw it\tneither\n");
        write_data(folder, "dev.tsv", 60, 2);
        assert_fine(train(&run, &err), err);
        assert_true(run.best > 90);
        assert_fine(model_open(&model, path, &err), err);
        assert_int_equal(model->spec.label_count, 3);
        assert_string_equal(model->spec.labels[2], "neither");
        assert_true(positive(model, "great fun .") > 0.5f);
        model_release(model);
    }
    mem_free(path);
    mem_free(folder);
}

static int set_up(void **state)
{
    if (scratch_make(state) != 0)
        return -1;
    write_data(*state, "train.tsv", LINES, 1);
    write_data(*state, "dev.tsv", 60, 2);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rnn_learns),
        cmocka_unit_test(words_are_dropped_in_training_alone),
        cmocka_unit_test(first_embeddings_hold_the_ratios),
        cmocka_unit_test(seeds_and_resuming_repeat_the_model),
        cmocka_unit_test(unknown_labels_are_refused),
        cmocka_unit_test(empty_data_is_refused),
        cmocka_unit_test(one_label_is_too_few),
        cmocka_unit_test(only_a_recurrent_classifier_drops_words),
        cmocka_unit_test(a_label_of_one_text_counts),
    };
    return cmocka_run_group_tests(tests, set_up, scratch_remove);
}
