/* Options: what a table says about itself, as --help, as a commented INI file and as the option
   list of a manual page. All three describe a value with the same words, from describe(). */
#include <math.h>
#include <string.h>

#include "base/opt.h"

#define WIDTH 80
#define HELP_COLUMN 28

/* A whole number with the suffix that makes it shortest: 16777216 is 16M. */
static int write_number(const struct opt *opt, double number, struct buf *out, struct err *err)
{
    static const char *const suffixes[] = {"", "k", "M", "G"};
    size_t power = 0;
    if (opt->type == OPT_REAL)
        return buf_printf(out, err, "%g", number);
    while (power < 3 && fabs(number) >= 1024 && fmod(number, 1024) == 0) {
        number /= 1024;
        power++;
    }
    return buf_printf(out, err, "%.0f%s", number, suffixes[power]);
}

static int describe_range(const struct opt *opt, struct buf *out, struct err *err)
{
    int rc = write_number(opt, opt->min, out, err);
    if (!rc)
        rc = buf_text(out, " to ", err);
    if (!rc)
        rc = write_number(opt, opt->max, out, err);
    return rc;
}

/* "none, dot or general" */
static int describe_choices(const char *choices, struct buf *out, struct err *err)
{
    int rc = 0;
    for (const char *word = choices; word && !rc;) {
        const char *bar = strchr(word, '|');
        rc = buf_append(out, word, bar ? (size_t)(bar - word) : strlen(word), err);
        if (!rc && bar)
            rc = buf_text(out, strchr(bar + 1, '|') ? ", " : " or ", err);
        word = bar ? bar + 1 : NULL;
    }
    return rc;
}

/* Appends the help sentence and, in brackets, range or choices, unit and default. */
static int describe(const struct opt *opt, struct buf *out, struct err *err)
{
    struct buf facts = BUF_INIT;
    int rc = 0;
    bool numeric = opt->type == OPT_INT || opt->type == OPT_REAL;
    if (numeric && opt->min < opt->max)
        rc = describe_range(opt, &facts, err);
    else if (opt->type == OPT_CHOICE)
        rc = describe_choices(opt->choices, &facts, err);
    if (!rc && opt->unit)
        rc = buf_printf(&facts, err, "%s%s", facts.len ? " " : "", opt->unit);
    if (!rc && opt->fallback)
        rc = buf_printf(&facts, err, "%sdefault %s", facts.len ? "; " : "", opt->fallback);
    if (!rc && opt->type == OPT_LIST)
        rc = buf_printf(&facts, err, "%srepeatable", facts.len ? "; " : "");
    if (!rc)
        rc = buf_text(out, opt->help ? opt->help : "", err);
    if (!rc && facts.len)
        rc = buf_printf(out, err, "%s(%s)", opt->help ? " " : "", facts.data);
    buf_release(&facts);
    return rc;
}

/* Appends `text`, wrapped at WIDTH; `column` is where the first word goes, `prefix` starts each
   further line. */
static int wrap(const char *text, size_t column, const char *prefix, struct buf *out,
                struct err *err)
{
    int rc = 0;
    bool first = true;
    while (!rc && *text) {
        size_t len = strcspn(text, " ");
        if (!first && column + 1 + len > WIDTH) {
            rc = buf_printf(out, err, "\n%s", prefix);
            column = strlen(prefix);
        } else if (!first) {
            rc = buf_char(out, ' ', err);
            column++;
        }
        if (!rc)
            rc = buf_append(out, text, len, err);
        column += len;
        text += len;
        text += strspn(text, " ");
        first = false;
    }
    return rc ? rc : buf_char(out, '\n', err);
}

static int help_entry(const struct opt *opt, struct buf *out, struct err *err)
{
    struct buf text = BUF_INIT;
    char prefix[HELP_COLUMN + 1];
    memset(prefix, ' ', HELP_COLUMN);
    prefix[HELP_COLUMN] = '\0';
    size_t start = out->len;
    char letter[] = {'-', opt->letter, ',', ' ', '\0'};
    int rc = buf_printf(out, err, "  %s--%s", opt->letter ? letter : "    ", opt->name);
    if (!rc && opt->value)
        rc = buf_printf(out, err, " %s", opt->value);
    if (!rc && out->len - start + 2 > HELP_COLUMN)
        rc = buf_printf(out, err, "\n%s", prefix);
    else if (!rc)
        rc = buf_append(out, prefix, HELP_COLUMN - (out->len - start), err);
    if (!rc)
        rc = describe(opt, &text, err);
    if (!rc)
        rc = wrap(text.data, HELP_COLUMN, prefix, out, err);
    buf_release(&text);
    return rc;
}

