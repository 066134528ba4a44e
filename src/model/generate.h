/*
 * Text from a language model: token by token, after a prompt or from nothing, under a condition
 * where the model was trained with one; and how probable it finds a given text.
 *
 * A model of lines begins at the beginning of a line and ends at its end. A model of a stream knows
 * neither: a prompt, or the text, is read as what follows a line's end.
 *
 * A model of rows of numbers takes them as its condition and says what a beam search finds most
 * probable, all in one step and at most DECODE_ROWS_LENGTH tokens: temperature, top_k, top_p and
 * seed are nothing to it, it takes no prompt, and the log probability is the whole caption's.
 *
 * Every error that the caller could have avoided is an ERR_ARGUMENT that says what was expected.
 */
#ifndef DRAGOMAN_MODEL_GENERATE_H
#define DRAGOMAN_MODEL_GENERATE_H

#include "base/buf.h"
#include "model/model.h"

#define GENERATE_MAX_TOKENS 1000000
#define GENERATE_MAX_STOPS 16
#define GENERATE_MAX_STOP_BYTES 256
#define GENERATE_MAX_TEMPERATURE 100.0

struct generate_options {
    size_t max_tokens;        /* at least 1 */
    double temperature;       /* 1: as the model has it; 0: always the most probable token */
    size_t top_k;             /* draw from so many of the most probable tokens; 0: all */
    double top_p;             /* and from the fewest that are together so probable; 1: all */
    uint64_t seed;            /* the same seed gives the same text, whatever else runs */
    const char *const *stops; /* the text ends before the first of these; copied */
    size_t stop_count;
};

struct generate_condition {
    const char *label;   /* NULL: none */
    const float *values; /* [rows, width], NULL: none; a feature vector is one row */
    size_t rows, width;
};

enum generation_end {
    GENERATION_END,    /* the model ended the text */
    GENERATION_STOP,   /* one of the stops came */
    GENERATION_LENGTH, /* max_tokens */
};

/* One text under way, of one thread at a time; it keeps a reference to the model. */
struct generation;

/* `condition` may be NULL. ERR_UTF8 names the prompt's byte. */
int generation_new(struct generation **generation, struct model *model,
                   const struct generate_condition *condition, const char *prompt, size_t len,
                   const struct generate_options *options, struct err *err);
/* Reads a few tokens of the prompt, as long as there are some; then makes a token and appends to
   `out` what became certain of the text after the prompt: whole characters, nothing that may still
   become part of a stop. Returns 1 while it goes on, 0 when all is done, or an error. */
int generation_step(struct generation *generation, struct buf *out, struct err *err);
/* Many texts of one model together, each with the same text as alone. A company is what they share,
   of one thread at a time: room for `most` of them at once. */
struct generation_company;
int generation_company_new(struct generation_company **company, const struct model *model,
                           size_t most, struct err *err);
void generation_company_free(struct generation_company *company); /* NULL is ignored */
struct generation_turn {
    struct generation *generation;
    struct buf *out;
    int code; /* what generation_step returns */
    struct err err;
};
void generation_company_step(struct generation_company *company, struct generation_turn *turns,
                             size_t count);
enum generation_end generation_end(const struct generation *generation);
/* Tokens made so far, the end's included; and the sum of their log probabilities (natural) as the
   model has them, whatever temperature, top_k and top_p made of them. */
size_t generation_tokens(const struct generation *generation);
double generation_log_probability(const struct generation *generation);
void generation_free(struct generation *generation); /* NULL is ignored */

struct text_token {
    size_t begin, end; /* raw bytes; the end of a line is the empty range behind it */
    double log_probability;
};
struct text_score { /* release with text_score_release */
    double log_probability;
    size_t tokens, characters; /* with the end of a line, which counts as one of each */
    size_t unknown;            /* of the tokens, those that the vocabulary lacks */
    struct text_token *items;  /* [tokens] */
};
/* Natural logarithms. ERR_UTF8 where the text is not UTF-8. */
int model_log_probability(const struct model *model, const struct generate_condition *condition,
                          const char *text, size_t len, struct text_score *score, struct err *err);
void text_score_release(struct text_score *score);

#endif
