/* Sentence pairs as a padded, time-major batch. */
#include <string.h>

#include "model/seq2seq.h"
#include "text/token.h"

/* One sentence, with EOS, into column b of a time-major array [steps, batch]. */
static void put_column(int32_t *to, size_t batch, size_t b, const int32_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i * batch + b] = ids[i];
    to[count * batch + b] = TOKEN_EOS;
}

static size_t source_steps(const struct seq2seq_pair *pair)
{
    return pair->source_count + (pair->row > 0 ? 0 : 1);
}

/* The source sides: ids or rows. */
static int fill_sources(struct seq2seq_batch *batch, const struct seq2seq_pair *pairs,
                        struct arena *arena, struct err *err)
{
    const size_t S = batch->source_steps, B = batch->batch, F = pairs[0].row;
    int32_t *source = F > 0 ? NULL : arena_alloc(arena, S * B, sizeof *source, err);
    real *rows = F > 0 ? arena_alloc(arena, S * B * F, sizeof *rows, err) : NULL;
    if (!source && !rows)
        return ERR_MEMORY;
    for (size_t b = 0; b < B; b++) {
        const struct seq2seq_pair *pair = &pairs[b];
        if (source)
            put_column(source, B, b, pair->source, pair->source_count);
        for (size_t i = 0; rows && i < pair->source_count * F; i++)
            rows[(i / F * B + b) * F + i % F] = (real)pair->rows[i];
    }
    batch->source = source;
    batch->rows = rows;
    return 0;
}

static void fill_targets(const struct seq2seq_pair *pairs, size_t B, int32_t *input,
                         int32_t *output, int32_t *lengths)
{
    for (size_t b = 0; b < B; b++) {
        const struct seq2seq_pair *pair = &pairs[b];
        input[b] = TOKEN_BOS;
        for (size_t i = 0; i < pair->target_count; i++)
            input[(i + 1) * B + b] = pair->target[i];
        put_column(output, B, b, pair->target, pair->target_count);
        lengths[b] = (int32_t)source_steps(pair);
        lengths[B + b] = (int32_t)(pair->target_count + 1);
    }
}

int seq2seq_batch_make(struct seq2seq_batch *batch, const struct seq2seq_pair *pairs, size_t count,
                       struct arena *arena, struct err *err)
{
    const size_t B = count;
    size_t S = 0, T = 0;
    for (size_t b = 0; b < B; b++) {
        S = source_steps(&pairs[b]) > S ? source_steps(&pairs[b]) : S;
        T = pairs[b].target_count + 1 > T ? pairs[b].target_count + 1 : T;
    }
    int32_t *input = arena_alloc(arena, T * B, sizeof *input, err);
    int32_t *output = arena_alloc(arena, T * B, sizeof *output, err);
    int32_t *lengths = arena_alloc(arena, 2 * B, sizeof *lengths, err);
    if (!input || !output || !lengths)
        return ERR_MEMORY;
    memset(output, -1, T * B * sizeof *output);
    fill_targets(pairs, B, input, output, lengths);
    *batch = (struct seq2seq_batch){.batch = B,
                                    .source_steps = S,
                                    .target_steps = T,
                                    .source_lengths = lengths,
                                    .target_input = input,
                                    .target_output = output,
                                    .target_lengths = lengths + B};
    return fill_sources(batch, pairs, arena, err);
}
