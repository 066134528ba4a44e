/* What BLEU and chrF share about segments. */
#ifndef DRAGOMAN_TRAIN_METRIC_SEGMENT_H
#define DRAGOMAN_TRAIN_METRIC_SEGMENT_H

#include "train/metric.h"

/* ERR_ARGUMENT unless there are segments and all have a reference. */
int metric_check_segments(const struct metric_segment *segments, size_t count, struct err *err);
/* Calls `add` for the texts of a segment that count, the hypothesis first; *references receives how
   many others there were. */
int metric_add_texts(const struct metric_segment *segment, size_t *references,
                     int (*add)(void *context, struct metric_text text, struct err *err),
                     void *context, struct err *err);

#endif
