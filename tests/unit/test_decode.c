/*
 * Decoding against the plainest form of itself over the training path, and against itself: a
 * sentence gives the same bytes alone and in any company.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decode_model.h"
#include "decode_reference.h"

#define WORDS_MAX 14

static const struct decode_sizes uneven = {.vocabulary = 83,
                                           .embedding = 19,
                                           .encoder_hidden = 13,
                                           .hidden = 27,
                                           .bidirectional = true,
                                           .tied = true,
                                           .scale = 3};
static const struct decode_sizes even = {.vocabulary = 200,
                                         .embedding = 32,
                                         .encoder_hidden = 32,
                                         .hidden = 64,
                                         .bidirectional = true,
                                         .tied = false,
                                         .scale = 2};
static const struct decode_sizes one_way = {.vocabulary = 40,
                                            .embedding = 8,
                                            .encoder_hidden = 20,
                                            .hidden = 16,
                                            .bidirectional = false,
                                            .tied = true,
                                            .scale = 3};

struct words {
    int32_t ids[WORDS_MAX];
    size_t count;
};

static struct words random_words(struct rng *rng, size_t vocabulary)
{
    struct words words = {.count = 1 + (size_t)rng_below(rng, WORDS_MAX)};
    for (size_t i = 0; i < words.count; i++)
        words.ids[i] = (int32_t)(TOKEN_FIRST + rng_below(rng, vocabulary - TOKEN_FIRST));
    return words;
}

static struct decode_options random_options(struct rng *rng)
{
    struct decode_options options = {.beam = 1 + (size_t)rng_below(rng, 5),
                                     .length_penalty = (double)rng_below(rng, 3) / 2};
    options.nbest = 1 + (size_t)rng_below(rng, options.beam);
    if (rng_below(rng, 2) == 0)
        options.max_length = 1 + (size_t)rng_below(rng, 12);
    return options;
}

static void make(struct decode_model *made, const struct decode_sizes *sizes, uint64_t seed)
{
    assert_true(decode_model_make(made, sizes, seed));
}

static struct decoder *decoder_of(const struct decode_model *made, size_t rows)
{
    struct err err = ERR_INIT;
    struct decoder *decoder = decoder_new(&made->model, rows, &err);
    assert_non_null(decoder);
    assert_true(decoder_idle(decoder));
    assert_int_equal(decoder_free_rows(decoder), rows);
    return decoder;
}

static void join(struct decoder *decoder, const struct words *words,
                 const struct decode_options *options, void *tag)
{
    struct err err = ERR_INIT;
    const int status = decoder_join(decoder, words->ids, words->count, options, tag, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(status, 0);
}

static void step(struct decoder *decoder)
{
    struct err err = ERR_INIT;
    assert_int_equal(decoder_step(decoder, &err), 0);
}

/* Steps until a sentence is finished. */
static struct decode_result *finish(struct decoder *decoder)
{
    for (;;) {
        struct decode_result *result = decoder_take(decoder);
        if (result)
            return result;
        assert_false(decoder_idle(decoder));
        step(decoder);
    }
}

static struct decode_result *decode_alone(const struct decode_model *made,
                                          const struct words *words,
                                          const struct decode_options *options)
{
    struct decoder *decoder = decoder_of(made, options->beam);
    join(decoder, words, options, NULL);
    struct decode_result *result = finish(decoder);
    assert_true(decoder_idle(decoder));
    assert_int_equal(decoder_free_rows(decoder), options->beam);
    decoder_free(decoder);
    return result;
}

/* Against the training path -------------------------------------------------------------------- */

/* Score and attention of a hypothesis are those of its tokens in the training path. */
static void check_hypothesis(const struct reference_source *source,
                             const struct decode_options *options,
                             const struct hypothesis *hypothesis)
{
    double next[256], sum = 0;
    real attention[WORDS_MAX + 1];
    const size_t count = hypothesis->count, columns = source->count;
    assert_true(source->model->vocabulary <= 256 && count < REFERENCE_LENGTH);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(reference_next(source, hypothesis->ids, i, next, attention), 0);
        assert_true(hypothesis->ids[i] >= TOKEN_FIRST);
        sum += next[hypothesis->ids[i]];
        double rest = 0, total = 0;
        for (size_t s = 0; s < columns; s++)
            rest += (double)attention[s];
        for (size_t s = 0; s < columns; s++) {
            const double share = (double)hypothesis->attention[i * columns + s];
            total += share;
            assert_true(fabs(share * rest - (double)attention[s]) < 1e-4);
        }
        assert_true(fabs(total - 1) < 1e-5);
    }
    assert_int_equal(reference_next(source, hypothesis->ids, count, next, NULL), 0);
    if (!hypothesis->truncated)
        sum += next[TOKEN_EOS];
    const double length = (double)(hypothesis->truncated ? count : count + 1);
    const double score = sum / pow(length, options->length_penalty);
    assert_true(fabs(sum - (double)hypothesis->log_probability) < 1e-3 * (1 + fabs(sum)));
    assert_true(fabs(score - (double)hypothesis->score) < 1e-3 * (1 + fabs(score)));
}

