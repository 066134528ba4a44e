/*
 * Where spans go in a translation.
 *
 * A stand-in that is there as often as it should be is replaced where it stands. Of one that is
 * there too often, those stay that the attention knows. For one that is missing, the token that
 * looked at it most tells the word: the word gives way where it was made from the stand-in, or else
 * the span is put behind it. Marks go with the word before them, opening tags with the word after
 * them; a pair of tags encloses all that was made from what it enclosed. Without attention places
 * are taken in proportion.
 */
#include <stdlib.h>
#include <string.h>

#include "model/passage_parts.h"
#include "text/character.h"

enum rank { RANK_BEHIND, RANK_BEFORE, RANK_HERE }; /* at one place: in this order */

struct placing {
    struct placement *placement;
    const struct unit *unit;
    const struct hypothesis *hypothesis;
    size_t columns; /* of the attention */
    size_t *places; /* [stand_in_count]: the edit of each, or PASSAGE_NONE */
};

static int add_edit(struct placement *placement, const struct edit *edit, struct err *err)
{
    if (placement->edit_count == placement->edit_capacity) {
        size_t capacity = placement->edit_capacity ? 2 * placement->edit_capacity : 8;
        struct edit *edits =
            mem_resize(placement->edits, placement->edit_capacity, capacity, sizeof *edits, err);
        if (!edits)
            return ERR_MEMORY;
        placement->edits = edits;
        placement->edit_capacity = capacity;
    }
    placement->edits[placement->edit_count++] = *edit;
    return 0;
}

/* Tokens --------------------------------------------------------------------------------------- */

static size_t token_begin(const struct placement *placement, size_t token)
{
    return token > 0 ? placement->ends[token - 1] : 0;
}

/* How much token t of the translation looked at the tokens [first, last) of the source. */
static double mass(const struct placing *placing, size_t t, size_t first, size_t last)
{
    const float *row = placing->hypothesis->attention + t * placing->columns;
    double sum = 0;
    for (size_t s = first; s < last && s < placing->columns; s++)
        sum += (double)row[s];
    return sum;
}

/* The token of the translation that looked most at [first, last). */
static size_t most_attentive(const struct placing *placing, size_t first, size_t last)
{
    const size_t count = placing->hypothesis->count;
    size_t best = 0;
    if (!placing->hypothesis->attention)
        return placing->columns
                   ? (first * count / placing->columns < count ? first * count / placing->columns
                                                               : count - 1)
                   : 0;
    for (size_t t = 1; t < count; t++)
        if (mass(placing, t, first, last) > mass(placing, best, first, last))
            best = t;
    return best;
}

/* Whether token t looked at [first, last) more than at anything else. */
static bool is_made_from(const struct placing *placing, size_t t, size_t first, size_t last)
{
    if (!placing->hypothesis->attention)
        return false;
    const float *row = placing->hypothesis->attention + t * placing->columns;
    size_t best = 0;
    for (size_t s = 1; s < placing->columns; s++)
        if (row[s] > row[best])
            best = s;
    return best >= first && best < last;
}

static bool is_word(uint32_t code)
{
    return character_is_letter(code) || character_is_digit(code) || character_is_mark(code);
}

/* Past the rest of "l'ami" where an apostrophe stands at `at` or just before it. */
static size_t skip_elision(const struct buf *text, size_t at)
{
    size_t size, begin = at;
    uint32_t code = character_at(text->data, text->len, at, &size);
    if (code == '\'' || code == 0x2019)
        at += size;
    else if (at == 0 ||
             ((code = character_before(text->data, 0, at, &size)) != '\'' && code != 0x2019))
        return begin;
    while (at < text->len && is_word(character_at(text->data, text->len, at, &size)))
        at += size;
    return at;
}

/* The word of the translation that token t is in; what is no word is itself. */
static struct span_range word_of(const struct placement *placement, size_t t)
{
    const char *text = placement->text.data;
    const size_t len = placement->text.len;
    size_t begin = token_begin(placement, t), end = placement->ends[t], size;
    begin = character_skip_spaces(text, end, begin);
    while (begin > 0 && is_word(character_at(text, len, begin, &size)) &&
           is_word(character_before(text, 0, begin, &size)))
        begin -= size;
    while (end > begin && end < len && is_word(character_before(text, begin, end, &size)) &&
           is_word(character_at(text, len, end, &size)))
        end += size;
    return (struct span_range){.begin = begin, .end = end};
}

/* Stand-ins ------------------------------------------------------------------------------------ */

