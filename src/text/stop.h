/*
 * Stop words: those that a bag of words leaves out. A file has one a line; what follows a `#` at a
 * line's begin or after white space is a comment, and white space around a word does not count.
 *
 * Words are normalised as the tokenizer's texts are, so that they match its tokens.
 */
#ifndef DRAGOMAN_TEXT_STOP_H
#define DRAGOMAN_TEXT_STOP_H

#include "text/token.h"

#define STOP_MAX_BYTES ((size_t)1 << 20) /* of a file */
#define STOP_MAX_WORDS ((size_t)1 << 16)
#define STOP_MAX_WORD 256 /* bytes, normalised */

struct stop_words; /* once read, for any number of threads */

/* ERR_UTF8, ERR_FORMAT and ERR_LIMIT name file and line: what is not UTF-8, has a NUL byte, is two
   words, or too long. A word given twice counts once; a file without words is an empty set. */
int stop_words_read(struct stop_words **stop, const char *path, enum norm_form form, bool fold,
                    struct err *err);
/* The same from words, such as a bundle lists; ERR_FORMAT names a wrong one by its number, from 1.
 */
int stop_words_make(struct stop_words **stop, const char *const *words, size_t count,
                    enum norm_form form, bool fold, struct err *err);
void stop_words_free(struct stop_words *stop);
/* Whether the normalised word, without a space in front, is one of them. */
bool stop_words_have(const struct stop_words *stop, const char *word, size_t len);
/* The words in the order of their bytes. The text stays valid as long as `stop`. */
size_t stop_words_count(const struct stop_words *stop);
const char *stop_words_text(const struct stop_words *stop, size_t index, size_t *len);

#endif
