/*
 * Normalisation: known vectors, agreement with utf8proc's own whole-text functions (which do not
 * cut into segments) for every character and for many nasty texts, and the map back to the raw
 * text.
 */
#include <stdbool.h>
#include <string.h>
#include <utf8proc.h>

#include "support/nasty_text.h"
#include "text/norm.h"
#include "text/utf8.h"
#include "unit.h"

static void check(enum norm_form form, bool fold, const char *text, const char *expected)
{
    struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    assert_fine(norm_text(form, fold, text, strlen(text), &out, NULL, &err), err);
    assert_string_equal(out.data ? out.data : "", expected);
    buf_release(&out);
}

static void known_vectors(void **state)
{
    (void)state;
    check(NORM_NFC, false, "", "");
    check(NORM_NFC, false, "e\u0301", "é");
    check(NORM_NFC, false, "\u212B\u2126\uFB01", "\u00C5\u03A9\uFB01");
    check(NORM_NFC, false, "a\u0301\u0323", "\u1EA1\u0301"); /* reordered, then composed */
    check(NORM_NFC, false, "\u1E0B\u0323", "\u1E0D\u0307");
    check(NORM_NFC, false, "\u1100\u1161\u11A8", "\uAC01"); /* Hangul */
    check(NORM_NFC, false, "\uAC00\u11A8", "\uAC01");
    check(NORM_NFC, false, "\u0958", "\u0915\u093C"); /* composition exclusion */
    check(NORM_NFC, false, "\u2ADC", "\u2ADD\u0338");
    check(NORM_NFC, false, "\u0301x", "\u0301x"); /* a lone mark stays */
    check(NORM_NFKC, false, "\uFB01n \u2460 x\u00B2 \uFF76\uFF9E", "fin 1 x2 \u30AC");
    check(NORM_NFKC, false, "\u1E9B\u0323", "\u1E69");
    check(NORM_NFC, true, "Straße STRASSE \u1E9E", "strasse strasse ss");
    check(NORM_NFC, true, "ΣΊΣΥΦΟΣ Σίσυφος", "σίσυφοσ σίσυφοσ");
    check(NORM_NFC, true, "\u0130I", "i\u0307i");
    check(NORM_NFC, true, "\u01F0 \u0390", "\u01F0 \u0390"); /* folds to several, composes */
    check(NORM_NFC, true, "ÉCOLE E\u0301cole", "école école");
    check(NORM_NFKC, true, "\u3392 \u212B", "mhz \u00E5");
    /* Canonically equivalent texts fold alike, though U+0345 folds to a letter. */
    check(NORM_NFC, true, "\u03B1\u0345\u0301", "\u03AC\u03B9");
    check(NORM_NFC, true, "\u03B1\u0301\u0345", "\u03AC\u03B9");
    check(NORM_NFC, true, "\u1FB4", "\u03AC\u03B9");
}

