/*
 * Tokenizers: what is tokenised comes back as the normalised text, whatever it is; every token
 * points into the raw text; and bpe agrees with a plain reading of its definition.
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>

#include "support/nasty_text.h"
#include "text/norm.h"
#include "text/piece.h"
#include "text/utf8.h"
#include "vocab_fixture.h"

static const struct vocab_settings all_settings[] = {
    {.tokenizer = {TOKEN_BPE, NORM_NFC, false}, .merges = 300, .min_count = 1},
    {.tokenizer = {TOKEN_BPE, NORM_NFKC, true}, .merges = 100, .min_count = 5},
    {.tokenizer = {TOKEN_BPE, NORM_NFC, true}, .merges = 0, .min_count = 1000000},
    {.tokenizer = {TOKEN_WORD, NORM_NFC, false}, .max_words = 0, .min_count = 1},
    {.tokenizer = {TOKEN_WORD, NORM_NFKC, true}, .max_words = 40, .min_count = 1},
    {.tokenizer = {TOKEN_CHAR, NORM_NFC, false}, .min_count = 1},
    {.tokenizer = {TOKEN_CHAR, NORM_NFKC, true}, .min_count = 5},
};
#define SETTINGS (sizeof all_settings / sizeof *all_settings)

static void fail_on(const char *text, size_t len, const char *why)
{
    for (size_t i = 0; i < len; i++)
        print_message("%02X ", (unsigned)(unsigned char)text[i]);
    fail_msg("%s", why);
}

#define HOLDS(condition)                                                                           \
    do {                                                                                           \
        if (!(condition))                                                                          \
            fail_on(text, len, #condition);                                                        \
    } while (0)

/* Bytes in front of the text that are not of it. */
static size_t added_to(const struct tokenizer *tokenizer)
{
    return tokenizer_spec(tokenizer)->kind == TOKEN_CHAR ? 0 : 1;
}

/* out->text is normalise(text), with " " in front where one is added. */
static void check_text(const struct tokenizer *tokenizer, const char *text, size_t len,
                       const struct encoded *out)
{
    const struct tokenizer_spec *spec = tokenizer_spec(tokenizer);
    const size_t added = added_to(tokenizer);
    struct buf normal = BUF_INIT;
    struct err err = ERR_INIT;
    assert_fine(norm_text(spec->form, spec->fold, text, len, &normal, NULL, &err), err);
    HOLDS(out->text.len == (len == 0 ? 0 : normal.len + added));
    HOLDS(len == 0 || added == 0 || out->text.data[0] == ' ');
    HOLDS(len == 0 || memcmp(out->text.data + added, normal.data, normal.len) == 0);
    buf_release(&normal);
}

static void check_ranges(const char *text, size_t len, const struct encoded *out, size_t added)
{
    uint32_t at = 0, raw_begin = 0, raw_end = 0;
    for (size_t i = 0; i < out->count; i++) {
        const struct token *token = &out->tokens[i];
        bool added_space = token->begin == 0 && token->end == added;
        HOLDS(token->begin == at && token->end > at && token->end <= out->text.len);
        HOLDS(token->raw_begin >= raw_begin && token->raw_end >= raw_end);
        HOLDS(token->raw_begin <= raw_end); /* nothing is left out */
        HOLDS(token->raw_end <= len);
        HOLDS(added_space ? token->raw_end == 0 : token->raw_end > token->raw_begin);
        HOLDS(token->raw_begin == len || ((unsigned char)text[token->raw_begin] & 0xC0) != 0x80);
        HOLDS(token->raw_end == len || ((unsigned char)text[token->raw_end] & 0xC0) != 0x80);
        at = token->end;
        raw_begin = token->raw_begin;
        raw_end = token->raw_end;
    }
    HOLDS(at == out->text.len && raw_end == len);
}

