/*
 * The option table of the daemon, and the defaults that depend on where and how it runs: models
 * are looked for beside the program first, so that a build tree and an installation both work
 * without any setting.
 */
#include "serve/conf.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "base/mem.h"
#include "serve/proto.h"

#define AT(member) offsetof(struct conf, member)
#define KIB 1024.0
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)

/* The fields of one option of each kind: struct opt has them in this order. */
#define ARGUMENT(name, letter, type, member, value, help)                                          \
    {                                                                                              \
        name, letter, type, OPT_ONLY_ARGUMENT, NULL, AT(member), NULL, 0, 0, NULL, value, NULL,    \
            help                                                                                   \
    }
#define TEXT(name, letter, type, member, value, help)                                              \
    {                                                                                              \
        name, letter, type, OPT_ANYWHERE, NULL, AT(member), NULL, 0, 0, NULL, value, NULL, help    \
    }
#define CHOICE(name, section, member, fallback, choices, value, help)                              \
    {                                                                                              \
        name, 0, OPT_CHOICE, OPT_ANYWHERE, section, AT(member), fallback, 0, 0, choices, value,    \
            NULL, help                                                                             \
    }
#define NUMBER(name, letter, section, member, fallback, min, max, unit, help)                      \
    {                                                                                              \
        name, letter, OPT_INT, OPT_ANYWHERE, section, AT(member), fallback, min, max, NULL, "N",   \
            unit, help                                                                             \
    }

