/*
 * Probabilities that mean something: of a hundred answers given with probability 0.8, eighty should
 * be right. Networks are mostly too sure; dividing their logits by one number, the temperature that
 * makes held-out labels most probable, mends most of it and changes no decision (Guo et al. 2017).
 */
#ifndef DRAGOMAN_TRAIN_CALIBRATION_H
#define DRAGOMAN_TRAIN_CALIBRATION_H

#include <stddef.h>
#include <stdint.h>

struct calibration { /* answers to texts whose labels are known */
    size_t count, labels;
    const float *logits;    /* [count, labels], finite */
    const int32_t *targets; /* [count] */
};

/* The best label of text i, the first of equals; *probability at this temperature. */
size_t calibration_guess(const struct calibration *answers, size_t i, double temperature,
                         double *probability);
/* Share of right guesses; 0 of no texts. */
double calibration_accuracy(const struct calibration *answers);
/* Mean of -log p(target), natural logarithm. */
double calibration_loss(const struct calibration *answers, double temperature);
/* The temperature of the lowest loss, within SPEC_MIN_TEMPERATURE..SPEC_MAX_TEMPERATURE. */
double calibration_temperature(const struct calibration *answers);
/* Expected calibration error: the guesses in CALIBRATION_BINS bins of equal width by probability;
   the mean difference between a bin's mean probability and its share of right ones (Naeini et al.
   2015). 0 to 1. */
#define CALIBRATION_BINS 15
double calibration_error(const struct calibration *answers, double temperature);

#endif
