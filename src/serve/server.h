/*
 * The server: everything put together, one event thread and its helpers.
 *
 * server_new, server_run and server_free are called by one thread, which becomes the event thread;
 * SIGTERM and SIGINT end server_run in good order, SIGHUP reloads. The configuration must outlive
 * the server; a reload may change it.
 */
#ifndef DRAGOMAN_SERVE_SERVER_H
#define DRAGOMAN_SERVE_SERVER_H

#include "serve/conf.h"

struct server;
/* Loads the models, opens the log, starts the threads and listens: clients are served as soon as
   server_run is called, and wait until then. */
struct server *server_new(struct conf *conf, struct err *err);
/* Serves until told to stop and all is answered or drain_timeout is over. */
int server_run(struct server *server, struct err *err);
void server_free(struct server *server);

size_t server_listener_count(const struct server *server);
const char *server_listener_name(const struct server *server, size_t index);

#endif
