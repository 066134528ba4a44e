/* Fuzz target: option tables against any bytes, as a configuration file and as arguments. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/opt.h"

struct settings {
    bool flag;
    int64_t number;
    double real;
    char *text;
    int choice;
    struct opt_list list;
};

#define AT(member) offsetof(struct settings, member)

static const struct opt table[] = {
    {"flag", 'f', OPT_FLAG, OPT_ANYWHERE, NULL, AT(flag), "yes", 0, 0, NULL, NULL, NULL, "a flag"},
    {"number", 'n', OPT_INT, OPT_ANYWHERE, "one", AT(number), "5", -10, 1048576, NULL, "N", NULL,
     "a number"},
    {"real", 'r', OPT_REAL, OPT_ANYWHERE, "one", AT(real), "0.5", 0, 1, NULL, "X", NULL, "a real"},
    {"text", 't', OPT_TEXT, OPT_ANYWHERE, "two", AT(text), NULL, 0, 0, NULL, "TEXT", NULL, "text"},
    {"choice", 'c', OPT_CHOICE, OPT_ANYWHERE, NULL, AT(choice), "b", 0, 0, "a|b|cc", "WORD", NULL,
     "a choice"},
    {"list", 'l', OPT_LIST, OPT_ANYWHERE, "two", AT(list), "first", 0, 0, NULL, "TEXT", NULL,
     "a list"},
    {.name = NULL},
};

/* What any input must leave behind: values within their limits, and an error if and only if the
   return code says so. */
static void check(const struct settings *settings, int rc, const struct err *err)
{
    if (settings->number < -10 || settings->number > 1048576 ||
        !(settings->real >= 0 && settings->real <= 1) || settings->choice < 0 ||
        settings->choice > 2 || rc != (int)err->code || (rc != 0) != (err->message[0] != '\0'))
        abort();
}

static void as_file(const uint8_t *data, size_t size)
{
    struct settings settings;
    struct err err = ERR_INIT;
    char path[64];
    int fd = memfd_create("options", MFD_CLOEXEC);
    if (fd < 0 || write(fd, data, size) != (ssize_t)size)
        abort();
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (opt_defaults(table, &settings, &err))
        abort();
    check(&settings, opt_parse_file(table, &settings, path, &err), &err);
    opt_release(table, &settings);
    close(fd);
}

/* Each line is one argument. */
static void as_arguments(const uint8_t *data, size_t size)
{
    struct settings settings;
    struct err err = ERR_INIT;
    char *text = calloc(size + 1, 1), *argv[64] = {"prog"}, *rest;
    if (!text)
        abort();
    if (size)
        memcpy(text, data, size);
    int argc = 1, count;
    for (char *word = strtok_r(text, "\n", &rest); word && argc < 64;
         word = strtok_r(NULL, "\n", &rest))
        argv[argc++] = word;
    if (opt_defaults(table, &settings, &err))
        abort();
    check(&settings, opt_parse_arguments(table, &settings, argc, argv, &count, &err), &err);
    if (count < 0 || count >= argc + (argc == 1))
        abort();
    opt_release(table, &settings);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    as_file(data, size);
    as_arguments(data, size);
    return 0;
}
