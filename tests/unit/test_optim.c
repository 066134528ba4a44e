/*
 * Optimisers, clipping and the averages of weights, in double precision, each against its
 * definition.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "nn/mat.h"
#include "nn/optim.h"
#include "support/finite_difference.h"

#define COUNT 2500 /* over two blocks of the pass over memory, and a bit */
#define STEPS 5

static int new_test(void **state)
{
    (void)state;
    new_sequence(11);
    return 0;
}

static int end_test(void **state)
{
    (void)state;
    release_reals();
    return 0;
}

/* One entry, in the words of torch.optim's documentation; `s` is the optimiser's state. */
static double plain(const struct optim *o, size_t step, double g, double w, double s[2])
{
    const double decayed = g + o->weight_decay * w;
    switch (o->kind) {
    case OPTIM_SGD:
        s[0] = o->momentum * s[0] + decayed;
        return w - o->rate * s[0];
    case OPTIM_ADAGRAD:
        s[1] += decayed * decayed;
        return w - o->rate * decayed / (sqrt(s[1]) + o->epsilon);
    case OPTIM_RMSPROP:
        s[1] = o->beta2 * s[1] + (1 - o->beta2) * decayed * decayed;
        return w - o->rate * decayed / (sqrt(s[1]) + o->epsilon);
    case OPTIM_ADAM:
    case OPTIM_ADAMW:
        break;
    }
    const bool decoupled = o->kind == OPTIM_ADAMW;
    const double used = decoupled ? g : decayed;
    s[0] = o->beta1 * s[0] + (1 - o->beta1) * used;
    s[1] = o->beta2 * s[1] + (1 - o->beta2) * used * used;
    const double m_hat = s[0] / (1 - pow(o->beta1, (double)step));
    const double v_hat = s[1] / (1 - pow(o->beta2, (double)step));
    return (decoupled ? w - o->rate * o->weight_decay * w : w) -
           o->rate * m_hat / (sqrt(v_hat) + o->epsilon);
}

static const struct optim settings[] = {
    {OPTIM_SGD, .rate = 0.1},
    {OPTIM_SGD, .rate = 0.1, .momentum = 0.9, .weight_decay = 0.05},
    {OPTIM_ADAGRAD, .rate = 0.1, .epsilon = 1e-3, .weight_decay = 0.05},
    {OPTIM_RMSPROP, .rate = 0.01, .beta2 = 0.95, .epsilon = 1e-3, .weight_decay = 0.05},
    {OPTIM_ADAM, .rate = 0.01, .beta1 = 0.9, .beta2 = 0.98, .epsilon = 1e-3, .weight_decay = 0.05},
    {OPTIM_ADAMW, .rate = 0.01, .beta1 = 0.9, .beta2 = 0.98, .epsilon = 1e-3, .weight_decay = 0.05},
};
#define SETTINGS (sizeof settings / sizeof *settings)

static struct optim_slice new_slice(const struct optim *optim)
{
    return (struct optim_slice){.count = COUNT,
                                .weights = new_random(COUNT, 1),
                                .gradient = new_reals(COUNT),
                                .first = optim_has_first(optim) ? new_reals(COUNT) : NULL,
                                .second = optim_has_second(optim) ? new_reals(COUNT) : NULL,
                                .average = new_reals(COUNT)};
}

static void as_defined(void **state)
{
    (void)state;
    for (size_t k = 0; k < SETTINGS; k++) {
        const struct optim_slice slice = new_slice(&settings[k]);
        real *expected = new_reals(COUNT), *moments = new_reals(2 * COUNT);
        memcpy(expected, slice.weights, COUNT * sizeof(real));
        for (size_t step = 1; step <= STEPS; step++) {
            const real *gradient = new_random(COUNT, 1);
            memcpy(slice.gradient, gradient, COUNT * sizeof(real));
            assert_true(optim_update(&settings[k], step, 0.5, 0, &slice));
            for (size_t i = 0; i < COUNT; i++) {
                expected[i] =
                    plain(&settings[k], step, 0.5 * gradient[i], expected[i], moments + 2 * i);
                assert_near(slice.weights[i], expected[i], 1e-12);
                assert_true(slice.gradient[i] == 0);
            }
        }
    }
}

static struct optim_slice part(const struct optim_slice *whole, size_t begin, size_t count)
{
    return (struct optim_slice){.count = count,
                                .weights = whole->weights + begin,
                                .gradient = whole->gradient + begin,
                                .first = whole->first ? whole->first + begin : NULL,
                                .second = whole->second ? whole->second + begin : NULL,
                                .average = whole->average + begin};
}

