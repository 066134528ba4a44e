/*
 * Counting the pieces or clusters of training text, and making a vocabulary of the counts. What was
 * counted stays as it is, so one learner can save more than once.
 */
#include "text/vocab.h"

#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "text/bpe_learn.h"
#include "text/grapheme.h"
#include "text/norm.h"
#include "text/piece.h"
#include "text/utf8.h"
#include "text/vocab_table.h"

struct tally { /* texts and how often each was seen */
    struct intern texts;
    int64_t *counts;
    size_t capacity; /* of counts */
};

struct vocab_learner {
    struct vocab_settings settings;
    struct tally pieces;
    struct buf text; /* scratch */
};

static void tally_release(struct tally *tally)
{
    intern_release(&tally->texts);
    mem_free(tally->counts);
}

static int tally_add(struct tally *tally, const char *text, size_t len, int64_t count,
                     struct err *err)
{
    int32_t id = 0;
    bool added;
    int rc;

    if (tally->texts.count == tally->capacity) {
        size_t capacity = tally->capacity == 0 ? 4096 : 2 * tally->capacity;
        int64_t *counts =
            mem_resize(tally->counts, tally->capacity, capacity, sizeof(*counts), err);

        if (counts == NULL)
            return ERR_MEMORY;
        tally->counts = counts;
        tally->capacity = capacity;
    }
    rc = intern_add(&tally->texts, text, len, &id, &added, err);
    if (rc == 0)
        tally->counts[id] += count;
    return rc;
}

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
    tally_release(&learner->pieces);
    buf_release(&learner->text);
    mem_free(learner);
}

int vocab_learner_add(struct vocab_learner *learner, const char *line, size_t len, struct err *err)
{
    const struct tokenizer_spec *spec = &learner->settings.tokenizer;
    const enum token_kind kind = spec->kind;
    struct buf *text = &learner->text;
    int rc;

    buf_clear(text);
    rc = kind == TOKEN_CHAR ? 0 : buf_char(text, ' ', err);
    if (rc == 0)
        rc = norm_text(spec->form, spec->fold, line, len, text, NULL, err);
    if (rc != 0 || len == 0)
        return rc;
    for (size_t at = 0; at < text->len && rc == 0;) {
        size_t end = kind == TOKEN_CHAR ? grapheme_end(text->data, text->len, at)
                                        : piece_end(text->data, text->len, at, kind == TOKEN_WORD);

        rc = tally_add(&learner->pieces, text->data + at, end - at, 1, err);
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
static bool can_be_token(const struct tally *tally, int32_t id)
{
    size_t len;
    const char *text = intern_text(&tally->texts, id, &len);

    return memchr(text, '\0', len) == NULL;
}

static int learn_words(const struct tally *tally, const struct vocab_settings *settings,
                       struct vocab_table *table, struct err *err)
{
    struct word *words = mem_alloc(tally->texts.count, sizeof(*words), err);
    size_t count = 0, limit;
    int rc = words != NULL ? 0 : ERR_MEMORY;

    for (size_t i = 0; i < tally->texts.count && rc == 0; i++)
        if ((uint64_t)tally->counts[i] >= settings->min_count && can_be_token(tally, (int32_t)i))
            words[count++] = (struct word){&tally->texts, (int32_t)i, tally->counts[i]};
    if (count > 0)
        qsort(words, count, sizeof(*words), compare_words);
    limit = settings->max_words > 0 && settings->max_words < count ? settings->max_words : count;
    for (size_t i = 0; i < limit && rc == 0; i++) {
        size_t len;
        const char *text = intern_text(&tally->texts, words[i].id, &len);
        int32_t id;
        bool added;

        rc = vocab_table_add(table, text, len, words[i].count, &id, &added, err);
    }
    mem_free(words);
    return rc;
}

/* Counts the characters of a cluster that was seen `count` times. */
static int tally_characters(struct tally *tally, const char *text, size_t len, int64_t count,
                            struct err *err)
{
    int rc = 0;

    for (size_t at = 0; at < len && rc == 0;) {
        uint32_t code;
        size_t n = utf8_decode(text + at, len - at, &code);

        rc = tally_add(tally, text + at, n, count, err);
        at += n;
    }
    return rc;
}

static int learn_clusters(const struct tally *clusters, const struct vocab_settings *settings,
                          struct vocab_table *table, struct err *err)
{
    struct tally tally = {.capacity = 0};
    int rc = 0;

    for (size_t i = 0; i < clusters->texts.count && rc == 0; i++) {
        size_t len;
        const char *text = intern_text(&clusters->texts, (int32_t)i, &len);

        if ((uint64_t)clusters->counts[i] >= settings->min_count)
            rc = tally_add(&tally, text, len, clusters->counts[i], err);
        else
            rc = tally_characters(&tally, text, len, clusters->counts[i], err);
    }
    if (rc == 0)
        rc = learn_words(&tally, settings, table, err);
    tally_release(&tally);
    return rc;
}

static int learn(const struct vocab_learner *learner, struct vocab_table *table, struct err *err)
{
    const struct vocab_settings *settings = &learner->settings;
    const struct tally *pieces = &learner->pieces;

    switch (settings->tokenizer.kind) {
    case TOKEN_WORD:
        return learn_words(pieces, settings, table, err);
    case TOKEN_BPE:
        return bpe_learn(table, &pieces->texts, pieces->counts, settings->merges,
                         settings->min_count, err);
    case TOKEN_CHAR:
        return learn_clusters(pieces, settings, table, err);
    }
    return err_set(err, ERR_INTERNAL, "tokenizer %d is unknown", (int)settings->tokenizer.kind);
}

int vocab_learner_save(struct vocab_learner *learner, const char *path, struct err *err)
{
    struct vocab_table table = {.merge_count = 0};
    int rc = vocab_table_begin(&table, &learner->settings.tokenizer, err);

    if (rc == 0)
        rc = learn(learner, &table, err);
    if (rc == 0)
        rc = vocab_table_write(&table, path, err);
    vocab_table_release(&table);
    return rc;
}
