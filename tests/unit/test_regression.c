/*
 * The regression task from data to bundle, from words and from rows of numbers, and the measures of
 * how good it is. Targets are learned standardised, and the bundle gives them back as they were.
 */
#include "task_fixture.h"

#include <math.h>

#include "base/rng.h"
#include "model/tag.h"
#include "text/rows.h"
#include "train/metric.h"

#define SETTINGS                                                                                   \
    {"task", "regression"}, {"min-count", "1"}, {"tokenizer", "word"}, {"embedding", "10"},        \
        {"encoder-hidden", "12"}, {"batch-tokens", "100"}, {"rate", "0.02"}, {"threads", "2"},     \
        {"dropout-embedding", "0"}, {"dropout-output", "0"},                                       \
    {                                                                                              \
        "epochs", "20"                                                                             \
    }

static const char *const of_words[][2] = {SETTINGS, {NULL, NULL}};
static const char *const of_rows[][2] = {
    SETTINGS, {"input", "rows"}, {"pooling", "last"}, {NULL, NULL}};

#define assert_near(a, b) assert_true(fabs((a) - (b)) < 1e-12)

#define OFFSET 5000.0
#define SCALE 250.0

/* The mean of the words' numbers, far from 0 and from 1. */
static void write_words(const char *folder, const char *name, size_t lines, uint64_t seed)
{
    static const char *const words[] = {"zero", "one", "two", "three"};
    FILE *stream = open_data(folder, name);
    struct rng rng;
    rng_seed(&rng, seed, 0);
    for (size_t i = 0; i < lines; i++) {
        const size_t count = 1 + rng_below(&rng, 5);
        double sum = 0;
        for (size_t w = 0; w < count; w++) {
            const size_t word = rng_below(&rng, 4);
            fprintf(stream, "%s%s", w > 0 ? " " : "", words[word]);
            sum += (double)word;
        }
        fprintf(stream, "\t%.3f\n", OFFSET + SCALE * sum / (double)count);
    }
    assert_int_equal(fclose(stream), 0);
}

/* The sum of the numbers in the first column, where the second is 1. */
static void write_rows(const char *folder, const char *name, size_t lines, uint64_t seed)
{
    FILE *stream = open_data(folder, name);
    struct rng rng;
    rng_seed(&rng, seed, 0);
    for (size_t i = 0; i < lines; i++) {
        const size_t count = 1 + rng_below(&rng, 4);
        double sum = 0;
        for (size_t r = 0; r < count; r++) {
            const double value = (double)rng_below(&rng, 1000) / 1000;
            const size_t mark = rng_below(&rng, 2);
            fprintf(stream, "%s%.3f,%zu", r > 0 ? ";" : "", value, mark);
            sum += mark ? value : 0;
        }
        fprintf(stream, "\t%.3f\n", sum);
    }
    assert_int_equal(fclose(stream), 0);
}

static double regress(const struct model *model, const char *text)
{
    struct err err = ERR_INIT;
    double value = NAN;
    assert_fine(model_regress(model, text, strlen(text), NULL, &value, &err), err);
    return value;
}

static void words_become_numbers(void **state)
{
    struct err err = ERR_INIT;
    struct run run = {*state, "words.tsv", "words-dev.tsv", "words", of_words, 0, 0};
    assert_fine(train(&run, &err), err);
    assert_true(run.best >= 0 && run.best < 0.1 * SCALE);
    struct model *model = open_trained(&run);
    assert_int_equal(model->spec.task, SPEC_REGRESSION);
    assert_true(fabs(model->spec.output_mean - (OFFSET + 1.5 * SCALE)) < 0.2 * SCALE);
    assert_true(model->spec.deviation > 0.3 * SCALE && model->spec.deviation < 1.5 * SCALE);
    assert_true(fabs(regress(model, "three three") - (OFFSET + 3 * SCALE)) < 0.4 * SCALE);
    assert_true(fabs(regress(model, "zero") - OFFSET) < 0.4 * SCALE);
    /* Nothing to go by, but a number all the same. */
    assert_true(isfinite(regress(model, "")));
    assert_true(isfinite(regress(model, "never seen")));
    model_release(model);
}

