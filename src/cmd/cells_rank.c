#include "cmd/cells_rank.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "train/metric_rank.h"

#define AHEAD 8192 /* bytes behind the last token: what comes may decide what is */

struct scratch {
    int16_t *bytes;               /* a property's values */
    uint32_t *slots;              /* metric_ranks */
    float *unit;                  /* [T] ranks of a unit's values */
    float *marks[PROPERTY_COUNT]; /* [T] of a property's, where it is a number */
};

static void scratch_release(struct scratch *scratch)
{
    for (size_t p = 0; p < PROPERTY_COUNT; p++)
        mem_free(scratch->marks[p]);
    mem_free(scratch->unit);
    mem_free(scratch->slots);
    mem_free(scratch->bytes);
}

static int scratch_init(struct scratch *scratch, size_t tokens, size_t len, struct err *err)
{
    *scratch = (struct scratch){.bytes = mem_alloc(len, sizeof *scratch->bytes, err)};
    scratch->slots = mem_alloc(METRIC_RANK_SLOTS, sizeof *scratch->slots, err);
    scratch->unit = mem_alloc(tokens, sizeof *scratch->unit, err);
    return scratch->bytes && scratch->slots && scratch->unit ? 0 : ERR_MEMORY;
}

void cells_rank_release(struct cells_rank *rank)
{
    for (size_t p = 0; p < PROPERTY_COUNT; p++) {
        mem_free(rank->properties[p].strengths);
        mem_free(rank->properties[p].marks);
    }
    *rank = (struct cells_rank){.tokens = 0};
}

static int16_t mark_of(const struct cells_token *token, const int16_t *bytes, bool point)
{
    int16_t mark = bytes[token->end - 1];
    for (size_t i = token->begin; point && i < token->end; i++)
        mark = bytes[i] > mark ? bytes[i] : mark;
    return mark;
}

static bool is_measurable(const struct cells_property *property, size_t tokens, bool number)
{
    if (number)
        return property->count >= CELLS_RANK_LEAST;
    return property->count >= CELLS_RANK_LEAST && tokens - property->count >= CELLS_RANK_LEAST &&
           property->stretches >= CELLS_RANK_STRETCHES;
}

/* The property of each token, and whether it can be measured. */
static int mark(struct cells_rank *rank, size_t p, const struct cells *cells, const char *text,
                size_t len, struct scratch *scratch, struct err *err)
{
    struct cells_property *property = &rank->properties[p];
    const size_t T = rank->tokens;
    const bool number = properties[p].number;
    property->marks = mem_alloc(T, sizeof *property->marks, err);
    if (property->marks == NULL)
        return ERR_MEMORY;
    property_read((enum property)p, text, len, scratch->bytes);
    for (size_t t = 0; t < T; t++) {
        property->marks[t] = mark_of(&cells->token[t], scratch->bytes, properties[p].point);
        property->count += property->marks[t] != 0;
        property->stretches += property->marks[t] != 0 && (t == 0 || property->marks[t - 1] == 0);
    }
    if (!is_measurable(property, T, number))
        return 0;
    property->strengths = mem_alloc(rank->units, sizeof *property->strengths, err);
    if (property->strengths == NULL)
        return ERR_MEMORY;
    if (!number)
        return 0;
    scratch->marks[p] = mem_alloc(T, sizeof *scratch->marks[p], err);
    if (scratch->marks[p] == NULL)
        return ERR_MEMORY;
    metric_ranks(T, property->marks, scratch->marks[p], scratch->slots);
    return 0;
}

static float measure(const struct cells_rank *rank, size_t p, const struct scratch *scratch)
{
    if (scratch->marks[p] != NULL)
        return (float)metric_rank_correlation(rank->tokens, scratch->unit, scratch->marks[p]);
    return (float)(2 * metric_rank_area(rank->tokens, scratch->unit, rank->properties[p].marks) -
                   1);
}

int cells_rank(struct cells_rank *rank, const struct cells *cells, const char *text, size_t len,
               struct err *err)
{
    struct scratch scratch;
    *rank = (struct cells_rank){.tokens = cells->tokens, .units = cells->units};
    if (len - cells->read > AHEAD) {
        len = cells->read + AHEAD;
        while (len > cells->read && ((unsigned char)text[len] & 0xC0) == 0x80)
            len--;
    }
    int code = scratch_init(&scratch, rank->tokens, len, err);
    for (size_t p = 0; p < PROPERTY_COUNT && code == 0; p++)
        code = mark(rank, p, cells, text, len, &scratch, err);
    for (size_t u = 0; u < rank->units && code == 0; u++) {
        metric_ranks(rank->tokens, cells->values + u * rank->tokens, scratch.unit, scratch.slots);
        for (size_t p = 0; p < PROPERTY_COUNT; p++)
            if (rank->properties[p].strengths != NULL)
                rank->properties[p].strengths[u] = measure(rank, p, &scratch);
    }
    scratch_release(&scratch);
    if (code < 0)
        cells_rank_release(rank);
    return code;
}

void cells_rank_best(const struct cells_rank *rank, enum property property, size_t count,
                     size_t *units)
{
    const float *strengths = rank->properties[property].strengths;
    for (size_t n = 0; n < count; n++) {
        size_t best = SIZE_MAX;
        for (size_t u = 0; u < rank->units; u++) {
            bool taken = false;
            for (size_t i = 0; i < n; i++)
                taken = taken || units[i] == u;
            if (!taken && (best == SIZE_MAX || fabsf(strengths[u]) > fabsf(strengths[best])))
                best = u;
        }
        units[n] = best;
    }
}
