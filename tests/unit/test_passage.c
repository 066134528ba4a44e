/* Passages: what goes to the decoder, and what is made of the decoder's answers, which these tests
   write themselves: tokens, what each looked at, and how probable it was. */
#include <string.h>

#include "../fault/fault.h"
#include "base/file.h"
#include "model/passage.h"
#include "text/utf8.h"
#include "text/vocab.h"
#include "unit.h"

static struct tokenizer *tokenizer;

/* An answer: its words, and for each token the token of the source that it looked at, -1: the one
   of the same number. Shorter lists go on with -1. */
struct answer {
    const char *text;
    int looks[16];
    size_t look_count;
};

static void add_hypothesis(struct decode_result *result, const struct answer *answer)
{
    struct encoded encoded = {0};
    struct err err = ERR_INIT;
    struct hypothesis *hypothesis = &result->hypotheses[result->count++];
    assert_fine(tokenizer_encode(tokenizer, answer->text, strlen(answer->text), &encoded, &err),
                err);
    hypothesis->count = encoded.count;
    hypothesis->ids = mem_alloc(encoded.count, sizeof *hypothesis->ids, &err);
    hypothesis->log_probabilities =
        mem_alloc(encoded.count, sizeof *hypothesis->log_probabilities, &err);
    hypothesis->attention =
        mem_alloc(encoded.count * result->source_count, sizeof *hypothesis->attention, &err);
    for (size_t t = 0; t < encoded.count; t++) {
        int look = t < answer->look_count ? answer->looks[t] : -1;
        size_t s = look < 0 ? t : (size_t)look;
        hypothesis->ids[t] = encoded.tokens[t].id;
        hypothesis->log_probabilities[t] = -0.125F;
        hypothesis->attention[t * result->source_count +
                              (s < result->source_count ? s : result->source_count - 1)] = 1;
    }
    hypothesis->log_probability = -0.125F * (float)(encoded.count + 1);
    hypothesis->score = -0.125F * (float)result->count;
    encoded_release(&encoded);
}

static void answer_unit(struct passage_unit *unit, const struct answer *answers, size_t count)
{
    struct err err = ERR_INIT;
    unit->result = mem_alloc(1, sizeof *unit->result, &err);
    assert_non_null(unit->result);
    unit->result->source_count = unit->count;
    for (size_t i = 0; i < count; i++)
        add_hypothesis(unit->result, &answers[i]);
}

static const struct passage_options usual = {.decode = {.beam = 2, .nbest = 2, .length_penalty = 1},
                                             .ranges = true};

/* The result of a text of one unit. */
static void write_answers(const char *text, const struct passage_options *options,
                          const struct answer *answers, size_t count, struct passage_result *result)
{
    struct passage *passage;
    struct err err = ERR_INIT;
    *result = (struct passage_result){.ranges = NULL};
    assert_fine(passage_new(&passage, tokenizer, text, strlen(text), options, &err), err);
    assert_int_equal(passage_unit_count(passage), 1);
    answer_unit(passage_unit(passage, 0), answers, count);
    assert_fine(passage_write(passage, result, &err), err);
    passage_free(passage);
}

static const char *text_of(const struct passage_result *result, size_t rank)
{
    static char text[2000];
    const struct passage_alternative *alternative = &result->alternatives[rank];
    snprintf(text, sizeof text, "%.*s", (int)(alternative->end - alternative->begin),
             result->text.data ? result->text.data + alternative->begin : "");
    return text;
}

static void translates(const char *text, struct answer answer, const char *expected)
{
    struct passage_result result;
    write_answers(text, &usual, &answer, 1, &result);
    assert_string_equal(text_of(&result, 0), expected);
    passage_result_release(&result);
}

static void stand_ins_give_way(void **state)
{
    (void)state;
    translates("I see {name} here.", (struct answer){.text = "je vois Tom ici."},
               "je vois {name} ici.");
    translates("I see {name} and %s here.", (struct answer){.text = "je vois Tokyo et Tom ici."},
               "je vois %s et {name} ici.");
    translates("I see 1,234 here.", (struct answer){.text = "je vois 50 ici."},
               "je vois 1,234 ici.");
    /* A number of the vocabulary stands for itself. */
    translates("I see 50 here.", (struct answer){.text = "je vois 50 ici."}, "je vois 50 ici.");
    translates("I see {a}{b} here.", (struct answer){.text = "je vois Tom ici."},
               "je vois {a}{b} ici.");
    /* So does every unknown word. */
    translates("I see zyx here.", (struct answer){.text = "je vois Tom ici."}, "je vois zyx ici.");
}

