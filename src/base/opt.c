/*
 * Options: from the table, arguments and files to values. Every value, wherever it comes from,
 * passes through opt_set_value(), so a range or a choice is checked in one place and the error
 * reads the same. What a table says about itself (help, sample, manual) is in opt_text.c.
 *
 * A list's default is stored as the table's own string, not a copy: that is how the first value
 * that a user gives is known to replace the default instead of being appended to it.
 */
#include "base/opt.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static void *opt_place(const struct opt *opt, void *target)
{
    return (char *)target + opt->offset;
}

static bool opt_has_range(const struct opt *opt)
{
    return opt->min < opt->max;
}

static const struct opt *opt_find(const struct opt *table, const char *name, size_t len)
{
    for (const struct opt *opt = table; opt->name; opt++)
        if (strlen(opt->name) == len && memcmp(opt->name, name, len) == 0)
            return opt;
    return NULL;
}

static int set_flag(bool *place, const char *value)
{
    static const char *const words[][2] = {
        {"yes", "no"}, {"true", "false"}, {"on", "off"}, {"1", "0"}};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(value, words[i][0]) == 0 || strcmp(value, words[i][1]) == 0) {
            *place = strcmp(value, words[i][0]) == 0;
            return 0;
        }
    }
    return ERR_ARGUMENT;
}

static int set_int(const struct opt *opt, int64_t *place, const char *value)
{
    char *end;
    errno = 0;
    long long number = strtoll(value, &end, 10);
    if (end == value || errno)
        return ERR_ARGUMENT;
    static const char suffixes[] = "kMG";
    const char *suffix = *end ? strchr(suffixes, *end == 'K' ? 'k' : *end) : NULL;
    if (suffix) {
        if (__builtin_mul_overflow(number, 1LL << (10 * (suffix - suffixes + 1)), &number))
            return ERR_ARGUMENT;
        end++;
    }
    if (*end || (opt_has_range(opt) && ((double)number < opt->min || (double)number > opt->max)))
        return ERR_ARGUMENT;
    *place = number;
    return 0;
}

static int set_real(const struct opt *opt, double *place, const char *value)
{
    char *end;
    double number = strtod(value, &end);
    if (end == value || *end || !isfinite(number))
        return ERR_ARGUMENT;
    if (opt_has_range(opt) && (number < opt->min || number > opt->max))
        return ERR_ARGUMENT;
    *place = number;
    return 0;
}

static int set_choice(const struct opt *opt, int *place, const char *value)
{
    size_t len = strlen(value);
    int index = 0;
    for (const char *word = opt->choices; word; index++) {
        const char *bar = strchr(word, '|');
        size_t word_len = bar ? (size_t)(bar - word) : strlen(word);
        if (word_len == len && memcmp(word, value, len) == 0) {
            *place = index;
            return 0;
        }
        word = bar ? bar + 1 : NULL;
    }
    return ERR_ARGUMENT;
}

static int set_text(char **place, const char *value, struct err *err)
{
    char *copy = mem_copy_text(value, strlen(value), err);
    if (!copy)
        return ERR_MEMORY;
    mem_free(*place);
    *place = copy;
    return 0;
}

static bool list_is_default(const struct opt *opt, const struct opt_list *list)
{
    return list->count == 1 && opt->fallback && list->items[0] == opt->fallback;
}

static int list_append(struct opt_list *list, char *item, struct err *err)
{
    char **items = mem_resize(list->items, list->count, list->count + 1, sizeof *list->items, err);
    if (!items)
        return ERR_MEMORY;
    list->items = items;
    list->items[list->count++] = item;
    return 0;
}

static int set_list(const struct opt *opt, struct opt_list *list, const char *value,
                    struct err *err)
{
    char *copy = mem_copy_text(value, strlen(value), err);
    if (!copy)
        return ERR_MEMORY;
    if (list_is_default(opt, list)) {
        list->items[0] = copy;
        return 0;
    }
    int rc = list_append(list, copy, err);
    if (rc)
        mem_free(copy);
    return rc;
}

