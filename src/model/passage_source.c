/*
 * What the decoder reads of a sentence: its text with stand-ins for spans, without marks, and with
 * one space for a run of white space. A list of segments remembers what came from where.
 *
 * The names are first names and places that European languages spell alike, the numbers such as
 * take the plural and are written in digits; which of them a model copies best was measured on
 * models trained on Tatoeba. A number that is a token of its own stands for itself: it is frequent,
 * and the words around it depend on it ("1 book"). So does a year ("in 1987").
 */
#include <string.h>

#include "model/passage_parts.h"
#include "text/character.h"

static const char *const names[] = {"Tom",   "Tokyo",  "John",    "Kyoto",
                                    "Paris", "Boston", "Jackson", "Mary"};
static const char *const small_names[] = {"tom",   "tokyo",  "john",    "kyoto",
                                          "paris", "boston", "jackson", "mary"};
static const char *const numbers[] = {"50", "100", "25", "45", "20", "30", "1987", "555"};

#define NAMES (sizeof names / sizeof names[0])
#define NUMBERS (sizeof numbers / sizeof numbers[0])

struct builder {
    struct passage *passage;
    struct source *source;
    struct unit *unit;
    size_t name, number;           /* the first that may be free */
    size_t space_begin, space_end; /* white space that is to be written; empty: none */
    bool forced;                   /* a space although the text has none */
};

static int add_segment(struct source *source, const char *text, size_t len,
                       const struct segment *segment, struct err *err)
{
    if (source->segment_count == source->segment_capacity) {
        size_t capacity = source->segment_capacity ? 2 * source->segment_capacity : 16;
        struct segment *segments =
            mem_resize(source->segments, source->segment_capacity, capacity, sizeof *segments, err);
        if (!segments)
            return ERR_MEMORY;
        source->segments = segments;
        source->segment_capacity = capacity;
    }
    source->segments[source->segment_count] = *segment;
    source->segments[source->segment_count++].source = source->text.len;
    return buf_append(&source->text, text, len, err);
}

static bool is_unknown(const struct source *source, size_t begin)
{
    for (size_t i = 0; i < source->unknown_count && source->unknown[i].begin <= begin; i++)
        if (source->unknown[i].end > begin)
            return true;
    return false;
}

/* The white space before what is written next: as it is where it is one character that the
   vocabulary knows. Nothing at the beginning. */
static int flush_space(struct builder *builder, struct err *err)
{
    const size_t begin = builder->space_begin, end = builder->space_end;
    const bool forced = builder->forced;
    const char *text = builder->passage->text;
    size_t size = 0;
    builder->space_begin = builder->space_end = 0;
    builder->forced = false;
    if ((begin == end && !forced) || builder->source->text.len == 0)
        return 0;
    character_at(text, end, begin, &size);
    if (begin + size == end && text[begin] != '\t' && !is_unknown(builder->source, begin))
        return add_segment(builder->source, text + begin, size,
                           &(struct segment){.begin = begin, .end = end, .exact = true}, err);
    return add_segment(builder->source, " ", 1, &(struct segment){.begin = begin, .end = end}, err);
}

static void note_space(struct builder *builder, size_t begin, size_t end)
{
    if (builder->space_begin == builder->space_end)
        builder->space_begin = begin;
    builder->space_end = end;
}

/* The text between spans. */
static int add_literal(struct builder *builder, size_t begin, size_t end, struct err *err)
{
    const char *text = builder->passage->text;
    int rc = 0;
    for (size_t i = begin; i < end && rc == 0;) {
        size_t space = character_skip_spaces(text, end, i), stop = space, size;
        if (space > i)
            note_space(builder, i, space);
        while (stop < end && !character_is_space(character_at(text, end, stop, &size)))
            stop += size;
        if (stop > space)
            rc = flush_space(builder, err);
        if (rc == 0 && stop > space)
            rc = add_segment(builder->source, text + space, stop - space,
                             &(struct segment){.begin = space, .end = stop, .exact = true}, err);
        i = stop;
    }
    return rc;
}

static bool contains(const char *text, size_t len, const char *part, size_t size)
{
    for (size_t i = 0; i + size <= len; i++)
        if (memcmp(text + i, part, size) == 0)
            return true;
    return false;
}

/* The next one of the list that the text does not hold itself, or NULL. */
static const char *next_free(const struct builder *builder, const char *const *list, size_t count,
                             size_t *next)
{
    const struct unit *unit = builder->unit;
    while (*next < count) {
        const char *text = list[(*next)++];
        if (!contains(builder->passage->text + unit->begin, unit->end - unit->begin, text,
                      strlen(text)))
            return text;
    }
    return NULL;
}

