/* Corpora: files in order, cut into two fields; each fault is named with file and line. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "text/corpus.h"
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

static void reads_files_in_order(void **state)
{
    static const char one[] =
        "\xEF\xBB\xBFSave me a seat.\tRéserve-moi un siège.\r\n\n\r\nGo.\tVa !\n";
    static const char two[] = "\n spaces around \tlast";
    struct err err = ERR_INIT;
    struct corpus corpus;
    char *paths[3] = {scratch_file(state, "one.tsv", one, sizeof one - 1),
                      scratch_file(state, "none.tsv", "", 0),
                      scratch_file(state, "two.tsv", two, sizeof two - 1)};

    assert_fine(corpus_read(&corpus, (const char *const *)paths, 3, &err), err);
    assert_int_equal(corpus.count, 3);
    assert_string_equal(corpus.lines[0].first, "Save me a seat.");
    assert_string_equal(corpus.lines[0].second, "Réserve-moi un siège.");
    assert_int_equal(corpus.lines[0].second_len, strlen("Réserve-moi un siège."));
    assert_string_equal(corpus.lines[1].second, "Va !");
    assert_string_equal(corpus.lines[2].first, " spaces around ");
    assert_int_equal(corpus.lines[2].first_len, strlen(" spaces around "));
    assert_string_equal(corpus.lines[2].second, "last");
    assert_int_equal(corpus.lines[1].file, 0);
    assert_int_equal(corpus.lines[1].line, 4);
    assert_int_equal(corpus.lines[2].file, 2);
    assert_int_equal(corpus.lines[2].line, 2);
    corpus_release(&corpus);
    assert_fine(corpus_read(&corpus, NULL, 0, &err), err);
    assert_int_equal(corpus.count, 0);
    corpus_release(&corpus);
    for (int i = 0; i < 3; i++)
        mem_free(paths[i]);
}

/* A tab is text there, and lines of spaces are no texts. */
static void reads_texts_alone(void **state)
{
    static const char text[] = "\xEF\xBB\xBFYesterday.\r\n\n   \n a\tb \nlast";
    struct err err = ERR_INIT;
    struct corpus corpus;
    char *paths[2] = {scratch_file(state, "texts.txt", text, sizeof text - 1),
                      scratch_file(state, "more.txt", "\nmore\n", 6)};

    assert_fine(corpus_read_texts(&corpus, (const char *const *)paths, 2, &err), err);
    assert_int_equal(corpus.count, 4);
    assert_string_equal(corpus.lines[0].first, "Yesterday.");
    assert_int_equal(corpus.lines[0].first_len, strlen("Yesterday."));
    assert_string_equal(corpus.lines[1].first, " a\tb ");
    assert_int_equal(corpus.lines[1].line, 4);
    assert_string_equal(corpus.lines[2].first, "last");
    assert_int_equal(corpus.lines[2].first_len, 4);
    assert_string_equal(corpus.lines[3].first, "more");
    assert_int_equal(corpus.lines[3].file, 1);
    assert_int_equal(corpus.lines[3].line, 2);
    for (size_t i = 0; i < corpus.count; i++) {
        assert_string_equal(corpus.lines[i].second, "");
        assert_int_equal(corpus.lines[i].second_len, 0);
    }
    corpus_release(&corpus);
    for (int i = 0; i < 2; i++)
        mem_free(paths[i]);
}

static void texts_alone_are_checked(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        enum err_code code;
        const char *fault;
    } cases[] = {
        {"fine\n\nab\xFF\n", 10, ERR_UTF8, "bad.txt:3: not UTF-8: byte 0xFF at offset 2"},
        {"fine\n  \xC3", 8, ERR_UTF8, "bad.txt:2: not UTF-8: byte 0xC3 at offset 2"},
        {"fine\nn\0l\n", 9, ERR_FORMAT, "bad.txt:2: a NUL byte at offset 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = ERR_INIT;
        struct corpus corpus;
        char *path = scratch_file(state, "bad.txt", cases[i].text, cases[i].len);
        assert_int_equal(corpus_read_texts(&corpus, (const char *const *)&path, 1, &err),
                         cases[i].code);
        assert_non_null(strstr(err.message, cases[i].fault));
        assert_null(corpus.lines);
        mem_free(path);
    }
}

static void grows_to_many_lines(void **state)
{
    enum { LINES = 5000 };
    struct buf text = BUF_INIT;
    struct err err = ERR_INIT;
    struct corpus corpus;
    char *path;

    for (int i = 0; i < LINES; i++)
        buf_printf(&text, &err, "%d\t%d\n", i, 2 * i);
    path = scratch_file(state, "many.tsv", text.data, text.len);
    assert_fine(corpus_read(&corpus, (const char *const *)&path, 1, &err), err);
    assert_int_equal(corpus.count, LINES);
    for (int i = 0; i < LINES; i++) {
        assert_int_equal(atoi(corpus.lines[i].first), i);
        assert_int_equal(atoi(corpus.lines[i].second), 2 * i);
    }
    corpus_release(&corpus);
    mem_free(path);
    buf_release(&text);
}

