/*
 * From a text to pieces: sentences, what stands between them, and the parts of a sentence that is
 * too long. Only what has a word that the vocabulary knows goes to the decoder.
 */
#include <string.h>

#include "model/passage_parts.h"
#include "text/character.h"
#include "text/grapheme.h"
#include "text/sentence.h"
#include "text/utf8.h"

#define ARENA_BLOCK 16384 /* bytes */
#define WINDOW 16384      /* bytes of a sentence that are looked at for one part */

struct cutter {
    struct passage *passage;
    struct source source;
    struct span_list spans; /* of the sentence at hand, as places in the text */
    struct span_range *unknown;
    size_t unknown_capacity;
};

static int grow(void *array, size_t count, size_t *capacity, size_t size, struct err *err)
{
    void **place = array;
    if (count < *capacity)
        return 0;
    size_t more = *capacity ? 2 * *capacity : 8;
    void *grown = mem_resize(*place, *capacity, more, size, err);
    if (!grown)
        return ERR_MEMORY;
    *place = grown;
    *capacity = more;
    return 0;
}

/* Pieces --------------------------------------------------------------------------------------- */

static int add_piece(struct passage *passage, const struct piece *piece, struct err *err)
{
    if (grow(&passage->pieces, passage->piece_count, &passage->piece_capacity,
             sizeof *passage->pieces, err) < 0)
        return ERR_MEMORY;
    passage->pieces[passage->piece_count++] = *piece;
    return 0;
}

/* [begin, end) with the spans given is copied. */
static int copy(struct passage *passage, size_t begin, size_t end, const struct span *spans,
                size_t count, struct err *err)
{
    const size_t first = passage->span_count;
    if (begin == end)
        return 0;
    for (size_t i = 0; i < count; i++) {
        if (grow(&passage->spans, passage->span_count, &passage->span_capacity,
                 sizeof *passage->spans, err) < 0)
            return ERR_MEMORY;
        passage->spans[passage->span_count++] = spans[i];
    }
    const struct piece piece = {
        .begin = begin, .end = end, .first_span = first, .span_count = count};
    return add_piece(passage, &piece, err);
}

static int add_unit(struct passage *passage, struct unit *unit, struct err *err)
{
    const struct piece piece = {.begin = unit->begin, .end = unit->end, .unit = unit};
    if (grow(&passage->units, passage->unit_count, &passage->unit_capacity, sizeof *passage->units,
             err) < 0)
        return ERR_MEMORY;
    passage->units[passage->unit_count++] = unit;
    unit->unit.options = passage->options.decode;
    if (unit->stand_in_count > 0) /* to choose from */
        unit->unit.options.nbest = unit->unit.options.beam;
    return add_piece(passage, &piece, err);
}

static int note_cut(struct passage *passage, size_t begin, size_t end, struct err *err)
{
    if (grow(&passage->cuts, passage->cut_count, &passage->cut_capacity, sizeof *passage->cuts,
             err) < 0)
        return ERR_MEMORY;
    passage->cuts[passage->cut_count++] = (struct span_range){.begin = begin, .end = end};
    return 0;
}

/* Parts of a sentence -------------------------------------------------------------------------- */

/* Whether a letter stands outside of spans. */
static bool has_words(const char *text, size_t begin, size_t end, const struct span *spans,
                      size_t count)
{
    size_t size;
    for (size_t i = begin; i < end; i += size) {
        if (count > 0 && i == spans->begin) {
            size = spans->end - spans->begin;
            spans++;
            count--;
            continue;
        }
        if (character_is_letter(character_at(text, end, i, &size)))
            return true;
    }
    return false;
}

static bool is_clause_mark(uint32_t code)
{
    return code == ',' || code == ';' || code == ':' || code == ')' || code == 0x2013 ||
           code == 0x2014 || code == 0x060C || code == 0x061B || code == 0x3001 || code == 0xFF0C ||
           code == 0xFF1B || code == 0xFF1A;
}

static bool is_inside(const char *text, size_t at)
{
    return ((unsigned char)text[at] & 0xC0) == 0x80;
}

/* Where to cut [begin, limit], of which `limit` is the last place possible: behind the last clause
   mark of its second half, or else before the last white space there, or else at `limit`. */
