/* Properties of texts, by cases made by hand: under each text stands what its characters have. */
#include <string.h>

#include "text/property.h"
#include "unit.h"

static const char *mark(enum property property, const char *text)
{
    static char marks[512];
    int16_t values[512];
    const size_t len = strlen(text);
    assert_true(len < sizeof marks);
    property_read(property, text, len, values);
    for (size_t i = 0; i < len; i++)
        marks[i] = values[i] > 9 ? '+' : values[i] ? (char)('0' + values[i]) : '.';
    marks[len] = '\0';
    return marks;
}

static void check(enum property property, const char *const (*cases)[2], size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_string_equal(mark(property, cases[i][0]), cases[i][1]);
}

#define CHECK(property, cases) check(property, cases, sizeof(cases) / sizeof *(cases))

static void quotes_are_found(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a \"b c\" d", "..1111..."},
        {"\"a\" \"b\"", "11..11."},
        {"\"a \\\" b\" c", "1111111..."},
        {"never \"closed", "............."},
        {"\"one\n\nparagraph\"", "................"},
        {"\"two\nlines\" x", "1111111111..."},
        {"it's Tom's and the dogs' bone", "............................."},
        {"quoth he, 'Ay, ay,' and", "..........11111111....."},
        {"c = 'x'; d = '\\n'", "....11.......111."},
        {"'a \"b\" c.' d", "111111111..."},
        {"\xE2\x80\x9C"
         "a\xE2\x80\x9D",
         "1111..."},
        {"\xC2\xAB"
         "a\xC2\xBB b",
         "111...."},
        {"", ""},
        {"\"", "."},
    };
    CHECK(PROPERTY_QUOTES, cases);
}

static void brackets_are_found(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a (b) c", "..11..."}, {"f(x[1]) {y}", ".11111....."},
        {") a (", "....1"},     {"(a\n\nb", "111.."},
        {"([)]", "11.."},       {"", ""},
    };
    CHECK(PROPERTY_BRACKETS, cases);
}

static void depth_is_counted(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a(b{c}d)e", ".112211.."},
        {"{(a\n\nb}c", "122211.."},
        {"}}a", "..."},
        {"{{}}{", "121.1"},
    };
    CHECK(PROPERTY_DEPTH, cases);
}

static void brackets_too_deep_do_no_harm(void **state)
{
    (void)state;
    char text[300];
    int16_t values[sizeof text];
    memset(text, '(', sizeof text);
    property_read(PROPERTY_DEPTH, text, sizeof text, values);
    assert_int_equal(values[sizeof text - 1], 64);
}

static void conditions_are_found(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"if (a(b)) c", ".1111111..."},
        {"x if y: z", "...111..."},
        {"If it rains, go", ".1111111111...."},
        {"if a\nb", ".111.."},
        {"if x.y z", ".1111111"},
        {"go if so. No", "....1111...."},
        {"iffy elif gif", "............."},
        {"if", ".1"},
        {"i", "."},
    };
    CHECK(PROPERTY_IF, cases);
}

static void comments_are_found(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"a /* b */ c", "...11111..."},   {"a // b\nc", "...111.."},
        {"x /*/ y", "...1111"},           {"see http://a b", ".............."},
        {"a # b\nc", "..111.."},          {"#include a#b", "............"},
        {"<!-- a --> b", "...111111..."}, {"/* a *//* b */", ".11111..11111."},
    };
    CHECK(PROPERTY_COMMENT, cases);
}

static void lines_have_positions(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"abc\nde\n", "123.12."}, {"\n\na", "..1"}, {"\xC3\xA9z", "112"}};
    CHECK(PROPERTY_POSITION, cases);
}

static void lines_have_ends(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"0123456789\nab", ".111111111..."},
        {"a\n\n", "1.."},
        {"a", "."},
        {"0\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\n",
         "11111111111111111."},
    };
    CHECK(PROPERTY_LINE_END, cases);
}

static void indentation_is_measured(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"  a b\nc", "12222.."}, {"\ta\n", "88."}, {" \ta", "188"}};
    CHECK(PROPERTY_INDENT, cases);
}

static void words_and_capitals_are_found(void **state)
{
    (void)state;
    static const char *const words[][2] = {{"a bc, d_e 1", "1.1...1...1"},
                                           {"\xC3\x89t\xC3\xA9", "11..."}};
    static const char *const upper[][2] = {{"aB\xC3\x89\xC3\xA9 1", ".111...."}};
    CHECK(PROPERTY_WORD, words);
    CHECK(PROPERTY_UPPER, upper);
}

/* Marks that open and never close must not make the work grow with the square of the text. */
static void many_open_marks_are_read_soon(void **state)
{
    (void)state;
    enum { LEN = 1 << 16 };
    static char text[LEN];
    static int16_t values[LEN];
    static const char *const opening[] = {"'a ", "\"",   "/*", "<!--",
                                          "if ", "if (", "( ", "\xC2\xAB"};
    for (size_t o = 0; o < sizeof opening / sizeof *opening; o++) {
        const size_t len = strlen(opening[o]);
        for (size_t i = 0; i + len <= LEN; i += len)
            memcpy(text + i, opening[o], len);
        for (int p = 0; p < PROPERTY_COUNT; p++)
            property_read((enum property)p, text, LEN / len * len, values);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(quotes_are_found),
        cmocka_unit_test(brackets_are_found),
        cmocka_unit_test(depth_is_counted),
        cmocka_unit_test(brackets_too_deep_do_no_harm),
        cmocka_unit_test(conditions_are_found),
        cmocka_unit_test(comments_are_found),
        cmocka_unit_test(lines_have_positions),
        cmocka_unit_test(lines_have_ends),
        cmocka_unit_test(indentation_is_measured),
        cmocka_unit_test(words_and_capitals_are_found),
        cmocka_unit_test(many_open_marks_are_read_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
