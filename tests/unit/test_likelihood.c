/* Probabilities of given translations: the same as the decoder's of what it found itself, whatever
   the company and the threads; bad pairs are left out; every allocation may fail. */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "decode_model.h"
#include "fault/fault.h"
#include "model/likelihood.h"
#include "model/model.h"
#include "support/tiny_bundle.h"

#define COUNT 150

static struct model *model;

struct corpus_texts {
    char words[2][COUNT][400];
    struct batch_text sources[COUNT], targets[COUNT];
};

/* Sentences of 1 to 40 words. */
static void make_texts(struct corpus_texts *texts)
{
    static const char *const words[] = {"I", "see", "the", "cat", "dog", "là", "où", "22", "film."};
    for (size_t i = 0; i < COUNT; i++) {
        for (size_t side = 0; side < 2; side++) {
            char *text = texts->words[side][i];
            text[0] = '\0';
            for (size_t w = 0; w <= i * (7 + side) % 40; w++)
                snprintf(text + strlen(text), 8, "%s%s", w > 0 ? " " : "",
                         words[(i * w + w + side) % 9]);
        }
        texts->sources[i] = (struct batch_text){texts->words[0][i], strlen(texts->words[0][i])};
        texts->targets[i] = (struct batch_text){texts->words[1][i], strlen(texts->words[1][i])};
    }
}

static int open_model(void **state)
{
    char folder[4200];
    struct err err = ERR_INIT;
    struct tiny_bundle bundle = {.name = "tiny", .kind = SPEC_SEQ2SEQ, .seed = 3};
    if (scratch_make(state) != 0)
        return -1;
    snprintf(folder, sizeof(folder), "%s/tiny", (char *)*state);
    if (tiny_bundle_write(folder, &bundle, &err) < 0 || model_open(&model, folder, &err) < 0)
        fail_msg("%s", err.message);
    return 0;
}

static int close_model(void **state)
{
    model_release(model);
    return scratch_remove(state);
}

static int corpus(const struct corpus_texts *texts, int threads, struct likelihood *likelihood,
                  struct err *err)
{
    struct pool *pool = pool_new(threads, err);
    if (pool == NULL)
        return err->code;
    int code = likelihood_corpus(model->seq2seq, model->tokenizer, pool, texts->sources,
                                 texts->targets, COUNT, likelihood, err);
    pool_free(pool);
    return code;
}

/* The hypothesis through the likelihood: the decoder's own figure comes out. Returns -ln p. */
static double check_hypothesis(const struct seq2seq *small, const struct seq2seq_pair *pair,
                               double log_probability)
{
    struct err err = ERR_INIT;
    struct arena arena;
    double sum = 0;
    arena_init(&arena, 1 << 16);
    assert_fine(likelihood_batch(small, pair, 1, &sum, &arena, &err), err);
    if (fabs(sum + log_probability) > 1e-4 * fabs(sum))
        fail_msg("%g instead of %g", -sum, log_probability);
    arena_release(&arena);
    return sum;
}

enum { SENTENCES = 5, LENGTH = 12, BEAM = 4 };

/* What the decoder finds for the sentence. Truncated hypotheses are left out: their figures lack
   the EOS. */
static size_t find_pairs(const struct seq2seq *small, const int32_t *source, size_t length,
                         struct seq2seq_pair *pairs, double *log_probabilities,
                         struct decode_result **result)
{
    static const struct decode_options options = {.beam = BEAM, .nbest = BEAM, .max_length = 30};
    struct err err = ERR_INIT;
    size_t count = 0;
    const struct ensemble alone = {.models = {small}, .count = 1};
    struct decoder *decoder = decoder_new(&alone, BEAM, &err);
    assert_non_null(decoder);
    assert_fine(decoder_join(decoder, source, length, &options, NULL, &err), err);
    while ((*result = decoder_take(decoder)) == NULL)
        assert_fine(decoder_step(decoder, &err), err);
    for (size_t h = 0; h < (*result)->count; h++) {
        const struct hypothesis *found = &(*result)->hypotheses[h];
        if (found->truncated)
            continue;
        pairs[count] = (struct seq2seq_pair){.source = source,
                                             .target = found->ids,
                                             .source_count = length,
                                             .target_count = found->count};
        log_probabilities[count++] = (double)found->log_probability;
    }
    decoder_free(decoder);
    return count;
}

/* Several sentences through the decoder, and what it found through the likelihood, alone and
   together. Returns how many hypotheses that were. */
