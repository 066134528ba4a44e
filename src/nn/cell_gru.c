#include "nn/cell_gru.h"

#include <string.h>

/* One row of the pointwise forward pass: `gates` holds Wx + b and receives r, z, n; `next` may be
   `h`. */
static inline __attribute__((always_inline)) void
gates_forward(size_t H, real *gates, const real *recurrent, const real *h, real *next)
{
    NN_INDEPENDENT
    for (size_t i = 0; i < H; i++) {
        const real r = real_logistic(gates[i] + recurrent[i]);
        const real z = real_logistic(gates[H + i] + recurrent[H + i]);
        const real n = real_tanh(gates[2 * H + i] + r * recurrent[2 * H + i]);
        gates[i] = r;
        gates[H + i] = z;
        gates[2 * H + i] = n;
        next[i] = n + z * (h[i] - n);
    }
}

NN_VECTORISED
static void rows_forward(const struct gru_shape *shape, size_t t, const real *recurrent,
                         const real *previous, size_t previous_stride, real *gates, real *candidate,
                         real *next, size_t next_stride)
{
    const size_t H = shape->hidden;
    for (size_t b = 0; b < shape->batch; b++) {
        const real *h = previous + b * previous_stride;
        gates_forward(H, gates + b * 3 * H, recurrent + b * 3 * H, h, next + b * next_stride);
        memcpy(candidate + b * H, recurrent + b * 3 * H + 2 * H, H * sizeof(real));
        if (shape->lengths && (size_t)shape->lengths[b] <= t)
            memcpy(next + b * next_stride, h, H * sizeof(real));
    }
}

/* The row of states before step t: another row of `states`, or `first` at the sequence's start. */
static const real *previous_of(const struct gru_shape *shape, size_t t, const real *first,
                               struct mat states, size_t *stride)
{
    const bool start = shape->reverse ? t + 1 == shape->steps : t == 0;
    *stride = start ? shape->hidden : states.stride;
    if (start)
        return first;
    return states.data + (shape->reverse ? t + 1 : t - 1) * shape->batch * states.stride;
}

static const real *zero_unless_given(const real *first, const struct gru_shape *shape,
                                     struct arena *arena, struct err *err)
{
    return first ? first : arena_alloc(arena, shape->batch * shape->hidden, sizeof(real), err);
}

int gru_forward(const struct gru_weights *w, const struct gru_shape *shape, const real *x,
                const real *first, struct mat states, struct gru_cache *cache, struct arena *arena,
                struct err *err)
{
    const size_t T = shape->steps, B = shape->batch, I = shape->input, H = shape->hidden;
    cache->gates = arena_alloc(arena, T * B * 3 * H, sizeof(real), err);
    cache->candidate = arena_alloc(arena, T * B * H, sizeof(real), err);
    real *recurrent = arena_alloc(arena, B * 3 * H, sizeof(real), err);
    first = zero_unless_given(first, shape, arena, err);
    if (!cache->gates || !cache->candidate || !recurrent || !first)
        return ERR_MEMORY;

    mat_multiply(MAT_NT, T * B, 3 * H, I, mat_of(x, I), mat_of(w->weight_ih, I), 0,
                 mat_of(cache->gates, 3 * H));
    mat_add_bias(T * B, 3 * H, w->bias_ih, mat_of(cache->gates, 3 * H));
    for (size_t step = 0; step < T; step++) {
        const size_t t = shape->reverse ? T - 1 - step : step;
        size_t stride;
        const real *previous = previous_of(shape, t, first, states, &stride);
        mat_multiply(MAT_NT, B, 3 * H, H, mat_of(previous, stride), mat_of(w->weight_hh, H), 0,
                     mat_of(recurrent, 3 * H));
        mat_add_bias(B, 3 * H, w->bias_hh, mat_of(recurrent, 3 * H));
        rows_forward(shape, t, recurrent, previous, stride, cache->gates + t * B * 3 * H,
                     cache->candidate + t * B * H, states.data + t * B * states.stride,
                     states.stride);
    }
    return 0;
}

/* One row of the pointwise backward pass. d_h is dL/dh' and becomes the part of dL/dh that does
   not go through the products; d_input and d_recurrent are the gradients of Wx + b and Uh + b'. */
static inline __attribute__((always_inline)) void gates_backward(size_t H, const real *gates,
                                                                 const real *candidate,
                                                                 const real *h, real *d_h,
                                                                 real *d_input, real *d_recurrent)
{
    NN_INDEPENDENT
    for (size_t i = 0; i < H; i++) {
        const real r = gates[i], z = gates[H + i], n = gates[2 * H + i];
        /* h' = (1 - z) * n + z * h */
        const real d_z = d_h[i] * (h[i] - n) * z * (1 - z);
        const real d_n = d_h[i] * (1 - z) * (1 - n * n);
        /* n = tanh(Wn x + bn + r * candidate) */
        const real d_r = d_n * candidate[i] * r * (1 - r);
        d_input[i] = d_recurrent[i] = d_r;
        d_input[H + i] = d_recurrent[H + i] = d_z;
        d_input[2 * H + i] = d_n;
        d_recurrent[2 * H + i] = d_n * r;
        d_h[i] *= z;
    }
}

