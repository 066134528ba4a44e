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
#include "model/explain.h"
#include "model/generate.h"
#include "model/tag.h"
#include "serve/mailbox.h"

enum job_outcome {
    JOB_DONE,
    JOB_CANCELLED, /* nobody waits for it any more */
    JOB_TOO_LONG,  /* a sentence has `actual` tokens, more than DECODE_MAX_SOURCE */
    JOB_REFUSED,   /* the model cannot do that with this input: err says why */
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
    struct explanation explanation;
    struct tagged tagged;
    double value;            /* regression */
    enum generation_end end; /* generation, as is the next; its text: text */
    double log_probability;  /* natural logarithm */
    size_t tokens_in, tokens_out;
    int64_t taken_ns, done_ns; /* monotonic; 0 where it was never taken */
};

struct stream;
struct job_line;

enum job_state { JOB_IDLE, JOB_QUEUED, JOB_TAKEN }; /* guarded by the batcher's lock */

struct job {
    struct mail mail; /* first: a delivered mail is the job */
    struct job *next, *previous;
    enum job_state state;
    struct job_line *line; /* the batcher's */
    void *owner;           /* the request; workers do not look into it */
    uint64_t client;       /* whose it is: jobs of one client take turns with those of another */
    size_t width;          /* rows of a decoder that one of its sentences needs; else 1 */
    struct model *model;
    const char *text;
    size_t len;
    struct decode_options options; /* translation, as is the next */
    bool alignment;
    bool explain;            /* classification */
    const struct rows *rows; /* regression; NULL: the text */
    struct generate_condition condition;
    struct generate_options generate;
    struct stream *stream; /* generation; NULL: nobody reads along */
    atomic_bool cancelled;
    struct job_result result;
};

/* Ends the job with this error: refused where the input is at fault, failed otherwise. */
void job_fail(struct job *job, const struct err *err);
/* The most probable label of a distribution; the first where several are. */
size_t job_best_label(const float *probabilities, size_t count);
void job_result_release(struct job_result *result);

#endif