static size_t find_cut(const struct passage *passage, size_t begin, size_t limit,
                       const struct span *spans, size_t count)
{
    const char *text = passage->text;
    const struct span *span = spans, *last = spans + count;
    size_t clause = 0, space = 0, size, after;
    size_t i = begin + (limit - begin) / 2;
    while (i > begin && is_inside(text, i))
        i--;
    for (; i < limit; i += size) {
        uint32_t code = character_at(text, passage->len, i, &size);
        while (span < last && span->end <= i)
            span++;
        if (span < last && span->begin <= i)
            continue;
        if (character_is_space(code))
            space = i;
        if (is_clause_mark(code) && (code > 0x2FFF || character_is_space(character_at(
                                                          text, passage->len, i + size, &after))))
            clause = i + size;
    }
    if (clause > begin && clause <= limit)
        return clause;
    if (space > begin)
        return space;
    while (span < last && span->end <= limit)
        span++;
    if (span < last && span->begin < limit)
        return span->begin > begin ? span->begin : span->end;
    return limit > begin ? limit : grapheme_end(text, passage->len, begin);
}

static size_t trim(const char *text, size_t begin, size_t end)
{
    size_t size;
    while (end > begin && character_is_space(character_before(text, begin, end, &size)))
        end -= size;
    return end;
}

static size_t last_boundary(const char *text, size_t at)
{
    while (is_inside(text, at))
        at--;
    return at;
}

/* The last clause mark of [begin, end) before `soft`, or else the first after it; 0: there is none
   inside. One close to the beginning does not count. */
static size_t find_clause(const struct passage *passage, size_t begin, size_t soft, size_t end,
                          const struct span *spans, size_t count)
{
    const struct span *span = spans, *last = spans + count;
    const size_t least = begin + (soft - begin) / 4;
    size_t size, after, clause = 0;
    for (size_t i = begin; i < end && (i < soft || clause == 0); i += size) {
        uint32_t code = character_at(passage->text, end, i, &size);
        while (span < last && span->end <= i)
            span++;
        if ((span < last && span->begin <= i) || !is_clause_mark(code) || i + size >= end)
            continue;
        uint32_t next = character_at(passage->text, end, i + size, &after);
        if (i >= least && (code > 0x2FFF || character_is_space(next)))
            clause = i + size;
    }
    return clause;
}

/* Whether the byte at `at` belongs to a span. */
static bool span_around(const struct span *spans, size_t count, size_t at)
{
    for (size_t i = 0; i < count && spans[i].begin <= at; i++)
        if (at < spans[i].end)
            return true;
    return false;
}

/* How many of the spans begin before `end`. */
static size_t spans_before(const struct span *spans, size_t count, size_t end)
{
    size_t i = 0;
    while (i < count && spans[i].begin < end)
        i++;
    return i;
}

/* Leaves the clause mark that the unit ends with to what is copied: its pause. */
static void set_pause(const char *text, struct unit *unit)
{
    size_t size;
    const uint32_t last = character_before(text, unit->begin, unit->end, &size);
    if (!is_clause_mark(last) || last == ')')
        return;
    unit->pause = unit->end;
    unit->end = trim(text, unit->begin, unit->end - size);
}

/* Where a unit that is built has to end earlier, or else its end. */
static size_t shorten(const struct passage *passage, const struct source *source, size_t begin,
                      size_t end, const struct span *spans, size_t count)
{
    const size_t tokens = source->encoded.count, soft = passage->options.clause_tokens;
    size_t clause = 0;
    if (tokens > DECODE_MAX_SOURCE)
        return find_cut(passage, begin, source_origin(source, DECODE_MAX_SOURCE), spans, count);
    if (soft > 0 && tokens > soft)
        clause = find_clause(passage, begin, source_origin(source, soft), end, spans, count);
    return clause > 0 ? clause : end;
}

/* Makes a unit of [begin, *end), or of less, where that is too much; *end is then less. NULL and
   no error: there is nothing to translate. */
static int make_unit(struct cutter *cutter, size_t begin, size_t *end, const struct span *spans,
                     size_t count, struct unit **made, struct err *err)
{
    struct passage *passage = cutter->passage;
    struct source *source = &cutter->source;
    const size_t whole = *end;
    struct unit *unit = arena_alloc(&passage->arena, 1, sizeof *unit, err);
    *made = NULL;
    if (!unit)
        return ERR_MEMORY;
    if (*end - begin > WINDOW)
        *end = find_cut(passage, begin, last_boundary(passage->text, begin + WINDOW), spans, count);
    for (;;) {
        size_t excess;
        count = spans_before(spans, count, *end);
        *end = trim(passage->text, begin, *end);
        if (!has_words(passage->text, begin, *end, spans, count))
            return 0;
        *unit = (struct unit){.begin = begin, .end = *end};
        if (*end < whole && !span_around(spans, count, *end - 1))
            set_pause(passage->text, unit);
        int rc = source_build(passage, source, unit, spans, count, &excess, err);
        if (rc < 0)
            return rc;
        const size_t before = *end;
        if (excess == PASSAGE_NONE)
            *end = shorten(passage, source, begin, *end, spans, count);
        else
            *end = spans[excess].begin > begin ? spans[excess].begin : spans[excess].end;
        if (*end == before && excess == PASSAGE_NONE) {
            *made = unit;
            return source_keep(passage, source, unit, err);
        }
    }
}

