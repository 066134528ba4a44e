/*
 * Looking at the model folders again, on SIGHUP or admin.reload, while requests go on: a thread
 * opens the new registry, the event thread swaps it in. Everything here is called on the event
 * thread. A reload that is asked for while one runs starts when that is done, since the files
 * may have changed in between.
 */
#ifndef DRAGOMAN_SERVE_RELOAD_H
#define DRAGOMAN_SERVE_RELOAD_H

#include "serve/reply.h"
#include "serve/server_parts.h"

struct reload *reload_new(struct server *server, struct err *err);
/* Waits for the thread; whoever still waits is answered through the mailbox, so deliver that
   before reload_free. No reload starts any more. */
void reload_stop(struct reload *reload);
void reload_free(struct reload *reload);

void reload_start(struct reload *reload); /* for SIGHUP: nobody waits */
/* Will fill the slot when done. False: call->error is set, the slot is the caller's to fill. */
bool reload_ask(struct reload *reload, struct reply *reply, size_t slot,
                struct proto_message *message, struct proto_call *call);

#endif