/* Slices give what the whole vector gives: threads may share an update. */
static void in_slices(void **state)
{
    const size_t cut = 1301;
    (void)state;
    for (size_t k = 0; k < SETTINGS; k++) {
        const struct optim_slice whole = new_slice(&settings[k]), parts = new_slice(&settings[k]);
        memcpy(parts.weights, whole.weights, COUNT * sizeof(real));
        for (size_t step = 1; step <= 2; step++) {
            const real *gradient = new_random(COUNT, 1);
            const struct optim_slice left = part(&parts, 0, cut);
            const struct optim_slice right = part(&parts, cut, COUNT - cut);
            memcpy(whole.gradient, gradient, COUNT * sizeof(real));
            memcpy(parts.gradient, gradient, COUNT * sizeof(real));
            assert_true(optim_update(&settings[k], step, 1, 0.25, &whole));
            assert_true(optim_update(&settings[k], step, 1, 0.25, &left));
            assert_true(optim_update(&settings[k], step, 1, 0.25, &right));
        }
        for (size_t i = 0; i < COUNT; i++) {
            assert_near(parts.weights[i], whole.weights[i], 1e-15);
            assert_near(parts.average[i], whole.average[i], 1e-15);
        }
    }
}

/* a_n = sum_i d^(n-i) w_i / sum_i d^(n-i) */
static void average_is_weighted_mean(void **state)
{
    const double decay = 0.8;
    (void)state;
    const struct optim_slice slice = new_slice(&settings[0]);
    double above = 0, below = 0;
    for (size_t step = 1; step <= 20; step++) {
        memcpy(slice.gradient, new_random(COUNT, 1), COUNT * sizeof(real));
        optim_update(&settings[0], step, 1, optim_average_share(decay, step), &slice);
        above = decay * above + slice.weights[7];
        below = decay * below + 1;
        assert_near(slice.average[7], above / below, 1e-12);
    }
    assert_near(optim_average_share(0.999, 1), 1, 1e-12);
    assert_near(optim_average_share(0.999, 1000000), 0.001, 1e-12);
}

static void says_when_no_longer_finite(void **state)
{
    (void)state;
    for (size_t k = 0; k < SETTINGS; k++) {
        const struct optim_slice slice = new_slice(&settings[k]);
        slice.weights[COUNT - 1] = 1e308;
        slice.gradient[COUNT - 1] = settings[k].kind == OPTIM_SGD ? -1e308 : 1e200;
        const double scale = settings[k].kind == OPTIM_SGD ? 100 : 1;
        assert_false(optim_update(&settings[k], 1, scale, 0, &slice));
    }
}

static void gathers_in_order(void **state)
{
    real *parts[3], *sum = new_reals(COUNT);
    double squares = 0;
    (void)state;
    for (size_t p = 0; p < 3; p++)
        parts[p] = new_random(COUNT, 1);
    for (size_t i = 0; i < COUNT; i++) {
        sum[i] = parts[0][i] + parts[1][i] + parts[2][i];
        squares += sum[i] * sum[i];
    }
    assert_near(optim_gather(COUNT, 3, parts, 0), squares, 1e-8);
    for (size_t i = 0; i < COUNT; i++) {
        assert_near(parts[0][i], sum[i], 1e-15);
        assert_true(parts[1][i] == 0 && parts[2][i] == 0);
    }
}

static void clips_each_value(void **state)
{
    real *gradient = new_random(COUNT, 1), *before = new_reals(COUNT);
    (void)state;
    memcpy(before, gradient, COUNT * sizeof(real));
    const double squares = optim_gather(COUNT, 1, &gradient, 0.5);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(gradient[i] == fmax(-0.5, fmin(0.5, before[i])));
    assert_near(squares, dot(COUNT, gradient, gradient), 1e-9);
}

/* Neither infinity nor NaN hides behind the clipping. */
static void finds_what_is_not_finite(void **state)
{
    const real bad[] = {INFINITY, -INFINITY, NAN};
    (void)state;
    for (size_t k = 0; k < 3; k++) {
        real *gradient = new_random(COUNT, 1);
        assert_int_equal(optim_first_bad(COUNT, gradient), COUNT);
        gradient[1500] = bad[k];
        assert_true(isnan(optim_gather(COUNT, 1, &gradient, 0.5)));
        assert_int_equal(optim_first_bad(COUNT, gradient), 1500);
    }
}

static void clips_the_norm(void **state)
{
    real *gradient = new_random(COUNT, 1);
    (void)state;
    assert_true(clip_scale(3, 0) == 1); /* off */
    assert_true(clip_scale(0.5, 1) == 1);
    assert_true(clip_scale(1, 1) == 1);
    assert_true(clip_scale(0, 1) == 1);
    assert_near(clip_scale(4, 1), 0.25, 1e-15);

    const double norm = sqrt(mat_square_sum(COUNT, gradient));
    const double scale = clip_scale(norm, 2);
    for (size_t i = 0; i < COUNT; i++)
        gradient[i] *= scale;
    assert_near(sqrt(mat_square_sum(COUNT, gradient)), 2, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(as_defined, new_test, end_test),
        cmocka_unit_test_setup_teardown(in_slices, new_test, end_test),
        cmocka_unit_test_setup_teardown(average_is_weighted_mean, new_test, end_test),
        cmocka_unit_test_setup_teardown(says_when_no_longer_finite, new_test, end_test),
        cmocka_unit_test_setup_teardown(gathers_in_order, new_test, end_test),
        cmocka_unit_test_setup_teardown(clips_each_value, new_test, end_test),
        cmocka_unit_test_setup_teardown(finds_what_is_not_finite, new_test, end_test),
        cmocka_unit_test_setup_teardown(clips_the_norm, new_test, end_test),
    };
    mat_use_one_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
