/*
 * 13a is the tokenisation of NIST's mteval-v13a script, in the form that sacrebleu made the
 * standard: four substitutions over the whole text, one after the other, each seeing what the one
 * before made. They are kept apart here too, since their order and their way of consuming
 * characters (a pair that was replaced is not looked at again in the same pass) show in the result.
 *
 * All patterns are ASCII and "not a digit" holds for every byte of a longer UTF-8 sequence, so the
 * passes work on bytes. Only the last step, cutting at white space, needs characters.
 */
#include "train/metric_text.h"

#include <string.h>

#include "text/lower.h"
#include "text/utf8.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_point(char c)
{
    return c == '.' || c == ',';
}

/* All ASCII punctuation except ' , - . and the space itself. */
static bool is_symbol(char c)
{
    return (c >= ' ' && c <= '&') || (c >= '(' && c <= '+') || c == '/' || (c >= ':' && c <= '@') ||
           (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

bool metric_is_space(uint32_t c)
{
    return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 ||
           c == 0x1680 || (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 ||
           c == 0x202f || c == 0x205f || c == 0x3000;
}

uint32_t metric_character(struct metric_text *text)
{
    uint32_t character;
    size_t size = utf8_decode(text->data, text->len, &character);
    if (size == 0) {
        character = 0x110000u + (unsigned char)text->data[0];
        size = 1;
    }
    text->data += size;
    text->len -= size;
    return character;
}

static void swap(struct metric_scratch *scratch)
{
    struct buf text = scratch->text;
    scratch->text = scratch->other;
    scratch->other = text;
}

static const char *find(const char *at, const char *end, const char *what, size_t len)
{
    while ((size_t)(end - at) >= len) {
        at = memchr(at, what[0], (size_t)(end - at) - len + 1);
        if (at == NULL || memcmp(at, what, len) == 0)
            return at;
        at++;
    }
    return NULL;
}

static int replace(struct metric_scratch *scratch, const char *from, const char *to,
                   struct err *err)
{
    size_t from_len = strlen(from);
    const char *at = scratch->text.data, *end = at + scratch->text.len;
    const char *found = find(at, end, from, from_len);
    if (found == NULL)
        return 0;
    buf_clear(&scratch->other);
    for (; found != NULL; found = find(at, end, from, from_len)) {
        int code = buf_append(&scratch->other, at, (size_t)(found - at), err);
        if (code == 0)
            code = buf_text(&scratch->other, to, err);
        if (code < 0)
            return code;
        at = found + from_len;
    }
    int code = buf_append(&scratch->other, at, (size_t)(end - at), err);
    if (code == 0)
        swap(scratch);
    return code;
}

/* One pass of substitutions: `rule` looks at *at, which lies before end, writes what comes instead
   and returns it, having moved *at over what it took. */
typedef char *substitution(const char **at, const char *end, char *out);

static char *isolate_symbol(const char **at, const char *end, char *out)
{
    (void)end;
    char c = *(*at)++;
    if (!is_symbol(c)) {
        *out++ = c;
        return out;
    }
    *out++ = ' ';
    *out++ = c;
    *out++ = ' ';
    return out;
}

/* Two characters of which the second (or, for `before`, the first) is set apart by spaces. */
static char *isolate_second(const char **at, char *out)
{
    *out++ = *(*at)++;
    *out++ = ' ';
    *out++ = *(*at)++;
    *out++ = ' ';
    return out;
}

static char *point_after_other(const char **at, const char *end, char *out)
{
    const char *c = *at;
    if (end - c >= 2 && !is_digit(c[0]) && is_point(c[1]))
        return isolate_second(at, out);
    *out++ = *(*at)++;
    return out;
}

static char *point_before_other(const char **at, const char *end, char *out)
{
    const char *c = *at;
    if (end - c >= 2 && is_point(c[0]) && !is_digit(c[1])) {
        *out++ = ' ';
        *out++ = *(*at)++;
        *out++ = ' ';
    }
    *out++ = *(*at)++;
    return out;
}

static char *dash_after_digit(const char **at, const char *end, char *out)
{
    const char *c = *at;
    if (end - c >= 2 && is_digit(c[0]) && c[1] == '-')
        return isolate_second(at, out);
    *out++ = *(*at)++;
    return out;
}

static int substitute(struct metric_scratch *scratch, substitution *rule, struct err *err)
{
    const char *at = scratch->text.data, *end = at + scratch->text.len;
    buf_clear(&scratch->other);
    int code = buf_reserve(&scratch->other, 3 * scratch->text.len + 1, err);
    if (code < 0)
        return code;
    char *out = scratch->other.data;
    while (at < end)
        out = rule(&at, end, out);
    *out = '\0';
    scratch->other.len = (size_t)(out - scratch->other.data);
    swap(scratch);
    return 0;
}

/* Cuts at white space. */
static int join_words(struct metric_text rest, struct buf *words, struct err *err)
{
    bool gap = false;
    buf_clear(words);
    int code = buf_reserve(words, rest.len + 1, err);
    if (code < 0)
        return code;
    while (rest.len > 0) {
        const char *begin = rest.data;
        if (metric_is_space(metric_character(&rest))) {
            gap = words->len > 0;
            continue;
        }
        if (gap)
            words->data[words->len++] = ' ';
        gap = false;
        size_t size = (size_t)(rest.data - begin);
        memcpy(words->data + words->len, begin, size);
        words->len += size;
    }
    words->data[words->len] = '\0';
    return 0;
}

/* The length of the text without white space at its end. */
static size_t stripped_length(struct metric_text text)
{
    const char *begin = text.data;
    size_t len = 0;
    while (text.len > 0)
        if (!metric_is_space(metric_character(&text)))
            len = (size_t)(text.data - begin);
    return len;
}

static int put_text(struct metric_text text, struct metric_scratch *scratch, struct err *err)
{
    buf_clear(&scratch->text);
    int code = buf_char(&scratch->text, ' ', err);
    if (code == 0)
        code = buf_append(&scratch->text, text.data, stripped_length(text), err);
    return code < 0 ? code : buf_char(&scratch->text, ' ', err);
}

static int cut_13a(struct metric_text text, struct metric_scratch *scratch, struct buf *words,
                   struct err *err)
{
    static const char *const replacements[][2] = {
        {"<skipped>", ""}, {"-\n", ""},   {"\n", " "},   {"&quot;", "\""},
        {"&amp;", "&"},    {"&lt;", "<"}, {"&gt;", ">"},
    };
    static substitution *const rules[] = {isolate_symbol, point_after_other, point_before_other,
                                          dash_after_digit};
    int code = put_text(text, scratch, err);
    for (size_t i = 0; code == 0 && i < sizeof(replacements) / sizeof(replacements[0]); i++)
        code = replace(scratch, replacements[i][0], replacements[i][1], err);
    for (size_t i = 0; code == 0 && i < sizeof(rules) / sizeof(rules[0]); i++)
        code = substitute(scratch, rules[i], err);
    struct metric_text cut = {scratch->text.data, scratch->text.len};
    return code < 0 ? code : join_words(cut, words, err);
}

int metric_words(struct metric_text text, enum metric_tokenisation tokenisation,
                 struct metric_scratch *scratch, struct buf *words, struct err *err)
{
    return tokenisation == METRIC_TOKENISED ? join_words(text, words, err)
                                            : cut_13a(text, scratch, words, err);
}

static bool is_punctuation(char c)
{
    return c > ' ' && (is_symbol(c) || c == '\'' || c == ',' || c == '-' || c == '.');
}

/* Appends one word, cut where that applies; `words` has room for it, a space before it and one in
   it. */
static void put_word(struct metric_text word, struct buf *words)
{
    const char *begin = word.data, *end = word.data + word.len;
    metric_character(&word);
    const char *cut = end;
    if (word.len > 0)
        cut = is_punctuation(end[-1]) ? end - 1 : is_punctuation(begin[0]) ? begin + 1 : end;
    char *to = words->data + words->len;
    if (words->len > 0)
        *to++ = ' ';
    memcpy(to, begin, (size_t)(cut - begin));
    to += cut - begin;
    if (cut < end)
        *to++ = ' ';
    memcpy(to, cut, (size_t)(end - cut));
    to += end - cut;
    *to = '\0';
    words->len = (size_t)(to - words->data);
}

int metric_chrf_words(struct metric_text text, struct metric_scratch *scratch, struct buf *words,
                      struct err *err)
{
    int code = join_words(text, &scratch->text, err);
    buf_clear(words);
    if (code == 0)
        code = buf_reserve(words, 2 * scratch->text.len + 2, err);
    if (code < 0)
        return code;
    const char *at = scratch->text.data, *end = at + scratch->text.len;
    while (at < end) {
        const char *space = memchr(at, ' ', (size_t)(end - at));
        const char *stop = space == NULL ? end : space;
        put_word((struct metric_text){at, (size_t)(stop - at)}, words);
        at = space == NULL ? end : space + 1;
    }
    return 0;
}

int metric_lower(struct metric_text *text, struct metric_scratch *scratch, struct err *err)
{
    buf_clear(&scratch->lower);
    int code = lower_text(text->data, text->len, &scratch->lower, err);
    if (code == 0)
        *text = (struct metric_text){scratch->lower.data, scratch->lower.len};
    return code;
}

void metric_scratch_release(struct metric_scratch *scratch)
{
    buf_release(&scratch->text);
    buf_release(&scratch->other);
    buf_release(&scratch->lower);
}
