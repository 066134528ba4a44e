/*
 * One table of options for everything that a user can set: it makes command-line parsing, the
 * configuration file (INI), ranges, defaults, --help, the sample configuration and the option list
 * of the man pages. A program declares a plain struct and a table whose entries say where in it
 * each value goes.
 *
 *   OPT_FLAG    bool         --name / --no-name; in files name = yes|no
 *   OPT_INT     int64_t      within [min, max]; suffixes k, M, G (powers of 1024) are understood
 *   OPT_REAL    double       within [min, max]
 *   OPT_TEXT    char *       owned by the struct; NULL when unset
 *   OPT_CHOICE  int          index into `choices`, words separated by '|'
 *   OPT_LIST    struct opt_list   repeatable; each use appends one text, the first replacing the
 *                                 default
 */
#ifndef DRAGOMAN_BASE_OPT_H
#define DRAGOMAN_BASE_OPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/buf.h"

enum opt_type { OPT_FLAG, OPT_INT, OPT_REAL, OPT_TEXT, OPT_CHOICE, OPT_LIST };

struct opt_list {
    char **items;
    size_t count;
};

enum opt_scope { OPT_ANYWHERE, OPT_ONLY_ARGUMENT, OPT_ONLY_FILE };

struct opt {
    const char *name; /* long name, words joined by '-'; also the key in files */
    char letter;      /* short option or 0 */
    enum opt_type type;
    enum opt_scope scope;
    const char *section;  /* INI section; NULL: top of the file */
    size_t offset;        /* offsetof(struct ..., member) */
    const char *fallback; /* default as text, NULL: zero or unset */
    double min, max;      /* OPT_INT and OPT_REAL; both 0: any number */
    const char *choices;  /* OPT_CHOICE: "none|dot|general" */
    const char *value;    /* what --help calls the value: "FILE", "N" */
    const char *unit;     /* "ms", "bytes", ... or NULL */
    const char *help;     /* one sentence without a full stop */
};

/* A table ends with an entry whose name is NULL. `target` is the struct that the offsets index. */
int opt_defaults(const struct opt *table, void *target, struct err *err);
void opt_release(const struct opt *table, void *target); /* frees texts and lists, zeroes them */
/* Sets one option from text; the error names the option, the value and what is allowed. */
int opt_set(const struct opt *table, void *target, const char *name, const char *value,
            struct err *err);
/* Parses argv[1..]: "--name value", "--name=value", "-l value", "--" ends options. Positional
   arguments are moved to the front, in order: afterwards they are argv[1..*positional]. "--help"
   and "--version" are found by the caller's table as OPT_FLAGs. */
int opt_parse_arguments(const struct opt *table, void *target, int argc, char **argv,
                        int *positional, struct err *err);
/* Reads an INI file with inih; unknown keys and bad values are errors that name file and line. */
int opt_parse_file(const struct opt *table, void *target, const char *path, struct err *err);
int opt_help(const struct opt *table, struct buf *out, struct err *err);   /* for --help */
int opt_sample(const struct opt *table, struct buf *out, struct err *err); /* commented INI */
int opt_mdoc(const struct opt *table, struct buf *out, struct err *err);   /* .It Fl ... list */

#endif