/* At each place the token with the highest probability. */
static void check_greedy(const struct reference_source *source,
                         const struct decode_options *options, const struct hypothesis *hypothesis)
{
    double next[256];
    for (size_t i = 0; i <= hypothesis->count; i++) {
        assert_int_equal(reference_next(source, hypothesis->ids, i, next, NULL), 0);
        int32_t best = TOKEN_EOS;
        for (size_t v = TOKEN_FIRST; v < source->model->vocabulary; v++)
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
        const struct reference_source source = {&made.model, words.ids, words.count};
        const struct decode_options options = {.beam = 1, .nbest = 1, .max_length = 20};
        struct decode_result *result = decode_alone(&made, &words, &options);
        assert_int_equal(result->count, 1);
        assert_int_equal(result->source_count, words.count);
        check_greedy(&source, &options, &result->hypotheses[0]);
        check_hypothesis(&source, &options, &result->hypotheses[0]);
        decode_result_free(result);
        decode_model_release(&made);
    }
}

/* No output is given twice. */
static void assert_distinct(const struct decode_result *result)
{
    for (size_t i = 0; i < result->count; i++)
        for (size_t j = 0; j < i; j++) {
            const struct hypothesis *x = &result->hypotheses[i], *y = &result->hypotheses[j];
            assert_false(x->count == y->count &&
                         memcmp(x->ids, y->ids, x->count * sizeof *x->ids) == 0);
        }
}

static void compare_with_reference(const struct decode_model *made, const struct words *words,
                                   const struct decode_options *options)
{
    struct reference_search *search = calloc(1, sizeof *search);
    assert_non_null(search);
    search->source = (struct reference_source){&made->model, words->ids, words->count};
    search->options = *options;
    if (options->max_length == 0)
        search->options.max_length = 2 * words->count + 10;
    assert_int_equal(reference_decode(search), 0);
    struct decode_result *result = decode_alone(made, words, options);
    assert_distinct(result);
    for (size_t i = 0; i < result->count; i++) {
        const struct hypothesis *hypothesis = &result->hypotheses[i];
        check_hypothesis(&search->source, options, hypothesis);
        assert_int_equal(hypothesis->truncated, i >= search->ended_count);
        if (!hypothesis->truncated)
            assert_true(fabs((double)hypothesis->score - search->ended[i].score) < 1e-3);
        else
            assert_int_equal(hypothesis->count, search->options.max_length);
    }
    assert_true(result->count == options->nbest);
    decode_result_free(result);
    free(search);
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
        made.model.weights.output_bias[TOKEN_EOS] += (real)rng_below(&rng, 8) / 2;
        const struct words words = random_words(&rng, made.model.vocabulary);
        struct decode_options options = random_options(&rng);
        compare_with_reference(&made, &words, &options);
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
        assert_int_equal(reference_next(source, from.ids, from.count, next, NULL), 0);
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
    const struct decode_sizes tiny = {.vocabulary = 6,
                                      .embedding = 5,
                                      .encoder_hidden = 4,
                                      .hidden = 6,
                                      .bidirectional = true,
                                      .tied = true,
                                      .scale = 2};
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct decode_model made;
        make(&made, &tiny, seed);
        const struct words words = {.ids = {4, 5, 4}, .count = 3};
        const struct reference_source source = {&made.model, words.ids, words.count};
        struct reference_hypothesis all[8];
        const struct decode_options options = {.beam = DECODE_MAX_BEAM,
                                               .nbest = 7,
                                               .max_length = 2,
                                               .length_penalty = (double)seed / 10};
        assert_int_equal(all_outputs(&source, options.length_penalty, all), 7);
        struct decode_result *result = decode_alone(&made, &words, &options);
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

#define COMPANY 60

struct guest {
    struct words words;
    struct decode_options options;
    struct decode_result *alone;
    bool came_back;
};

static void assert_same(const struct decode_result *a, const struct decode_result *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->source_count, b->source_count);
    for (size_t i = 0; i < a->count; i++) {
        const struct hypothesis *x = &a->hypotheses[i], *y = &b->hypotheses[i];
        assert_int_equal(x->count, y->count);
        assert_int_equal(x->truncated, y->truncated);
        assert_memory_equal(x->ids, y->ids, x->count * sizeof *x->ids);
        assert_memory_equal(&x->score, &y->score, sizeof x->score);
        assert_memory_equal(&x->log_probability, &y->log_probability, sizeof x->log_probability);
        assert_memory_equal(x->attention, y->attention,
                            x->count * a->source_count * sizeof *x->attention);
    }
}

