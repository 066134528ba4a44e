/* Whole files as one text: bytes as they are; each fault is named with file and line. */
#include <string.h>

#include "base/mem.h"
#include "text/stream.h"
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

static void files_follow_each_other(void **state)
{
    static const char one[] = "\xEF\xBB\xBFIt was\r\n\n  a\rdark\t", two[] = "night.\n\xEF\xBB\xBF";
    static const char expected[] = "It was\n\n  a\rdark\tnight.\n\xEF\xBB\xBF";
    struct text_stream stream;
    struct err err = ERR_INIT;
    char *paths[3] = {scratch_file(state, "one.txt", one, sizeof one - 1),
                      scratch_file(state, "none.txt", "", 0),
                      scratch_file(state, "two.txt", two, sizeof two - 1)};
    assert_fine(text_stream_read(&stream, (const char *const *)paths, 3, &err), err);
    assert_string_equal(stream.text, expected);
    assert_int_equal(stream.len, strlen(expected));
    text_stream_release(&stream);
    assert_null(stream.text);
    assert_fine(text_stream_read(&stream, (const char *const *)paths + 1, 1, &err), err);
    assert_int_equal(stream.len, 0);
    assert_string_equal(stream.text, "");
    text_stream_release(&stream);
    for (int i = 0; i < 3; i++)
        mem_free(paths[i]);
}

static void names_file_line_and_fault(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        enum err_code code;
        const char *fault;
    } cases[] = {
        {"one\ntwo\nth\xFFree\n", 14, ERR_UTF8, "bad.txt:3: not UTF-8: byte 0xFF at offset 2 of"},
        {"one\n\xE2\x82", 6, ERR_UTF8, "bad.txt:2: not UTF-8: byte 0xE2 at offset 0 of the line"},
        {"\xEF\xBB\xBF\x80", 4, ERR_UTF8, "bad.txt:1: not UTF-8: byte 0x80 at offset 0 of"},
        {"\n\nab\0c\n\xFF", 8, ERR_FORMAT, "bad.txt:3: a NUL byte at offset 2 of the line"},
        {"\n\xFF\n\0", 4, ERR_UTF8, "bad.txt:2: not UTF-8"},
    };
    char *good = scratch_file(state, "good.txt", "good\ngood\n", 10);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct text_stream stream;
        struct err err = ERR_INIT;
        char *bad = scratch_file(state, "bad.txt", cases[i].text, cases[i].len);
        const char *paths[] = {good, bad, good};
        assert_int_equal(text_stream_read(&stream, paths, 3, &err), cases[i].code);
        if (strstr(err.message, cases[i].fault) == NULL)
            fail_msg("%s", err.message);
        assert_null(stream.text);
        mem_free(bad);
    }
    mem_free(good);
}

static void what_is_no_file_is_refused(void **state)
{
    const char *missing = "/nonexistent/book.txt", *folder = *state;
    struct text_stream stream;
    struct err err = ERR_INIT;
    assert_int_equal(text_stream_read(&stream, &missing, 1, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, missing));
    err_clear(&err);
    assert_int_equal(text_stream_read(&stream, &folder, 1, &err), ERR_IO);
    assert_non_null(strstr(err.message, folder));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_follow_each_other),
        cmocka_unit_test(names_file_line_and_fault),
        cmocka_unit_test(what_is_no_file_is_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
