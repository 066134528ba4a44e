/* Each property is one pass over the characters; `struct reader` is where it is. */
#include "text/property.h"

#include <string.h>
#include <utf8proc.h>

#include "text/utf8.h"

#define MAX_OPEN 64    /* brackets; deeper ones are not told apart */
#define MAX_QUOTE 2048 /* bytes; a quote that is longer is none */

const struct property_facts properties[PROPERTY_COUNT] = {
    [PROPERTY_QUOTES] = {"inside quotes", "between quotation marks of any kind", false, false},
    [PROPERTY_POSITION] = {"position in the line", "characters since the line began", true, false},
    [PROPERTY_BRACKETS] = {"inside brackets", "between ( ) or [ ]", false, false},
    [PROPERTY_IF] = {"after if", "in the condition that follows the word if", false, false},
    [PROPERTY_COMMENT] = {"in a comment", "of a programming language", false, false},
    [PROPERTY_DEPTH] = {"depth", "brackets that are open: ( [ {", true, false},
    [PROPERTY_INDENT] = {"indentation", "columns before the line's first character", true, false},
    [PROPERTY_LINE_END] = {"line end soon", "at most 8 characters of the line are left", false,
                           false},
    [PROPERTY_WORD] = {"word start", "the first character of a word", false, true},
    [PROPERTY_UPPER] = {"upper case", "a capital letter", false, true},
};

struct reader {
    const char *text;
    size_t len, at, next;  /* the character is text[at] .. text[next - 1] */
    uint32_t code, before; /* the character, and the one before it, 0 at the beginning */
};

static bool advance(struct reader *reader)
{
    reader->at = reader->next;
    reader->before = reader->code;
    if (reader->at >= reader->len)
        return false;
    const size_t size =
        utf8_decode(reader->text + reader->at, reader->len - reader->at, &reader->code);
    reader->next = reader->at + (size ? size : 1);
    return true;
}

/* Whether the text goes on like this at byte `at`. */
static bool stands(const struct reader *reader, size_t at, const char *what)
{
    const size_t len = strlen(what);
    return at <= reader->len && reader->len - at >= len &&
           memcmp(reader->text + at, what, len) == 0;
}

static void put(const struct reader *reader, int16_t value, int16_t *values)
{
    for (size_t i = reader->at; i < reader->next; i++)
        values[i] = value;
}

static int16_t limited(size_t value)
{
    return value < INT16_MAX ? (int16_t)value : INT16_MAX;
}

static bool is_word(uint32_t code)
{
    const utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)code);
    return (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO) || code == '_';
}

static bool is_space(uint32_t code)
{
    return code == 0 || code == ' ' || code == '\t' || code == '\n' || code == '\r';
}

/* A line feed after one that nothing but blanks separates it from. */
static bool ends_paragraph(const struct reader *reader)
{
    size_t at = reader->at;
    if (reader->code != '\n')
        return false;
    while (at > 0 && strchr(" \t\r", reader->text[at - 1]))
        at--;
    return at == 0 || reader->text[at - 1] == '\n';
}

/*
 * Quotes
 */

/* The mark that closes what `code` opens, 0 where it opens nothing. */
static uint32_t closing_mark(const struct reader *reader)
{
    switch (reader->code) {
    case '"':
        return '"';
    case '\'':
        return is_word(reader->before) ? 0 : '\'';
    case 0x201C: /* curly, double: English */
    case 0x201E: /* German */
        return reader->code == 0x201C ? 0x201D : 0x201C;
    case 0x2018: /* curly, single */
        return is_word(reader->before) ? 0 : 0x2019;
    case 0xAB: /* pointed */
        return 0xBB;
    }
    return 0;
}

/* A single mark closes nothing where it may be an apostrophe. */
static bool closes(const struct reader *reader, size_t opened)
{
    static const char marks[] = ".,;:!?-";
    uint32_t after = 0;
    if (reader->code == '"')
        return reader->before != '\\';
    if (reader->code != '\'' && reader->code != 0x2019)
        return true;
    if (reader->next < reader->len)
        utf8_decode(reader->text + reader->next, reader->len - reader->next, &after);
    if (is_word(after))
        return false;
    const struct reader first = {.text = reader->text, .len = reader->len, .next = opened};
    struct reader one = first;
    advance(&one);
    if (one.code == '\\')
        advance(&one);
    return one.next == reader->at ||
           (reader->before < 128 && reader->before > 0 && strchr(marks, (char)reader->before));
}

