/* Spans: what is protected by its form, by the vocabulary and by a glossary, and what is not. */
#include <string.h>

#include "../fault/fault.h"
#include "base/rng.h"
#include "text/span.h"
#include "text/utf8.h"
#include "unit.h"

/* The spans of `text`, with "|" in between, each with a letter for its kind in front. */
static const char *find(const char *text, const struct glossary *glossary)
{
    static char joined[2000];
    static const char kinds[] = {[SPAN_WORD] = 'w', [SPAN_NUMBER] = 'n', [SPAN_MARK] = 'm'};
    struct span_list list = {.count = 0};
    struct err err = ERR_INIT;
    size_t len = 0;
    joined[0] = '\0';
    assert_fine(span_find(text, strlen(text), NULL, 0, glossary, &list, &err), err);
    for (size_t i = 0; i < list.count; i++)
        len += (size_t)snprintf(joined + len, sizeof joined - len, "%s%c:%.*s", len ? "|" : "",
                                kinds[list.spans[i].kind], (int)list.spans[i].output_len,
                                list.spans[i].output);
    span_list_release(&list);
    return joined;
}

static void forms_are_known(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"See https://a.example/x_(y)?q=1&r=%20#z, please.",
         "w:https://a.example/x_(y)?q=1&r=%20#z"},
        {"(see http://a.example/b)", "w:http://a.example/b"},
        {"at www.example.org.", "w:www.example.org"},
        {"Write to a.b+c@d-e.example.org!", "w:a.b+c@d-e.example.org"},
        {"example.com/path and report.pdf", "w:example.com/path|w:report.pdf"},
        {"in /usr/share, ~/x or C:\\dir\\y", "w:/usr/share|w:~/x|w:C:\\dir\\y"},
        {"{name} {{user}} ${HOME} #{x} %{y} $(z) $PATH",
         "w:{name}|w:{{user}}|w:${HOME}|w:#{x}|w:%{y}|w:$(z)|w:$PATH"},
        {"%s %d %5.2f %1$s %(name)s %@ %-3i %NAME%",
         "w:%s|n:%d|n:%5.2f|w:%1$s|w:%(name)s|w:%@|n:%-3i|w:%NAME%"},
        {"@alice and #tag", "w:@alice|w:#tag"},
        {"`a b` and main()", "w:`a b`|w:main()"},
        {"MP3 v1.2.3 F-16 x86_64 10GB 3D 12T14",
         "w:MP3|w:v1.2.3|w:F-16|w:x86_64|w:10GB|w:3D|w:12T14"},
        {"3 3.14 1,234,567 12/05/2021 14:30 1990-1995",
         "n:3|n:3.14|n:1,234,567|n:12/05/2021|n:14:30|n:1990-1995"},
        {"+33 6 12 34 56 78, 01 23 45 67 89 or 1 000 000",
         "n:+33 6 12 34 56 78|n:01 23 45 67 89|n:1 000 000"},
        {"14h30, $5.99, 5\xe2\x82\xac, -12 and 50%", "n:14h30|n:$5.99|n:5\xe2\x82\xac|n:-12|n:50"},
        {"<b>x</b> <br/> <a href=\"y\">z</a> &amp; &#39;",
         "m:<b>|m:</b>|m:<br/>|m:<a href=\"y\">|m:</a>|m:&amp;|m:&#39;"},
        {"\xf0\x9f\x98\x80\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7 ok \xe2\x9d\xa4\xef\xb8\x8f",
         "m:\xf0\x9f\x98\x80\xf0\x9f\x91\xa9\xe2\x80\x8d\xf0\x9f\x91\xa7|m:"
         "\xe2\x9d\xa4\xef\xb8\x8f"},
        {"Well :-) <3", "m::-)|m:<3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(find(cases[i][0], NULL), cases[i][1]);
}

static void words_are_not(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "Nothing here. Nothing there!",
        "It's the end.The rest, and/or more; e.g. this.",
        "the 1st, 2nd, 20th and 21e",
        "a < b > c",
        "Say {it",
        "U.S.A. and Mr. Smith's well-known O'Brien",
        "he said: (yes) - no",
        "",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_string_equal(find(texts[i], NULL), "");
    assert_string_equal(find("I am 100% sure", NULL), "n:100");
}

