/* Features of words and characters: which there are, where they are from, and their hashes, which
   are part of the bundle format and pinned here. */
#include <inttypes.h>

#include "support/nasty_text.h"
#include "text/feature.h"
#include "vocab_fixture.h"

static const struct vocab_settings word_settings = {.tokenizer = {TOKEN_WORD, NORM_NFKC, true},
                                                    .min_count = 1};

/* A source's text: its words between '+', or its characters between slashes. */
static void write_source(struct buf *out, const struct features *features,
                         const struct encoded *text, const struct feature_source *source)
{
    if (source->characters) {
        buf_printf(out, NULL, " /%.*s/", (int)(source->end - source->begin),
                   text->text.data + source->begin);
        return;
    }
    for (uint32_t word = source->begin; word < source->end; word++) {
        size_t len;
        const char *bytes = feature_token(text, &text->tokens[features->words[word].token], &len);
        buf_printf(out, NULL, "%s%.*s", word == source->begin ? " " : "+", (int)len, bytes);
    }
}

static void assert_features(void **state, const struct feature_settings *settings, const char *text,
                            const char *expected)
{
    struct tokenizer *tokenizer = fixture_tokenizer(state, &word_settings);
    struct features features = {.count = 0}, plain = {.count = 0};
    struct encoded encoded = {.count = 0};
    struct buf found = BUF_INIT;
    struct err err = ERR_INIT;
    assert_fine(tokenizer_encode(tokenizer, text, strlen(text), &encoded, &err), err);
    assert_fine(features_extract(&features, settings, &encoded, true, &err), err);
    assert_fine(features_extract(&plain, settings, &encoded, false, &err), err);
    buf_text(&found, "", NULL);
    for (size_t i = 0; i < features.count; i++)
        write_source(&found, &features, &encoded, &features.sources[i]);
    assert_string_equal(found.data, expected);
    assert_int_equal(plain.count, features.count);
    if (plain.count > 0)
        assert_memory_equal(plain.hashes, features.hashes, plain.count * sizeof *plain.hashes);
    buf_release(&found);
    features_release(&plain);
    features_release(&features);
    encoded_release(&encoded);
    tokenizer_free(tokenizer);
}

static void words_and_their_ngrams(void **state)
{
    const struct feature_settings one = {.words = 1}, three = {.words = 3};
    assert_features(state, &one, "", "");
    assert_features(state, &one, " \t\n  ", "");
    assert_features(state, &one, "The cat's  mat.", " the cat ' s mat .");
    assert_features(state, &three, "a b c d", " a a+b a+b+c b b+c b+c+d c c+d d");
}

