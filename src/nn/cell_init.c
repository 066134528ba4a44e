/*
 * First values of a recurrent layer's weights.
 */
#include "nn/cell_parts.h"
#include "nn/init.h"

static void fill(size_t count, real value, real *x)
{
    for (size_t i = 0; i < count; i++)
        x[i] = value;
}

static void init_matrix(const struct cell_layer *layer, enum cell_init kind,
                        const struct cell_tensor *tensor, struct rng *rng)
{
    const size_t H = layer->hidden;
    for (size_t block = 0; block < tensor->rows / H; block++) {
        real *x = *tensor->slot + block * H * tensor->columns;
        if (kind == CELL_INIT_ORTHOGONAL && *tensor->slot == layer->w.weight_hh)
            init_orthogonal(H, H, rng, x);
        else
            init_glorot(H, tensor->columns, rng, x);
    }
}

void cell_init(const struct cell_layer *layer, const struct cell_init_settings *settings,
               struct rng *rng)
{
    const struct cell_definition *cell = cell_definition(layer->kind);
    const size_t H = layer->hidden;
    struct cell_weights w = layer->w;
    struct cell_tensor list[CELL_MAX_TENSORS];
    const size_t count = cell_tensors(layer, &w, list);
    for (size_t i = 0; i < count; i++) {
        real *x = *list[i].slot;
        if (x == w.gain_ih || x == w.gain_hh)
            fill(list[i].rows, 1, x);
        else if (x == w.shift_ih || x == w.shift_hh)
            fill(list[i].rows, 0, x);
        else if (settings->kind == CELL_INIT_UNIFORM)
            init_uniform(list[i].rows * (list[i].columns ? list[i].columns : 1),
                         1 / sqrt((double)H), rng, x);
        else if (list[i].columns)
            init_matrix(layer, settings->kind, &list[i], rng);
        else
            fill(list[i].rows, 0, x);
    }
    for (size_t i = 0; cell->has_forget && i < H; i++)
        w.bias_ih[cell->forget * H + i] += (real)settings->forget_bias;
}