/* Where the quote that begins at `reader` is closed, or 0. */
static size_t find_closing(struct reader reader, uint32_t mark)
{
    const size_t opened = reader.next;
    while (advance(&reader) && !ends_paragraph(&reader) && reader.at - opened < MAX_QUOTE)
        if (reader.code == mark && closes(&reader, opened))
            return reader.at;
    return 0;
}

struct span { /* bytes [begin, end) have the property; from `next` on another may begin */
    size_t begin, end, next;
};

static void put_span(const struct reader *reader, const struct span *span, int16_t *values)
{
    put(reader, reader->at >= span->begin && reader->at < span->end, values);
}

/* Only marks that are closed open anything. The outermost quote counts. */
static void read_quotes(struct reader reader, int16_t *values)
{
    struct span span = {0, 0, 0};
    while (advance(&reader)) {
        const uint32_t mark = reader.at >= span.next ? closing_mark(&reader) : 0;
        const size_t end = mark ? find_closing(reader, mark) : 0;
        if (end)
            span = (struct span){reader.at, end, end + 1};
        put_span(&reader, &span, values);
    }
}

/*
 * Brackets
 */

struct nest {
    char open[MAX_OPEN];
    size_t depth;
};

/* A closing bracket closes what was opened after its partner, too; without one it means nothing. */
static void nest_close(struct nest *nest, char open)
{
    for (size_t i = nest->depth; i-- > 0;) {
        if (nest->open[i] == open) {
            nest->depth = i;
            return;
        }
    }
}

/* What an empty line leaves open: braces. */
static void nest_cut(struct nest *nest)
{
    size_t kept = 0;
    for (size_t i = 0; i < nest->depth; i++)
        if (nest->open[i] == '{')
            nest->open[kept++] = '{';
    nest->depth = kept;
}

static void nest_read(struct nest *nest, const struct reader *reader)
{
    if (ends_paragraph(reader))
        nest_cut(nest);
    switch (reader->code) {
    case '(':
    case '[':
    case '{':
        if (nest->depth < MAX_OPEN)
            nest->open[nest->depth++] = (char)reader->code;
        break;
    case ')':
        nest_close(nest, '(');
        break;
    case ']':
        nest_close(nest, '[');
        break;
    case '}':
        nest_close(nest, '{');
        break;
    }
}

static void read_brackets(struct reader reader, int16_t *values)
{
    struct nest nest = {.depth = 0};
    while (advance(&reader)) {
        bool inside = false;
        nest_read(&nest, &reader);
        for (size_t i = 0; i < nest.depth; i++)
            inside = inside || nest.open[i] != '{';
        put(&reader, inside, values);
    }
}

static void read_depth(struct reader reader, int16_t *values)
{
    struct nest nest = {.depth = 0};
    while (advance(&reader)) {
        nest_read(&nest, &reader);
        put(&reader, limited(nest.depth), values);
    }
}

/*
 * Conditions and comments
 */

static bool begins_if(const struct reader *reader)
{
    uint32_t after = 0;
    if (is_word(reader->before) || (reader->code != 'i' && reader->code != 'I') ||
        reader->next >= reader->len || (reader->text[reader->next] | 0x20) != 'f')
        return false;
    if (reader->next + 1 < reader->len)
        utf8_decode(reader->text + reader->next + 1, reader->len - reader->next - 1, &after);
    return !is_word(after);
}

/* A condition without brackets ends here. */
static bool ends_clause(const struct reader *reader)
{
    if (reader->code == '.')
        return reader->next == reader->len || strchr(" \t\r\n", reader->text[reader->next]);
    return reader->code > 0 && reader->code < 128 && strchr(",;:?!\n", (char)reader->code);
}

/* Where the condition ends: at a mark that is outside it. `reader` is at the i. */
static size_t find_condition_end(struct reader reader)
{
    struct nest nest = {.depth = 0};
    advance(&reader);
    bool more = advance(&reader);
    while (more && reader.code == ' ')
        more = advance(&reader);
    const bool bracket = more && reader.code == '(';
    for (; more; more = advance(&reader)) {
        nest_read(&nest, &reader);
        if (bracket ? nest.depth == 0 : ends_clause(&reader))
            return reader.at;
    }
    return reader.len;
}

static void read_if(struct reader reader, int16_t *values)
{
    struct span span = {0, 0, 0};
    while (advance(&reader)) {
        if (reader.at >= span.next && begins_if(&reader)) {
            const size_t end = find_condition_end(reader);
            span = (struct span){reader.at + 1, end, end};
        }
        put_span(&reader, &span, values);
    }
}

