/*
 * Normalisation on top of utf8proc's tables: decompose and reorder, fold, decompose and reorder
 * again, compose (Unicode, definitions D117, D118, D145 and D146). Folding works on decomposed
 * text, so that canonically equivalent texts fold to the same.
 *
 * ASCII and characters that map to themselves are copied without touching that machinery. Marks are
 * put into canonical order by counting, so that a text of nothing but marks costs linear time.
 */
#include "text/norm.h"

#include <string.h>
#include <utf8proc.h>
#include "base/mem.h"
#include "text/utf8.h"

#define MAX_DECOMPOSITION 32 /* code points from one; 18 is Unicode's longest (U+FDFA) */
#define INLINE_CODES 128

struct normaliser {
    utf8proc_option_t decompose; /* without folding */
    bool fold;
    const char *raw;
    size_t raw_len;
    struct buf *out;
    size_t base; /* out->len at the start */
    struct norm_map *map;
    int32_t *codes, *spare; /* scratch: inline arrays until a segment outgrows them */
    size_t capacity;
    int32_t inline_codes[INLINE_CODES], inline_spare[INLINE_CODES];
};

/* A raw character and what normalisation would do to it. */
struct character {
    uint32_t code;
    size_t length;
    bool boundary; /* no earlier character can combine with it */
    bool plain;    /* normalises to itself where nothing follows that combines with it */
};

static utf8proc_option_t decompose_options(enum norm_form form)
{
    return form == NORM_NFKC ? UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT : UTF8PROC_DECOMPOSE;
}

static bool combines(int32_t code)
{
    const utf8proc_property_t *property;

    if (code < 0x300)
        return false;
    if (code >= 0x1160 && code <= 0x11FF) /* Hangul vowels and final consonants */
        return true;
    if (code >= 0x16D63 && code <= 0x16D6A) /* Kirat Rai vowel signs are letters that compose */
        return true;
    property = utf8proc_get_property(code);
    return property->combining_class != 0 || property->category == UTF8PROC_CATEGORY_MN ||
           property->category == UTF8PROC_CATEGORY_MC || property->category == UTF8PROC_CATEGORY_ME;
}

static size_t decompose_char(int32_t code, int32_t out[MAX_DECOMPOSITION],
                             utf8proc_option_t options)
{
    int boundary_class = 0;
    utf8proc_ssize_t n =
        utf8proc_decompose_char(code, out, MAX_DECOMPOSITION, options, &boundary_class);

    if (n >= 1 && n <= MAX_DECOMPOSITION)
        return (size_t)n;
    out[0] = code;
    return 1;
}

static bool boundary_before(utf8proc_option_t options, bool fold, int32_t code, bool *plain)
{
    int32_t codes[MAX_DECOMPOSITION];
    size_t n = decompose_char(code, codes, options);
    int32_t first = codes[0];

    *plain = n == 1 && first == code;
    if (combines(code) || combines(first))
        return false;
    if (fold) {
        n = decompose_char(first, codes, options | UTF8PROC_CASEFOLD);
        *plain = *plain && n == 1 && codes[0] == code;
        return !combines(codes[0]);
    }
    return true;
}

bool norm_boundary_before(enum norm_form form, bool fold, uint32_t code)
{
    bool plain;

    return boundary_before(decompose_options(form), fold, (int32_t)code, &plain);
}

/* Reads the character at raw offset `at`; length 0 at the end of the text or of its valid part. */
static struct character character_at(const struct normaliser *norm, size_t at)
{
    struct character c = {0, 0, true, true};

    c.length = utf8_decode(norm->raw + at, norm->raw_len - at, &c.code);
    if (c.length > 1)
        c.boundary = boundary_before(norm->decompose, norm->fold, (int32_t)c.code, &c.plain);
    return c;
}

static struct norm_span *map_spans(struct norm_map *map)
{
    return map->spans != NULL ? map->spans : map->few;
}

