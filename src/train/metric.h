/*
 * Scores. Translation: corpus BLEU and chrF as sacrebleu defines its defaults, so that the figures
 * can be compared with published ones. Classification: accuracy and macro-averaged F1 from counts
 * of confusions.
 *
 * BLEU   Papineni et al. 2002, Post 2018: 13a tokens, orders 1 to 4, mixed case, exponential
 *        smoothing, brevity penalty against the reference of the closest length.
 * chrF   Popovic 2015: characters without white space, orders 1 to 6, beta 2; with several
 *        references the best one of each sentence counts.
 *
 * Texts are UTF-8; bytes that are not are treated as characters of their own.
 */
#ifndef DRAGOMAN_TRAIN_METRIC_H
#define DRAGOMAN_TRAIN_METRIC_H

#include <stddef.h>
#include "base/err.h"

#define METRIC_BLEU_ORDER 4
#define METRIC_CHRF_ORDER 6

struct metric_text {
    const char *data;
    size_t len;
};
struct metric_segment {
    struct metric_text hypothesis; /* may be empty */
    const struct metric_text *references;
    size_t reference_count; /* empty references are left out; at least one must be non-empty */
};

struct metric_bleu {
    double score;                         /* 0 to 100 */
    double precisions[METRIC_BLEU_ORDER]; /* 0 to 100, smoothed */
    double brevity_penalty;
    size_t matches[METRIC_BLEU_ORDER], totals[METRIC_BLEU_ORDER];
    size_t hypothesis_length, reference_length; /* tokens */
};

/* ERR_ARGUMENT for a segment without a non-empty reference and for a count of 0. */
int metric_bleu(const struct metric_segment *segments, size_t count, struct metric_bleu *bleu,
                struct err *err);
/* *score: 0 to 100. Errors as above. */
int metric_chrf(const struct metric_segment *segments, size_t count, double *score,
                struct err *err);

struct metric_confusion { /* how often each label was taken for which */
    size_t labels;
    size_t *counts; /* [labels: actual][labels: predicted] */
};
struct metric_label {
    double precision, recall, f1; /* 0 to 1; 0 where undefined */
    size_t actual, predicted, correct;
};

int metric_confusion_init(struct metric_confusion *confusion, size_t labels, struct err *err);
void metric_confusion_release(struct metric_confusion *confusion);
/* Both below confusion->labels. */
void metric_confusion_add(struct metric_confusion *confusion, size_t actual, size_t predicted);
struct metric_label metric_confusion_label(const struct metric_confusion *confusion, size_t label);
double metric_accuracy(const struct metric_confusion *confusion); /* 0 to 1; 0 when empty */
/* The mean of F1 over the labels that occur as actual or as predicted, 0 to 1. */
double metric_macro_f1(const struct metric_confusion *confusion);

#endif
