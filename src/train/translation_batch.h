/* Sentence pairs as a padded, time-major batch. */
#ifndef DRAGOMAN_TRAIN_TRANSLATION_BATCH_H
#define DRAGOMAN_TRAIN_TRANSLATION_BATCH_H

#include "model/seq2seq.h"
#include "train/task.h"

/* The pairs examples[0..count), in memory from the arena. */
int translation_batch(struct seq2seq_batch *batch, const struct task_ids *sources,
                      const struct task_ids *targets, const uint32_t *examples, size_t count,
                      struct arena *arena, struct err *err);

#endif