/* Whether the stand-in stands at `at` by itself: no part of a longer word or number. */
static bool stands_at(const struct buf *text, size_t at, const struct stand_in *stand_in)
{
    const size_t end = at + stand_in->len;
    size_t size;
    if (end > text->len || memcmp(text->data + at, stand_in->text, stand_in->len) != 0)
        return false;
    if ((at > 0 && is_word(character_before(text->data, 0, at, &size))) ||
        is_word(character_at(text->data, text->len, end, &size)))
        return false;
    if (*stand_in->text < '0' || *stand_in->text > '9')
        return true;
    const bool joined_before = at > 1 && strchr(".,:/-", text->data[at - 1]) &&
                               character_is_digit((uint32_t)text->data[at - 2]);
    const bool joined_after = end + 1 < text->len && strchr(".,:/-", text->data[end]) &&
                              character_is_digit((uint32_t)text->data[end + 1]);
    return !joined_before && !joined_after;
}

static bool is_taken(const struct placement *placement, size_t begin, size_t end)
{
    for (size_t i = 0; i < placement->edit_count; i++)
        if (begin < placement->edits[i].end && placement->edits[i].begin < end)
            return true;
    return false;
}

/* How much the tokens of [begin, end) looked at the stand-in. */
static double attention_of(const struct placing *placing, size_t begin, size_t end,
                           const struct stand_in *stand_in)
{
    const struct placement *placement = placing->placement;
    double sum = 0;
    for (size_t t = 0; placing->hypothesis->attention && t < placing->hypothesis->count; t++)
        if (token_begin(placement, t) < end && placement->ends[t] > begin)
            sum += mass(placing, t, stand_in->first, stand_in->last);
    return sum;
}

/* The place of the stand-in, not taken yet, that looked at it most; the first of equals. */
static size_t find_place(const struct placing *placing, const struct stand_in *stand_in)
{
    const struct buf *text = &placing->placement->text;
    size_t best = PASSAGE_NONE;
    double most = -1;
    for (size_t at = 0; at + stand_in->len <= text->len; at++) {
        if (!stands_at(text, at, stand_in) || is_taken(placing->placement, at, at + stand_in->len))
            continue;
        double here = attention_of(placing, at, at + stand_in->len, stand_in);
        if (here > most) {
            most = here;
            best = at;
        }
    }
    return best;
}

static int place(struct placing *placing, size_t index, struct edit edit, struct err *err)
{
    edit.span = &placing->unit->stand_ins[index].span;
    placing->places[index] = placing->placement->edit_count;
    return add_edit(placing->placement, &edit, err);
}

/* Replaces the stand-ins that are there. */
static int place_found(struct placing *placing, struct err *err)
{
    struct placement *placement = placing->placement;
    int rc = 0;
    size_t at;
    for (size_t i = 0; i < placing->unit->stand_in_count && rc == 0; i++) {
        const struct stand_in *stand_in = &placing->unit->stand_ins[i];
        placing->places[i] = PASSAGE_NONE;
        at = find_place(placing, stand_in);
        if (at == PASSAGE_NONE)
            placement->complete = false;
        else
            rc = place(placing, i,
                       (struct edit){.begin = at, .end = at + stand_in->len, .rank = RANK_HERE},
                       err);
    }
    return rc;
}

/* Leaves out what there is of stand-ins beyond, with the space before it. */
static int drop_surplus(struct placing *placing, struct err *err)
{
    struct placement *placement = placing->placement;
    const struct buf *text = &placement->text;
    int rc = 0;
    size_t at;
    for (size_t i = 0; i < placing->unit->stand_in_count && rc == 0; i++) {
        const struct stand_in *stand_in = &placing->unit->stand_ins[i];
        while (rc == 0 && (at = find_place(placing, stand_in)) != PASSAGE_NONE) {
            struct edit edit = {.begin = at, .end = at + stand_in->len, .rank = RANK_HERE};
            if (at > 0 && text->data[at - 1] == ' ')
                edit.begin--;
            else if (at == 0 && edit.end < text->len && text->data[edit.end] == ' ')
                edit.end++;
            placement->complete = false;
            rc = add_edit(placement, &edit, err);
        }
    }
    return rc;
}

static bool space_follows(const struct buf *text, size_t at)
{
    size_t size;
    return at < text->len && character_is_space(character_at(text->data, text->len, at, &size));
}

/* Where something goes that belongs to the word: behind it, but before what ends a clause. */
static size_t behind(const struct buf *text, const struct span_range *word)
{
    size_t size;
    const uint32_t first = character_at(text->data, word->end, word->begin, &size);
    if (word->begin < word->end && (first == '.' || first == ',' || first == '!' || first == '?' ||
                                    first == ';' || first == ':')) {
        size_t at = word->begin;
        while (at > 0 && text->data[at - 1] == ' ')
            at--;
        return at;
    }
    return skip_elision(text, word->end);
}

