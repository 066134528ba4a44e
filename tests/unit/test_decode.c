/*
 * Decoding against the plainest form of itself over the training path, and against itself: a
 * sentence gives the same bytes alone and in any company.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decode_checks.h"

static const struct decode_sizes uneven = {
    {DECODE_GRU(83, 19, 13, true, 27), .tying = SPEC_TYING_THREE_WAY}, 3};
static const struct decode_sizes even = {
    {DECODE_GRU(200, 32, 32, true, 64), .tying = SPEC_TYING_TWO_WAY}, 2};
static const struct decode_sizes one_way = {
    {DECODE_GRU(40, 8, 20, false, 16), .tying = SPEC_TYING_THREE_WAY}, 3};

static void make(struct decode_model *made, const struct decode_sizes *sizes, uint64_t seed)
{
    assert_true(decode_model_make(made, sizes, seed));
}

/* Against the training path -------------------------------------------------------------------- */

/* At each place the token with the highest probability. */
static void check_greedy(const struct reference_source *source,
                         const struct decode_options *options, const struct hypothesis *hypothesis)
{
    double next[256];
    for (size_t i = 0; i <= hypothesis->count; i++) {
        assert_int_equal(reference_next(source, hypothesis->ids, i, next, NULL, NULL), 0);
        int32_t best = TOKEN_EOS;
        for (size_t v = TOKEN_FIRST; v < source->ensemble->models[0]->vocabulary; v++)
            if (next[v] > next[best])
                best = (int32_t)v;
        if (i < hypothesis->count)
            assert_true(next[best] - next[hypothesis->ids[i]] < 1e-4);
        else if (hypothesis->truncated)
            assert_true(i == options->max_length && next[TOKEN_EOS] - next[best] < 1e-4);
        else
            assert_true(next[best] - next[TOKEN_EOS] < 1e-4);
    }
}

static void test_greedy(void **state)
{
    (void)state;
    const struct decode_sizes *const sizes[] = {&uneven, &even, &one_way};
    struct rng rng;
    rng_seed(&rng, 11, 0);
    for (size_t i = 0; i < 24; i++) {
        struct decode_model made;
        make(&made, sizes[i % 3], i);
        const struct words words = random_words(&rng, made.model.vocabulary);
        const struct reference_source source = {&made.alone, words.ids, words.count};
        const struct decode_options options = {.beam = 1, .nbest = 1, .max_length = 20};
        struct decode_result *result = decode_alone(&made.alone, &words, &options);
        assert_int_equal(result->count, 1);
        assert_int_equal(result->source_count, words.count);
        check_greedy(&source, &options, &result->hypotheses[0]);
        check_hypothesis(&source, &options, &result->hypotheses[0]);
        decode_result_free(result);
        decode_model_release(&made);
    }
}

/* Models of all kinds: sure and unsure ones, and ones that end early, late and hardly ever. */
static void test_beam(void **state)
{
    (void)state;
    struct decode_sizes sizes[] = {uneven, one_way};
    struct rng rng;
    rng_seed(&rng, 12, 0);
    for (size_t i = 0; i < 400; i++) {
        struct decode_model made;
        sizes[i % 2].scale = 1 + (double)rng_below(&rng, 5) / 2;
        make(&made, &sizes[i % 2], i);
        made.model.output_bias[TOKEN_EOS] += (real)rng_below(&rng, 8) / 2;
        const struct words words = random_words(&rng, made.model.vocabulary);
        struct decode_options options = random_options(&rng);
        compare_with_reference(&made.alone, &words, &options);
        decode_model_release(&made);
    }
}