static void the_attention_finds_what_is_missing(void **state)
{
    (void)state;
    /* "ici" was made from the third token: it gives way. */
    translates("I see {name} here.",
               (struct answer){.text = "je vois ici.", .looks = {0, 1, 2, 4}, .look_count = 4},
               "je vois {name}.");
    /* Nothing was: the span goes behind the first word, which looked at it as little as any. */
    translates("I see {name} here.",
               (struct answer){.text = "je vois ici.", .looks = {0, 1, 3, 4}, .look_count = 4},
               "je {name} vois ici.");
    translates("I see {name} here.", (struct answer){.text = ""}, "{name}");
    /* Of two the one that looked at it stays. */
    translates("I see {name} here.",
               (struct answer){.text = "Tom je vois Tom.", .looks = {0, 0, 1, 2}, .look_count = 4},
               "je vois {name}.");
}

static void marks_go_with_their_words(void **state)
{
    (void)state;
    translates("I <b>see</b> it here.",
               (struct answer){.text = "ici je vois.", .looks = {3, 0, 1, 4}, .look_count = 4},
               "ici je <b>vois</b>.");
    translates("I see \xf0\x9f\x98\x80 it.",
               (struct answer){.text = "je vois.", .looks = {0, 1, 3}, .look_count = 3},
               "je vois \xf0\x9f\x98\x80.");
    translates("<p>I see.</p>", (struct answer){.text = "je vois."}, "<p>je vois.</p>");
    translates("\xf0\x9f\x98\x80 I see. \xf0\x9f\x98\x80", (struct answer){.text = "je vois."},
               "\xf0\x9f\x98\x80 je vois. \xf0\x9f\x98\x80");
    translates("I <b>see {x}</b> here.",
               (struct answer){.text = "je vois Tom ici.", .looks = {0, 1, 2, 3}, .look_count = 4},
               "je <b>vois {x}</b> ici.");
    translates("I see<br>it.",
               (struct answer){.text = "je vois.", .looks = {0, 1, 3}, .look_count = 3},
               "je vois<br>.");
}

static void a_glossary_is_followed(void **state)
{
    (void)state;
    static const struct glossary_term terms[] = {
        {.source = "here", .source_len = 4, .target = "en ce lieu", .target_len = 10},
        {.source = "zyx", .source_len = 3, .target = "", .target_len = 0}};
    const struct glossary glossary = {.terms = terms, .count = 2};
    struct passage_options options = usual;
    options.glossary = &glossary;
    const struct answer answer = {.text = "je vois Tom."};
    struct passage_result result;
    write_answers("I see here.", &options, &answer, 1, &result);
    assert_string_equal(text_of(&result, 0), "je vois en ce lieu.");
    passage_result_release(&result);
    /* Also where nothing else is a word. */
    struct passage *passage;
    struct err err = ERR_INIT;
    assert_fine(passage_new(&passage, tokenizer, "(here)\n", 7, &options, &err), err);
    assert_int_equal(passage_unit_count(passage), 0);
    result = (struct passage_result){.ranges = NULL};
    assert_fine(passage_write(passage, &result, &err), err);
    assert_string_equal(text_of(&result, 0), "(en ce lieu)\n");
    passage_result_release(&result);
    passage_free(passage);
}

static void whole_alternatives_come_first(void **state)
{
    (void)state;
    static const struct answer answers[] = {{.text = "je vois ici."}, {.text = "vois Tom ici."}};
    struct passage_result result;
    write_answers("I see {name} here.", &usual, answers, 2, &result);
    assert_int_equal(result.alternative_count, 1);
    assert_string_equal(text_of(&result, 0), "vois {name} ici.");
    assert_true(result.alternatives[0].score == -0.25);
    passage_result_release(&result);
    /* Without one, all are. */
    static const struct answer broken[] = {{.text = "je vois ici."}, {.text = "vois ici."}};
    write_answers("I see {name} here.", &usual, broken, 2, &result);
    assert_int_equal(result.alternative_count, 2);
    passage_result_release(&result);
}

static void copies(const char *text)
{
    struct passage *passage;
    struct passage_result result = {.ranges = NULL};
    struct err err = ERR_INIT;
    assert_fine(passage_new(&passage, tokenizer, text, strlen(text), &usual, &err), err);
    assert_int_equal(passage_unit_count(passage), 0);
    assert_fine(passage_write(passage, &result, &err), err);
    assert_string_equal(text_of(&result, 0), text);
    assert_true(result.alternatives[0].score == 0 && result.quality == 1);
    assert_int_equal(result.cut_count, 0);
    passage_result_release(&result);
    passage_free(passage);
}

