/*
 * How well a translation model does on the development data: the metric that the recipe chose, of
 * what it makes of the sources, and the perplexity of the references, each word given the true ones
 * before it.
 */
#ifndef DRAGOMAN_TRAIN_TRANSLATION_SCORE_H
#define DRAGOMAN_TRAIN_TRANSLATION_SCORE_H

#include "model/batch.h"
#include "model/seq2seq.h"
#include "train/task.h"

struct translation_metric {
    const char *name; /* for people */
    const char *key;  /* in a model card, after "dev_" */
};
extern const struct translation_metric translation_metrics[]; /* by enum recipe_metric */

struct translation_dev { /* the development data as the network reads it */
    struct task_ids sources, targets;
    struct batch_plan plan;
    size_t tokens; /* of the targets, with their ends */
};

/* batch_tokens: as for training. Release with translation_dev_release, also after a failure. */
int translation_dev_init(struct translation_dev *dev, const struct corpus *corpus,
                         const struct tokenizer *tokenizer, size_t batch_tokens, struct err *err);
void translation_dev_release(struct translation_dev *dev);
/* The same number with any number of threads. */
int translation_perplexity(const struct translation_dev *dev, const struct seq2seq *model,
                           struct pool *pool, double *perplexity, struct err *err);

/* Sets score->value, from score->perplexity where that is the metric. outputs [corpus->count], of
   which the first candidates count. */
int translation_score(enum recipe_metric metric, const struct corpus *corpus,
                      const struct batch_output *outputs, struct trainer_score *score,
                      struct err *err);

#endif
