/* Word vectors: which rows they fill, for both kinds of tokenizer; each fault is named with file
   and line. */
#include <string.h>

#include "text/vectors.h"
#include "vocab_fixture.h"

static const struct vocab_settings words = {.tokenizer = {TOKEN_WORD, NORM_NFC, false},
                                            .min_count = 1};
static const struct vocab_settings folded = {.tokenizer = {TOKEN_WORD, NORM_NFKC, true},
                                             .min_count = 1};
static const struct vocab_settings pieces = {
    .tokenizer = {TOKEN_BPE, NORM_NFC, false}, .merges = 200, .min_count = 1};

/* Reads `text` for the vocabulary of the fixture. */
static int read_text(void **state, const struct vocab_settings *settings, const void *text,
                     size_t len, struct vectors *vectors, struct tokenizer **tokenizer,
                     struct err *err)
{
    char *path = file_join(*state, "vectors.txt", err);
    struct file_save save;
    assert_non_null(path);
    assert_fine(file_save_begin(&save, path, err), *err);
    assert_int_equal(fwrite(text, 1, len, save.stream), len);
    assert_fine(file_save_commit(&save, err), *err);
    *tokenizer = fixture_tokenizer(state, settings);
    const int code = vectors_read(vectors, path, *tokenizer, 2, err);
    mem_free(path);
    return code;
}

static int32_t id_of(const struct tokenizer *tokenizer, const char *text)
{
    for (size_t id = 0; id < tokenizer_size(tokenizer); id++)
        if (strcmp(tokenizer_text(tokenizer, (int32_t)id, &(size_t){0}), text) == 0)
            return (int32_t)id;
    fail_msg("the vocabulary has no token '%s'", text);
    return -1;
}

static void assert_row(const struct vectors *vectors, const struct tokenizer *tokenizer,
                       const char *text, float first, float second)
{
    const int32_t id = id_of(tokenizer, text);
    assert_true(vectors->found[id]);
    assert_true(vectors->values[2 * id] == first && vectors->values[2 * id + 1] == second);
}

static void fills_the_rows_of_known_words(void **state)
{
    static const char text[] = "the 0.5 -1\r\ncat\t1e1\t.25 \nzebra 7 7\nété 3 4\nthe 9 9\n"
                               "L -2 +0.125\nthere 1 0\n<s> 8 8\n</s> 8 8\n<unk> 8 8\n. 6 5";
    struct err err = ERR_INIT;
    struct vectors vectors;
    struct tokenizer *tokenizer;
    assert_fine(read_text(state, &words, text, sizeof text - 1, &vectors, &tokenizer, &err), err);
    assert_row(&vectors, tokenizer, " the", 0.5f, -1);
    assert_row(&vectors, tokenizer, " cat", 10, 0.25f);
    /* It stands behind an apostrophe, and behind a space. */
    assert_row(&vectors, tokenizer, "été", 3, 4);
    assert_row(&vectors, tokenizer, " été", 3, 4);
    assert_row(&vectors, tokenizer, " L", -2, 0.125f);
    assert_row(&vectors, tokenizer, ".", 6, 5);
    for (int32_t id = 0; id < TOKEN_FIRST; id++)
        assert_false(vectors.found[id]);
    size_t count = 0;
    for (size_t id = 0; id < vectors.vocabulary; id++)
        count += vectors.found[id];
    assert_int_equal(count, vectors.count);
    assert_int_equal(vectors.vocabulary, tokenizer_size(tokenizer));

    float *table = mem_alloc(2 * vectors.vocabulary, sizeof *table, &err);
    assert_non_null(table);
    for (size_t i = 0; i < 2 * vectors.vocabulary; i++)
        table[i] = 77;
    vectors_put(&vectors, table);
    for (size_t i = 0; i < 2 * vectors.vocabulary; i++)
        assert_true(table[i] == (vectors.found[i / 2] ? vectors.values[i] : 77));
    mem_free(table);
    vectors_release(&vectors);
    tokenizer_free(tokenizer);
}