static void what_has_no_words_is_copied(void **state)
{
    (void)state;
    copies("");
    copies(" \t\r\n\n ");
    copies("...?! -- (...)");
    copies(" \xf0\x9f\x98\x80 \xf0\x9f\x98\x80!\n\n");
    copies("12 34\n5,6");
    copies("https://example.org/x?y=z\n{name} %s");
    copies(
        "\xd0\x9f\xd1\x80\xd0\xb8\xd0\xb2\xd0\xb5\xd1\x82, \xe4\xbd\xa0\xe5\xa5\xbd\xe3\x80\x82");
}

static void ranges_tell_what_came_from_where(void **state)
{
    (void)state;
    static const struct answer answer = {.text = "je vois Tom ici."};
    static const size_t expected[][4] = {
        {0, 1, 0, 2}, {1, 5, 2, 7}, {7, 13, 8, 14}, {13, 18, 14, 18}, {18, 19, 18, 19}};
    struct passage_result result;
    write_answers("I see  {name} here.\n", &usual, &answer, 1, &result);
    assert_string_equal(text_of(&result, 0), "je vois {name} ici.\n");
    assert_int_equal(result.range_count, 5);
    assert_true(result.aligned);
    for (size_t i = 0; i < 5; i++) {
        const struct passage_range *range = &result.ranges[i];
        assert_int_equal(range->source_begin, expected[i][0]);
        assert_int_equal(range->source_end, expected[i][1]);
        assert_int_equal(range->target_begin, expected[i][2]);
        assert_int_equal(range->target_end, expected[i][3]);
        assert_true(range->log_probability == -0.125);
    }
    assert_true(result.quality > 0.78 && result.quality < 0.8);
    passage_result_release(&result);
}

/* Answers each unit with its own source. */
static void echo(struct passage *passage, struct passage_result *result)
{
    struct err err = ERR_INIT;
    for (size_t i = 0; i < passage_unit_count(passage); i++) {
        struct passage_unit *unit = passage_unit(passage, i);
        struct buf text = BUF_INIT;
        assert_true(unit->count > 0 && unit->count <= DECODE_MAX_SOURCE);
        assert_fine(tokenizer_decode(tokenizer, unit->ids, unit->count, &text, &err), err);
        const struct answer answer = {.text = text.data};
        answer_unit(unit, &answer, 1);
        buf_release(&text);
    }
    *result = (struct passage_result){.ranges = NULL};
    assert_fine(passage_write(passage, result, &err), err);
}

static void check_echo(const char *text, const struct passage_options *options, size_t units,
                       const struct span_range *cuts, size_t cut_count)
{
    struct passage *passage;
    struct passage_result result;
    struct err err = ERR_INIT;
    assert_fine(passage_new(&passage, tokenizer, text, strlen(text), options, &err), err);
    assert_int_equal(passage_unit_count(passage), units);
    echo(passage, &result);
    assert_int_equal(result.text.len, strlen(text));
    assert_memory_equal(result.text.data, text, strlen(text));
    assert_int_equal(result.cut_count, cut_count);
    for (size_t i = 0; cuts && i < cut_count; i++) {
        assert_int_equal(result.cuts[i].begin, cuts[i].begin);
        assert_int_equal(result.cuts[i].end, cuts[i].end);
    }
    passage_result_release(&result);
    passage_free(passage);
}

static void long_sentences_are_cut(void **state)
{
    (void)state;
    static char text[20000];
    size_t len = 0;
    /* 1,200 words: white space is all there is to cut at. */
    while (len < 1200 * 4)
        len += (size_t)snprintf(text + len, sizeof text - len, "see ");
    text[len - 1] = '\0';
    check_echo(text, &usual, 3, NULL, 3);
    /* A comma in the second half is better. */
    text[400 * 4 - 1] = ',';
    text[400 * 4] = ' ';
    static const struct span_range first[] = {{0, 1600}};
    struct passage *passage;
    struct passage_result result;
    struct err err = ERR_INIT;
    assert_fine(passage_new(&passage, tokenizer, text, len - 1, &usual, &err), err);
    echo(passage, &result);
    assert_int_equal(result.cuts[0].end, first[0].end);
    assert_int_equal(result.cut_count, 3);
    passage_result_release(&result);
    passage_free(passage);
    /* Nothing to cut at at all. */
    memset(text, '.', 3000);
    memcpy(text, "see", 3);
    text[3000] = '\0';
    check_echo(text, &usual, 1, NULL, 2);
}

