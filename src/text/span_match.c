/*
 * Spans by their form. One function for each kind: given a place where it may begin, it returns its
 * length in bytes, or 0. Their syntax is ASCII, so bytes are looked at where nothing else is said.
 */
#include <string.h>

#include "text/character.h"
#include "text/grapheme.h"
#include "text/span.h"

#define LONGEST_TAG 1024        /* bytes */
#define LONGEST_PLACEHOLDER 128 /* bytes */

static bool is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name(char c)
{
    return is_alpha(c) || is_digit(c) || c == '_';
}

static size_t count_digits(const char *text, size_t len)
{
    size_t i = 0;
    while (i < len && is_digit(text[i]))
        i++;
    return i;
}

static size_t count_names(const char *text, size_t len)
{
    size_t i = 0;
    while (i < len && is_name(text[i]))
        i++;
    return i;
}

static bool begins(const char *text, size_t len, const char *with)
{
    size_t size = strlen(with);
    return len >= size && memcmp(text, with, size) == 0;
}

/* Whether `word` is one of the list's, which are parted by single spaces. */
static bool has(const char *list, const char *word, size_t len)
{
    while (*list) {
        size_t size = strcspn(list, " ");
        if (size == len && memcmp(list, word, len) == 0)
            return true;
        list += size + (list[size] == ' ');
    }
    return false;
}

/* URLs, hosts, paths --------------------------------------------------------------------------- */

static bool ends_address(uint32_t code)
{
    if (code > 127)
        return character_is_space(code) || character_is_open(code) || character_is_close(code);
    return code <= ' ' || code == '<' || code == '>' || code == '"' || code == '`' || code == 127;
}

/* Less the punctuation behind an address, and a bracket that was not opened inside. */
static size_t trim_address(const char *text, size_t len)
{
    size_t opened = 0, closed = 0;
    for (size_t i = 0; i < len; i++) {
        opened += text[i] == '(';
        closed += text[i] == ')';
    }
    for (; len > 0; len--) {
        char last = text[len - 1];
        if (strchr(".,;:!?'*]", last) == NULL && !(last == ')' && closed > opened))
            break;
        closed -= last == ')';
    }
    return len;
}

static size_t address_length(const char *text, size_t len)
{
    size_t end = 0, size;
    while (end < len && !ends_address(character_at(text, len, end, &size)))
        end += size;
    return trim_address(text, end);
}

static size_t match_url(const char *text, size_t len)
{
    size_t scheme = 0;
    while (scheme < len && (is_alpha(text[scheme]) ||
                            (scheme > 0 && (is_digit(text[scheme]) || text[scheme] == '+'))))
        scheme++;
    size_t begin = begins(text + scheme, len - scheme, "://") && scheme > 1 ? scheme + 3 : 0;
    if (begins(text, len, "www.") || begins(text, len, "mailto:"))
        begin = scheme + 1;
    size_t end = begin > 0 ? address_length(text, len) : 0;
    return end > begin ? end : 0;
}

/* Labels of letters, digits and hyphens with full stops between them; *last: where the last one
   begins. */
static size_t count_labels(const char *text, size_t len, size_t *last)
{
    size_t i = 0;
    for (*last = 0;;) {
        size_t begin = i;
        while (i < len && (is_name(text[i]) || text[i] == '-'))
            i++;
        if (i == begin)
            return begin > 0 ? begin - 1 : 0;
        *last = begin;
        if (i + 1 >= len || text[i] != '.')
            return i;
        i++;
    }
}

static size_t match_email(const char *text, size_t len)
{
    size_t local = 0, last;
    while (local < len && (is_name(text[local]) || strchr(".+-%", text[local]) != NULL))
        local++;
    if (local == 0 || local + 1 >= len || text[local] != '@')
        return 0;
    size_t labels = count_labels(text + local + 1, len - local - 1, &last);
    return last > 0 && labels - last >= 2 ? local + 1 + labels : 0;
}

