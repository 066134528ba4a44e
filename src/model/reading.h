/* A text as a model's network reads it: tokens, or rows of numbers, as text/rows.h writes them. */
#ifndef DRAGOMAN_MODEL_READING_H
#define DRAGOMAN_MODEL_READING_H

#include "model/model.h"
#include "model/rnn.h"
#include "text/rows.h"

struct reading { /* release with reading_release */
    struct encoded encoded;
    int32_t *ids;
    struct rows rows;
    struct rnn_input input; /* points to ids or rows */
};

/* Rows of another width than the model reads are ERR_ARGUMENT. Released where it fails. */
int reading_make(struct reading *reading, const struct model *model, const char *text, size_t len,
                 struct err *err);
void reading_release(struct reading *reading);

/* ERR_ARGUMENT unless the model reads rows of so many numbers; 0: unless it reads text. */
int reading_check_row(const struct model *model, size_t width, struct err *err);

#endif