int opt_help(const struct opt *table, struct buf *out, struct err *err)
{
    int rc = 0;
    for (const struct opt *opt = table; opt->name && !rc; opt++)
        if (opt->scope != OPT_ONLY_FILE)
            rc = help_entry(opt, out, err);
    return rc;
}

static const char *section_of(const struct opt *opt)
{
    return opt->section ? opt->section : "";
}

/* The default as a file would say it; numbers and texts may have none. */
static int sample_value(const struct opt *opt, struct buf *out, struct err *err)
{
    if (opt->fallback)
        return buf_text(out, opt->fallback, err);
    if (opt->type == OPT_FLAG)
        return buf_text(out, "no", err);
    if (opt->type == OPT_CHOICE)
        return buf_append(out, opt->choices, strcspn(opt->choices, "|"), err);
    return 0;
}

static int sample_entry(const struct opt *opt, struct buf *out, struct err *err)
{
    struct buf text = BUF_INIT;
    int rc = describe(opt, &text, err);
    if (!rc)
        rc = buf_text(out, "\n# ", err);
    if (!rc)
        rc = wrap(text.data, 2, "# ", out, err);
    if (!rc)
        rc = buf_printf(out, err, "#%s = ", opt->name);
    if (!rc)
        rc = sample_value(opt, out, err);
    if (!rc)
        rc = buf_char(out, '\n', err);
    buf_release(&text);
    return rc;
}

static int sample_section(const struct opt *table, const char *section, struct buf *out,
                          struct err *err)
{
    int rc = *section ? buf_printf(out, err, "\n[%s]\n", section) : 0;
    for (const struct opt *opt = table; opt->name && !rc; opt++)
        if (opt->scope != OPT_ONLY_ARGUMENT && strcmp(section_of(opt), section) == 0)
            rc = sample_entry(opt, out, err);
    return rc;
}

/* Is this the first entry of its section that files may hold? */
static bool opens_section(const struct opt *table, const struct opt *opt)
{
    if (opt->scope == OPT_ONLY_ARGUMENT)
        return false;
    for (const struct opt *before = table; before < opt; before++)
        if (before->scope != OPT_ONLY_ARGUMENT && strcmp(section_of(before), section_of(opt)) == 0)
            return false;
    return true;
}

int opt_sample(const struct opt *table, struct buf *out, struct err *err)
{
    /* What belongs to no section must stand before the first one. */
    int rc = sample_section(table, "", out, err);
    for (const struct opt *opt = table; opt->name && !rc; opt++)
        if (*section_of(opt) && opens_section(table, opt))
            rc = sample_section(table, opt->section, out, err);
    return rc;
}

/* A sentence for mdoc, in lines of at most WIDTH: backslashes escaped, and a dot or quote that
   begins a word made harmless, since the word may come to begin a line. */
static int mdoc_text(const char *text, struct buf *out, struct err *err)
{
    struct buf escaped = BUF_INIT;
    int rc = 0;
    for (const char *c = text; *c && !rc; c++) {
        if ((c == text || c[-1] == ' ') && (*c == '.' || *c == '\''))
            rc = buf_text(&escaped, "\\&", err);
        if (!rc)
            rc = *c == '\\' ? buf_text(&escaped, "\\e", err) : buf_char(&escaped, *c, err);
    }
    if (!rc)
        rc = buf_char(&escaped, '.', err);
    if (!rc)
        rc = wrap(escaped.data, 0, "", out, err);
    buf_release(&escaped);
    return rc;
}

static int mdoc_entry(const struct opt *opt, struct buf *out, struct err *err)
{
    struct buf text = BUF_INIT;
    int rc = buf_text(out, ".It ", err);
    if (!rc && opt->letter)
        rc = buf_printf(out, err, "Fl %c , ", opt->letter);
    if (!rc)
        rc = buf_printf(out, err, "Fl -%s", opt->name);
    if (!rc && opt->value)
        rc = buf_printf(out, err, " Ar %s", opt->value);
    if (!rc)
        rc = buf_char(out, '\n', err);
    if (!rc)
        rc = describe(opt, &text, err);
    if (!rc)
        rc = mdoc_text(text.data, out, err);
    buf_release(&text);
    return rc;
}

int opt_mdoc(const struct opt *table, struct buf *out, struct err *err)
{
    int rc = 0;
    for (const struct opt *opt = table; opt->name && !rc; opt++)
        if (opt->scope != OPT_ONLY_FILE)
            rc = mdoc_entry(opt, out, err);
    return rc;
}
