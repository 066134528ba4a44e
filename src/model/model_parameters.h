/* The parameters of an opened model, whatever its network is. */
#ifndef DRAGOMAN_MODEL_MODEL_PARAMETERS_H
#define DRAGOMAN_MODEL_MODEL_PARAMETERS_H

#include "model/bag.h"
#include "model/model.h"
#include "model/rnn.h"
#include "model/seq2seq.h"

struct model_parameters {
    struct parameter list[SEQ2SEQ_MAX_PARAMETERS]; /* the most that any network has */
    size_t count;
    union { /* sizes and pointers of the one that the model has; slots and forms point here */
        struct seq2seq seq2seq;
        struct rnn rnn;
        struct bag bag;
    } network;
};

/* In fresh memory (mem_free), NULL on failure. */
struct model_parameters *model_parameters(const struct model *model, struct err *err);

#endif
