/*
 * Putting the translation together, piece by piece. Of a unit with stand-ins only those hypotheses
 * are alternatives that kept them all, as long as there is one.
 */
#include <math.h>
#include <string.h>

#include "model/passage_parts.h"
#include "text/character.h"

struct choice { /* the alternatives of a unit, best first */
    const struct hypothesis *hypotheses[DECODE_MAX_BEAM];
    size_t count;
};

struct writer {
    const struct passage *passage;
    struct passage_result *result;
    struct choice *choices; /* [units] */
    struct placement placement;
    size_t begin; /* of the alternative at hand, in result->text */
    bool ranges;  /* to be noted */
    size_t range_capacity;
};

/* Choosing ------------------------------------------------------------------------------------- */

static int choose(struct writer *writer, const struct unit *unit, struct choice *choice,
                  struct err *err)
{
    const struct decode_result *result = unit->unit.result;
    const size_t wanted = writer->passage->options.decode.nbest;
    if (!result || result->count == 0)
        return err_set(err, ERR_INTERNAL, "the decoder found no translation");
    for (size_t i = 0; i < result->count && unit->stand_in_count > 0 && choice->count < wanted;
         i++) {
        int rc = placement_find(&writer->placement, writer->passage->tokenizer, unit,
                                &result->hypotheses[i], false, err);
        if (rc < 0)
            return rc;
        if (writer->placement.complete)
            choice->hypotheses[choice->count++] = &result->hypotheses[i];
    }
    if (choice->count > 0)
        return 0;
    while (choice->count < result->count && choice->count < wanted) {
        choice->hypotheses[choice->count] = &result->hypotheses[choice->count];
        choice->count++;
    }
    return 0;
}

static const struct hypothesis *chosen(const struct choice *choice, size_t rank)
{
    return choice->hypotheses[rank < choice->count ? rank : choice->count - 1];
}

/* Writing -------------------------------------------------------------------------------------- */

static size_t written(const struct writer *writer)
{
    return writer->result->text.len - writer->begin;
}

static int write(struct writer *writer, const char *text, size_t len, struct err *err)
{
    return buf_append(&writer->result->text, text, len, err);
}

static int add_range(struct writer *writer, const struct passage_range *range, struct err *err)
{
    struct passage_result *result = writer->result;
    if (!writer->ranges)
        return 0;
    if (result->range_count == writer->range_capacity) {
        size_t capacity = writer->range_capacity ? 2 * writer->range_capacity : 32;
        struct passage_range *ranges =
            mem_resize(result->ranges, writer->range_capacity, capacity, sizeof *ranges, err);
        if (!ranges)
            return ERR_MEMORY;
        result->ranges = ranges;
        writer->range_capacity = capacity;
    }
    result->ranges[result->range_count++] = *range;
    return 0;
}

/* Copies a piece, but for what the glossary says of the spans in it. */
static int write_copy(struct writer *writer, const struct piece *piece, struct err *err)
{
    const struct passage *passage = writer->passage;
    const size_t begin = written(writer);
    size_t at = piece->begin;
    int rc = 0;
    for (size_t i = 0; i < piece->span_count && rc == 0; i++) {
        const struct span *span = &passage->spans[piece->first_span + i];
        rc = write(writer, passage->text + at, span->begin - at, err);
        if (rc == 0)
            rc = write(writer, span->output, span->output_len, err);
        at = span->end;
    }
    if (rc == 0)
        rc = write(writer, passage->text + at, piece->end - at, err);
    if (rc < 0 || character_skip_spaces(passage->text, piece->end, piece->begin) == piece->end)
        return rc;
    return add_range(writer,
                     &(struct passage_range){.source_begin = piece->begin,
                                             .source_end = piece->end,
                                             .target_begin = begin,
                                             .target_end = written(writer)},
                     err);
}

struct part { /* of a unit being written */
    const struct unit *unit;
    const struct hypothesis *hypothesis;
    size_t at;    /* how much of the decoded text is done with */
    size_t token; /* and how many tokens */
};

