/* UTF-8: exactly the well-formed sequences of the Unicode Standard are characters. */
#include <string.h>

#include "base/buf.h"
#include "text/utf8.h"
#include "unit.h"

/* An independent reading of RFC 3629: the generic bit pattern, then what it rules out. */
static size_t oracle(const unsigned char *s, size_t len, uint32_t *code)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    size_t n = s[0] < 0x80             ? 1
               : (s[0] & 0xE0) == 0xC0 ? 2
               : (s[0] & 0xF0) == 0xE0 ? 3
               : (s[0] & 0xF8) == 0xF0 ? 4
                                       : 0;

    if (n == 0 || n > len)
        return 0;
    *code = n == 1 ? s[0] : s[0] & (0x7Fu >> n);
    for (size_t i = 1; i < n; i++) {
        if ((s[i] & 0xC0) != 0x80)
            return 0;
        *code = *code << 6 | (s[i] & 0x3F);
    }
    if (*code < smallest[n] || *code > 0x10FFFF || (*code >= 0xD800 && *code <= 0xDFFF))
        return 0;
    return n;
}

static void compare_with_oracle(const unsigned char *bytes, size_t len)
{
    uint32_t code = 0, expected_code = 0;
    size_t expected = oracle(bytes, len, &expected_code);
    size_t n = utf8_decode((const char *)bytes, len, &code);

    if (n != expected || (n > 0 && code != expected_code))
        fail_msg("%02X %02X %02X %02X (%zu): %zu, U+%X", bytes[0], bytes[1], bytes[2], bytes[3],
                 len, n, code);
}

static void every_character_goes_there_and_back(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        char bytes[4];
        uint32_t decoded = 0;
        if (code >= 0xD800 && code <= 0xDFFF)
            continue;
        size_t n = utf8_encode(code, bytes);
        assert_int_equal(utf8_decode(bytes, n, &decoded), n);
        assert_int_equal(decoded, code);
        assert_int_equal(utf8_decode(bytes, n - 1, &decoded), 0);
        assert_int_equal(utf8_valid_length(bytes, n), n);
    }
}

static void agrees_with_the_oracle_on_all_short_sequences(void **state)
{
    static const unsigned char edges[] = {0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0};
    (void)state;
    for (unsigned first = 0; first < 256; first++)
        for (unsigned second = 0; second < 256; second++)
            for (size_t i = 0; i < sizeof edges * sizeof edges; i++) {
                unsigned char bytes[4] = {(unsigned char)first, (unsigned char)second,
                                          edges[i / sizeof edges], edges[i % sizeof edges]};
                for (size_t len = 1; len <= 4; len++)
                    compare_with_oracle(bytes, len);
            }
}

static void names_the_offset_of_the_first_wrong_byte(void **state)
{
    static const struct {
        const char *text;
        size_t len, offset;
    } cases[] = {
        {"abc\xFF", 4, 3},        {"0123456789abcdef\x80", 17, 16},
        {"\xC3\xA9\xC3", 3, 2},   {"\xED\xA0\x80", 3, 0},
        {"a\xC0\x80", 3, 1},      {"\xF4\x90\x80\x80", 4, 0},
        {"ok \xE2\x82 no", 8, 3},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct err err = ERR_INIT;
        char offset[40];
        assert_int_equal(utf8_check(cases[i].text, cases[i].len, &err), ERR_UTF8);
        snprintf(offset, sizeof offset, "at offset %zu", cases[i].offset);
        assert_non_null(strstr(err.message, offset));
    }
    assert_int_equal(utf8_check("", 0, NULL), 0);
    assert_int_equal(utf8_check("a\0b", 3, NULL), 0);
}

static void replaces_maximal_ill_formed_parts(void **state)
{
    static const struct {
        const char *bad, *good;
    } cases[] = {
        /* The Unicode Standard, table 3-8. */
        {"a\xF1\x80\x80\xE1\x80\xC2"
         "b\x80"
         "c\x80\xBF"
         "d",
         "a\uFFFD\uFFFD\uFFFDb\uFFFDc\uFFFD\uFFFDd"},
        {"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82"
         "A",
         "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA"},
        {"\xED\xA0\x80", "\uFFFD\uFFFD\uFFFD"},
        {"\xF4\x91\x92\x93\xFF"
         "A",
         "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFDA"},
        {"é\xE2\x82", "é\uFFFD"},
        {"plain", "plain"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out = BUF_INIT;
        struct err err = ERR_INIT;
        assert_fine(utf8_repair(cases[i].bad, strlen(cases[i].bad), &out, &err), err);
        assert_string_equal(out.data, cases[i].good);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_character_goes_there_and_back),
        cmocka_unit_test(agrees_with_the_oracle_on_all_short_sequences),
        cmocka_unit_test(names_the_offset_of_the_first_wrong_byte),
        cmocka_unit_test(replaces_maximal_ill_formed_parts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