/* The seven outputs of at most two of two words, each with its score in the training path. */
static size_t all_outputs(const struct reference_source *source, double penalty,
                          struct reference_hypothesis *all)
{
    size_t count = 1;
    memset(all, 0, sizeof *all);
    for (size_t i = 0; i < count; i++) {
        double next[6];
        const struct reference_hypothesis from = all[i];
        assert_int_equal(reference_next(source, from.ids, from.count, next, NULL, NULL), 0);
        for (int32_t id = TOKEN_FIRST; from.count < 2 && id < 6; id++) {
            all[count] = from;
            all[count].ids[all[count].count++] = id;
            all[count++].log_probability += next[id];
        }
        all[i].log_probability += next[TOKEN_EOS];
        all[i].score = all[i].log_probability / pow((double)(from.count + 1), penalty);
        all[i].order = i;
    }
    qsort(all, count, sizeof *all, reference_compare);
    return count;
}

static void test_exhaustive(void **state)
{
    (void)state;
    const struct decode_sizes tiny = {{DECODE_GRU(6, 5, 4, true, 6), .tying = SPEC_TYING_THREE_WAY},
                                      2};
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct decode_model made;
        make(&made, &tiny, seed);
        const struct words words = {.ids = {4, 5, 4}, .count = 3};
        const struct reference_source source = {&made.alone, words.ids, words.count};
        struct reference_hypothesis all[8];
        const struct decode_options options = {.beam = DECODE_MAX_BEAM,
                                               .nbest = 7,
                                               .max_length = 2,
                                               .length_penalty = (double)seed / 10};
        assert_int_equal(all_outputs(&source, options.length_penalty, all), 7);
        struct decode_result *result = decode_alone(&made.alone, &words, &options);
        assert_int_equal(result->count, 7);
        for (size_t i = 0; i < 7; i++) {
            const struct hypothesis *hypothesis = &result->hypotheses[i];
            assert_false(hypothesis->truncated);
            assert_true(fabs((double)hypothesis->score - all[i].score) < 1e-4);
            check_hypothesis(&source, &options, hypothesis);
        }
        decode_result_free(result);
        decode_model_release(&made);
    }
}

/* Company -------------------------------------------------------------------------------------- */

static void test_company(void **state)
{
    (void)state;
    const struct decode_sizes *const sizes[] = {&uneven, &even, &one_way};
    struct rng rng;
    rng_seed(&rng, 13, 0);
    for (size_t i = 0; i < 3; i++) {
        struct decode_model made;
        make(&made, sizes[i], i);
        check_company(&made.alone, COMPANY, 6, &rng);
        decode_model_release(&made);
    }
}

/* Coming and going ----------------------------------------------------------------------------- */

static void test_cancel(void **state)
{
    (void)state;
    struct decode_model made;
    make(&made, &even, 5);
    const struct decode_options options = {.beam = 2, .nbest = 2, .max_length = 6};
    const struct words words = {.ids = {10, 20, 30, 40}, .count = 4};
    struct decode_result *alone = decode_alone(&made.alone, &words, &options);
    struct decoder *decoder = decoder_of(&made.alone, 6);
    int tags[3];
    for (size_t i = 0; i < 3; i++)
        join(decoder, &words, &options, &tags[i]);
    step(decoder);
    decoder_cancel(decoder, &tags[1]);
    assert_int_equal(decoder_free_rows(decoder), 2);
    while (decoder_free_rows(decoder) < 6)
        step(decoder);
    assert_false(decoder_idle(decoder));
    decoder_cancel(decoder, &tags[0]); /* finished, not taken */
    struct decode_result *result = decoder_take(decoder);
    assert_ptr_equal(result->tag, &tags[2]);
    assert_same(result, alone);
    assert_null(decoder_take(decoder));
    assert_true(decoder_idle(decoder));
    decoder_cancel(decoder, &tags[0]); /* nowhere: nothing happens */
    decode_result_free(result);
    join(decoder, &words, &options, &tags[0]); /* freed with a sentence in flight */
    decoder_free(decoder);
    decode_result_free(alone);
    decode_model_release(&made);
}

