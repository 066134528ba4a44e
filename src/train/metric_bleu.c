/* BLEU, from counts: metric_text cuts the texts and metric_ngram counts what they share. */
#include "train/metric.h"

#include <math.h>
#include <stdint.h>
#include <string.h>
#include "train/metric_ngram.h"
#include "train/metric_segment.h"
#include "train/metric_text.h"

struct bleu_work {
    const struct metric_settings *settings;
    struct ngrams *ngrams;
    struct metric_scratch scratch;
    struct buf words;
};

static int add_words(void *context, struct metric_text text, struct err *err)
{
    struct bleu_work *work = context;
    int code = 0;
    if (work->settings->lowercase)
        code = metric_lower(&text, &work->scratch, err);
    if (code == 0)
        code = metric_words(text, work->settings->tokenisation, &work->scratch, &work->words, err);
    return code < 0 ? code : ngrams_add_words(work->ngrams, work->words.data, work->words.len, err);
}

/* The length closest to that of the hypothesis; the shorter one of two as close. */
static size_t closest_length(const struct ngrams *ngrams, size_t references)
{
    size_t length = ngrams_length(ngrams, 0), closest = 0, closest_distance = SIZE_MAX;
    for (size_t r = 1; r <= references; r++) {
        size_t other = ngrams_length(ngrams, r);
        size_t distance = other > length ? other - length : length - other;
        if (distance < closest_distance || (distance == closest_distance && other < closest)) {
            closest = other;
            closest_distance = distance;
        }
    }
    return closest;
}

static int bleu_count(struct bleu_work *work, const struct metric_segment *segment,
                      struct metric_bleu_counts *counts, struct err *err)
{
    size_t references;
    ngrams_reset(work->ngrams);
    int code = metric_add_texts(segment, &references, add_words, work, err);
    if (code < 0)
        return code;
    counts->hypothesis_length = ngrams_length(work->ngrams, 0);
    counts->reference_length = closest_length(work->ngrams, references);
    for (size_t n = 0; n < METRIC_BLEU_ORDER; n++) {
        code = ngrams_next_order(work->ngrams, err);
        if (code < 0)
            return code;
        counts->matches[n] = ngrams_best_matches(work->ngrams);
        counts->totals[n] = ngrams_total(work->ngrams, 0);
    }
    return 0;
}

void metric_bleu_add(struct metric_bleu_counts *sum, const struct metric_bleu_counts *counts)
{
    sum->hypothesis_length += counts->hypothesis_length;
    sum->reference_length += counts->reference_length;
    for (size_t n = 0; n < METRIC_BLEU_ORDER; n++) {
        sum->matches[n] += counts->matches[n];
        sum->totals[n] += counts->totals[n];
    }
}

/* Fills `each`, one of each segment, and `sum`; either may be NULL. */
static int bleu_count_all(const struct metric_segment *segments, size_t count,
                          const struct metric_settings *settings, struct metric_bleu_counts *each,
                          struct metric_bleu_counts *sum, struct err *err)
{
    struct bleu_work work = {.settings = settings};
    int code = metric_check_segments(segments, count, err);
    if (code < 0)
        return code;
    work.ngrams = ngrams_new(err);
    if (work.ngrams == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; code == 0 && i < count; i++) {
        struct metric_bleu_counts counts;
        code = bleu_count(&work, &segments[i], &counts, err);
        if (code == 0 && each != NULL)
            each[i] = counts;
        if (code == 0 && sum != NULL)
            metric_bleu_add(sum, &counts);
    }
    buf_release(&work.words);
    metric_scratch_release(&work.scratch);
    ngrams_free(work.ngrams);
    return code;
}

int metric_bleu_count(const struct metric_segment *segments, size_t count,
                      const struct metric_settings *settings, struct metric_bleu_counts *counts,
                      struct err *err)
{
    return bleu_count_all(segments, count, settings, counts, NULL, err);
}

/* The geometric mean of the precisions times the brevity penalty. An order that the hypotheses are
   too short for makes it 0. */
void metric_bleu_score(const struct metric_bleu_counts *sum, enum metric_smoothing smoothing,
                       struct metric_bleu *bleu)
{
    double smooth = 1, logarithms = 0;
    double length = (double)sum->hypothesis_length, wanted = (double)sum->reference_length;
    *bleu = (struct metric_bleu){.counts = *sum};
    bleu->brevity_penalty = length >= wanted ? 1 : length == 0 ? 0 : exp(1 - wanted / length);
    /* Fewer matches of a longer n-gram than of a shorter: none of one word, none at all. */
    if (sum->matches[0] == 0)
        return;
    for (size_t n = 0; n < METRIC_BLEU_ORDER; n++) {
        double matches = (double)sum->matches[n];
        if (sum->totals[n] == 0)
            return;
        if (sum->matches[n] == 0 && smoothing == METRIC_EXPONENTIAL)
            matches = 1 / (smooth *= 2);
        bleu->precisions[n] = 100 * matches / (double)sum->totals[n];
        logarithms += log(bleu->precisions[n]);
    }
    bleu->score = bleu->brevity_penalty * exp(logarithms / METRIC_BLEU_ORDER);
}

int metric_bleu(const struct metric_segment *segments, size_t count,
                const struct metric_settings *settings, struct metric_bleu *bleu, struct err *err)
{
    struct metric_bleu_counts sum = {0};
    memset(bleu, 0, sizeof(*bleu));
    int code = bleu_count_all(segments, count, settings, NULL, &sum, err);
    if (code == 0)
        metric_bleu_score(&sum, settings->smoothing, bleu);
    return code;
}
