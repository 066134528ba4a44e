#include "diagnostics_trials.h"

#include <stdio.h>

struct plan {
    size_t length, hidden, batch, updates;
    double rate, plain_rate; /* of cells with gates; of those without, which bear less */
};
/* By task, in the order of enum task_kind. */
static const struct plan full_plans[] = {
    {200, 64, 32, 8000, 3e-3, 1e-3},
    {30, 96, 32, 8000, 5e-3, 1e-3},
    {50, 32, 64, 3000, 5e-3, 5e-3},
    {100, 64, 32, 3000, 3e-3, 1e-3},
};
static const struct plan quick_plans[] = {
    {20, 32, 32, 500, 5e-3, 2e-3},
    {5, 32, 32, 200, 5e-3, 2e-3},
    {8, 16, 64, 500, 1e-2, 5e-3},
    {20, 32, 32, 300, 5e-3, 2e-3},
};

void trial_of_task(enum task_kind task, enum cell_kind cell, bool quick, uint64_t seed,
                   struct trial *trial)
{
    const struct plan *plan = quick ? &quick_plans[task] : &full_plans[task];
    *trial = (struct trial){
        .settings = {.task = {task, plan->length},
                     .cell = cell,
                     .start = {.radius = 1, .forget_bias = 1},
                     .hidden = plan->hidden,
                     .batch = plan->batch,
                     .updates = plan->updates,
                     .optim = OPTIM_ADAM,
                     .rate = cell_gates(cell) > 1 ? plan->rate : plan->plain_rate,
                     .clip = 1,
                     .seed = seed},
    };
    snprintf(trial->name, sizeof trial->name, "%s", cell_names[cell]);
}

void trial_of_clipping(size_t which, bool quick, uint64_t seed, struct trial *trial)
{
    static const struct clipping {
        const char *name;
        double norm, value;
    } clippings[CLIPPING_TRIALS] = {
        {"no clipping", 0, 0}, {"norm at most 1", 1, 0}, {"values within 0.1", 0, 0.1}};
    /* The quick one explodes at once: its recurrent matrix is too large to begin with. */
    *trial = (struct trial){
        .settings = {.task = {TASK_ADDING, 40},
                     .cell = CELL_RNN_RELU,
                     .start = {.radius = quick ? 1.8 : 1},
                     .hidden = 32,
                     .batch = 32,
                     .updates = quick ? 200 : 4000,
                     .optim = OPTIM_SGD,
                     .rate = quick ? 0.02 : 0.2,
                     .clip = clippings[which].norm,
                     .clip_value = clippings[which].value,
                     .seed = seed},
    };
    snprintf(trial->name, sizeof trial->name, "%s", clippings[which].name);
}

static void begin_gradient(enum cell_kind cell, struct diagnostics_start start, uint64_t seed,
                           struct gradient_trial *trial)
{
    *trial = (struct gradient_trial){.settings = {.cell = cell,
                                                  .start = start,
                                                  .steps = 100,
                                                  .batch = 32,
                                                  .input = 2,
                                                  .hidden = 64,
                                                  .deviation = 0.1,
                                                  .seed = seed}};
}

void trial_of_radius(size_t which, uint64_t seed, struct gradient_trial *trial)
{
    static const double radii[RADIUS_TRIALS] = {0.5, 0.9, 1, 1.5, 2};
    begin_gradient(CELL_RNN_TANH, (struct diagnostics_start){.radius = radii[which]}, seed, trial);
    snprintf(trial->name, sizeof trial->name, "rnn-tanh, radius %g", radii[which]);
}

void trial_of_gates(size_t which, uint64_t seed, struct gradient_trial *trial)
{
    static const struct gates {
        const char *name;
        enum cell_kind cell;
        double forget_bias;
    } gates[GATE_TRIALS] = {
        {"rnn-tanh, radius 1", CELL_RNN_TANH, 0}, {"lstm, forget bias 0", CELL_LSTM, 0},
        {"lstm, forget bias 1", CELL_LSTM, 1},    {"lstm, forget bias 3", CELL_LSTM, 3},
        {"gru, update bias 0", CELL_GRU, 0},      {"gru, update bias 1", CELL_GRU, 1},
        {"gru, update bias 3", CELL_GRU, 3}};
    const struct diagnostics_start start = {.radius = 1, .forget_bias = gates[which].forget_bias};
    begin_gradient(gates[which].cell, start, seed, trial);
    snprintf(trial->name, sizeof trial->name, "%s", gates[which].name);
}