static void test_busy(void **state)
{
    (void)state;
    struct decode_model made;
    make(&made, &even, 6);
    struct decode_options options = {.beam = 3, .nbest = 1};
    const struct words words = {.ids = {10, 20}, .count = 2};
    struct decoder *decoder = decoder_of(&made.alone, 7);
    struct err err = ERR_INIT;
    join(decoder, &words, &options, NULL);
    join(decoder, &words, &options, NULL);
    assert_int_equal(decoder_free_rows(decoder), 1);
    assert_int_equal(decoder_join(decoder, words.ids, 2, &options, NULL, &err), ERR_BUSY);
    options.beam = 1;
    join(decoder, &words, &options, NULL);
    assert_int_equal(decoder_free_rows(decoder), 0);
    err_clear(&err);
    options.beam = 8; /* never fits */
    assert_int_equal(decoder_join(decoder, words.ids, 2, &options, NULL, &err), ERR_LIMIT);
    for (size_t i = 0; i < 3; i++)
        decode_result_free(finish(decoder));
    assert_true(decoder_idle(decoder));
    decoder_free(decoder);
    decode_model_release(&made);
}

static void test_empty(void **state)
{
    (void)state;
    struct decode_model made;
    make(&made, &even, 7);
    const struct decode_options options = {.beam = 4, .nbest = 4, .length_penalty = 1};
    struct decoder *decoder = decoder_of(&made.alone, 4);
    struct err err = ERR_INIT;
    int tag;
    assert_int_equal(decoder_join(decoder, NULL, 0, &options, &tag, &err), 0);
    assert_int_equal(decoder_free_rows(decoder), 4);
    assert_false(decoder_idle(decoder));
    struct decode_result *result = decoder_take(decoder);
    assert_non_null(result);
    assert_ptr_equal(result->tag, &tag);
    assert_int_equal(result->source_count, 0);
    assert_int_equal(result->count, 1);
    assert_int_equal(result->hypotheses[0].count, 0);
    assert_true(result->hypotheses[0].score == 0 && !result->hypotheses[0].truncated);
    assert_true(decoder_idle(decoder));
    decode_result_free(result);
    decoder_free(decoder);
    decode_model_release(&made);
}

static void test_truncation(void **state)
{
    (void)state;
    struct decode_model made;
    make(&made, &even, 8);
    made.model.output_bias[TOKEN_EOS] = -100; /* it never ends of its own */
    const struct words words = {.ids = {10, 20, 30}, .count = 3};
    for (size_t max_length = 0; max_length < 5; max_length++) {
        const struct decode_options options = {
            .beam = 3, .nbest = 2, .max_length = max_length, .length_penalty = 1};
        const struct reference_source source = {&made.alone, words.ids, words.count};
        struct decode_result *result = decode_alone(&made.alone, &words, &options);
        assert_int_equal(result->count, 2);
        for (size_t i = 0; i < 2; i++) {
            assert_true(result->hypotheses[i].truncated);
            assert_int_equal(result->hypotheses[i].count, max_length ? max_length : 16);
            check_hypothesis(&source, &options, &result->hypotheses[i]);
        }
        assert_true(result->hypotheses[0].score >= result->hypotheses[1].score);
        decode_result_free(result);
    }
    decode_model_release(&made);
}

/* An output of exactly max_length tokens that then ends is whole. */
static void test_just_long_enough(void **state)
{
    (void)state;
    size_t checked = 0;
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct decode_model made;
        make(&made, &one_way, seed);
        const struct words words = {.ids = {10, 20, 30}, .count = 3};
        struct decode_options options = {.beam = 1, .nbest = 1};
        struct decode_result *free_length = decode_alone(&made.alone, &words, &options);
        const struct hypothesis *whole = &free_length->hypotheses[0];
        if (!whole->truncated && whole->count > 1) {
            options.max_length = whole->count;
            struct decode_result *result = decode_alone(&made.alone, &words, &options);
            assert_same(result, free_length);
            decode_result_free(result);
            options.max_length--;
            result = decode_alone(&made.alone, &words, &options);
            assert_true(result->hypotheses[0].truncated);
            assert_int_equal(result->hypotheses[0].count, whole->count - 1);
            decode_result_free(result);
            checked++;
        }
        decode_result_free(free_length);
        decode_model_release(&made);
    }
    assert_true(checked > 0);
}