static int map_grow(struct norm_map *map, struct err *err)
{
    size_t capacity = map->spans == NULL ? 4 * NORM_INLINE_SPANS : map->capacity * 3 / 2;
    struct norm_span *spans = mem_resize(map->spans, map->capacity, capacity, sizeof(*spans), err);

    if (spans == NULL)
        return ERR_MEMORY;
    if (map->spans == NULL)
        memcpy(spans, map->few, sizeof(map->few));
    map->spans = spans;
    map->capacity = capacity;
    return 0;
}

/* Notes that what is appended next to the result comes from raw offset `raw` on. */
static int map_add(struct normaliser *norm, size_t raw, bool exact, struct err *err)
{
    struct norm_map *map = norm->map;
    size_t limit;

    if (map == NULL || (exact && map->count > 0 && map_spans(map)[map->count - 1].exact))
        return 0;
    limit = map->spans == NULL ? NORM_INLINE_SPANS : map->capacity;
    if (map->count == limit && map_grow(map, err) != 0)
        return ERR_MEMORY;
    map_spans(map)[map->count++] = (struct norm_span){
        .text = (uint32_t)(norm->out->len - norm->base),
        .raw = (uint32_t)raw & 0x7FFFFFFFu,
        .exact = exact,
    };
    return 0;
}

static int reserve_codes(struct normaliser *norm, size_t count, struct err *err)
{
    bool inlined = norm->codes == norm->inline_codes;
    size_t capacity = norm->capacity * 3 / 2;
    int32_t *grown;

    if (count <= norm->capacity)
        return 0;
    capacity = capacity < count ? count : capacity;
    grown = mem_resize(inlined ? NULL : norm->codes, inlined ? 0 : norm->capacity, capacity,
                       sizeof(*grown), err);
    if (grown == NULL)
        return ERR_MEMORY;
    if (inlined) {
        memcpy(grown, norm->codes, norm->capacity * sizeof(*grown));
        norm->spare = NULL;
    }
    norm->codes = grown;
    mem_free(norm->spare);
    norm->spare = mem_alloc(capacity, sizeof(*norm->spare), err);
    norm->capacity = norm->spare != NULL ? capacity : 0;
    return norm->spare != NULL ? 0 : ERR_MEMORY;
}

static void release_codes(struct normaliser *norm)
{
    if (norm->codes == norm->inline_codes)
        return;
    mem_free(norm->codes);
    mem_free(norm->spare);
}

/* Sorts one run of marks by combining class, stably. */
static void sort_marks(int32_t *codes, int32_t *spare, size_t count)
{
    size_t start[257] = {0};

    for (size_t i = 0; i < count; i++)
        start[(size_t)(utf8proc_get_property(codes[i])->combining_class & 0xFF) + 1]++;
    for (size_t i = 1; i < 257; i++)
        start[i] += start[i - 1];
    for (size_t i = 0; i < count; i++)
        spare[start[utf8proc_get_property(codes[i])->combining_class & 0xFF]++] = codes[i];
    memcpy(codes, spare, count * sizeof(*codes));
}

static void reorder_marks(int32_t *codes, int32_t *spare, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t begin = i;
        bool sorted = true;
        int previous = 0;

        for (; i < count; i++) {
            int order = utf8proc_get_property(codes[i])->combining_class;

            if (order == 0)
                break;
            sorted = sorted && order >= previous;
            previous = order;
        }
        if (!sorted)
            sort_marks(codes + begin, spare, i - begin);
    }
}

/* Folds codes[0..count) and decomposes the outcome; returns the new count through *count. */
static int fold_codes(struct normaliser *norm, size_t *count, struct err *err)
{
    size_t old = *count, n = 0;
    int32_t *source;

    if (reserve_codes(norm, 2 * old + MAX_DECOMPOSITION, err) != 0)
        return ERR_MEMORY;
    source = norm->spare;
    memcpy(source, norm->codes, old * sizeof(*source));
    for (size_t i = 0; i < old; i++) {
        int32_t codes[MAX_DECOMPOSITION];
        size_t k = decompose_char(source[i], codes, norm->decompose | UTF8PROC_CASEFOLD);

        if (n + k + (old - i) > norm->capacity)
            return err_set(err, ERR_INTERNAL, "case folding grew beyond twice the text");
        memcpy(norm->codes + n, codes, k * sizeof(*codes));
        n += k;
    }
    *count = n;
    return 0;
}

