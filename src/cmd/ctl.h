/* What the commands of dragomanctl share: settings, the connection, one request, complaints. */
#ifndef DRAGOMAN_CMD_CTL_H
#define DRAGOMAN_CMD_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/opt.h"
#include "dragoman/client.h"

enum ctl_exit {
    CTL_FINE = 0,
    CTL_REFUSED = 1,    /* the server answered an error, for one line at least */
    CTL_USAGE = 2,      /* the command line makes no sense */
    CTL_CONNECTION = 3, /* no connection, or it was lost */
    CTL_TIMEOUT = 4,    /* connecting or an answer took too long */
    CTL_FAILED = 5,     /* a failure on this side: memory, input, output */
};

/* How JSON is printed: one line, digits enough for the server's single precision. */
#define CTL_DUMP (JSON_COMPACT | JSON_REAL_PRECISION(9))

struct ctl_settings {
    char *connect;
    double timeout; /* seconds */
    bool json, help, version, alignment, explain, rows;
    char *label, *features;
    struct opt_list stop;
    double temperature, top_p;
    int64_t max_tokens, top_k, seed;                   /* 0: not given */
    char *source, *target, *model;                     /* NULL: not given */
    int64_t beam, nbest, top, in_flight, limit, count; /* the first three 0: not given */
    int64_t since;                                     /* seconds before now, 0: not given */
};

struct ctl {
    struct ctl_settings settings;
    struct dragoman_client *client;
    char **texts; /* arguments after the command */
    int text_count;
};

/* Writes "dragomanctl: " and the message to stderr. */
void ctl_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Complains about a failed call of the client and gives the exit code for it. */
int ctl_client_failed(const struct ctl *ctl, int code);
/* Complains about the "error" object of an answer: `what` was refused, message, code, reason. */
void ctl_refused(const char *what, const json_t *error);
int ctl_timeout_ms(const struct ctl *ctl);
/* One request and its answer. `params` is stolen and may be NULL. Returns an exit code and, with
   CTL_FINE, a new reference in *result; has complained otherwise. */
int ctl_ask(struct ctl *ctl, const char *method, json_t *params, json_t **result);
/* The parts of it, for those to whom more than one line comes back. */
int ctl_send(struct ctl *ctl, const char *method, json_t *params);
int ctl_receive(struct ctl *ctl, const char **line, size_t *len);
int ctl_open(const char *method, const char *line, size_t len, json_t **result);

/* Adds a parameter where the option was given. */
void ctl_put_text(json_t *params, const char *name, const char *value);
void ctl_put_number(json_t *params, const char *name, int64_t value);
/* "0.1,0.5;0.3,0.2" (text/rows.h) as an array of arrays, or NULL. */
json_t *ctl_rows(const char *text, size_t len, struct err *err);

/* The commands. Connected already; each returns an exit code and has complained unless 0. */
int ctl_translate(struct ctl *ctl);
int ctl_classify(struct ctl *ctl);
int ctl_generate(struct ctl *ctl);
int ctl_tag(struct ctl *ctl);
int ctl_regress(struct ctl *ctl);
int ctl_status(struct ctl *ctl);
int ctl_models(struct ctl *ctl);
int ctl_log(struct ctl *ctl);
int ctl_ping(struct ctl *ctl);

#endif