/* The mark that begins a comment here, and the one that ends it; or NULL. */
static const char *const *begins_comment(const struct reader *reader)
{
    static const char *const marks[][2] = {
        {"/*", "*/"}, {"<!--", "-->"}, {"//", "\n"}, {"#", "\n"}};
    for (size_t i = 0; i < 4; i++)
        if (stands(reader, reader->at, marks[i][0])) {
            const char after = reader->next < reader->len ? reader->text[reader->next] : '\n';
            const bool hash = marks[i][0][0] == '#', lines = marks[i][0][1] == '/';
            const bool bare = hash && !(is_space(reader->before) && strchr(" \t!\r\n", after));
            return bare || (lines && reader->before == ':') ? NULL : marks[i];
        }
    return NULL;
}

/* From the last byte of its first mark to the last byte of the other, or to the text's end. */
static struct span find_comment(const struct reader *reader, const char *const marks[2])
{
    const size_t begin = reader->at + strlen(marks[0]);
    size_t at = begin;
    while (at < reader->len && !stands(reader, at, marks[1]))
        at++;
    const size_t end = at < reader->len ? at + strlen(marks[1]) - 1 : reader->len;
    return (struct span){begin - 1, end, end + 1};
}

static void read_comment(struct reader reader, int16_t *values)
{
    struct span span = {0, 0, 0};
    while (advance(&reader)) {
        const char *const *marks = reader.at >= span.next ? begins_comment(&reader) : NULL;
        if (marks)
            span = find_comment(&reader, marks);
        put_span(&reader, &span, values);
    }
}

/*
 * Lines, words, letters
 */

static void read_position(struct reader reader, int16_t *values)
{
    size_t position = 0;
    while (advance(&reader)) {
        position = reader.code == '\n' ? 0 : position + 1;
        put(&reader, limited(position), values);
    }
}

static void read_indent(struct reader reader, int16_t *values)
{
    size_t columns = 0;
    bool blank = true;
    while (advance(&reader)) {
        if (reader.code == '\n') {
            columns = 0;
            blank = true;
        } else if (blank && reader.code == '\t') {
            columns += 8 - columns % 8;
        } else if (blank && reader.code == ' ') {
            columns++;
        } else {
            blank = false;
        }
        put(&reader, limited(columns), values);
    }
}

/* Characters, not bytes, before the line feed, at most PROPERTY_NEAR + 1; that of the last line,
   which has none, is not near. */
static void read_line_end(struct reader reader, int16_t *values)
{
    while (advance(&reader)) {
        struct reader ahead = reader;
        size_t left = 0;
        bool end = reader.code == '\n';
        while (!end && left <= PROPERTY_NEAR && advance(&ahead)) {
            end = ahead.code == '\n';
            left += !end;
        }
        put(&reader, end && left <= PROPERTY_NEAR && reader.code != '\n', values);
    }
}

static void read_word(struct reader reader, int16_t *values)
{
    while (advance(&reader))
        put(&reader, is_word(reader.code) && !is_word(reader.before), values);
}

static void read_upper(struct reader reader, int16_t *values)
{
    while (advance(&reader)) {
        const utf8proc_category_t category = utf8proc_category((utf8proc_int32_t)reader.code);
        put(&reader, category == UTF8PROC_CATEGORY_LU || category == UTF8PROC_CATEGORY_LT, values);
    }
}

void property_read(enum property property, const char *text, size_t len, int16_t *values)
{
    const struct reader reader = {.text = text, .len = len};
    switch (property) {
    case PROPERTY_QUOTES:
        read_quotes(reader, values);
        break;
    case PROPERTY_POSITION:
        read_position(reader, values);
        break;
    case PROPERTY_BRACKETS:
        read_brackets(reader, values);
        break;
    case PROPERTY_IF:
        read_if(reader, values);
        break;
    case PROPERTY_COMMENT:
        read_comment(reader, values);
        break;
    case PROPERTY_DEPTH:
        read_depth(reader, values);
        break;
    case PROPERTY_INDENT:
        read_indent(reader, values);
        break;
    case PROPERTY_LINE_END:
        read_line_end(reader, values);
        break;
    case PROPERTY_WORD:
        read_word(reader, values);
        break;
    case PROPERTY_UPPER:
        read_upper(reader, values);
        break;
    }
}