/* The source of an n-gram at an edge is its words alone. */
static void edges_join_ngrams(void **state)
{
    const struct feature_settings one = {.words = 1, .edges = true};
    const struct feature_settings two = {.words = 2, .edges = true};
    const struct feature_settings three = {.words = 3, .edges = true};
    struct tokenizer *tokenizer = fixture_tokenizer(state, &word_settings);
    struct features features = {.count = 0};
    struct encoded encoded = {.count = 0};
    struct err err = ERR_INIT;
    assert_features(state, &one, "a b", " a b");
    assert_features(state, &two, "a b", " a a a+b b b");
    assert_features(state, &three, "a b", " a a+b a a+b a+b b b");
    assert_features(state, &three, "a", " a a a a");
    assert_features(state, &three, "", "");
    /* |a, |a|, a, a| are four different ones */
    assert_fine(tokenizer_encode(tokenizer, "a", 1, &encoded, &err), err);
    assert_fine(features_extract(&features, &three, &encoded, false, &err), err);
    assert_int_equal(features.count, 4);
    for (size_t i = 0; i < 4; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(features.hashes[i] != features.hashes[j]);
    features_release(&features);
    encoded_release(&encoded);
    tokenizer_free(tokenizer);
}

static void stop_words_leave_no_gap(void **state)
{
    static const char *const words[] = {"The", "of"};
    struct feature_settings two = {.words = 2};
    struct stop_words *stop;
    struct err err = ERR_INIT;
    assert_fine(stop_words_make(&stop, words, 2, NORM_NFKC, true, &err), err);
    two.stop = stop;
    assert_features(state, &two, "the end of THE film", " end end+film film");
    assert_features(state, &two, "of the", "");
    stop_words_free(stop);
}

static void characters_within_words(void **state)
{
    const struct feature_settings two = {.shortest = 2, .longest = 2};
    const struct feature_settings range = {.shortest = 1, .longest = 3};
    assert_features(state, &two, "ab c", " / a/ /ab/ /b / / c/ /c/");
    assert_features(state, &range, "é", " / é/ / é/ /é/ /é/");
    assert_features(state, &two, "", "");
    assert_features(state, &two, "  ", "");
}

static void characters_across_words(void **state)
{
    const struct feature_settings three = {.shortest = 3, .longest = 3, .across = true};
    assert_features(state, &three, "ab cd", " / ab/ /ab / /b c/ / cd/ /cd/");
}

/* A word is the same word wherever it stands, and n-grams of words are none of characters. */
static void hashes_are_pinned(void **state)
{
    static const uint64_t expected[] = {
        0x814ad4c64cdb5328, 0xd9c1b92f05174ee8, 0x63d08065e4f6a0b3, 0x6dcec7a8dbadb47a,
        0x57e1faba65107204, 0x5c8f332fff4329ac, 0x716f384946185a9c, 0x7153e0ee201a5343,
        0x63d08065e4f6a0b3, 0x431677c990db4968, 0xa90cc8d220b682a6, 0x11502c875a9612cc,
    };
    const struct feature_settings settings = {.words = 2, .shortest = 2, .longest = 2};
    struct tokenizer *tokenizer = fixture_tokenizer(state, &word_settings);
    struct features features = {.count = 0};
    struct encoded encoded = {.count = 0};
    struct err err = ERR_INIT;
    const char *text = "(good) unforgettable good é";
    assert_fine(tokenizer_encode(tokenizer, text, strlen(text), &encoded, &err), err);
    assert_fine(features_extract(&features, &settings, &encoded, false, &err), err);
    for (size_t i = 0; i < features.count; i++) {
        if (i < sizeof expected / sizeof *expected && features.hashes[i] != expected[i])
            fail_msg("hash %zu is %016" PRIx64, i, features.hashes[i]);
        for (size_t j = 0; j < i; j++)
            if (features.hashes[i] == features.hashes[j] && i < 11)
                assert_true(j == 2 && i == 8); /* good */
    }
    assert_true(features.count > 11);
    features_release(&features);
    encoded_release(&encoded);
    tokenizer_free(tokenizer);
}

/* Whatever the text, sources lie inside it and characters are whole. */
static void nasty_texts_are_safe(void **state)
{
    const struct feature_settings settings = {
        .words = 5, .shortest = 1, .longest = 10, .across = true};
    struct tokenizer *tokenizer = fixture_tokenizer(state, &word_settings);
    struct features features = {.count = 0};
    struct encoded encoded = {.count = 0};
    struct rng rng;
    rng_seed(&rng, 5, 0);
    for (int round = 0; round < 300; round++) {
        char text[NASTY_TEXT_MAX];
        size_t len = nasty_text(&rng, text);
        struct err err = ERR_INIT;
        if (tokenizer_encode(tokenizer, text, len, &encoded, &err) == 0) {
            assert_fine(features_extract(&features, &settings, &encoded, true, &err), err);
            for (size_t i = 0; i < features.count; i++) {
                const struct feature_source *source = &features.sources[i];
                assert_true(source->begin < source->end);
                assert_true(source->end <=
                            (source->characters ? encoded.text.len : features.word_count));
            }
        }
    }
    features_release(&features);
    encoded_release(&encoded);
    tokenizer_free(tokenizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_their_ngrams),  cmocka_unit_test(edges_join_ngrams),
        cmocka_unit_test(stop_words_leave_no_gap), cmocka_unit_test(characters_within_words),
        cmocka_unit_test(characters_across_words), cmocka_unit_test(hashes_are_pinned),
        cmocka_unit_test(nasty_texts_are_safe),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
