/*
 * First embeddings that know the labels: naive Bayes counts in how many texts of each label a token
 * occurs, and the logarithm of the ratio of these counts says for which label the token speaks
 * (Wang and Manning 2012). Added to random embeddings along one random direction a label, the
 * ratios are what a network begins with, rather than something that it has to find from few texts.
 */
#ifndef DRAGOMAN_TRAIN_BAYES_H
#define DRAGOMAN_TRAIN_BAYES_H

#include "base/rng.h"
#include "nn/real.h"
#include "train/task.h"

struct bayes {                     /* zero-initialise; release with bayes_release */
    size_t vocabulary, directions; /* V; labels, but 1 for two of them: the other is its opposite */
    real *ratios;                  /* [V, directions], 0 where no text has the token */
};

/* labels: of each text, < label_count. Every label has a text. With p texts of the label that have
   the token, of P, and q others, of Q: log((p + 1) / (P + 2)) - log((q + 1) / (Q + 2)). */
int bayes_count(struct bayes *bayes, size_t vocabulary, const struct task_ids *texts,
                const int32_t *labels, size_t label_count, struct err *err);
/* table [V, E] += scale * ratio * u, u of entries +-1 / sqrt(E) drawn for each direction. */
void bayes_add(const struct bayes *bayes, double scale, size_t width, struct rng *rng, real *table);
void bayes_release(struct bayes *bayes);

#endif
