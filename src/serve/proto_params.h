/* Parameters of each method: names, types and ranges from one table, and the checks of texts and
   numbers. */
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

/* The parts of it. First the types: a string or an array of strings; an array of numbers or, what
   alone is allowed where `grid`, an array of arrays of numbers. */
void proto_check_texts(struct proto_error *error, const char *name, const json_t *value);
void proto_check_numbers(struct proto_error *error, const char *name, const json_t *value,
                         bool grid);
/* Then the values, whose types are right. Fill call->params or set call->error; ERR_MEMORY. */
int proto_take_texts(struct proto_call *call, const char *name, const json_t *value,
                     const struct proto_context *context, struct err *err); /* NULL: one, empty */
int proto_take_stops(struct proto_call *call, const char *name, const json_t *value,
                     struct err *err);
int proto_take_numbers(struct proto_call *call, const char *name, const json_t *value,
                       const struct proto_context *context, struct err *err);

#endif
