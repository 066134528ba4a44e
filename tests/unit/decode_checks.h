/*
 * What a decoder must do whatever its models are: agree with the reference over the training path,
 * and give a sentence the same bytes alone and in any company.
 */
#ifndef DRAGOMAN_TESTS_DECODE_CHECKS_H
#define DRAGOMAN_TESTS_DECODE_CHECKS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "decode_model.h"
#include "decode_reference.h"

#define WORDS_MAX 14

struct words {
    int32_t ids[WORDS_MAX];
    size_t count;
};

static inline struct words random_words(struct rng *rng, size_t vocabulary)
{
    struct words words = {.count = 1 + (size_t)rng_below(rng, WORDS_MAX)};
    for (size_t i = 0; i < words.count; i++)
        words.ids[i] = (int32_t)(TOKEN_FIRST + rng_below(rng, vocabulary - TOKEN_FIRST));
    return words;
}

static inline struct decode_options random_options(struct rng *rng)
{
    struct decode_options options = {.beam = 1 + (size_t)rng_below(rng, 5),
                                     .length_penalty = (double)rng_below(rng, 3) / 2};
    options.nbest = 1 + (size_t)rng_below(rng, options.beam);
    if (rng_below(rng, 2) == 0)
        options.max_length = 1 + (size_t)rng_below(rng, 12);
    return options;
}

static inline struct decoder *decoder_of(const struct ensemble *ensemble, size_t rows)
{
    struct err err = ERR_INIT;
    struct decoder *decoder = decoder_new(ensemble, rows, &err);
    assert_non_null(decoder);
    assert_true(decoder_idle(decoder));
    assert_int_equal(decoder_free_rows(decoder), rows);
    return decoder;
}

static inline void join(struct decoder *decoder, const struct words *words,
                        const struct decode_options *options, void *tag)
{
    struct err err = ERR_INIT;
    const int status = decoder_join(decoder, words->ids, words->count, options, tag, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(status, 0);
}

static inline void step(struct decoder *decoder)
{
    struct err err = ERR_INIT;
    assert_int_equal(decoder_step(decoder, &err), 0);
}

/* Steps until a sentence is finished. */
static inline struct decode_result *finish(struct decoder *decoder)
{
    for (;;) {
        struct decode_result *result = decoder_take(decoder);
        if (result)
            return result;
        assert_false(decoder_idle(decoder));
        step(decoder);
    }
}

static inline struct decode_result *decode_alone(const struct ensemble *ensemble,
                                                 const struct words *words,
                                                 const struct decode_options *options)
{
    struct decoder *decoder = decoder_of(ensemble, options->beam);
    join(decoder, words, options, NULL);
    struct decode_result *result = finish(decoder);
    assert_true(decoder_idle(decoder));
    assert_int_equal(decoder_free_rows(decoder), options->beam);
    decoder_free(decoder);
    return result;
}

static inline void check_attention(size_t columns, const float *shares, const double *attention)
{
    double rest = 0, total = 0;
    for (size_t s = 0; s < columns; s++)
        rest += attention[s];
    for (size_t s = 0; s < columns; s++) {
        total += (double)shares[s];
        assert_true(fabs((double)shares[s] * rest - attention[s]) < 1e-4);
    }
    assert_true(fabs(total - 1) < 1e-5);
}

/* Score and attention of a hypothesis are those of its tokens in the training path. */
static inline void check_hypothesis(const struct reference_source *source,
                                    const struct decode_options *options,
                                    const struct hypothesis *hypothesis)
{
    double next[256], sum = 0, attention[WORDS_MAX + 1];
    const size_t count = hypothesis->count, columns = source->count;
    assert_true(source->ensemble->models[0]->vocabulary <= 256 && count < REFERENCE_LENGTH);
    for (size_t i = 0; i < count; i++) {
        int attends = 0;
        assert_int_equal(reference_next(source, hypothesis->ids, i, next, attention, &attends), 0);
        assert_true(hypothesis->ids[i] >= TOKEN_FIRST);
        assert_int_equal(hypothesis->attention != NULL, attends > 0);
        sum += next[hypothesis->ids[i]];
        if (attends > 0)
            check_attention(columns, hypothesis->attention + i * columns, attention);
    }
    assert_int_equal(reference_next(source, hypothesis->ids, count, next, NULL, NULL), 0);
    if (!hypothesis->truncated)
        sum += next[TOKEN_EOS];
    const double length = (double)(hypothesis->truncated ? count : count + 1);
    const double score = sum / pow(length, options->length_penalty);
    assert_true(fabs(sum - (double)hypothesis->log_probability) < 1e-3 * (1 + fabs(sum)));
    assert_true(fabs(score - (double)hypothesis->score) < 1e-3 * (1 + fabs(score)));
}

/* No output is given twice. */
static inline void assert_distinct(const struct decode_result *result)
{
    for (size_t i = 0; i < result->count; i++)
        for (size_t j = 0; j < i; j++) {
            const struct hypothesis *x = &result->hypotheses[i], *y = &result->hypotheses[j];
            assert_false(x->count == y->count &&
                         memcmp(x->ids, y->ids, x->count * sizeof *x->ids) == 0);
        }
}

static inline void compare_with_reference(const struct ensemble *ensemble,
                                          const struct words *words,
                                          const struct decode_options *options)
{
    struct reference_search *search = calloc(1, sizeof *search);
    assert_non_null(search);
    search->source = (struct reference_source){ensemble, words->ids, words->count};
    search->options = *options;
    if (options->max_length == 0)
        search->options.max_length = 2 * words->count + 10;
    assert_int_equal(reference_decode(search), 0);
    struct decode_result *result = decode_alone(ensemble, words, options);
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

#define COMPANY 60

struct guest {
    struct words words;
    struct decode_options options;
    struct decode_result *alone;
    bool came_back;
};

static inline void assert_same(const struct decode_result *a, const struct decode_result *b)
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
        assert_int_equal(x->attention == NULL, y->attention == NULL);
        if (x->attention)
            assert_memory_equal(x->attention, y->attention,
                                x->count * a->source_count * sizeof *x->attention);
    }
}

