/* How the metrics cut text: the 13a words of BLEU and the characters of chrF. */
#ifndef DRAGOMAN_TRAIN_METRIC_TEXT_H
#define DRAGOMAN_TRAIN_METRIC_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/buf.h"
#include "train/metric.h"

struct metric_scratch { /* reused from text to text; zero-initialise */
    struct buf text, other;
};

/* Replaces the content of `words` by the 13a words of the text, one space between them. */
int metric_words(struct metric_text text, struct metric_scratch *scratch, struct buf *words,
                 struct err *err);
void metric_scratch_release(struct metric_scratch *scratch);

/* Takes one character off the front of a non-empty text. A byte that is not UTF-8 gives 0x110000
   plus its value. */
uint32_t metric_character(struct metric_text *text);
/* White space as str.split() and \s of Python have it. */
bool metric_is_space(uint32_t character);

#endif