static void clauses_are_cut_where_models_want_short_ones(void **state)
{
    (void)state;
    struct passage_options options = usual;
    options.clause_tokens = 6;
    static const struct span_range cuts[] = {{0, 10}, {11, 33}, {34, 42}};
    check_echo("I see you, here and now I see it, here it.", &options, 3, cuts, 3);
    check_echo("I see it.", &options, 1, NULL, 0);
    check_echo("I see it here and here and here and here.", &options, 1, NULL, 0);
}

static void more_spans_than_stand_ins_cut_too(void **state)
{
    (void)state;
    check_echo("I see 50", &usual, 1, NULL, 0);
    struct passage *passage;
    struct passage_result result;
    struct err err = ERR_INIT;
    static const char text[] = "see {a} {b} {c} {d} {e} {f} {g} {h} {i} {j} here";
    assert_fine(passage_new(&passage, tokenizer, text, sizeof text - 1, &usual, &err), err);
    assert_int_equal(passage_unit_count(passage), 2);
    echo(passage, &result);
    assert_string_equal(text_of(&result, 0), text);
    assert_int_equal(result.cut_count, 2);
    passage_result_release(&result);
    passage_free(passage);
}

static void what_is_not_utf8_is_refused(void **state)
{
    (void)state;
    struct passage *passage;
    struct err err = ERR_INIT;
    assert_int_equal(passage_new(&passage, tokenizer, "a\xff", 2, &usual, &err), ERR_UTF8);
    assert_null(passage);
}

static int run_passage(void *context, struct err *err)
{
    static const char text[] = "I see {name}, <b>here</b>. I see 1,234 \xf0\x9f\x98\x80 and.\n 12";
    struct passage *passage;
    (void)context;
    int rc = passage_new(&passage, tokenizer, text, sizeof text - 1, &usual, err);
    passage_free(passage);
    return rc;
}

/* The results are made before memory runs out. */
static int run_write(void *context, struct err *err)
{
    struct passage_result result = {.ranges = NULL};
    int rc = passage_write(context, &result, err);
    passage_result_release(&result);
    return rc;
}

static void lack_of_memory_is_told(void **state)
{
    (void)state;
    static const struct answer answer = {.text = "je vois ici."};
    static const char text[] = "I see {name} <b>here</b>.";
    struct passage *passage;
    struct err err = ERR_INIT;
    fault_loop(run_passage, NULL);
    assert_fine(passage_new(&passage, tokenizer, text, sizeof text - 1, &usual, &err), err);
    answer_unit(passage_unit(passage, 0), &answer, 1);
    fault_loop(run_write, passage);
    passage_free(passage);
}

static int set_up(void **state)
{
    static const char line[] =
        "I see it you here and now . , je vois Tom Tokyo John Paris Kyoto "
        "Boston Jackson Mary et ici en ce 50 100 25 (see)(here), it. vois (it (I";
    const struct vocab_settings settings = {.tokenizer = {TOKEN_WORD, NORM_NFC, false},
                                            .min_count = 1};
    struct err err = ERR_INIT;
    char path[4200];
    struct vocab_learner *learner = vocab_learner_new(&settings, &err);
    if (!learner || scratch_make(state))
        return -1;
    snprintf(path, sizeof path, "%s/vocab.sqlite", (char *)*state);
    if (vocab_learner_add(learner, line, sizeof line - 1, &err) ||
        vocab_learner_save(learner, path, &err) ||
        tokenizer_open(&tokenizer, &settings.tokenizer, path, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return -1;
    }
    vocab_learner_free(learner);
    return 0;
}

static int tear_down(void **state)
{
    tokenizer_free(tokenizer);
    return scratch_remove(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stand_ins_give_way),
        cmocka_unit_test(the_attention_finds_what_is_missing),
        cmocka_unit_test(marks_go_with_their_words),
        cmocka_unit_test(a_glossary_is_followed),
        cmocka_unit_test(whole_alternatives_come_first),
        cmocka_unit_test(what_has_no_words_is_copied),
        cmocka_unit_test(ranges_tell_what_came_from_where),
        cmocka_unit_test(long_sentences_are_cut),
        cmocka_unit_test(clauses_are_cut_where_models_want_short_ones),
        cmocka_unit_test(more_spans_than_stand_ins_cut_too),
        cmocka_unit_test(what_is_not_utf8_is_refused),
        cmocka_unit_test(lack_of_memory_is_told),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
