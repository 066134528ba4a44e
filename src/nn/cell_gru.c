/*
 * The gated recurrent unit in PyTorch's form, which is also Nematus's and Marian's:
 *
 *   r = s(Wr x + br + Ur h + br')   z = s(Wz x + bz + Uz h + bz')
 *   n = tanh(Wn x + bn + r * (Un h + bn'))        h' = (1 - z) * n + z * h
 *
 * with gates in the order r, z, n.
 */
#include "nn/cell_parts.h"

NN_VECTORISED
static void gru_forward_row(const struct cell_row *row)
{
    const size_t H = row->hidden;
    real *gates = row->gates, *next_h = row->next_h, *kept = row->kept;
    const real *products = row->products, *h = row->h;
    NN_INDEPENDENT
    for (size_t i = 0; i < H; i++) {
        const real r = real_logistic(gates[i] + products[i]);
        const real z = real_logistic(gates[H + i] + products[H + i]);
        const real candidate = products[2 * H + i];
        const real n = real_tanh(gates[2 * H + i] + r * candidate);
        gates[i] = r;
        gates[H + i] = z;
        gates[2 * H + i] = n;
        kept[i] = candidate;
        next_h[i] = n + z * (h[i] - n);
    }
}

NN_VECTORISED
static void gru_backward_row(const struct cell_row_back *row)
{
    const size_t H = row->hidden;
    real *gates = row->gates, *d_products = row->d_products, *d_h = row->d_h;
    const real *candidate = row->kept, *h = row->h;
    NN_INDEPENDENT
    for (size_t i = 0; i < H; i++) {
        const real r = gates[i], z = gates[H + i], n = gates[2 * H + i];
        /* h' = (1 - z) * n + z * h */
        const real d_z = d_h[i] * (h[i] - n) * z * (1 - z);
        const real d_n = d_h[i] * (1 - z) * (1 - n * n);
        /* n = tanh(Wn x + bn + r * candidate) */
        const real d_r = d_n * candidate[i] * r * (1 - r);
        gates[i] = d_products[i] = d_r;
        gates[H + i] = d_products[H + i] = d_z;
        gates[2 * H + i] = d_n;
        d_products[2 * H + i] = d_n * r;
        d_h[i] *= z;
    }
}

const struct cell_definition cell_gru = {
    .letters = "rzn",
    .gates = 3,
    .state = 1,
    .kept = 1, /* Un h + bn' */
    .inputs = 3,
    .products = 3,
    .biases = 3,
    .input_groups = {2, 1},
    .product_groups = {2, 1},
    .stages = {{.first = 0, .count = 3}},
    .forward = gru_forward_row,
    .backward = gru_backward_row,
};
