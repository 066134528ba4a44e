/*
 * The GRU in both directions against torch.nn.GRU (tests/golden/make_gru.py), over sentences of
 * different lengths: states, last states, and every gradient. An error is the largest absolute
 * difference over the largest absolute value of the golden tensor.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/safetensors.h"
#include "nn/cell_gru.h"

#define STEPS 6
#define BATCH 5
#define INPUT 7
#define HIDDEN 9
#define WIDTH (2 * HIDDEN) /* both directions side by side */

static struct safetensors file;
static struct arena arena;
static struct err err;

static const float *golden(const char *prefix, const char *name, const char *suffix, size_t count)
{
    char full[64];
    snprintf(full, sizeof full, "%s%s%s", prefix, name, suffix);
    for (size_t i = 0; i < file.count; i++)
        if (strcmp(file.tensors[i].name, full) == 0) {
            assert_int_equal(file.tensors[i].count, count);
            return file.tensors[i].data;
        }
    fail_msg("no golden tensor %s", full);
    return NULL;
}

static void check(const char *name, const char *suffix, size_t count, const float *ours,
                  const float *theirs, double allowed)
{
    double difference = 0, largest = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(isfinite(ours[i]));
        difference = fmax(difference, fabs((double)ours[i] - (double)theirs[i]));
        largest = fmax(largest, fabs((double)theirs[i]));
    }
    assert_true(largest > 0);
    if (getenv("VERBOSE"))
        print_message("%s%s: relative error %.1e\n", name, suffix, difference / largest);
    if (!(difference <= allowed * largest))
        fail_msg("%s%s: relative error %g is over %g", name, suffix, difference / largest, allowed);
}

static float *zeros(size_t count)
{
    float *x = arena_alloc(&arena, count, sizeof *x, &err);
    assert_non_null(x);
    return x;
}

static float *writable(const float *from, size_t count)
{
    return memcpy(zeros(count), from, count * sizeof *from);
}

/* The four tensors of one direction, in PyTorch's order, with what a gradient may miss. */
static const struct {
    const char *name;
    size_t count;
    double allowed;
} tensors[4] = {
    {"weight_ih_l0", 3 * HIDDEN *INPUT, 2e-6},
    {"weight_hh_l0", 3 * HIDDEN *HIDDEN, 2e-6},
    {"bias_ih_l0", 3 * HIDDEN, 2e-6},
    {"bias_hh_l0", 3 * HIDDEN, 2e-6},
};

static void bind(struct gru_weights *w, const char *suffix, bool gradient)
{
    float **slots[4] = {&w->weight_ih, &w->weight_hh, &w->bias_ih, &w->bias_hh};
    for (size_t i = 0; i < 4; i++)
        *slots[i] = gradient ? zeros(tensors[i].count)
                             : writable(golden("", tensors[i].name, suffix, tensors[i].count),
                                        tensors[i].count);
}

/* After a sentence's end our states carry on; PyTorch's are zero. */
static void check_states(size_t direction, const float *states, const int32_t *lengths)
{
    const float *theirs = golden("", "states", "", STEPS * BATCH * WIDTH);
    const float *last = golden("", "last", "", 2 * BATCH * HIDDEN) + direction * BATCH * HIDDEN;
    float *ours = zeros(STEPS * BATCH * HIDDEN), *expected = zeros(STEPS * BATCH * HIDDEN);
    for (size_t t = 0; t < STEPS; t++)
        for (size_t b = 0; b < BATCH; b++) {
            const size_t from = (t * BATCH + b) * WIDTH + direction * HIDDEN;
            if (t >= (size_t)lengths[b])
                continue;
            memcpy(ours + (t * BATCH + b) * HIDDEN, states + from, HIDDEN * sizeof *ours);
            memcpy(expected + (t * BATCH + b) * HIDDEN, theirs + from, HIDDEN * sizeof *ours);
        }
    check("states", direction ? " reverse" : "", STEPS * BATCH * HIDDEN, ours, expected, 1e-6);
    const size_t end = direction ? 0 : STEPS - 1;
    for (size_t b = 0; b < BATCH; b++)
        memcpy(ours + b * HIDDEN, states + (end * BATCH + b) * WIDTH + direction * HIDDEN,
               HIDDEN * sizeof *ours);
    check("last", direction ? " reverse" : "", BATCH * HIDDEN, ours, last, 1e-6);
}

static void both_directions(void **state)
{
    const float *raw = golden("", "lengths", "", BATCH);
    const float *x = golden("", "x", "", STEPS * BATCH * INPUT);
    const float *first = golden("", "first", "", 2 * BATCH * HIDDEN);
    const float *d_first = golden("grad.", "first", "", 2 * BATCH * HIDDEN);
    float *probe = writable(golden("", "probe", "", STEPS * BATCH * WIDTH), STEPS * BATCH * WIDTH);
    float *states = zeros(STEPS * BATCH * WIDTH), *d_x = zeros(STEPS * BATCH * INPUT);
    int32_t lengths[BATCH];
    (void)state;
    for (size_t b = 0; b < BATCH; b++)
        lengths[b] = (int32_t)raw[b];
    for (size_t t = 0; t < STEPS; t++)
        for (size_t b = 0; b < BATCH; b++)
            if (t >= (size_t)lengths[b])
                memset(probe + (t * BATCH + b) * WIDTH, 0, WIDTH * sizeof *probe);

    for (size_t d = 0; d < 2; d++) {
        const struct gru_shape shape = {STEPS, BATCH, INPUT, HIDDEN, d == 1, lengths};
        const char *suffix = d ? "_reverse" : "";
        const float *own_first = first + d * BATCH * HIDDEN;
        const struct mat out = mat_of(states + d * HIDDEN, WIDTH);
        float *d_own = zeros(BATCH * HIDDEN);
        struct gru_weights w, g;
        struct gru_cache cache;
        bind(&w, suffix, false);
        bind(&g, suffix, true);
        assert_int_equal(gru_forward(&w, &shape, x, own_first, out, &cache, &arena, &err), 0);
        check_states(d, states, lengths);
        assert_int_equal(gru_backward(&w, &g, &shape, x, own_first, out, &cache,
                                      mat_of(probe + d * HIDDEN, WIDTH), d_x, (real)d, d_own,
                                      &arena, &err),
                         0);
        check("grad.first", suffix, BATCH * HIDDEN, d_own, d_first + d * BATCH * HIDDEN, 2e-6);
        const float *const gradients[4] = {g.weight_ih, g.weight_hh, g.bias_ih, g.bias_hh};
        for (size_t i = 0; i < 4; i++)
            check(tensors[i].name, suffix, tensors[i].count, gradients[i],
                  golden("grad.", tensors[i].name, suffix, tensors[i].count), tensors[i].allowed);
    }
    check("grad.x", "", STEPS * BATCH * INPUT, d_x, golden("grad.", "x", "", STEPS * BATCH * INPUT),
          2e-6);
}

static int open_golden(void **state)
{
    char path[1024];
    const char *top = getenv("top_srcdir");
    (void)state;
    arena_init(&arena, 1 << 16);
    snprintf(path, sizeof path, "%s/tests/golden/gru/golden.safetensors", top ? top : ".");
    if (safetensors_open(&file, path, &err)) {
        print_error("%s\n", err.message);
        return -1;
    }
    return 0;
}

static int close_golden(void **state)
{
    (void)state;
    safetensors_close(&file);
    arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(both_directions, open_golden, close_golden),
    };
    mat_use_one_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