/* The part of the text that token t looked at most. */
static struct span_range origin_of(const struct part *part, size_t t)
{
    const size_t columns = part->unit->unit.count;
    size_t best = 0;
    if (!part->hypothesis->attention || columns == 0)
        return (struct span_range){.begin = part->unit->begin, .end = part->unit->end};
    const float *row = part->hypothesis->attention + t * columns;
    for (size_t s = 1; s < columns; s++)
        if (row[s] > row[best])
            best = s;
    return part->unit->origins[best];
}

/* Writes the decoded text up to `end`, as it is; its tokens are those that end there or before. */
static int write_decoded(struct writer *writer, struct part *part, size_t end, struct err *err)
{
    const struct placement *placement = &writer->placement;
    const size_t base = written(writer);
    int rc = 0;
    for (; writer->ranges && rc == 0 && part->token < part->hypothesis->count &&
           placement->ends[part->token] <= end;
         part->token++) {
        const size_t t = part->token, begin = t > 0 ? placement->ends[t - 1] : 0;
        const struct span_range origin = origin_of(part, t);
        rc = add_range(writer,
                       &(struct passage_range){
                           .source_begin = origin.begin,
                           .source_end = origin.end,
                           .target_begin = base + (begin > part->at ? begin - part->at : 0),
                           .target_end = base + placement->ends[t] - part->at,
                           .log_probability = (double)part->hypothesis->log_probabilities[t],
                       },
                       err);
    }
    if (rc == 0 && end > part->at)
        rc = write(writer, placement->text.data + part->at, end - part->at, err);
    part->at = end;
    return rc;
}

/* Tokens that the edit covers count for what stands in their place. */
static double covered(const struct writer *writer, struct part *part, const struct edit *edit)
{
    const struct placement *placement = &writer->placement;
    double sum = 0;
    while (writer->ranges && edit->end > edit->begin && part->token < part->hypothesis->count &&
           (part->token > 0 ? placement->ends[part->token - 1] : 0) < edit->end)
        sum += (double)part->hypothesis->log_probabilities[part->token++];
    return sum;
}

static int write_edit(struct writer *writer, struct part *part, const struct edit *edit,
                      struct err *err)
{
    int rc = write_decoded(writer, part, edit->begin > part->at ? edit->begin : part->at, err);
    const double log_probability = covered(writer, part, edit);
    if (edit->end > part->at)
        part->at = edit->end;
    if (rc < 0 || !edit->span)
        return rc;
    if (edit->space_before)
        rc = write(writer, " ", 1, err);
    const size_t begin = written(writer);
    if (rc == 0)
        rc = write(writer, edit->span->output, edit->span->output_len, err);
    if (rc == 0)
        rc = add_range(writer,
                       &(struct passage_range){.source_begin = edit->span->begin,
                                               .source_end = edit->span->end,
                                               .target_begin = begin,
                                               .target_end = written(writer),
                                               .log_probability = log_probability},
                       err);
    return rc == 0 && edit->space_after ? write(writer, " ", 1, err) : rc;
}

static int write_unit(struct writer *writer, const struct unit *unit,
                      const struct hypothesis *hypothesis, struct err *err)
{
    struct part part = {.unit = unit, .hypothesis = hypothesis};
    struct placement *placement = &writer->placement;
    int rc = placement_find(placement, writer->passage->tokenizer, unit, hypothesis, writer->ranges,
                            err);
    for (size_t i = 0; i < placement->edit_count && rc == 0; i++)
        rc = write_edit(writer, &part, &placement->edits[i], err);
    return rc < 0 ? rc : write_decoded(writer, &part, placement->text.len, err);
}

/* What the result says of the first alternative. */
static void count_first(struct passage_result *result, const struct unit *unit,
                        const struct hypothesis *hypothesis)
{
    result->tokens_in += unit->unit.count;
    result->tokens_out += hypothesis->count;
    result->truncated = result->truncated || hypothesis->truncated;
    result->aligned = result->aligned || hypothesis->attention;
}

static int write_alternative(struct writer *writer, size_t rank,
                             struct passage_alternative *alternative, struct err *err)
{
    const struct passage *passage = writer->passage;
    size_t units = 0;
    int rc = 0;
    writer->begin = alternative->begin = writer->result->text.len;
    writer->ranges = rank == 0 && passage->options.ranges;
    for (size_t i = 0; i < passage->piece_count && rc == 0; i++) {
        const struct piece *piece = &passage->pieces[i];
        if (!piece->unit) {
            rc = write_copy(writer, piece, err);
            continue;
        }
        const struct hypothesis *hypothesis = chosen(&writer->choices[units++], rank);
        rc = write_unit(writer, piece->unit, hypothesis, err);
        alternative->score += (double)hypothesis->score;
        if (rank == 0)
            count_first(writer->result, piece->unit, hypothesis);
    }
    if (units > 0)
        alternative->score /= (double)units;
    alternative->end = writer->result->text.len;
    return rc;
}

