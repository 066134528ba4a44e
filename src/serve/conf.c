/*
 * The option table of the daemon, and the defaults that depend on where and how it runs: models
 * are looked for beside the program first, so that a build tree and an installation both work
 * without any setting.
 */
#include "serve/conf.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

#define AT(member) offsetof(struct conf, member)
#define KIB 1024.0
#define MIB (1024.0 * 1024.0)

const struct opt conf_table[] = {
    {.name = "help",
     .letter = 'h',
     .type = OPT_FLAG,
     .scope = OPT_ONLY_ARGUMENT,
     .offset = AT(help),
     .help = "Print this list and exit"},
    {.name = "version",
     .letter = 'V',
     .type = OPT_FLAG,
     .scope = OPT_ONLY_ARGUMENT,
     .offset = AT(version),
     .help = "Print the version and exit"},
    {.name = "sample-config",
     .type = OPT_FLAG,
     .scope = OPT_ONLY_ARGUMENT,
     .offset = AT(sample_config),
     .help =
         "Print a configuration file with every setting, its default and its meaning, and exit"},
    {.name = "config",
     .letter = 'c',
     .type = OPT_TEXT,
     .scope = OPT_ONLY_ARGUMENT,
     .offset = AT(config),
     .value = "FILE",
     .help = "Read settings from this file"},
    {.name = "foreground",
     .letter = 'f',
     .type = OPT_FLAG,
     .scope = OPT_ONLY_ARGUMENT,
     .offset = AT(foreground),
     .help = "Stay in the foreground instead of becoming a daemon"},

    {.name = "listen",
     .letter = 'l',
     .type = OPT_LIST,
     .offset = AT(listen),
     .value = "ADDRESS:PORT",
     .help = "Listen here, or on a Unix socket written unix:PATH; port 0 takes a free one "
             "and prints it; may be repeated; 127.0.0.1:7740 where none is given"},
    {.name = "models",
     .letter = 'm',
     .type = OPT_LIST,
     .offset = AT(models),
     .value = "FOLDER",
     .help = "Serve the models in this folder; may be repeated; those shipped with the program "
             "where none is given"},
    {.name = "state",
     .letter = 's',
     .type = OPT_TEXT,
     .offset = AT(state),
     .value = "FOLDER",
     .help = "Keep the request log here; where unset $STATE_DIRECTORY, else "
             "$XDG_STATE_HOME/dragoman, else ~/.local/state/dragoman"},
    {.name = "pid-file",
     .type = OPT_TEXT,
     .offset = AT(pid_file),
     .value = "FILE",
     .help = "Write the process id here while running"},
    {.name = "log-file",
     .type = OPT_TEXT,
     .offset = AT(log_file),
     .value = "FILE",
     .help = "Append messages here; where unset they go to standard error in the foreground "
             "and to dragomand.log in the state folder otherwise"},
    {.name = "log-level",
     .type = OPT_CHOICE,
     .offset = AT(log_level),
     .fallback = "info",
     .choices = "error|warning|info|debug",
     .value = "LEVEL",
     .help = "The least important messages to log"},

    {.name = "workers",
     .letter = 'w',
     .type = OPT_INT,
     .section = "compute",
     .offset = AT(workers),
     .fallback = "0",
     .min = 0,
     .max = 1024,
     .value = "N",
     .help = "Threads that compute; 0 takes one for each processor"},
    {.name = "batch-rows",
     .type = OPT_INT,
     .section = "compute",
     .offset = AT(batch_rows),
     .fallback = "64",
     .min = 16,
     .max = 4096,
     .value = "N",
     .help = "Hypotheses that one thread decodes together at most, for each model; a sentence "
             "needs as many as its beam"},

    {.name = "max-line",
     .type = OPT_INT,
     .section = "limits",
     .offset = AT(max_line),
     .fallback = "1M",
     .min = KIB,
     .max = 64 * MIB,
     .value = "N",
     .unit = "bytes",
     .help = "Size of one message"},
    {.name = "max-text",
     .type = OPT_INT,
     .section = "limits",
     .offset = AT(max_text),
     .fallback = "20000",
     .min = 1,
     .max = 16 * MIB,
     .value = "N",
     .unit = "bytes",
     .help = "Size of one text"},
    {.name = "max-texts",
     .type = OPT_INT,
     .section = "limits",
     .offset = AT(max_texts),
     .fallback = "256",
     .min = 1,
     .max = 65536,
     .value = "N",
     .help = "Texts in one request"},
    {.name = "max-batch",
     .type = OPT_INT,
     .section = "limits",
     .offset = AT(max_batch),
     .fallback = "256",
     .min = 1,
     .max = 4096,
     .value = "N",
     .help = "Requests in one batch"},
    {.name = "max-pipeline",
     .type = OPT_INT,
     .section = "limits",
     .offset = AT(max_pipeline),
     .fallback = "1024",
     .min = 1,
     .max = 65536,
     .value = "N",
     .help = "Unanswered requests of one connection, after which the server stops reading from it"},
    {.name = "max-connections",
     .type = OPT_INT,
     .section = "limits",
     .offset = AT(max_connections),
     .fallback = "1024",
     .min = 1,
     .max = 65536,
     .value = "N",
     .help = "Connections open at a time"},
    {.name = "max-queue",
     .type = OPT_INT,
     .section = "limits",
     .offset = AT(max_queue),
     .fallback = "4096",
     .min = 1,
     .max = 1e6,
     .value = "N",
     .help = "Texts waiting for a model, after which requests are refused as overloaded"},
    {.name = "max-memory",
     .type = OPT_INT,
     .section = "limits",
     .offset = AT(max_memory),
     .fallback = "256M",
     .min = MIB,
     .max = 1e15,
     .value = "N",
     .unit = "bytes",
     .help = "Memory for what clients send and have not read, of all connections together"},
    {.name = "max-output",
     .type = OPT_INT,
     .section = "limits",
     .offset = AT(max_output),
     .fallback = "64M",
     .min = KIB,
     .max = 1e12,
     .value = "N",
     .unit = "bytes",
     .help = "Answers that one client has not read, after which it is disconnected"},
    {.name = "timeout",
     .type = OPT_INT,
     .section = "limits",
     .offset = AT(timeout),
     .fallback = "30000",
     .min = 1,
     .max = 600000,
     .value = "N",
     .unit = "ms",
     .help = "Time for a request that names none"},
    {.name = "idle-timeout",
     .type = OPT_INT,
     .section = "limits",
     .offset = AT(idle_timeout),
     .fallback = "600",
     .min = 0,
     .max = 1e6,
     .value = "N",
     .unit = "s",
     .help = "Close a connection without traffic after so long; 0 never"},
    {.name = "write-timeout",
     .type = OPT_INT,
     .section = "limits",
     .offset = AT(write_timeout),
     .fallback = "60",
     .min = 1,
     .max = 1e6,
     .value = "N",
     .unit = "s",
     .help = "Disconnect a client that has read nothing of a waiting answer for so long"},
    {.name = "drain-timeout",
     .type = OPT_INT,
     .section = "limits",
     .offset = AT(drain_timeout),
     .fallback = "10",
     .min = 0,
     .max = 3600,
     .value = "N",
     .unit = "s",
     .help = "Time to finish requests when told to stop"},

    {.name = "log-texts",
     .type = OPT_CHOICE,
     .section = "log",
     .offset = AT(log_texts),
     .fallback = "metadata",
     .choices = "off|metadata|full",
     .value = "HOW",
     .help = "What the request log keeps: nothing, sizes and times, or the texts too"},
    {.name = "log-queue",
     .type = OPT_INT,
     .section = "log",
     .offset = AT(log_queue),
     .fallback = "8192",
     .min = 16,
     .max = 1e6,
     .value = "N",
     .help = "Rows waiting for the disk, after which rows are dropped and counted"},
    {.name = "log-keep-days",
     .type = OPT_INT,
     .section = "log",
     .offset = AT(log_keep_days),
     .fallback = "30",
     .min = 0,
     .max = 36500,
     .value = "N",
     .unit = "days",
     .help = "Delete rows that are older; 0 never"},
    {.name = "log-keep-rows",
     .type = OPT_INT,
     .section = "log",
     .offset = AT(log_keep_rows),
     .fallback = "1000000",
     .min = 0,
     .max = 1e12,
     .value = "N",
     .help = "Delete the oldest rows beyond this number; 0 never"},
    {.name = NULL},
};

