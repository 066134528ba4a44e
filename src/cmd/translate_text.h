/*
 * A text on its way through a translator that takes sentences: as one, or cut at sentence ends,
 * translated sentence by sentence and put together again with the white space that stood between
 * them. The score is then the mean of the sentences' scores; the n-th alternative is made of each
 * sentence's n-th, the last where it has fewer.
 */
#ifndef DRAGOMAN_CMD_TRANSLATE_TEXT_H
#define DRAGOMAN_CMD_TRANSLATE_TEXT_H

#include "base/buf.h"
#include "model/batch.h"

struct translate_text;

struct translate_sentence {
    struct batch_item item; /* first: an item is its sentence */
    struct batch_output output;
    struct translate_text *text;
};

struct translate_text { /* release with translate_text_release */
    const char *data;   /* not owned */
    struct translate_sentence *sentences;
    size_t count, given, finished;
};

/* Cuts the text where `split`, else it is one sentence; a text of nothing but white space then has
   none. The text stays valid until released; `text` itself must not move. */
int translate_text_init(struct translate_text *text, const char *data, size_t len, bool split,
                        struct err *err);
void translate_text_release(struct translate_text *text);

/* The next sentence to be translated, or NULL where all are given away. */
struct batch_item *translate_text_next(struct translate_text *text);
/* A sentence has come back; its text. */
struct translate_text *translate_text_done(struct batch_item *item);
bool translate_text_complete(const struct translate_text *text);

/* Once complete: why it could not be translated, or 0. */
int translate_text_error(const struct translate_text *text, struct err *err);
/* Number of alternatives, of which some may read the same; 1 for a text without sentences. */
size_t translate_text_alternatives(const struct translate_text *text);
/* Appends alternative `rank`. */
int translate_text_write(const struct translate_text *text, size_t rank, struct buf *out,
                         double *score, struct err *err);

#endif
