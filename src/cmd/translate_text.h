/*
 * A text on its way through the translator of model/batch.h: a passage whose units are items of a
 * batch.
 */
#ifndef DRAGOMAN_CMD_TRANSLATE_TEXT_H
#define DRAGOMAN_CMD_TRANSLATE_TEXT_H

#include "model/batch.h"
#include "model/passage.h"

struct translate_text;

struct translate_item {
    struct batch_item item; /* first: an item is its unit's */
    struct translate_text *text;
};

struct translate_text { /* release with translate_text_release */
    struct passage *passage;
    struct translate_item *items;
    size_t count, given, finished;
};

/* The text stays valid until released; `text` itself must not move. To be released also where it
   fails. */
int translate_text_init(struct translate_text *text, const struct tokenizer *tokenizer,
                        const char *data, size_t len, const struct passage_options *options,
                        struct err *err);
void translate_text_release(struct translate_text *text);

/* The next item to be translated, or NULL where all are given away. */
struct batch_item *translate_text_next(struct translate_text *text);
/* An item has come back; its text. */
struct translate_text *translate_text_done(struct batch_item *item);
/* Whether the passage can be written. */
bool translate_text_complete(const struct translate_text *text);

#endif
