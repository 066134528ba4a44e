/*
 * train.jsonl: what happens in a run, one JSON object a line, each written at once with O_APPEND,
 * so that a reader may follow it and a kill spoils at most the last line.
 *
 *   start       settings, data, sizes, program; again when the run is resumed
 *   update      loss, gradient norm, learning rate, speed; of the first 511 updates and then, in
 *               each doubling of their number, of 256
 *   evaluation  score and perplexity of the development data
 *   samples     the first sentences of it, their outputs, and the attention of a few
 *   end         why the run ended
 *
 * Each has `type` and `update`, the updates done so far. man/dragoman.1 describes the members.
 *
 * Not for several threads at once.
 */
#ifndef DRAGOMAN_TRAIN_JOURNAL_H
#define DRAGOMAN_TRAIN_JOURNAL_H

#include "train/trainer.h"

struct history;
struct journal;

struct journal_run { /* kept by the caller as long as the journal */
    const struct recipe *recipe;
    const struct trainer_task *task;
    const char *command;
};

/* Opens or makes the file. An earlier run's lines are dropped unless `recipe->resume`; then they
   stay, a last line that is not whole excepted. In all functions `err` is clean before, and says
   which file. */
int journal_open(struct journal **journal, const char *path, const struct journal_run *run,
                 struct err *err);
void journal_close(struct journal *journal);
/* All lines so far; owned by the journal. */
const struct history *journal_history(const struct journal *journal);

/* Writes `start`, unless the run is resumed: then the first report does. */
int journal_start(struct journal *journal, struct err *err);
/* To be called with all that the trainer reports. The first report of a resumed run says where its
   checkpoint stood: lines that are later than that are cut off, and `start` is written. */
int journal_report(struct journal *journal, const struct trainer_progress *progress,
                   struct err *err);
/* reason: finished, patience, time, stopped or failed. message: what went wrong, or NULL. Nothing
   where a resumed run reported nothing. */
int journal_end(struct journal *journal, const char *reason, const char *message,
                const struct trainer_progress *final, struct err *err);

#endif
