#include "diagnostics_layer.h"

static size_t entries(const struct cell_tensor *tensor)
{
    return tensor->rows * (tensor->columns ? tensor->columns : 1);
}

size_t diagnostics_layer_bind(struct cell_layer *layer, real *flat)
{
    struct cell_tensor list[CELL_MAX_TENSORS];
    const size_t tensors = cell_tensors(layer, &layer->w, list);
    size_t used = 0;
    for (size_t i = 0; i < tensors; i++) {
        if (flat)
            *list[i].slot = flat + used;
        used += entries(&list[i]);
    }
    return used;
}

void diagnostics_layer_init(const struct cell_layer *layer, const struct diagnostics_start *start,
                            struct rng *rng)
{
    const struct cell_init_settings settings = {CELL_INIT_ORTHOGONAL, start->forget_bias};
    struct cell_layer scaled = *layer;
    struct cell_tensor list[CELL_MAX_TENSORS];
    const size_t tensors = cell_tensors(&scaled, &scaled.w, list);
    cell_init(layer, &settings, rng);
    for (size_t i = 0; i < tensors; i++)
        for (size_t k = 0; list[i].slot == &scaled.w.weight_hh && k < entries(&list[i]); k++)
            scaled.w.weight_hh[k] *= (real)start->radius;
    if (layer->kind == CELL_GRU || layer->kind == CELL_GRU_CHO)
        for (size_t k = layer->hidden; k < 2 * layer->hidden; k++)
            scaled.w.bias_ih[k] += (real)start->forget_bias;
}
