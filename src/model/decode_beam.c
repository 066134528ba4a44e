/*
 * Beam search for one sentence: the best candidates of a step, which of them end and which live on,
 * and tracing the ended ones back to their tokens.
 *
 * Ties go to the earlier row and then to the lower token, so that the search is the same
 * everywhere. A value that is not a number is never above a threshold and so never chosen.
 */
#include <math.h>

#include "model/decode_parts.h"
#include "nn/softmax.h"
#include "text/token.h"

/* Values that are compared with the threshold before any is looked at alone. */
#define SCAN 64

/* What a candidate must exceed. */
static real threshold_of(const struct sentence *sentence)
{
    const size_t wanted = 2 * sentence->options.beam;
    if (sentence->candidate_count < wanted)
        return -INFINITY;
    return sentence->candidates[wanted - 1].log_probability;
}

static void insert_candidate(struct sentence *sentence, struct candidate candidate)
{
    struct candidate *list = sentence->candidates;
    size_t i = sentence->candidate_count;
    if (i < 2 * sentence->options.beam)
        sentence->candidate_count++;
    else
        i--; /* the last one drops out */
    for (; i > 0 && list[i - 1].log_probability < candidate.log_probability; i--)
        list[i] = list[i - 1];
    list[i] = candidate;
}

static void offer_range(struct sentence *sentence, size_t row, real base, const real *logits,
                        size_t begin, size_t end)
{
    for (size_t id = begin; id < end; id++)
        if (base + logits[id] > threshold_of(sentence))
            insert_candidate(sentence, (struct candidate){.log_probability = base + logits[id],
                                                          .row = (uint32_t)row,
                                                          .id = (int32_t)id});
}

static bool any_above(real threshold, real base, const real *logits)
{
    int above = 0;
    for (size_t i = 0; i < SCAN; i++)
        above += base + logits[i] > threshold;
    return above > 0;
}

/* PAD, BOS and UNK are never generated. */
void beam_offer(struct sentence *sentence, size_t row, size_t vocabulary, const real *logits)
{
    const real base = sentence->log_probability[row] - softmax_log_sum(vocabulary, logits);
    size_t id = TOKEN_FIRST;
    offer_range(sentence, row, base, logits, TOKEN_EOS, TOKEN_EOS + 1);
    for (; id + SCAN <= vocabulary; id += SCAN)
        if (any_above(threshold_of(sentence), base, logits + id))
            offer_range(sentence, row, base, logits, id, id + SCAN);
    offer_range(sentence, row, base, logits, id, vocabulary);
}

/* length^length_penalty; nothing at all counts as one token */
static double divisor(const struct sentence *sentence, size_t length)
{
    return pow(length > 0 ? (double)length : 1, sentence->options.length_penalty);
}

static void insert_ending(struct sentence *sentence, struct ending ending)
{
    struct ending *list = sentence->endings;
    size_t i = sentence->ending_count;
    if (i < sentence->options.beam)
        sentence->ending_count++;
    else if (list[--i].score >= ending.score)
        return;
    for (; i > 0 && list[i - 1].score < ending.score; i--)
        list[i] = list[i - 1];
    list[i] = ending;
}

static void end_row(struct sentence *sentence, size_t row, real log_probability)
{
    insert_ending(sentence, (struct ending){.length = sentence->length,
                                            .row = row,
                                            .log_probability = log_probability,
                                            .score = log_probability /
                                                     divisor(sentence, sentence->length + 1)});
}

static bool ended_now(const struct sentence *sentence, size_t row)
{
    for (size_t i = 0; i < sentence->ending_count; i++)
        if (sentence->endings[i].length == sentence->length && sentence->endings[i].row == row)
            return true;
    return false;
}

/* Nothing can live on. Where too few have ended, the live rows fill up the list as they stand. */
static void truncate_rows(struct sentence *sentence)
{
    for (size_t row = 0; row < sentence->live; row++)
        if (sentence->ending_count < sentence->options.nbest && !ended_now(sentence, row))
            sentence->endings[sentence->ending_count++] = (struct ending){
                .length = sentence->length,
                .row = row,
                .log_probability = sentence->log_probability[row],
                .score = sentence->log_probability[row] / divisor(sentence, sentence->length),
                .truncated = true};
}