static void check_ids(const struct tokenizer *tokenizer, const char *text, size_t len,
                      const struct encoded *out)
{
    bool bpe = tokenizer_spec(tokenizer)->kind == TOKEN_BPE;
    for (size_t i = 0; i < out->count; i++) {
        const struct token *token = &out->tokens[i];
        const char *piece = out->text.data + token->begin, *expected;
        size_t expected_len;
        HOLDS(token->id >= (bpe ? TOKEN_FIRST : TOKEN_UNK));
        HOLDS((size_t)token->id < tokenizer_size(tokenizer));
        if (token->id == TOKEN_UNK)
            continue;
        expected = tokenizer_text(tokenizer, token->id, &expected_len);
        if (bpe && token->id < TOKEN_FIRST + 256) {
            HOLDS(token->end == token->begin + 1);
            HOLDS(token->id == TOKEN_FIRST + (unsigned char)*piece);
        } else {
            HOLDS(expected_len == token->end - token->begin);
            HOLDS(memcmp(expected, piece, expected_len) == 0);
        }
    }
}

/* Decoding gives out->text less the space added; but for bpe only where all are known. */
static void check_decoding(const struct tokenizer *tokenizer, const char *text, size_t len,
                           const struct encoded *out)
{
    int32_t *ids = calloc(out->count + 1, sizeof *ids);
    struct buf decoded = BUF_INIT;
    struct err err = ERR_INIT;
    bool known = true;
    assert_non_null(ids);
    for (size_t i = 0; i < out->count; i++) {
        ids[i] = out->tokens[i].id;
        known = known && ids[i] != TOKEN_UNK;
    }
    assert_fine(tokenizer_decode(tokenizer, ids, out->count, &decoded, &err), err);
    if (known && out->count > 0) {
        const size_t added = added_to(tokenizer);
        HOLDS(decoded.len == out->text.len - added);
        HOLDS(memcmp(decoded.data, out->text.data + added, decoded.len) == 0);
    }
    HOLDS(utf8_valid_length(decoded.data, decoded.len) == decoded.len);
    buf_release(&decoded);
    free(ids);
}

static void check_all(const struct tokenizer *tokenizer, const char *text, size_t len,
                      struct encoded *out)
{
    struct err err = ERR_INIT;
    assert_fine(tokenizer_encode(tokenizer, text, len, out, &err), err);
    check_text(tokenizer, text, len, out);
    check_ranges(text, len, out, added_to(tokenizer));
    check_ids(tokenizer, text, len, out);
    check_decoding(tokenizer, text, len, out);
}

static void detokenising_gives_the_normalised_text(void **state)
{
    for (size_t i = 0; i < SETTINGS; i++) {
        struct tokenizer *tokenizer = fixture_tokenizer(state, &all_settings[i]);
        struct encoded out = {.count = 0};
        struct rng rng;
        rng_seed(&rng, 23, i);
        for (size_t line = 0; line < FIXTURE_LINES; line++)
            check_all(tokenizer, fixture_lines[line], strlen(fixture_lines[line]), &out);
        for (int round = 0; round < 8000; round++) {
            char text[NASTY_TEXT_MAX];
            size_t len = nasty_text(&rng, text);
            check_all(tokenizer, text, len, &out);
        }
        encoded_release(&out);
        tokenizer_free(tokenizer);
    }
}

/* One learned from the same lines is; one that differs in settings, merges or tokens is not. */
static void sameness_is_noticed(void **state)
{
    static const struct vocab_settings others[] = {
        {.tokenizer = {TOKEN_BPE, NORM_NFC, false}, .merges = 30, .min_count = 1},
        {.tokenizer = {TOKEN_BPE, NORM_NFKC, false}, .merges = 300, .min_count = 1},
        {.tokenizer = {TOKEN_WORD, NORM_NFC, false}, .max_words = 39, .min_count = 1},
        {.tokenizer = {TOKEN_WORD, NORM_NFC, true}, .max_words = 40, .min_count = 1},
        {.tokenizer = {TOKEN_CHAR, NORM_NFC, false}, .max_words = 30, .min_count = 1},
        {.tokenizer = {TOKEN_CHAR, NORM_NFKC, false}, .min_count = 5},
    };
    const size_t count = SETTINGS + sizeof others / sizeof *others;
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j <= i; j++) {
            struct tokenizer *one =
                fixture_tokenizer(state, i < SETTINGS ? &all_settings[i] : &others[i - SETTINGS]);
            struct tokenizer *other =
                fixture_tokenizer(state, j < SETTINGS ? &all_settings[j] : &others[j - SETTINGS]);
            assert_int_equal(tokenizer_is_same(one, other), i == j);
            assert_int_equal(tokenizer_is_same(other, one), i == j);
            tokenizer_free(other);
            tokenizer_free(one);
        }
}

