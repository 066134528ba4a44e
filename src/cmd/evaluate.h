/* The parts of dragoman evaluate, one for each task and one for translations from a file, and what
   they share. */
#ifndef DRAGOMAN_CMD_EVALUATE_H
#define DRAGOMAN_CMD_EVALUATE_H

#include "cmd/cmd.h"
#include "cmd/scores.h"
#include "cmd/test_set.h"
#include "text/corpus.h"

struct evaluate_settings {
    char *test, *output, *references, *hypotheses, *baseline;
    struct opt_list labels, ensemble;
    int64_t beam, threads, seed;
    int smoothing; /* enum metric_smoothing */
    bool json, reverse, tokenised, lowercase, perplexity, confidence, help;
};

struct evaluate_figure { /* the one that says most, for comparing */
    const char *name;    /* "BLEU", "accuracy", ... */
    double value;
};

struct evaluate {
    const struct evaluate_settings *settings;
    struct model *model;
    struct corpus corpus;
    int threads;
    double seconds; /* that the model worked */
    bool silent;    /* print nothing; only `figure` is wanted */
    struct evaluate_figure figure;
};

/* Measures the model on the corpus, as its task wants it, and says so; exit code. Frees the corpus.
 */
int evaluate_one(struct evaluate *evaluate);

/* Each returns an exit code and has complained unless it is 0. */
int evaluate_translation(struct evaluate *evaluate);
int evaluate_classification(struct evaluate *evaluate);
int evaluate_generation(struct evaluate *evaluate); /* reads the test set itself */
int evaluate_tagging(struct evaluate *evaluate);
int evaluate_regression(struct evaluate *evaluate);
/* No model: settings->hypotheses against the corpus, or where that is empty against files of
   references. */
int evaluate_hypotheses(struct evaluate *evaluate, char *const *references, size_t count);

struct scoring { /* of translations, wherever they came from; zero before, release in any case */
    struct test_set set;
    struct text_lines baseline;
    struct scores single, all;
};

/* Once the set is made: reads the baseline if there is one. */
int scoring_prepare(struct scoring *scoring, const struct evaluate_settings *settings,
                    struct err *err);
/* Once all hypotheses are there. */
int scoring_compute(struct scoring *scoring, const struct evaluate_settings *settings,
                    struct err *err);
void scoring_print(const struct scoring *scoring);
json_t *scoring_json(const struct scoring *scoring); /* NULL where memory runs out */
void scoring_release(struct scoring *scoring);

#endif
