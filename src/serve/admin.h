/* Administration: the request log and reloading the models. Event thread only; each fills the slot,
   now or later. */
#ifndef DRAGOMAN_SERVE_ADMIN_H
#define DRAGOMAN_SERVE_ADMIN_H

#include "serve/reply.h"
#include "serve/server_parts.h"

void admin_log(struct server *server, struct reply *reply, size_t slot,
               struct proto_message *message, struct proto_call *call);
void admin_reload(struct server *server, struct reply *reply, size_t slot,
                  struct proto_message *message, struct proto_call *call);

#endif