static void known_words_have_ids_and_others_are_unknown(void **state)
{
    struct tokenizer *tokenizer = fixture_tokenizer(state, &all_settings[3]);
    struct encoded out = {.count = 0};
    struct err err = ERR_INIT;
    const char *text = "the  zebra knows", *word;
    size_t len;
    assert_fine(tokenizer_encode(tokenizer, text, strlen(text), &out, &err), err);
    assert_int_equal(out.count, 4);
    word = tokenizer_text(tokenizer, out.tokens[0].id, &len);
    assert_string_equal(word, " the");
    assert_int_equal(len, 4);
    assert_string_equal(tokenizer_text(tokenizer, out.tokens[1].id, &len), " ");
    assert_int_equal(out.tokens[2].id, TOKEN_UNK);
    assert_int_equal(out.tokens[2].raw_begin, 4);
    assert_int_equal(out.tokens[2].raw_end, 10);
    assert_string_equal(tokenizer_text(tokenizer, out.tokens[3].id, &len), " knows");
    encoded_release(&out);
    tokenizer_free(tokenizer);
}

/* The tokens' texts joined by "|", unknown ones as "?". */
static void join_tokens(const struct tokenizer *tokenizer, const char *text, struct buf *joined)
{
    struct encoded out = {.count = 0};
    struct err err = ERR_INIT;
    buf_clear(joined);
    assert_fine(tokenizer_encode(tokenizer, text, strlen(text), &out, &err), err);
    for (size_t i = 0; i < out.count; i++) {
        size_t len;
        const char *token = tokenizer_text(tokenizer, out.tokens[i].id, &len);
        buf_printf(joined, NULL, "%s%s", i > 0 ? "|" : "",
                   out.tokens[i].id == TOKEN_UNK ? "?" : token);
    }
    encoded_release(&out);
}

/* "c" and "z" are seen once; "q" and the macron twice, with those of clusters seen once. */
static void clusters_are_tokens_and_unknown_ones_fall_apart(void **state)
{
    static const char learned[] = "the cat\r\nthe x\u0304\u0323x\u0304\u0323 q\u0304 z\u0304 "
                                  "\U0001F1EB\U0001F1F7\U0001F1EB\U0001F1F7 a\nb\nqb\r\n";
    static const struct {
        const char *text, *tokens;
    } cases[] = {
        {"the cat", "t|h|e| |?|a|t"},
        {" the\n\n", " |t|h|e|\n|\n"},
        {"a\r\nb", "a|\r\n|b"},
        {"\r\r\n", "?|\r\n"},
        {"x\u0304\u0323x\u0304", "x\u0323\u0304|?|\u0304"},
        {"q\u0304", "q|\u0304"},
        {"q\u0304\u20D0\u20D1b", "q|\u0304|?|b"},
        {"\U0001F1EB\U0001F1F7\U0001F1EB\U0001F1F7t",
         "\U0001F1EB\U0001F1F7|\U0001F1EB\U0001F1F7|t"},
        {"\U0001F1EB\U0001F1E9", "?"},
        {"tQZ", "t|?|?"},
    };
    const struct vocab_settings settings = {.tokenizer = {TOKEN_CHAR, NORM_NFC, false},
                                            .min_count = 2};
    struct err err = ERR_INIT;
    struct vocab_learner *learner = vocab_learner_new(&settings, &err);
    char *path = file_join(*state, "clusters.sqlite", &err);
    struct tokenizer *tokenizer = NULL;
    struct buf joined = BUF_INIT;

    assert_fine(vocab_learner_add(learner, learned, sizeof learned - 1, &err), err);
    assert_fine(vocab_learner_save(learner, path, &err), err);
    assert_fine(tokenizer_open(&tokenizer, &settings.tokenizer, path, &err), err);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        join_tokens(tokenizer, cases[i].text, &joined);
        assert_string_equal(joined.data, cases[i].tokens);
    }
    buf_release(&joined);
    tokenizer_free(tokenizer);
    vocab_learner_free(learner);
    mem_free(path);
}

