/* Small vocabularies learned from text that the tests bring along. */
#ifndef DRAGOMAN_TESTS_VOCAB_FIXTURE_H
#define DRAGOMAN_TESTS_VOCAB_FIXTURE_H

#include <string.h>

#include "base/mem.h"
#include "text/token.h"
#include "text/vocab.h"
#include "unit.h"

static const char *const fixture_lines[] = {
    "I want to know why the cat sat there, and why the dog did not.",
    "Je veux savoir pourquoi le chat était là, et pourquoi le chien n'y était pas.",
    "The cat wants to know. The dog knows. Nobody wanted to tell the cat the whole story.",
    "L'été dernier, nous étions à la mer ; cet hiver, nous serons à la montagne.",
    "Straße, Größe und Fuß: die Straßen sind größer als die Füße.",
    "Привет, мир! Как дела? Мир велик, и мы в нём не одни.",
    "日本語の文章です。日本の文は面白い。",
    "In 1984 there were 365 days, in 2024 there were 366; that is 1 more.",
    "aaaa aaa aa a aaaaaaaa aaaaaaa",
    "e\u0301te\u0301 \uFB01n \u212Bngstr\u00F6m   <s> <0x41> \t tabs",
};
#define FIXTURE_LINES (sizeof fixture_lines / sizeof *fixture_lines)

/* Learns from the lines, each of them twice, and saves as `name` in the scratch folder; returns
   the path, to be freed with mem_free. */
static inline char *fixture_vocab(void **state, const char *name,
                                  const struct vocab_settings *settings)
{
    struct err err = ERR_INIT;
    char *path = file_join(*state, name, &err);
    struct vocab_learner *learner = vocab_learner_new(settings, &err);

    assert_non_null(path);
    assert_non_null(learner);
    for (size_t i = 0; i < 2 * FIXTURE_LINES; i++) {
        const char *line = fixture_lines[i % FIXTURE_LINES];
        assert_fine(vocab_learner_add(learner, line, strlen(line), &err), err);
    }
    assert_fine(vocab_learner_save(learner, path, &err), err);
    vocab_learner_free(learner);
    return path;
}

static inline struct tokenizer *fixture_tokenizer(void **state,
                                                  const struct vocab_settings *settings)
{
    struct err err = ERR_INIT;
    struct tokenizer *tokenizer = NULL;
    char *path = fixture_vocab(state, "fixture.sqlite", settings);
    assert_fine(tokenizer_open(&tokenizer, &settings->tokenizer, path, &err), err);
    mem_free(path);
    return tokenizer;
}

#endif
