/*
 * The labels of data with one on each line: those of the training data, sorted, become the model's,
 * under the names that the recipe gives them; development data may have no others.
 */
#ifndef DRAGOMAN_TRAIN_LABELS_H
#define DRAGOMAN_TRAIN_LABELS_H

#include "train/task.h"

/* Fills the spec's labels. train, dev: [count of lines] the label of each line, in fresh memory;
   what was made before a failure is there too. field: which of a line's two is the label. */
int labels_read(struct task_data *data, enum task_field field, int32_t **train, int32_t **dev,
                struct err *err);

#endif
