/*
 * Whether a call that needs a model may become a request, and on which model. Nothing waits
 * here: what does not fit is refused at once, with the time after which to try again.
 */
#ifndef DRAGOMAN_SERVE_ADMIT_H
#define DRAGOMAN_SERVE_ADMIT_H

#include "model/registry.h"
#include "serve/proto.h"

/* The model that a call means, whose parameters are checked. NULL: call->error says why. */
struct model *admit_model(const struct registry *registry, struct proto_call *call);
/* How many numbers a feature vector, or each row of a grid, has for this model of generation; 0
   where it takes none. */
size_t admit_features(const struct spec *spec);
/* Refuses the call as overloaded where more memory is in use than allowed. */
void admit_memory(struct proto_call *call, size_t used, size_t allowed);
/* Refuses it because the queue has no room for its texts. */
void admit_refuse_queue(struct proto_call *call);

#endif
