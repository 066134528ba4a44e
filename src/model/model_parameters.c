#include "model/model_parameters.h"

#include "base/mem.h"

_Static_assert(SEQ2SEQ_MAX_PARAMETERS >= RNN_MAX_PARAMETERS, "the list holds any network's");
_Static_assert(SEQ2SEQ_MAX_PARAMETERS >= BAG_MAX_PARAMETERS, "the list holds any network's");

struct model_parameters *model_parameters(const struct model *model, struct err *err)
{
    struct model_parameters *all = mem_alloc(1, sizeof *all, err);
    if (!all)
        return NULL;
    switch (model->spec.kind) {
    case SPEC_SEQ2SEQ:
        all->network.seq2seq = *model->seq2seq;
        all->count = seq2seq_parameters(&all->network.seq2seq, all->list);
        break;
    case SPEC_RNN:
        all->network.rnn = *model->rnn;
        all->count = rnn_parameters(&all->network.rnn, all->list);
        break;
    case SPEC_BAG_OF_WORDS:
        all->network.bag = *model->bag;
        all->count = bag_parameters(&all->network.bag, all->list);
        break;
    }
    return all;
}