/* Whether a live row can still get among the nbest: log probabilities only fall, so the most that
   one can reach is the best of them divided by the longest length. Greedy search takes its first
   ending. */
static bool can_win(const struct sentence *sentence)
{
    const struct decode_options *options = &sentence->options;
    if (options->beam == 1)
        return false;
    return sentence->log_probability[0] / divisor(sentence, options->max_length + 1) >
           sentence->endings[options->nbest - 1].score;
}

void beam_choose(struct sentence *sentence)
{
    const size_t beam = sentence->options.beam;
    const size_t room = sentence->length < sentence->options.max_length ? beam : 0;
    real log_probability[DECODE_MAX_BEAM];
    size_t live = 0;
    for (size_t i = 0; i < sentence->candidate_count; i++) {
        const struct candidate *candidate = &sentence->candidates[i];
        if (candidate->id == TOKEN_EOS) {
            if (i < beam)
                end_row(sentence, candidate->row, candidate->log_probability);
        } else if (live < room) {
            sentence->extensions[sentence->length * beam + live] =
                (struct extension){.id = candidate->id, .parent = candidate->row};
            log_probability[live++] = candidate->log_probability;
        }
    }
    sentence->candidate_count = 0;
    if (live == 0) {
        truncate_rows(sentence);
        sentence->done = true;
        return;
    }
    for (size_t row = 0; row < live; row++)
        sentence->log_probability[row] = log_probability[row];
    sentence->live = live;
    sentence->length++;
    sentence->done = sentence->ending_count == beam && !can_win(sentence);
}

/* The share of each source token, EOS left out. */
static void share_attention(size_t count, const real *attention, float *share)
{
    double sum = 0;
    for (size_t s = 0; s < count; s++)
        sum += (double)attention[s];
    for (size_t s = 0; s < count; s++)
        share[s] = sum > 0 ? (float)((double)attention[s] / sum) : 1 / (float)count;
}

static int trace_ending(const struct sentence *sentence, const struct ending *ending,
                        struct hypothesis *hypothesis, struct err *err)
{
    const size_t beam = sentence->options.beam, columns = sentence->source_count;
    hypothesis->count = ending->length;
    hypothesis->score = (float)ending->score;
    hypothesis->log_probability = (float)ending->log_probability;
    hypothesis->truncated = ending->truncated;
    hypothesis->ids = mem_alloc(ending->length, sizeof(int32_t), err);
    if (!hypothesis->ids)
        return ERR_MEMORY;
    if (sentence->attention) {
        hypothesis->attention = mem_alloc(ending->length * columns, sizeof(float), err);
        if (!hypothesis->attention)
            return ERR_MEMORY;
    }
    size_t row = ending->row;
    for (size_t i = ending->length; i-- > 0;) {
        const struct extension *extension = &sentence->extensions[i * beam + row];
        row = extension->parent;
        hypothesis->ids[i] = extension->id;
        if (sentence->attention)
            share_attention(columns,
                            sentence->attention + (i * beam + row) * cell_stride(sentence->steps),
                            hypothesis->attention + i * columns);
    }
    return 0;
}

int beam_trace(const struct sentence *sentence, struct outcome **outcome, struct err *err)
{
    struct outcome *traced = mem_alloc(1, sizeof *traced, err);
    if (!traced)
        return ERR_MEMORY;
    struct decode_result *result = &traced->result;
    const size_t nbest = sentence->options.nbest;
    result->tag = sentence->tag;
    result->source_count = sentence->source_count;
    while (result->count < nbest && result->count < sentence->ending_count) {
        struct hypothesis *hypothesis = &result->hypotheses[result->count];
        const struct ending *ending = &sentence->endings[result->count++];
        if (trace_ending(sentence, ending, hypothesis, err)) {
            decode_result_free(result);
            return ERR_MEMORY;
        }
    }
    *outcome = traced;
    return 0;
}
