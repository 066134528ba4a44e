/*
 * What a loaded model says of a text where that is neither a class nor another text: a label for
 * each word (tagging), or a number (regression).
 */
#ifndef DRAGOMAN_MODEL_TAG_H
#define DRAGOMAN_MODEL_TAG_H

#include "model/model.h"

struct rows;

struct tagged_word {
    size_t begin, end; /* bytes of the text as it was given */
    size_t label;      /* the most probable one, the first of equals */
    float probability;
};
struct tagged { /* zero-initialise; release with tagged_release; reusable */
    struct tagged_word *words;
    size_t count, capacity;
};

/* The labels of the words, which white space separates; a text without words has none. Any thread;
   the result does not depend on what else runs. */
int model_tag(const struct model *model, const char *text, size_t len, struct tagged *out,
              struct err *err);
void tagged_release(struct tagged *tagged);

/* *value of a text, or of the rows where those are not NULL. A model that reads rows takes them as
   text too, as text/rows.h writes them; rows of another width are ERR_ARGUMENT. */
int model_regress(const struct model *model, const char *text, size_t len, const struct rows *rows,
                  double *value, struct err *err);

#endif
