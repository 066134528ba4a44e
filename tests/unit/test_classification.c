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

static void write_text(const char *folder, const char *name, const char *text)
{
    char *path = join(folder, name);
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    fputs(text, stream);
    assert_int_equal(fclose(stream), 0);
    mem_free(path);
}

struct run {
    const char *folder, *dev, *out, *kind, *pooling;
    size_t stop_after; /* updates; 0: run to the end */
    bool resume;
    double best;
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
    char *argv[] = {"train",
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
    int code = opt_defaults(recipe_options, &recipe, err);
    if (code == 0)
        code = opt_parse_arguments(recipe_options, &recipe, sizeof argv / sizeof argv[0], argv,
                                   &rest, err);
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
    float probabilities[2];
    assert_fine(model_classify(model, text, strlen(text), probabilities, &err), err);
    return probabilities[1];
}

static void learns(const char *folder, const char *kind, const char *pooling)
{
    struct err err = ERR_INIT;
    struct run run = {folder, "dev.tsv", "learned", kind, pooling, 0, false, 0};
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

/* A whole run, the same again, and one that was stopped in between: the same weights to the bit. */
static void seeds_and_resuming_repeat_the_model(void **state)
{
    struct err err = ERR_INIT;
    struct buf first, second, third;
    struct run run = {*state, "dev.tsv", "first", "rnn", "max", 0, false, 0};
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
    struct run run = {*state, "odd.tsv", "odd", "rnn", "mean", 0, false, 0};
    write_text(*state, "odd.tsv", "a great film\t1\na film\t2\n");
    assert_int_equal(train(&run, &err), ERR_FORMAT);
    assert_non_null(strstr(err.message, "\"2\""));
}

static void empty_data_is_refused(void **state)
{
    struct err err = ERR_INIT;
    struct run run = {*state, "empty.tsv", "empty", "rnn", "mean", 0, false, 0};
    write_text(*state, "empty.tsv", "\n");
    assert_int_equal(train(&run, &err), ERR_ARGUMENT);
    assert_non_null(strstr(err.message, "empty"));
}

static void one_label_is_too_few(void **state)
{
    struct err err = ERR_INIT;
    char *folder = join(*state, "one");
    struct run run = {folder, "train.tsv", "out", "rnn", "mean", 0, false, 0};
    assert_fine(file_make_folders(folder, &err), err);
    write_text(folder, "train.tsv", "a great film\t1\na film\t1\n");
    assert_int_equal(train(&run, &err), ERR_LIMIT);
    assert_non_null(strstr(err.message, "1 labels"));
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
        cmocka_unit_test(seeds_and_resuming_repeat_the_model),
        cmocka_unit_test(unknown_labels_are_refused),
        cmocka_unit_test(empty_data_is_refused),
        cmocka_unit_test(one_label_is_too_few),
    };
    return cmocka_run_group_tests(tests, set_up, scratch_remove);
}
