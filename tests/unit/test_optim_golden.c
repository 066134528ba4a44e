/*
 * The optimisers against torch.optim (tests/golden/make_optim.py): where twenty updates by given
 * gradients take a small vector. Compared is the movement from where it began, so that an error is
 * not hidden by the weights' size; what it may miss stands in the table, about four times what was
 * measured.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "nn/optim.h"
#include "support/golden.h"

#define SIZE 13
#define UPDATES 20

/* As in make_optim.py. */
static const struct {
    const char *name;
    struct optim optim;
    double allowed;
} cases[] = {
    {"sgd", {.kind = OPTIM_SGD, .rate = 0.1}, 6e-7},
    {"sgd-momentum",
     {.kind = OPTIM_SGD, .rate = 0.05, .momentum = 0.9, .weight_decay = 0.02},
     1e-6},
    {"adagrad", {.kind = OPTIM_ADAGRAD, .rate = 0.1, .epsilon = 1e-8}, 8e-7},
    {"adagrad-decay",
     {.kind = OPTIM_ADAGRAD, .rate = 0.1, .epsilon = 1e-8, .weight_decay = 0.02},
     7e-7},
    {"rmsprop", {.kind = OPTIM_RMSPROP, .rate = 0.002, .beta2 = 0.95, .epsilon = 1e-8}, 2e-6},
    {"rmsprop-decay",
     {.kind = OPTIM_RMSPROP, .rate = 0.002, .beta2 = 0.99, .epsilon = 1e-4, .weight_decay = 0.02},
     8e-7},
    {"adam",
     {.kind = OPTIM_ADAM, .rate = 0.01, .beta1 = 0.9, .beta2 = 0.999, .epsilon = 1e-8},
     1.5e-6},
    {"adam-decay",
     {.kind = OPTIM_ADAM,
      .rate = 0.01,
      .beta1 = 0.8,
      .beta2 = 0.98,
      .epsilon = 1e-4,
      .weight_decay = 0.02},
     3e-6},
    {"adamw",
     {.kind = OPTIM_ADAMW,
      .rate = 0.01,
      .beta1 = 0.9,
      .beta2 = 0.98,
      .epsilon = 1e-6,
      .weight_decay = 0.1},
     3e-6},
};

static struct safetensors file;

static void check_movement(const char *name, size_t step, const float *weights,
                           const float *expected, double allowed)
{
    const float *start = golden_data(&file, "", "weights", SIZE);
    float ours[SIZE], theirs[SIZE];
    char label[64];
    for (size_t i = 0; i < SIZE; i++) {
        ours[i] = weights[i] - start[i];
        theirs[i] = expected[i] - start[i];
    }
    snprintf(label, sizeof label, "%s, update %zu", name, step);
    golden_compare("", label, SIZE, ours, theirs, allowed);
}

/* The gradients come scaled by 4, and the update takes that back. */
static void as_pytorch(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct optim *optim = &cases[i].optim;
        const float *gradients = golden_data(&file, "", "gradients", UPDATES * SIZE);
        const float *path = golden_data(&file, "", cases[i].name, UPDATES * SIZE);
        float weights[SIZE], gradient[SIZE], first[SIZE] = {0}, second[SIZE] = {0};
        const struct optim_slice slice = {.count = SIZE,
                                          .weights = weights,
                                          .gradient = gradient,
                                          .first = optim_has_first(optim) ? first : NULL,
                                          .second = optim_has_second(optim) ? second : NULL};
        memcpy(weights, golden_data(&file, "", "weights", SIZE), sizeof weights);
        for (size_t step = 1; step <= UPDATES; step++) {
            for (size_t k = 0; k < SIZE; k++)
                gradient[k] = 4 * gradients[(step - 1) * SIZE + k];
            assert_true(optim_update(optim, step, 0.25, 0, &slice));
            check_movement(cases[i].name, step, weights, path + (step - 1) * SIZE,
                           cases[i].allowed);
        }
    }
}

static int open_file(void **state)
{
    (void)state;
    golden_open(&file, "optim.safetensors");
    return 0;
}

static int close_file(void **state)
{
    (void)state;
    safetensors_close(&file);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(as_pytorch, open_file, close_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