/* What the model made nothing of, or something else. */
static int place_missing(struct placing *placing, struct err *err)
{
    struct placement *placement = placing->placement;
    const size_t count = placing->unit->stand_in_count;
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        const struct stand_in *stand_in = &placing->unit->stand_ins[i];
        struct edit edit = {.rank = RANK_BEHIND};
        if (placing->places[i] != PASSAGE_NONE)
            continue;
        if (placing->hypothesis->count > 0) {
            size_t t = most_attentive(placing, stand_in->first, stand_in->last);
            struct span_range word = word_of(placement, t);
            edit.begin = edit.end = behind(&placement->text, &word);
            if (word.end > word.begin && !is_taken(placement, word.begin, word.end) &&
                is_made_from(placing, t, stand_in->first, stand_in->last)) {
                edit.begin = word.begin;
                edit.end = word.end;
                edit.rank = RANK_HERE;
            }
        }
        edit.space_before = edit.rank == RANK_BEHIND && edit.begin > 0;
        rc = place(placing, i, edit, err);
    }
    return rc;
}

/* Marks ---------------------------------------------------------------------------------------- */

/* Behind or before what stands at [begin, end) of the translation: the edit there, if there is one,
   else the word. */
static size_t beside(const struct placing *placing, size_t token, bool before)
{
    const struct unit *unit = placing->unit;
    for (size_t i = 0; i < unit->stand_in_count; i++) {
        const struct stand_in *stand_in = &unit->stand_ins[i];
        if (token < stand_in->first || token >= stand_in->last)
            continue;
        const struct edit *edit = &placing->placement->edits[placing->places[i]];
        return before ? edit->begin : edit->end;
    }
    struct span_range word = word_of(placing->placement, most_attentive(placing, token, token + 1));
    return before ? word.begin : word.end;
}

/* What was made from the tokens [first, last): from where to where; empty: nothing was. */
static struct span_range made_from(const struct placing *placing, size_t first, size_t last)
{
    struct span_range all = {.begin = SIZE_MAX, .end = 0};
    for (size_t t = 0; t < placing->hypothesis->count; t++) {
        if (!is_made_from(placing, t, first, last))
            continue;
        struct span_range word = word_of(placing->placement, t);
        all.begin = word.begin < all.begin ? word.begin : all.begin;
        all.end = word.end > all.end ? word.end : all.end;
    }
    for (size_t i = 0; i < placing->unit->stand_in_count; i++) {
        const struct stand_in *stand_in = &placing->unit->stand_ins[i];
        if (stand_in->first < first || stand_in->last > last)
            continue;
        const struct edit *edit = &placing->placement->edits[placing->places[i]];
        all.begin = edit->begin < all.begin ? edit->begin : all.begin;
        all.end = edit->end > all.end ? edit->end : all.end;
    }
    return all;
}

/* Where the mark goes. */
static size_t mark_place(const struct placing *placing, const struct mark *mark)
{
    const struct unit *unit = placing->unit;
    const size_t tokens = unit->unit.count;
    if (placing->hypothesis->count == 0)
        return 0;
    if (mark->partner != PASSAGE_NONE) {
        const struct mark *other = &unit->marks[mark->partner];
        const size_t first = mark->opens ? mark->token : other->token;
        const size_t last = mark->opens ? other->token : mark->token;
        struct span_range all = made_from(placing, first, last);
        if (all.begin < all.end)
            return mark->opens ? all.begin : all.end;
        if (first < tokens)
            return beside(placing, first, mark->opens);
    }
    if (mark->opens)
        return mark->token < tokens ? beside(placing, mark->token, true)
                                    : placing->placement->text.len;
    return mark->token > 0
               ? skip_elision(&placing->placement->text, beside(placing, mark->token - 1, false))
               : 0;
}

/* Out of what is replaced or left out. */
static size_t snap(const struct placement *placement, size_t at, bool before)
{
    for (size_t i = 0; i < placement->edit_count; i++) {
        const struct edit *edit = &placement->edits[i];
        if (edit->begin < at && at < edit->end)
            return before ? edit->begin : edit->end;
    }
    return at;
}

