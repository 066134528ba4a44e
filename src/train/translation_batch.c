#include "train/translation_batch.h"

#include <string.h>

static size_t length_of(const struct task_ids *ids, size_t i)
{
    return ids->begins[i + 1] - ids->begins[i];
}

/* One sentence into column b of a time-major array [steps, batch]. */
static void put_column(int32_t *to, size_t batch, size_t b, const int32_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i * batch + b] = ids[i];
}

struct columns { /* of a batch that is being filled */
    int32_t *source, *input, *output, *source_lengths, *target_lengths;
};

static void put_pair(const struct columns *to, size_t batch, size_t b,
                     const struct task_ids *sources, const struct task_ids *targets, size_t i)
{
    const size_t n = length_of(sources, i), m = length_of(targets, i);
    const int32_t *x = sources->ids + sources->begins[i];
    const int32_t *y = targets->ids + targets->begins[i];
    put_column(to->source, batch, b, x, n);
    to->source[n * batch + b] = TOKEN_EOS;
    to->input[b] = TOKEN_BOS;
    put_column(to->input + batch, batch, b, y, m);
    put_column(to->output, batch, b, y, m);
    to->output[m * batch + b] = TOKEN_EOS;
    to->source_lengths[b] = (int32_t)(n + 1);
    to->target_lengths[b] = (int32_t)(m + 1);
}

int translation_batch(struct seq2seq_batch *batch, const struct task_ids *sources,
                      const struct task_ids *targets, const uint32_t *examples, size_t count,
                      struct arena *arena, struct err *err)
{
    size_t S = 0, T = 0;
    for (size_t b = 0; b < count; b++) {
        const size_t n = length_of(sources, examples[b]) + 1;
        const size_t m = length_of(targets, examples[b]) + 1;
        S = n > S ? n : S;
        T = m > T ? m : T;
    }
    const struct columns to = {
        .source = arena_alloc(arena, S * count, sizeof(int32_t), err),
        .input = arena_alloc(arena, T * count, sizeof(int32_t), err),
        .output = arena_alloc(arena, T * count, sizeof(int32_t), err),
        .source_lengths = arena_alloc(arena, count, sizeof(int32_t), err),
        .target_lengths = arena_alloc(arena, count, sizeof(int32_t), err),
    };
    if (!to.source || !to.input || !to.output || !to.source_lengths || !to.target_lengths)
        return ERR_MEMORY;
    memset(to.output, -1, T * count * sizeof *to.output);
    for (size_t b = 0; b < count; b++)
        put_pair(&to, count, b, sources, targets, examples[b]);
    *batch = (struct seq2seq_batch){.batch = count,
                                    .source_steps = S,
                                    .target_steps = T,
                                    .source = to.source,
                                    .source_lengths = to.source_lengths,
                                    .target_input = to.input,
                                    .target_output = to.output,
                                    .target_lengths = to.target_lengths};
    return 0;
}