/* Merges by their texts, read from the database: the tokenizer's own tables are not asked. */
struct reference_merge {
    char left[64], right[64];
};

static size_t read_merges(const char *path, struct reference_merge *merges, size_t limit)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *rows = NULL;
    size_t count = 0;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT l.text, r.text FROM merge m"
                                        " JOIN token l ON l.id = m.\"left\""
                                        " JOIN token r ON r.id = m.\"right\" ORDER BY m.rank",
                                        -1, &rows, NULL),
                     SQLITE_OK);
    for (; count < limit && sqlite3_step(rows) == SQLITE_ROW; count++) {
        snprintf(merges[count].left, 64, "%s", (const char *)sqlite3_column_text(rows, 0));
        snprintf(merges[count].right, 64, "%s", (const char *)sqlite3_column_text(rows, 1));
    }
    sqlite3_finalize(rows);
    sqlite3_close(db);
    return count;
}

/* Applies the merges one by one, lowest rank first, on texts. Returns the tokens joined by "|". */
static void reference_encode(const struct reference_merge *merges, size_t merge_count,
                             const char *piece, size_t len, struct buf *out)
{
    char parts[PIECE_MAX][64];
    size_t count = 0;
    for (size_t at = 0; at < len; count++) {
        uint32_t code;
        size_t n = utf8_decode(piece + at, len - at, &code);
        snprintf(parts[count], sizeof parts[count], "%.*s", (int)n, piece + at);
        at += n;
    }
    for (size_t rank = 0; rank < merge_count; rank++)
        for (size_t i = 0; i + 1 < count; i++)
            if (strcmp(parts[i], merges[rank].left) == 0 &&
                strcmp(parts[i + 1], merges[rank].right) == 0) {
                strcat(parts[i], parts[i + 1]);
                memmove(parts[i + 1], parts[i + 2], (count - i - 2) * sizeof *parts);
                count--;
            }
    for (size_t i = 0; i < count; i++)
        buf_printf(out, NULL, "|%s", parts[i]);
}

static void bpe_is_what_its_definition_says(void **state)
{
    static struct reference_merge merges[300];
    char *path = fixture_vocab(state, "reference.sqlite", &all_settings[0]);
    size_t merge_count = read_merges(path, merges, 300);
    struct tokenizer *tokenizer = NULL;
    struct encoded out = {.count = 0};
    struct err err = ERR_INIT;
    struct rng rng;

    assert_true(merge_count > 100);
    assert_fine(tokenizer_open(&tokenizer, &all_settings[0].tokenizer, path, &err), err);
    rng_seed(&rng, 24, 0);
    for (int round = 0; round < 3000; round++) {
        static const char *const parts[] = {"a", "aa", "t", "h",    "e", "the", "w",    "an",
                                            "é", "o",  "r", "know", "s", "p",   "chat", "ß"};
        struct buf piece = BUF_INIT, expected = BUF_INIT, got = BUF_INIT;
        for (uint64_t n = 1 + rng_below(&rng, 12); n > 0; n--)
            buf_text(&piece, parts[rng_below(&rng, sizeof parts / sizeof *parts)], NULL);
        assert_fine(tokenizer_encode(tokenizer, piece.data, piece.len, &out, &err), err);
        reference_encode(merges, merge_count, out.text.data, out.text.len, &expected);
        for (size_t i = 0; i < out.count; i++) {
            size_t len;
            buf_printf(&got, NULL, "|%s", tokenizer_text(tokenizer, out.tokens[i].id, &len));
        }
        assert_string_equal(got.data, expected.data);
        buf_release(&piece);
        buf_release(&expected);
        buf_release(&got);
    }
    encoded_release(&out);
    tokenizer_free(tokenizer);
    mem_free(path);
}

