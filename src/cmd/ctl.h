/* What the commands of dragomanctl share: settings, the connection, one request, complaints. */
#ifndef DRAGOMAN_CMD_CTL_H
#define DRAGOMAN_CMD_CTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
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
    bool json, help, version, alignment;
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

/* The commands. Connected already; each returns an exit code and has complained unless 0. */
int ctl_translate(struct ctl *ctl);
int ctl_classify(struct ctl *ctl);
int ctl_status(struct ctl *ctl);
int ctl_models(struct ctl *ctl);
int ctl_log(struct ctl *ctl);
int ctl_ping(struct ctl *ctl);

#endif
