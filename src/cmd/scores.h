/*
 * BLEU, chrF2 and chrF2++ of translations, with the signatures that say how they were computed,
 * how sure they are, and how they compare with those of another system.
 */
#ifndef DRAGOMAN_CMD_SCORES_H
#define DRAGOMAN_CMD_SCORES_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "train/metric.h"
#include "train/metric_bootstrap.h"

enum scores_metric { SCORES_BLEU, SCORES_CHRF, SCORES_CHRF_WORDS, SCORES_COUNT };

struct scores_settings {
    struct metric_settings metric; /* `words` is not looked at */
    bool confidence;
    uint64_t seed;
    const struct metric_text *baseline; /* of each segment, another system's; NULL: none */
};

struct score {
    double value; /* 0 to 100 */
    char signature[METRIC_SIGNATURE_SIZE];
    struct metric_interval interval;
    double baseline;    /* the other system's */
    double probability; /* of such a difference by chance */
};

struct scores {
    struct score metrics[SCORES_COUNT];
    struct metric_bleu bleu;
    bool confidence, baseline;
    uint64_t seed;
};

int scores_compute(struct scores *scores, const struct metric_segment *segments, size_t count,
                   const struct scores_settings *settings, struct err *err);
void scores_print(const struct scores *scores);
/* "one" or "all": what `references` says in the object. NULL where memory runs out. */
json_t *scores_json(const struct scores *scores, const char *references);

#endif