/* The form by utf8proc alone; fold as NFC or NFKC of the folded decomposition. Free with free. */
static char *whole_text(enum norm_form form, bool fold, const char *text, size_t len, size_t *n)
{
    utf8proc_option_t compat = form == NORM_NFKC ? UTF8PROC_COMPAT : 0;
    utf8proc_uint8_t *decomposed = NULL, *result = NULL;
    utf8proc_ssize_t count = utf8proc_map((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len,
                                          &decomposed, UTF8PROC_DECOMPOSE | compat);
    assert_true(count >= 0);
    count =
        utf8proc_map(decomposed, count, &result,
                     UTF8PROC_COMPOSE | UTF8PROC_STABLE | compat | (fold ? UTF8PROC_CASEFOLD : 0));
    assert_true(count >= 0);
    free(decomposed);
    *n = (size_t)count;
    return (char *)result;
}

static void show(const char *what, const char *text, size_t len)
{
    print_message("%s:", what);
    for (size_t i = 0; i < len; i++)
        print_message(" %02X", (unsigned)(unsigned char)text[i]);
    print_message("\n");
}

static void agrees(enum norm_form form, bool fold, const char *text, size_t len)
{
    struct buf out = BUF_INIT, again = BUF_INIT;
    struct err err = ERR_INIT;
    size_t n;
    char *expected = whole_text(form, fold, text, len, &n);

    assert_fine(norm_text(form, fold, text, len, &out, NULL, &err), err);
    if (out.len != n || memcmp(out.data, expected, n) != 0) {
        show("text", text, len);
        show("expected", expected, n);
        show("got", out.data, out.len);
        fail_msg("form %d, fold %d", (int)form, (int)fold);
    }
    assert_fine(norm_text(form, fold, expected, n, &again, NULL, &err), err);
    if (again.len != n || memcmp(again.data, expected, n) != 0) {
        show("not stable", text, len);
        fail_msg("form %d, fold %d", (int)form, (int)fold);
    }
    free(expected);
    buf_release(&out);
    buf_release(&again);
}

static void agrees_on_every_character(void **state)
{
    (void)state;
    for (uint32_t code = 0; code <= 0x10FFFF; code++) {
        char text[4];
        if (code >= 0xD800 && code <= 0xDFFF)
            continue;
        if ((code >= 0x33480 && code < 0xE0000) || code >= 0xE0200)
            code |= 0xFFF; /* without properties: the last of each 4,096 will do */
        size_t len = utf8_encode(code, text);
        for (int way = 0; way < 4; way++)
            agrees(way & 1 ? NORM_NFKC : NORM_NFC, way >> 1, text, len);
    }
}

static void agrees_on_nasty_texts(void **state)
{
    struct rng rng;
    (void)state;
    rng_seed(&rng, 20, 1);
    for (int i = 0; i < 20000; i++) {
        char text[NASTY_TEXT_MAX];
        size_t len = nasty_text(&rng, text);
        agrees(i & 1 ? NORM_NFKC : NORM_NFC, i >> 1 & 1, text, len);
    }
}

/* No part of a decomposition but the first may be a place to cut. */
static void never_cuts_where_characters_combine(void **state)
{
    (void)state;
    for (int32_t code = 0; code <= 0x10FFFF; code++) {
        int32_t parts[32];
        int boundary_class = 0;
        utf8proc_ssize_t n;
        if (code >= 0xD800 && code <= 0xDFFF)
            continue;
        n = utf8proc_decompose_char(code, parts, 32, UTF8PROC_DECOMPOSE, &boundary_class);
        if (n < 2 || utf8proc_get_property(code)->comp_exclusion)
            continue;
        for (utf8proc_ssize_t i = 1; i < n; i++)
            if (norm_boundary_before(NORM_NFC, false, (uint32_t)parts[i]) ||
                norm_boundary_before(NORM_NFKC, true, (uint32_t)parts[i]))
                fail_msg("U+%X in U+%X", (unsigned)parts[i], (unsigned)code);
    }
}

static bool whole_characters(const char *text, size_t len, size_t begin, size_t end)
{
    return (begin == len || ((unsigned char)text[begin] & 0xC0) != 0x80) &&
           (end == len || ((unsigned char)text[end] & 0xC0) != 0x80);
}

/* Every byte's range is of whole characters, they ascend, and normalising the raw range gives what
   the result holds there. */
static void check_map(enum norm_form form, bool fold, const char *text, size_t len)
{
    struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    struct norm_map map = {.spans = NULL};
    struct norm_cursor cursor;
    uint32_t last_begin = 0, last_end = 0;

    assert_fine(norm_text(form, fold, text, len, &out, &map, &err), err);
    norm_cursor_init(&cursor, &map, text);
    for (uint32_t at = 0; at < out.len; at++) {
        uint32_t begin, end;
        norm_cursor_range(&cursor, at, at + 1, &begin, &end);
        assert_true(begin < end && end <= len);
        assert_true(begin >= last_begin && end >= last_end && begin <= last_end);
        assert_true(whole_characters(text, len, begin, end));
        if (begin >= last_end && at > 0) { /* a cut: both sides can be normalised alone */
            struct buf left = BUF_INIT;
            assert_fine(norm_text(form, fold, text, begin, &left, NULL, &err), err);
            assert_int_equal(left.len, at);
            assert_memory_equal(left.data, out.data, at);
            buf_release(&left);
        }
        last_begin = begin;
        last_end = end;
    }
    assert_int_equal(last_end, len);
    buf_release(&out);
    norm_map_release(&map);
}

static void maps_back_to_the_raw_text(void **state)
{
    struct rng rng;
    (void)state;
    rng_seed(&rng, 20, 2);
    for (int i = 0; i < 5000; i++) {
        char text[NASTY_TEXT_MAX];
        size_t len = nasty_text(&rng, text);
        check_map(i & 1 ? NORM_NFKC : NORM_NFC, i >> 1 & 1, text, len);
    }
}

static void ranges_are_small(void **state)
{
    /*                     0         1  3         6      9 */
    const char *text = "ab E\u0301 \uFB01 \u0130";
    static const uint32_t expected[][3] = {
        /* byte of "ab é fi i̇", raw range */
        {0, 0, 1},  {1, 1, 2},  {2, 2, 3},   {3, 3, 6},   {4, 3, 6},    {5, 6, 7},
        {6, 7, 10}, {7, 7, 10}, {8, 10, 11}, {9, 11, 13}, {11, 11, 13},
    };
    struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    struct norm_map map = {.spans = NULL};
    struct norm_cursor cursor;
    (void)state;
    assert_fine(norm_text(NORM_NFKC, true, text, strlen(text), &out, &map, &err), err);
    assert_string_equal(out.data, "ab é fi i\u0307");
    norm_cursor_init(&cursor, &map, text);
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        uint32_t begin, end;
        norm_cursor_range(&cursor, expected[i][0], expected[i][0] + 1, &begin, &end);
        assert_int_equal(begin, expected[i][1]);
        assert_int_equal(end, expected[i][2]);
    }
    buf_release(&out);
    norm_map_release(&map);
}

