/*
 * The learner and the tokenizer on real text: 141,612 pairs of English and French sentences, where
 * the data is at hand (DRAGOMAN_DATA), else skipped. Prints how long things took and judges only
 * what came out.
 */
#include <string.h>

#include "base/clock.h"
#include "base/mem.h"
#include "text/corpus.h"
#include "text/token.h"
#include "text/vocab.h"
#include "unit.h"

#define MERGES 8000
#define SKIPPED 77

static const struct vocab_settings settings = {
    .tokenizer = {TOKEN_BPE, NORM_NFC, false}, .merges = MERGES, .min_count = 1};

static char data_path[4096];

static double since(int64_t start)
{
    return (double)(clock_ns() - start) / 1e9;
}

static struct vocab_learner *count_pieces(const struct corpus *corpus)
{
    struct err err = ERR_INIT;
    struct vocab_learner *learner = vocab_learner_new(&settings, &err);
    assert_non_null(learner);
    for (size_t i = 0; i < corpus->count; i++) {
        const struct corpus_line *line = &corpus->lines[i];
        assert_fine(vocab_learner_add(learner, line->first, line->first_len, &err), err);
        assert_fine(vocab_learner_add(learner, line->second, line->second_len, &err), err);
    }
    return learner;
}

/* Encodes and decodes every line; returns how many tokens there were. */
static size_t there_and_back(const struct tokenizer *tokenizer, const struct corpus *corpus,
                             struct encoded *out, int32_t *ids)
{
    struct err err = ERR_INIT;
    struct buf text = BUF_INIT;
    size_t tokens = 0;
    for (size_t i = 0; i < 2 * corpus->count; i++) {
        const struct corpus_line *line = &corpus->lines[i / 2];
        const char *side = i % 2 ? line->second : line->first;
        assert_fine(tokenizer_encode(tokenizer, side, i % 2 ? line->second_len : line->first_len,
                                     out, &err),
                    err);
        assert_true(out->count < 4096);
        for (size_t k = 0; k < out->count; k++) {
            ids[k] = out->tokens[k].id;
            assert_true(ids[k] >= TOKEN_FIRST + 256); /* every character was seen in training */
        }
        tokens += out->count;
        buf_clear(&text);
        assert_fine(tokenizer_decode(tokenizer, ids, out->count, &text, &err), err);
        assert_string_equal(text.data, out->text.data + 1);
    }
    buf_release(&text);
    return tokens;
}

static void learns_eight_thousand_merges(void **state)
{
    char *path = file_join(*state, "vocab.sqlite", NULL);
    const char *paths[] = {data_path};
    struct tokenizer *tokenizer = NULL;
    struct encoded out = {.count = 0};
    struct err err = ERR_INIT;
    struct corpus corpus;
    static int32_t ids[4096];
    int64_t start;

    assert_fine(corpus_read(&corpus, paths, 1, &err), err);
    assert_int_equal(corpus.count, 141612);
    start = clock_ns();
    struct vocab_learner *learner = count_pieces(&corpus);
    assert_fine(vocab_learner_save(learner, path, &err), err);
    print_message("learned %d merges in %.2f s\n", MERGES, since(start));
    vocab_learner_free(learner);

    start = clock_ns();
    assert_fine(tokenizer_open(&tokenizer, &settings.tokenizer, path, &err), err);
    print_message("opened %zu tokens in %.2f ms\n", tokenizer_size(tokenizer), 1e3 * since(start));
    assert_in_range(tokenizer_size(tokenizer), 260 + MERGES, 260 + MERGES + 300);

    start = clock_ns();
    size_t tokens = there_and_back(tokenizer, &corpus, &out, ids);
    print_message("%zu lines there and back in %.2f s, %.2f tokens a line\n", 2 * corpus.count,
                  since(start), (double)tokens / (double)(2 * corpus.count));
    assert_true(tokens < 10 * 2 * corpus.count); /* words, mostly, not characters */
    encoded_release(&out);
    tokenizer_free(tokenizer);
    corpus_release(&corpus);
    mem_free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(learns_eight_thousand_merges),
    };
    const char *data = getenv("DRAGOMAN_DATA");
    snprintf(data_path, sizeof data_path, "%s/tatoeba-en-fr/train.tsv", data ? data : ".");
    if (!file_exists(data_path)) {
        printf("%s is not here: skipped\n", data_path);
        return SKIPPED;
    }
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
