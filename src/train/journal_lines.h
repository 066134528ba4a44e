/* The lines of train.jsonl as text, without the newline. Errors are memory alone: `err`, clean
   before, says whether the line is whole. */
#ifndef DRAGOMAN_TRAIN_JOURNAL_LINES_H
#define DRAGOMAN_TRAIN_JOURNAL_LINES_H

#include "train/journal.h"

void journal_line_start(struct buf *out, const struct journal_run *run, bool resumed, size_t update,
                        struct err *err);
void journal_line_update(struct buf *out, const struct trainer_progress *progress, struct err *err);
void journal_line_evaluation(struct buf *out, const struct journal_run *run,
                             const struct trainer_progress *progress, struct err *err);
/* Leaves `out` empty where the task kept no samples. */
void journal_line_samples(struct buf *out, const struct journal_run *run,
                          const struct trainer_progress *progress, struct err *err);
void journal_line_end(struct buf *out, const char *reason, const char *message,
                      const struct trainer_progress *final, struct err *err);

#endif
