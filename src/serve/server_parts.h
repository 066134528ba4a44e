/* The server's insides, shared by the files that make it up and seen by nobody else. All of it
   belongs to the event thread. */
#ifndef DRAGOMAN_SERVE_SERVER_PARTS_H
#define DRAGOMAN_SERVE_SERVER_PARTS_H

#include <event2/event.h>

#include "base/rng.h"
#include "model/registry.h"
#include "serve/batcher.h"
#include "serve/conf.h"
#include "serve/conn.h"
#include "serve/mailbox.h"
#include "serve/reqlog.h"
#include "serve/stats.h"
#include "serve/worker.h"

struct listener;
struct reload;
struct request;

struct server {
    struct conf *conf;
    struct event_base *base;
    struct mailbox *mailbox;
    struct event *mail, *terminate, *interrupt, *hangup, *drain_end;
    struct registry *registry;
    struct batcher *batcher;
    struct workers *workers;
    struct reqlog *reqlog; /* NULL: no log */
    struct conn_table *connections;
    struct listener **listeners;
    size_t listener_count;
    struct request *requests; /* in flight */
    size_t in_flight;
    size_t memory; /* bytes of buffers and requests */
    struct stats stats;
    struct rng rng; /* gives seeds to those who bring none */
    struct reload *reload;
    bool draining;
};

#endif