/* Whether alternative `rank` reads as one before it; two token sequences may spell one text. */
static bool is_repeated(const struct passage_result *result, size_t rank)
{
    const struct passage_alternative *last = &result->alternatives[rank];
    for (size_t i = 0; i < rank; i++) {
        const struct passage_alternative *earlier = &result->alternatives[i];
        size_t len = earlier->end - earlier->begin;
        if (len == last->end - last->begin &&
            (len == 0 ||
             memcmp(result->text.data + earlier->begin, result->text.data + last->begin, len) == 0))
            return true;
    }
    return false;
}

static int write_alternatives(struct writer *writer, size_t ranks, struct err *err)
{
    struct passage_result *result = writer->result;
    int rc = 0;
    result->alternatives = mem_alloc(ranks, sizeof *result->alternatives, err);
    if (!result->alternatives)
        return ERR_MEMORY;
    for (size_t rank = 0; rank < ranks && rc == 0; rank++) {
        struct passage_alternative *place = &result->alternatives[result->alternative_count];
        *place = (struct passage_alternative){.score = 0};
        rc = write_alternative(writer, rank, place, err);
        if (rc == 0 && is_repeated(result, result->alternative_count))
            result->text.len = place->begin;
        else
            result->alternative_count++;
    }
    return rc;
}

/*
 * What chrF the translation may be expected to have: a logistic curve over the mean log probability
 * of its tokens, ends of sentences among them. Fitted to 1,000 translations of en-fr of sentences
 * that it was not trained on; over another 1,000 of fr-en the correlation with their chrF is 0.55
 * (of ranks 0.58), and the mean 0.644 where it is 0.648. Further features (the least probable
 * token, the spread, the length) did not add to it.
 */
static double quality(const struct passage *passage, const struct choice *choices)
{
    double sum = 0;
    size_t count = 0;
    for (size_t i = 0; i < passage->unit_count; i++) {
        sum += (double)choices[i].hypotheses[0]->log_probability;
        count += choices[i].hypotheses[0]->count + 1;
    }
    return count > 0 ? 1 / (1 + exp(-(1.7 + 2.77 * sum / (double)count))) : 1;
}

static int copy_cuts(const struct passage *passage, struct passage_result *result, struct err *err)
{
    result->cuts = mem_alloc(passage->cut_count, sizeof *result->cuts, err);
    if (!result->cuts)
        return ERR_MEMORY;
    if (passage->cut_count > 0)
        memcpy(result->cuts, passage->cuts, passage->cut_count * sizeof *result->cuts);
    result->cut_count = passage->cut_count;
    return 0;
}

int passage_write(const struct passage *passage, struct passage_result *result, struct err *err)
{
    struct writer writer = {.passage = passage, .result = result};
    size_t ranks = 1;
    writer.choices = mem_alloc(passage->unit_count, sizeof *writer.choices, err);
    int rc = writer.choices ? 0 : ERR_MEMORY;
    for (size_t i = 0; i < passage->unit_count && rc == 0; i++) {
        rc = choose(&writer, passage->units[i], &writer.choices[i], err);
        ranks = writer.choices[i].count > ranks ? writer.choices[i].count : ranks;
    }
    if (rc == 0)
        rc = write_alternatives(&writer, ranks, err);
    if (rc == 0)
        rc = copy_cuts(passage, result, err);
    if (rc == 0)
        result->quality = quality(passage, writer.choices);
    result->aligned = result->aligned || passage->unit_count == 0;
    placement_release(&writer.placement);
    mem_free(writer.choices);
    return rc;
}

void passage_result_release(struct passage_result *result)
{
    buf_release(&result->text);
    mem_free(result->alternatives);
    mem_free(result->ranges);
    mem_free(result->cuts);
    *result = (struct passage_result){.ranges = NULL};
}
