/*
 * An opened network's weights in other forms: packed for this processor, and as floats again where
 * they are not.
 *
 * Packing waits for the first decoder, so that a model that nobody uses costs neither time nor
 * memory. Embeddings are read row by row and not packed, unless they are the output layer as well.
 */
#include <pthread.h>
#include <string.h>

#include "base/mem.h"
#include "model/seq2seq.h"

static struct dense words(const struct seq2seq *model, const real *floats,
                          const struct dense_form *form)
{
    return (struct dense){
        .outputs = model->vocabulary, .inputs = model->embedding, .floats = floats, .form = *form};
}

struct dense seq2seq_source_embedding(const struct seq2seq *model)
{
    return words(model, model->source_embedding, &model->forms.source_embedding);
}

struct dense seq2seq_target_embedding(const struct seq2seq *model)
{
    return words(model, model->target_embedding, &model->forms.target_embedding);
}

struct dense seq2seq_output_layer(const struct seq2seq *model)
{
    return words(model, model->output_weight, &model->forms.output);
}

static bool is_multiplied(const struct seq2seq *model, const struct parameter *parameter)
{
    if (!parameter->form)
        return false;
    const bool looked_up =
        parameter->slot == &model->source_embedding || parameter->slot == &model->target_embedding;
    return !looked_up || *parameter->slot == model->output_weight;
}

static void pack(struct seq2seq *model, const struct parameter *list, size_t count, real *packed)
{
    for (size_t i = 0; i < count; i++) {
        if (!is_multiplied(model, &list[i]))
            continue;
        const struct dense w = parameter_dense(&list[i]);
        dense_pack(&w, list[i].transposed, packed);
        list[i].form->packed = packed;
        packed += dense_packed_size(&w);
    }
    seq2seq_tie(model);
}

static int pack_all(struct seq2seq *model, struct err *err)
{
    int status = ERR_MEMORY;
    size_t total = 0;
    struct parameter *list = mem_alloc(SEQ2SEQ_MAX_PARAMETERS, sizeof *list, err);
    if (!list)
        return ERR_MEMORY;
    const size_t count = seq2seq_parameters(model, list);
    for (size_t i = 0; i < count; i++) {
        const struct dense w = parameter_dense(&list[i]);
        total += is_multiplied(model, &list[i]) ? dense_packed_size(&w) : 0;
    }
    model->packed = mem_alloc(total, sizeof *model->packed, err);
    if (model->packed) {
        pack(model, list, count, model->packed);
        status = 0;
    }
    mem_free(list);
    return status;
}

int seq2seq_pack(const struct seq2seq *model, struct err *err)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    int status = 0;
    if (!model->packs)
        return 0;
    pthread_mutex_lock(&lock);
    if (!model->packed)
        status = pack_all((struct seq2seq *)(uintptr_t)model, err);
    pthread_mutex_unlock(&lock);
    return status;
}

int seq2seq_expand(struct seq2seq **floats, const struct seq2seq *model, struct err *err)
{
    int status = ERR_MEMORY;
    struct seq2seq *expanded = mem_alloc(1, sizeof *expanded, err);
    struct parameter *list = mem_alloc(SEQ2SEQ_MAX_PARAMETERS, sizeof *list, err);
    if (!expanded || !list)
        goto out;
    *expanded = *model;
    const size_t count = seq2seq_parameters(expanded, list);
    expanded->packed = mem_alloc(parameters_total(list, count), sizeof(real), err);
    if (!expanded->packed)
        goto out;
    status = parameters_expand(list, count, expanded->packed, err);
    parameters_bind(list, count, expanded->packed);
    for (size_t i = 0; i < count; i++)
        if (list[i].form)
            *list[i].form = (struct dense_form){.int8 = NULL};
    seq2seq_tie(expanded);
    expanded->packs = false;
out:
    mem_free(list);
    if (status) {
        seq2seq_free(expanded);
        return status;
    }
    *floats = expanded;
    return 0;
}
