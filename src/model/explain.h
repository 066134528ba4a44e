/*
 * Why a classifier gives a label its score: what each token of the text contributed to the label's
 * logit, as byte ranges of the text as it was given.
 *
 *   method      of
 *   linear      a bag of words without a hidden layer: exact
 *   gradient    a bag of words with one: gradient times input, the rest of the logit in `bias`
 *   attention   an rnn that pools by attention: each state's part of the logit, by its weight
 *   occlusion   any other rnn: how far the label's log-odds fall where the part is left out
 *
 * Logits are those whose softmax the probabilities are: a temperature is in them already. By
 * every method but occlusion the weights of all parts and the bias add up to the logit.
 */
#ifndef DRAGOMAN_MODEL_EXPLAIN_H
#define DRAGOMAN_MODEL_EXPLAIN_H

#include "model/model.h"

struct explanation_part {
    size_t begin, end; /* bytes of the text: [begin, end), in ascending order, none empty */
    float weight;      /* above 0: for the label */
};

struct explanation { /* zero-initialise; release with explanation_release */
    struct explanation_part *parts;
    size_t count;
    float bias;  /* what the logit is without any token */
    float logit; /* of the label, for the whole text */
    const char *method;
};

/* Fills `out`. label < label_count. ERR_ARGUMENT where the model is no classifier or has no such
   label, ERR_UTF8 where the text is none. A text without tokens has no parts. Any thread. */
int model_explain(const struct model *model, const char *text, size_t len, size_t label,
                  struct explanation *out, struct err *err);
void explanation_release(struct explanation *explanation);

#endif
