/* Stop words: read, normalised, found, in order; each fault is named with file and line. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "text/stop.h"
#include "unit.h"

static char *scratch_file(void **state, const char *name, const void *data, size_t len)
{
    struct err err = ERR_INIT;
    struct file_save save;
    char *path = file_join(*state, name, &err);
    assert_non_null(path);
    assert_fine(file_save_begin(&save, path, &err), err);
    assert_int_equal(fwrite(data, 1, len, save.stream), len);
    assert_fine(file_save_commit(&save, &err), err);
    return path;
}

static void assert_list(const struct stop_words *stop, const char *expected)
{
    struct buf joined = BUF_INIT;
    buf_text(&joined, "", NULL);
    for (size_t i = 0; i < stop_words_count(stop); i++) {
        size_t len;
        const char *word = stop_words_text(stop, i, &len);
        assert_int_equal(strlen(word), len);
        assert_true(stop_words_have(stop, word, len));
        buf_printf(&joined, NULL, "%s%s", i > 0 ? "|" : "", word);
    }
    assert_string_equal(joined.data, expected);
    buf_release(&joined);
}

static void reads_a_list(void **state)
{
    static const char text[] =
        "\xEF\xBB\xBF# English\r\n\nthe\r\n  of \t\nThe\nC#\n\tand # a comment\n"
        "E\u0301t\u00E9\nthe";
    struct stop_words *stop;
    struct err err = ERR_INIT;
    char *path = scratch_file(state, "stop.txt", text, sizeof text - 1);
    assert_fine(stop_words_read(&stop, path, NORM_NFC, true, &err), err);
    assert_list(stop, "and|c#|of|the|\u00E9t\u00E9");
    assert_false(stop_words_have(stop, "The", 3));
    assert_false(stop_words_have(stop, " the", 4));
    assert_false(stop_words_have(stop, "th", 2));
    assert_false(stop_words_have(stop, "", 0));
    stop_words_free(stop);
    assert_fine(stop_words_read(&stop, path, NORM_NFC, false, &err), err);
    assert_list(stop, "C#|The|and|of|the|\u00C9t\u00E9");
    stop_words_free(stop);
    mem_free(path);
}

static void a_list_may_be_empty(void **state)
{
    static const char *const texts[] = {"", "\n\n", "# nothing"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        char *path = scratch_file(state, "empty.txt", texts[i], strlen(texts[i]));
        struct stop_words *stop;
        struct err err = ERR_INIT;
        assert_fine(stop_words_read(&stop, path, NORM_NFC, true, &err), err);
        assert_int_equal(stop_words_count(stop), 0);
        assert_false(stop_words_have(stop, "the", 3));
        stop_words_free(stop);
        mem_free(path);
    }
}

static void names_file_line_and_fault(void **state)
{
    char many[512] = "the\n";
    memset(many + 4, 'x', STOP_MAX_WORD + 1);
    const struct {
        const char *text;
        size_t len; /* 0: up to the NUL */
        enum err_code code;
        const char *fault;
    } cases[] = {
        {"the\n\nof the\n", 0, ERR_FORMAT, "bad.txt:3: 2 words in place of one"},
        {"the\no\xFF", 0, ERR_UTF8, "bad.txt:2: text is not UTF-8: byte 0xFF at offset 1"},
        {"t\0e\n", 4, ERR_FORMAT, "bad.txt:1: a NUL byte"},
        {many, 0, ERR_LIMIT, "bad.txt:2: the word has 257 bytes, allowed are 256"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        size_t len = cases[i].len ? cases[i].len : strlen(cases[i].text);
        char *path = scratch_file(state, "bad.txt", cases[i].text, len);
        struct stop_words *stop;
        struct err err = ERR_INIT;
        assert_int_equal(stop_words_read(&stop, path, NORM_NFC, true, &err), cases[i].code);
        if (strstr(err.message, cases[i].fault) == NULL)
            fail_msg("%s", err.message);
        assert_null(stop);
        mem_free(path);
    }
}

static void lists_have_a_limit(void **state)
{
    struct buf text = BUF_INIT;
    struct stop_words *stop;
    struct err err = ERR_INIT;
    char *path;
    for (size_t i = 0; i <= STOP_MAX_WORDS; i++)
        buf_printf(&text, NULL, "%zx\n", i);
    path = scratch_file(state, "long.txt", text.data, text.len);
    assert_int_equal(stop_words_read(&stop, path, NORM_NFC, true, &err), ERR_LIMIT);
    assert_non_null(strstr(err.message, "long.txt:65537: more than 65536 words"));
    mem_free(path);
    buf_release(&text);
    assert_int_equal(stop_words_read(&stop, "/nonexistent/stop", NORM_NFC, true, NULL),
                     ERR_NOT_FOUND);
}

static void makes_a_set_of_words(void **state)
{
    static const char *const words[] = {"the", "Of", "the"}, *const wrong[] = {"the", " ", "of"};
    struct stop_words *stop;
    struct err err = ERR_INIT;
    (void)state;
    assert_fine(stop_words_make(&stop, words, 3, NORM_NFC, true, &err), err);
    assert_list(stop, "of|the");
    stop_words_free(stop);
    assert_int_equal(stop_words_make(&stop, wrong, 3, NORM_NFC, true, &err), ERR_FORMAT);
    assert_string_equal(err.message, "stop word 2: there is no word");
    assert_null(stop);
    stop_words_free(stop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_list),
        cmocka_unit_test(a_list_may_be_empty),
        cmocka_unit_test(names_file_line_and_fault),
        cmocka_unit_test(lists_have_a_limit),
        cmocka_unit_test(makes_a_set_of_words),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