static bool is_digits(const char *text, size_t len)
{
    size_t i = 0;
    while (i < len && text[i] >= '0' && text[i] <= '9')
        i++;
    return i == len;
}

static bool is_year(const char *text, size_t len)
{
    return len == 4 && (*text == '1' || (text[0] == '2' && text[1] == '0'));
}

/* Whether the span is a number of digits alone that is one token or a year. */
static int stands_for_itself(struct builder *builder, const struct span *span, bool *itself,
                             struct err *err)
{
    const char *text = builder->passage->text + span->begin;
    const struct tokenizer *tokenizer = builder->passage->tokenizer;
    struct encoded *encoded = &builder->source->encoded;
    *itself = false;
    if (span->kind != SPAN_NUMBER || span->output != text || !is_digits(text, span->output_len))
        return 0;
    if (is_year(text, span->output_len)) {
        *itself = true;
        return 0;
    }
    int rc = tokenizer_encode(tokenizer, text, span->output_len, encoded, err);
    *itself = rc == 0 && encoded->count == 1 && tokenizer_covers(tokenizer, encoded->tokens[0].id);
    return rc;
}

/* stand_in->text stays NULL where all are taken. */
static int choose(struct builder *builder, struct stand_in *stand_in, struct err *err)
{
    const struct span *span = &stand_in->span;
    const bool fold = tokenizer_spec(builder->passage->tokenizer)->fold;
    bool itself;
    int rc = stands_for_itself(builder, span, &itself, err);
    if (itself)
        stand_in->text = span->output;
    else if (span->kind == SPAN_NUMBER)
        stand_in->text = next_free(builder, numbers, NUMBERS, &builder->number);
    else
        stand_in->text = next_free(builder, fold ? small_names : names, NAMES, &builder->name);
    stand_in->len = itself ? span->output_len : stand_in->text ? strlen(stand_in->text) : 0;
    return rc;
}

static bool ends_with_word(const struct buf *text)
{
    size_t size;
    uint32_t code = text->len ? character_before(text->data, 0, text->len, &size) : ' ';
    return character_is_letter(code) || character_is_digit(code);
}

/* *taken: whether there was a stand-in. */
static int add_stand_in(struct builder *builder, const struct span *span, bool *taken,
                        struct err *err)
{
    struct unit *unit = builder->unit;
    struct stand_in *stand_in = &unit->stand_ins[unit->stand_in_count];
    *stand_in = (struct stand_in){.span = *span};
    int rc = choose(builder, stand_in, err);
    *taken = stand_in->text != NULL;
    if (rc < 0 || !*taken)
        return rc;
    if (ends_with_word(&builder->source->text))
        builder->forced = true;
    rc = flush_space(builder, err);
    stand_in->source = builder->source->text.len;
    unit->stand_in_count++;
    return rc < 0 ? rc
                  : add_segment(builder->source, stand_in->text, stand_in->len,
                                &(struct segment){.begin = span->begin, .end = span->end}, err);
}

/* Taken out, with a space in its place where none is around it. */
static void add_mark(struct builder *builder, const struct span *span)
{
    struct unit *unit = builder->unit;
    const char *text = builder->passage->text;
    size_t size;
    struct mark *mark = &unit->marks[unit->mark_count++];
    *mark =
        (struct mark){.span = *span, .source = builder->source->text.len, .partner = PASSAGE_NONE};
    if (span->begin > unit->begin)
        mark->space_before =
            character_is_space(character_before(text, unit->begin, span->begin, &size));
    if (span->end < unit->end)
        mark->space_after = character_is_space(character_at(text, unit->end, span->end, &size));
    mark->opens = text[span->begin] == '<' && span->end - span->begin > 2 &&
                  text[span->begin + 1] != '/' && text[span->end - 2] != '/';
    builder->forced = true;
}

/* The length of a tag's name, which begins at `name`. */
static size_t name_length(const char *name)
{
    return strcspn(name, " \t\r\n/>");
}

/* Tags find their partners as brackets do: a closing tag the last one of its name that is open. */
static void pair_tags(const char *text, struct unit *unit)
{
    for (size_t i = 0; i < unit->mark_count; i++) {
        const char *close = text + unit->marks[i].span.begin;
        if (close[0] != '<' || close[1] != '/')
            continue;
        for (size_t j = i; j-- > 0;) {
            const char *open = text + unit->marks[j].span.begin;
            const size_t len = name_length(close + 2);
            if (unit->marks[j].opens && unit->marks[j].partner == PASSAGE_NONE &&
                name_length(open + 1) == len && memcmp(open + 1, close + 2, len) == 0) {
                unit->marks[i].partner = j;
                unit->marks[j].partner = i;
                break;
            }
        }
    }
    for (size_t i = 0; i < unit->mark_count; i++) /* one without a partner encloses nothing */
        unit->marks[i].opens = unit->marks[i].opens && unit->marks[i].partner != PASSAGE_NONE;
}