static int place_marks(struct placing *placing, struct err *err)
{
    struct placement *placement = placing->placement;
    int rc = 0;
    for (size_t i = 0; i < placing->unit->mark_count && rc == 0; i++) {
        const struct mark *mark = &placing->unit->marks[i];
        const size_t at = snap(placement, mark_place(placing, mark), mark->opens);
        const bool after_space = at > 0 && placement->text.data[at - 1] == ' ';
        rc = add_edit(placement,
                      &(struct edit){.begin = at,
                                     .end = at,
                                     .span = &mark->span,
                                     .rank = mark->opens ? RANK_BEFORE : RANK_BEHIND,
                                     .space_before = !mark->opens && mark->space_before && at > 0 &&
                                                     !after_space,
                                     .space_after = (mark->opens || at == 0) && mark->space_after &&
                                                    !space_follows(&placement->text, at)},
                      err);
    }
    return rc;
}

/* The full stop that the source got for its pause goes again. */
static int drop_stop(const struct placing *placing, struct err *err)
{
    struct placement *placement = placing->placement;
    const struct buf *text = &placement->text;
    size_t size;
    if (placing->unit->pause == 0 || text->len == 0)
        return 0;
    uint32_t last = character_before(text->data, 0, text->len, &size);
    if (last != '.' && last != 0x3002)
        return 0;
    return add_edit(placement,
                    &(struct edit){.begin = text->len - size, .end = text->len, .rank = RANK_HERE},
                    err);
}

/* The whole ------------------------------------------------------------------------------------ */

static size_t common_prefix(const struct buf *a, const struct buf *b)
{
    size_t len = a->len < b->len ? a->len : b->len, i = 0;
    while (i < len && a->data[i] == b->data[i])
        i++;
    return i;
}

/*
 * ends[i]: where token i ends in the translation. Found by decoding every beginning of the output:
 * a character that is spelt by several tokens counts for the one that completes it.
 */
static int find_ends(struct placement *placement, const struct tokenizer *tokenizer,
                     const struct hypothesis *hypothesis, struct err *err)
{
    struct buf part = BUF_INIT;
    size_t end = 0;
    int rc = 0;
    if (hypothesis->count > placement->capacity) {
        size_t *ends =
            mem_resize(placement->ends, placement->capacity, hypothesis->count, sizeof *ends, err);
        if (!ends)
            return ERR_MEMORY;
        placement->ends = ends;
        placement->capacity = hypothesis->count;
    }
    for (size_t i = 0; i < hypothesis->count && rc == 0; i++) {
        buf_clear(&part);
        rc = tokenizer_decode(tokenizer, hypothesis->ids, i + 1, &part, err);
        size_t prefix = common_prefix(&placement->text, &part);
        if (prefix > end)
            end = prefix;
        placement->ends[i] = end;
    }
    buf_release(&part);
    return rc;
}

static int compare_edits(const void *a, const void *b)
{
    const struct edit *x = a, *y = b;
    if (x->begin != y->begin)
        return x->begin < y->begin ? -1 : 1;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return x->order < y->order ? -1 : 1;
}

int placement_find(struct placement *placement, const struct tokenizer *tokenizer,
                   const struct unit *unit, const struct hypothesis *hypothesis, bool ends,
                   struct err *err)
{
    struct placing placing = {.placement = placement, .unit = unit, .hypothesis = hypothesis};
    placing.columns = unit->unit.count;
    placement->edit_count = 0;
    placement->complete = true;
    buf_clear(&placement->text);
    int rc = buf_reserve(&placement->text, 1, err);
    if (rc == 0)
        rc = tokenizer_decode(tokenizer, hypothesis->ids, hypothesis->count, &placement->text, err);
    const bool untouched = unit->stand_in_count + unit->mark_count + unit->pause == 0;
    if (rc == 0 && (ends || !untouched))
        rc = find_ends(placement, tokenizer, hypothesis, err);
    if (rc < 0 || untouched)
        return rc;
    placing.places = mem_alloc(unit->stand_in_count, sizeof *placing.places, err);
    if (!placing.places)
        return ERR_MEMORY;
    rc = place_found(&placing, err);
    if (rc == 0)
        rc = drop_surplus(&placing, err);
    if (rc == 0)
        rc = place_missing(&placing, err);
    if (rc == 0)
        rc = place_marks(&placing, err);
    if (rc == 0)
        rc = drop_stop(&placing, err);
    for (size_t i = 0; i < placement->edit_count; i++)
        placement->edits[i].order = i;
    qsort(placement->edits, placement->edit_count, sizeof *placement->edits, compare_edits);
    mem_free(placing.places);
    return rc;
}

void placement_release(struct placement *placement)
{
    buf_release(&placement->text);
    mem_free(placement->ends);
    mem_free(placement->edits);
    *placement = (struct placement){.ends = NULL};
}
