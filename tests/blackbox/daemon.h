/*
 * Starts dragomand for a test and stops it again. The daemon listens on a free port of the loopback
 * interface, keeps its state in a temporary folder, and writes its log to a file there, which is
 * shown when something goes wrong.
 */
#ifndef DRAGOMAN_TESTS_DAEMON_H
#define DRAGOMAN_TESTS_DAEMON_H

#include <stdbool.h>
#include <sys/types.h>

#define DAEMON_MAX_ARGUMENTS 32
#define DAEMON_PATIENCE_MS 60000 /* for whatever should happen at once */

struct daemon {
    pid_t pid;
    char folder[256];  /* temporary, with state/, models/ and log inside */
    char address[256]; /* "127.0.0.1:PORT" */
};

/* Where the programs were built: $top_builddir, else ".". And the sources. */
const char *daemon_build_folder(void);
const char *daemon_source_folder(void);
bool daemon_exists(void); /* whether there is a program to start */

/* Starts it on `models`, or with NULL on tiny bundles that are made first; `arguments` are added
   to the command line and end with NULL. Returns when it listens. Complains and cleans up where
   that fails. */
bool daemon_start(struct daemon *daemon, const char *models, char *const *arguments);
/* SIGTERM; true when it then exits with status 0. Removes the temporary folder. */
bool daemon_stop(struct daemon *daemon);

#endif
