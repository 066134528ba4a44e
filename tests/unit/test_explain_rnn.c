/* Explanations of recurrent classifiers: what is left out is what is measured, and the parts of an
   attentive pool add up to the logit. */
#include <math.h>
#include <string.h>

#include "fault/fault.h"
#include "model/explain.h"
#include "support/tiny_bundle.h"
#include "unit.h"

static struct model *make_model(const char *scratch, bool attentive)
{
    struct err err = ERR_INIT;
    struct model *model;
    char folder[4200];
    const struct tiny_bundle bundle = {
        .name = "tiny-rnn", .kind = SPEC_RNN, .seed = 5, .attentive = attentive};
    snprintf(folder, sizeof folder, "%s/tiny-rnn", scratch);
    assert_fine(tiny_bundle_write(folder, &bundle, &err), err);
    assert_fine(model_open(&model, folder, &err), err);
    return model;
}

static struct explanation explain(const struct model *model, const char *text, size_t label)
{
    struct err err = ERR_INIT;
    struct explanation explanation;
    assert_fine(model_explain(model, text, strlen(text), label, &explanation, &err), err);
    return explanation;
}

static double log_odds(const struct model *model, const char *text, size_t label)
{
    struct err err = ERR_INIT;
    float p[2];
    assert_fine(model_classify(model, text, strlen(text), p, &err), err);
    return log((double)p[label]) - log((double)p[1 - label]);
}

static void occlusion_leaves_words_out(void **state)
{
    struct model *model = make_model(*state, false);
    static const char text[] = "Great  fun, the \xC3\xA9glise! ";
    static const char *const without[] = {" fun, the \xC3\xA9glise! ", "Great the \xC3\xA9glise! ",
                                          "Great  fun, \xC3\xA9glise! ", "Great  fun, the "};
    static const size_t ranges[][2] = {{0, 5}, {7, 11}, {12, 15}, {16, 24}};
    for (size_t label = 0; label < 2; label++) {
        struct explanation found = explain(model, text, label);
        const double whole = log_odds(model, text, label);
        assert_string_equal(found.method, "occlusion");
        assert_int_equal(found.count, 4);
        for (size_t i = 0; i < 4; i++) {
            assert_int_equal(found.parts[i].begin, ranges[i][0]);
            assert_int_equal(found.parts[i].end, ranges[i][1]);
            assert_true(fabs((double)found.parts[i].weight -
                             (whole - log_odds(model, without[i], label))) < 1e-4);
        }
        explanation_release(&found);
    }
    model_release(model);
}

static void attention_adds_up(void **state)
{
    struct model *model = make_model(*state, true);
    static const char text[] = "A dull mess: nobody should see it.";
    double logits[2];
    for (size_t label = 0; label < 2; label++) {
        struct explanation found = explain(model, text, label), none = explain(model, "", label);
        double sum = (double)found.bias;
        assert_string_equal(found.method, "attention");
        assert_int_equal(found.count, 7);
        for (size_t i = 0; i < found.count; i++)
            sum += (double)found.parts[i].weight;
        assert_true(fabs(sum - (double)found.logit) < 1e-5);
        assert_int_equal(none.count, 0);
        assert_true(fabs((double)none.logit - (double)found.bias) < 1e-6);
        logits[label] = (double)found.logit;
        explanation_release(&none);
        explanation_release(&found);
    }
    assert_true(fabs(logits[1] - logits[0] - log_odds(model, text, 1)) < 1e-4);
    model_release(model);
}

static void long_texts_have_larger_parts(void **state)
{
    struct model *model = make_model(*state, false);
    char text[3000] = "";
    for (size_t i = 0; i < 700; i++)
        strcat(text, i % 3 ? "it " : "was ");
    struct explanation found = explain(model, text, 1);
    assert_int_equal(found.count, 128);
    assert_int_equal(found.parts[0].begin, 0);
    assert_int_equal(found.parts[127].end, strlen(text) - 1);
    for (size_t i = 1; i < found.count; i++)
        assert_int_equal(found.parts[i].begin, found.parts[i - 1].end + 1);
    explanation_release(&found);
    model_release(model);
}

static void nothing_explains_nothing(void **state)
{
    struct err err = ERR_INIT;
    struct model *model = make_model(*state, false);
    struct explanation found = explain(model, "", 0);
    assert_int_equal(found.count, 0);
    assert_true(found.bias == found.logit);
    explanation_release(&found);
    found = explain(model, " \n ", 0);
    assert_int_equal(found.count, 0);
    explanation_release(&found);
    assert_int_equal(model_explain(model, "a", 1, 2, &found, &err), ERR_ARGUMENT);
    err_clear(&err);
    assert_int_equal(model_explain(model, "\xFF", 1, 0, &found, &err), ERR_UTF8);
    model_release(model);
}

static int explain_once(void *context, struct err *err)
{
    struct explanation found;
    const int code = model_explain(context, "Great fun.", 10, 1, &found, err);
    explanation_release(&found);
    return code;
}

static void memory_may_run_out(void **state)
{
    for (int attentive = 0; attentive < 2; attentive++) {
        struct model *model = make_model(*state, attentive);
        assert_true(fault_loop(explain_once, model) > 10);
        model_release(model);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(occlusion_leaves_words_out),   cmocka_unit_test(attention_adds_up),
        cmocka_unit_test(long_texts_have_larger_parts), cmocka_unit_test(nothing_explains_nothing),
        cmocka_unit_test(memory_may_run_out),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