static void assert_regress_fails(const struct model *model, const struct rows *rows,
                                 const char *words)
{
    struct err err = ERR_INIT;
    double value;
    assert_int_equal(model_regress(model, NULL, 0, rows, &value, &err), ERR_ARGUMENT);
    if (strstr(err.message, words) == NULL)
        fail_msg("'%s' does not say '%s'", err.message, words);
}

static void rows_become_numbers(void **state)
{
    struct err err = ERR_INIT;
    struct run run = {*state, "rows.tsv", "rows-dev.tsv", "rows", of_rows, 0, 0};
    float values[] = {0.5f, 1, 0.25f, 1, 0.9f, 0};
    struct rows rows = {.count = 3, .width = 2, .values = values};
    double value;
    assert_fine(train(&run, &err), err);
    assert_true(run.best < 0.1);
    struct model *model = open_trained(&run);
    assert_int_equal(model->spec.row, 2);
    assert_true(fabs(regress(model, "0.5,1;0.25,1;0.9,0") - 0.75) < 0.2);
    assert_fine(model_regress(model, NULL, 0, &rows, &value, &err), err);
    assert_near(value, regress(model, "0.5,1;0.25,1;0.9,0"));
    rows = (struct rows){.count = 2, .width = 3, .values = values};
    assert_regress_fails(model, &rows, "reads rows of 2 numbers, not of 3");
    model_release(model);
}

static void rows_are_nothing_for_a_model_of_words(void **state)
{
    struct err err = ERR_INIT;
    struct run run = {*state, "words.tsv", "words-dev.tsv", "whole", of_words, 0, 0};
    float value = 1;
    const struct rows rows = {.count = 1, .width = 1, .values = &value};
    assert_fine(train(&run, &err), err);
    struct model *model = open_trained(&run);
    assert_regress_fails(model, &rows, "reads text, not rows of numbers");
    model_release(model);
}

/* Classes of rows of numbers: the same network with another head. */
static void rows_have_classes(void **state)
{
    static const char *const settings[][2] = {{"task", "classification"},
                                              {"input", "rows"},
                                              {"embedding", "8"},
                                              {"encoder-hidden", "8"},
                                              {"batch-tokens", "100"},
                                              {"rate", "0.02"},
                                              {"epochs", "10"},
                                              {"threads", "2"},
                                              {"dropout-embedding", "0"},
                                              {"dropout-output", "0"},
                                              {NULL, NULL}};
    struct err err = ERR_INIT;
    struct run run = {*state, "classes.tsv", "classes.tsv", "classes", settings, 0, 0};
    float probabilities[2];
    FILE *stream = open_data(*state, "classes.tsv");
    struct rng rng;
    rng_seed(&rng, 9, 0);
    for (size_t i = 0; i < 200; i++) {
        const double a = rng_normal(&rng), b = rng_normal(&rng);
        fprintf(stream, "%.3f;%.3f\t%s\n", a, b, a > b ? "falls" : "rises");
    }
    assert_int_equal(fclose(stream), 0);
    assert_fine(train(&run, &err), err);
    assert_true(run.best > 90);
    struct model *model = open_trained(&run);
    assert_int_equal(model->spec.row, 1);
    assert_fine(model_classify(model, "1;-1", 4, probabilities, &err), err);
    assert_true(probabilities[0] > 0.5f);
    assert_int_equal(model_classify(model, "1,1;-1,2", 8, probabilities, &err), ERR_ARGUMENT);
    model_release(model);
}

/* There is nothing to learn then, but nothing is divided by 0 either. */
static void equal_targets_are_fine(void **state)
{
    struct err err = ERR_INIT;
    struct run run = {*state, "equal.tsv", "equal.tsv", "equal", of_words, 0, 0};
    write_text(*state, "equal.tsv", "one two\t-3.5\ntwo\t-3.5\n");
    assert_fine(train(&run, &err), err);
    struct model *model = open_trained(&run);
    assert_near(model->spec.output_mean, -3.5);
    assert_near(model->spec.deviation, 1);
    assert_true(fabs(regress(model, "one") + 3.5) < 1);
    model_release(model);
}

