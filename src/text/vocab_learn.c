/*
 * Counting the pieces of training text, and making a vocabulary of the counts. What was counted
 * stays as it is, so one learner can save more than once.
 */
#include "text/vocab.h"

#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "text/bpe_learn.h"
#include "text/norm.h"
#include "text/piece.h"
#include "text/vocab_table.h"

struct vocab_learner {
    struct vocab_settings settings;
    struct intern pieces;
    int64_t *counts;
    size_t capacity; /* of counts */
    struct buf text; /* scratch */
};

struct vocab_learner *vocab_learner_new(const struct vocab_settings *settings, struct err *err)
{
    struct vocab_learner *learner = mem_alloc(1, sizeof(*learner), err);

    if (learner != NULL)
        learner->settings = *settings;
    return learner;
}

void vocab_learner_free(struct vocab_learner *learner)
{
    if (learner == NULL)
        return;
    intern_release(&learner->pieces);
    mem_free(learner->counts);
    buf_release(&learner->text);
    mem_free(learner);
}

static int count_piece(struct vocab_learner *learner, const char *text, size_t len, struct err *err)
{
    int32_t id = 0;
    bool added;
    int rc;

    if (learner->pieces.count == learner->capacity) {
        size_t capacity = learner->capacity == 0 ? 4096 : 2 * learner->capacity;
        int64_t *counts =
            mem_resize(learner->counts, learner->capacity, capacity, sizeof(*counts), err);

        if (counts == NULL)
            return ERR_MEMORY;
        learner->counts = counts;
        learner->capacity = capacity;
    }
    rc = intern_add(&learner->pieces, text, len, &id, &added, err);
    if (rc == 0)
        learner->counts[id]++;
    return rc;
}

int vocab_learner_add(struct vocab_learner *learner, const char *line, size_t len, struct err *err)
{
    const struct tokenizer_spec *spec = &learner->settings.tokenizer;
    struct buf *text = &learner->text;
    int rc;

    buf_clear(text);
    rc = buf_char(text, ' ', err);
    if (rc == 0)
        rc = norm_text(spec->form, spec->fold, line, len, text, NULL, err);
    if (rc != 0 || text->len == 1)
        return rc;
    for (size_t at = 0; at < text->len && rc == 0;) {
        size_t end = piece_end(text->data, text->len, at, spec->kind == TOKEN_WORD);

        rc = count_piece(learner, text->data + at, end - at, err);
        at = end;
    }
    return rc;
}

struct word {
    const struct intern *texts;
    int32_t id;
    int64_t count;
};

/* The most frequent first, then by bytes. */
static int compare_words(const void *a, const void *b)
{
    const struct word *x = a, *y = b;

    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    return intern_compare(x->texts, x->id, y->id);
}

/* Texts with NUL cannot be tokens. */
static bool can_be_token(const struct vocab_learner *learner, int32_t id)
{
    size_t len;
    const char *text = intern_text(&learner->pieces, id, &len);

    return memchr(text, '\0', len) == NULL;
}

static int learn_words(const struct vocab_learner *learner, struct vocab_table *table,
                       struct err *err)
{
    const struct vocab_settings *settings = &learner->settings;
    struct word *words = mem_alloc(learner->pieces.count, sizeof(*words), err);
    size_t count = 0, limit;
    int rc = words != NULL ? 0 : ERR_MEMORY;

    for (size_t i = 0; i < learner->pieces.count && rc == 0; i++)
        if ((uint64_t)learner->counts[i] >= settings->min_count &&
            can_be_token(learner, (int32_t)i))
            words[count++] = (struct word){&learner->pieces, (int32_t)i, learner->counts[i]};
    if (count > 0)
        qsort(words, count, sizeof(*words), compare_words);
    limit = settings->max_words > 0 && settings->max_words < count ? settings->max_words : count;
    for (size_t i = 0; i < limit && rc == 0; i++) {
        size_t len;
        const char *text = intern_text(&learner->pieces, words[i].id, &len);
        int32_t id;
        bool added;

        rc = vocab_table_add(table, text, len, words[i].count, &id, &added, err);
    }
    mem_free(words);
    return rc;
}

int vocab_learner_save(struct vocab_learner *learner, const char *path, struct err *err)
{
    const struct vocab_settings *settings = &learner->settings;
    struct vocab_table table = {.merge_count = 0};
    int rc = vocab_table_begin(&table, &settings->tokenizer, err);

    if (rc == 0 && settings->tokenizer.kind == TOKEN_WORD)
        rc = learn_words(learner, &table, err);
    if (rc == 0 && settings->tokenizer.kind == TOKEN_BPE)
        rc = bpe_learn(&table, &learner->pieces, learner->counts, settings->merges,
                       settings->min_count, err);
    if (rc == 0)
        rc = vocab_table_write(&table, path, err);
    vocab_table_release(&table);
    return rc;
}
