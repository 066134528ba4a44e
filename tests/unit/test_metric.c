/* The scores against golden cases (tests/golden/make_metric_golden.py says where they come from),
   and what the golden cases cannot show: errors, and memory that runs out. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/mem.h"
#include "train/metric.h"
#include "train/metric_text.h"

#define TOLERANCE 1e-6
#define MAX_SEGMENTS 16
#define MAX_REFERENCES 4

static const struct metric_settings defaults = {0};

struct golden {
    struct metric_segment segments[MAX_SEGMENTS];
    struct metric_text references[MAX_SEGMENTS][MAX_REFERENCES];
    size_t count;
};

static void assert_near(double value, double expected, double tolerance)
{
    if (!(fabs(value - expected) <= tolerance))
        fail_msg("%.9g is not %.9g", value, expected);
}

static struct metric_text text_of(const char *text)
{
    return (struct metric_text){text, strlen(text)};
}

static struct metric_text json_text(const json_t *value)
{
    assert_true(json_is_string(value));
    return (struct metric_text){json_string_value(value), json_string_length(value)};
}

static void golden_segments(const json_t *segments, struct golden *golden)
{
    size_t i, r;
    json_t *segment, *reference;
    assert_in_range(json_array_size(segments), 1, MAX_SEGMENTS);
    json_array_foreach(segments, i, segment)
    {
        json_t *references = json_object_get(segment, "references");
        assert_in_range(json_array_size(references), 1, MAX_REFERENCES);
        json_array_foreach(references, r, reference)
        {
            golden->references[i][r] = json_text(reference);
        }
        golden->segments[i].hypothesis = json_text(json_object_get(segment, "hypothesis"));
        golden->segments[i].references = golden->references[i];
        golden->segments[i].reference_count = r;
    }
    golden->count = i;
}

static json_t *load_golden(void)
{
    char path[4096];
    const char *top = getenv("top_srcdir");
    snprintf(path, sizeof(path), "%s/tests/golden/metric.json", top ? top : ".");
    json_error_t error;
    json_t *cases = json_load_file(path, 0, &error);
    if (cases == NULL)
        fail_msg("%s: line %d: %s", path, error.line, error.text);
    assert_true(json_array_size(cases) >= 20);
    return cases;
}

static void test_words(void **state)
{
    (void)state;
    json_t *cases = load_golden(), *one, *segment;
    struct metric_scratch scratch = {BUF_INIT, BUF_INIT, BUF_INIT};
    struct buf words = BUF_INIT;
    size_t i, s;
    json_array_foreach(cases, i, one)
    {
        json_array_foreach(json_object_get(one, "segments"), s, segment)
        {
            struct metric_text text = json_text(json_object_get(segment, "hypothesis"));
            struct metric_text want = json_text(json_object_get(segment, "words"));
            assert_int_equal(metric_words(text, METRIC_13A, &scratch, &words, NULL), 0);
            assert_string_equal(words.data, want.data);
            assert_int_equal(words.len, want.len);
        }
    }
    buf_release(&words);
    metric_scratch_release(&scratch);
    json_decref(cases);
}

static void test_scores(void **state)
{
    (void)state;
    json_t *cases = load_golden(), *one;
    size_t i;
    json_array_foreach(cases, i, one)
    {
        struct golden golden;
        struct metric_bleu bleu;
        double chrf;
        golden_segments(json_object_get(one, "segments"), &golden);
        print_message("%s\n", json_string_value(json_object_get(one, "name")));
        assert_int_equal(metric_bleu(golden.segments, golden.count, &defaults, &bleu, NULL), 0);
        assert_near(bleu.score, json_real_value(json_object_get(one, "bleu")), TOLERANCE);
        assert_int_equal(metric_chrf(golden.segments, golden.count, &defaults, &chrf, NULL), 0);
        assert_near(chrf, json_real_value(json_object_get(one, "chrf")), TOLERANCE);
    }
    json_decref(cases);
}

/* The README of sacrebleu prints these for its first example. */
static void test_bleu_details(void **state)
{
    (void)state;
    json_t *cases = load_golden();
    struct golden golden;
    struct metric_bleu bleu;
    static const size_t matches[] = {14, 7, 5, 3}, totals[] = {17, 14, 11, 8};
    golden_segments(json_object_get(json_array_get(cases, 0), "segments"), &golden);
    assert_int_equal(metric_bleu(golden.segments, golden.count, &defaults, &bleu, NULL), 0);
    assert_int_equal(bleu.counts.hypothesis_length, 17);
    assert_int_equal(bleu.counts.reference_length, 18);
    assert_near(bleu.brevity_penalty, 0.943, 0.0005);
    for (size_t n = 0; n < METRIC_BLEU_ORDER; n++) {
        assert_int_equal(bleu.counts.matches[n], matches[n]);
        assert_int_equal(bleu.counts.totals[n], totals[n]);
        assert_near(bleu.precisions[n], 100.0 * (double)matches[n] / (double)totals[n], 1e-9);
    }
    json_decref(cases);
}

