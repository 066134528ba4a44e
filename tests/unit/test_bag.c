/*
 * The bag of words in use: rows and values against figures worked out by hand, explanations that
 * add up to the logit, answers to texts with nothing known in them, and bundles that are refused.
 */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "model/bag.h"
#include "model/bundle.h"
#include "model/explain.h"
#include "nn/init.h"
#include "support/tiny_bundle.h"
#include "text/vocab.h"

#define FEATURES 6
#define LABELS 3

/* A bag of FEATURES features whose hashes are 10, 20, ..., the last with the highest bit. */
static const int64_t hashes[FEATURES] = {10, 20, 30, 40, 50, INT64_MIN + 60};

static struct bag small_bag(enum spec_weighting weighting, bool normalise, real *idf)
{
    struct err err = ERR_INIT;
    struct bag bag;
    char *labels[] = {"a", "b", "c"};
    const struct spec spec = {
        .labels = labels,
        .label_count = LABELS,
        .bag = {.words = 1, .weighting = weighting, .normalise = normalise, .features = FEATURES}};
    assert_fine(bag_size(&bag, &spec, &err), err);
    assert_fine(bag_index(&bag, hashes, FEATURES, &err), err);
    bag.idf = idf;
    return bag;
}

static void table_finds_its_hashes(void **state)
{
    struct bag bag = small_bag(SPEC_BINARY, false, NULL);
    (void)state;
    for (uint32_t i = 0; i < FEATURES; i++) {
        assert_int_equal(bag_row(&bag, (uint64_t)hashes[i]), i);
        assert_int_equal(bag_row(&bag, (uint64_t)hashes[i] + 1), BAG_UNKNOWN);
        assert_int_equal(bag_row(&bag, (uint64_t)hashes[i] - 1), BAG_UNKNOWN);
    }
    bag_unsize(&bag);
}

/* Many hashes all over the range, and as many between them. */
static void large_table_finds_its_hashes(void **state)
{
    enum { COUNT = 5000 };
    static int64_t many[COUNT];
    struct bag bag = small_bag(SPEC_BINARY, false, NULL);
    struct err err = ERR_INIT;
    (void)state;
    for (uint64_t i = 0; i < COUNT; i++) /* some close together, some far apart */
        many[i] = (int64_t)(i * (UINT64_MAX / COUNT) / (i % 7 == 0 ? 1 : 2) * 2 / 2 + 2 * i + 2);
    for (size_t i = 1; i < COUNT; i++)
        if ((uint64_t)many[i] <= (uint64_t)many[i - 1])
            many[i] = many[i - 1] + 2;
    assert_fine(bag_index(&bag, many, COUNT, &err), err);
    for (uint32_t i = 0; i < COUNT; i++) {
        assert_int_equal(bag_row(&bag, (uint64_t)many[i]), i);
        assert_int_equal(bag_row(&bag, (uint64_t)many[i] + 1), BAG_UNKNOWN);
    }
    bag_unsize(&bag);
}

static void unsorted_tables_are_refused(void **state)
{
    static const int64_t equal[] = {1, 2, 2}, falling[] = {1, 3, 2}, sign[] = {-1, 1};
    struct bag bag = small_bag(SPEC_BINARY, false, NULL);
    struct err err = ERR_INIT;
    (void)state;
    assert_int_equal(bag_index(&bag, equal, 3, &err), ERR_FORMAT);
    assert_non_null(strstr(err.message, "element 2"));
    assert_int_equal(bag_index(&bag, falling, 3, NULL), ERR_FORMAT);
    assert_int_equal(bag_index(&bag, sign, 2, NULL), ERR_FORMAT);
    bag_unsize(&bag);
}

/* The text: feature 30 three times, 10 once, one unknown, the last one twice. */
static void check_values(enum spec_weighting weighting, bool normalise, const double expected[3])
{
    static const uint64_t text[] = {
        30, 10, 30, 15, (UINT64_C(1) << 63) + 60, 30, (UINT64_C(1) << 63) + 60};
    real idf[FEATURES] = {2, 9, 0.5, 9, 9, 1.5};
    struct bag bag = small_bag(weighting, normalise, weighting == SPEC_TF_IDF ? idf : NULL);
    struct bag_vector vector = {.count = 0};
    struct err err = ERR_INIT;
    for (int again = 0; again < 2; again++) {
        assert_fine(bag_vector_fill(&vector, &bag, text, 7, &err), err);
        assert_int_equal(vector.count, 3);
        assert_int_equal(vector.rows[0], 2);
        assert_int_equal(vector.rows[1], 0);
        assert_int_equal(vector.rows[2], 5);
        for (size_t i = 0; i < 3; i++) {
            assert_true(fabs((double)vector.values[i] - expected[i]) < 1e-6);
            assert_int_equal(bag_vector_place(&vector, vector.rows[i]), i);
        }
    }
    assert_fine(bag_vector_fill(&vector, &bag, text + 3, 1, &err), err);
    assert_int_equal(vector.count, 0);
    bag_vector_release(&vector);
    bag_unsize(&bag);
}