/* A heading is word2vec's; a word may look like one. */
static void headings(void **state)
{
    static const char *const texts[] = {"2 2\nthe 1 2\ncat 3 4\n", "002\t2 \r\nthe 1 2\ncat 3 4",
                                        "the 1 2\ncat 3 4\n", "1984 5 6\nthe 1 2\ncat 3 4\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct err err = ERR_INIT;
        struct vectors vectors;
        struct tokenizer *tokenizer;
        assert_fine(
            read_text(state, &words, texts[i], strlen(texts[i]), &vectors, &tokenizer, &err), err);
        assert_row(&vectors, tokenizer, " the", 1, 2);
        assert_row(&vectors, tokenizer, " cat", 3, 4);
        vectors_release(&vectors);
        tokenizer_free(tokenizer);
    }
}

static void words_are_normalised(void **state)
{
    static const char text[] = "The 1 2\nthe 3 4\nE\xCC\x81T\xC3\x89 5 6\n\xEF\xAC\x81N 7 8\n"
                               "STRASSE 9 10\n";
    struct err err = ERR_INIT;
    struct vectors vectors;
    struct tokenizer *tokenizer;
    assert_fine(read_text(state, &folded, text, sizeof text - 1, &vectors, &tokenizer, &err), err);
    assert_row(&vectors, tokenizer, " the", 1, 2);
    assert_row(&vectors, tokenizer, " été", 5, 6);
    assert_row(&vectors, tokenizer, " fin", 7, 8);
    assert_row(&vectors, tokenizer, " strasse", 9, 10);
    vectors_release(&vectors);
    tokenizer_free(tokenizer);
}

/* A piece has the vector of the word that it is, at a word's beginning and inside of one. The texts
   of byte tokens are no words. */
static void pieces_of_words(void **state)
{
    static const char text[] = "the 1 2\na 3 4\n<0x41> 5 6\n<0xE2> 5 6\nmer 7 8\n";
    struct err err = ERR_INIT;
    struct vectors vectors;
    struct tokenizer *tokenizer;
    assert_fine(read_text(state, &pieces, text, sizeof text - 1, &vectors, &tokenizer, &err), err);
    assert_row(&vectors, tokenizer, " the", 1, 2);
    assert_row(&vectors, tokenizer, "a", 3, 4);
    assert_row(&vectors, tokenizer, " a", 3, 4);
    for (int32_t id = 0; id < TOKEN_FIRST + 256; id++)
        assert_false(vectors.found[id]);
    vectors_release(&vectors);
    tokenizer_free(tokenizer);
}

