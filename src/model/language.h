/*
 * How probable a language model finds given texts: every token predicted from the true ones before
 * it. From the sums come perplexity, exp(negative_log / tokens), and the same for each character.
 */
#ifndef DRAGOMAN_MODEL_LANGUAGE_H
#define DRAGOMAN_MODEL_LANGUAGE_H

#include <stddef.h>
#include <stdint.h>

#include "base/pool.h"
#include "model/rnn.h"
#include "text/token.h"

#define LANGUAGE_WARM_UP 256 /* tokens that a piece of a stream reads before those that count */

struct language_sums {
    double negative_log; /* sum of -ln p(token) */
    size_t tokens;
};

/* A text without beginning or end is read as what follows a line's end, so that its first token has
   something before it: fills `out` with a newline and the text, of which the first *lead tokens are
   the newline. */
int language_encode(const struct tokenizer *tokenizer, const char *text, size_t len,
                    struct encoded *out, size_t *lead, struct err *err);

/* A stream: ids[lead..count), each given all before it, from the zero state; lead > 0. With one
   piece the state is carried from the first token to the last; `pieces` are read side by side, all
   but the first from the zero state and LANGUAGE_WARM_UP tokens before the first that counts. The
   result depends on pieces, not on the pool's threads but for the last bits. */
int language_stream(const struct rnn *model, const int32_t *ids, size_t count, size_t lead,
                    size_t pieces, struct pool *pool, struct language_sums *sums, struct err *err);

struct language_text { /* from BOS to EOS */
    const int32_t *ids;
    size_t count;
    int32_t label;       /* the condition, where the model has one */
    const real *feature; /* [feature] */
};
/* A batch for texts of lines, in the arena. A text whose `cut` is true (cut may be NULL) ends
   before its EOS, which is not predicted. */
int language_batch(const struct rnn *model, const struct language_text *texts, const bool *cut,
                   size_t count, struct rnn_batch *batch, struct arena *arena, struct err *err);
/* All texts, EOS included. The result does not depend on the pool's threads. */
int language_lines(const struct rnn *model, const struct language_text *texts, size_t count,
                   struct pool *pool, struct language_sums *sums, struct err *err);

/* Characters (code points) of UTF-8. */
size_t language_characters(const char *text, size_t len);

#endif
