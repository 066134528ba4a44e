/* How well a translation model does on the development data, by the metric that the recipe chose.
 */
#ifndef DRAGOMAN_TRAIN_TRANSLATION_SCORE_H
#define DRAGOMAN_TRAIN_TRANSLATION_SCORE_H

#include "model/batch.h"
#include "train/task.h"

struct translation_metric {
    const char *name; /* for people */
    const char *key;  /* in a model card, after "dev_" */
};
extern const struct translation_metric translation_metrics[]; /* by enum recipe_metric */

/* Sets score->value, from score->perplexity where that is the metric. outputs [corpus->count], of
   which the first candidates count. */
int translation_score(enum recipe_metric metric, const struct corpus *corpus,
                      const struct batch_output *outputs, struct trainer_score *score,
                      struct err *err);

#endif
