/*
 * The trainer of bags of words: softmax cross-entropy by stochastic gradients with a rate for each
 * weight (Adagrad: Duchi, Hazan, Singer 2011), touching only the rows of features that occur.
 *
 * A batch goes in two steps. First each thread takes some of its texts and finds the gradients by
 * their sums; then each takes a range of the rows and moves it by all texts in turn, so that every
 * number is the same for any number of threads.
 *
 * With naive-Bayes ratios the features are scaled by them: W_f = r_f w_f, and it is w that is
 * learned and penalised. The L2 penalty is taken off whenever a weight is touched, as much as for
 * all the texts that passed it by, and in the proximal way, which no rate makes unstable.
 */
#ifndef DRAGOMAN_TRAIN_BAG_LEARNER_H
#define DRAGOMAN_TRAIN_BAG_LEARNER_H

#include "base/pool.h"
#include "train/bag_data.h"

struct bag_learning {
    double rate;    /* at the beginning; it falls in a line to 0 */
    double penalty; /* L2: of the mean loss, penalty / 2 |w|^2 */
    double dropout; /* of features, anew in each epoch */
    size_t batch;   /* texts */
    uint64_t seed;
};

struct bag_learner;

/* The bag's weights are zero, its parameters bound; texts, labels and ratios [F, L] (or NULL) stay
   the caller's and must outlive the learner. */
int bag_learner_new(struct bag_learner **learner, const struct bag_learning *learning,
                    struct bag *bag, const struct bag_texts *texts, const int32_t *labels,
                    const real *ratios, struct pool *pool, struct err *err);
void bag_learner_free(struct bag_learner *learner);

/* First weights: zero, but small random numbers below a hidden layer. */
void bag_learner_init(struct bag_learner *learner);
/* Puts the texts in the order of this epoch. */
void bag_learner_shuffle(struct bag_learner *learner, size_t epoch);
/* One batch, the texts from `begin` on in that order, at the place `progress` (0 to 1) of the
   training; returns how many texts it had. *loss receives the sum of their losses. */
size_t bag_learner_step(struct bag_learner *learner, size_t begin, double progress, double *loss);
double bag_learner_rate(const struct bag_learner *learner, double progress);

/* Writes to `weight` [F, width] the weights that the model should have: those of the bag, drawn
   towards their mean magnitude by the interpolation of NB-SVM, beta w + (1 - beta) mean |w|, where
   there are ratios. */
void bag_interpolate(const struct bag *bag, const real *ratios, double beta, real *weight);

#endif
