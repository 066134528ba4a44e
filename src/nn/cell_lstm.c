/*
 * Long short-term memory (Hochreiter and Schmidhuber 1997) with forget gates (Gers et al. 2000):
 *
 *   i = s(Wi x + bi + Ui h + bi')      f = s(Wf x + bf + Uf h + bf')
 *   g = tanh(Wg x + bg + Ug h + bg')   o = s(Wo x + bo + Uo h + bo')
 *   c' = f * c + i * g                 h' = o * tanh(c')
 *
 * with gates in the order i, f, g, o, as in PyTorch. The form with peepholes (Gers et al. 2002,
 * Graves 2012) adds pi * c in i, pf * c in f and po * c' in o, and has one bias a gate.
 */
#include "nn/cell_parts.h"

static inline __attribute__((always_inline)) void gates_forward(const struct cell_row *row,
                                                                const bool peeps)
{
    const size_t H = row->hidden;
    real *gates = row->gates, *next_h = row->next_h, *next_c = row->next_c, *kept = row->kept;
    const real *products = row->products, *c = row->c, *peephole = row->peephole;
    NN_INDEPENDENT
    for (size_t k = 0; k < H; k++) {
        const real before = c[k];
        const real see_i = peeps ? peephole[k] * before : 0;
        const real see_f = peeps ? peephole[H + k] * before : 0;
        const real i = real_logistic(gates[k] + products[k] + see_i);
        const real f = real_logistic(gates[H + k] + products[H + k] + see_f);
        const real g = real_tanh(gates[2 * H + k] + products[2 * H + k]);
        const real after = f * before + i * g;
        const real see_o = peeps ? peephole[2 * H + k] * after : 0;
        const real o = real_logistic(gates[3 * H + k] + products[3 * H + k] + see_o);
        const real shown = real_tanh(after);
        gates[k] = i;
        gates[H + k] = f;
        gates[2 * H + k] = g;
        gates[3 * H + k] = o;
        kept[k] = shown;
        next_c[k] = after;
        next_h[k] = o * shown;
    }
}

static inline __attribute__((always_inline)) void gates_backward(const struct cell_row_back *row,
                                                                 const bool peeps)
{
    const size_t H = row->hidden;
    real *gates = row->gates, *d_h = row->d_h, *d_c = row->d_c, *d_peephole = row->d_peephole;
    const real *c = row->c, *next_c = row->next_c, *kept = row->kept, *peephole = row->peephole;
    NN_INDEPENDENT
    for (size_t k = 0; k < H; k++) {
        const real i = gates[k], f = gates[H + k], g = gates[2 * H + k], o = gates[3 * H + k];
        /* h' = o * tanh(c') */
        const real d_o = d_h[k] * kept[k] * o * (1 - o);
        const real through_o = peeps ? d_o * peephole[2 * H + k] : 0;
        const real d_after = d_c[k] + d_h[k] * o * (1 - kept[k] * kept[k]) + through_o;
        /* c' = f * c + i * g */
        const real d_i = d_after * g * i * (1 - i), d_f = d_after * c[k] * f * (1 - f);
        const real through = peeps ? d_i * peephole[k] + d_f * peephole[H + k] : 0;
        gates[k] = d_i;
        gates[H + k] = d_f;
        gates[2 * H + k] = d_after * i * (1 - g * g);
        gates[3 * H + k] = d_o;
        d_c[k] = d_after * f + through;
        d_h[k] = 0;
        if (peeps) {
            d_peephole[k] += d_i * c[k];
            d_peephole[H + k] += d_f * c[k];
            d_peephole[2 * H + k] += d_o * next_c[k];
        }
    }
}

NN_VECTORISED
static void lstm_forward(const struct cell_row *row)
{
    gates_forward(row, false);
}

NN_VECTORISED
static void lstm_backward(const struct cell_row_back *row)
{
    gates_backward(row, false);
}

const struct cell_definition cell_lstm = {
    .letters = "ifgo",
    .gates = 4,
    .state = 2,
    .kept = 1, /* tanh(c') */
    .inputs = 4,
    .products = 4,
    .biases = 4,
    .same_gradient = true,
    .has_forget = true,
    .forget = 1,
    .input_groups = {4},
    .product_groups = {4},
    .stages = {{.first = 0, .count = 4}},
    .forward = lstm_forward,
    .backward = lstm_backward,
};

NN_VECTORISED
static void peephole_forward(const struct cell_row *row)
{
    gates_forward(row, true);
}

NN_VECTORISED
static void peephole_backward(const struct cell_row_back *row)
{
    gates_backward(row, true);
}

const struct cell_definition cell_lstm_peephole = {
    .letters = "ifgo",
    .gates = 4,
    .state = 2,
    .kept = 1, /* tanh(c') */
    .inputs = 4,
    .products = 4,
    .same_gradient = true,
    .peephole = true,
    .has_forget = true,
    .forget = 1,
    .input_groups = {4},
    .product_groups = {4},
    .stages = {{.first = 0, .count = 4}},
    .forward = peephole_forward,
    .backward = peephole_backward,
};
