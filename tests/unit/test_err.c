/* Errors: the first wins, context goes in front, and a message is always one line of UTF-8. */
#include <errno.h>
#include <string.h>

#include "unit.h"

static void first_error_wins(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    assert_int_equal(err_set(&err, ERR_LIMIT, "line %d", 7), ERR_LIMIT);
    assert_int_equal(err_set(&err, ERR_IO, "later"), ERR_IO);
    assert_int_equal(err.code, ERR_LIMIT);
    assert_string_equal(err.message, "line 7");
    err_clear(&err);
    assert_int_equal(err.code, ERR_NONE);
    assert_string_equal(err.message, "");
}

static void errno_becomes_code_and_text(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    errno = ENOENT;
    assert_int_equal(err_errno(&err, "%s", "a/b"), ERR_NOT_FOUND);
    assert_string_equal(err.message, "a/b: No such file or directory");
    err_clear(&err);
    errno = EACCES;
    assert_int_equal(err_errno(&err, "x"), ERR_IO);
    err_clear(&err);
    errno = ENOMEM;
    assert_int_equal(err_errno(&err, "x"), ERR_MEMORY);
}

static void context_goes_in_front(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    assert_int_equal(err_context(&err, "nothing"), ERR_NONE);
    assert_string_equal(err.message, "");
    err_set(&err, ERR_FORMAT, "bad offset");
    assert_int_equal(err_context(&err, "tensor '%s'", "w"), ERR_FORMAT);
    err_context(&err, "model");
    assert_string_equal(err.message, "model: tensor 'w': bad offset");
}

static void messages_are_one_line(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    err_set(&err, ERR_FORMAT, "a\nb\tc\033[0m\x7f");
    assert_string_equal(err.message, "a b c [0m ");
}

/* Whatever the alignment of the cut, no broken character is left at the end. */
static void long_messages_end_with_a_whole_character(void **state)
{
    (void)state;
    for (size_t shift = 0; shift < 4; shift++) {
        char text[600];
        memset(text, 'x', shift);
        text[shift] = '\0';
        while (strlen(text) < 580)
            strcat(text, "\xF0\x9F\x98\x80");
        struct err err = ERR_INIT;
        err_set(&err, ERR_FORMAT, "%s", text);
        size_t len = strlen(err.message);
        assert_in_range(len, sizeof err.message - 4, sizeof err.message - 1);
        assert_int_equal((len - shift) % 4, 0);
    }
}

static void null_is_accepted(void **state)
{
    (void)state;
    errno = EIO;
    assert_int_equal(err_set(NULL, ERR_BUSY, "x"), ERR_BUSY);
    assert_int_equal(err_errno(NULL, "x"), ERR_IO);
    assert_int_equal(err_context(NULL, "x"), ERR_NONE);
    err_clear(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_error_wins),
        cmocka_unit_test(errno_becomes_code_and_text),
        cmocka_unit_test(context_goes_in_front),
        cmocka_unit_test(messages_are_one_line),
        cmocka_unit_test(long_messages_end_with_a_whole_character),
        cmocka_unit_test(null_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
