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
    static const char two[] = "nul\0inside\tlast";
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
    assert_int_equal(corpus.lines[2].first_len, 10);
    assert_memory_equal(corpus.lines[2].first, "nul\0inside", 11);
    assert_string_equal(corpus.lines[2].second, "last");
    corpus_release(&corpus);
    assert_fine(corpus_read(&corpus, NULL, 0, &err), err);
    assert_int_equal(corpus.count, 0);
    corpus_release(&corpus);
    for (int i = 0; i < 3; i++)
        mem_free(paths[i]);
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
        enum err_code code;
        const char *place, *fault;
    } cases[] = {
        {"a\tb\n\nno tab here\n", ERR_FORMAT, "bad.tsv:3:", "no tab"},
        {"a\tb\nc\t\n", ERR_FORMAT, "bad.tsv:2:", "second field is empty"},
        {"\tb\n", ERR_FORMAT, "bad.tsv:1:", "first field is empty"},
        {"\t\n", ERR_FORMAT, "bad.tsv:1:", "empty"},
        {"a\tb\tc\n", ERR_FORMAT, "bad.tsv:1:", "more than two fields"},
        {"a\tb\nab\xFF\tc\n", ERR_UTF8, "bad.tsv:2:", "offset 2"},
        {"a\tb\nlast\t\xC3", ERR_UTF8, "bad.tsv:2:", "offset 5"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = ERR_INIT;
        struct corpus corpus;
        char *path = scratch_file(state, "bad.tsv", cases[i].text, strlen(cases[i].text));
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_files_in_order),
        cmocka_unit_test(grows_to_many_lines),
        cmocka_unit_test(names_file_line_and_fault),
        cmocka_unit_test(a_missing_file_is_not_found),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
