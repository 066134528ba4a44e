/* JSON, written: every text becomes a string that a strict parser gives back. */
#include <jansson.h>
#include <string.h>

#include "text/json.h"
#include "unit.h"

static void written_json_is_whole(void **state)
{
    (void)state;
    struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    buf_char(&out, '{', &err);
    json_write_integer(&out, "a", INT64_MIN, &err);
    json_write_string(&out, "b", "\"\\/\b\f\n\r\t\x01\x7f", &err);
    json_write_name(&out, "c", &err);
    json_write_number(&out, 0.1, &err);
    json_write_name(&out, "d", &err);
    json_write_number(&out, -1.0 / 0.0, &err);
    json_write_name(&out, "e", &err);
    json_write_text(&out, "a\xff\xc3", 3, &err);
    buf_char(&out, '}', &err);
    assert_fine((int)err.code, err);
    assert_string_equal(out.data, "{\"a\":-9223372036854775808,"
                                  "\"b\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\x7f\","
                                  "\"c\":0.1,\"d\":0,\"e\":\"a\xef\xbf\xbd\xef\xbf\xbd\"}");
    buf_release(&out);
}

/* Every byte there is, alone and between letters. */
static void every_text_becomes_a_string(void **state)
{
    (void)state;
    for (int byte = 0; byte < 256; byte++) {
        const char text[] = {'a', (char)byte, 'z'};
        struct buf out = BUF_INIT;
        struct err err = ERR_INIT;
        json_write_text(&out, text, sizeof text, &err);
        assert_fine((int)err.code, err);
        json_t *value = json_loadb(out.data, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(value);
        if (byte < 128) {
            assert_int_equal(json_string_length(value), sizeof text);
            assert_memory_equal(json_string_value(value), text, sizeof text);
        } else {
            assert_string_equal(json_string_value(value), "a\xef\xbf\xbdz");
        }
        json_decref(value);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_json_is_whole),
        cmocka_unit_test(every_text_becomes_a_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
