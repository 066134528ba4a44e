/*
 * The bag of words: logits = sum_f v_f W[f] + b over the distinct features f of a text, tokens and
 * hashed n-grams of tokens, v_f = 1 / sqrt(number of features), so that the feature vector has
 * length 1 (logistic regression). Probabilities are softmax(logits).
 */
#ifndef DRAGOMAN_MODEL_CLASSIFIER_H
#define DRAGOMAN_MODEL_CLASSIFIER_H

#include "base/rng.h"
#include "model/parameter.h"
#include "model/spec.h"

#define CLASSIFIER_MAX_PARAMETERS 2

struct classifier { /* or, bound to another vector, its gradients */
    size_t vocabulary, labels;
    size_t ngrams, buckets;
    real *output_weight; /* [V + buckets, labels] */
    real *output_bias;   /* [labels] */
};

/* The sizes from the spec; weights are not bound yet. */
void classifier_size(struct classifier *model, const struct spec *spec);
/* Fills the table of the model's own parameters; returns its length. */
size_t classifier_parameters(struct classifier *model,
                             struct parameter list[CLASSIFIER_MAX_PARAMETERS]);
/* First weights for training; the model is bound. */
void classifier_init(struct classifier *model);

/* A model that reads its weights from an open bundle file, which must outlive it. */
int classifier_open(struct classifier **model, const struct spec *spec,
                    const struct safetensors *file, struct err *err);
void classifier_free(struct classifier *model);

/* logits [labels] of one text; ids < vocabulary. Any thread; work and memory are proportional to
   `count`; the result depends on nothing but model and ids. */
int classifier_logits(const struct classifier *model, const int32_t *ids, size_t count,
                      real *logits, struct err *err);

/* The features of one text for the bag of words: features [classifier_feature_limit(count)]
   receives *feature_count distinct ones, in ascending order. */
size_t classifier_feature_limit(const struct classifier *model, size_t count);
void classifier_features(const struct classifier *model, const int32_t *ids, size_t count,
                         uint32_t *features, size_t *feature_count);
/* Their values, the same for training and for inference: values [count]. */
void classifier_values(size_t count, real *values);
/* logits [labels] = b + sum_i values[i] W[features[i]] */
void classifier_bag_logits(const struct classifier *model, size_t count, const uint32_t *features,
                           const real *values, real *logits);

/* Training ------------------------------------------------------------------------------------ */

struct classifier_batch {
    size_t batch;             /* B */
    const uint32_t *features; /* of all texts, one after the other */
    const size_t *ends;       /* [B], where each text's features end */
    const int32_t *labels;    /* [B] */
};

struct classifier_training {
    double dropout_input; /* of features */
    double label_smoothing;
    double scale; /* of the gradient: 1 / texts of the whole update */
};

struct classifier_sums {
    double loss;         /* sum over texts, with smoothing */
    double negative_log; /* sum of -log p(label), natural logarithm */
};

/* logits [B, labels], with dropout as in training. */
int classifier_forward(const struct classifier *model, const struct classifier_batch *batch,
                       const struct classifier_training *training, struct rng *rng, real *logits,
                       struct arena *arena, struct err *err);
/* Forward, loss and backward: adds the gradient of scale * loss to `gradients` (a model of the same
   sizes) and the sums to *sums. */
int classifier_learn(const struct classifier *model, const struct classifier *gradients,
                     const struct classifier_batch *batch,
                     const struct classifier_training *training, struct rng *rng,
                     struct classifier_sums *sums, struct arena *arena, struct err *err);

#endif
