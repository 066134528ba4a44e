/* Buffers: what is appended is there, ended by a NUL, however it grew. */
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "unit.h"

static void grows_byte_by_byte(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT;
    for (size_t i = 0; i < 10000; i++) {
        assert_int_equal(buf_char(&buf, (char)('a' + i % 26), NULL), 0);
        assert_int_equal(buf.data[buf.len], '\0');
    }
    assert_int_equal(buf.len, 10000);
    assert_true(buf.capacity > buf.len);
    for (size_t i = 0; i < 10000; i++)
        assert_int_equal(buf.data[i], (char)('a' + i % 26));
    buf_release(&buf);
    assert_null(buf.data);
}

static void keeps_nul_bytes(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT;
    buf_append(&buf, "a\0b", 3, NULL);
    buf_append(&buf, NULL, 0, NULL);
    buf_text(&buf, "cd", NULL);
    assert_int_equal(buf.len, 5);
    assert_memory_equal(buf.data, "a\0bcd", 6);
    buf_clear(&buf);
    assert_int_equal(buf.len, 0);
    assert_string_equal(buf.data, "");
    buf_release(&buf);
}

static void formats_texts_of_any_length(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT;
    for (int width = 1; width < 300; width += 37) {
        size_t before = buf.len;
        assert_int_equal(buf_printf(&buf, NULL, "<%*d>", width, 7), 0);
        assert_int_equal(buf.len, before + (size_t)width + 2);
        assert_int_equal(strlen(buf.data), buf.len);
        assert_string_equal(buf.data + buf.len - 2, "7>");
    }
    buf_release(&buf);
}

static void failure_leaves_the_content(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT;
    struct err err = ERR_INIT;
    buf_text(&buf, "kept", NULL);
    mem_fail_at(1);
    assert_int_equal(buf_reserve(&buf, 1000, &err), ERR_MEMORY);
    err_clear(&err);
    assert_int_equal(buf_reserve(&buf, SIZE_MAX - 2, &err), ERR_MEMORY);
    err_clear(&err);
    mem_fail_at(1);
    assert_int_equal(buf_printf(&buf, &err, "%200d", 1), ERR_MEMORY);
    assert_string_equal(buf.data, "kept");
    assert_int_equal(buf.len, 4);
    buf_release(&buf);
}

static void reserved_room_needs_no_allocation(void **state)
{
    (void)state;
    struct buf buf = BUF_INIT;
    char text[500];
    memset(text, 'x', sizeof text);
    assert_int_equal(buf_reserve(&buf, sizeof text, NULL), 0);
    mem_fail_at(1);
    assert_int_equal(buf_append(&buf, text, sizeof text, NULL), 0);
    mem_fail_at(0);
    buf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_byte_by_byte),
        cmocka_unit_test(keeps_nul_bytes),
        cmocka_unit_test(formats_texts_of_any_length),
        cmocka_unit_test(failure_leaves_the_content),
        cmocka_unit_test(reserved_room_needs_no_allocation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
