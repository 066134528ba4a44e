/* Words between white space, and the tokens that belong to them: with any tokenizer, every word of
   any text has tokens, and they cover it. */
#include "support/nasty_text.h"
#include "text/words.h"
#include "vocab_fixture.h"

static const struct vocab_settings all_settings[] = {
    {.tokenizer = {TOKEN_BPE, NORM_NFC, false}, .merges = 300, .min_count = 1},
    {.tokenizer = {TOKEN_BPE, NORM_NFKC, true}, .merges = 50, .min_count = 5},
    {.tokenizer = {TOKEN_WORD, NORM_NFKC, true}, .min_count = 1},
    {.tokenizer = {TOKEN_CHAR, NORM_NFC, false}, .min_count = 1},
    {.tokenizer = {TOKEN_CHAR, NORM_NFKC, true}, .min_count = 5},
};
#define SETTINGS (sizeof all_settings / sizeof *all_settings)

/* The words joined by "|". */
static void assert_words(const char *text, const char *expected)
{
    struct words words = {.count = 0};
    struct buf joined = BUF_INIT;
    struct err err = ERR_INIT;
    assert_fine(words_split(&words, text, strlen(text), &err), err);
    buf_text(&joined, "", NULL);
    for (size_t i = 0; i < words.count; i++)
        buf_printf(&joined, NULL, "%s%.*s", i > 0 ? "|" : "",
                   (int)(words.ranges[i].end - words.ranges[i].begin),
                   text + words.ranges[i].begin);
    assert_string_equal(joined.data, expected);
    buf_release(&joined);
    words_release(&words);
}

static void white_space_separates(void **state)
{
    (void)state;
    assert_words("", "");
    assert_words(" \t\r\n", "");
    assert_words("one", "one");
    assert_words("  The cat's  mat.\n", "The|cat's|mat.");
    assert_words("a\u2003b\u3000c\xC2\x85\x64\u2029e", "a|b|c|d|e");
    assert_words("10\u00A0000 \u202F1\u2007", "10\u00A0000|\u202F1\u2007");
    assert_words("x\xFFy \x80", "x\xFFy|\x80");
}

/* "token text:word" for each token. */
static void assert_mapping(void **state, size_t settings, const char *text, const char *expected,
                           const char *expected_last)
{
    struct tokenizer *tokenizer = fixture_tokenizer(state, &all_settings[settings]);
    struct encoded out = {.count = 0};
    struct words words = {.count = 0};
    struct buf mapping = BUF_INIT, lasts = BUF_INIT;
    struct err err = ERR_INIT;
    uint32_t word_of[64], last[64];
    assert_fine(tokenizer_encode(tokenizer, text, strlen(text), &out, &err), err);
    assert_fine(words_split(&words, text, strlen(text), &err), err);
    words_of_tokens(&words, out.tokens, out.count, word_of);
    words_last_tokens(&words, out.tokens, out.count, last);
    for (size_t i = 0; i < out.count; i++)
        if (word_of[i] == WORDS_NONE)
            buf_text(&mapping, "-", NULL);
        else
            buf_printf(&mapping, NULL, "%u", word_of[i]);
    for (size_t i = 0; i < words.count; i++)
        buf_printf(&lasts, NULL, "%s%u", i > 0 ? " " : "", last[i]);
    assert_string_equal(mapping.data, expected);
    assert_string_equal(lasts.data, expected_last);
    buf_release(&lasts);
    buf_release(&mapping);
    words_release(&words);
    encoded_release(&out);
    tokenizer_free(tokenizer);
}

static void tokens_belong_to_words(void **state)
{
    assert_mapping(state, 3, "the  cat.", "000--1111", "2 8");
    assert_mapping(state, 3, "\na\u0304 b\r\n", "-0-1-", "1 3");
    assert_mapping(state, 2, "The cat's  (mat)", "0111-222", "0 3 7");
}

static void words_beyond_the_tokens_have_none(void **state)
{
    struct tokenizer *tokenizer = fixture_tokenizer(state, &all_settings[2]);
    struct encoded out = {.count = 0};
    struct words words = {.count = 0};
    uint32_t last[4];
    assert_int_equal(tokenizer_encode(tokenizer, "the cat, the dog", 16, &out, NULL), 0);
    assert_int_equal(words_split(&words, "the cat, the dog", 16, NULL), 0);
    assert_int_equal(words.count, 4);
    words_last_tokens(&words, out.tokens, 2, last);
    assert_int_equal(last[0], 0);
    assert_int_equal(last[1], 1);
    assert_int_equal(last[2], WORDS_NONE);
    assert_int_equal(last[3], WORDS_NONE);
    words_release(&words);
    encoded_release(&out);
    tokenizer_free(tokenizer);
}

static void check_text(const struct tokenizer *tokenizer, const char *text, size_t len)
{
    static uint32_t word_of[2 * NASTY_TEXT_MAX], last[NASTY_TEXT_MAX];
    struct encoded out = {.count = 0};
    struct words words = {.count = 0};
    struct err err = ERR_INIT;
    assert_fine(tokenizer_encode(tokenizer, text, len, &out, &err), err);
    assert_fine(words_split(&words, text, len, &err), err);
    assert_true(out.count <= sizeof word_of / sizeof *word_of);
    words_of_tokens(&words, out.tokens, out.count, word_of);
    words_last_tokens(&words, out.tokens, out.count, last);
    for (size_t i = 0; i < words.count; i++) {
        assert_true(words.ranges[i].begin < words.ranges[i].end);
        assert_true(last[i] < out.count);
        assert_int_equal(word_of[last[i]], i);
        assert_true(out.tokens[last[i]].raw_end >= words.ranges[i].end);
        assert_true(i == 0 || last[i] > last[i - 1]);
    }
    for (size_t i = 1; i < out.count; i++) {
        const uint32_t word = word_of[i];
        assert_true(word == WORDS_NONE || word_of[i - 1] == WORDS_NONE || word >= word_of[i - 1]);
        if (word != WORDS_NONE)
            assert_true(out.tokens[i].raw_begin < words.ranges[word].end &&
                        out.tokens[i].raw_end > words.ranges[word].begin);
    }
    words_release(&words);
    encoded_release(&out);
}

static void every_word_has_its_tokens(void **state)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        struct tokenizer *tokenizer = fixture_tokenizer(state, &all_settings[i]);
        struct rng rng;
        rng_seed(&rng, 43, i);
        for (size_t line = 0; line < FIXTURE_LINES; line++)
            check_text(tokenizer, fixture_lines[line], strlen(fixture_lines[line]));
        for (int round = 0; round < 3000; round++) {
            char text[NASTY_TEXT_MAX];
            size_t len = nasty_text(&rng, text);
            check_text(tokenizer, text, len);
        }
        tokenizer_free(tokenizer);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(white_space_separates),
        cmocka_unit_test(tokens_belong_to_words),
        cmocka_unit_test(words_beyond_the_tokens_have_none),
        cmocka_unit_test(every_word_has_its_tokens),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
