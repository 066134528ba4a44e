/*
 * Decoding: greedy and beam search over one running batch. Sentences join between steps: those that
 * wait are encoded together at the beginning of a step. Each step advances live hypotheses by one
 * token in one set of matrix products, and finished sentences leave at once. All arithmetic on a
 * row is independent of the other rows, so a sentence gives the same bytes alone and in any
 * company.
 *
 * A step advances all sentences when they are of one party. Where several parties share the batch,
 * the sentences of one that has many more rows than another sit out some steps (base/turn.h), the
 * later ones first, so that nobody is slowed down by how much others want.
 *
 * An ensemble of models of one vocabulary decodes together: at each step the next token's
 * probability is the arithmetic mean of theirs, and the attention is the mean over those that have
 * one.
 *
 * One decoder belongs to one thread. Models are shared and read-only.
 */
#ifndef DRAGOMAN_MODEL_DECODE_H
#define DRAGOMAN_MODEL_DECODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

#define DECODE_MAX_BEAM 16
#define DECODE_MAX_SOURCE 512  /* tokens of one sentence; longer is ERR_LIMIT */
#define DECODE_ROWS_LENGTH 100 /* tokens of what is said of rows, where nobody says otherwise */
#define DECODE_MAX_LENGTH (2 * DECODE_MAX_SOURCE + 10)
#define DECODE_MAX_LENGTH_PENALTY 10.0
#define DECODE_MAX_MODELS 16 /* of an ensemble */

struct seq2seq;
struct decoder;

struct ensemble {
    const struct seq2seq *models[DECODE_MAX_MODELS];
    size_t count; /* 1: that model alone */
};

struct decode_options {
    size_t beam;           /* 1: greedy; at most DECODE_MAX_BEAM */
    size_t nbest;          /* 1..beam */
    size_t max_length;     /* tokens of output at most, EOS not counted; 0: 2 * source + 10, or
                              for rows DECODE_ROWS_LENGTH */
    double length_penalty; /* score = log probability / length^length_penalty, length with EOS */
    uint64_t party;        /* whose it is */
};

struct hypothesis {
    int32_t *ids; /* without EOS */
    size_t count;
    float score;           /* log probability divided by length^length_penalty; higher is better */
    float log_probability; /* natural logarithm, of the whole output with EOS */
    /* [count][source_count], each row sums to 1; EOS is left out. NULL: no model has attention. */
    float *attention;
    bool truncated; /* max_length came before EOS */
};
struct decode_result {
    void *tag;           /* what decoder_join was given */
    size_t source_count; /* tokens without EOS, or rows */
    size_t count;        /* hypotheses, best first; truncated ones only after all others */
    struct hypothesis hypotheses[DECODE_MAX_BEAM];
};

/* rows: hypotheses in flight at most (beam 5 needs 5 rows for a sentence). The models must outlive
   the decoder; the ensemble need not. */
struct decoder *decoder_new(const struct ensemble *ensemble, size_t rows, struct err *err);
void decoder_free(struct decoder *decoder);
/* Lets a source join (no EOS; the decoder adds it). ERR_BUSY when there are not enough free rows
   now, ERR_LIMIT when there never are. An empty source is allowed and gives one
   empty hypothesis with score 0. */
int decoder_join(struct decoder *decoder, const int32_t *source, size_t count,
                 const struct decode_options *options, void *tag, struct err *err);
/* The same for models whose source is rows of numbers, [count][width], at least one. */
int decoder_join_rows(struct decoder *decoder, const float *rows, size_t count, size_t width,
                      const struct decode_options *options, void *tag, struct err *err);
size_t decoder_free_rows(const struct decoder *decoder);
bool decoder_idle(const struct decoder *decoder); /* nothing in flight and nothing to take */
/* Encodes what has joined, up to DECODE_MAX_SOURCE tokens or the first that waits, and makes one
   token for every live row that takes part. ERR_MEMORY: a result could not be allocated; nothing is
   lost, the next step tries again. */
int decoder_step(struct decoder *decoder, struct err *err);
struct decoder_load {
    size_t encoded, sentences, rows; /* in the last step: sentences encoded; advanced; live rows */
    size_t in_flight;                /* sentences, now */
};
struct decoder_load decoder_load(const struct decoder *decoder);
/* A finished sentence, or NULL. The caller frees it with decode_result_free. */
struct decode_result *decoder_take(struct decoder *decoder);
void decode_result_free(struct decode_result *result);
/* Drops the sentence with this tag, if it is in flight or not taken yet. */
void decoder_cancel(struct decoder *decoder, const void *tag);

#endif