static void values_are_as_defined(void **state)
{
    (void)state;
    check_values(SPEC_BINARY, false, (double[]){1, 1, 1});
    check_values(SPEC_BINARY, true, (double[]){1 / sqrt(3), 1 / sqrt(3), 1 / sqrt(3)});
    check_values(SPEC_COUNTS, false, (double[]){3, 1, 2});
    check_values(SPEC_COUNTS, true, (double[]){3 / sqrt(14), 1 / sqrt(14), 2 / sqrt(14)});
    check_values(SPEC_TF, false, (double[]){0.5, 1.0 / 6, 1.0 / 3});
    check_values(SPEC_TF_IDF, false, (double[]){0.5 * (1 + log(3)), 2, 1.5 * (1 + log(2))});
}

/*
 * Bundles
 */

struct made { /* a bundle with random weights */
    struct spec spec;
    struct bag bag;
    struct parameter list[BAG_MAX_PARAMETERS];
    struct tensor tensors[BAG_MAX_PARAMETERS + 1];
    size_t count;
    real *flat;
    int64_t *hashes;
    char *folder, *vocabulary;
};

static const char known[] = "a dull film , not good but not bad either : a film";

static int compare_hashes(const void *left, const void *right)
{
    const uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static void make_vocabulary(struct made *made, const char *folder)
{
    const struct vocab_settings settings = {
        .tokenizer = made->spec.tokenizer, .max_words = 1, .min_count = SIZE_MAX};
    struct err err = ERR_INIT;
    struct vocab_learner *learner = vocab_learner_new(&settings, &err);
    made->vocabulary = file_join(folder, "words.sqlite", &err);
    assert_fine(vocab_learner_save(learner, made->vocabulary, &err), err);
    vocab_learner_free(learner);
}

/* The different hashes of the text `known`. */
static size_t make_hashes(struct made *made)
{
    struct features features = {.count = 0};
    struct encoded encoded = {.count = 0};
    struct tokenizer *tokenizer;
    struct err err = ERR_INIT;
    size_t count = 0;
    assert_fine(tokenizer_open(&tokenizer, &made->spec.tokenizer, made->vocabulary, &err), err);
    assert_fine(tokenizer_encode(tokenizer, known, sizeof known - 1, &encoded, &err), err);
    assert_fine(features_extract(&features, &made->bag.features, &encoded, false, &err), err);
    qsort(features.hashes, features.count, sizeof *features.hashes, compare_hashes);
    made->hashes = mem_alloc(features.count, sizeof *made->hashes, &err);
    for (size_t i = 0; i < features.count; i++)
        if (count == 0 || (uint64_t)made->hashes[count - 1] != features.hashes[i])
            made->hashes[count++] = (int64_t)features.hashes[i];
    features_release(&features);
    encoded_release(&encoded);
    tokenizer_free(tokenizer);
    return count;
}

/* Fills made->tensors; the settings of spec.bag are given, but for its features. */
static void make(struct made *made, const char *folder, struct spec_bag settings)
{
    static char *labels[] = {"bad", "fair", "good"};
    static char *stop_words[] = {"but"};
    struct err err = ERR_INIT;
    struct rng rng;
    settings.stop_words = stop_words;
    settings.stop_count = 1;
    settings.features = settings.buckets > 0 ? 0 : 1;
    *made = (struct made){.spec = {.name = "made",
                                   .task = SPEC_CLASSIFICATION,
                                   .labels = labels,
                                   .label_count = LABELS,
                                   .temperature = 2,
                                   .deviation = 1,
                                   .tokenizer = {TOKEN_WORD, NORM_NFKC, true},
                                   .kind = SPEC_BAG_OF_WORDS,
                                   .vocabulary = TOKEN_FIRST,
                                   .bag = settings}};
    make_vocabulary(made, folder);
    made->folder = file_join(folder, "made", &err);
    assert_fine(bag_size(&made->bag, &made->spec, &err), err);
    if (settings.buckets == 0) {
        made->spec.bag.features = make_hashes(made);
        bag_unsize(&made->bag);
        assert_fine(bag_size(&made->bag, &made->spec, &err), err);
        made->tensors[made->count++] = (struct tensor){.name = BAG_FEATURES,
                                                       .type = TENSOR_I64,
                                                       .dimensions = 1,
                                                       .shape = {made->spec.bag.features},
                                                       .count = made->spec.bag.features,
                                                       .integers = made->hashes};
    }
    const size_t count = bag_parameters(&made->bag, made->list);
    const size_t total = parameters_total(made->list, count);
    made->flat = mem_alloc(total, sizeof *made->flat, &err);
    parameters_bind(made->list, count, made->flat);
    rng_seed(&rng, 3, 0);
    init_normal(total, 0.7, &rng, made->flat);
    for (size_t i = 0; made->bag.idf != NULL && i < made->bag.rows; i++)
        made->bag.idf[i] = (real)fabs((double)made->bag.idf[i]);
    parameters_tensors(made->list, count, made->tensors + made->count);
    made->count += count;
}

static void save(const struct made *made)
{
    struct err err = ERR_INIT;
    assert_fine(
        bundle_save(made->folder, &made->spec, made->vocabulary, made->tensors, made->count, &err),
        err);
}

static void release(struct made *made)
{
    bag_unsize(&made->bag);
    mem_free(made->hashes);
    mem_free(made->flat);
    mem_free(made->folder);
    mem_free(made->vocabulary);
}

static struct model *open_made(const struct made *made)
{
    struct err err = ERR_INIT;
    struct model *model = NULL;
    assert_fine(model_open(&model, made->folder, &err), err);
    return model;
}

/* The parts lie in order inside the text, on word and punctuation; with the bias they are the
   logit, and the logits are those whose softmax the probabilities are. */
static void check_explanation(const struct model *model, const char *text, size_t expected_parts)
{
    struct err err = ERR_INIT;
    float probabilities[LABELS];
    double logits[LABELS], sum = 0;
    assert_fine(model_classify(model, text, strlen(text), probabilities, &err), err);
    for (size_t label = 0; label < LABELS; label++) {
        struct explanation explanation;
        size_t end = 0;
        assert_fine(model_explain(model, text, strlen(text), label, &explanation, &err), err);
        assert_string_equal(explanation.method, model->bag->hidden > 0 ? "gradient" : "linear");
        assert_int_equal(explanation.count, expected_parts);
        double total = (double)explanation.bias;
        for (size_t i = 0; i < explanation.count; i++) {
            const struct explanation_part *part = &explanation.parts[i];
            assert_true(part->begin >= end && part->begin < part->end);
            assert_true(part->end <= strlen(text) && text[part->begin] != ' ');
            end = part->end;
            total += (double)part->weight;
        }
        assert_true(fabs(total - (double)explanation.logit) < 1e-5);
        logits[label] = (double)explanation.logit;
        sum += exp(logits[label]);
        explanation_release(&explanation);
    }
    for (size_t label = 0; label < LABELS; label++)
        assert_true(fabs(exp(logits[label]) / sum - (double)probabilities[label]) < 1e-5);
}

static const struct spec_bag shapes[] = {
    {.words = 1, .weighting = SPEC_BINARY},
    {.words = 3, .edges = true, .weighting = SPEC_COUNTS, .normalise = true},
    {.words = 2, .shortest = 2, .longest = 4, .weighting = SPEC_TF_IDF, .normalise = true},
    {.shortest = 1, .longest = 5, .across = true, .weighting = SPEC_TF},
    {.words = 2, .shortest = 3, .longest = 3, .normalise = true, .buckets = 50},
    {.words = 2, .shortest = 2, .longest = 3, .normalise = true, .hidden = 4},
};
#define SHAPES (sizeof shapes / sizeof *shapes)

static void explanations_add_up(void **state)
{
    for (size_t i = 0; i < SHAPES; i++) {
        struct made made;
        make(&made, *state, shapes[i]);
        save(&made);
        struct model *model = open_made(&made);
        check_explanation(model, known, 13);
        check_explanation(model, "A dull FILM:  not good.\tBut good", 9);
        check_explanation(model, "ﬁlm dull\xC2\xA0good", 3);
        check_explanation(model, "", 0);
        check_explanation(model, "   ", 0);
        check_explanation(model, "Привет", 1);
        model_release(model);
        release(&made);
    }
}

/* A word's share of a pair goes half to each; what a stop word contributes is nothing. */
static void pairs_are_shared_evenly(void **state)
{
    struct made made;
    struct err err = ERR_INIT;
    struct explanation explanation;
    make(&made, *state, (struct spec_bag){.words = 2});
    save(&made);
    struct model *model = open_made(&made);
    const char *text = "not but good";
    struct encoded encoded = {.count = 0};
    struct features features = {.count = 0};
    assert_fine(tokenizer_encode(model->tokenizer, text, strlen(text), &encoded, &err), err);
    assert_fine(features_extract(&features, &model->bag->features, &encoded, true, &err), err);
    assert_int_equal(features.count, 3); /* not, not+good, good */
    float weights[3];
    for (size_t i = 0; i < 3; i++)
        weights[i] = model->bag->weight[bag_row(model->bag, features.hashes[i]) * LABELS + 1] / 2;
    assert_fine(model_explain(model, text, strlen(text), 1, &explanation, &err), err);
    assert_int_equal(explanation.count, 3);
    assert_float_equal(explanation.parts[0].weight, weights[0] + weights[1] / 2, 1e-6);
    assert_float_equal(explanation.parts[1].weight, 0, 0);
    assert_float_equal(explanation.parts[2].weight, weights[2] + weights[1] / 2, 1e-6);
    assert_float_equal(explanation.bias, model->bag->bias[1] / 2, 1e-6);
    explanation_release(&explanation);
    features_release(&features);
    encoded_release(&encoded);
    model_release(model);
    release(&made);
}

/* Without a known feature the answer is that of no text at all. */
static void unknown_texts_get_the_prior(void **state)
{
    for (size_t i = 0; i < SHAPES; i++) {
        struct made made;
        struct err err = ERR_INIT;
        float empty[LABELS], other[LABELS];
        if (shapes[i].buckets > 0)
            continue; /* nothing is unknown to them */
        make(&made, *state, shapes[i]);
        save(&made);
        struct model *model = open_made(&made);
        assert_fine(model_classify(model, "", 0, empty, &err), err);
        assert_fine(model_classify(model, "Привет", strlen("Привет"), other, &err), err);
        assert_memory_equal(empty, other, sizeof empty);
        assert_float_equal(empty[0] + empty[1] + empty[2], 1, 1e-6);
        model_release(model);
        release(&made);
    }
}

static void explains_only_what_it_can(void **state)
{
    struct made made;
    struct err err = ERR_INIT;
    struct explanation explanation;
    make(&made, *state, shapes[0]);
    save(&made);
    struct model *model = open_made(&made);
    assert_int_equal(model_explain(model, "x", 1, LABELS, &explanation, &err), ERR_ARGUMENT);
    assert_non_null(strstr(err.message, "no label 3"));
    assert_int_equal(model_explain(model, "\xFF", 1, 0, &explanation, NULL), ERR_UTF8);
    model_release(model);
    release(&made);
}

static void refused(const struct made *made, const char *reason)
{
    struct err err = ERR_INIT;
    struct model *model = NULL;
    save(made);
    assert_int_equal(model_open(&model, made->folder, &err), ERR_FORMAT);
    assert_non_null(strstr(err.message, made->folder));
    if (strstr(err.message, reason) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.message, reason);
}

static void damaged_bundles_are_refused(void **state)
{
    const struct spec_bag settings = {.words = 2, .weighting = SPEC_TF_IDF};
    struct made made;
    make(&made, *state, settings);
    const size_t features = made.spec.bag.features;
    const int64_t first = made.hashes[0];
    made.hashes[0] = made.hashes[1];
    refused(&made, "\"features\": element 1 is not above");
    made.hashes[0] = first;
    made.spec.bag.features = features - 1;
    refused(&made, "\"features\" has shape");
    made.spec.bag.features = features;
    made.tensors[0].shape[0]--;
    made.tensors[0].count--;
    refused(&made, "\"features\" has shape");
    made.tensors[0].name = "other";
    refused(&made, "\"features\" is missing");
    made.tensors[0] = made.tensors[1];
    made.tensors[0].name = BAG_FEATURES;
    refused(&made, "the type F32, the model needs I64");
    made.bag.idf[2] = -1;
    made.tensors[0] = (struct tensor){.name = BAG_FEATURES,
                                      .type = TENSOR_I64,
                                      .dimensions = 1,
                                      .shape = {features},
                                      .count = features,
                                      .integers = made.hashes};
    refused(&made, "\"idf\": element 2 is below 0");
    made.spec.bag.weighting = SPEC_BINARY;
    refused(&made, "\"idf\" is none of the architecture's");
    release(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_finds_its_hashes),
        cmocka_unit_test(large_table_finds_its_hashes),
        cmocka_unit_test(unsorted_tables_are_refused),
        cmocka_unit_test(values_are_as_defined),
        cmocka_unit_test(explanations_add_up),
        cmocka_unit_test(pairs_are_shared_evenly),
        cmocka_unit_test(unknown_texts_get_the_prior),
        cmocka_unit_test(explains_only_what_it_can),
        cmocka_unit_test(damaged_bundles_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
