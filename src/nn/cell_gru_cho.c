/*
 * The gated recurrent unit as it was first published (Cho et al. 2014), with the reset before the
 * product:
 *
 *   r = s(Wr x + Ur h + br)   z = s(Wz x + Uz h + bz)   n = tanh(Wn x + Un (r * h) + bn)
 *   h' = (1 - z) * n + z * h
 *
 * with gates in the order r, z, n. Its operand r * h is that of the mut cells, too.
 */
#include "nn/cell_parts.h"

NN_VECTORISED
void cell_reset_operand(const struct cell_row *row)
{
    real *gates = row->gates, *operand = row->operand;
    const real *products = row->products, *seen = row->seen;
    NN_INDEPENDENT
    for (size_t i = 0; i < row->hidden; i++) {
        const real r = real_logistic(gates[i] + products[i]);
        gates[i] = r;
        operand[i] = r * seen[i];
    }
}

NN_VECTORISED
void cell_reset_operand_back(const struct cell_row_back *row)
{
    real *gates = row->gates, *d_products = row->d_products, *d_seen = row->d_seen;
    const real *d_operand = row->d_operand, *seen = row->seen;
    NN_INDEPENDENT
    for (size_t i = 0; i < row->hidden; i++) {
        const real r = gates[i];
        /* operand = r * seen */
        d_seen[i] += d_operand[i] * r;
        gates[i] = d_products[i] = d_operand[i] * seen[i] * r * (1 - r);
    }
}

NN_VECTORISED
static void cho_forward(const struct cell_row *row)
{
    const size_t H = row->hidden;
    real *gates = row->gates, *next_h = row->next_h;
    const real *products = row->products, *h = row->h;
    NN_INDEPENDENT
    for (size_t i = 0; i < H; i++) {
        const real z = real_logistic(gates[H + i] + products[H + i]);
        const real n = real_tanh(gates[2 * H + i] + products[2 * H + i]);
        gates[H + i] = z;
        gates[2 * H + i] = n;
        next_h[i] = n + z * (h[i] - n);
    }
}

NN_VECTORISED
static void cho_backward(const struct cell_row_back *row)
{
    const size_t H = row->hidden;
    real *gates = row->gates, *d_h = row->d_h;
    const real *h = row->h;
    NN_INDEPENDENT
    for (size_t i = 0; i < H; i++) {
        const real z = gates[H + i], n = gates[2 * H + i];
        /* h' = (1 - z) * n + z * h */
        gates[H + i] = d_h[i] * (h[i] - n) * z * (1 - z);
        gates[2 * H + i] = d_h[i] * (1 - z) * (1 - n * n);
        d_h[i] *= z;
    }
}

const struct cell_definition cell_gru_cho = {
    .letters = "rzn",
    .gates = 3,
    .state = 1,
    .inputs = 3,
    .products = 3,
    .same_gradient = true,
    .input_groups = {2, 1},
    .product_groups = {2, 1},
    .stages = {{.first = 0, .count = 2},
               {.first = 2,
                .count = 1,
                .operand = cell_reset_operand,
                .operand_back = cell_reset_operand_back}},
    .forward = cho_forward,
    .backward = cho_backward,
};