/* Hosts and files are known by how they end: "end.The" is neither. */
static size_t match_host(const char *text, size_t len)
{
    static const char endings[] =
        "com org net edu gov mil info io dev app eu uk fr de ch ca jp cn ru br nl pl "
        "txt pdf html htm xml json csv tsv md png jpg jpeg gif svg webp mp3 mp4 avi zip gz tar doc "
        "docx odt xls xlsx ods ppt pptx py js ts c h cpp sh exe dll conf cfg ini log yaml yml toml "
        "sql db css php rs go java jar iso";
    size_t last, labels = count_labels(text, len, &last);
    if (last < 2 || !has(endings, text + last, labels - last))
        return 0;
    if (labels < len && text[labels] == '/')
        return address_length(text, len);
    if (labels + 1 < len && text[labels] == ':' && is_digit(text[labels + 1]))
        return labels + 1 + count_digits(text + labels + 1, len - labels - 1);
    return labels;
}

static size_t match_path(const char *text, size_t len)
{
    size_t up = begins(text, len, "~/") ? 1 : begins(text, len, "./") ? 1 : 0;
    if (begins(text, len, "../"))
        up = 2;
    const bool rooted = up + 1 < len && text[up] == '/' && is_name(text[up + 1]);
    const bool drive = len > 3 && is_alpha(*text) && text[1] == ':' && text[2] == '\\';
    return rooted || drive ? address_length(text, len) : 0;
}

/* Placeholders --------------------------------------------------------------------------------- */

/* From an opening brace to the one that closes it. */
static size_t match_braces(const char *text, size_t len, char open, char close)
{
    size_t depth = 0;
    for (size_t i = 0; i < len && i < LONGEST_PLACEHOLDER && text[i] != '\n'; i++) {
        depth += text[i] == open;
        depth -= text[i] == close;
        if (depth == 0)
            return i > 0 ? i + 1 : 0;
    }
    return 0;
}

static size_t match_placeholder(const char *text, size_t len)
{
    size_t length = 0;
    if (len == 0)
        return 0;
    if (*text == '{')
        return match_braces(text, len, '{', '}');
    if (len > 1 && strchr("$#%", *text) != NULL && text[1] == '{')
        length = match_braces(text + 1, len - 1, '{', '}');
    else if (begins(text, len, "$("))
        length = match_braces(text + 1, len - 1, '(', ')');
    else if (len > 1 && strchr("@#$", *text) != NULL && (is_alpha(text[1]) || text[1] == '_'))
        length = count_names(text + 1, len - 1);
    return length > 0 ? length + 1 : 0;
}

/* %[n$][flags][width][.precision][size]conversion, %(name)s and %NAME%. A space among the flags is
   more often one after a percent sign. */
static size_t match_printf(const char *text, size_t len)
{
    size_t i = 1;
    if (len < 2 || *text != '%')
        return 0;
    size_t name = count_names(text + 1, len - 1);
    if (name > 1 && name + 1 < len && text[name + 1] == '%')
        return name + 2;
    if (text[i] == '(')
        i += match_braces(text + 1, len - 1, '(', ')');
    size_t digits = count_digits(text + i, len - i);
    if (digits > 0 && i + digits < len && text[i + digits] == '$')
        i += digits + 1;
    while (i < len && strchr("+-#0123456789.*", text[i]) != NULL)
        i++;
    while (i < len && strchr("hlLqjzt", text[i]) != NULL)
        i++;
    if (i >= len || strchr("diouxXeEfFgGaAcspn@", text[i]) == NULL)
        return 0;
    return i + 1 < len && is_name(text[i + 1]) ? 0 : i + 1;
}

/* Those of printf that stand for numbers. */
static size_t match_counter(const char *text, size_t len)
{
    size_t length = match_printf(text, len);
    return length > 0 && strchr("diouxXeEfFgG", text[length - 1]) != NULL ? length : 0;
}

static size_t match_code(const char *text, size_t len)
{
    size_t i = 1;
    while (i < len && i < LONGEST_PLACEHOLDER && text[i] != '`' && text[i] != '\n')
        i++;
    return i < len && i > 1 && *text == '`' && text[i] == '`' ? i + 1 : 0;
}

/* Marks ---------------------------------------------------------------------------------------- */

static size_t match_tag(const char *text, size_t len)
{
    size_t i = 1;
    if (len < 3 || *text != '<')
        return 0;
    if (text[1] == '/' || text[1] == '!' || text[1] == '?')
        i++;
    if (!is_alpha(text[i]) && text[i] != '-')
        return 0;
    while (i < len && i < LONGEST_TAG && text[i] != '<' && text[i] != '>')
        i++;
    return i < len && text[i] == '>' ? i + 1 : 0;
}

