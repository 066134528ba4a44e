/*
 * BPE dropout: the ways in which a word is cut come up as often as the algorithm of Provilkov,
 * Emelianenko and Voita (2020) says, computed here exactly and on texts; whatever the cut, the text
 * comes back; the random numbers decide everything.
 */
#include <math.h>
#include <sqlite3.h>

#include "support/nasty_text.h"
#include "vocab_fixture.h"

static const struct vocab_settings bpe = {
    .tokenizer = {TOKEN_BPE, NORM_NFC, false}, .merges = 300, .min_count = 1};

#define MAX_PARTS 12
#define MAX_CUTS 2048

struct cut { /* one way to cut a word, as "|w|or|d", and its probability */
    char text[64];
    double probability;
    size_t seen;
};

struct reference {
    struct {
        char left[64], right[64];
    } merges[300];
    size_t merge_count;
    double dropout;
    struct cut cuts[MAX_CUTS];
    size_t count;
};

static void read_merges(const char *path, struct reference *reference)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *rows = NULL;
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db,
                                        "SELECT l.text, r.text FROM merge m"
                                        " JOIN token l ON l.id = m.\"left\""
                                        " JOIN token r ON r.id = m.\"right\" ORDER BY m.rank",
                                        -1, &rows, NULL),
                     SQLITE_OK);
    for (size_t i = 0; i < 300 && sqlite3_step(rows) == SQLITE_ROW; i++) {
        snprintf(reference->merges[i].left, 64, "%s", (const char *)sqlite3_column_text(rows, 0));
        snprintf(reference->merges[i].right, 64, "%s", (const char *)sqlite3_column_text(rows, 1));
        reference->merge_count = i + 1;
    }
    sqlite3_finalize(rows);
    sqlite3_close(db);
}

static struct cut *find_cut(struct reference *reference, const char *text)
{
    for (size_t i = 0; i < reference->count; i++)
        if (strcmp(reference->cuts[i].text, text) == 0)
            return &reference->cuts[i];
    return NULL;
}

static void add_cut(struct reference *reference, const char *text, double probability)
{
    struct cut *cut = find_cut(reference, text);
    if (cut == NULL) {
        assert_true(reference->count < MAX_CUTS);
        cut = &reference->cuts[reference->count++];
        *cut = (struct cut){.probability = 0};
        snprintf(cut->text, sizeof cut->text, "%s", text);
    }
    cut->probability += probability;
}

/* Adds all ways on from the parts "|w|o|r|d": the candidates are taken lowest rank first and the
   leftmost first, and the k-th is the one with probability dropout^k (1 - dropout). */
static void enumerate(struct reference *reference, const char *parts, double probability)
{
    double rest = probability;
    for (size_t rank = 0; rank < reference->merge_count; rank++) {
        char pair[160];
        snprintf(pair, sizeof pair, "|%s|%s", reference->merges[rank].left,
                 reference->merges[rank].right);
        const size_t left_len = strlen(reference->merges[rank].left), len = strlen(pair);
        for (const char *at = strstr(parts, pair); at; at = strstr(at + 1, pair)) {
            char next[64];
            if (at[len] != '|' && at[len] != '\0')
                continue;
            snprintf(next, sizeof next, "%.*s|%s%s", (int)(at - parts), parts,
                     reference->merges[rank].left, at + 1 + left_len + 1);
            enumerate(reference, next, rest * (1 - reference->dropout));
            rest *= reference->dropout;
        }
    }
    add_cut(reference, parts, rest);
}

static void join_tokens(const struct tokenizer *tokenizer, const struct encoded *out, char text[64])
{
    size_t at = 0;
    for (size_t i = 0; i < out->count; i++) {
        size_t len;
        at += (size_t)snprintf(text + at, 64 - at, "|%s",
                               tokenizer_text(tokenizer, out->tokens[i].id, &len));
        assert_true(at < 64);
    }
}

static void sample(struct reference *reference, const struct tokenizer *tokenizer, const char *word,
                   size_t samples)
{
    struct encoded out = {.count = 0};
    struct err err = ERR_INIT;
    struct rng rng;
    rng_seed(&rng, 31, strlen(word));
    for (size_t i = 0; i < samples; i++) {
        char text[64];
        assert_fine(tokenizer_encode_dropout(tokenizer, word, strlen(word), reference->dropout,
                                             &rng, &out, &err),
                    err);
        join_tokens(tokenizer, &out, text);
        struct cut *cut = find_cut(reference, text);
        if (cut == NULL)
            fail_msg("%s is cut into %s", word, text);
        cut->seen++;
    }
    encoded_release(&out);
}

