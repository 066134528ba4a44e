/*
 * Options from the command line and from INI files. The file is read whole and handed to inih line
 * by line through a reader of ours, which counts the lines, refuses NUL bytes and lines that inih
 * would cut in two, and drops leading spaces, since inih takes an indented line for a continuation
 * of the one before it.
 */
#include <ini.h>
#include <string.h>

#include "base/file.h"
#include "base/opt.h"

#define FILE_LIMIT ((size_t)1 << 20)

struct arguments {
    const struct opt *table;
    void *target;
    int count, next; /* next: the argument to look at */
    char **values;
};

static const struct opt *find_long(const struct arguments *arguments, const char *name, size_t len)
{
    for (const struct opt *opt = arguments->table; opt->name; opt++)
        if (opt->scope != OPT_ONLY_FILE && strlen(opt->name) == len &&
            memcmp(opt->name, name, len) == 0)
            return opt;
    return NULL;
}

static const struct opt *find_letter(const struct arguments *arguments, char letter)
{
    for (const struct opt *opt = arguments->table; opt->name; opt++)
        if (opt->scope != OPT_ONLY_FILE && opt->letter && opt->letter == letter)
            return opt;
    return NULL;
}

/* Sets `opt`, whose value is `joined` ("--name=value") or else the next argument. */
static int set_argument(struct arguments *arguments, const struct opt *opt, const char *joined,
                        struct err *err)
{
    const char *value = joined;
    if (!value && opt->type == OPT_FLAG)
        value = "yes";
    if (!value && arguments->next < arguments->count)
        value = arguments->values[arguments->next++];
    if (!value)
        return err_set(err, ERR_ARGUMENT, "option '--%s' needs a value", opt->name);
    return opt_set(arguments->table, arguments->target, opt->name, value, err);
}

static int parse_long(struct arguments *arguments, const char *text, struct err *err)
{
    const char *equals = strchr(text, '=');
    size_t len = equals ? (size_t)(equals - text) : strlen(text);
    const struct opt *opt = find_long(arguments, text, len);
    if (opt)
        return set_argument(arguments, opt, equals ? equals + 1 : NULL, err);
    if (!equals && strncmp(text, "no-", 3) == 0) {
        opt = find_long(arguments, text + 3, len - 3);
        if (opt && opt->type == OPT_FLAG)
            return opt_set(arguments->table, arguments->target, opt->name, "no", err);
    }
    return err_set(err, ERR_NOT_FOUND, "unknown option '--%.*s'", (int)(len < 80 ? len : 80), text);
}

/* "-l value", "-lvalue", or flags together: "-vf". */
static int parse_letters(struct arguments *arguments, const char *letters, struct err *err)
{
    for (; *letters; letters++) {
        const struct opt *opt = find_letter(arguments, *letters);
        if (!opt)
            return err_set(err, ERR_NOT_FOUND, "unknown option '-%c'", *letters);
        if (opt->type != OPT_FLAG)
            return set_argument(arguments, opt, letters[1] ? letters + 1 : NULL, err);
        int rc = set_argument(arguments, opt, NULL, err);
        if (rc)
            return rc;
    }
    return 0;
}

int opt_parse_arguments(const struct opt *table, void *target, int argc, char **argv,
                        int *positional, struct err *err)
{
    struct arguments arguments = {table, target, argc, 1, argv};
    bool options = true;
    *positional = 0;
    while (arguments.next < argc) {
        char *text = argv[arguments.next++];
        int rc = 0;
        if (!options || text[0] != '-' || text[1] == '\0')
            argv[++*positional] = text;
        else if (strcmp(text, "--") == 0)
            options = false;
        else if (text[1] == '-')
            rc = parse_long(&arguments, text + 2, err);
        else
            rc = parse_letters(&arguments, text + 1, err);
        if (rc)
            return rc;
    }
    return 0;
}

struct source {
    const struct opt *table;
    void *target;
    const char *path;
    const char *rest, *end; /* what is not read yet */
    int line;
    struct err *err;
    int failed; /* error code of the first bad line */
};

static int fail_line(struct source *source, enum err_code code, const char *what)
{
    source->failed = err_set(source->err, code, "%s:%d: %s", source->path, source->line, what);
    return source->failed;
}

/* Copies the next line for inih, as fgets would; NULL at the end or after an error. */
static char *next_line(char *out, int size, void *stream)
{
    struct source *source = stream;
    if (source->failed || source->rest == source->end)
        return NULL;
    const char *line = source->rest;
    const char *newline = memchr(line, '\n', (size_t)(source->end - line));
    const char *stop = newline ? newline + 1 : source->end;
    source->rest = stop;
    source->line++;
    while (line < stop && (*line == ' ' || *line == '\t'))
        line++;
    size_t len = (size_t)(stop - line);
    if (len > 0 && (*line == '#' || *line == ';'))
        len = 0;
    if (memchr(line, '\0', len)) {
        fail_line(source, ERR_FORMAT, "a NUL byte");
        return NULL;
    }
    if (len >= (size_t)size) {
        fail_line(source, ERR_LIMIT, "line too long");
        return NULL;
    }
    memcpy(out, line, len);
    out[len] = '\0';
    return out;
}

static const struct opt *find_key(const struct source *source, const char *section,
                                  const char *name)
{
    for (const struct opt *opt = source->table; opt->name; opt++)
        if (opt->scope != OPT_ONLY_ARGUMENT && strcmp(opt->name, name) == 0 &&
            strcmp(opt->section ? opt->section : "", section) == 0)
            return opt;
    return NULL;
}

/* Called by inih for each "name = value"; returns non-zero for success, as inih wants it. */
static int take_key(void *user, const char *section, const char *name, const char *value)
{
    struct source *source = user;
    if (source->failed)
        return 0;
    if (!find_key(source, section, name)) {
        if (*section)
            source->failed =
                err_set(source->err, ERR_NOT_FOUND, "%s:%d: unknown option '%.80s' in [%.80s]",
                        source->path, source->line, name, section);
        else
            source->failed = err_set(source->err, ERR_NOT_FOUND, "%s:%d: unknown option '%.80s'",
                                     source->path, source->line, name);
        return 0;
    }
    source->failed = opt_set(source->table, source->target, name, value, source->err);
    if (source->failed)
        err_context(source->err, "%s:%d", source->path, source->line);
    return source->failed == 0;
}

int opt_parse_file(const struct opt *table, void *target, const char *path, struct err *err)
{
    struct buf text = BUF_INIT;
    int rc = file_read(path, FILE_LIMIT, &text, err);
    if (!rc) {
        struct source source = {.table = table,
                                .target = target,
                                .path = path,
                                .rest = text.data,
                                .end = text.data + text.len,
                                .err = err};
        int line = ini_parse_stream(next_line, &source, take_key, &source);
        rc = source.failed;
        if (!rc && line > 0)
            rc = err_set(err, ERR_FORMAT, "%s:%d: expected 'name = value' or '[section]'", path,
                         line);
        else if (!rc && line < 0)
            rc = err_set(err, ERR_MEMORY, "%s: out of memory", path);
    }
    buf_release(&text);
    return rc;
}