/* "abc" is a token, but its merges do not lead there: (b, c) comes before (a, b). */
static void a_token_that_merges_do_not_reach_is_not_used(void **state)
{
    static const char sql[] =
        "INSERT INTO token VALUES(260, ' ', 1), (261, 'a', 1), (262, 'b', 1), (263, 'c', 1),"
        " (264, '(', 1), (265, 'bc', 1), (266, 'ab', 1), (267, 'abc', 1);"
        "INSERT INTO merge VALUES(0, 262, 263), (1, 261, 262), (2, 266, 263)";
    static const int32_t expected[] = {260, 264, 261, 265, 264, 266, 264, 265};
    static const struct vocab_settings *settings = &all_settings[0];
    struct err err = ERR_INIT;
    struct vocab_learner *learner = vocab_learner_new(settings, &err);
    char *path = file_join(*state, "unreached.sqlite", &err);
    struct tokenizer *tokenizer = NULL;
    struct encoded out = {.count = 0};
    sqlite3 *db = NULL;

    assert_fine(vocab_learner_save(learner, path, &err), err);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_fine(tokenizer_open(&tokenizer, &settings->tokenizer, path, &err), err);
    assert_fine(tokenizer_encode(tokenizer, "(abc(ab(bc", 10, &out, &err), err);
    assert_int_equal(out.count, sizeof expected / sizeof *expected);
    for (size_t i = 0; i < out.count; i++)
        assert_int_equal(out.tokens[i].id, expected[i]);
    encoded_release(&out);
    tokenizer_free(tokenizer);
    vocab_learner_free(learner);
    mem_free(path);
}

static void decodes_what_a_model_may_produce(void **state)
{
    static const int32_t broken[] = {TOKEN_BOS, TOKEN_FIRST + 0xE2, TOKEN_FIRST + 0x82,
                                     TOKEN_FIRST + 'a', TOKEN_EOS};
    static const int32_t euro[] = {TOKEN_FIRST + ' ',  TOKEN_FIRST + 0xE2, TOKEN_PAD,
                                   TOKEN_FIRST + 0x82, TOKEN_UNK,          TOKEN_FIRST + 0xAC};
    static const int32_t outside[] = {TOKEN_FIRST + 'a', 1000000}, negative[] = {-1};
    struct tokenizer *tokenizer = fixture_tokenizer(state, &all_settings[0]);
    struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    size_t len;

    assert_fine(tokenizer_decode(tokenizer, NULL, 0, &out, &err), err);
    assert_int_equal(out.len, 0);
    assert_fine(buf_text(&out, "kept ", &err), err);
    assert_fine(tokenizer_decode(tokenizer, broken, 5, &out, &err), err);
    assert_string_equal(out.data, "kept \uFFFDa");
    assert_fine(tokenizer_decode(tokenizer, euro, 6, &out, &err), err);
    assert_string_equal(out.data, "kept \uFFFDa€");
    assert_int_equal(tokenizer_decode(tokenizer, outside, 2, &out, &err), ERR_ARGUMENT);
    assert_non_null(strstr(err.message, "1000000"));
    assert_string_equal(out.data, "kept \uFFFDa€");
    assert_int_equal(tokenizer_decode(tokenizer, negative, 1, &out, NULL), ERR_ARGUMENT);
    assert_string_equal(tokenizer_text(tokenizer, TOKEN_FIRST + 0xE2, &len), "<0xE2>");
    assert_int_equal(len, 6);
    assert_string_equal(tokenizer_text(tokenizer, TOKEN_EOS, &len), "</s>");
    assert_string_equal(tokenizer_text(tokenizer, -7, &len), "");
    assert_int_equal(len, 0);
    buf_release(&out);
    tokenizer_free(tokenizer);
}

