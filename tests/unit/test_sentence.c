/* Cutting texts into sentences: where they end, where they do not, and that nothing is lost. */
#include <string.h>

#include "base/rng.h"
#include "text/sentence.h"
#include "text/utf8.h"
#include "unit.h"

/* The sentences of `text` in the language, with "|" in between. */
static const char *cut(const char *language, const char *text)
{
    static char joined[2000];
    size_t len = 0, offset = 0;
    struct sentence sentence;
    joined[0] = '\0';
    while (sentence_next(text, strlen(text), sentence_rules_of(language), &offset, &sentence))
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
        {"One\xe2\x80\xa9two", "One|two"},
        {"He said \"Go.\" Then he went.", "He said \"Go.\"|Then he went."},
        {"(It rains.) We stay.", "(It rains.)|We stay."},
        {"\xc2\xab Oui. \xc2\xbb Il part.", "\xc2\xab Oui. \xc2\xbb|Il part."},
        {"\xe4\xbb\x96\xe8\xb5\xb0\xe3\x80\x82\xe6\x88\x91\xe6\x9d\xa5\xe3\x80\x82",
         "\xe4\xbb\x96\xe8\xb5\xb0\xe3\x80\x82|\xe6\x88\x91\xe6\x9d\xa5\xe3\x80\x82"},
        {"Wait\xe2\x80\xa6 What?", "Wait\xe2\x80\xa6|What?"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(cut(NULL, cases[i][0]), cases[i][1]);
}

/* `expected` has "|" for the space at each boundary. */
static void is_cut(const char *language, const char *expected)
{
    char text[2000];
    snprintf(text, sizeof text, "%s", expected);
    for (char *at = text; *at; at++)
        *at = *at == '|' ? ' ' : *at;
    if (strcmp(cut(language, text), expected) != 0)
        fail_msg("%s: \"%s\" instead of \"%s\"", language ? language : "any", cut(language, text),
                 expected);
}

static void languages_have_their_own_rules(void **state)
{
    (void)state;
    static const char *const any[] = {
        "Dr. No met Prof. Smith.|They talked.",
        "J. S. Bach wrote it.|It is long.",
        "See e.g. Smith.|Or Jones.",
        "It is 5.|Then it is 6.",
        "Quoi ?|Rien !",
        "1. First",
        "Visit www.example.com now.|Please.",
        "\"Go!\" he said.|She went.",
        "Wait... what?|No!",
        "a.b.c",
        "It costs 3.50.|No more.",
        "He left. \xe2\x80\x94 nobody knew.",
        "What?!|Never\xe2\x80\xa6|Ever.",
        "No. 5 is alive.|Fig. 12 is missing.",
        "\xd0\x94\xd0\xb0.|\xd0\x9d\xd0\xb5\xd1\x82.",                /* Cyrillic */
        "\xd9\x85\xd8\xa7\xd8\xb0\xd8\xa7\xd8\x9f|\xd9\x84\xd8\xa7.", /* Arabic */
        "\xe0\xa4\x95\xe0\xa5\x8c\xe0\xa4\xa8\xe0\xa5\xa4|\xe0\xa4\xae\xe0\xa5\x88\xe0\xa4\x82.",
        "<b>One.</b>|<i>Two.</i>",
        "I like it. :) me too.",
    };
    static const char *const english[] = {
        "Mr. Smith and Dr. No met Mrs. Brown.|They left.",
        "It costs 3.50 in the U.S. Or so.",
        "He lives in the U.S.|He likes it.",
        "She works at Apple Inc.|The office is big.",
        "She works at Apple Inc. Tim knows her.",
        "It was I.|We left.",
        "George W. Bush spoke.|Nobody listened.",
        "This is plan B.|The other one failed.",
        "We met at 5 p.m. on Jan. 3.|It rained.",
        "We met at 5 p.m.|Then we ate.",
        "He said no.|Then he left.",
        "The cat sat.|The dog stood.",
        "Look at the sun.|It shines.",
        "Fish, meat, etc. are here.|Take some.",
        "Sgt. Pepper, Lt. Uhura and Gen. Lee came.|All of them.",
        "See fig. 3, vol. 2, pp. 5 and 6.|It is clear.",
        "\xe2\x80\x9cGo.\xe2\x80\x9d|He went.",
        "\"Is that you?\" asked Tom.|\"Yes!\" she said.",
        "He asked, \"Why?\"|\"Because,\" she said.",
        "Ph.D. students know.|So do we.",
    };
    static const char *const french[] = {
        "M. Dupont et Mme. Martin sont l\xc3\xa0.|Ils mangent.",
        "J'ai vu Mlle Rose, le Dr. Paul et le prof. Jean.|C'est tout.",
        "Il demanda \xc2\xab Pourquoi ? \xc2\xbb et partit.|Elle resta.",
        "Voir p. 12, art. 3, etc.|Il faut lire.",
        "Le 3 janv. 2020, il part.|Elle reste.",
        "Cela a eu lieu avant J.-C. et apr\xc3\xa8s.|On le sait.",
        "Ouvrez !|\xc3\x89"
        "coutez-moi.",
        "Ah ?|Oui.",
    };
    static const char *const german[] = {
        "Am 3. Mai 1990 kam er.|Sie ging.",
        "Der 2. Weltkrieg war lang.|Er endete 1945.",
        "Das ist z.B. Wasser.|Man trinkt es.",
        "Hr. M\xc3\xbcller und Dr. med. Schmidt kommen.|Wir warten.",
        "Brot, Milch usw.|Das ist alles.",
        "Er sagte: \xe2\x80\x9eGeh!\xe2\x80\x9c|Sie ging.",
        "Es kostet ca. 5 Euro, d.h. wenig.|Gut so.",
        "Er wurde 5.|Dann 6.",
    };
    for (size_t i = 0; i < sizeof any / sizeof any[0]; i++)
        is_cut(NULL, any[i]);
    for (size_t i = 0; i < sizeof english / sizeof english[0]; i++)
        is_cut("en-GB", english[i]);
    for (size_t i = 0; i < sizeof french / sizeof french[0]; i++)
        is_cut("fr", french[i]);
    for (size_t i = 0; i < sizeof german / sizeof german[0]; i++)
        is_cut("de", german[i]);
}

static void is_space_or_sentence(const char *text, size_t len)
{
    size_t offset = 0, before = 0;
    struct sentence sentence;
    while (sentence_next(text, len, sentence_rules_of("en"), &offset, &sentence)) {
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
        cmocka_unit_test(languages_have_their_own_rules),
        cmocka_unit_test(any_text_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