static int append_codes(struct normaliser *norm, size_t count, struct err *err)
{
    int rc = buf_reserve(norm->out, 4 * count, err);

    for (size_t i = 0; i < count && rc == 0; i++) {
        char bytes[4];
        size_t n = utf8_encode((uint32_t)norm->codes[i], bytes);

        rc = buf_append(norm->out, bytes, n, err);
    }
    return rc;
}

/* Decomposes raw bytes [begin, end) into norm->codes. */
static int decompose_raw(struct normaliser *norm, size_t begin, size_t end, size_t *count,
                         struct err *err)
{
    size_t n = 0;

    while (begin < end) {
        uint32_t code = 0;

        begin += utf8_decode(norm->raw + begin, end - begin, &code);
        if (reserve_codes(norm, n + MAX_DECOMPOSITION, err) != 0)
            return ERR_MEMORY;
        n += decompose_char((int32_t)code, norm->codes + n, norm->decompose);
    }
    *count = n;
    return 0;
}

/* Normalises raw bytes [begin, end), which are characters that may affect one another. */
static int normalise_segment(struct normaliser *norm, size_t begin, size_t end, struct err *err)
{
    size_t count = 0, written;
    utf8proc_ssize_t composed;
    int rc = decompose_raw(norm, begin, end, &count, err);

    if (rc != 0)
        return rc;
    reorder_marks(norm->codes, norm->spare, count);
    if (norm->fold) {
        rc = fold_codes(norm, &count, err);
        if (rc != 0)
            return rc;
        reorder_marks(norm->codes, norm->spare, count);
    }
    composed = utf8proc_normalize_utf32(norm->codes, (utf8proc_ssize_t)count,
                                        UTF8PROC_COMPOSE | UTF8PROC_STABLE);
    if (composed < 0)
        return err_set(err, ERR_INTERNAL, "normalisation: %s", utf8proc_errmsg(composed));
    written = norm->out->len;
    rc = append_codes(norm, (size_t)composed, err);
    if (rc != 0)
        return rc;
    /* The span is added afterwards, when it is known whether anything changed. */
    count = norm->out->len - written;
    norm->out->len = written;
    rc = map_add(norm, begin,
                 count == end - begin &&
                     memcmp(norm->out->data + written, norm->raw + begin, count) == 0,
                 err);
    norm->out->len = written + count;
    return rc;
}

static int copy_plain(struct normaliser *norm, size_t begin, size_t end, struct err *err)
{
    size_t written = norm->out->len;
    int rc = map_add(norm, begin, true, err);

    if (rc == 0)
        rc = buf_append(norm->out, norm->raw + begin, end - begin, err);
    if (rc != 0 || !norm->fold)
        return rc;
    for (size_t i = written; i < norm->out->len; i++) {
        char c = norm->out->data[i];

        if (c >= 'A' && c <= 'Z')
            norm->out->data[i] = (char)(c - 'A' + 'a');
    }
    return 0;
}

/* Skips ASCII characters that ASCII follows: nothing can combine with them. */
static size_t skip_ascii(const struct normaliser *norm, size_t at)
{
    while (at + 1 < norm->raw_len && ((norm->raw[at] | norm->raw[at + 1]) & 0x80) == 0)
        at++;
    return at;
}

static int normalise(struct normaliser *norm, struct err *err)
{
    size_t begin = 0, at = skip_ascii(norm, 0); /* plain text [begin, at) waits to be copied */
    struct character c = character_at(norm, at);
    int rc = 0;

    while (c.length > 0 && rc == 0) {
        size_t end = at + c.length;
        struct character next = character_at(norm, end);
        bool simple = c.plain && c.boundary;

        if (simple && (next.boundary || next.length == 0)) {
            at = skip_ascii(norm, end);
            c = at == end ? next : character_at(norm, at);
            continue;
        }
        while (next.length > 0 && !next.boundary) {
            end += next.length;
            next = character_at(norm, end);
        }
        if (begin < at)
            rc = copy_plain(norm, begin, at, err);
        if (rc == 0)
            rc = normalise_segment(norm, at, end, err);
        if (rc == 0 && norm->out->len - norm->base > NORM_MAX_BYTES)
            rc = err_set(err, ERR_LIMIT, "normalised text is longer than %u bytes", NORM_MAX_BYTES);
        begin = at = end;
        c = next;
    }
    if (rc == 0 && begin < at)
        rc = copy_plain(norm, begin, at, err);
    return rc;
}