const struct opt conf_table[] = {
    ARGUMENT("help", 'h', OPT_FLAG, help, NULL, "Print this list and exit"),
    ARGUMENT("version", 'V', OPT_FLAG, version, NULL, "Print the version and exit"),
    ARGUMENT("sample-config", 0, OPT_FLAG, sample_config, NULL,
             "Print a configuration file with every setting, its default and its meaning, and "
             "exit"),
    ARGUMENT("config", 'c', OPT_TEXT, config, "FILE", "Read settings from this file"),
    ARGUMENT("foreground", 'f', OPT_FLAG, foreground, NULL,
             "Stay in the foreground instead of becoming a daemon"),

    TEXT("listen", 'l', OPT_LIST, listen, "ADDRESS:PORT",
         "Listen here, or on a Unix socket written unix:PATH; port 0 takes a free one and prints "
         "it; 127.0.0.1:7740 where none is given"),
    TEXT("models", 'm', OPT_LIST, models, "FOLDER",
         "Serve the models in this folder; those shipped with the program where none is given"),
    TEXT("state", 's', OPT_TEXT, state, "FOLDER",
         "Keep the request log here; where unset $STATE_DIRECTORY, else $XDG_STATE_HOME/dragoman, "
         "else ~/.local/state/dragoman"),
    TEXT("pid-file", 0, OPT_TEXT, pid_file, "FILE", "Write the process id here while running"),
    TEXT("log-file", 0, OPT_TEXT, log_file, "FILE",
         "Append messages here; where unset they go to standard error in the foreground and to "
         "dragomand.log in the state folder otherwise"),
    CHOICE("log-level", NULL, log_level, "info", "error|warning|info|debug", "LEVEL",
           "The least important messages to log"),

    NUMBER("workers", 'w', "compute", workers, "0", 0, 1024, NULL,
           "Threads that compute; 0 takes one for each processor"),
    NUMBER("batch-rows", 0, "compute", batch_rows, "64", 16, 4096, NULL,
           "Hypotheses that one thread decodes together at most, for each model; a sentence needs "
           "as many as its beam; the last quarter is for clients that have none"),
    NUMBER("batch-wait", 0, "compute", batch_wait, "0", 0, 10000, "ms",
           "How long a text waits for others to be translated together with it, where none of its "
           "model is under way"),
    CHOICE("batching", "compute", batching, "continuous", "continuous|whole", "HOW",
           "Let sentences join and leave between any two steps, or form a batch of the requests "
           "that wait, finish it, and form the next: only there to compare with"),

    NUMBER("max-line", 0, "limits", max_line, "1M", KIB, 64 * MIB, "bytes", "Size of one message"),
    NUMBER("max-text", 0, "limits", max_text, "20000", 1, 16 * MIB, "bytes", "Size of one text"),
    NUMBER("max-texts", 0, "limits", max_texts, "256", 1, 65536, NULL, "Texts in one request"),
    NUMBER("max-tokens", 0, "limits", max_tokens, "4096", 1, MIB, NULL,
           "Tokens that one request may have generated"),
    NUMBER("max-rows", 0, "limits", max_rows, "4096", 1, 65536, NULL,
           "Rows of numbers in one request"),
    NUMBER("max-batch", 0, "limits", max_batch, "256", 1, 4096, NULL, "Requests in one batch"),
    NUMBER("max-pipeline", 0, "limits", max_pipeline, "1024", 1, 65536, NULL,
           "Unanswered requests of one connection, after which the server stops reading from it"),
    NUMBER("max-connections", 0, "limits", max_connections, "1024", 1, 65536, NULL,
           "Connections open at a time"),
    NUMBER("max-queue", 0, "limits", max_queue, "4096", 1, MIB, NULL,
           "Texts waiting for a model, after which requests are refused as overloaded"),
    NUMBER("max-memory", 0, "limits", max_memory, "256M", MIB, 1024 * GIB, "bytes",
           "Memory for what clients send and have not read, of all connections together"),
    NUMBER("max-output", 0, "limits", max_output, "64M", KIB, 64 * GIB, "bytes",
           "Answers that one client has not read, after which it is disconnected"),
    NUMBER("timeout", 0, "limits", timeout, "30000", 1, PROTO_MAX_TIMEOUT_MS, "ms",
           "Time for a request that names none"),
    NUMBER("idle-timeout", 0, "limits", idle_timeout, "600", 0, 1e6, "s",
           "Close a connection without traffic after so long; 0 never"),
    NUMBER("write-timeout", 0, "limits", write_timeout, "60", 1, 1e6, "s",
           "Disconnect a client that has read nothing of a waiting answer for so long"),
    NUMBER("drain-timeout", 0, "limits", drain_timeout, "10", 0, 3600, "s",
           "Time to finish requests when told to stop"),

    CHOICE("log-texts", "log", log_texts, "metadata", "off|metadata|full", "HOW",
           "What the request log keeps: nothing, sizes and times, or the texts too"),
    NUMBER("log-queue", 0, "log", log_queue, "8192", 16, MIB, NULL,
           "Rows waiting for the disk, after which rows are dropped and counted"),
    NUMBER("log-keep-days", 0, "log", log_keep_days, "30", 0, 36500, "days",
           "Delete rows that are older; 0 never"),
    NUMBER("log-keep-rows", 0, "log", log_keep_rows, "1000000", 0, GIB, NULL,
           "Delete the oldest rows beyond this number; 0 never"),
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
    *conf = (struct conf){.log_fd = -1, .argc = argc, .argv = argv};
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

/* Whether one of the folder's sub-folders is a bundle. */
static bool holds_bundles(const char *path)
{
    DIR *folder = opendir(path);
    bool found = false;
    const struct dirent *entry;
    char file[2 * PATH_MAX];
    while (folder && !found && (entry = readdir(folder))) {
        int len = snprintf(file, sizeof file, "%s/%s/model.json", path, entry->d_name);
        found = len > 0 && (size_t)len < sizeof file && file_exists(file);
    }
    if (folder)
        closedir(folder);
    return found;
}

/* In this order: a build at the top of the source tree, one in a folder or a folder's folder of it,
   an installation wherever it was moved to, and where it was configured to go. None: the server
   starts without models. */
static int default_models(struct conf *conf, struct err *err)
{
    static const char *const places[] = {"models", "../models", "../../models",
                                         "../share/dragoman/models"};
    char folder[PATH_MAX], path[PATH_MAX + 32], real[PATH_MAX];
    program_folder(folder, sizeof folder);
    for (size_t i = 0; folder[0] && i < sizeof places / sizeof places[0]; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, places[i]);
        if (holds_bundles(path) && realpath(path, real))
            return list_append(&conf->models, real, err);
    }
    if (file_exists(DRAGOMAN_MODELS_DIR))
        return list_append(&conf->models, DRAGOMAN_MODELS_DIR, err);
    return 0;
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

/* A log file that can be opened takes the place of the one before; both keep one descriptor, so
   that a thread that is writing notices nothing. */
int conf_open_log(struct conf *conf, struct err *err)
{
    char path[PATH_MAX];
    log_set_level((enum log_level)conf->log_level);
    if (conf->log_file)
        snprintf(path, sizeof path, "%s", conf->log_file);
    else if (!conf->foreground && conf->state && file_make_folders(conf->state, NULL) == 0)
        snprintf(path, sizeof path, "%s/dragomand.log", conf->state);
    else
        return 0;
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    if (fd < 0)
        return err_errno(err, "cannot open the log file %s", path);
    if (conf->log_fd < 0) {
        conf->log_fd = fd;
        log_set_fd(fd);
        return 0;
    }
    int rc = dup3(fd, conf->log_fd, O_CLOEXEC) < 0 ? err_errno(err, "cannot reopen %s", path) : 0;
    close(fd);
    return rc;
}

int conf_reload(struct conf *conf, struct err *err)
{
    struct conf fresh;
    int rc = conf_load(&fresh, conf->argc, conf->argv, err);
    if (rc == 0)
        rc = conf_complete(&fresh, err);
    if (rc == 0) {
        struct opt_list models = conf->models;
        conf->models = fresh.models;
        fresh.models = models;
        conf->log_level = fresh.log_level;
        conf->max_text = fresh.max_text;
        conf->max_texts = fresh.max_texts;
        conf->max_batch = fresh.max_batch;
        conf->max_tokens = fresh.max_tokens;
        conf->max_rows = fresh.max_rows;
        conf->timeout = fresh.timeout;
        conf->drain_timeout = fresh.drain_timeout;
        if (conf->log_texts != CONF_LOG_OFF && fresh.log_texts != CONF_LOG_OFF)
            conf->log_texts = fresh.log_texts;
    }
    conf_release(&fresh);
    return rc < 0 ? rc : conf_open_log(conf, err);
}

void conf_release(struct conf *conf)
{
    if (conf->log_fd >= 0) {
        log_set_fd(STDERR_FILENO);
        close(conf->log_fd);
        conf->log_fd = -1;
    }
    opt_release(conf_table, conf);
}
