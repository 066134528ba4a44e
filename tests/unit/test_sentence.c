/* Cutting texts into sentences: where they end, where they do not, and that nothing is lost. */
#include <string.h>

#include "base/rng.h"
#include "text/sentence.h"
#include "text/utf8.h"
#include "unit.h"

/* The sentences of `text`, with "|" in between. */
static const char *cut(const char *text)
{
    static char joined[2000];
    size_t len = 0, offset = 0;
    struct sentence sentence;
    joined[0] = '\0';
    while (sentence_next(text, strlen(text), &offset, &sentence))
        len += (size_t)snprintf(joined + len, sizeof joined - len, "%s%.*s", len ? "|" : "",
                                (int)(sentence.end - sentence.begin), text + sentence.begin);
    return joined;
}

static void ends_are_found(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", ""},
        {" \t\n ", ""},
        {"One", "One"},
        {" One. ", "One."},
        {"One. Two.", "One.|Two."},
        {"Really?! Yes... No.", "Really?!|Yes...|No."},
        {"One\ntwo", "One|two"},
        {"One \r\n\r\n two.", "One|two."},
        {"He said \"Go.\" Then he went.", "He said \"Go.\"|Then he went."},
        {"(It rains.) We stay.", "(It rains.)|We stay."},
        {"\xc2\xab Oui. \xc2\xbb Il part.", "\xc2\xab Oui. \xc2\xbb|Il part."},
        {"\xe4\xbb\x96\xe8\xb5\xb0\xe3\x80\x82\xe6\x88\x91\xe6\x9d\xa5\xe3\x80\x82",
         "\xe4\xbb\x96\xe8\xb5\xb0\xe3\x80\x82|\xe6\x88\x91\xe6\x9d\xa5\xe3\x80\x82"},
        {"Wait\xe2\x80\xa6 What?", "Wait\xe2\x80\xa6|What?"},
        {"It is 5. Then it is 6.", "It is 5.|Then it is 6."},
        {"It was I. We left.", "It was I.|We left."},
        {"Quoi ? Rien !", "Quoi ?|Rien !"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(cut(cases[i][0]), cases[i][1]);
}

static void false_ends_are_not(void **state)
{
    (void)state;
    static const char *const whole[] = {
        "Mr. Smith and Dr. No met Mrs. Brown.",
        "J. S. Bach wrote it.",
        "It costs 3.50 in the U.S. Or so.",
        "See e.g. Smith.",
        "1. First",
        "Visit www.example.com now.",
        "\"Go!\" he said.",
        "Wait... what?",
        "He asked \xc2\xab Pourquoi ? \xc2\xbb et partit.",
        "No. 5 is alive.",
        "a.b.c",
    };
    for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++)
        assert_string_equal(cut(whole[i]), whole[i]);
}

static void is_space_or_sentence(const char *text, size_t len)
{
    size_t offset = 0, before = 0;
    struct sentence sentence;
    while (sentence_next(text, len, &offset, &sentence)) {
        assert_true(sentence.begin >= before && sentence.begin < sentence.end);
        assert_int_equal(offset, sentence.end);
        assert_true(sentence.end <= len);
        /* Cuts are between characters. */
        assert_int_equal(utf8_valid_length(text + sentence.begin, sentence.end - sentence.begin),
                         sentence.end - sentence.begin);
        before = sentence.end;
    }
}

static void any_text_is_cut_between_characters(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 11, 0);
    static const char *const parts[] = {". ",
                                        "! ",
                                        "?",
                                        "\xe3\x80\x82",
                                        " \xc2\xbb",
                                        "\"",
                                        "Mr. ",
                                        "I.",
                                        "\n",
                                        "\xe2\x80\xa8",
                                        "1. ",
                                        "x",
                                        "Y",
                                        " ",
                                        ".",
                                        "\xc3\x89",
                                        "\xf0\x9f\x98\x80"};
    for (int round = 0; round < 2000; round++) {
        char text[600];
        size_t len = 0, count = rng_below(&rng, 60);
        for (size_t i = 0; i < count; i++) {
            const char *part = parts[rng_below(&rng, sizeof parts / sizeof parts[0])];
            memcpy(text + len, part, strlen(part));
            len += strlen(part);
        }
        is_space_or_sentence(text, len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_are_found),
        cmocka_unit_test(false_ends_are_not),
        cmocka_unit_test(any_text_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
