/* The scores, from counts: metric_text cuts the texts and metric_ngram counts what they share. */
#include "train/metric.h"

#include <math.h>
#include <string.h>
#include "base/mem.h"
#include "train/metric_ngram.h"
#include "train/metric_text.h"

static int check_segments(const struct metric_segment *segments, size_t count, struct err *err)
{
    if (count == 0)
        return err_set(err, ERR_ARGUMENT, "nothing to score");
    for (size_t i = 0; i < count; i++) {
        size_t usable = 0;
        for (size_t r = 0; r < segments[i].reference_count; r++)
            usable += segments[i].references[r].len > 0;
        if (usable == 0)
            return err_set(err, ERR_ARGUMENT, "sentence %zu has no reference", i + 1);
    }
    return 0;
}

/* The texts of a segment that count, the hypothesis first: calls add for each. */
static int add_texts(const struct metric_segment *segment, size_t *references,
                     int (*add)(void *context, struct metric_text text, struct err *err),
                     void *context, struct err *err)
{
    int code = add(context, segment->hypothesis, err);
    *references = 0;
    for (size_t r = 0; code == 0 && r < segment->reference_count; r++) {
        if (segment->references[r].len == 0)
            continue;
        code = add(context, segment->references[r], err);
        ++*references;
    }
    return code;
}

struct bleu_work {
    struct ngrams *ngrams;
    struct metric_scratch scratch;
    struct buf words;
};

static int add_words(void *context, struct metric_text text, struct err *err)
{
    struct bleu_work *work = context;
    int code = metric_words(text, &work->scratch, &work->words, err);
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
                      struct metric_bleu *bleu, struct err *err)
{
    size_t references;
    ngrams_reset(work->ngrams);
    int code = add_texts(segment, &references, add_words, work, err);
    if (code < 0)
        return code;
    bleu->hypothesis_length += ngrams_length(work->ngrams, 0);
    bleu->reference_length += closest_length(work->ngrams, references);
    for (size_t n = 0; n < METRIC_BLEU_ORDER; n++) {
        code = ngrams_next_order(work->ngrams, err);
        if (code < 0)
            return code;
        bleu->matches[n] += ngrams_best_matches(work->ngrams);
        bleu->totals[n] += ngrams_total(work->ngrams, 0);
    }
    return 0;
}

/* Exponential smoothing (Chen and Cherry 2014, method 3): the first order without a match counts
   as half a match, the next one as a quarter, and so on. */
static void bleu_score(struct metric_bleu *bleu)
{
    double smooth = 1, sum = 0;
    double length = (double)bleu->hypothesis_length, wanted = (double)bleu->reference_length;
    bleu->brevity_penalty = length >= wanted ? 1 : length == 0 ? 0 : exp(1 - wanted / length);
    /* Fewer matches of a longer n-gram than of a shorter: none of one word, none at all. */
    if (bleu->matches[0] == 0)
        return;
    for (size_t n = 0; n < METRIC_BLEU_ORDER; n++) {
        double matches = (double)bleu->matches[n];
        if (bleu->totals[n] == 0)
            return;
        if (bleu->matches[n] == 0)
            matches = 1 / (smooth *= 2);
        bleu->precisions[n] = 100 * matches / (double)bleu->totals[n];
        sum += log(bleu->precisions[n]);
    }
    bleu->score = bleu->brevity_penalty * exp(sum / METRIC_BLEU_ORDER);
}

int metric_bleu(const struct metric_segment *segments, size_t count, struct metric_bleu *bleu,
                struct err *err)
{
    struct bleu_work work = {.scratch = {BUF_INIT, BUF_INIT}, .words = BUF_INIT};
    memset(bleu, 0, sizeof(*bleu));
    int code = check_segments(segments, count, err);
    if (code < 0)
        return code;
    work.ngrams = ngrams_new(err);
    if (work.ngrams == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; code == 0 && i < count; i++)
        code = bleu_count(&work, &segments[i], bleu, err);
    if (code == 0)
        bleu_score(bleu);
    buf_release(&work.words);
    metric_scratch_release(&work.scratch);
    ngrams_free(work.ngrams);
    return code;
}

struct chrf_counts {
    size_t hypothesis[METRIC_CHRF_ORDER], reference[METRIC_CHRF_ORDER], matches[METRIC_CHRF_ORDER];
};

/* F with beta 2 of the mean precision and the mean recall over the orders that both sides have. */
static double chrf_score(const struct chrf_counts *counts)
{
    double precision = 0, recall = 0, orders = 0;
    for (size_t n = 0; n < METRIC_CHRF_ORDER; n++) {
        if (counts->hypothesis[n] == 0 || counts->reference[n] == 0)
            continue;
        precision += (double)counts->matches[n] / (double)counts->hypothesis[n];
        recall += (double)counts->matches[n] / (double)counts->reference[n];
        orders++;
    }
    if (precision + recall == 0)
        return 0;
    precision /= orders;
    recall /= orders;
    return 100 * 5 * precision * recall / (4 * precision + recall);
}

