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
#include "train/metric_bootstrap.h"
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

static void assert_words(const struct buf *words, const json_t *value)
{
    struct metric_text want = json_text(value);
    assert_string_equal(words->data, want.data);
    assert_int_equal(words->len, want.len);
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

static json_t *load_golden(const char *member)
{
    char path[4096];
    const char *top = getenv("top_srcdir");
    snprintf(path, sizeof(path), "%s/tests/golden/metric.json", top ? top : ".");
    json_error_t error;
    json_t *golden = json_load_file(path, 0, &error);
    if (golden == NULL)
        fail_msg("%s: line %d: %s", path, error.line, error.text);
    json_t *list = json_incref(json_object_get(golden, member));
    assert_true(json_array_size(list) >= 20);
    json_decref(golden);
    return list;
}

/* The hypotheses cut by all rules. */
static void test_words(void **state)
{
    (void)state;
    json_t *cases = load_golden("cases"), *one, *segment;
    struct metric_scratch scratch = {BUF_INIT, BUF_INIT, BUF_INIT};
    struct buf words = BUF_INIT;
    size_t i, s;
    json_array_foreach(cases, i, one)
    {
        json_array_foreach(json_object_get(one, "segments"), s, segment)
        {
            struct metric_text text = json_text(json_object_get(segment, "hypothesis"));
            assert_int_equal(metric_words(text, METRIC_13A, &scratch, &words, NULL), 0);
            assert_words(&words, json_object_get(segment, "words"));
            assert_int_equal(metric_words(text, METRIC_TOKENISED, &scratch, &words, NULL), 0);
            assert_words(&words, json_object_get(segment, "tokens"));
            assert_int_equal(metric_chrf_words(text, &scratch, &words, NULL), 0);
            assert_words(&words, json_object_get(segment, "chrf words"));
        }
    }
    buf_release(&words);
    metric_scratch_release(&scratch);
    json_decref(cases);
}

static void test_lower(void **state)
{
    (void)state;
    json_t *texts = load_golden("lower"), *pair;
    struct metric_scratch scratch = {BUF_INIT, BUF_INIT, BUF_INIT};
    size_t i;
    json_array_foreach(texts, i, pair)
    {
        struct metric_text text = json_text(json_array_get(pair, 0));
        struct metric_text want = json_text(json_array_get(pair, 1));
        assert_int_equal(metric_lower(&text, &scratch, NULL), 0);
        assert_string_equal(text.data, want.data);
        assert_int_equal(text.len, want.len);
    }
    struct metric_text broken = {"A\xff\xc3\0\xe2\x82Z", 7};
    assert_int_equal(metric_lower(&broken, &scratch, NULL), 0);
    assert_int_equal(broken.len, 7);
    assert_memory_equal(broken.data, "a\xff\xc3\0\xe2\x82z", 8);
    metric_scratch_release(&scratch);
    json_decref(texts);
}

static void check_bleu(const struct golden *golden, const json_t *want,
                       struct metric_settings settings)
{
    struct metric_bleu bleu;
    assert_true(json_is_real(want));
    assert_int_equal(metric_bleu(golden->segments, golden->count, &settings, &bleu, NULL), 0);
    assert_near(bleu.score, json_real_value(want), TOLERANCE);
}

static void check_chrf(const struct golden *golden, const json_t *want,
                       struct metric_settings settings)
{
    double chrf;
    assert_true(json_is_real(want));
    assert_int_equal(metric_chrf(golden->segments, golden->count, &settings, &chrf, NULL), 0);
    assert_near(chrf, json_real_value(want), TOLERANCE);
}

static void test_scores(void **state)
{
    (void)state;
    json_t *cases = load_golden("cases"), *one;
    size_t i;
    json_array_foreach(cases, i, one)
    {
        struct golden golden;
        const json_t *scores = json_object_get(one, "scores");
        golden_segments(json_object_get(one, "segments"), &golden);
        print_message("%s\n", json_string_value(json_object_get(one, "name")));
        check_bleu(&golden, json_object_get(scores, "bleu"), defaults);
        check_bleu(&golden, json_object_get(scores, "bleu unsmoothed"),
                   (struct metric_settings){.smoothing = METRIC_UNSMOOTHED});
        check_bleu(&golden, json_object_get(scores, "bleu lower"),
                   (struct metric_settings){.lowercase = true});
        check_bleu(&golden, json_object_get(scores, "bleu tokenised"),
                   (struct metric_settings){.tokenisation = METRIC_TOKENISED});
        check_bleu(&golden, json_object_get(scores, "bleu tokenised lower unsmoothed"),
                   (struct metric_settings){METRIC_TOKENISED, METRIC_UNSMOOTHED, true, false});
        check_chrf(&golden, json_object_get(scores, "chrf"), defaults);
        check_chrf(&golden, json_object_get(scores, "chrf lower"),
                   (struct metric_settings){.lowercase = true});
        check_chrf(&golden, json_object_get(scores, "chrf words"),
                   (struct metric_settings){.words = true});
        check_chrf(&golden, json_object_get(scores, "chrf words lower"),
                   (struct metric_settings){.words = true, .lowercase = true});
    }
    json_decref(cases);
}

/* The README of sacrebleu prints these for its first example. */
static void test_bleu_details(void **state)
{
    (void)state;
    json_t *cases = load_golden("cases");
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

/* The counts of single sentences add up to the score of all of them. */
static void test_counts(void **state)
{
    (void)state;
    json_t *cases = load_golden("cases");
    struct golden golden;
    struct metric_bleu_counts counts[MAX_SEGMENTS], sum = {0};
    struct metric_chrf_counts chrf_counts[MAX_SEGMENTS], chrf_sum = {{0}, {0}, {0}};
    struct metric_bleu bleu, again;
    double chrf;
    golden_segments(json_object_get(json_array_get(cases, 0), "segments"), &golden);
    assert_int_equal(metric_bleu(golden.segments, golden.count, &defaults, &bleu, NULL), 0);
    assert_int_equal(metric_chrf(golden.segments, golden.count, &defaults, &chrf, NULL), 0);
    assert_int_equal(metric_bleu_count(golden.segments, golden.count, &defaults, counts, NULL), 0);
    assert_int_equal(metric_chrf_count(golden.segments, golden.count, &defaults, chrf_counts, NULL),
                     0);
    for (size_t i = golden.count; i-- > 0;) {
        metric_bleu_add(&sum, &counts[i]);
        metric_chrf_add(&chrf_sum, &chrf_counts[i]);
    }
    assert_int_equal(counts[0].hypothesis_length, 6);
    assert_int_equal(counts[0].matches[3], 3);
    metric_bleu_score(&sum, METRIC_EXPONENTIAL, &again);
    assert_true(again.score == bleu.score);
    assert_true(metric_chrf_score(&chrf_sum) == chrf);
    json_decref(cases);
}

static void test_signatures(void **state)
{
    (void)state;
    struct metric_text texts[2] = {text_of("a"), text_of("b")};
    struct metric_segment segments[2] = {{text_of("a"), texts, 2}, {text_of("b"), texts, 1}};
    const struct metric_settings other = {METRIC_TOKENISED, METRIC_UNSMOOTHED, true, true};
    char signature[METRIC_SIGNATURE_SIZE];
    metric_bleu_signature(segments, 1, &defaults, signature);
    assert_string_equal(signature, "nrefs:2|case:mixed|eff:no|tok:13a|smooth:exp");
    metric_chrf_signature(segments, 1, &defaults, signature);
    assert_string_equal(signature, "nrefs:2|case:mixed|eff:yes|nc:6|nw:0|space:no");
    metric_bleu_signature(segments, 2, &other, signature);
    assert_string_equal(signature, "nrefs:var|case:lc|eff:no|tok:none|smooth:none");
    metric_chrf_signature(segments, 2, &other, signature);
    assert_string_equal(signature, "nrefs:var|case:lc|eff:yes|nc:6|nw:2|space:no");
}

/* A fair die has 6 faces to be perplexed about. */
static void test_perplexity(void **state)
{
    (void)state;
    assert_near(metric_perplexity(10 * log(6), 10), 6, 1e-12);
    assert_near(metric_perplexity(0, 3), 1, 0);
    assert_near(metric_perplexity(-log(0.5) - log(0.125), 2), pow(2, -(-1.0 - 3.0) / 2), 1e-12);
    assert_near(metric_perplexity(0, 0), 0, 0);
    assert_true(isinf(metric_perplexity(1e6, 1)));
}

static double mean_drawn(const void *context, const uint32_t *drawn, size_t count)
{
    const double *values = context;
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        assert_in_range(drawn[i], 0, count - 1);
        sum += values[drawn[i]];
    }
    return sum / (double)count;
}

/* The mean of 400 throws of a coin has a standard error of 0.025, and the mean of their values each
   0.01 higher is always 0.01 higher. */
static void test_bootstrap(void **state)
{
    (void)state;
    enum { COUNT = 400 };
    double throws[COUNT], higher[COUNT], noisy[COUNT];
    double drawn[METRIC_RESAMPLES], again[METRIC_RESAMPLES], other[METRIC_RESAMPLES];
    struct err err = ERR_INIT;
    for (size_t i = 0; i < COUNT; i++) {
        throws[i] = i % 2 == 0;
        higher[i] = throws[i] + 0.01;
        noisy[i] = i % 2 != 0 ? 1.02 : 0;
    }
    assert_int_equal(metric_bootstrap(COUNT, 7, mean_drawn, throws, drawn, NULL), 0);
    assert_int_equal(metric_bootstrap(COUNT, 7, mean_drawn, throws, again, NULL), 0);
    assert_memory_equal(drawn, again, sizeof(drawn));
    struct metric_interval interval = metric_interval(drawn);
    assert_near(interval.low, 0.5 - 1.96 * 0.025, 0.006);
    assert_near(interval.high, 0.5 + 1.96 * 0.025, 0.006);
    assert_near(metric_paired_probability(drawn, again, 0), 1, 0);
    assert_int_equal(metric_bootstrap(COUNT, 7, mean_drawn, higher, other, NULL), 0);
    assert_near(metric_paired_probability(other, drawn, 0.01), 1.0 / (METRIC_RESAMPLES + 1), 1e-12);
    assert_int_equal(metric_bootstrap(COUNT, 7, mean_drawn, noisy, other, NULL), 0);
    assert_true(metric_paired_probability(other, drawn, 0.01) > 0.7);
    assert_int_equal(metric_bootstrap(COUNT, 8, mean_drawn, throws, again, NULL), 0);
    assert_memory_not_equal(drawn, again, sizeof(drawn));
    assert_int_equal(metric_bootstrap(0, 1, mean_drawn, throws, again, &err), ERR_ARGUMENT);
    mem_fail_at(1);
    assert_int_equal(metric_bootstrap(COUNT, 1, mean_drawn, throws, again, NULL), ERR_MEMORY);
    mem_fail_at(0);
}

/* Each allocation fails once; the error comes back and nothing leaks or breaks. */
static void test_no_memory(void **state)
{
    (void)state;
    struct metric_text references[2] = {text_of("the cat"), text_of("a &amp; b")};
    struct metric_segment segment = {text_of("the -\n &lt;cat"), references, 2};
    const struct metric_settings all = {.lowercase = true, .words = true};
    int codes[2] = {ERR_MEMORY, ERR_MEMORY};
    for (int which = 0; which < 2; which++) {
        long n;
        for (n = 1; n < 1000 && codes[which] == ERR_MEMORY; n++) {
            struct metric_bleu bleu;
            double chrf;
            mem_fail_at(n);
            codes[which] = which == 0 ? metric_bleu(&segment, 1, &all, &bleu, NULL)
                                      : metric_chrf(&segment, 1, &all, &chrf, NULL);
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
        cmocka_unit_test(test_words),      cmocka_unit_test(test_lower),
        cmocka_unit_test(test_scores),     cmocka_unit_test(test_bleu_details),
        cmocka_unit_test(test_errors),     cmocka_unit_test(test_broken_bytes),
        cmocka_unit_test(test_long_text),  cmocka_unit_test(test_counts),
        cmocka_unit_test(test_signatures), cmocka_unit_test(test_perplexity),
        cmocka_unit_test(test_bootstrap),  cmocka_unit_test(test_no_memory),
        cmocka_unit_test(test_confusion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
