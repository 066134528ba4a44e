/*
 * The compute threads. Each takes jobs from the batcher, lets translations join its running batch
 * of their model between two decoding steps, gives every text under generation a token in turn,
 * runs what is done in one go in between, and posts every finished job to the mailbox. A worker
 * owns its decoders; models are shared and read-only.
 */
#ifndef DRAGOMAN_SERVE_WORKER_H
#define DRAGOMAN_SERVE_WORKER_H

#include "serve/batcher.h"
#include "serve/mailbox.h"

struct workers;
/* Starts `count` threads. rows: hypotheses that one decodes together, for each model. Both the
   batcher and the mailbox must outlive the workers. */
struct workers *workers_start(size_t count, size_t rows, struct batcher *batcher,
                              struct mailbox *mailbox, struct err *err);
/* Closes the batcher, waits until all jobs are back in the mailbox and the threads have ended. */
void workers_stop(struct workers *workers);

struct workers_counters {
    uint64_t steps, sentences; /* decoding steps, and sentences in them: their ratio is the fill */
    uint64_t tokens;           /* generated */
};
/* Any thread. */
struct workers_counters workers_counters(const struct workers *workers);

#endif
