/* Texts with a label for each of their words, as the tagging task trains on them. */
#ifndef DRAGOMAN_TRAIN_TAGGED_TEXTS_H
#define DRAGOMAN_TRAIN_TAGGED_TEXTS_H

#include "train/label_set.h"
#include "train/task.h"

/* What is to be predicted at a token where it is no label's number. */
#define TAGGED_NOTHING (-1) /* it is not the last token of a word */
#define TAGGED_UNKNOWN (-2) /* a label that the training data lacks: every prediction is wrong */

struct tagged_texts { /* release with tagged_texts_release, in any case */
    struct task_ids ids;
    int32_t *targets; /* [tokens of all texts] */
    size_t capacity;
    size_t *words; /* [texts]: whose last token is there */
    size_t cut;    /* texts that were longer than the limit */
};

/* The labels of all words of the corpus, unsorted. */
int tagged_texts_labels(const struct corpus *corpus, struct label_set *labels, struct err *err);
/* The texts, cut at `limit` tokens. A line that has not as many labels as words is an error; paths:
   the corpus's files, for messages. */
int tagged_texts_read(struct tagged_texts *texts, const struct corpus *corpus,
                      const struct opt_list *paths, const struct tokenizer *tokenizer,
                      const struct label_set *labels, size_t limit, struct err *err);
void tagged_texts_release(struct tagged_texts *texts);

size_t tagged_texts_length(const struct tagged_texts *texts, size_t i); /* in tokens */

#endif
