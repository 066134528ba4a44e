/* Which model a call means, and the errors where it means none. Pure but for reading the
   registry. */
#ifndef DRAGOMAN_SERVE_ROUTE_H
#define DRAGOMAN_SERVE_ROUTE_H

#include "model/registry.h"
#include "serve/proto.h"

/* For a translate or classify call whose parameters are checked. NULL: call->error says why. */
struct model *route_find(const struct registry *registry, struct proto_call *call);

#endif