static void bad_data_is_refused(void **state)
{
    struct run run = {*state, "bad.tsv", "words-dev.tsv", "bad", of_words, 0, 0};
    write_text(*state, "bad.tsv", "one\t1\ntwo\tmuch\n");
    assert_refused(&run, ERR_FORMAT, "bad.tsv:2: 'much' is not one decimal number");
    write_text(*state, "bad.tsv", "one\t1;2\n");
    assert_refused(&run, ERR_FORMAT, "bad.tsv:1: '1;2' is not one decimal number");
    write_text(*state, "bad.tsv", "one\tnan\n");
    assert_refused(&run, ERR_FORMAT, "bad.tsv:1: 'nan' is not one decimal number");
    run = (struct run){*state, "bad.tsv", "rows-dev.tsv", "bad", of_rows, 0, 0};
    write_text(*state, "bad.tsv", "1,0\t1\n1,0;2\t1\n");
    assert_refused(&run, ERR_FORMAT, "bad.tsv:2: row 2, column 2: missing");
    write_text(*state, "bad.tsv", "1,0,1\t1\n");
    assert_refused(&run, ERR_FORMAT, "rows-dev.tsv:1: rows of 2 values, not of 3");
    write_text(*state, "bad.tsv", "1,0\t1\n1,inf\t1\n");
    assert_refused(&run, ERR_FORMAT, "bad.tsv:2: row 1, column 2: 'inf'");
}

static void settings_that_mean_nothing_are_refused(void **state)
{
    static const char *const vectors[][2] = {
        {"task", "regression"}, {"input", "rows"}, {"embeddings", "file"}, {NULL, NULL}};
    static const char *const translation[][2] = {
        {"input", "rows"}, {"source", "en"}, {"target", "fr"}, {NULL, NULL}};
    struct run run = {*state, "rows.tsv", "rows-dev.tsv", "bad", vectors, 0, 0};
    assert_refused(&run, ERR_ARGUMENT, "--input rows has no use for --embeddings");
    run.settings = translation;
    assert_refused(&run, ERR_ARGUMENT, "does not do --task translation with --input rows");
}

static int regress_again(void *context, struct err *err)
{
    double value;
    return model_regress(context, "0.5,1;0.25,1", 12, NULL, &value, err);
}

static void lack_of_memory_is_an_error(void **state)
{
    struct err err = ERR_INIT;
    struct run run = {*state, "rows.tsv", "rows-dev.tsv", "memory", of_rows, 0, 0};
    assert_fine(train(&run, &err), err);
    struct model *model = open_trained(&run);
    assert_true(fault_loop(regress_again, model) > 5);
    model_release(model);
    assert_task_survives(
        &run, (struct task_maker){.make = regression_task, .release = regression_task_release});
}

static void measures(void **state)
{
    const double actual[] = {1, 2, 3, 6}, predicted[] = {2, 2, 3, 4}, same[] = {2, 2, 2, 2};
    struct metric_regression metric = metric_regression(actual, predicted, 4);
    (void)state;
    assert_near(metric.mse, 1.25);
    assert_near(metric.rmse, sqrt(1.25));
    assert_near(metric.mae, 0.75);
    /* Variance of `actual` 3.5, of `predicted` 0.6875, covariance 1.5 */
    assert_near(metric.r2, 1 - 1.25 / 3.5);
    assert_near(metric.correlation, 1.5 / sqrt(3.5 * 0.6875));
    metric = metric_regression(same, predicted, 4);
    assert_near(metric.r2, 0);
    assert_near(metric.correlation, 0);
    metric = metric_regression(actual, same, 4);
    assert_true(metric.r2 < 0);
    assert_near(metric.correlation, 0);
}

static int set_up(void **state)
{
    if (scratch_make(state) != 0)
        return -1;
    write_words(*state, "words.tsv", 300, 1);
    write_words(*state, "words-dev.tsv", 60, 2);
    write_rows(*state, "rows.tsv", 300, 3);
    write_rows(*state, "rows-dev.tsv", 60, 4);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_become_numbers),
        cmocka_unit_test(rows_become_numbers),
        cmocka_unit_test(rows_are_nothing_for_a_model_of_words),
        cmocka_unit_test(rows_have_classes),
        cmocka_unit_test(equal_targets_are_fine),
        cmocka_unit_test(bad_data_is_refused),
        cmocka_unit_test(settings_that_mean_nothing_are_refused),
        cmocka_unit_test(lack_of_memory_is_an_error),
        cmocka_unit_test(measures),
    };
    return cmocka_run_group_tests(tests, set_up, scratch_remove);
}
