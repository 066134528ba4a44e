/* Parameters of each method: names, types and ranges from one table, and the checks of texts. */
#ifndef DRAGOMAN_SERVE_PROTO_PARAMS_H
#define DRAGOMAN_SERVE_PROTO_PARAMS_H

#include <jansson.h>

#include "serve/proto.h"

/* Fills call->params from `params` (an object, or NULL where the request has none) or sets
   call->error. Texts and names point into `params`. Returns 0 or ERR_MEMORY. Release with
   proto_params_release. */
int proto_params_parse(struct proto_call *call, const json_t *params,
                       const struct proto_context *context, struct err *err);
void proto_params_release(struct proto_params *params);

#endif