static size_t match_entity(const char *text, size_t len)
{
    size_t begin = len > 1 && text[1] == '#' ? 2 : 1;
    if (len < 4 || *text != '&')
        return 0;
    size_t names = count_names(text + begin, len - begin);
    return names > 0 && names < 32 && begin + names < len && text[begin + names] == ';'
               ? begin + names + 1
               : 0;
}

static bool is_pictograph(uint32_t code)
{
    if (code < 0x2190)
        return code == 0x203C || code == 0x2049;
    return (code <= 0x23FF) || (code >= 0x2500 && code <= 0x27BF) ||
           (code >= 0x2900 && code <= 0x297F) || (code >= 0x2B00 && code <= 0x2BFF) ||
           (code >= 0x1F000 && code <= 0x1FAFF);
}

/* Emoji and their kin, as many as stand together. */
static size_t match_emoji(const char *text, size_t len)
{
    size_t end = 0, size;
    for (uint32_t code; (code = character_at(text, len, end, &size)), size != 0;) {
        size_t cluster = grapheme_end(text, len, end);
        const bool keycap =
            is_digit(text[end]) && begins(text + end + 1, cluster - end - 1, "\xef");
        if (!is_pictograph(code) && !keycap)
            break;
        end = cluster;
    }
    return end;
}

static size_t match_emoticon(const char *text, size_t len)
{
    static const char faces[] =
        ":) :-) ;) ;-) :( :-( :D :-D :P :-P :p :-p :o :O :'( <3 </3 ^^ xD XD "
        ":/ :-/ :| :* =) =( (: ^_^ -_- o_O >_<";
    size_t size = 0;
    while (size < len && size < 4 && text[size] > ' ' && strchr(".,!?", text[size]) == NULL)
        size++;
    if (size < len && strchr(" \t\r\n.,!?", text[size]) == NULL)
        return 0;
    return size > 1 && has(faces, text, size) ? size : 0;
}

/* Names and numbers ---------------------------------------------------------------------------- */

/* French writes "14h30". */
static bool is_time(const char *text, size_t len)
{
    const size_t hours = count_digits(text, len);
    return hours > 0 && hours <= 2 && hours < len && (text[hours] == 'h' || text[hours] == 'H') &&
           hours + 1 + count_digits(text + hours + 1, len - hours - 1) == len;
}

/* A letter before a digit ("MP3", "v1.2", "F-16"), a digit before capitals ("10GB", "3D") or an
   underscore ("foo_bar") make a name; so do brackets behind it ("main()"). */
static size_t match_name(const char *text, size_t len)
{
    size_t names = count_names(text, len), i = 0;
    bool is_code = false;
    while (i < len && (is_name(text[i]) || (i > 0 && i + 1 < len && strchr(".-:", text[i]) &&
                                            is_name(text[i - 1]) && is_digit(text[i + 1])))) {
        if (i > 0)
            is_code = is_code ||
                      ((is_alpha(text[i - 1]) || text[i - 1] == '-') && is_digit(text[i]) &&
                       !is_digit(*text)) ||
                      (is_alpha(text[i - 1]) && is_digit(text[i]));
        is_code = is_code || (text[i] == '_' && names > 1);
        i++;
    }
    if (names > 0 && begins(text + names, len - names, "()"))
        return names + 2;
    size_t digits = count_digits(text, names), capitals = digits;
    if (is_time(text, names))
        return 0;
    while (capitals < names && text[capitals] >= 'A' && text[capitals] <= 'Z')
        capitals++;
    if (digits > 0 && capitals == names && names > digits &&
        !has("AM PM", text + digits, names - digits))
        return names;
    return is_code ? i : 0;
}

static bool is_ordinal(const char *text, size_t len)
{
    size_t end = 0, size;
    while (end < len && character_is_letter(character_at(text, len, end, &size)))
        end += size;
    return has("st nd rd th er re e eme nde ers res es \xc3\xa8me \xc3\xa8re \xc3\xa8mes", text,
               end);
}

static bool joins_digits(uint32_t code)
{
    return (code > 0 && code < 128 && strchr(".,:/-'", (int)code) != NULL) || code == 0x2019 ||
           code == 0x2013;
}

