/* Training from a recipe to a bundle. */
#ifndef DRAGOMAN_TRAIN_TRAIN_H
#define DRAGOMAN_TRAIN_TRAIN_H

#include "train/trainer.h"

struct train_summary { /* known before the first update */
    size_t examples, parameters;
    size_t left_out, cut, dev_left_out; /* see trainer_task */
    size_t max_tokens, dev_max_tokens;  /* what they are longer than */
    const char *unit, *score_name;
};

struct train_watch {
    void *context;
    void (*begin)(void *context, const struct train_summary *summary);
    bool (*report)(void *context, const struct trainer_progress *progress); /* see trainer_watch */
};

/* Reads data, learns the vocabulary, trains, and leaves the best model by development score at
   recipe->out. Working files are in a folder beside it, `out`.training: the vocabulary, the
   checkpoint, the record train.jsonl and its page report.html. command: the
   command line, for the model card. The recipe has been checked. */
int train_run(const struct recipe *recipe, const char *command, const struct train_watch *watch,
              struct trainer_progress *final, struct err *err);

#endif