static void test_limits(void **state)
{
    (void)state;
    struct decode_model made;
    make(&made, &one_way, 9);
    struct decoder *decoder = decoder_of(&made.alone, DECODE_MAX_BEAM);
    static int32_t source[DECODE_MAX_SOURCE + 1];
    const struct decode_options good = {.beam = 2, .nbest = 1};
    const struct {
        struct decode_options options;
        size_t count;
        int32_t id;
        int status;
    } cases[] = {
        {{.beam = 0, .nbest = 1}, 1, 4, ERR_ARGUMENT},
        {{.beam = DECODE_MAX_BEAM + 1, .nbest = 1}, 1, 4, ERR_ARGUMENT},
        {{.beam = 2, .nbest = 0}, 1, 4, ERR_ARGUMENT},
        {{.beam = 2, .nbest = 3}, 1, 4, ERR_ARGUMENT},
        {{.beam = 2, .nbest = 1, .length_penalty = -1}, 1, 4, ERR_ARGUMENT},
        {{.beam = 2, .nbest = 1, .length_penalty = 11}, 1, 4, ERR_ARGUMENT},
        {{.beam = 2, .nbest = 1, .length_penalty = NAN}, 1, 4, ERR_ARGUMENT},
        {{.beam = 2, .nbest = 1, .max_length = DECODE_MAX_LENGTH + 1}, 1, 4, ERR_LIMIT},
        {{.beam = 2, .nbest = 1, .max_length = SIZE_MAX}, 1, 4, ERR_LIMIT},
        {good, DECODE_MAX_SOURCE + 1, 4, ERR_LIMIT},
        {good, 1, -1, ERR_ARGUMENT},
        {good, 1, 40, ERR_ARGUMENT},
        {good, 1, INT32_MAX, ERR_ARGUMENT},
        {{.beam = DECODE_MAX_BEAM, .nbest = DECODE_MAX_BEAM}, DECODE_MAX_SOURCE, 39, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = ERR_INIT;
        for (size_t j = 0; j < cases[i].count; j++)
            source[j] = cases[i].id;
        assert_int_equal(
            decoder_join(decoder, source, cases[i].count, &cases[i].options, NULL, &err),
            cases[i].status);
        assert_int_equal(err.code, cases[i].status);
    }
    struct err err = ERR_INIT;
    step(decoder);
    decoder_free(decoder);
    assert_null(decoder_new(&made.alone, 0, &err));
    assert_int_equal(err.code, ERR_ARGUMENT);
    decode_model_release(&made);
}

/* Finite weights can still overflow: the search must end, whatever it says. */
static void test_overflow(void **state)
{
    (void)state;
    struct decode_model made;
    make(&made, &even, 10);
    for (size_t i = 0; i < made.count; i++)
        made.weights[i] = i % 3 == 0 ? -3e38f : 3e38f;
    const struct words words = {.ids = {10, 20, 30}, .count = 3};
    for (size_t beam = 1; beam <= 5; beam++) {
        const struct decode_options options = {.beam = beam, .nbest = beam};
        struct decode_result *result = decode_alone(&made.alone, &words, &options);
        assert_true(result->count >= 1 && result->count <= beam);
        assert_true(result->hypotheses[0].count <= 16);
        decode_result_free(result);
    }
    decode_model_release(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_greedy),
        cmocka_unit_test(test_beam),
        cmocka_unit_test(test_exhaustive),
        cmocka_unit_test(test_company),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_busy),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_truncation),
        cmocka_unit_test(test_just_long_enough),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
