/*
 * The texts of dragomanctl: its arguments, or the lines of a file descriptor, read without waiting
 * longer than the caller wants to.
 */
#ifndef DRAGOMAN_CMD_CTL_INPUT_H
#define DRAGOMAN_CMD_CTL_INPUT_H

#include <stdbool.h>
#include "base/buf.h"

#define INPUT_MAX_LINE 1000000 /* bytes; what is longer is cut off and marked */

struct input {
    char **texts; /* arguments that are left */
    int text_count;
    int fd; /* where lines come from, -1: from the arguments only */
    struct buf bytes;
    size_t taken;  /* bytes of `bytes` that have been given out */
    bool ended;    /* nothing more will be read */
    bool skipping; /* inside a line that is too long */
};
struct input_text {
    const char *data; /* valid until the next call; NULL: the line was too long */
    size_t len;
};
enum input_state { INPUT_TEXT, INPUT_NOTHING_YET, INPUT_END };

/* With no texts, lines are read from fd. Release with input_release; fd stays open. */
void input_init(struct input *input, char **texts, int text_count, int fd);
void input_release(struct input *input);
/* The next text, if there is one. A line's carriage return and line feed are not part of it. */
enum input_state input_next(struct input *input, struct input_text *text);
/* Reads once from fd; call it when poll says that this does not wait. */
int input_read(struct input *input, struct err *err);

#endif
