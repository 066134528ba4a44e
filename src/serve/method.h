/* A line from a client, carried out: parsed, each call answered at once or made a request. */
#ifndef DRAGOMAN_SERVE_METHOD_H
#define DRAGOMAN_SERVE_METHOD_H

#include "serve/server_parts.h"

/* The functions of struct conn_settings; context is the server. */
void method_line(void *context, struct conn *conn, const char *line, size_t len);
void method_overflow(void *context, struct conn *conn, enum conn_overflow why);

/* The line, with its line feed, for a client that finds no room. */
int method_write_refusal(struct buf *line, struct err *err);

#endif
