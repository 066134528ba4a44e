/* Listening sockets, TCP and Unix. */
#ifndef DRAGOMAN_SERVE_LISTEN_H
#define DRAGOMAN_SERVE_LISTEN_H

#include <stddef.h>

#include "base/err.h"

#define LISTEN_NAME_SIZE 160

/*
 * Opens "ADDRESS:PORT", "[ADDRESS]:PORT" or "unix:PATH"; port 0 takes a free one. *fd is
 * non-blocking and closed on exec. `name` becomes the address as it now is, with the port in
 * numbers. A Unix socket that nobody listens on any more is replaced.
 */
int listen_open(const char *address, int *fd, char name[LISTEN_NAME_SIZE], struct err *err);
/* The path of a name of a Unix socket, to be unlinked at the end; NULL for the others. */
const char *listen_path(const char *name);

#endif