static size_t check_model(uint64_t seed)
{
    static const struct decode_sizes sizes = {
        {DECODE_GRU(14, 8, 6, true, 10), .tying = SPEC_TYING_THREE_WAY}, 2};
    struct err err = ERR_INIT;
    struct decode_model small;
    int32_t sources[SENTENCES][LENGTH];
    struct decode_result *results[SENTENCES];
    struct seq2seq_pair pairs[BEAM * SENTENCES];
    double log_probabilities[BEAM * SENTENCES], together = 0, wanted = 0;
    struct arena arena;
    size_t count = 0;
    assert_true(decode_model_make(&small, &sizes, seed));
    for (size_t i = 0; i < SENTENCES; i++) {
        for (size_t w = 0; w < LENGTH; w++)
            sources[i][w] = (int32_t)(TOKEN_FIRST + (i * 3 + w * 7) % 10);
        count += find_pairs(&small.model, sources[i], 2 + 2 * i, &pairs[count],
                            &log_probabilities[count], &results[i]);
    }
    for (size_t i = 0; i < count; i++)
        wanted += check_hypothesis(&small.model, &pairs[i], log_probabilities[i]);
    arena_init(&arena, 1 << 16);
    if (count > 0)
        assert_fine(likelihood_batch(&small.model, pairs, count, &together, &arena, &err), err);
    assert_true(fabs(together - wanted) <= 1e-5 * wanted);
    arena_release(&arena);
    for (size_t i = 0; i < SENTENCES; i++)
        decode_result_free(results[i]);
    decode_model_release(&small);
    return count;
}

static void test_same_as_decoder(void **state)
{
    (void)state;
    size_t count = 0;
    for (uint64_t seed = 1; seed <= 8; seed++)
        count += check_model(seed);
    assert_true(count >= BEAM * SENTENCES);
}

/* One pair of the corpus by itself. */
static double alone(struct batch_text source, struct batch_text target, size_t *tokens)
{
    struct err err = ERR_INIT;
    struct encoded encoded[2] = {{.count = 0}, {.count = 0}};
    struct arena arena;
    int32_t ids[2][600];
    double sum = 0;
    arena_init(&arena, 1 << 16);
    assert_fine(tokenizer_encode(model->tokenizer, source.data, source.len, &encoded[0], &err),
                err);
    assert_fine(tokenizer_encode(model->tokenizer, target.data, target.len, &encoded[1], &err),
                err);
    for (size_t side = 0; side < 2; side++)
        for (size_t i = 0; i < encoded[side].count; i++)
            ids[side][i] = encoded[side].tokens[i].id;
    const struct seq2seq_pair pair = {.source = ids[0],
                                      .target = ids[1],
                                      .source_count = encoded[0].count,
                                      .target_count = encoded[1].count};
    assert_fine(likelihood_batch(model->seq2seq, &pair, 1, &sum, &arena, &err), err);
    *tokens += encoded[1].count + 1;
    encoded_release(&encoded[0]);
    encoded_release(&encoded[1]);
    arena_release(&arena);
    return sum;
}

static void test_corpus(void **state)
{
    (void)state;
    struct corpus_texts texts;
    struct likelihood once;
    double wanted = 0;
    size_t tokens = 0;
    make_texts(&texts);
    for (size_t i = 0; i < COUNT; i++)
        wanted += alone(texts.sources[i], texts.targets[i], &tokens);
    for (int threads = 1; threads <= 3; threads++) {
        struct err err = ERR_INIT;
        struct likelihood likelihood;
        assert_fine(corpus(&texts, threads, &likelihood, &err), err);
        assert_int_equal(likelihood.tokens, tokens);
        assert_int_equal(likelihood.pairs, COUNT);
        assert_int_equal(likelihood.skipped, 0);
        assert_true(fabs(likelihood.negative_log - wanted) <= 1e-5 * wanted);
        if (threads == 1)
            once = likelihood;
        assert_true(likelihood.negative_log == once.negative_log);
    }
}

static void test_bad_pairs(void **state)
{
    (void)state;
    static char endless[4 * LIKELIHOOD_MAX_TOKENS + 1];
    struct err err = ERR_INIT;
    struct corpus_texts texts;
    struct likelihood all, rest;
    size_t tokens = 0;
    make_texts(&texts);
    for (size_t i = 0; i < 2 * LIKELIHOOD_MAX_TOKENS; i++)
        memcpy(&endless[2 * i], "a ", 3);
    assert_fine(corpus(&texts, 2, &all, &err), err);
    const double lost = alone(texts.sources[4], texts.targets[4], &tokens) +
                        alone(texts.sources[9], texts.targets[9], &tokens);
    texts.sources[4] = (struct batch_text){"bad \xc3", 5};
    texts.targets[9] = (struct batch_text){endless, strlen(endless)};
    assert_fine(corpus(&texts, 2, &rest, &err), err);
    assert_int_equal(rest.skipped, 2);
    assert_int_equal(rest.pairs, COUNT - 2);
    assert_int_equal(rest.tokens, all.tokens - tokens);
    assert_true(fabs(rest.negative_log + lost - all.negative_log) <= 1e-5 * all.negative_log);
}

static void test_nothing(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct likelihood likelihood;
    struct pool *pool = pool_new(2, &err);
    assert_non_null(pool);
    assert_fine(
        likelihood_corpus(model->seq2seq, model->tokenizer, pool, NULL, NULL, 0, &likelihood, &err),
        err);
    assert_int_equal(likelihood.tokens, 0);
    pool_free(pool);
}

static int run_with_faults(void *context, struct err *err)
{
    struct likelihood likelihood;
    return corpus(context, 1, &likelihood, err);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct corpus_texts texts;
    make_texts(&texts);
    assert_true(fault_loop(run_with_faults, &texts) > 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_decoder), cmocka_unit_test(test_corpus),
        cmocka_unit_test(test_bad_pairs),       cmocka_unit_test(test_nothing),
        cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, open_model, close_model);
}
