/*
 * Translating many texts: every thread keeps one decoder full, taking the next text as soon as one
 * is done. A translation does not depend on threads, order or company. For models whose source is
 * rows of numbers a text is rows, as text/rows.h writes them.
 */
#ifndef DRAGOMAN_MODEL_BATCH_H
#define DRAGOMAN_MODEL_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "base/pool.h"
#include "model/decode.h"

struct tokenizer;

/* Hypotheses in flight in one decoder; enough that the products no longer wait for memory. */
#define BATCH_ROWS 64

struct batch_text {
    const char *data;
    size_t len;
};
struct batch_candidate {
    char *text; /* NUL-terminated */
    size_t len;
    float score;
};
struct batch_attention { /* zero before first use; release with batch_attention_release */
    int32_t *ids;        /* [count] tokens of the best candidate, without EOS */
    float *weights;      /* [count][source_count], each row sums to 1 */
    size_t count, source_count;
};
struct batch_output {                  /* zero before use; release with batch_output_release */
    struct batch_attention *attention; /* may be set before: the caller's, filled in where the best
                                          candidate has attention, else empty */
    struct err err; /* this text alone could not be translated: not UTF-8, or too long */
    struct batch_candidate *candidates; /* best first; none where err is set */
    size_t count;
    size_t source_tokens, target_tokens; /* of the text and of the best candidate */
    bool truncated;                      /* the best candidate came to no end */
};

/* Translates all texts, outputs[i] from texts[i], on the threads of `pool`. Fails as a whole only
   where memory runs out or the decoder does; the outputs must be released all the same. */
int batch_translate(const struct ensemble *ensemble, const struct tokenizer *tokenizer,
                    const struct decode_options *options, struct pool *pool,
                    const struct batch_text *texts, size_t count, struct batch_output *outputs,
                    struct err *err);
void batch_output_release(struct batch_output *output);
void batch_attention_release(struct batch_attention *attention);

/* The part of it that one thread does, for callers whose texts come one by one. */
struct batch_item {
    struct batch_text text;      /* valid until done */
    struct batch_output *output; /* zero before */
};
struct batch_source {
    /* The next text, or NULL. With `wait` NULL means that there will be none any more, else that
       there is none yet. */
    struct batch_item *(*next)(void *context, bool wait);
    /* The output is filled. */
    void (*done)(void *context, struct batch_item *item);
    void *context;
};
/* Returns when the source has nothing left and all that it gave is done, or with an error, at which
   items may be left undone. Rows: 0 for BATCH_ROWS. */
int batch_work(const struct ensemble *ensemble, const struct tokenizer *tokenizer,
               const struct decode_options *options, size_t rows, const struct batch_source *source,
               struct err *err);

#endif