/* Digits and what stands singly between them. */
static size_t number_group(const char *text, size_t len)
{
    size_t end = count_digits(text, len), size;
    while (end > 0 && end + 1 < len) {
        uint32_t code = character_at(text, len, end, &size);
        if (!joins_digits(code) && !((code == 'h' || code == 'H') && end <= 2))
            break;
        if (end + size >= len || !is_digit(text[end + size]))
            break;
        end += size + count_digits(text + end + size, len - end - size);
    }
    return end;
}

/* Where the next group of digits begins if only one space stands before it, else 0. */
static size_t next_group(const char *text, size_t len, size_t end)
{
    size_t size;
    uint32_t code = character_at(text, len, end, &size);
    if (code != ' ' && code != 0xA0 && code != 0x202F && code != 0x2009)
        return 0;
    return end + size < len && is_digit(text[end + size]) ? end + size : 0;
}

/* Thousands ("1 000 000") and telephone numbers ("01 23 45 67 89") have spaces inside. */
static size_t number_length(const char *text, size_t len, bool telephone)
{
    size_t end = number_group(text, len), thousands = end, groups = 1;
    bool bare = count_digits(text, end) == end;
    bool in_threes = end <= 3 && count_digits(text, end) == end;
    for (size_t next, all = end; end > 0 && (next = next_group(text, len, all)) != 0;) {
        all = next + number_group(text + next, len - next);
        const size_t digits = count_digits(text + next, len - next);
        in_threes = in_threes && digits == 3;
        bare = bare && (digits >= 2 || telephone) && digits <= 4 && next + digits == all;
        if (in_threes)
            thousands = all;
        if (bare && (++groups >= 3 || telephone))
            end = all;
    }
    return end > thousands ? end : thousands;
}

/* The length of a currency sign. */
static size_t skip_currency(const char *text, size_t len, size_t offset)
{
    size_t size;
    uint32_t code = character_at(text, len, offset, &size);
    return code == '$' || (code >= 0xA2 && code <= 0xA5) || (code >= 0x20A0 && code <= 0x20BF)
               ? size
               : 0;
}

/* With a sign and a currency where they stand without a gap. */
static size_t match_number(const char *text, size_t len)
{
    size_t begin = len > 1 && (*text == '+' || *text == '-') ? 1 : 0;
    begin += skip_currency(text, len, begin);
    size_t length = number_length(text + begin, len - begin, *text == '+');
    size_t end = begin + length;
    if (length == 0 || is_ordinal(text + end, len - end))
        return 0;
    return end + skip_currency(text, len, end);
}

static bool is_inside_word(const char *text, size_t offset)
{
    size_t size;
    if (offset == 0)
        return false;
    uint32_t before = character_before(text, 0, offset, &size);
    return character_is_letter(before) || character_is_digit(before) || character_is_mark(before) ||
           before == '_' || before == '@';
}

struct matcher {
    size_t (*match)(const char *text, size_t len);
    enum span_kind kind;
};

static size_t first_match(const struct matcher *matchers, size_t count, const char *text,
                          size_t len, enum span_kind *kind)
{
    for (size_t i = 0; i < count; i++) {
        size_t length = matchers[i].match(text, len);
        *kind = matchers[i].kind;
        if (length > 0)
            return length;
    }
    return 0;
}

#define FIRST_MATCH(matchers)                                                                      \
    first_match(matchers, sizeof(matchers) / sizeof(matchers)[0], text + offset, len - offset, kind)

size_t span_match(const char *text, size_t len, size_t offset, enum span_kind *kind)
{
    static const struct matcher anywhere[] = {
        {match_tag, SPAN_MARK},         {match_entity, SPAN_MARK}, {match_emoji, SPAN_MARK},
        {match_placeholder, SPAN_WORD}, {match_code, SPAN_WORD},
    };
    static const struct matcher at_words[] = {
        {match_url, SPAN_WORD},      {match_email, SPAN_WORD}, {match_path, SPAN_WORD},
        {match_emoticon, SPAN_MARK}, {match_host, SPAN_WORD},  {match_counter, SPAN_NUMBER},
        {match_printf, SPAN_WORD},   {match_name, SPAN_WORD},  {match_number, SPAN_NUMBER},
    };
    size_t length = FIRST_MATCH(anywhere);
    if (length == 0 && !is_inside_word(text, offset))
        length = FIRST_MATCH(at_words);
    return length;
}
