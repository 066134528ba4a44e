/* What generating and scoring share: the beginning of a text. */
#ifndef DRAGOMAN_MODEL_GENERATE_PARTS_H
#define DRAGOMAN_MODEL_GENERATE_PARTS_H

#include "model/generate.h"
#include "model/rnn.h"

/* Checks task and condition and begins a walk from the state that they give. */
int generate_walk(const struct model *model, const struct generate_condition *condition,
                  struct rnn_walk **walk, struct err *err);
/* The text's ids behind what stands before it: BOS, or of a stream's model a newline; *lead tokens
   of it. mem_free *ids. `encoded`, zero before, holds the text's own tokens. */
int generate_ids(const struct model *model, const char *text, size_t len, struct encoded *encoded,
                 int32_t **ids, size_t *count, size_t *lead, struct err *err);

#endif
