/*
 * A loaded bundle: spec, tokenizer and network, immutable, shared by all threads. Reference
 * counted: whoever keeps a pointer across a reload takes a reference.
 */
#ifndef DRAGOMAN_MODEL_MODEL_H
#define DRAGOMAN_MODEL_MODEL_H

#include "model/decode.h"
#include "model/safetensors.h"
#include "model/spec.h"
#include "text/token.h"

struct seq2seq;
struct rnn;
struct bag;

struct model {
    struct spec spec;
    struct tokenizer *tokenizer;
    struct safetensors weights;
    struct seq2seq *seq2seq; /* the one that the spec's kind says; the others are NULL */
    struct rnn *rnn;
    struct bag *bag;
    char *folder;
    int references; /* atomic; use model_retain and model_release only */
};

/* Opens and checks the bundle in `folder` completely. The error names file, tensor and reason. */
int model_open(struct model **model, const char *folder, struct err *err);
struct model *model_retain(struct model *model);
void model_release(struct model *model); /* the last one frees; NULL is ignored */

/* The networks of 1 to DECODE_MAX_MODELS translation models, to decode together. They must
   translate between the same languages with the same vocabulary: the error names the model that
   does not. */
int model_ensemble(struct ensemble *ensemble, struct model *const *models, size_t count,
                   struct err *err);

/* Translates one text on the calling thread (tokenise, decode, detokenise): the simplest use. The
   best translation is appended to `out`. */
int model_translate(const struct model *model, const char *text, size_t len,
                    const struct decode_options *options, struct buf *out, float *score,
                    struct err *err);

struct rows;
/* What decoding makes of rows of numbers [count, width]; free *result with decode_result_free. */
int model_decode_rows(const struct model *model, const float *values, size_t count, size_t width,
                      const struct decode_options *options, struct decode_result **result,
                      struct err *err);
/* The text of the best hypothesis, appended to `out`: what a model of rows, such as the parts of a
   picture, says of them. For both, a model of another task, rows of another width and values that
   are not finite are ERR_ARGUMENT. */
int model_caption(const struct model *model, const struct rows *rows,
                  const struct decode_options *options, struct buf *out, float *score,
                  struct err *err);

/* Probabilities of each label, [label_count], summing to 1. Any thread; the result does not depend
   on what else runs. Empty text gives the prior. A model of rows takes them as text/rows.h writes
   them. */
int model_classify(const struct model *model, const char *text, size_t len, float *probabilities,
                   struct err *err);

#endif
