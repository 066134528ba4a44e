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

static double dot(size_t count, const real *x, const real *y)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += (double)x[i] * (double)y[i];
    return sum;
}

/* Takes from row `r` of x [size, size] what it has along the rows before it, which are orthonormal,
   and scales it to length 1. Rounding makes a second time worth while. */
static void make_orthonormal(size_t size, size_t r, real *x)
{
    real *row = x + r * size;
    for (int pass = 0; pass < 2; pass++)
        for (size_t k = 0; k < r; k++)
            mat_add_scaled(size, (real)-dot(size, x + k * size, row), x + k * size, row);
    const double length = sqrt(dot(size, row, row));
    for (size_t i = 0; i < size; i++)
        row[i] = (real)((double)row[i] / length);
}

/* A random orthogonal matrix [size, size], any as likely as any other: Gram and Schmidt's of a
   normal one. */
static void init_orthogonal(size_t size, struct rng *rng, real *x)
{
    init_normal(size * size, 1, rng, x);
    for (size_t r = 0; r < size; r++)
        make_orthonormal(size, r, x);
}

static void init_matrix(const struct cell_layer *layer, enum cell_init kind,
                        const struct cell_tensor *tensor, struct rng *rng)
{
    const size_t H = layer->hidden;
    for (size_t block = 0; block < tensor->rows / H; block++) {
        real *x = *tensor->slot + block * H * tensor->columns;
        if (kind == CELL_INIT_ORTHOGONAL && *tensor->slot == layer->w.weight_hh)
            init_orthogonal(H, rng, x);
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