static void text_that_names_special_tokens_is_text(void **state)
{
    static const char *const texts[] = {"<s>", "<pad>", "<unk> </s>", "<0x41>"};
    struct tokenizer *tokenizer = fixture_tokenizer(state, &all_settings[0]);
    struct encoded out = {.count = 0};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        check_all(tokenizer, texts[i], strlen(texts[i]), &out);
        assert_true(out.count > 1);
    }
    encoded_release(&out);
    tokenizer_free(tokenizer);
}

static void refuses_what_is_not_utf8(void **state)
{
    struct tokenizer *tokenizer = fixture_tokenizer(state, &all_settings[0]);
    struct encoded out = {.count = 0};
    struct err err = ERR_INIT;
    assert_fine(tokenizer_encode(tokenizer, "fine", 4, &out, &err), err);
    assert_int_equal(tokenizer_encode(tokenizer, "ab\xC0\x80", 4, &out, &err), ERR_UTF8);
    assert_non_null(strstr(err.message, "offset 2"));
    assert_int_equal(out.count, 0);
    assert_int_equal(out.text.len, 0);
    encoded_release(&out);
    tokenizer_free(tokenizer);
}

/* Texts that could make an encoder slow or greedy. */
static void large_texts_stay_within_the_memory_promised(void **state)
{
    static const char *const units[] = {"a", "\x01", "é", "\u0301\u0323", "A", "\uFDFA", "日", " "};
    enum { BYTES = 100000 };
    for (size_t i = 0; i < SETTINGS; i++) {
        struct tokenizer *tokenizer = fixture_tokenizer(state, &all_settings[i]);
        for (size_t unit = 0; unit < sizeof units / sizeof *units; unit++) {
            struct encoded out = {.count = 0};
            struct buf text = BUF_INIT;
            while (text.len < BYTES)
                buf_text(&text, units[unit], NULL);
            check_all(tokenizer, text.data, text.len, &out);
            assert_true(out.capacity * sizeof *out.tokens + out.text.capacity <= 24 * out.text.len);
            encoded_release(&out);
            buf_release(&text);
        }
        tokenizer_free(tokenizer);
    }
}

struct job {
    const struct tokenizer *tokenizer;
    uint64_t digest;
};

static void *encode_many(void *argument)
{
    struct job *job = argument;
    struct encoded out = {.count = 0};
    struct rng rng;
    rng_seed(&rng, 25, 0);
    for (int round = 0; round < 500; round++) {
        char text[NASTY_TEXT_MAX];
        size_t len = nasty_text(&rng, text);
        if (tokenizer_encode(job->tokenizer, text, len, &out, NULL) != 0)
            job->digest++;
        for (size_t i = 0; i < out.count; i++)
            job->digest = job->digest * 31 + (uint64_t)out.tokens[i].id;
    }
    encoded_release(&out);
    return NULL;
}

static void threads_share_a_tokenizer(void **state)
{
    struct tokenizer *tokenizer = fixture_tokenizer(state, &all_settings[1]);
    struct job jobs[4], alone = {tokenizer, 0};
    pthread_t threads[4];
    encode_many(&alone);
    for (int i = 0; i < 4; i++) {
        jobs[i] = (struct job){tokenizer, 0};
        assert_int_equal(pthread_create(&threads[i], NULL, encode_many, &jobs[i]), 0);
    }
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_true(jobs[i].digest == alone.digest);
    }
    tokenizer_free(tokenizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(detokenising_gives_the_normalised_text),
        cmocka_unit_test(sameness_is_noticed),
        cmocka_unit_test(known_words_have_ids_and_others_are_unknown),
        cmocka_unit_test(clusters_are_tokens_and_unknown_ones_fall_apart),
        cmocka_unit_test(bpe_is_what_its_definition_says),
        cmocka_unit_test(a_token_that_merges_do_not_reach_is_not_used),
        cmocka_unit_test(decodes_what_a_model_may_produce),
        cmocka_unit_test(text_that_names_special_tokens_is_text),
        cmocka_unit_test(refuses_what_is_not_utf8),
        cmocka_unit_test(large_texts_stay_within_the_memory_promised),
        cmocka_unit_test(threads_share_a_tokenizer),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
