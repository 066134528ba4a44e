/* Rows of numbers: values are those that strtof reads; each fault is named with row and column. */
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "base/rng.h"
#include "text/rows.h"
#include "unit.h"

static void assert_rows(const char *text, size_t count, size_t width, const float *values)
{
    struct rows rows;
    struct err err = ERR_INIT;
    assert_fine(rows_parse(&rows, text, strlen(text), &err), err);
    assert_int_equal(rows.count, count);
    assert_int_equal(rows.width, width);
    for (size_t i = 0; i < count * width; i++)
        if (rows.values[i] != values[i] || signbit(rows.values[i]) != signbit(values[i]))
            fail_msg("'%s': value %zu is %.9g", text, i, (double)rows.values[i]);
    rows_release(&rows);
}

static void reads_rows(void **state)
{
    (void)state;
    assert_rows("0.1,0.5;0.3,0.2", 2, 2, (float[]){0.1f, 0.5f, 0.3f, 0.2f});
    assert_rows("7", 1, 1, (float[]){7});
    assert_rows("1;2;3", 3, 1, (float[]){1, 2, 3});
    assert_rows("-0,+1.,.5,-1E2,1e+02,007", 1, 6, (float[]){-0.0f, 1, 0.5f, -100, 100, 7});
    assert_rows("3.4028235e38,-3.4028235e38,1.4e-45,1e-99", 1, 4,
                (float[]){FLT_MAX, -FLT_MAX, 1.4e-45f, 0});
    assert_rows("0e999999999999999999999,0.0000000001e10,10000000000e-10", 1, 3,
                (float[]){0, 1, 1});
    assert_rows("1e-999999999999999999999;123456789012345678901234567890e-29", 2, 1,
                (float[]){0, 1.2345678901234567f});
}

