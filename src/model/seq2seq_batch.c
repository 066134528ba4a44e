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

static void fill_batch(const struct seq2seq_pair *pairs, size_t B, int32_t *source, int32_t *input,
                       int32_t *output, int32_t *lengths)
{
    for (size_t b = 0; b < B; b++) {
        const struct seq2seq_pair *pair = &pairs[b];
        put_column(source, B, b, pair->source, pair->source_count);
        input[b] = TOKEN_BOS;
        for (size_t i = 0; i < pair->target_count; i++)
            input[(i + 1) * B + b] = pair->target[i];
        put_column(output, B, b, pair->target, pair->target_count);
        lengths[b] = (int32_t)(pair->source_count + 1);
        lengths[B + b] = (int32_t)(pair->target_count + 1);
    }
}

int seq2seq_batch_make(struct seq2seq_batch *batch, const struct seq2seq_pair *pairs, size_t count,
                       struct arena *arena, struct err *err)
{
    const size_t B = count;
    size_t S = 0, T = 0;
    for (size_t b = 0; b < B; b++) {
        S = pairs[b].source_count + 1 > S ? pairs[b].source_count + 1 : S;
        T = pairs[b].target_count + 1 > T ? pairs[b].target_count + 1 : T;
    }
    int32_t *source = arena_alloc(arena, S * B, sizeof *source, err);
    int32_t *input = arena_alloc(arena, T * B, sizeof *input, err);
    int32_t *output = arena_alloc(arena, T * B, sizeof *output, err);
    int32_t *lengths = arena_alloc(arena, 2 * B, sizeof *lengths, err);
    if (!source || !input || !output || !lengths)
        return ERR_MEMORY;
    memset(output, -1, T * B * sizeof *output);
    fill_batch(pairs, B, source, input, output, lengths);
    *batch = (struct seq2seq_batch){.batch = B,
                                    .source_steps = S,
                                    .target_steps = T,
                                    .source = source,
                                    .source_lengths = lengths,
                                    .target_input = input,
                                    .target_output = output,
                                    .target_lengths = lengths + B};
    return 0;
}
