/*
 * A translation job at work: its text as a passage, and what the decoder made of the units so far.
 * A task belongs to the worker that made it.
 */
#ifndef DRAGOMAN_SERVE_TASK_H
#define DRAGOMAN_SERVE_TASK_H

#include "serve/job.h"

struct task {
    struct task *next;
    struct job *job;
    struct passage *passage;
    size_t count, joined, finished; /* units; the tag of each in the decoder is its passage_unit */
};

/* Cuts and tokenises. NULL: job->result says why, or (where nothing needs a decoder) that it is
   done. */
struct task *task_new(struct job *job);
void task_free(struct task *task); /* not its job; nothing of it may be in a decoder */
/* The task that a decoder's result belongs to. */
struct task *task_of(const struct decode_result *result);

/* Lets its next unit join: 1. 0: all have, or there are not enough free rows. A failure is put
   into job->result. */
int task_join(struct task *task, struct decoder *decoder);
/* Takes its units out of the decoder. */
void task_cancel(struct task *task, struct decoder *decoder);
/* Takes over a result of its own. True when it was the last: job->result is then complete. */
bool task_finish(struct task *task, struct decode_result *result);

#endif
