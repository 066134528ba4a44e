/*
 * A run so far, as its report shows it: read from the lines of train.jsonl, those of this process
 * and those that stood there before it. It stays small however long the run: of the samples of many
 * evaluations only some are kept, spread over the run.
 */
#ifndef DRAGOMAN_TRAIN_HISTORY_H
#define DRAGOMAN_TRAIN_HISTORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include "base/err.h"

#define HISTORY_SAMPLES 12

/* Members that a line lacks are not a number. Doubles throughout, so that a chart can read a member
   of all points with a stride. */
struct history_update {
    double update, loss, gradient_norm, rate, units_per_second, seconds;
};
struct history_evaluation {
    double update, epoch, score, perplexity, best; /* best: 1 or 0 */
};

struct history {
    json_t *start, *end; /* the last such line, NULL where none came; a start unsets the end */
    struct history_update *updates;
    size_t update_count, update_capacity;
    struct history_evaluation *evaluations;
    size_t evaluation_count, evaluation_capacity;
    json_t *samples[HISTORY_SAMPLES]; /* lines, oldest first; the last one is always kept */
    size_t sample_count;
};

/* Where a resumed run goes on: its first report is about this update, or about the score after it.
   Lines from there on are of a run that was broken off. */
struct history_limit {
    double update;
    bool scored;
};

/* Zero before use. Adds one line (without its newline); returns 1, having done nothing, where it is
   beyond `limit`, which may be NULL. ERR_FORMAT where it is no such line. */
int history_add(struct history *history, const char *line, size_t len,
                const struct history_limit *limit, struct err *err);
void history_release(struct history *history);

/* Members of a line: a number or NAN; a text or "". */
double history_number(const json_t *object, const char *name);
const char *history_text(const json_t *object, const char *name);

#endif
