#include "train/calibration.h"

#include <math.h>

#include "model/spec.h"

#define SEARCH_STEPS 60 /* of a golden section: the interval shrinks to 1e-12 of its length */

/* log(sum exp(logits / temperature)) */
static double log_sum(const float *logits, size_t labels, double temperature)
{
    double largest = (double)logits[0], sum = 0;
    for (size_t l = 1; l < labels; l++)
        largest = (double)logits[l] > largest ? (double)logits[l] : largest;
    for (size_t l = 0; l < labels; l++)
        sum += exp(((double)logits[l] - largest) / temperature);
    return largest / temperature + log(sum);
}

size_t calibration_guess(const struct calibration *answers, size_t i, double temperature,
                         double *probability)
{
    const float *logits = answers->logits + i * answers->labels;
    size_t best = 0;
    for (size_t l = 1; l < answers->labels; l++)
        best = logits[l] > logits[best] ? l : best;
    *probability =
        exp((double)logits[best] / temperature - log_sum(logits, answers->labels, temperature));
    return best;
}

double calibration_accuracy(const struct calibration *answers)
{
    size_t right = 0;
    double probability;
    for (size_t i = 0; i < answers->count; i++)
        right += calibration_guess(answers, i, 1, &probability) == (size_t)answers->targets[i];
    return answers->count > 0 ? (double)right / (double)answers->count : 0;
}

double calibration_loss(const struct calibration *answers, double temperature)
{
    double sum = 0;
    for (size_t i = 0; i < answers->count; i++) {
        const float *logits = answers->logits + i * answers->labels;
        sum += log_sum(logits, answers->labels, temperature) -
               (double)logits[answers->targets[i]] / temperature;
    }
    return answers->count > 0 ? sum / (double)answers->count : 0;
}

/* The loss is convex in 1 / temperature, so it has one lowest place in the logarithm too. */
double calibration_temperature(const struct calibration *answers)
{
    const double golden = (sqrt(5) - 1) / 2;
    double low = log(SPEC_MIN_TEMPERATURE), high = log(SPEC_MAX_TEMPERATURE);
    if (answers->count == 0)
        return 1;
    for (int i = 0; i < SEARCH_STEPS; i++) {
        const double left = high - golden * (high - low), right = low + golden * (high - low);
        if (calibration_loss(answers, exp(left)) <= calibration_loss(answers, exp(right)))
            high = right;
        else
            low = left;
    }
    return exp((low + high) / 2);
}

double calibration_error(const struct calibration *answers, double temperature)
{
    double gap[CALIBRATION_BINS] = {0}, sum = 0; /* in a bin: probabilities less right guesses */
    for (size_t i = 0; i < answers->count; i++) {
        double probability;
        const size_t guess = calibration_guess(answers, i, temperature, &probability);
        size_t bin = (size_t)(probability * CALIBRATION_BINS);
        bin = bin < CALIBRATION_BINS ? bin : CALIBRATION_BINS - 1;
        gap[bin] += probability - (guess == (size_t)answers->targets[i]);
    }
    for (size_t bin = 0; bin < CALIBRATION_BINS; bin++)
        sum += fabs(gap[bin]);
    return answers->count > 0 ? sum / (double)answers->count : 0;
}
