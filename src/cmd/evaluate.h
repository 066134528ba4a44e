/* The two halves of dragoman evaluate, one for each task, and what they share. */
#ifndef DRAGOMAN_CMD_EVALUATE_H
#define DRAGOMAN_CMD_EVALUATE_H

#include "cmd/cmd.h"
#include "text/corpus.h"

struct evaluate_settings {
    char *test, *output, *references;
    struct opt_list labels, ensemble;
    int64_t beam, threads;
    bool json, reverse, help;
};

struct evaluate {
    const struct evaluate_settings *settings;
    struct model *model;
    struct corpus corpus;
    int threads;
    double seconds; /* that the model worked */
};

/* Each returns an exit code and has complained unless it is 0. */
int evaluate_translation(struct evaluate *evaluate);
int evaluate_classification(struct evaluate *evaluate);

#endif
