/*
 * Lines in, lines out: texts from the command line or standard input are handed to worker threads
 * as they come, and what the workers make of them is printed in the order of the texts, each as
 * soon as all before it are done. A text that fails prints an empty line and a complaint with its
 * number, so that the lines out stay beside the lines in.
 */
#ifndef DRAGOMAN_CMD_CMD_STREAM_H
#define DRAGOMAN_CMD_CMD_STREAM_H

#include <stdbool.h>
#include "base/buf.h"

struct cmd_stream;

struct cmd_line {
    size_t number;     /* from 1 */
    struct buf text;   /* without the line's end */
    struct buf answer; /* the worker writes it: what is printed before the newline */
    struct err err;    /* or this: why there is no answer */
    void *extra;       /* of the size given to cmd_stream_run, zeroed for each text */
};

struct cmd_stream_work {
    /* Runs on each thread; an error ends everything. */
    int (*run)(void *context, struct cmd_stream *stream, struct err *err);
    void *context;
    size_t extra_size;
    int threads;
};

/* Reads standard input where there are no texts. Returns an exit code. */
int cmd_stream_run(const struct cmd_stream_work *work, char **texts, int text_count);

/* For workers. The next text, or NULL: with `wait` there will be none any more, else none yet. */
struct cmd_line *cmd_stream_next(struct cmd_stream *stream, bool wait);
/* The text has its answer or its error. */
void cmd_stream_done(struct cmd_stream *stream, struct cmd_line *line);

/* Appends text to an answer in which line ends (and tabs, where `fields`) become spaces, so that an
   answer is one line. */
int cmd_answer_text(struct cmd_line *line, const char *text, size_t len, bool fields,
                    struct err *err);

#endif
