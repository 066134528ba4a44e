/*
 * Scores. Translation: corpus BLEU and chrF as sacrebleu defines them, so that the figures can be
 * compared with published ones, and perplexity. Classification and tagging: accuracy and
 * macro-averaged F1 from counts of confusions. Regression: errors, explained variance, correlation.
 *
 * BLEU   Papineni et al. 2002, Post 2018: orders 1 to 4, brevity penalty against the reference of
 *        the closest length. Of text that is tokenised already, without smoothing, it is what
 *        Moses's multi-bleu.perl prints.
 * chrF   Popovic 2015, 2017: characters without white space, orders 1 to 6, beta 2; chrF++ counts
 *        words and pairs of words too. With several references the best one of each sentence
 * counts.
 *
 * Texts are UTF-8; bytes that are not are treated as characters of their own.
 */
#ifndef DRAGOMAN_TRAIN_METRIC_H
#define DRAGOMAN_TRAIN_METRIC_H

#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"

#define METRIC_BLEU_ORDER 4
#define METRIC_CHRF_ORDER 6      /* of characters */
#define METRIC_CHRF_WORD_ORDER 2 /* of words, for chrF++ */
#define METRIC_CHRF_ORDERS (METRIC_CHRF_ORDER + METRIC_CHRF_WORD_ORDER)
#define METRIC_SIGNATURE_SIZE 128

enum metric_tokenisation {
    METRIC_13A,      /* what NIST's mteval-v13a does to text as people write it */
    METRIC_TOKENISED /* tokens stand between white space already */
};
enum metric_smoothing {                     /* of an order of BLEU without a match */
                        METRIC_EXPONENTIAL, /* half a match, the next one a quarter (Chen and Cherry
                                               2014, method 3) */
                        METRIC_UNSMOOTHED   /* makes the score 0 */
};
struct metric_settings {                   /* all zero: sacrebleu's defaults */
    enum metric_tokenisation tokenisation; /* BLEU only */
    enum metric_smoothing smoothing;       /* BLEU only */
    bool lowercase;                        /* both */
    bool words;                            /* chrF++ instead of chrF */
};

struct metric_text {
    const char *data;
    size_t len;
};
struct metric_segment {
    struct metric_text hypothesis; /* may be empty */
    const struct metric_text *references;
    size_t reference_count; /* empty references are left out; at least one must be non-empty */
};

struct metric_bleu_counts { /* of one segment, or summed */
    size_t matches[METRIC_BLEU_ORDER], totals[METRIC_BLEU_ORDER];
    size_t hypothesis_length, reference_length; /* tokens */
};
struct metric_bleu {
    double score;                         /* 0 to 100 */
    double precisions[METRIC_BLEU_ORDER]; /* 0 to 100, smoothed */
    double brevity_penalty;
    struct metric_bleu_counts counts;
};

/* ERR_ARGUMENT for a segment without a non-empty reference and for a count of 0. */
int metric_bleu(const struct metric_segment *segments, size_t count,
                const struct metric_settings *settings, struct metric_bleu *bleu, struct err *err);
/* *score: 0 to 100. Errors as above. */
int metric_chrf(const struct metric_segment *segments, size_t count,
                const struct metric_settings *settings, double *score, struct err *err);

/* The same in two steps: counts[count], one of each segment, then a score of the sum of any of
   them. */
int metric_bleu_count(const struct metric_segment *segments, size_t count,
                      const struct metric_settings *settings, struct metric_bleu_counts *counts,
                      struct err *err);
void metric_bleu_add(struct metric_bleu_counts *sum, const struct metric_bleu_counts *counts);
void metric_bleu_score(const struct metric_bleu_counts *sum, enum metric_smoothing smoothing,
                       struct metric_bleu *bleu);

struct metric_chrf_counts { /* characters' orders, then words' */
    size_t hypothesis[METRIC_CHRF_ORDERS], reference[METRIC_CHRF_ORDERS],
        matches[METRIC_CHRF_ORDERS];
};
int metric_chrf_count(const struct metric_segment *segments, size_t count,
                      const struct metric_settings *settings, struct metric_chrf_counts *counts,
                      struct err *err);
void metric_chrf_add(struct metric_chrf_counts *sum, const struct metric_chrf_counts *counts);
double metric_chrf_score(const struct metric_chrf_counts *sum); /* 0 to 100 */

/* The settings that a score was computed with, in sacrebleu's words. */
void metric_bleu_signature(const struct metric_segment *segments, size_t count,
                           const struct metric_settings *settings,
                           char signature[METRIC_SIGNATURE_SIZE]);
void metric_chrf_signature(const struct metric_segment *segments, size_t count,
                           const struct metric_settings *settings,
                           char signature[METRIC_SIGNATURE_SIZE]);

/* exp(negative_log / tokens), where negative_log is the sum of -ln p(token); which is
   2^(-1/L sum log2 p). 0 without tokens, infinite where it is too large for a double. */
double metric_perplexity(double negative_log, size_t tokens);

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

struct metric_regression {
    double mse, rmse, mae; /* mean squared error, its root; mean absolute error */
    double r2;             /* 1 - mse / variance of `actual`; 0 where that is 0 */
    double correlation;    /* Pearson's, -1 to 1; 0 where either does not vary */
};

struct metric_regression metric_regression(const double *actual, const double *predicted,
                                           size_t count);

#endif
