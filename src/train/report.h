/* report.html: a run so far on one page that opens without a network. */
#ifndef DRAGOMAN_TRAIN_REPORT_H
#define DRAGOMAN_TRAIN_REPORT_H

#include "base/buf.h"
#include "train/history.h"

/* Replaces the file at once. The history has a start. */
int report_write(const char *path, const struct history *history, struct err *err);
/* The page itself. */
int report_page(const struct history *history, struct buf *out, struct err *err);

/* The parts of it that show sentences: what the model made of them from evaluation to evaluation,
   and what it looked at; nothing where none were kept. */
void report_samples(const struct history *history, struct buf *out, struct err *err);

/* Whole numbers in groups of three, others with six digits at most. */
void report_number(struct buf *out, double value, struct err *err);

#endif
