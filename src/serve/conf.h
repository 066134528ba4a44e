/*
 * The daemon's settings: one table of options (base/opt.h) gives the command line, the
 * configuration file, --help, the sample configuration and the option list of dragomand(8).
 * Defaults, then the file, then the command line; a list given on the command line replaces the
 * file's.
 *
 * A struct conf belongs to the event thread. conf_reload changes it; the thread that reloads models
 * reads `models` only while no conf_reload can run.
 */
#ifndef DRAGOMAN_SERVE_CONF_H
#define DRAGOMAN_SERVE_CONF_H

#include "base/opt.h"

enum conf_batching { CONF_BATCHING_CONTINUOUS, CONF_BATCHING_WHOLE };
enum conf_log_texts { CONF_LOG_OFF, CONF_LOG_METADATA, CONF_LOG_FULL };

struct conf {
    bool help, version, sample_config;
    char *config;
    struct opt_list listen, models;
    char *state;
    bool state_given; /* `state` was set by the user: being unable to use it is an error */
    bool foreground;
    char *pid_file, *log_file;
    int log_level;                           /* enum log_level */
    int64_t workers, batch_rows, batch_wait; /* ms */
    int batching;                            /* enum conf_batching */
    int64_t max_line, max_text, max_texts, max_batch, max_pipeline, max_connections, max_queue;
    int64_t max_memory, max_output, max_tokens, max_rows;
    int64_t timeout, idle_timeout, write_timeout, drain_timeout; /* ms, s, s, s */
    int log_texts;                                               /* enum conf_log_texts */
    int64_t log_queue, log_keep_days, log_keep_rows;
    int log_fd; /* of the log file; -1: standard error */
    int argc;   /* the command line, for conf_reload */
    char **argv;
};

extern const struct opt conf_table[];

/* The first lines of the sample configuration; opt_sample writes the rest. */
#define CONF_SAMPLE_HEADING                                                                        \
    "# Settings of dragomand(8). Each is shown with its default; a setting on the command line\n"  \
    "# overrules the one here. Numbers may end in k, M or G (powers of 1024).\n"

/* Fills `conf` from defaults, the file that the arguments name and the arguments. --help,
   --version and --sample-config only set their flags: the caller looks at them first. Release with
   conf_release, also after a failure. */
int conf_load(struct conf *conf, int argc, char **argv, struct err *err);
/* Fills in what has no fixed default: listen, models, state, workers. */
int conf_complete(struct conf *conf, struct err *err);
/* Points the program's log at the file that the settings name, or that a daemon has in its state
   folder, and sets its level; called again, opens the file anew, for those who rotate it. */
int conf_open_log(struct conf *conf, struct err *err);
/* Reads file and command line again and takes over what can change while serving: models, log
   level and file, what the log keeps (but not whether there is one), max-text, max-texts,
   max-batch, timeout, drain-timeout. After a failure all is as before. */
int conf_reload(struct conf *conf, struct err *err);
void conf_release(struct conf *conf);

#endif