/* Longer than any inline array, and in the worst order. */
static void sorts_a_flood_of_marks(void **state)
{
    enum { COUNT = 50000 };
    struct buf text = BUF_INIT, out = BUF_INIT;
    struct err err = ERR_INIT;
    struct norm_map map = {.spans = NULL};
    (void)state;
    buf_text(&text, "x", &err);
    for (int i = 0; i < COUNT; i++) /* classes 230 and 220 by turns */
        buf_text(&text, i & 1 ? "\u0323" : "\u0301", &err);
    buf_text(&text, " y", &err);
    assert_fine(norm_text(NORM_NFC, true, text.data, text.len, &out, &map, &err), err);
    assert_int_equal(out.len, text.len);
    for (size_t i = 0; i < COUNT; i++)
        assert_memory_equal(out.data + 1 + 2 * i, i < COUNT / 2 ? "\u0323" : "\u0301", 2);
    assert_string_equal(out.data + out.len - 2, " y");
    norm_map_release(&map);
    buf_release(&out);
    buf_release(&text);
}

static void refuses_what_is_not_utf8(void **state)
{
    struct buf out = BUF_INIT;
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(norm_text(NORM_NFC, false, "abc\xED\xA0\x80", 6, &out, NULL, &err), ERR_UTF8);
    assert_non_null(strstr(err.message, "offset 3"));
    assert_int_equal(out.len, 0);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_vectors),
        cmocka_unit_test(agrees_on_every_character),
        cmocka_unit_test(agrees_on_nasty_texts),
        cmocka_unit_test(never_cuts_where_characters_combine),
        cmocka_unit_test(maps_back_to_the_raw_text),
        cmocka_unit_test(ranges_are_small),
        cmocka_unit_test(sorts_a_flood_of_marks),
        cmocka_unit_test(refuses_what_is_not_utf8),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