static void terms_are_whole_words(void **state)
{
    (void)state;
    static const struct glossary_term terms[] = {
        {.source = "house", .source_len = 5, .target = "DEMEURE", .target_len = 7},
        {.source = "white house", .source_len = 11, .target = "WH", .target_len = 2},
        {.source = "\xc3\xa9t\xc3\xa9", .source_len = 5, .target = "summer", .target_len = 6},
        {.source = "C++", .source_len = 3, .target = "C++", .target_len = 3},
    };
    const struct glossary glossary = {.terms = terms, .count = 4};
    assert_string_equal(find("The house, a household, the white house.", &glossary),
                        "w:DEMEURE|w:WH");
    assert_string_equal(find("House of C++", &glossary), "w:DEMEURE|w:C++");
    assert_string_equal(find("\xc3\x89t\xc3\xa9 ou \xc3\xa9t\xc3\xa9s", &glossary), "w:summer");
    assert_string_equal(find("http://house.example/house", &glossary),
                        "w:http://house.example/house");
}

static void the_unknown_is_protected(void **state)
{
    (void)state;
    static const char text[] = "na\xc3\xafve ab zz, yy ef \xe2\x86\x92";
    static const struct span_range unknown[] = {{2, 4}, {10, 12}, {14, 16}, {20, 23}};
    struct span_list list = {.count = 0};
    struct err err = ERR_INIT;
    assert_fine(span_find(text, sizeof text - 1, unknown, 4, NULL, &list, &err), err);
    assert_int_equal(list.count, 3);
    assert_int_equal(list.spans[0].begin, 0); /* the whole word */
    assert_int_equal(list.spans[0].end, 6);
    assert_int_equal(list.spans[1].begin, 10); /* two words and what is between them */
    assert_int_equal(list.spans[1].end, 16);
    assert_int_equal(list.spans[1].output_len, 6);
    assert_int_equal(list.spans[2].kind, SPAN_MARK);
    span_list_release(&list);
}

static void spans_are_apart_and_whole_characters(void **state)
{
    (void)state;
    static const char *const parts[] = {"http://",  "a", ".b", "@",
                                        "{",        "}", "<",  ">",
                                        "b",        "/", " ",  "1",
                                        "2",        ",", "%s", "\xf0\x9f\x98\x80",
                                        "\xc3\xa9", "&", ";",  "\xe2\x80\x8d",
                                        "`",        "$", "(",  ")",
                                        ":",        "h"};
    struct span_list list = {.count = 0};
    struct rng rng;
    rng_seed(&rng, 3, 0);
    for (int round = 0; round < 3000; round++) {
        char text[400];
        size_t len = 0, last = 0, count = rng_below(&rng, 40);
        struct err err = ERR_INIT;
        for (size_t i = 0; i < count; i++) {
            const char *part = parts[rng_below(&rng, sizeof parts / sizeof parts[0])];
            memcpy(text + len, part, strlen(part));
            len += strlen(part);
        }
        assert_fine(span_find(text, len, NULL, 0, NULL, &list, &err), err);
        for (size_t i = 0; i < list.count; last = list.spans[i++].end) {
            const struct span *span = &list.spans[i];
            assert_true(span->begin >= last && span->end > span->begin && span->end <= len);
            assert_ptr_equal(span->output, text + span->begin);
            assert_int_equal(utf8_valid_length(span->output, span->output_len), span->output_len);
        }
    }
    span_list_release(&list);
}

static int find_some(void *context, struct err *err)
{
    static const char text[] = "1 {a} 2 {b} 3 {c} 4 {d} 5 {e} 6 {f}";
    struct span_list list = {.count = 0};
    (void)context;
    int rc = span_find(text, sizeof text - 1, NULL, 0, NULL, &list, err);
    span_list_release(&list);
    return rc;
}

static void lack_of_memory_is_told(void **state)
{
    (void)state;
    fault_loop(find_some, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_are_known),
        cmocka_unit_test(words_are_not),
        cmocka_unit_test(terms_are_whole_words),
        cmocka_unit_test(the_unknown_is_protected),
        cmocka_unit_test(spans_are_apart_and_whole_characters),
        cmocka_unit_test(lack_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