static int add_characters(void *context, struct metric_text text, struct err *err)
{
    return ngrams_add_characters(context, text, err);
}

static int chrf_count_all(struct ngrams *ngrams, struct chrf_counts *counts, size_t references,
                          struct err *err)
{
    for (size_t n = 0; n < METRIC_CHRF_ORDER; n++) {
        int code = ngrams_next_order(ngrams, err);
        if (code < 0)
            return code;
        for (size_t r = 0; r < references; r++) {
            counts[r].reference[n] = ngrams_total(ngrams, r + 1);
            counts[r].hypothesis[n] = counts[r].reference[n] > 0 ? ngrams_total(ngrams, 0) : 0;
            counts[r].matches[n] = ngrams_matches(ngrams, r + 1);
        }
    }
    return 0;
}

/* Adds the counts of the reference with the best score of its own, the first of several. */
static void chrf_add_best(const struct chrf_counts *counts, size_t references,
                          struct chrf_counts *sum)
{
    const struct chrf_counts *best = &counts[0];
    for (size_t r = 1; r < references; r++)
        if (chrf_score(&counts[r]) > chrf_score(best))
            best = &counts[r];
    for (size_t n = 0; n < METRIC_CHRF_ORDER; n++) {
        sum->hypothesis[n] += best->hypothesis[n];
        sum->reference[n] += best->reference[n];
        sum->matches[n] += best->matches[n];
    }
}

static int chrf_count(struct ngrams *ngrams, const struct metric_segment *segment,
                      struct chrf_counts *sum, struct err *err)
{
    size_t references;
    struct chrf_counts *counts = mem_alloc(segment->reference_count, sizeof(*counts), err);
    if (counts == NULL)
        return ERR_MEMORY;
    ngrams_reset(ngrams);
    int code = add_texts(segment, &references, add_characters, ngrams, err);
    if (code == 0)
        code = chrf_count_all(ngrams, counts, references, err);
    if (code == 0)
        chrf_add_best(counts, references, sum);
    mem_free(counts);
    return code;
}

int metric_chrf(const struct metric_segment *segments, size_t count, double *score, struct err *err)
{
    struct chrf_counts sum = {{0}, {0}, {0}};
    int code = check_segments(segments, count, err);
    if (code < 0)
        return code;
    struct ngrams *ngrams = ngrams_new(err);
    if (ngrams == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; code == 0 && i < count; i++)
        code = chrf_count(ngrams, &segments[i], &sum, err);
    *score = chrf_score(&sum);
    ngrams_free(ngrams);
    return code;
}

int metric_confusion_init(struct metric_confusion *confusion, size_t labels, struct err *err)
{
    confusion->labels = 0;
    confusion->counts = NULL;
    if (labels > 0 && labels > SIZE_MAX / labels)
        return err_set(err, ERR_LIMIT, "too many labels: %zu", labels);
    confusion->counts = mem_alloc(labels * labels, sizeof(*confusion->counts), err);
    if (confusion->counts == NULL)
        return ERR_MEMORY;
    confusion->labels = labels;
    return 0;
}

void metric_confusion_release(struct metric_confusion *confusion)
{
    mem_free(confusion->counts);
    confusion->counts = NULL;
    confusion->labels = 0;
}

void metric_confusion_add(struct metric_confusion *confusion, size_t actual, size_t predicted)
{
    confusion->counts[actual * confusion->labels + predicted]++;
}

struct metric_label metric_confusion_label(const struct metric_confusion *confusion, size_t label)
{
    struct metric_label result = {0};
    for (size_t i = 0; i < confusion->labels; i++) {
        result.actual += confusion->counts[label * confusion->labels + i];
        result.predicted += confusion->counts[i * confusion->labels + label];
    }
    result.correct = confusion->counts[label * confusion->labels + label];
    double correct = (double)result.correct;
    if (result.predicted > 0)
        result.precision = correct / (double)result.predicted;
    if (result.actual > 0)
        result.recall = correct / (double)result.actual;
    if (result.actual + result.predicted > 0)
        result.f1 = 2 * correct / (double)(result.actual + result.predicted);
    return result;
}

double metric_accuracy(const struct metric_confusion *confusion)
{
    size_t correct = 0, total = 0;
    for (size_t label = 0; label < confusion->labels; label++) {
        struct metric_label counts = metric_confusion_label(confusion, label);
        correct += counts.correct;
        total += counts.actual;
    }
    return total == 0 ? 0 : (double)correct / (double)total;
}

double metric_macro_f1(const struct metric_confusion *confusion)
{
    double sum = 0;
    size_t seen = 0;
    for (size_t label = 0; label < confusion->labels; label++) {
        struct metric_label counts = metric_confusion_label(confusion, label);
        seen += counts.actual + counts.predicted > 0;
        sum += counts.f1;
    }
    return seen == 0 ? 0 : sum / (double)seen;
}
