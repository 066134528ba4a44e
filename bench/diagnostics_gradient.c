#include "diagnostics_gradient.h"

#include <math.h>

static struct cell_before before_step(const struct cell_run *run, const real *zero, size_t t)
{
    const size_t at = (t - 1) * run->batch * run->layer->hidden;
    if (t == 0)
        return (struct cell_before){zero, zero};
    return (struct cell_before){run->h + at, run->c ? run->c + at : NULL};
}

static int go_back(struct cell_run *run, const real *zero, real *d_h, double *norms,
                   struct arena *arena, struct err *err)
{
    const size_t T = run->steps, states = run->batch * run->layer->hidden;
    const double last = sqrt(mat_square_sum(states, d_h));
    real *d_c = arena_alloc(arena, states, sizeof(real), err);
    if (!d_c || cell_run_begin_back(run, arena, err))
        return ERR_MEMORY;
    norms[0] = 1;
    for (size_t t = T; t-- > 0;) {
        cell_run_step_back(run, t, before_step(run, zero, t), d_h, d_c);
        norms[T - t] = sqrt(mat_square_sum(states, d_h)) / last;
    }
    return 0;
}

static int measure(const struct cell_layer *layer, size_t steps, size_t batch, const real *x,
                   real *d_h, double *norms, struct arena *arena, struct err *err)
{
    struct cell_run run = {.layer = layer, .steps = steps, .batch = batch};
    const real *zero = arena_alloc(arena, batch * layer->hidden, sizeof(real), err);
    if (!zero || cell_run_begin(&run, arena, err))
        return ERR_MEMORY;
    cell_run_input(&run, 0, steps, mat_of(x, layer->input));
    for (size_t t = 0; t < steps; t++)
        cell_run_step(&run, t, before_step(&run, zero, t));
    return go_back(&run, zero, d_h, norms, arena, err);
}

int gradient_norms(const struct cell_layer *layer, size_t steps, size_t batch, const real *x,
                   real *d_h, double *norms, struct err *err)
{
    struct arena arena;
    arena_init(&arena, (size_t)1 << 20);
    const int status = measure(layer, steps, batch, x, d_h, norms, &arena, err);
    arena_release(&arena);
    return status;
}

static void draw_normal(size_t count, double deviation, struct rng *rng, real *x)
{
    for (size_t i = 0; i < count; i++)
        x[i] = (real)(deviation * rng_normal(rng));
}

int gradient_norms_at_start(const struct gradient_settings *settings, double *norms,
                            struct err *err)
{
    const size_t inputs = settings->steps * settings->batch * settings->input;
    const size_t states = settings->batch * settings->hidden;
    struct cell_layer layer = {
        .kind = settings->cell, .input = settings->input, .hidden = settings->hidden};
    struct rng rng;
    const size_t weights = diagnostics_layer_bind(&layer, NULL);
    real *flat = mem_alloc(weights + inputs + states, sizeof(real), err);
    if (!flat)
        return ERR_MEMORY;
    real *x = flat + weights, *d_h = x + inputs;
    rng_seed(&rng, settings->seed, 0);
    diagnostics_layer_bind(&layer, flat);
    diagnostics_layer_init(&layer, &settings->start, &rng);
    draw_normal(inputs, settings->deviation, &rng, x);
    draw_normal(states, 1, &rng, d_h);
    const int status = gradient_norms(&layer, settings->steps, settings->batch, x, d_h, norms, err);
    mem_free(flat);
    return status;
}