static void names_file_line_and_fault(void **state)
{
    static const struct {
        const char *text;
        enum err_code code;
        const char *place, *fault;
    } cases[] = {
        {"the 1 2\ncat 1\n", ERR_FORMAT, "vectors.txt:2:", "1 values"},
        {"the 1 2\ncat\n", ERR_FORMAT, "vectors.txt:2:", "0 values"},
        {"the 1 2\ncat 1 2 3\n", ERR_FORMAT, "vectors.txt:2:", "3 values"},
        {"the 1 2\nzebra 1 2 3 4 5 6\n", ERR_FORMAT, "vectors.txt:2:", "6 values"},
        {"the 1 2\n\ncat 1 2\n", ERR_FORMAT, "vectors.txt:2:", "word"},
        {"the 1 2\n cat 1 2\n", ERR_FORMAT, "vectors.txt:2:", "word"},
        {"the 1 x\n", ERR_FORMAT, "vectors.txt:1:", "value 2 is not a number"},
        {"zebra 1 2,5\n", ERR_FORMAT, "vectors.txt:1:", "value 2 is not a number"},
        {"the 0x10 2\n", ERR_FORMAT, "vectors.txt:1:", "value 1 is not a number"},
        {"the 1 2e\n", ERR_FORMAT, "vectors.txt:1:", "value 2 is not a number"},
        {"the \v1 2\n", ERR_FORMAT, "vectors.txt:1:", "value 1 is not a number"},
        {"the 1\r2 2\n", ERR_FORMAT, "vectors.txt:1:", "value 1 is not a number"},
        {"the 1 2\nof nan 1\n", ERR_FORMAT, "vectors.txt:2:", "value 1 is not finite"},
        {"the 1 2\nof 1 -inf\n", ERR_FORMAT, "vectors.txt:2:", "value 2 is not finite"},
        {"the 1 2\nof 1e39 1\n", ERR_FORMAT, "vectors.txt:2:", "value 1 is not finite"},
        {"the 1 2\nca\xFFt 1 2\n", ERR_UTF8, "vectors.txt:2:", "0xFF at offset 2"},
        {"the 1 2\ncat 1 \xC3", ERR_UTF8, "vectors.txt:2:", "offset 6"},
        {"2 300\nthe 1 2\n", ERR_FORMAT, "vectors.txt:1:", "300 values"},
        {"3 2\nthe 1 2\ncat 1 2\n", ERR_FORMAT, "vectors.txt:3:", "2 vectors"},
        {"1 2\nthe 1 2\ncat 1 2\n", ERR_FORMAT, "vectors.txt:3:", "2 vectors"},
        {"the 1 2\n2 2\n", ERR_FORMAT, "vectors.txt:2:", "1 values"},
        {"", ERR_ARGUMENT, "vectors.txt:", "none of its 0 words"},
        {"zebra 1 2\nzebu 3 4\n", ERR_ARGUMENT, "vectors.txt:", "none of its 2 words"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = ERR_INIT;
        struct vectors vectors;
        struct tokenizer *tokenizer;
        int rc = read_text(state, &words, cases[i].text, strlen(cases[i].text), &vectors,
                           &tokenizer, &err);
        if (rc != (int)cases[i].code || !strstr(err.message, cases[i].place) ||
            !strstr(err.message, cases[i].fault))
            fail_msg("case %zu: %d, '%s'", i, rc, err.message);
        assert_null(vectors.values);
        tokenizer_free(tokenizer);
    }
}

static void nul_is_no_part_of_a_word(void **state)
{
    static const char text[] = "the 1 2\nca\0t 1 2\n";
    struct err err = ERR_INIT;
    struct vectors vectors;
    struct tokenizer *tokenizer;
    assert_int_equal(read_text(state, &words, text, sizeof text - 1, &vectors, &tokenizer, &err),
                     ERR_FORMAT);
    assert_non_null(strstr(err.message, "vectors.txt:2:"));
    tokenizer_free(tokenizer);
}

/* Lines that cross the blocks in which a file is read, and one that fits none. */
static void long_files_and_lines(void **state)
{
    enum { LINES = 150000 };
    struct buf text = BUF_INIT;
    struct err err = ERR_INIT;
    struct vectors vectors;
    struct tokenizer *tokenizer;
    for (int i = 0; i < LINES; i++)
        assert_fine(buf_printf(&text, &err, "word%d 0.%d 1\n", i, i), err);
    assert_fine(buf_text(&text, "cat 1 2\n", &err), err);
    assert_true(text.len > 2 * VECTORS_MAX_LINE);
    assert_fine(read_text(state, &words, text.data, text.len, &vectors, &tokenizer, &err), err);
    assert_row(&vectors, tokenizer, " cat", 1, 2);
    vectors_release(&vectors);
    tokenizer_free(tokenizer);

    for (size_t i = 0; i < VECTORS_MAX_LINE; i++)
        assert_fine(buf_char(&text, 'x', &err), err);
    assert_int_equal(read_text(state, &words, text.data, text.len, &vectors, &tokenizer, &err),
                     ERR_LIMIT);
    assert_non_null(strstr(err.message, "vectors.txt:150002:"));
    buf_release(&text);
    tokenizer_free(tokenizer);
}

static void files_that_cannot_be_read(void **state)
{
    struct tokenizer *tokenizer = fixture_tokenizer(state, &words);
    struct err err = ERR_INIT, other = ERR_INIT;
    struct vectors vectors;
    assert_int_equal(vectors_read(&vectors, "/nonexistent/vectors.txt", tokenizer, 2, &err),
                     ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "/nonexistent/vectors.txt"));
    assert_int_equal(vectors_read(&vectors, *state, tokenizer, 2, &other), ERR_IO);
    assert_non_null(strstr(other.message, *state));
    tokenizer_free(tokenizer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_the_rows_of_known_words),
        cmocka_unit_test(headings),
        cmocka_unit_test(words_are_normalised),
        cmocka_unit_test(pieces_of_words),
        cmocka_unit_test(names_file_line_and_fault),
        cmocka_unit_test(nul_is_no_part_of_a_word),
        cmocka_unit_test(long_files_and_lines),
        cmocka_unit_test(files_that_cannot_be_read),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