static void list_clear(struct opt_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        mem_free(list->items[i]);
    mem_free(list->items);
    *list = (struct opt_list){0};
}

static int list_append(struct opt_list *list, const char *text, struct err *err)
{
    char **items = mem_resize(list->items, list->count, list->count + 1, sizeof *items, err);
    if (!items)
        return ERR_MEMORY;
    list->items = items;
    items[list->count] = mem_copy_text(text, strlen(text), err);
    if (!items[list->count])
        return ERR_MEMORY;
    list->count++;
    return 0;
}

static int parse_arguments(struct conf *conf, int argc, char **argv, struct err *err)
{
    int positional = 0;
    int rc = opt_parse_arguments(conf_table, conf, argc, argv, &positional, err);
    if (rc < 0)
        return rc;
    if (positional > 0)
        return err_set(err, ERR_ARGUMENT, "unexpected argument '%s'", argv[1]);
    return 0;
}

/* The arguments are read twice: to find the file, and again to overrule it. */
static int load_with_file(struct conf *conf, const char *path, const struct conf *arguments,
                          int argc, char **argv, struct err *err)
{
    int rc = opt_parse_file(conf_table, conf, path, err);
    if (rc < 0)
        return rc;
    if (arguments->listen.count > 0)
        list_clear(&conf->listen);
    if (arguments->models.count > 0)
        list_clear(&conf->models);
    return parse_arguments(conf, argc, argv, err);
}

