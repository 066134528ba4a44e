/*
 * Decoding told in the plainest way, for comparison: every hypothesis is run from its beginning
 * through the networks as training runs them, all continuations are sorted, nothing is packed.
 */
#ifndef DRAGOMAN_TESTS_DECODE_REFERENCE_H
#define DRAGOMAN_TESTS_DECODE_REFERENCE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/decode.h"
#include "model/seq2seq_parts.h"
#include "text/token.h"

#define REFERENCE_LENGTH 40

struct reference_source {
    const struct ensemble *ensemble;
    const int32_t *ids;
    size_t count;
};

/* Adds one model's probabilities of the next token after `prefix`, and the attention [count + 1]
   of that step where it has one; returns whether it has, or -1 on failure. */
static inline int reference_add(const struct seq2seq *model, const struct reference_source *source,
                                const int32_t *prefix, size_t length, double *probabilities,
                                double *attention)
{
    const size_t V = model->vocabulary, E = model->embedding, S = source->count + 1;
    int32_t ids[DECODE_MAX_SOURCE + 1], input[REFERENCE_LENGTH + 1] = {TOKEN_BOS};
    memcpy(ids, source->ids, source->count * sizeof *ids);
    ids[source->count] = TOKEN_EOS;
    memcpy(input + 1, prefix, length * sizeof *input);
    const int32_t steps = (int32_t)S, targets = (int32_t)length + 1;
    const struct seq2seq_batch batch = {.batch = 1,
                                        .source_steps = S,
                                        .target_steps = length + 1,
                                        .source = ids,
                                        .source_lengths = &steps,
                                        .target_input = input,
                                        .target_lengths = &targets};
    const struct seq2seq_training training = {0};
    struct err err = ERR_INIT;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    struct seq2seq_pass pass = {
        .model = model, .batch = &batch, .training = &training, .arena = &arena};
    const int status = seq2seq_pass_forward(&pass, &err);
    real *logits = arena_alloc(&arena, V, sizeof(real), &err);
    if (!status && logits) {
        double sum = 0;
        seq2seq_logits(model, 1, pass.output + length * E, logits);
        for (size_t v = 0; v < V; v++)
            sum += exp((double)logits[v]);
        for (size_t v = 0; v < V; v++)
            probabilities[v] += exp((double)logits[v]) / sum;
        for (size_t s = 0; model->attends && s < S; s++)
            attention[s] += (double)pass.attention.weights[length * S + s];
    }
    arena_release(&arena);
    return status || !logits ? -1 : model->attends;
}

/* The natural logarithms of the next token's probabilities after `prefix`, and unless NULL the
   attention [count + 1] of that step: means over the models. *attends: how many have attention. */
static inline int reference_next(const struct reference_source *source, const int32_t *prefix,
                                 size_t length, double *log_probabilities, double *attention,
                                 int *attends)
{
    const struct ensemble *ensemble = source->ensemble;
    const size_t V = ensemble->models[0]->vocabulary;
    double weights[DECODE_MAX_SOURCE + 1] = {0};
    int sum = 0;
    memset(log_probabilities, 0, V * sizeof *log_probabilities);
    for (size_t i = 0; i < ensemble->count; i++) {
        const int has =
            reference_add(ensemble->models[i], source, prefix, length, log_probabilities, weights);
        if (has < 0)
            return -1;
        sum += has;
    }
    for (size_t v = 0; v < V; v++)
        log_probabilities[v] = log(log_probabilities[v] / (double)ensemble->count);
    for (size_t s = 0; attention && s <= source->count; s++)
        attention[s] = sum > 0 ? weights[s] / sum : 0;
    if (attends)
        *attends = sum;
    return 0;
}

struct reference_hypothesis {
    int32_t ids[REFERENCE_LENGTH];
    size_t count, order; /* order: among equals, the one that was there first */
    double log_probability, score;
    int32_t next;
    bool truncated;
};

static inline int reference_compare(const void *a, const void *b)
{
    const struct reference_hypothesis *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? 1 : -1;
    return x->order < y->order ? -1 : 1;
}

struct reference_search {
    struct reference_source source;
    struct decode_options options;
    struct reference_hypothesis live[DECODE_MAX_BEAM], ended[DECODE_MAX_BEAM + 1];
    size_t live_count, ended_count;
};

static inline void reference_end(struct reference_search *search,
                                 struct reference_hypothesis hypothesis, size_t length)
{
    hypothesis.score =
        hypothesis.log_probability / pow((double)length, search->options.length_penalty);
    hypothesis.order = search->ended_count;
    search->ended[search->ended_count++] = hypothesis;
    qsort(search->ended, search->ended_count, sizeof *search->ended, reference_compare);
    if (search->ended_count > search->options.beam)
        search->ended_count = search->options.beam;
}

/* All continuations of all live hypotheses, best first; returns their number, 0 on failure. */
static inline size_t reference_expand(const struct reference_search *search,
                                      struct reference_hypothesis *all)
{
    const size_t V = search->source.ensemble->models[0]->vocabulary;
    double *next = calloc(V, sizeof *next);
    size_t count = 0;
    for (size_t r = 0; next && r < search->live_count; r++) {
        const struct reference_hypothesis *live = &search->live[r];
        if (reference_next(&search->source, live->ids, live->count, next, NULL, NULL))
            break;
        for (size_t v = 0; v < V; v++) {
            if (v == TOKEN_PAD || v == TOKEN_BOS || v == TOKEN_UNK)
                continue;
            all[count] = *live;
            all[count].next = (int32_t)v;
            all[count].log_probability += next[v];
            all[count].score = all[count].log_probability;
            all[count].order = count;
            count++;
        }
    }
    free(next);
    qsort(all, count, sizeof *all, reference_compare);
    return count;
}

/* False when the search is over. */
static inline bool reference_step(struct reference_search *search, size_t length,
                                  struct reference_hypothesis *all)
{
    const struct decode_options *options = &search->options;
    const size_t count = reference_expand(search, all);
    struct reference_hypothesis live[DECODE_MAX_BEAM];
    size_t live_count = 0;
    for (size_t i = 0; i < count && i < 2 * options->beam; i++) {
        if (all[i].next == TOKEN_EOS && i < options->beam)
            reference_end(search, all[i], length + 1);
        if (all[i].next != TOKEN_EOS && live_count < options->beam &&
            length < options->max_length) {
            live[live_count] = all[i];
            live[live_count].ids[live[live_count].count++] = all[i].next;
            live_count++;
        }
    }
    if (live_count == 0)
        return false;
    memcpy(search->live, live, sizeof live);
    search->live_count = live_count;
    if (search->ended_count < options->beam)
        return true;
    return options->beam > 1 && live[0].log_probability / pow((double)(options->max_length + 1),
                                                              options->length_penalty) >
                                    search->ended[options->nbest - 1].score;
}

/* Finds what decoding must find, save for hypotheses that it must truncate. */
static inline int reference_decode(struct reference_search *search)
{
    struct reference_hypothesis *all =
        calloc(search->options.beam * search->source.ensemble->models[0]->vocabulary, sizeof *all);
    if (!all)
        return -1;
    search->live_count = 1;
    search->live[0] = (struct reference_hypothesis){0};
    for (size_t length = 0; reference_step(search, length, all);)
        length++;
    free(all);
    return 0;
}

#endif
