/*
 * Cutting a text into sentences: at line breaks, and after . ! ? and their kin where white space
 * and no lower-case letter follows. Titles, initials and numbered items ("Mr. X", "J. S. Bach",
 * "1. First") do not end a sentence. Nothing is lost: white space stands between sentences only.
 */
#ifndef DRAGOMAN_TEXT_SENTENCE_H
#define DRAGOMAN_TEXT_SENTENCE_H

#include <stdbool.h>
#include <stddef.h>

struct sentence { /* bytes of the text, begin included, end excluded; never empty */
    size_t begin, end;
};

/* Finds the sentence that begins at or after *offset and moves *offset to its end. False when only
   white space is left. The text must be UTF-8. Time is linear in the text over all calls. */
bool sentence_next(const char *text, size_t len, size_t *offset, struct sentence *sentence);

#endif