/* d_h [B, H] collects dL/dh over the steps. */
NN_VECTORISED
static void rows_backward(const struct gru_shape *shape, size_t t, const struct gru_cache *cache,
                          const real *previous, size_t previous_stride, const real *d_states,
                          size_t d_stride, real *d_h, real *d_input, real *d_recurrent)
{
    const size_t B = shape->batch, H = shape->hidden;
    for (size_t b = 0; b < B; b++) {
        real *d_row = d_h + b * H;
        for (size_t i = 0; i < H; i++)
            d_row[i] += d_states[b * d_stride + i];
        if (shape->lengths && (size_t)shape->lengths[b] <= t) {
            memset(d_input + b * 3 * H, 0, 3 * H * sizeof(real));
            memset(d_recurrent + b * 3 * H, 0, 3 * H * sizeof(real));
            continue;
        }
        gates_backward(H, cache->gates + (t * B + b) * 3 * H, cache->candidate + (t * B + b) * H,
                       previous + b * previous_stride, d_row, d_input + b * 3 * H,
                       d_recurrent + b * 3 * H);
    }
}

/* dL/dU: all steps but the first in one product, since states lie one behind the other. */
static void recurrent_weight_gradient(const struct gru_weights *g, const struct gru_shape *shape,
                                      const real *first, struct mat states, const real *d_recurrent)
{
    const size_t T = shape->steps, B = shape->batch, H = shape->hidden;
    const size_t start = shape->reverse ? T - 1 : 0;
    const real *later = d_recurrent + (shape->reverse ? 0 : B * 3 * H);
    const real *before = states.data + (shape->reverse ? B * states.stride : 0);
    mat_multiply(MAT_TN, 3 * H, H, B, mat_of(d_recurrent + start * B * 3 * H, 3 * H),
                 mat_of(first, H), 1, mat_of(g->weight_hh, H));
    if (T > 1)
        mat_multiply(MAT_TN, 3 * H, H, (T - 1) * B, mat_of(later, 3 * H),
                     mat_of(before, states.stride), 1, mat_of(g->weight_hh, H));
    mat_add_rows(T * B, 3 * H, mat_of(d_recurrent, 3 * H), g->bias_hh);
}

int gru_backward(const struct gru_weights *w, const struct gru_weights *g,
                 const struct gru_shape *shape, const real *x, const real *first, struct mat states,
                 const struct gru_cache *cache, struct mat d_states, real *d_x, real keep_x,
                 real *d_first, struct arena *arena, struct err *err)
{
    const size_t T = shape->steps, B = shape->batch, I = shape->input, H = shape->hidden;
    real *d_input = arena_alloc(arena, T * B * 3 * H, sizeof(real), err);
    real *d_recurrent = arena_alloc(arena, T * B * 3 * H, sizeof(real), err);
    real *d_h = arena_alloc(arena, B * H, sizeof(real), err);
    first = zero_unless_given(first, shape, arena, err);
    if (!d_input || !d_recurrent || !d_h || !first)
        return ERR_MEMORY;

    for (size_t step = T; step-- > 0;) {
        const size_t t = shape->reverse ? T - 1 - step : step;
        size_t stride;
        const real *previous = previous_of(shape, t, first, states, &stride);
        real *d_products = d_recurrent + t * B * 3 * H;
        rows_backward(shape, t, cache, previous, stride, d_states.data + t * B * d_states.stride,
                      d_states.stride, d_h, d_input + t * B * 3 * H, d_products);
        mat_multiply(MAT_NN, B, H, 3 * H, mat_of(d_products, 3 * H), mat_of(w->weight_hh, H), 1,
                     mat_of(d_h, H));
    }
    recurrent_weight_gradient(g, shape, first, states, d_recurrent);
    mat_multiply(MAT_TN, 3 * H, I, T * B, mat_of(d_input, 3 * H), mat_of(x, I), 1,
                 mat_of(g->weight_ih, I));
    mat_add_rows(T * B, 3 * H, mat_of(d_input, 3 * H), g->bias_ih);
    mat_multiply(MAT_NN, T * B, I, 3 * H, mat_of(d_input, 3 * H), mat_of(w->weight_ih, I), keep_x,
                 mat_of(d_x, I));
    if (d_first)
        memcpy(d_first, d_h, B * H * sizeof(real));
    return 0;
}

NN_VECTORISED
void gru_step(size_t rows, size_t hidden, real *input, const real *recurrent, real *h)
{
    for (size_t row = 0; row < rows; row++)
        gates_forward(hidden, input + row * 3 * hidden, recurrent + row * 3 * hidden,
                      h + row * hidden, h + row * hidden);
}
