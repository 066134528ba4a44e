/*
 * The compute threads. Each takes jobs from the batcher, lets translations join its running batch
 * of their model between two decoding steps, writes texts under generation together, a token at a
 * time, reads in one go what can be, and posts every finished job to the mailbox. A worker owns its
 * decoders; models are shared and read-only.
 */
#ifndef DRAGOMAN_SERVE_WORKER_H
#define DRAGOMAN_SERVE_WORKER_H

#include "serve/batcher.h"
#include "serve/mailbox.h"
#include "serve/work.h"

struct workers;
struct workers_settings {
    size_t count; /* threads */
    size_t rows;  /* hypotheses that one decodes together, for each model */
    bool whole;   /* whole-request batching (serve/translating.h) */
};
/* Both the batcher and the mailbox must outlive the workers. */
struct workers *workers_start(const struct workers_settings *settings, struct batcher *batcher,
                              struct mailbox *mailbox, struct err *err);
/* Closes the batcher, waits until all jobs are back in the mailbox and the threads have ended. */
void workers_stop(struct workers *workers);

struct workers_counters {
    struct work work;
    uint64_t rows; /* held by sentences and texts that are under way */
};
/* Any thread. */
struct workers_counters workers_counters(const struct workers *workers);

#endif
