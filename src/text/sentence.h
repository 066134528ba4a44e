/*
 * Cutting a text into sentences after Unicode Standard Annex 29, as far as it suits translation:
 * at every line break (so a paragraph is never joined to the next), and after . ! ? and their kin
 * with the quotes and brackets that close behind them, unless
 *   - no white space follows (ideographic full stops need none), as in "3.14" and "a.b";
 *   - a lower-case letter follows, or a comma, dash, colon or semicolon;
 *   - the full stop belongs to an abbreviation, an initial ("J. S. Bach"), an enumeration ("1.
 *     First") or, in German, an ordinal number ("am 3. Mai").
 * Nothing is lost: white space stands between sentences only.
 */
#ifndef DRAGOMAN_TEXT_SENTENCE_H
#define DRAGOMAN_TEXT_SENTENCE_H

#include <stdbool.h>
#include <stddef.h>
#include "text/abbreviation.h"

struct sentence { /* bytes of the text, begin included, end excluded; never empty */
    size_t begin, end;
};

/* Finds the sentence that begins at or after *offset and moves *offset to its end. False when only
   white space is left. The text must be UTF-8. Time is linear in the text over all calls. */
bool sentence_next(const char *text, size_t len, const struct sentence_rules *rules, size_t *offset,
                   struct sentence *sentence);

#endif