static inline void take_all(struct decoder *decoder)
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

static inline void shuffle(struct rng *rng, size_t *order, size_t count)
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
static inline void run_company(struct guest *guests, size_t count, const struct ensemble *ensemble,
                               struct rng *rng)
{
    const struct decode_options decoy_options = {.beam = 3, .nbest = 1};
    struct decoder *decoder = decoder_of(ensemble, 5 + (size_t)rng_below(rng, 150));
    struct words decoy = random_words(rng, ensemble->models[0]->vocabulary);
    size_t order[COMPANY];
    shuffle(rng, order, count);
    for (size_t i = 0; i < count; i++)
        guests[i].came_back = false;
    for (size_t next = 0; next < count || !decoder_idle(decoder);) {
        while (next < count && rng_below(rng, 8) != 0) {
            struct guest *guest = &guests[order[next]];
            if (guest->options.beam > decoder_free_rows(decoder))
                break;
            join(decoder, &guest->words, &guest->options, guest);
            next++;
        }
        if (rng_below(rng, 4) == 0 && decoder_free_rows(decoder) >= 3)
            join(decoder, &decoy, &decoy_options, &decoy);
        step(decoder);
        if (rng_below(rng, 2) == 0 || next == count)
            decoder_cancel(decoder, &decoy);
        if (rng_below(rng, 2) == 0) {
            decoder_cancel(decoder, &decoy);
            take_all(decoder);
        }
    }
    for (size_t i = 0; i < count; i++)
        assert_true(guests[i].came_back);
    decoder_free(decoder);
}

/* `count` random sentences, each decoded alone, then together. */
static inline void check_company(const struct ensemble *ensemble, size_t count, size_t rounds,
                                 struct rng *rng)
{
    static struct guest guests[COMPANY];
    for (size_t g = 0; g < count; g++) {
        guests[g] = (struct guest){.words = random_words(rng, ensemble->models[0]->vocabulary),
                                   .options = random_options(rng)};
        guests[g].options.party = g % 8 < 5 ? 0 : g % 3;
        guests[g].alone = decode_alone(ensemble, &guests[g].words, &guests[g].options);
    }
    for (size_t round = 0; round < rounds; round++)
        run_company(guests, count, ensemble, rng);
    for (size_t g = 0; g < count; g++)
        decode_result_free(guests[g].alone);
}

#endif