static void names_file_line_and_fault(void **state)
{
    static const struct {
        const char *text;
        size_t len; /* 0: up to the NUL */
        enum err_code code;
        const char *place, *fault;
    } cases[] = {
        {"a\tb\n\nno tab here\n", 0, ERR_FORMAT, "bad.tsv:3:", "no tab"},
        {"a\tb\nc\t\n", 0, ERR_FORMAT, "bad.tsv:2:", "second field is empty"},
        {"a\tb\nc\t\r\n", 0, ERR_FORMAT, "bad.tsv:2:", "second field is empty"},
        {"a\tb\nc\t  \n", 0, ERR_FORMAT, "bad.tsv:2:", "second field is empty"},
        {"\tb\n", 0, ERR_FORMAT, "bad.tsv:1:", "first field is empty"},
        {" \tb\n", 0, ERR_FORMAT, "bad.tsv:1:", "first field is empty"},
        {"\xEF\xBB\xBF\tb\n", 0, ERR_FORMAT, "bad.tsv:1:", "first field is empty"},
        {"\t\n", 0, ERR_FORMAT, "bad.tsv:1:", "empty"},
        {"a\tb\tc\n", 0, ERR_FORMAT, "bad.tsv:1:", "more than two fields"},
        {"a\tb\n\t\t\n", 0, ERR_FORMAT, "bad.tsv:2:", "more than two fields"},
        {"a\tb\nab\xFF\tc\n", 0, ERR_UTF8, "bad.tsv:2:", "0xFF at offset 2"},
        {"a\tb\nlast\t\xC3", 0, ERR_UTF8, "bad.tsv:2:", "offset 5"},
        {"a\tb\nnu\0l\tc\n", 11, ERR_FORMAT, "bad.tsv:2:", "NUL byte at offset 2"},
        {"a\tb\nc\tlabel\0", 12, ERR_FORMAT, "bad.tsv:2:", "NUL byte at offset 7"},
        {"\xFF\xFE"
         "a\0\t\0b\0\n\0",
         10, ERR_UTF8, "bad.tsv:1:", "offset 0"}, /* UTF-16 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = ERR_INIT;
        struct corpus corpus;
        char *path = scratch_file(state, "bad.tsv", cases[i].text,
                                  cases[i].len ? cases[i].len : strlen(cases[i].text));
        int rc = corpus_read(&corpus, (const char *const *)&path, 1, &err);
        assert_int_equal(rc, cases[i].code);
        assert_non_null(strstr(err.message, cases[i].place));
        assert_non_null(strstr(err.message, cases[i].fault));
        assert_null(corpus.block);
        mem_free(path);
    }
}

static void a_missing_file_is_not_found(void **state)
{
    const char *path = "/nonexistent/corpus.tsv";
    struct err err = ERR_INIT;
    struct corpus corpus;
    (void)state;
    assert_int_equal(corpus_read(&corpus, &path, 1, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, path));
}

/* The file of several whose line is bad is the one that is named. */
static void names_the_file_of_several(void **state)
{
    struct err err = ERR_INIT;
    struct corpus corpus;
    char *paths[2] = {scratch_file(state, "good.tsv", "a\tb\nc\td", 7),
                      scratch_file(state, "other.tsv", "a\tb\nc d\n", 8)};
    assert_int_equal(corpus_read(&corpus, (const char *const *)paths, 2, &err), ERR_FORMAT);
    assert_non_null(strstr(err.message, "other.tsv:2: "));
    mem_free(paths[0]);
    mem_free(paths[1]);
}

static void a_folder_is_no_corpus(void **state)
{
    const char *path = *state;
    struct err err = ERR_INIT;
    struct corpus corpus;
    assert_int_equal(corpus_read(&corpus, &path, 1, &err), ERR_IO);
    assert_non_null(strstr(err.message, path));
    assert_non_null(strstr(err.message, "directory"));
}

/* A line is as long as the limit allows, or is refused with its length. */
static void lines_have_a_limit(void **state)
{
    for (size_t extra = 0; extra < 2; extra++) {
        const size_t len = CORPUS_MAX_LINE + extra;
        struct err err = ERR_INIT;
        struct corpus corpus;
        char *text = malloc(len + 6), *path;
        assert_non_null(text);
        memcpy(text, "a\tb\n", 4);
        memset(text + 4, 'x', len);
        text[6] = '\t';
        path = scratch_file(state, "long.tsv", text, len + 4);
        if (extra == 0) {
            assert_fine(corpus_read(&corpus, (const char *const *)&path, 1, &err), err);
            assert_int_equal(corpus.lines[1].second_len, len - 3);
            corpus_release(&corpus);
        } else {
            assert_int_equal(corpus_read(&corpus, (const char *const *)&path, 1, &err), ERR_LIMIT);
            assert_non_null(strstr(err.message, "long.tsv:2: the line has 4194305 bytes"));
        }
        mem_free(path);
        free(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_files_in_order),      cmocka_unit_test(grows_to_many_lines),
        cmocka_unit_test(names_file_line_and_fault), cmocka_unit_test(a_missing_file_is_not_found),
        cmocka_unit_test(names_the_file_of_several), cmocka_unit_test(a_folder_is_no_corpus),
        cmocka_unit_test(lines_have_a_limit),        cmocka_unit_test(reads_texts_alone),
        cmocka_unit_test(texts_alone_are_checked),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
