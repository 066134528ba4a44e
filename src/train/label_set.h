/* The distinct labels of training data, numbered in the order of their bytes. */
#ifndef DRAGOMAN_TRAIN_LABEL_SET_H
#define DRAGOMAN_TRAIN_LABEL_SET_H

#include "model/spec.h"
#include "text/intern.h"

struct label_set { /* zero-initialise; release with label_set_release */
    struct intern texts;
    int32_t *place; /* [count] of each text, once sorted */
    int32_t *order; /* [count] its inverse */
    size_t count;
};

int label_set_add(struct label_set *set, const char *text, size_t len, struct err *err);
/* Once all are added; then they can be found. ERR_LIMIT unless there are 2 to SPEC_MAX_LABELS. */
int label_set_sort(struct label_set *set, struct err *err);
/* -1: there is none of that name. */
int32_t label_set_find(const struct label_set *set, const char *text, size_t len);
/* Makes them the labels of a spec that has none. */
int label_set_name(const struct label_set *set, struct spec *spec, struct err *err);
void label_set_release(struct label_set *set);

#endif