int norm_text(enum norm_form form, bool fold, const char *text, size_t len, struct buf *out,
              struct norm_map *map, struct err *err)
{
    struct normaliser norm;
    int rc = utf8_check(text, len, err);

    if (rc != 0)
        return rc;
    if (len > NORM_MAX_BYTES)
        return err_set(err, ERR_LIMIT, "text is longer than %u bytes", NORM_MAX_BYTES);
    norm.decompose = decompose_options(form);
    norm.fold = fold;
    norm.raw = text;
    norm.raw_len = len;
    norm.out = out;
    norm.base = out->len;
    norm.map = map;
    norm.codes = norm.inline_codes;
    norm.spare = norm.inline_spare;
    norm.capacity = INLINE_CODES;
    if (map != NULL)
        map->count = 0;
    rc = buf_reserve(out, len, err);
    if (rc == 0)
        rc = normalise(&norm, err);
    release_codes(&norm);
    if (map != NULL) {
        map->raw_len = (uint32_t)len;
        map->text_len = (uint32_t)(out->len - norm.base);
    }
    return rc;
}

void norm_map_release(struct norm_map *map)
{
    mem_free(map->spans);
    map->spans = NULL;
    map->count = map->capacity = 0;
}

void norm_cursor_init(struct norm_cursor *cursor, const struct norm_map *map, const char *raw)
{
    *cursor = (struct norm_cursor){.map = map, .raw = raw};
}

static const struct norm_span *spans_of(const struct norm_map *map)
{
    return map->spans != NULL ? map->spans : map->few;
}

/* The span that holds byte `at` of the result, searched from span `from` on. */
static size_t span_find(const struct norm_map *map, size_t from, uint32_t at)
{
    const struct norm_span *spans = spans_of(map);

    while (from + 1 < map->count && spans[from + 1].text <= at)
        from++;
    return from;
}

static bool inside_character(const struct norm_cursor *cursor, uint32_t raw)
{
    return raw < cursor->map->raw_len && ((unsigned char)cursor->raw[raw] & 0xC0) == 0x80;
}

static uint32_t raw_begin_of(const struct norm_cursor *cursor, size_t span, uint32_t at)
{
    const struct norm_span *spans = spans_of(cursor->map);
    uint32_t raw = spans[span].raw;

    if (!spans[span].exact)
        return raw;
    raw += at - spans[span].text;
    while (inside_character(cursor, raw))
        raw--;
    return raw;
}

static uint32_t raw_end_of(const struct norm_cursor *cursor, size_t span, uint32_t end)
{
    const struct norm_span *spans = spans_of(cursor->map);
    uint32_t raw;

    if (!spans[span].exact)
        return span + 1 < cursor->map->count ? spans[span + 1].raw : cursor->map->raw_len;
    raw = spans[span].raw + (end - spans[span].text);
    while (inside_character(cursor, raw))
        raw++;
    return raw;
}

void norm_cursor_range(struct norm_cursor *cursor, uint32_t begin, uint32_t end,
                       uint32_t *raw_begin, uint32_t *raw_end)
{
    if (cursor->map->count == 0) {
        *raw_begin = *raw_end = 0;
        return;
    }
    cursor->first = span_find(cursor->map, cursor->first, begin);
    *raw_begin = raw_begin_of(cursor, cursor->first, begin);
    if (end <= begin) { /* nothing: the added space */
        *raw_end = *raw_begin;
        return;
    }
    cursor->last = span_find(cursor->map, cursor->last, end - 1);
    *raw_end = raw_end_of(cursor, cursor->last, end);
}
