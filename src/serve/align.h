/* Alignments: which bytes of the source each token of a translation was made from. */
#ifndef DRAGOMAN_SERVE_ALIGN_H
#define DRAGOMAN_SERVE_ALIGN_H

#include "serve/task.h"

/* Appends one range for each token of the hypothesis to the job's result. `target_begin` is where
   the sentence's translation begins in the whole translation. */
int align_sentence(const struct task_sentence *sentence, const struct hypothesis *hypothesis,
                   size_t target_begin, struct err *err);

#endif
