/* What the tests of decoding share: a small random model in memory, and joining and running. */
#ifndef DRAGOMAN_TESTS_DECODE_MODEL_H
#define DRAGOMAN_TESTS_DECODE_MODEL_H

#include "base/mem.h"
#include "model/decode.h"
#include "model/seq2seq.h"

struct decode_model {
    struct seq2seq model;
    real *weights;
    size_t count;
};

struct decode_sizes {
    size_t vocabulary, embedding, encoder_hidden, hidden;
    bool bidirectional, tied;
    double scale; /* of all weights, so that outputs vary */
};

/* False when memory runs out. */
static inline bool decode_model_make(struct decode_model *made, const struct decode_sizes *sizes,
                                     uint64_t seed)
{
    const struct spec spec = {.vocabulary = sizes->vocabulary,
                              .embedding = sizes->embedding,
                              .encoder_hidden = sizes->encoder_hidden,
                              .decoder_hidden = sizes->hidden,
                              .bidirectional = sizes->bidirectional,
                              .tied = sizes->tied};
    struct parameter list[SEQ2SEQ_MAX_PARAMETERS];
    struct rng rng;
    seq2seq_size(&made->model, &spec);
    const size_t count = seq2seq_parameters(&made->model, &made->model.weights, list);
    made->count = parameters_total(list, count);
    made->weights = mem_alloc(made->count, sizeof(real), NULL);
    if (!made->weights)
        return false;
    parameters_bind(list, count, made->weights);
    seq2seq_tie(&made->model, &made->model.weights);
    rng_seed(&rng, seed, 0);
    seq2seq_init(&made->model, &rng);
    for (size_t i = 0; i < made->count; i++)
        made->weights[i] =
            (real)(sizes->scale * ((double)made->weights[i] + 0.02 * rng_normal(&rng)));
    return true;
}

static inline void decode_model_release(struct decode_model *made)
{
    mem_free(made->weights);
}

#endif
