/* Grapheme clusters: those that the Unicode Standard Annex 29 gives as examples, and their limit.
 */
#include <string.h>

#include "base/buf.h"
#include "text/grapheme.h"
#include "unit.h"

/* The clusters joined by "|". */
static void assert_clusters(const char *text, const char *expected)
{
    const size_t len = strlen(text);
    struct buf joined = BUF_INIT;
    for (size_t at = 0, end; at < len; at = end) {
        end = grapheme_end(text, len, at);
        assert_true(end > at && end <= len);
        buf_printf(&joined, NULL, "%s%.*s", at > 0 ? "|" : "", (int)(end - at), text + at);
    }
    assert_string_equal(joined.data, expected);
    buf_release(&joined);
}

static void characters_that_belong_together_stay_so(void **state)
{
    (void)state;
    assert_clusters("a", "a");
    assert_clusters("ab c", "a|b| |c");
    assert_clusters("a\r\n\n\r\r\nb\r", "a|\r\n|\n|\r|\r\n|b|\r");
    assert_clusters("e\u0301te\u0301", "e\u0301|t|e\u0301");
    assert_clusters("x\u0304\u0323y", "x\u0304\u0323|y");
    assert_clusters("\n\u0301\u0301a", "\n|\u0301\u0301|a");
    assert_clusters("\u0E01\u0E33", "\u0E01\u0E33");              /* Thai SARA AM */
    assert_clusters("\u0BA8\u0BBF\u0B95", "\u0BA8\u0BBF|\u0B95"); /* Tamil */
    assert_clusters("\u1100\u1161\u11A8\uAC00", "\u1100\u1161\u11A8|\uAC00");
    assert_clusters("\U0001F1EB\U0001F1F7\U0001F1E9\U0001F1EA\U0001F1EB",
                    "\U0001F1EB\U0001F1F7|\U0001F1E9\U0001F1EA|\U0001F1EB");
    assert_clusters("\U0001F469\u200D\U0001F467a", "\U0001F469\u200D\U0001F467|a");
    assert_clusters("\U0001F44D\U0001F3FD\U0001F44D", "\U0001F44D\U0001F3FD|\U0001F44D");
    assert_clusters("a\u200Db", "a\u200D|b");
}

/* A letter with many marks is cut at a character, never beyond the limit. */
static void long_clusters_are_cut(void **state)
{
    (void)state;
    for (size_t before = 1; before <= 2; before++) {
        char text[1024];
        size_t len = before, end;
        memcpy(text, before == 1 ? "a" : "\u00E9", before);
        for (; len + 2 <= sizeof text; len += 2)
            memcpy(text + len, "\u0301", 2);
        end = grapheme_end(text, len, 0);
        assert_int_equal(end, before == 1 ? GRAPHEME_MAX - 1 : GRAPHEME_MAX);
        assert_int_equal(grapheme_end(text, len, end), end + GRAPHEME_MAX);
        assert_int_equal(grapheme_end(text, len, len - 2), len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_that_belong_together_stay_so),
        cmocka_unit_test(long_clusters_are_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
