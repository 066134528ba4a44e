/*
 * A text without parts, such as a book: whole files as one stream of bytes, for language models
 * that carry their state from one end to the other.
 */
#ifndef DRAGOMAN_TEXT_STREAM_H
#define DRAGOMAN_TEXT_STREAM_H

#include <stddef.h>
#include "base/err.h"

#define STREAM_MAX_BYTES ((size_t)1 << 30) /* as much as a tokenizer takes at once */

struct text_stream { /* release with text_stream_release */
    char *text;      /* UTF-8 without NUL, and a NUL at its end */
    size_t len;
};

/* Reads the files one after another as they are, but that byte order marks and, as in a corpus,
   '\r' before '\n' are dropped. What is not UTF-8 or is a NUL byte is an error that names file and
   line; ERR_LIMIT names the file that makes them more than STREAM_MAX_BYTES in all. Files may be
   empty, and so may the stream. */
int text_stream_read(struct text_stream *stream, const char *const *paths, size_t count,
                     struct err *err);
void text_stream_release(struct text_stream *stream);

#endif
