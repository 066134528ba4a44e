/*
 * A generation job at work: its text so far and the model's state. It belongs to the worker that
 * made it.
 */
#ifndef DRAGOMAN_SERVE_WRITING_H
#define DRAGOMAN_SERVE_WRITING_H

#include "serve/job.h"

struct writing {
    struct writing *next;
    struct job *job;
    struct generation *generation;
};

/* NULL: job->result says why. */
struct writing *writing_new(struct job *job);
void writing_free(struct writing *writing); /* not its job */
/* Writes one token; what became text goes to the job's stream as well. True: there is more to
   write. False: job->result is complete. */
bool writing_step(struct writing *writing, struct mailbox *mailbox);

#endif