/* [begin, end), a sentence or what is left of one: one unit or several, what is between them
   copied. */
static int add_parts(struct cutter *cutter, size_t begin, size_t end, const struct span *spans,
                     size_t count, struct err *err)
{
    struct passage *passage = cutter->passage;
    const size_t whole = begin;
    while (begin < end) {
        struct unit *unit;
        size_t stop = end;
        int rc = make_unit(cutter, begin, &stop, spans, count, &unit, err);
        if (rc < 0)
            return rc;
        const size_t inside = spans_before(spans, count, stop);
        const size_t next = character_skip_spaces(passage->text, end, stop);
        if (begin > whole || stop < end)
            rc = note_cut(passage, begin, stop, err);
        if (rc == 0 && unit)
            rc = add_unit(passage, unit, err);
        if (rc == 0 && unit)
            rc = copy(passage, unit->end, next, NULL, 0, err);
        else if (rc == 0)
            rc = copy(passage, begin, next, spans, inside, err);
        if (rc < 0)
            return rc;
        spans += inside;
        count -= inside;
        begin = next;
    }
    return 0;
}

/* Sentences ------------------------------------------------------------------------------------ */

/* The parts of the sentence that the vocabulary does not know, as places in the sentence. */
static int find_unknown(struct cutter *cutter, size_t begin, size_t end, struct err *err)
{
    const struct passage *passage = cutter->passage;
    struct encoded *encoded = &cutter->source.encoded;
    size_t count = 0;
    int rc = tokenizer_encode(passage->tokenizer, passage->text + begin, end - begin, encoded, err);
    for (size_t i = 0; rc == 0 && i < encoded->count; i++) {
        const struct token *token = &encoded->tokens[i];
        if (tokenizer_covers(passage->tokenizer, token->id))
            continue;
        rc = grow(&cutter->unknown, count, &cutter->unknown_capacity, sizeof *cutter->unknown, err);
        if (rc == 0)
            cutter->unknown[count++] =
                (struct span_range){.begin = token->raw_begin, .end = token->raw_end};
    }
    cutter->source.unknown_count = count;
    return rc;
}

/* What stands without a gap between is one, if both are of the text. */
static void merge_spans(struct span_list *list)
{
    size_t count = 0;
    for (size_t i = 0; i < list->count; i++) {
        struct span *last = count > 0 ? &list->spans[count - 1] : NULL;
        const struct span *span = &list->spans[i];
        if (last && last->end == span->begin && last->output + last->output_len == span->output &&
            (last->kind == SPAN_MARK) == (span->kind == SPAN_MARK) && *span->output != '<') {
            last->kind = last->kind == SPAN_MARK ? SPAN_MARK : SPAN_WORD;
            last->end = span->end;
            last->output_len += span->output_len;
            continue;
        }
        list->spans[count++] = *span;
    }
    list->count = count;
}

/* Fills cutter->spans. */
static int find_spans(struct cutter *cutter, size_t begin, size_t end, struct err *err)
{
    const struct passage *passage = cutter->passage;
    int rc = find_unknown(cutter, begin, end, err);
    if (rc == 0)
        rc =
            span_find(passage->text + begin, end - begin, cutter->unknown,
                      cutter->source.unknown_count, passage->options.glossary, &cutter->spans, err);
    if (rc < 0)
        return rc;
    for (size_t i = 0; i < cutter->spans.count; i++) {
        cutter->spans.spans[i].begin += begin;
        cutter->spans.spans[i].end += begin;
    }
    for (size_t i = 0; i < cutter->source.unknown_count; i++) {
        cutter->unknown[i].begin += begin;
        cutter->unknown[i].end += begin;
    }
    cutter->source.unknown = cutter->unknown;
    merge_spans(&cutter->spans);
    return 0;
}

/* Whether the tag that begins at `open` is closed by one of the marks after it. */
static bool is_closed(const char *text, const struct span *spans, size_t count)
{
    const char *open = text + spans->begin;
    const size_t len = strcspn(open + 1, " \t\r\n/>");
    if (*open != '<' || open[1] == '/')
        return false;
    for (size_t i = 1; i < count; i++) {
        const char *close = text + spans[i].begin;
        if (spans[i].kind == SPAN_MARK && close[0] == '<' && close[1] == '/' &&
            strncmp(close + 2, open + 1, len) == 0)
            return true;
    }
    return false;
}

