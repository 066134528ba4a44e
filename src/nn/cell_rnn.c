/*
 * The simple recurrent network (Elman 1990):
 *
 *   h' = tanh(W x + b + U h + b')     or relu
 */
#include "nn/cell_parts.h"

NN_VECTORISED
static void tanh_cell_forward(const struct cell_row *row)
{
    real *gates = row->gates, *next_h = row->next_h;
    const real *products = row->products;
    NN_INDEPENDENT
    for (size_t i = 0; i < row->hidden; i++)
        gates[i] = next_h[i] = real_tanh(gates[i] + products[i]);
}

NN_VECTORISED
static void tanh_cell_backward(const struct cell_row_back *row)
{
    real *gates = row->gates, *d_h = row->d_h;
    NN_INDEPENDENT
    for (size_t i = 0; i < row->hidden; i++) {
        gates[i] = d_h[i] * (1 - gates[i] * gates[i]);
        d_h[i] = 0;
    }
}

const struct cell_definition cell_rnn_tanh = {
    .letters = "n",
    .gates = 1,
    .state = 1,
    .inputs = 1,
    .products = 1,
    .biases = 1,
    .same_gradient = true,
    .input_groups = {1},
    .product_groups = {1},
    .stages = {{.first = 0, .count = 1}},
    .forward = tanh_cell_forward,
    .backward = tanh_cell_backward,
};

NN_VECTORISED
static void relu_cell_forward(const struct cell_row *row)
{
    real *gates = row->gates, *next_h = row->next_h;
    const real *products = row->products;
    NN_INDEPENDENT
    for (size_t i = 0; i < row->hidden; i++) {
        const real sum = gates[i] + products[i];
        gates[i] = next_h[i] = sum > 0 ? sum : 0;
    }
}

NN_VECTORISED
static void relu_cell_backward(const struct cell_row_back *row)
{
    real *gates = row->gates, *d_h = row->d_h;
    NN_INDEPENDENT
    for (size_t i = 0; i < row->hidden; i++) {
        gates[i] = gates[i] > 0 ? d_h[i] : 0;
        d_h[i] = 0;
    }
}

const struct cell_definition cell_rnn_relu = {
    .letters = "n",
    .gates = 1,
    .state = 1,
    .inputs = 1,
    .products = 1,
    .biases = 1,
    .same_gradient = true,
    .input_groups = {1},
    .product_groups = {1},
    .stages = {{.first = 0, .count = 1}},
    .forward = relu_cell_forward,
    .backward = relu_cell_backward,
};
