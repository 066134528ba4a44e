/*
 * The labels of classification data: those of the training data, sorted, become the model's, under
 * the names that the recipe gives them; development data may have no others.
 */
#ifndef DRAGOMAN_TRAIN_LABELS_H
#define DRAGOMAN_TRAIN_LABELS_H

#include "train/task.h"

/* Fills the spec's labels from data->train. *names receives the data's own, in the same order:
   [label_count], to be freed with mem_free; the texts are the corpus's. */
int labels_collect(struct task_data *data, const char ***names, struct err *err);
/* The label of each line, [corpus->count] in fresh memory. files: where the corpus was read from,
   for the message about a label that is not among `names`. */
int labels_find(const struct task_data *data, const char *const *names, const struct corpus *corpus,
                const struct opt_list *files, int32_t **labels, struct err *err);

#endif
