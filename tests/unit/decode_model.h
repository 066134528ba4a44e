/* What the tests of decoding share: a small random model in memory, and joining and running. */
#ifndef DRAGOMAN_TESTS_DECODE_MODEL_H
#define DRAGOMAN_TESTS_DECODE_MODEL_H

#include "base/mem.h"
#include "model/decode.h"
#include "model/seq2seq.h"

struct decode_model { /* stays where it was made */
    struct seq2seq model;
    struct ensemble alone;
    real *weights;
    size_t count;
};

struct decode_sizes {
    struct spec spec;
    double scale; /* of all weights, so that outputs vary */
};

/* The part of a spec that most tests want: one layer of GRUs and general attention. */
#define DECODE_GRU(V, E, encoder_hidden, both, H)                                                  \
    .vocabulary = V, .embedding = E,                                                               \
    .encoder = {.cell = CELL_GRU, .layers = 1, .hidden = encoder_hidden, .bidirectional = both},   \
    .decoder = {.cell = CELL_GRU, .layers = 1, .hidden = H}, .attention = ATTENTION_GENERAL

/* False when memory runs out. */
static inline bool decode_model_make(struct decode_model *made, const struct decode_sizes *sizes,
                                     uint64_t seed)
{
    const struct cell_init_settings settings = {.kind = CELL_INIT_UNIFORM};
    struct parameter list[SEQ2SEQ_MAX_PARAMETERS];
    struct rng rng;
    seq2seq_size(&made->model, &sizes->spec);
    const size_t count = seq2seq_parameters(&made->model, list);
    made->alone = (struct ensemble){.models = {&made->model}, .count = 1};
    made->count = parameters_total(list, count);
    made->weights = mem_alloc(made->count, sizeof(real), NULL);
    if (!made->weights)
        return false;
    parameters_bind(list, count, made->weights);
    seq2seq_tie(&made->model);
    rng_seed(&rng, seed, 0);
    seq2seq_init(&made->model, &settings, &rng);
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
