/*
 * Language models with random weights, written as bundles and opened: of a stream or of lines, of
 * characters or of subwords with their bytes, with a condition or without.
 */
#ifndef DRAGOMAN_TESTS_LANGUAGE_FIXTURE_H
#define DRAGOMAN_TESTS_LANGUAGE_FIXTURE_H

#include "unit/unit.h"

#include <string.h>

#include "base/mem.h"
#include "model/bundle.h"
#include "model/model.h"
#include "model/rnn.h"
#include "nn/init.h"
#include "text/vocab.h"

#define FEATURE 3

struct language_kind {
    enum token_kind tokenizer;
    bool stream, labelled;
    enum spec_condition condition;
    double bytes; /* added to the outputs of byte tokens */
};

static char *language_labels[] = {"Greek", "Polish"};

static struct spec language_spec(const struct language_kind *kind)
{
    struct spec spec = {
        .name = "tiny-lm",
        .task = SPEC_GENERATION,
        .kind = SPEC_RNN,
        .tokenizer = {.kind = kind->tokenizer, .form = NORM_NFC},
        .stream = kind->stream,
        .embedding = 6,
        .encoder = {.cell = CELL_LSTM, .layers = 2, .hidden = 7},
        .condition = kind->condition,
        .feature = kind->condition == SPEC_CONDITION_NONE ? 0 : FEATURE,
        .temperature = 1,
        .deviation = 1,
        .beam = 5,
        .length_penalty = 1,
    };
    if (kind->labelled) {
        spec.labels = language_labels;
        spec.label_count = 2;
    }
    return spec;
}

static void language_vocabulary(struct spec *spec, const char *path)
{
    static const char *const lines[] = {"the cat sat\non the mat,\n", "a rat\nsat on\nthe cat.\n"};
    const struct vocab_settings settings = {
        .tokenizer = spec->tokenizer, .merges = 12, .min_count = 1};
    struct err err = ERR_INIT;
    struct tokenizer *tokenizer;
    struct vocab_learner *learner = vocab_learner_new(&settings, &err);
    assert_non_null(learner);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        assert_fine(vocab_learner_add(learner, lines[i], strlen(lines[i]), &err), err);
    assert_fine(vocab_learner_save(learner, path, &err), err);
    vocab_learner_free(learner);
    assert_fine(tokenizer_open(&tokenizer, &spec->tokenizer, path, &err), err);
    spec->vocabulary = tokenizer_size(tokenizer);
    tokenizer_free(tokenizer);
}

/* Release with model_release. */
static struct model *language_model(const char *scratch, const struct language_kind *kind)
{
    struct parameter list[RNN_MAX_PARAMETERS];
    struct tensor tensors[RNN_MAX_PARAMETERS];
    struct spec spec = language_spec(kind);
    struct err err = ERR_INIT;
    struct model *model;
    struct rnn rnn;
    struct rng rng;
    char *folder = file_join(scratch, "tiny-lm", &err);
    char *vocabulary = file_join(scratch, "vocabulary", &err);
    assert_non_null(folder);
    assert_non_null(vocabulary);
    language_vocabulary(&spec, vocabulary);
    rnn_size(&rnn, &spec);
    const size_t count = rnn_parameters(&rnn, list), total = parameters_total(list, count);
    real *flat = mem_alloc(total, sizeof *flat, &err);
    assert_non_null(flat);
    parameters_bind(list, count, flat);
    rng_seed(&rng, 3, 0);
    init_normal(total, 0.8, &rng, flat);
    for (size_t id = TOKEN_FIRST; kind->tokenizer == TOKEN_BPE && id < TOKEN_FIRST + 256; id++)
        rnn.output_bias[id] += (real)kind->bytes;
    parameters_tensors(list, count, tensors);
    assert_fine(bundle_save(folder, &spec, vocabulary, tensors, count, &err), err);
    assert_fine(model_open(&model, folder, &err), err);
    mem_free(flat);
    mem_free(vocabulary);
    mem_free(folder);
    return model;
}

#endif
