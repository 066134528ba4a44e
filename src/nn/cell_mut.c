/*
 * The three cells that a search over architectures found (Jozefowicz, Zaremba, Sutskever 2015):
 *
 *   mut1   z = s(Wz x + bz)                r = s(Wr x + Ur h + br)
 *          n = tanh(Un (r * h) + tanh(x) + bn)
 *
 *   mut2   z = s(Wz x + Uz h + bz)         r = s(x + Ur h + br)
 *          n = tanh(Un (r * h) + Wn x + bn)
 *
 *   mut3   z = s(Wz x + Uz tanh(h) + bz)   r = s(Wr x + Ur h + br)
 *          n = tanh(Un (r * h) + Wn x + bn)
 *
 *   all    h' = z * n + (1 - z) * h
 *
 * with gates in the order r, z, n. Where x and h differ in size, the x that stands alone in mut1
 * and mut2 is a projection of the input. The matrices W read the input itself: to project it first
 * for them as well would limit their rank, and no more.
 */
#include "nn/cell_parts.h"

NN_VECTORISED
static void mut1_forward(const struct cell_row *row)
{
    const size_t H = row->hidden;
    real *gates = row->gates, *next_h = row->next_h, *kept = row->kept;
    const real *products = row->products, *h = row->h;
    NN_INDEPENDENT
    for (size_t i = 0; i < H; i++) {
        const real z = real_logistic(gates[H + i]);
        const real x = real_tanh(gates[2 * H + i]);
        const real n = real_tanh(products[H + i] + x);
        gates[H + i] = z;
        gates[2 * H + i] = n;
        kept[i] = x;
        next_h[i] = h[i] + z * (n - h[i]);
    }
}

NN_VECTORISED
static void mut1_backward(const struct cell_row_back *row)
{
    const size_t H = row->hidden;
    real *gates = row->gates, *d_products = row->d_products, *d_h = row->d_h;
    const real *h = row->h, *x = row->kept;
    NN_INDEPENDENT
    for (size_t i = 0; i < H; i++) {
        const real z = gates[H + i], n = gates[2 * H + i];
        /* h' = z * n + (1 - z) * h */
        const real d_n = d_h[i] * z * (1 - n * n);
        gates[H + i] = d_h[i] * (n - h[i]) * z * (1 - z);
        /* n = tanh(Un (r * h) + bn + tanh(x)) */
        d_products[H + i] = d_n;
        gates[2 * H + i] = d_n * (1 - x[i] * x[i]);
        d_h[i] *= 1 - z;
    }
}

const struct cell_definition cell_mut1 = {
    .letters = "rzn",
    .gates = 3,
    .state = 1,
    .kept = 1, /* tanh(x) */
    .inputs = 2,
    .products = 2, /* of r and n */
    .first_bias = 1,
    .biases = 1,
    .input_groups = {2},
    .product_groups = {1, 1},
    .stages = {{.first = 0, .count = 1},
               {.first = 1,
                .count = 1,
                .operand = cell_reset_operand,
                .operand_back = cell_reset_operand_back}},
    .forward = mut1_forward,
    .backward = mut1_backward,
};

/* Of mut2 and mut3, which differ before. */
NN_VECTORISED
static void mut_forward(const struct cell_row *row)
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
        next_h[i] = h[i] + z * (n - h[i]);
    }
}

NN_VECTORISED
static void mut_backward(const struct cell_row_back *row)
{
    const size_t H = row->hidden;
    real *gates = row->gates, *d_h = row->d_h;
    const real *h = row->h;
    NN_INDEPENDENT
    for (size_t i = 0; i < H; i++) {
        const real z = gates[H + i], n = gates[2 * H + i];
        /* h' = z * n + (1 - z) * h */
        gates[H + i] = d_h[i] * (n - h[i]) * z * (1 - z);
        gates[2 * H + i] = d_h[i] * z * (1 - n * n);
        d_h[i] *= 1 - z;
    }
}

const struct cell_definition cell_mut2 = {
    .letters = "rzn",
    .gates = 3,
    .state = 1,
    .first_input = 1,
    .inputs = 2, /* of z and n */
    .products = 3,
    .biases = 1,
    .same_gradient = true,
    .input_groups = {1, 1},
    .product_groups = {2, 1},
    .stages = {{.first = 0, .count = 2},
               {.first = 2,
                .count = 1,
                .operand = cell_reset_operand,
                .operand_back = cell_reset_operand_back}},
    .forward = mut_forward,
    .backward = mut_backward,
};

NN_VECTORISED
static void tanh_operand(const struct cell_row *row)
{
    real *operand = row->operand;
    const real *seen = row->seen;
    NN_INDEPENDENT
    for (size_t i = 0; i < row->hidden; i++)
        operand[i] = real_tanh(seen[i]);
}

NN_VECTORISED
static void tanh_operand_back(const struct cell_row_back *row)
{
    real *d_seen = row->d_seen;
    const real *d_operand = row->d_operand, *operand = row->operand;
    NN_INDEPENDENT
    for (size_t i = 0; i < row->hidden; i++)
        d_seen[i] += d_operand[i] * (1 - operand[i] * operand[i]);
}

const struct cell_definition cell_mut3 = {
    .letters = "rzn",
    .gates = 3,
    .state = 1,
    .inputs = 3,
    .products = 3,
    .same_gradient = true,
    .input_groups = {2, 1},
    .product_groups = {1, 1, 1},
    .stages = {{.first = 0, .count = 1},
               {.first = 1, .count = 1, .operand = tanh_operand, .operand_back = tanh_operand_back},
               {.first = 2,
                .count = 1,
                .operand = cell_reset_operand,
                .operand_back = cell_reset_operand_back}},
    .forward = mut_forward,
    .backward = mut_backward,
};
