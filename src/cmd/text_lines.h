/* A text file as lines, empty ones too: hypotheses and references of a test set. */
#ifndef DRAGOMAN_CMD_TEXT_LINES_H
#define DRAGOMAN_CMD_TEXT_LINES_H

#include "base/buf.h"
#include "train/metric.h"

struct text_lines { /* zero before text_lines_read */
    struct buf block;
    struct metric_text *lines;
    size_t count;
};

/* '\r' before '\n' and a byte order mark are dropped. A line that is not UTF-8 is an error that
   names file and line. Release it in any case. */
int text_lines_read(struct text_lines *text, const char *path, struct err *err);
void text_lines_release(struct text_lines *text);

#endif
