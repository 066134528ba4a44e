/*
 * How probable a translation model finds given translations: teacher forcing, every token predicted
 * from the source and the true tokens before it. From it comes the model's perplexity,
 * exp(negative_log / tokens).
 */
#ifndef DRAGOMAN_MODEL_LIKELIHOOD_H
#define DRAGOMAN_MODEL_LIKELIHOOD_H

#include <stddef.h>
#include <stdint.h>
#include "base/mem.h"
#include "base/pool.h"
#include "model/batch.h"
#include "model/seq2seq.h"

#define LIKELIHOOD_MAX_TOKENS DECODE_MAX_SOURCE /* of either side of a pair */

struct likelihood {
    double negative_log; /* sum of -ln p(token) */
    size_t tokens;       /* of the targets, with EOS */
    size_t pairs;        /* that were looked at */
    size_t skipped;      /* that were not: a side is not UTF-8 or has too many tokens */
};

/* *negative_log: the sum over all pairs, as one batch. Resets the arena. */
int likelihood_batch(const struct seq2seq *model, const struct seq2seq_pair *pairs, size_t count,
                     double *negative_log, struct arena *arena, struct err *err);
/* targets[i] given sources[i], on the threads of `pool`; the result does not depend on their
   number. */
int likelihood_corpus(const struct seq2seq *model, const struct tokenizer *tokenizer,
                      struct pool *pool, const struct batch_text *sources,
                      const struct batch_text *targets, size_t count, struct likelihood *likelihood,
                      struct err *err);

#endif