static void cuts_come_up_as_often_as_they_should(void **state)
{
    static const char *const words[][2] = {{"the", "| |t|h|e"},
                                           {"aaaa", "| |a|a|a|a"},
                                           {"wants", "| |w|a|n|t|s"},
                                           {"dog", "| |d|o|g"}};
    static const double dropouts[] = {0.1, 0.5, 0.9};
    static struct reference reference;
    const size_t samples = 40000;
    char *path = fixture_vocab(state, "dropout.sqlite", &bpe);
    struct tokenizer *tokenizer = fixture_tokenizer(state, &bpe);
    read_merges(path, &reference);
    for (size_t w = 0; w < sizeof words / sizeof *words; w++)
        for (size_t d = 0; d < 3; d++) {
            double total = 0;
            reference.dropout = dropouts[d];
            reference.count = 0;
            enumerate(&reference, words[w][1], 1);
            assert_true(reference.count > 3);
            sample(&reference, tokenizer, words[w][0], samples);
            for (size_t i = 0; i < reference.count; i++) {
                const struct cut *cut = &reference.cuts[i];
                const double mean = cut->probability * (double)samples;
                const double deviation = sqrt(mean * (1 - cut->probability));
                total += cut->probability;
                if (fabs((double)cut->seen - mean) > 5 * deviation + 3)
                    fail_msg("%s at %g: seen %zu times, expected %g", cut->text, dropouts[d],
                             cut->seen, mean);
            }
            assert_true(fabs(total - 1) < 1e-9);
        }
    tokenizer_free(tokenizer);
    mem_free(path);
}

static void assert_same(const struct encoded *a, const struct encoded *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->text.len, b->text.len);
    for (size_t i = 0; i < a->count; i++)
        assert_memory_equal(&a->tokens[i], &b->tokens[i], sizeof a->tokens[i]);
}

static void no_dropout_is_plain_encoding(void **state)
{
    static const struct vocab_settings words = {.tokenizer = {TOKEN_WORD, NORM_NFKC, true},
                                                .min_count = 1};
    struct tokenizer *tokenizers[2] = {fixture_tokenizer(state, &bpe),
                                       fixture_tokenizer(state, &words)};
    struct encoded plain = {.count = 0}, dropped = {.count = 0};
    struct err err = ERR_INIT;
    struct rng rng;
    rng_seed(&rng, 5, 0);
    const struct rng before = rng;
    for (size_t i = 0; i < 2 * FIXTURE_LINES; i++) {
        const char *line = fixture_lines[i / 2];
        const struct tokenizer *tokenizer = tokenizers[i % 2];
        /* Words are not made of merges: no dropout touches them. */
        const double dropout = i % 2 == 0 ? 0 : 0.5;
        assert_fine(tokenizer_encode(tokenizer, line, strlen(line), &plain, &err), err);
        assert_fine(
            tokenizer_encode_dropout(tokenizer, line, strlen(line), dropout, &rng, &dropped, &err),
            err);
        assert_same(&plain, &dropped);
    }
    assert_memory_equal(&before, &rng, sizeof rng);
    encoded_release(&dropped);
    encoded_release(&plain);
    tokenizer_free(tokenizers[1]);
    tokenizer_free(tokenizers[0]);
}

static void full_dropout_leaves_characters(void **state)
{
    struct tokenizer *tokenizer = fixture_tokenizer(state, &bpe);
    struct encoded out = {.count = 0};
    struct err err = ERR_INIT;
    struct rng rng;
    rng_seed(&rng, 6, 0);
    assert_fine(
        tokenizer_encode_dropout(tokenizer, "était là", strlen("était là"), 1, &rng, &out, &err),
        err);
    assert_int_equal(out.count, 9); /* with the space in front */
    encoded_release(&out);
    tokenizer_free(tokenizer);
}

/* The same numbers give the same tokens, others other ones, and all of them the text. */
static void the_numbers_decide_and_the_text_stays(void **state)
{
    struct tokenizer *tokenizer = fixture_tokenizer(state, &bpe);
    struct encoded first = {.count = 0}, second = {.count = 0};
    struct err err = ERR_INIT;
    struct rng texts;
    size_t different = 0;
    rng_seed(&texts, 7, 0);
    for (uint64_t round = 0; round < 3000; round++) {
        char nasty[NASTY_TEXT_MAX];
        const bool nice = round % 2 == 0;
        const char *text = nice ? fixture_lines[round / 2 % FIXTURE_LINES] : nasty;
        const size_t len = nice ? strlen(text) : nasty_text(&texts, nasty);
        int32_t ids[NASTY_TEXT_MAX * 20];
        struct buf back = BUF_INIT;
        struct rng a, b;
        rng_seed(&a, 1, round);
        b = a;
        assert_fine(tokenizer_encode_dropout(tokenizer, text, len, 0.3, &a, &first, &err), err);
        assert_fine(tokenizer_encode_dropout(tokenizer, text, len, 0.3, &b, &second, &err), err);
        assert_same(&first, &second);
        assert_fine(tokenizer_encode_dropout(tokenizer, text, len, 0.3, &a, &second, &err), err);
        different += second.count != first.count;
        assert_true(first.count <= sizeof ids / sizeof *ids);
        for (size_t i = 0; i < first.count; i++)
            ids[i] = first.tokens[i].id;
        assert_fine(tokenizer_decode(tokenizer, ids, first.count, &back, &err), err);
        if (len > 0) {
            assert_int_equal(back.len + 1, first.text.len);
            assert_memory_equal(back.data ? back.data : "", first.text.data + 1, back.len);
        }
        buf_release(&back);
    }
    assert_true(different > 1200);
    encoded_release(&second);
    encoded_release(&first);
    tokenizer_free(tokenizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_come_up_as_often_as_they_should),
        cmocka_unit_test(no_dropout_is_plain_encoding),
        cmocka_unit_test(full_dropout_leaves_characters),
        cmocka_unit_test(the_numbers_decide_and_the_text_stays),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
