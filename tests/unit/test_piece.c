/* Cutting into pieces: a table of texts, "|" between the pieces. */
#include <stdbool.h>
#include <string.h>

#include "base/buf.h"
#include "support/nasty_text.h"
#include "text/piece.h"
#include "unit.h"

static void cut(const char *text, size_t len, bool single, struct buf *out)
{
    buf_clear(out);
    for (size_t at = 0; at < len;) {
        size_t end = piece_end(text, len, at, single);
        assert_true(end > at && end <= len && end - at <= PIECE_MAX);
        if (at > 0)
            buf_char(out, '|', NULL);
        buf_append(out, text + at, end - at, NULL);
        at = end;
    }
}

static void cuts_by_the_rules(void **state)
{
    static const struct {
        const char *text, *bpe, *word; /* word: NULL where it is the same */
    } cases[] = {
        {" Hello, world!", " Hello|,| world|!", NULL},
        {"a  b   c", "a| | b| | | c", NULL},
        {" end ", " end| ", NULL},
        {"a\t b\r\n c", "a|\t| b|\r|\n| c", NULL},
        {" \t", " |\t", NULL},
        {" x2 3.14 1984th", " x|2| 3|.|14| 1984|th", NULL},
        {" don't l'été", " don|'|t| l|'|été", NULL},
        {" e\u0301te\u0301 e\u0301", " e\u0301te\u0301| e\u0301", NULL},
        {" \u0301x", " \u0301|x", NULL},
        {"\u0301\u0301x", "\u0301|\u0301|x", NULL},
        {"a\u00A0b\u2003c\u3000d\xC2\x85z", "a|\u00A0|b|\u2003|c|\u3000|d|\xC2\x85|z", NULL},
        {" a\u00A0 b", " a|\u00A0| b", NULL},
        {" می\u200cخواهم co\u00ADop a\u200Bb", " می\u200cخواهم| co\u00ADop| a|\u200B|b", NULL},
        {" हिन्दी привет", " हिन्दी| привет", NULL},
        {" x² ½ Ⅻ", " x|²| ½| Ⅻ", NULL},
        {" 日本語 kana かな", " 日本語| kana| かな", " 日|本|語| kana| か|な"},
        {" ก่อน", " ก่อน", " ก่|อ|น"},
        {" 한국어", " 한국어", NULL},
        {"❤\uFE0F!", "❤|\uFE0F|!", NULL},
    };
    struct buf out = BUF_INIT;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        cut(cases[i].text, strlen(cases[i].text), false, &out);
        assert_string_equal(out.data, cases[i].bpe);
        cut(cases[i].text, strlen(cases[i].text), true, &out);
        assert_string_equal(out.data, cases[i].word ? cases[i].word : cases[i].bpe);
    }
    buf_release(&out);
}

static void cuts_long_runs_at_characters(void **state)
{
    struct buf text = BUF_INIT;
    (void)state;
    buf_char(&text, ' ', NULL);
    for (int i = 0; i < 1000; i++)
        buf_text(&text, "日", NULL);
    /* A space and 85 characters of 3 bytes are 256 bytes. */
    assert_int_equal(piece_end(text.data, text.len, 0, false), 256);
    assert_int_equal(piece_end(text.data, text.len, 256, false), 256 + 255);
    buf_release(&text);
}

static void a_nul_is_a_character(void **state)
{
    (void)state;
    assert_int_equal(piece_end("\0\0", 2, 0, false), 1);
    assert_int_equal(piece_end(" \0a", 3, 0, false), 2);
}

static void covers_nasty_texts(void **state)
{
    struct buf out = BUF_INIT;
    struct rng rng;
    (void)state;
    rng_seed(&rng, 21, 1);
    for (int i = 0; i < 20000; i++) {
        char text[NASTY_TEXT_MAX];
        size_t len = nasty_text(&rng, text);
        cut(text, len, i & 1, &out);
    }
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_by_the_rules),
        cmocka_unit_test(cuts_long_runs_at_characters),
        cmocka_unit_test(a_nul_is_a_character),
        cmocka_unit_test(covers_nasty_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