int conf_load(struct conf *conf, int argc, char **argv, struct err *err)
{
    *conf = (struct conf){0};
    struct conf arguments = {0};
    int rc = opt_defaults(conf_table, conf, err);
    if (rc == 0)
        rc = opt_defaults(conf_table, &arguments, err);
    if (rc == 0)
        rc = parse_arguments(&arguments, argc, argv, err);
    if (rc == 0 && arguments.config)
        rc = load_with_file(conf, arguments.config, &arguments, argc, argv, err);
    else if (rc == 0)
        rc = parse_arguments(conf, argc, argv, err);
    opt_release(conf_table, &arguments);
    if (rc == 0 && conf->max_texts > conf->max_queue)
        rc =
            err_set(err, ERR_ARGUMENT, "max-texts (%lld) must not be greater than max-queue (%lld)",
                    (long long)conf->max_texts, (long long)conf->max_queue);
    conf->state_given = conf->state != NULL;
    return rc;
}

/* The folder that holds this program, in `path`; "" when it cannot be known. */
static void program_folder(char *path, size_t size)
{
    ssize_t len = readlink("/proc/self/exe", path, size - 1);
    path[len > 0 ? len : 0] = '\0';
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
}

/* In this order: a build at the top of the source tree, one in a folder or a folder's folder of it,
   an installation wherever it was moved to, and where it was configured to go. */
static int default_models(struct conf *conf, struct err *err)
{
    static const char *const places[] = {"models", "../models", "../../models",
                                         "../share/dragoman/models"};
    char folder[PATH_MAX], path[PATH_MAX + 32], real[PATH_MAX];
    program_folder(folder, sizeof folder);
    for (size_t i = 0; folder[0] && i < sizeof places / sizeof places[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, places[i]);
        if (file_exists(path) && realpath(path, real))
            return list_append(&conf->models, real, err);
    }
    return list_append(&conf->models, DRAGOMAN_MODELS_DIR, err);
}

static int default_state(struct conf *conf, struct err *err)
{
    const char *systemd = getenv("STATE_DIRECTORY"), *xdg = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    char path[PATH_MAX];
    if (systemd && systemd[0] == '/') /* several folders are separated by colons */
        snprintf(path, sizeof path, "%.*s", (int)strcspn(systemd, ":"), systemd);
    else if (xdg && xdg[0] == '/')
        snprintf(path, sizeof path, "%s/dragoman", xdg);
    else if (home && home[0] == '/')
        snprintf(path, sizeof path, "%s/.local/state/dragoman", home);
    else
        return 0;
    conf->state = mem_copy_text(path, strlen(path), err);
    return conf->state ? 0 : ERR_MEMORY;
}

int conf_complete(struct conf *conf, struct err *err)
{
    int rc = 0;
    if (conf->listen.count == 0)
        rc = list_append(&conf->listen, "127.0.0.1:7740", err);
    if (rc == 0 && conf->models.count == 0)
        rc = default_models(conf, err);
    if (rc == 0 && !conf->state)
        rc = default_state(conf, err);
    if (conf->workers == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        conf->workers = cores > 0 ? cores : 1;
    }
    return rc;
}

void conf_release(struct conf *conf)
{
    opt_release(conf_table, conf);
}
