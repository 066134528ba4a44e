/*
 * Training and test data: a text file of lines with tab-separated fields, UTF-8, held in memory as
 * one block. A translation line is `source<TAB>target`; a classification line is `text<TAB>label`
 * (the label is the last field). A line has exactly two fields; or, where the data is texts alone,
 * just one. What is one text over all its lines is read by text/stream.h.
 */
#ifndef DRAGOMAN_TEXT_CORPUS_H
#define DRAGOMAN_TEXT_CORPUS_H

#include <stddef.h>
#include <stdint.h>
#include "base/err.h"

struct corpus_line {
    const char *first, *second; /* NUL-terminated inside the corpus */
    size_t first_len, second_len;
    uint32_t file, line; /* where it stands: index of the path, and from 1 */
};
struct corpus {
    char *block;
    struct corpus_line *lines;
    size_t count;
};

#define CORPUS_MAX_LINE ((size_t)4 << 20) /* bytes */

/* Reads and appends the files in order. A line that is not UTF-8, has a NUL byte, no tab or more
   than one, a field with nothing or only spaces in it, or more than CORPUS_MAX_LINE bytes is an
   error that names file and line. '\r' before '\n' and a byte order mark are dropped; empty lines
   are skipped. A file may be empty. */
int corpus_read(struct corpus *corpus, const char *const *paths, size_t count, struct err *err);
/* The same of files whose lines are texts alone: `first` is the line, in which a tab is a character
   like any other, and `second` is empty. Lines of nothing but spaces are skipped too. */
int corpus_read_texts(struct corpus *corpus, const char *const *paths, size_t count,
                      struct err *err);
void corpus_release(struct corpus *corpus);

#endif
