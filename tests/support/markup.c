#include "support/markup.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define MAX_DEPTH 64
#define MAX_NAME 32
#define MAX_IDS 256

struct checker {
    const char *page, *at, *end;
    char *why;
    size_t size;
    bool scripted; /* scripts are allowed */
    char open[MAX_DEPTH][MAX_NAME];
    size_t depth;
    char ids[MAX_IDS][MAX_NAME];
    size_t id_count;
};

static bool wrong(struct checker *checker, const char *what)
{
    snprintf(checker->why, checker->size, "%s after %zu bytes: %.40s", what,
             (size_t)(checker->at - checker->page), checker->at);
    return false;
}

/* A name at checker->at; moves behind it. */
static bool read_name(struct checker *checker, char name[MAX_NAME])
{
    const size_t len = strspn(checker->at, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                           "0123456789-");
    if (len == 0 || len >= MAX_NAME)
        return wrong(checker, "no name");
    memcpy(name, checker->at, len);
    name[len] = '\0';
    checker->at += len;
    return true;
}

static bool check_entity(struct checker *checker)
{
    static const char *const names[] = {"&amp;", "&lt;", "&gt;", "&quot;", "&apos;", "&#39;"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strncmp(checker->at, names[i], strlen(names[i])) == 0) {
            checker->at += strlen(names[i]);
            return true;
        }
    }
    return wrong(checker, "bare '&'");
}

/* Up to `stop`, one of two bytes. */
static bool read_text(struct checker *checker, char stop, char forbidden)
{
    while (checker->at < checker->end && *checker->at != stop) {
        const unsigned char c = (unsigned char)*checker->at;
        if (c == (unsigned char)forbidden || (c < 0x20 && c != '\n' && c != '\t') || c == 0x7F)
            return wrong(checker, "a character that must be escaped");
        if (c != '&')
            checker->at++;
        else if (!check_entity(checker))
            return false;
    }
    return true;
}

static bool check_id(struct checker *checker, const char *value, size_t len)
{
    if (len == 0 || len >= MAX_NAME || checker->id_count == MAX_IDS)
        return wrong(checker, "an id too many or too long");
    char *id = checker->ids[checker->id_count];
    memcpy(id, value, len);
    id[len] = '\0';
    for (size_t i = 0; i < checker->id_count; i++)
        if (strcmp(checker->ids[i], id) == 0)
            return wrong(checker, "an id given twice");
    checker->id_count++;
    return true;
}

static bool is_drawing(const char *name)
{
    static const char *const names[] = {"d",     "x",      "y",       "cx",       "cy",
                                        "width", "height", "viewBox", "transform"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

static bool check_attribute(struct checker *checker)
{
    char name[MAX_NAME];
    if (!read_name(checker, name))
        return false;
    if (strncmp(checker->at, "=\"", 2) != 0)
        return wrong(checker, "no quoted value");
    const char *value = checker->at += 2;
    if (!read_text(checker, '"', '<'))
        return false;
    const size_t len = (size_t)(checker->at - value);
    if (checker->at == checker->end)
        return wrong(checker, "a value that does not end");
    if (strcmp(name, "src") == 0 || strcmp(name, "href") == 0 || strncmp(name, "on", 2) == 0)
        return wrong(checker, "something to load or to run");
    if (strcmp(name, "id") == 0 && !check_id(checker, value, len))
        return false;
    if (is_drawing(name) && strcmp(name, "transform") != 0 && memchr(value, 'n', len))
        return wrong(checker, "a coordinate that is no number");
    checker->at++;
    return true;
}

/* Behind "<script": its content, and its end tag. */
static bool check_script(struct checker *checker)
{
    static const char begin[] = ">//<![CDATA[\n", end[] = "//]]></script>";
    static const char *const bad[] = {"fetch(",         "XMLHttp",   "import",
                                      "eval(",          "Function(", "innerHTML",
                                      "document.write", "WebSocket", "<![CDATA["};
    if (strncmp(checker->at, begin, sizeof begin - 1) != 0)
        return wrong(checker, "a script that is no CDATA");
    const char *from = checker->at + sizeof begin - 1, *to = strstr(from, end);
    if (!to || strstr(from, "]]>") != to + 2 || strstr(from, "</") != to + 5)
        return wrong(checker, "a script that ends too late or too soon");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        checker->at = strstr(from, bad[i]);
        if (checker->at && checker->at < to)
            return wrong(checker, "a script that does what it must not");
    }
    checker->at = to + sizeof end - 1;
    return true;
}

/* At '<' of a start or end tag. */
static bool check_tag(struct checker *checker)
{
    char name[MAX_NAME];
    const bool closing = checker->at[1] == '/';
    checker->at += closing ? 2 : 1;
    if (!read_name(checker, name))
        return false;
    if (closing) {
        if (checker->depth == 0 || strcmp(checker->open[--checker->depth], name) != 0)
            return wrong(checker, "an element that is not open closes");
        if (*checker->at != '>')
            return wrong(checker, "an end tag with more than a name");
        checker->at++;
        return true;
    }
    if (strcmp(name, "script") == 0 && checker->scripted)
        return check_script(checker);
    if (strcmp(name, "script") == 0 || strcmp(name, "link") == 0)
        return wrong(checker, "something to load or to run");
    while (*checker->at == ' ') {
        checker->at++;
        if (!check_attribute(checker))
            return false;
    }
    if (strncmp(checker->at, "/>", 2) == 0) {
        checker->at += 2;
        return true;
    }
    if (*checker->at != '>' || checker->depth == MAX_DEPTH)
        return wrong(checker, "a tag that does not end, or is too deep");
    checker->at++;
    strcpy(checker->open[checker->depth++], name);
    return true;
}

static bool check_whole(struct checker *checker)
{
    static const char *const loading[] = {"http:", "https:", "url(", "@import", "\"//"};
    for (size_t i = 0; i < sizeof loading / sizeof *loading; i++) {
        checker->at = strstr(checker->page, loading[i]);
        if (checker->at)
            return wrong(checker, "a reference to elsewhere");
    }
    return true;
}

static bool check(const char *page, size_t len, bool scripted, char *why, size_t size)
{
    static const char doctype[] = "<!DOCTYPE html>\n";
    struct checker checker = {.page = page,
                              .at = page,
                              .end = page + len,
                              .why = why,
                              .size = size,
                              .scripted = scripted};
    if (strlen(page) != len)
        return wrong(&checker, "a NUL byte");
    if (strncmp(page, doctype, sizeof doctype - 1) == 0)
        checker.at += sizeof doctype - 1;
    while (checker.at < checker.end) {
        if (!(*checker.at == '<' ? check_tag(&checker) : read_text(&checker, '<', '>')))
            return false;
    }
    if (checker.depth > 0)
        return wrong(&checker, "an element is left open");
    return check_whole(&checker);
}

bool markup_check(const char *page, size_t len, char *why, size_t size)
{
    return check(page, len, false, why, size);
}

bool markup_check_scripted(const char *page, size_t len, char *why, size_t size)
{
    return check(page, len, true, why, size);
}

size_t markup_count(const char *page, const char *text)
{
    size_t count = 0;
    for (const char *at = strstr(page, text); at; at = strstr(at + 1, text))
        count++;
    return count;
}