static void test_errors(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct metric_bleu bleu;
    double chrf;
    struct metric_text empty[2] = {text_of(""), text_of("")}, good = text_of("x");
    struct metric_segment segments[2] = {{text_of("x"), &good, 1}, {text_of("x"), empty, 2}};
    assert_int_equal(metric_bleu(segments, 0, &defaults, &bleu, &err), ERR_ARGUMENT);
    err_clear(&err);
    assert_int_equal(metric_bleu(segments, 2, &defaults, &bleu, &err), ERR_ARGUMENT);
    assert_non_null(strstr(err.message, "sentence 2"));
    err_clear(&err);
    assert_int_equal(metric_chrf(segments, 2, &defaults, &chrf, &err), ERR_ARGUMENT);
    assert_int_equal(metric_chrf(segments, 1, &defaults, &chrf, NULL), 0);
}

/* Bytes that are not UTF-8 count as characters, each kind its own. */
static void test_broken_bytes(void **state)
{
    (void)state;
    double chrf;
    struct metric_text reference = text_of("\xff\xc3");
    struct metric_segment same = {text_of("\xff\xc3"), &reference, 1};
    struct metric_segment other = {text_of("\xfe\xe2\x82"), &reference, 1};
    assert_int_equal(metric_chrf(&same, 1, &defaults, &chrf, NULL), 0);
    assert_near(chrf, 100, TOLERANCE);
    assert_int_equal(metric_chrf(&other, 1, &defaults, &chrf, NULL), 0);
    assert_near(chrf, 0, TOLERANCE);
}

/* A text long enough to make every table grow, against itself with one word more. */
static void test_long_text(void **state)
{
    (void)state;
    struct buf text = BUF_INIT;
    struct metric_bleu bleu;
    double chrf;
    for (int i = 0; i < 20000; i++)
        assert_int_equal(buf_printf(&text, NULL, "w%d ", i), 0);
    size_t len = text.len;
    assert_int_equal(buf_text(&text, "end", NULL), 0);
    struct metric_text reference = {text.data, text.len};
    struct metric_segment segment = {{text.data, len}, &reference, 1};
    assert_int_equal(metric_bleu(&segment, 1, &defaults, &bleu, NULL), 0);
    assert_int_equal(bleu.counts.matches[0], 20000);
    assert_int_equal(bleu.counts.matches[3], 19997);
    assert_int_equal(bleu.counts.totals[3], 19997);
    assert_int_equal(metric_chrf(&segment, 1, &defaults, &chrf, NULL), 0);
    assert_in_range((int)(chrf * 1000), 99990, 99999);
    buf_release(&text);
}

/* Each allocation fails once; the error comes back and nothing leaks or breaks. */
static void test_no_memory(void **state)
{
    (void)state;
    struct metric_text references[2] = {text_of("the cat"), text_of("a &amp; b")};
    struct metric_segment segment = {text_of("the -\n &lt;cat"), references, 2};
    int codes[2] = {ERR_MEMORY, ERR_MEMORY};
    for (int which = 0; which < 2; which++) {
        long n;
        for (n = 1; n < 1000 && codes[which] == ERR_MEMORY; n++) {
            struct metric_bleu bleu;
            double chrf;
            mem_fail_at(n);
            codes[which] = which == 0 ? metric_bleu(&segment, 1, &defaults, &bleu, NULL)
                                      : metric_chrf(&segment, 1, &defaults, &chrf, NULL);
            mem_fail_at(0);
        }
        assert_int_equal(codes[which], 0);
        assert_true(n > 5);
    }
}

/* Three labels; the figures are worked out by hand. */
static void test_confusion(void **state)
{
    (void)state;
    static const size_t actual[] = {0, 0, 0, 1, 1, 1, 1, 2}, predicted[] = {0, 0, 1, 1, 1, 0, 1, 1};
    struct metric_confusion confusion;
    assert_int_equal(metric_confusion_init(&confusion, 4, NULL), 0);
    assert_near(metric_accuracy(&confusion), 0, TOLERANCE);
    assert_near(metric_macro_f1(&confusion), 0, TOLERANCE);
    for (size_t i = 0; i < sizeof(actual) / sizeof(actual[0]); i++)
        metric_confusion_add(&confusion, actual[i], predicted[i]);
    struct metric_label one = metric_confusion_label(&confusion, 1);
    assert_int_equal(one.actual, 4);
    assert_int_equal(one.predicted, 5);
    assert_int_equal(one.correct, 3);
    assert_near(one.precision, 0.6, TOLERANCE);
    assert_near(one.recall, 0.75, TOLERANCE);
    assert_near(one.f1, 2.0 / 3, TOLERANCE);
    assert_near(metric_confusion_label(&confusion, 2).f1, 0, TOLERANCE);
    assert_near(metric_accuracy(&confusion), 5.0 / 8, TOLERANCE);
    assert_near(metric_macro_f1(&confusion), (2.0 / 3 + 2.0 / 3 + 0) / 3, TOLERANCE);
    metric_confusion_release(&confusion);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),        cmocka_unit_test(test_scores),
        cmocka_unit_test(test_bleu_details), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_broken_bytes), cmocka_unit_test(test_long_text),
        cmocka_unit_test(test_no_memory),    cmocka_unit_test(test_confusion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