static void names_row_column_and_fault(void **state)
{
    static const struct {
        const char *text, *fault;
    } cases[] = {
        {"", "row 1, column 1: there is no value"},
        {"1,2;", "row 2, column 1: there is no value"},
        {"1,,2", "row 1, column 2: there is no value"},
        {"1;2,3", "row 2, column 2: the first row has only 1 values"},
        {"1,2;3,4;5", "row 3, column 2: missing; the first row has 2 values"},
        {"1,x", "row 1, column 2: 'x' is not a decimal number"},
        {"1, 2", "row 1, column 2: ' 2' is not"},
        {"1 ", "row 1, column 1: '1 ' is not"},
        {"nan", "row 1, column 1: 'nan' is not"},
        {"1;-inf", "row 2, column 1: '-inf' is not"},
        {"infinity", "not a decimal number"},
        {"0x10", "'0x10' is not"},
        {"1e", "'1e' is not"},
        {"1e+", "'1e+' is not"},
        {".", "'.' is not"},
        {"-", "'-' is not"},
        {"+-1", "'+-1' is not"},
        {"1.2.3", "'1.2.3' is not"},
        {"1\n", "'1?' is not"},
        {"\xC3\xA9", "'\?\?' is not"},
        {"abcdefghijklmnopqrstuvwxyz", "'abcdefghijklmnopqrstuvw...' is not"},
        {"1,3.5e38", "row 1, column 2: '3.5e38' is too large"},
        {"-1e39", "'-1e39' is too large"},
        {"1e999999999999999999999999", "too large"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rows rows;
        struct err err = ERR_INIT;
        assert_int_equal(rows_parse(&rows, cases[i].text, strlen(cases[i].text), &err), ERR_FORMAT);
        if (strstr(err.message, cases[i].fault) == NULL)
            fail_msg("'%s': %s", cases[i].text, err.message);
        assert_null(rows.values);
        assert_int_equal(rows.count, 0);
    }
}

static void a_nul_is_no_end(void **state)
{
    struct rows rows;
    (void)state;
    assert_int_equal(rows_parse(&rows, "1\0", 2, NULL), ERR_FORMAT);
    assert_int_equal(rows_parse(&rows, "12", 1, NULL), 0);
    assert_true(rows.values[0] == 1);
    rows_release(&rows);
}

/* As many as allowed are read; one more is refused. */
static void sizes_have_limits(void **state)
{
    static const struct {
        size_t count, width;
        const char *fault;
    } cases[] = {
        {ROWS_MAX_COUNT, 1, NULL},
        {ROWS_MAX_COUNT + 1, 1, "65537 rows; allowed are 65536"},
        {1, ROWS_MAX_WIDTH, NULL},
        {1, ROWS_MAX_WIDTH + 1, "rows of more than 65536 values"},
        {ROWS_MAX_VALUES / ROWS_MAX_WIDTH, ROWS_MAX_WIDTH, NULL},
        {ROWS_MAX_VALUES / ROWS_MAX_WIDTH + 1, ROWS_MAX_WIDTH, "values; allowed are 4194304"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rows rows;
        struct err err = ERR_INIT;
        struct buf text = BUF_INIT;
        for (size_t at = 1; at <= cases[i].count * cases[i].width; at++) {
            buf_char(&text, '1', NULL);
            buf_char(&text, at % cases[i].width == 0 ? ';' : ',', NULL);
        }
        int rc = rows_parse(&rows, text.data, text.len - 1, &err);
        assert_int_equal(rc, cases[i].fault ? ERR_LIMIT : 0);
        assert_int_equal(rows.count, cases[i].fault ? 0 : cases[i].count);
        if (cases[i].fault)
            assert_non_null(strstr(err.message, cases[i].fault));
        rows_release(&rows);
        buf_release(&text);
    }
}

/* Random decimals are read as strtof reads them, which rounds correctly. */
static void agrees_with_strtof(void **state)
{
    struct rng rng;
    (void)state;
    rng_seed(&rng, 41, 0);
    for (int round = 0; round < 200000; round++) {
        char text[80];
        int len = 0;
        struct rows rows;
        for (uint64_t n = rng_below(&rng, 12); n > 0; n--)
            len += snprintf(text + len, 16, "%d", (int)rng_below(&rng, 10));
        len += snprintf(text + len, 16, "%d.", (int)rng_below(&rng, 10));
        for (uint64_t n = rng_below(&rng, 12); n > 0; n--)
            len += snprintf(text + len, 16, "%d", (int)rng_below(&rng, 10));
        if (rng_below(&rng, 2) == 0)
            len += snprintf(text + len, 16, "e%d", (int)rng_below(&rng, 80) - 55);
        const float expected = strtof(text, NULL);
        assert_int_equal(rows_parse(&rows, text, (size_t)len, NULL),
                         isfinite(expected) ? 0 : ERR_FORMAT);
        if (isfinite(expected) && rows.values[0] != expected)
            fail_msg("%s: %.9g, not %.9g", text, (double)rows.values[0], (double)expected);
        rows_release(&rows);
    }
}

static void check_written(const char *text, const char *expected)
{
    struct rows rows;
    struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    assert_fine(rows_parse(&rows, text, strlen(text), &err), err);
    assert_fine(rows_write(&rows, &out, &err), err);
    assert_string_equal(out.data, expected);
    buf_release(&out);
    rows_release(&rows);
}

/* Written and read in whatever locales with a comma there are: none of them may change a byte. */
static void writes_what_it_reads_in_any_locale(void **state)
{
    static const char *const names[] = {"C", "de_DE.UTF-8", "fr_FR.UTF-8", "ps_AF.UTF-8"};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (setlocale(LC_NUMERIC, names[i]) == NULL) {
            print_message("no locale %s\n", names[i]);
            continue;
        }
        check_written("0.5,1;-2.25,1e-9", "0.5,1;-2.25,9.99999972e-10");
        check_written("16777216,-0,1.5e30", "16777216,-0,1.49999995e+30");
    }
    setlocale(LC_NUMERIC, "C");
}

static void every_float_comes_back(void **state)
{
    struct rng rng;
    struct rows rows = {1, 1, NULL}, again;
    float value;
    (void)state;
    rng_seed(&rng, 42, 0);
    rows.values = &value;
    for (int round = 0; round < 100000; round++) {
        const uint32_t bits = (uint32_t)rng_next(&rng);
        struct buf out = BUF_INIT;
        memcpy(&value, &bits, sizeof value);
        if (!isfinite(value))
            continue;
        assert_int_equal(rows_write(&rows, &out, NULL), 0);
        assert_int_equal(rows_parse(&again, out.data, out.len, NULL), 0);
        assert_memory_equal(again.values, &value, sizeof value);
        rows_release(&again);
        buf_release(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_rows),
        cmocka_unit_test(names_row_column_and_fault),
        cmocka_unit_test(a_nul_is_no_end),
        cmocka_unit_test(sizes_have_limits),
        cmocka_unit_test(agrees_with_strtof),
        cmocka_unit_test(writes_what_it_reads_in_any_locale),
        cmocka_unit_test(every_float_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
