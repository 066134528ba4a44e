/* What the files of explanations share. */
#ifndef DRAGOMAN_MODEL_EXPLAIN_PARTS_H
#define DRAGOMAN_MODEL_EXPLAIN_PARTS_H

#include "model/explain.h"
#include "text/token.h"

/* Appends a part for the token's bytes, less the white space that it begins with; `parts` has room.
   Tokens that share a character become one part. */
void explanation_add(struct explanation *out, const char *text, const struct token *token,
                     float weight);

/* Fills all of `out` (zero before) for a recurrent classifier; what it allocated stays in it after
   a failure, too. */
int explain_rnn(const struct model *model, const char *text, size_t len,
                const struct encoded *encoded, size_t label, struct explanation *out,
                struct err *err);

#endif