static void take_all(struct decoder *decoder)
{
    struct decode_result *result;
    while ((result = decoder_take(decoder))) {
        struct guest *guest = result->tag;
        assert_false(guest->came_back);
        guest->came_back = true;
        assert_same(result, guest->alone);
        decode_result_free(result);
    }
}

static void shuffle(struct rng *rng, size_t *order, size_t count)
{
    for (size_t i = 0; i < count; i++)
        order[i] = i;
    for (size_t i = count; i > 1; i--) {
        const size_t j = (size_t)rng_below(rng, i), kept = order[i - 1];
        order[i - 1] = order[j];
        order[j] = kept;
    }
}

/* All guests through one decoder, in random order, joining at random times, with a decoy that is
   cancelled at random. */
static void run_company(struct guest *guests, const struct decode_model *made, struct rng *rng)
{
    const struct decode_options decoy_options = {.beam = 3, .nbest = 1};
    struct decoder *decoder = decoder_of(made, 5 + (size_t)rng_below(rng, 150));
    struct words decoy = random_words(rng, made->model.vocabulary);
    size_t order[COMPANY];
    shuffle(rng, order, COMPANY);
    for (size_t i = 0; i < COMPANY; i++)
        guests[i].came_back = false;
    for (size_t next = 0; next < COMPANY || !decoder_idle(decoder);) {
        while (next < COMPANY && rng_below(rng, 8) != 0) {
            struct guest *guest = &guests[order[next]];
            if (guest->options.beam > decoder_free_rows(decoder))
                break;
            join(decoder, &guest->words, &guest->options, guest);
            next++;
        }
        if (rng_below(rng, 4) == 0 && decoder_free_rows(decoder) >= 3)
            join(decoder, &decoy, &decoy_options, &decoy);
        step(decoder);
        if (rng_below(rng, 2) == 0 || next == COMPANY)
            decoder_cancel(decoder, &decoy);
        if (rng_below(rng, 2) == 0) {
            decoder_cancel(decoder, &decoy);
            take_all(decoder);
        }
    }
    for (size_t i = 0; i < COMPANY; i++)
        assert_true(guests[i].came_back);
    decoder_free(decoder);
}

static void test_company(void **state)
{
    (void)state;
    const struct decode_sizes *const sizes[] = {&uneven, &even, &one_way};
    static struct guest guests[COMPANY];
    struct rng rng;
    rng_seed(&rng, 13, 0);
    for (size_t i = 0; i < 3; i++) {
        struct decode_model made;
        make(&made, sizes[i], i);
        for (size_t g = 0; g < COMPANY; g++) {
            guests[g] = (struct guest){.words = random_words(&rng, made.model.vocabulary),
                                       .options = random_options(&rng)};
            guests[g].alone = decode_alone(&made, &guests[g].words, &guests[g].options);
        }
        for (size_t round = 0; round < 6; round++)
            run_company(guests, &made, &rng);
        for (size_t g = 0; g < COMPANY; g++)
            decode_result_free(guests[g].alone);
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
    struct decode_result *alone = decode_alone(&made, &words, &options);
    struct decoder *decoder = decoder_of(&made, 6);
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
    struct decoder *decoder = decoder_of(&made, 7);
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
    struct decoder *decoder = decoder_of(&made, 4);
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
    made.model.weights.output_bias[TOKEN_EOS] = -100; /* it never ends of its own */
    const struct words words = {.ids = {10, 20, 30}, .count = 3};
    for (size_t max_length = 0; max_length < 5; max_length++) {
        const struct decode_options options = {
            .beam = 3, .nbest = 2, .max_length = max_length, .length_penalty = 1};
        const struct reference_source source = {&made.model, words.ids, words.count};
        struct decode_result *result = decode_alone(&made, &words, &options);
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
        struct decode_result *free_length = decode_alone(&made, &words, &options);
        const struct hypothesis *whole = &free_length->hypotheses[0];
        if (!whole->truncated && whole->count > 1) {
            options.max_length = whole->count;
            struct decode_result *result = decode_alone(&made, &words, &options);
            assert_same(result, free_length);
            decode_result_free(result);
            options.max_length--;
            result = decode_alone(&made, &words, &options);
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
    struct decoder *decoder = decoder_of(&made, DECODE_MAX_BEAM);
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
    assert_null(decoder_new(&made.model, 0, &err));
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
        struct decode_result *result = decode_alone(&made, &words, &options);
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
