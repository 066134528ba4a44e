/*
 * One text of a request on its way through the server.
 *
 * Ownership: the event thread makes and frees jobs. From batcher_push until it comes back through
 * the mailbox (or batcher_cancel says that it was still waiting) a job belongs to the batcher or a
 * worker; meanwhile the event thread touches nothing of it but `cancelled`. Every job that is
 * pushed comes back, exactly once.
 */
#ifndef DRAGOMAN_SERVE_JOB_H
#define DRAGOMAN_SERVE_JOB_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/model.h"
#include "serve/mailbox.h"

enum job_outcome {
    JOB_DONE,
    JOB_CANCELLED, /* nobody waits for it any more */
    JOB_TOO_LONG,  /* a sentence has `actual` tokens, more than DECODE_MAX_SOURCE */
    JOB_FAILED,    /* err says why */
};

struct job_alternative { /* a part of result.text */
    size_t begin, end;
    double score;
};
struct job_range { /* one token of the translation, as the protocol's `alignment` */
    size_t source_begin, source_end, target_begin, target_end;
};

struct job_result {
    enum job_outcome outcome;
    struct err err;
    size_t actual;
    struct buf text;                      /* translations, one after the other */
    struct job_alternative *alternatives; /* best first; the first is the translation */
    size_t alternative_count;
    struct job_range *ranges;
    size_t range_count;
    bool truncated;
    float *probabilities; /* classification: one for each label of the model */
    size_t tokens_in, tokens_out;
    int64_t taken_ns, done_ns; /* monotonic; 0 where it was never taken */
};

enum job_state { JOB_IDLE, JOB_QUEUED, JOB_TAKEN }; /* guarded by the batcher's lock */

struct job {
    struct mail mail; /* first: a delivered mail is the job */
    struct job *next, *previous;
    enum job_state state;
    void *owner; /* the request; workers do not look into it */
    struct model *model;
    const char *text;
    size_t len;
    struct decode_options options; /* translation */
    bool alignment;
    atomic_bool cancelled;
    struct job_result result;
};

void job_result_release(struct job_result *result);

#endif