/* How many marks the sentence begins with that are none of the rest's business. */
static size_t leading_marks(const struct passage *passage, size_t begin, const struct span *spans,
                            size_t count)
{
    size_t i = 0;
    while (i < count && spans[i].kind == SPAN_MARK && spans[i].begin == begin &&
           !is_closed(passage->text, spans + i, count - i)) {
        begin = character_skip_spaces(passage->text, passage->len, spans[i].end);
        i++;
    }
    return i;
}

/* The same for its end: no closing tags, whose opening ones are inside. */
static size_t trailing_marks(const struct passage *passage, size_t end, const struct span *spans,
                             size_t count)
{
    size_t marks = 0;
    while (marks < count) {
        const struct span *last = &spans[count - 1 - marks];
        const char *text = passage->text + last->begin;
        if (last->kind != SPAN_MARK || last->end != end || (text[0] == '<' && text[1] == '/'))
            break;
        end = trim(passage->text, 0, last->begin);
        marks++;
    }
    return marks;
}

static int add_sentence(struct cutter *cutter, size_t begin, size_t end, struct err *err)
{
    struct passage *passage = cutter->passage;
    int rc = find_spans(cutter, begin, end, err);
    if (rc < 0)
        return rc;
    const struct span *spans = cutter->spans.spans;
    const size_t count = cutter->spans.count;
    if (!has_words(passage->text, begin, end, spans, count))
        return copy(passage, begin, end, spans, count, err);
    const size_t before = leading_marks(passage, begin, spans, count);
    const size_t after = trailing_marks(passage, end, spans + before, count - before);
    size_t first = begin, last = end;
    if (before > 0)
        first = character_skip_spaces(passage->text, end, spans[before - 1].end);
    if (after > 0)
        last = trim(passage->text, first, spans[count - after].begin);
    rc = copy(passage, begin, first, spans, before, err);
    if (rc == 0)
        rc = add_parts(cutter, first, last, spans + before, count - before - after, err);
    return rc < 0 ? rc : copy(passage, last, end, spans + count - after, after, err);
}

static bool next_sentence(const struct passage *passage, size_t *offset, struct sentence *sentence)
{
    if (!passage->options.whole)
        return sentence_next(passage->text, passage->len,
                             sentence_rules_of(passage->options.language), offset, sentence);
    sentence->begin = character_skip_spaces(passage->text, passage->len, *offset);
    sentence->end = *offset = trim(passage->text, sentence->begin, passage->len);
    return sentence->end > sentence->begin;
}

static int cut(struct cutter *cutter, struct err *err)
{
    struct passage *passage = cutter->passage;
    struct sentence sentence;
    size_t at = 0;
    int rc = utf8_check(passage->text, passage->len, err);
    for (size_t offset = 0; rc == 0 && next_sentence(passage, &offset, &sentence);) {
        rc = copy(passage, at, sentence.begin, NULL, 0, err);
        if (rc == 0)
            rc = add_sentence(cutter, sentence.begin, sentence.end, err);
        at = sentence.end;
    }
    return rc < 0 ? rc : copy(passage, at, passage->len, NULL, 0, err);
}

int passage_new(struct passage **passage, const struct tokenizer *tokenizer, const char *text,
                size_t len, const struct passage_options *options, struct err *err)
{
    struct passage *made = mem_alloc(1, sizeof *made, err);
    *passage = NULL;
    if (!made)
        return ERR_MEMORY;
    arena_init(&made->arena, ARENA_BLOCK);
    made->tokenizer = tokenizer;
    made->options = *options;
    made->text = text;
    made->len = len;
    struct cutter cutter = {.passage = made};
    int rc = cut(&cutter, err);
    source_release(&cutter.source);
    span_list_release(&cutter.spans);
    mem_free(cutter.unknown);
    if (rc < 0)
        passage_free(made);
    else
        *passage = made;
    return rc;
}

void passage_free(struct passage *passage)
{
    if (!passage)
        return;
    for (size_t i = 0; i < passage->unit_count; i++)
        decode_result_free(passage->units[i]->unit.result);
    mem_free(passage->pieces);
    mem_free(passage->units);
    mem_free(passage->spans);
    mem_free(passage->cuts);
    arena_release(&passage->arena);
    mem_free(passage);
}

size_t passage_unit_count(const struct passage *passage)
{
    return passage->unit_count;
}

struct passage_unit *passage_unit(struct passage *passage, size_t index)
{
    return &passage->units[index]->unit;
}
