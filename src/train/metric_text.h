/* How the metrics cut text: the words of BLEU, and the characters and words of chrF. */
#ifndef DRAGOMAN_TRAIN_METRIC_TEXT_H
#define DRAGOMAN_TRAIN_METRIC_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "train/metric.h"

struct metric_scratch { /* reused from text to text; zero-initialise */
    struct buf text, other, lower;
};

/* Replaces the text by itself in lower case, which stands in the scratch until the next call. */
int metric_lower(struct metric_text *text, struct metric_scratch *scratch, struct err *err);
/* Replaces the content of `words` by the words of the text, one space between them. */
int metric_words(struct metric_text text, enum metric_tokenisation tokenisation,
                 struct metric_scratch *scratch, struct buf *words, struct err *err);
/* The same for the words of chrF++: what stands between white space, from which one character of
   ASCII punctuation is cut off at the end, or else at the beginning. */
int metric_chrf_words(struct metric_text text, struct metric_scratch *scratch, struct buf *words,
                      struct err *err);
void metric_scratch_release(struct metric_scratch *scratch);

/* Takes one character off the front of a non-empty text. A byte that is not UTF-8 gives 0x110000
   plus its value. */
uint32_t metric_character(struct metric_text *text);
/* White space as str.split() and \s of Python have it. */
bool metric_is_space(uint32_t character);

#endif