/* "'x' is not allowed for 'port': expected a whole number from 0 to 65535" */
static int refuse(const struct opt *opt, const char *value, struct err *err)
{
    const char *name = opt->name, *wanted = "";
    switch (opt->type) {
    case OPT_FLAG:
        wanted = "yes or no";
        break;
    case OPT_INT:
        wanted = "a whole number (k, M and G multiply by powers of 1024)";
        break;
    case OPT_REAL:
        wanted = "a number";
        break;
    case OPT_CHOICE:
        return err_set(err, ERR_ARGUMENT, "option '%s': '%.80s' is not one of %s", name, value,
                       opt->choices);
    case OPT_TEXT:
    case OPT_LIST:
        wanted = "a text";
        break;
    }
    if (opt_has_range(opt))
        return err_set(err, ERR_ARGUMENT, "option '%s': '%.80s' is not %s from %.12g to %.12g",
                       name, value, wanted, opt->min, opt->max);
    return err_set(err, ERR_ARGUMENT, "option '%s': '%.80s' is not %s", name, value, wanted);
}

static int opt_set_value(const struct opt *opt, void *target, const char *value, struct err *err)
{
    void *place = opt_place(opt, target);
    int rc = ERR_INTERNAL;
    switch (opt->type) {
    case OPT_FLAG:
        rc = set_flag(place, value);
        break;
    case OPT_INT:
        rc = set_int(opt, place, value);
        break;
    case OPT_REAL:
        rc = set_real(opt, place, value);
        break;
    case OPT_CHOICE:
        rc = set_choice(opt, place, value);
        break;
    case OPT_TEXT:
        return set_text(place, value, err);
    case OPT_LIST:
        return set_list(opt, place, value, err);
    }
    return rc ? refuse(opt, value, err) : 0;
}

static void opt_zero(const struct opt *opt, void *target)
{
    void *place = opt_place(opt, target);
    switch (opt->type) {
    case OPT_FLAG:
        *(bool *)place = false;
        break;
    case OPT_INT:
        *(int64_t *)place = 0;
        break;
    case OPT_REAL:
        *(double *)place = 0;
        break;
    case OPT_CHOICE:
        *(int *)place = 0;
        break;
    case OPT_TEXT:
        *(char **)place = NULL;
        break;
    case OPT_LIST:
        *(struct opt_list *)place = (struct opt_list){0};
        break;
    }
}

static int set_default(const struct opt *opt, void *target, struct err *err)
{
    if (opt->type == OPT_LIST)
        return list_append(opt_place(opt, target), (char *)(uintptr_t)opt->fallback, err);
    return opt_set_value(opt, target, opt->fallback, err);
}

int opt_defaults(const struct opt *table, void *target, struct err *err)
{
    for (const struct opt *opt = table; opt->name; opt++)
        opt_zero(opt, target);
    for (const struct opt *opt = table; opt->name; opt++) {
        int rc = opt->fallback ? set_default(opt, target, err) : 0;
        if (rc) {
            opt_release(table, target);
            return rc;
        }
    }
    return 0;
}

static void list_release(const struct opt *opt, struct opt_list *list)
{
    if (list_is_default(opt, list))
        list->count = 0;
    for (size_t i = 0; i < list->count; i++)
        mem_free(list->items[i]);
    mem_free(list->items);
}

void opt_release(const struct opt *table, void *target)
{
    for (const struct opt *opt = table; opt->name; opt++) {
        if (opt->type == OPT_TEXT)
            mem_free(*(char **)opt_place(opt, target));
        else if (opt->type == OPT_LIST)
            list_release(opt, opt_place(opt, target));
        opt_zero(opt, target);
    }
}

int opt_set(const struct opt *table, void *target, const char *name, const char *value,
            struct err *err)
{
    const struct opt *opt = opt_find(table, name, strlen(name));
    if (!opt)
        return err_set(err, ERR_NOT_FOUND, "unknown option '%.80s'", name);
    return opt_set_value(opt, target, value, err);
}