static int build(struct builder *builder, const struct span *spans, size_t count, size_t *excess,
                 struct err *err)
{
    size_t at = builder->unit->begin;
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; at = spans[i++].end) {
        bool taken = true;
        rc = add_literal(builder, at, spans[i].begin, err);
        if (rc == 0 && spans[i].kind == SPAN_MARK)
            add_mark(builder, &spans[i]);
        else if (rc == 0)
            rc = add_stand_in(builder, &spans[i], &taken, err);
        if (!taken) {
            *excess = i;
            return 0;
        }
    }
    return rc < 0 ? rc : add_literal(builder, at, builder->unit->end, err);
}

int source_build(struct passage *passage, struct source *source, struct unit *unit,
                 const struct span *spans, size_t count, size_t *excess, struct err *err)
{
    struct builder builder = {.passage = passage, .source = source, .unit = unit};
    *excess = PASSAGE_NONE;
    source->segment_count = 0;
    unit->stand_in_count = unit->mark_count = 0;
    buf_clear(&source->text);
    unit->stand_ins = arena_alloc(&passage->arena, count, sizeof *unit->stand_ins, err);
    unit->marks = arena_alloc(&passage->arena, count, sizeof *unit->marks, err);
    if (!unit->stand_ins || !unit->marks)
        return ERR_MEMORY;
    int rc = build(&builder, spans, count, excess, err);
    if (rc < 0 || *excess != PASSAGE_NONE)
        return rc;
    if (unit->pause > 0) /* sentences end so; what ends in a comma, models go on with */
        rc = add_segment(source, ".", 1, &(struct segment){.begin = unit->end, .end = unit->pause},
                         err);
    if (rc < 0)
        return rc;
    pair_tags(passage->text, unit);
    return tokenizer_encode(passage->tokenizer, source->text.data ? source->text.data : "",
                            source->text.len, &source->encoded, err);
}

/* The segment that holds byte `at` of the source. */
static const struct segment *find_segment(const struct source *source, size_t at)
{
    size_t low = 0, high = source->segment_count;
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (source->segments[middle].source <= at)
            low = middle;
        else
            high = middle;
    }
    return &source->segments[low];
}

static struct span_range origin_of(const struct source *source, const struct token *token)
{
    const struct segment *first = find_segment(source, token->raw_begin);
    const struct segment *last = find_segment(
        source, token->raw_end > token->raw_begin ? token->raw_end - 1 : token->raw_begin);
    return (struct span_range){
        .begin = first->begin + (first->exact ? token->raw_begin - first->source : 0),
        .end = last->exact ? last->begin + (token->raw_end - last->source) : last->end,
    };
}

size_t source_origin(const struct source *source, size_t token)
{
    return origin_of(source, &source->encoded.tokens[token]).begin;
}

/* How many tokens begin before byte `at` of the source. */
static size_t tokens_before(const struct encoded *encoded, size_t at)
{
    size_t count = 0;
    while (count < encoded->count && encoded->tokens[count].raw_begin < at)
        count++;
    return count;
}

static size_t token_at(const struct encoded *encoded, size_t at)
{
    size_t i = 0;
    while (i < encoded->count && encoded->tokens[i].raw_end <= at)
        i++;
    return i;
}

int source_keep(struct passage *passage, struct source *source, struct unit *unit, struct err *err)
{
    const struct encoded *encoded = &source->encoded;
    int32_t *ids = arena_alloc(&passage->arena, encoded->count, sizeof *ids, err);
    unit->origins = arena_alloc(&passage->arena, encoded->count, sizeof *unit->origins, err);
    if (!ids || !unit->origins)
        return ERR_MEMORY;
    for (size_t i = 0; i < encoded->count; i++) {
        ids[i] = encoded->tokens[i].id;
        unit->origins[i] = origin_of(source, &encoded->tokens[i]);
    }
    for (size_t i = 0; i < unit->stand_in_count; i++) {
        struct stand_in *stand_in = &unit->stand_ins[i];
        stand_in->first = token_at(encoded, stand_in->source);
        stand_in->last = tokens_before(encoded, stand_in->source + stand_in->len);
    }
    for (size_t i = 0; i < unit->mark_count; i++)
        unit->marks[i].token = tokens_before(encoded, unit->marks[i].source);
    unit->unit.ids = ids;
    unit->unit.count = encoded->count;
    return 0;
}

void source_release(struct source *source)
{
    buf_release(&source->text);
    mem_free(source->segments);
    encoded_release(&source->encoded);
    *source = (struct source){.segments = NULL};
}
