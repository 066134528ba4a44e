/*
 * A translation job at work: its text cut into sentences, their tokens, and what the decoder made
 * of them so far. A task belongs to the worker that made it.
 */
#ifndef DRAGOMAN_SERVE_TASK_H
#define DRAGOMAN_SERVE_TASK_H

#include "serve/job.h"

struct task_sentence { /* the decoder's tag */
    struct task *task;
    size_t begin, end; /* bytes of the job's text */
    int32_t *ids;
    size_t count;
    struct decode_result *result; /* NULL until it is decoded */
};

struct task {
    struct task *next;
    struct job *job;
    struct task_sentence *sentences;
    size_t count, joined, finished;
};

/* Cuts and tokenises. NULL: job->result says why, or (where the text has no sentence) that it is
   done. */
struct task *task_new(struct job *job);
void task_free(struct task *task); /* not its job; nothing of it may be in a decoder */

/* Lets its next sentence join: 1. 0: all have, or there are not enough free rows. A failure is put
   into job->result. */
int task_join(struct task *task, struct decoder *decoder);
/* Takes its sentences out of the decoder. */
void task_cancel(struct task *task, struct decoder *decoder);
/* Takes over the result. True when it was the last: job->result is then complete. */
bool task_finish(struct task_sentence *sentence, struct decode_result *result);

#endif
