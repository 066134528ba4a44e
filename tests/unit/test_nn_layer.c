/*
 * The layers without time, softmax and loss, in double precision: backward passes against finite
 * differences, the rest against its definition.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "nn/layer.h"
#include "nn/loss.h"
#include "nn/softmax.h"
#include "support/finite_difference.h"

#define ROWS 5
#define INPUTS 7
#define OUTPUTS 3
#define CLASSES 19 /* over and not a multiple of the sixteen lanes of a sum */

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

/* One layer from x to y, and the probe that makes a number of y. */
struct layer_case {
    const int32_t *ids;
    real *x, *y, *probe, *mask;
    struct linear layer;
    double rate;
    uint64_t seed;
};

static double embedding_loss(void *context)
{
    struct layer_case *c = context;
    embedding_forward(ROWS, INPUTS, c->ids, c->x, c->y);
    return dot(ROWS * INPUTS, c->y, c->probe);
}

static void embedding(void **state)
{
    static const int32_t ids[ROWS] = {3, 0, 3, 1, 3}; /* 3 collects three rows, 2 none */
    struct layer_case c = {.ids = ids,
                           .x = new_random(4 * INPUTS, 1),
                           .y = new_reals(ROWS * INPUTS),
                           .probe = new_random(ROWS * INPUTS, 1)};
    real *gradient = new_reals(4 * INPUTS);
    (void)state;
    embedding_loss(&c);
    assert_memory_equal(c.y + 2 * INPUTS, c.x + 3 * INPUTS, INPUTS * sizeof(real));
    embedding_backward(ROWS, INPUTS, ids, c.probe, gradient);
    check_gradient("embedding table", embedding_loss, &c, 4 * INPUTS, c.x, gradient);
}

/* The matrices are parts of wider ones, so that no stride is the number of columns. */
static double linear_loss(void *context)
{
    struct layer_case *c = context;
    linear_forward(ROWS, OUTPUTS, INPUTS, mat_of(c->x, INPUTS + 1), &c->layer, 0,
                   mat_of(c->y, OUTPUTS + 2));
    return dot(ROWS * (OUTPUTS + 2), c->y, c->probe);
}

static void linear_gradients(void **state)
{
    struct layer_case c = {
        .x = new_random(ROWS * (INPUTS + 1), 1),
        .y = new_reals(ROWS * (OUTPUTS + 2)),
        .probe = new_random(ROWS * (OUTPUTS + 2), 1),
        .layer = {mat_of(new_random(OUTPUTS * (INPUTS + 3), 1), INPUTS + 3),
                  new_random(OUTPUTS, 1)},
    };
    const struct linear gradient = {mat_of(new_reals(OUTPUTS * (INPUTS + 3)), INPUTS + 3),
                                    new_reals(OUTPUTS)};
    real *d_x = new_reals(ROWS * (INPUTS + 1));
    (void)state;
    linear_backward(ROWS, OUTPUTS, INPUTS, mat_of(c.x, INPUTS + 1), &c.layer, &gradient,
                    mat_of(c.probe, OUTPUTS + 2), 0, mat_of(d_x, INPUTS + 1));
    check_gradient("linear x", linear_loss, &c, ROWS * (INPUTS + 1), c.x, d_x);
    check_gradient("linear weight", linear_loss, &c, OUTPUTS * (INPUTS + 3), c.layer.w.data,
                   gradient.w.data);
    check_gradient("linear bias", linear_loss, &c, OUTPUTS, c.layer.bias, gradient.bias);
}

/* Weight gradients add up; d_x and y are kept or overwritten as asked; the bias may be missing. */
static void linear_keeps(void **state)
{
    const struct linear layer = {mat_of(new_random(OUTPUTS * INPUTS, 1), INPUTS), NULL};
    const struct linear once = {mat_of(new_reals(OUTPUTS * INPUTS), INPUTS), NULL};
    const struct linear twice = {mat_of(new_reals(OUTPUTS * INPUTS), INPUTS), NULL};
    real *x = new_random(ROWS * INPUTS, 1), *d_y = new_random(ROWS * OUTPUTS, 1);
    real *d_once = new_reals(ROWS * INPUTS), *d_twice = new_random(ROWS * INPUTS, 1);
    real *y_once = new_random(ROWS * OUTPUTS, 1), *y_twice = new_reals(ROWS * OUTPUTS);
    (void)state;
    linear_backward(ROWS, OUTPUTS, INPUTS, mat_of(x, INPUTS), &layer, &once, mat_of(d_y, OUTPUTS),
                    0, mat_of(d_once, INPUTS));
    for (int keep = 0; keep < 2; keep++)
        linear_backward(ROWS, OUTPUTS, INPUTS, mat_of(x, INPUTS), &layer, &twice,
                        mat_of(d_y, OUTPUTS), keep, mat_of(d_twice, INPUTS));
    for (size_t i = 0; i < OUTPUTS * INPUTS; i++)
        assert_near(twice.w.data[i], 2 * once.w.data[i], 1e-12);
    for (size_t i = 0; i < ROWS * INPUTS; i++)
        assert_near(d_twice[i], 2 * d_once[i], 1e-12);

    linear_forward(ROWS, OUTPUTS, INPUTS, mat_of(x, INPUTS), &layer, 0, mat_of(y_once, OUTPUTS));
    for (int keep = 0; keep < 2; keep++)
        linear_forward(ROWS, OUTPUTS, INPUTS, mat_of(x, INPUTS), &layer, keep,
                       mat_of(y_twice, OUTPUTS));
    for (size_t i = 0; i < ROWS * OUTPUTS; i++)
        assert_near(y_twice[i], 2 * y_once[i], 1e-12);
}

static double tanh_loss(void *context)
{
    struct layer_case *c = context;
    memcpy(c->y, c->x, ROWS * INPUTS * sizeof(real));
    tanh_forward(ROWS * INPUTS, c->y);
    return dot(ROWS * INPUTS, c->y, c->probe);
}

static void tanh_gradient(void **state)
{
    struct layer_case c = {.x = new_random(ROWS * INPUTS, 1),
                           .y = new_reals(ROWS * INPUTS),
                           .probe = new_random(ROWS * INPUTS, 1)};
    real *d = new_reals(ROWS * INPUTS);
    (void)state;
    tanh_loss(&c);
    memcpy(d, c.probe, ROWS * INPUTS * sizeof(real));
    tanh_backward(ROWS * INPUTS, c.y, d);
    check_gradient("tanh", tanh_loss, &c, ROWS * INPUTS, c.x, d);
}

static double dropout_loss(void *context)
{
    struct layer_case *c = context;
    struct rng rng;
    rng_seed(&rng, c->seed, 0);
    memcpy(c->y, c->x, ROWS * INPUTS * sizeof(real));
    dropout_forward(ROWS * INPUTS, c->rate, &rng, c->y, c->mask);
    return dot(ROWS * INPUTS, c->y, c->probe);
}

static void dropout_gradient(void **state)
{
    struct layer_case c = {.x = new_random(ROWS * INPUTS, 1),
                           .y = new_reals(ROWS * INPUTS),
                           .mask = new_reals(ROWS * INPUTS),
                           .probe = new_random(ROWS * INPUTS, 1),
                           .rate = 0.4,
                           .seed = 5};
    real *d = new_reals(ROWS * INPUTS);
    (void)state;
    dropout_loss(&c);
    memcpy(d, c.probe, ROWS * INPUTS * sizeof(real));
    dropout_backward(ROWS * INPUTS, c.rate, c.mask, d);
    check_gradient("dropout", dropout_loss, &c, ROWS * INPUTS, c.x, d);
}

/* An odd count; the share of zeros within five standard deviations; the others scaled. */
static void dropout_rate(void **state)
{
    const size_t count = 20001;
    const double rate = 0.3;
    real *x = new_reals(count), *mask = new_reals(count);
    struct rng rng;
    size_t zeros = 0;
    (void)state;
    rng_seed(&rng, 3, 0);
    for (size_t i = 0; i < count; i++)
        x[i] = 1;
    dropout_forward(count, rate, &rng, x, mask);
    for (size_t i = 0; i < count; i++) {
        zeros += x[i] == 0;
        assert_true(x[i] == mask[i]);
        if (x[i] != 0)
            assert_near(x[i], 1 / (1 - rate), 1e-12);
    }
    assert_near((double)zeros, rate * (double)count, 5 * sqrt((double)count * rate * (1 - rate)));
}

static void dropout_off(void **state)
{
    struct rng rng, before;
    real *x = new_random(4, 1), *d = new_random(4, 1), mask[4] = {9, 9, 9, 9};
    real x_before[4], d_before[4];
    (void)state;
    rng_seed(&rng, 3, 0);
    before = rng;
    memcpy(x_before, x, sizeof x_before);
    memcpy(d_before, d, sizeof d_before);
    dropout_forward(4, 0, &rng, x, mask);
    dropout_backward(4, 0, mask, d);
    assert_memory_equal(x, x_before, sizeof x_before);
    assert_memory_equal(d, d_before, sizeof d_before);
    assert_memory_equal(&rng, &before, sizeof rng);
    assert_true(mask[0] == 9);
}

static double softmax_loss(void *context)
{
    struct layer_case *c = context;
    memcpy(c->y, c->x, CLASSES * sizeof(real));
    softmax_row(CLASSES, c->y);
    return dot(CLASSES, c->y, c->probe);
}

static void softmax_gradient(void **state)
{
    struct layer_case c = {
        .x = new_random(CLASSES, 2), .y = new_reals(CLASSES), .probe = new_random(CLASSES, 1)};
    real *d = new_reals(CLASSES);
    (void)state;
    softmax_loss(&c);
    memcpy(d, c.probe, CLASSES * sizeof(real));
    softmax_row_backward(CLASSES, c.y, d);
    check_gradient("softmax", softmax_loss, &c, CLASSES, c.x, d);
}

struct loss_case {
    const int32_t *targets;
    real *logits, *copy;
    double smoothing, scale;
};

static double scaled_loss(void *context)
{
    struct loss_case *c = context;
    double negative_log;
    memcpy(c->copy, c->logits, ROWS * CLASSES * sizeof(real));
    return c->scale *
           cross_entropy(ROWS, CLASSES, c->targets, c->smoothing, c->scale, c->copy, &negative_log);
}

/* -(1 - e) log p_y - e / V sum_v log p_v, and -log p_y, as they are written. */
static double plain_cross_entropy(const struct loss_case *c, double *negative_log)
{
    double loss = 0;
    *negative_log = 0;
    for (size_t row = 0; row < ROWS; row++) {
        const real *x = c->logits + row * CLASSES;
        double sum = 0, all = 0;
        if (c->targets[row] < 0)
            continue;
        for (size_t v = 0; v < CLASSES; v++)
            sum += exp(x[v]);
        for (size_t v = 0; v < CLASSES; v++)
            all += log(exp(x[v]) / sum);
        const double own = log(exp(x[c->targets[row]]) / sum);
        *negative_log -= own;
        loss -= (1 - c->smoothing) * own + c->smoothing / CLASSES * all;
    }
    return loss;
}

static void cross_entropy_gradient(void **state)
{
    static const int32_t targets[ROWS] = {0, CLASSES - 1, -1, 7, -1};
    static const double smoothings[] = {0, 0.1};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct loss_case c = {.targets = targets,
                              .logits = new_random(ROWS * CLASSES, 2),
                              .copy = new_reals(ROWS * CLASSES),
                              .smoothing = smoothings[i],
                              .scale = 0.37};
        real *d = new_reals(ROWS * CLASSES);
        double negative_log, expected_log;
        memcpy(d, c.logits, ROWS * CLASSES * sizeof(real));
        const double loss =
            cross_entropy(ROWS, CLASSES, targets, c.smoothing, c.scale, d, &negative_log);
        assert_near(loss, plain_cross_entropy(&c, &expected_log), 1e-12);
        assert_near(negative_log, expected_log, 1e-12);
        check_gradient("cross entropy", scaled_loss, &c, ROWS * CLASSES, c.logits, d);
        for (size_t v = 0; v < CLASSES; v++)
            assert_true(d[2 * CLASSES + v] == 0);
    }
}

static void cross_entropy_all_masked(void **state)
{
    static const int32_t targets[2] = {-1, -1};
    real *logits = new_random(2 * CLASSES, 1);
    double negative_log = 1;
    (void)state;
    assert_true(cross_entropy(2, CLASSES, targets, 0.1, 1, logits, &negative_log) == 0);
    assert_true(negative_log == 0);
    for (size_t i = 0; i < 2 * CLASSES; i++)
        assert_true(logits[i] == 0);
}

struct square_case {
    const real *targets;
    real *outputs, *copy;
    double scale;
};

static double scaled_square_loss(void *context)
{
    struct square_case *c = context;
    memcpy(c->copy, c->outputs, ROWS * sizeof(real));
    return c->scale * squared_error(ROWS, c->targets, c->scale, c->copy);
}

static void squared_error_gradient(void **state)
{
    struct square_case c = {.targets = new_random(ROWS, 1),
                            .outputs = new_random(ROWS, 2),
                            .copy = new_reals(ROWS),
                            .scale = 0.37};
    real *d = new_reals(ROWS);
    double expected = 0;
    (void)state;
    for (size_t i = 0; i < ROWS; i++)
        expected += pow(c.outputs[i] - c.targets[i], 2);
    memcpy(d, c.outputs, ROWS * sizeof(real));
    assert_near(squared_error(ROWS, c.targets, c.scale, d), expected, 1e-12);
    check_gradient("squared error", scaled_square_loss, &c, ROWS, c.outputs, d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(embedding, new_test, end_test),
        cmocka_unit_test_setup_teardown(linear_gradients, new_test, end_test),
        cmocka_unit_test_setup_teardown(linear_keeps, new_test, end_test),
        cmocka_unit_test_setup_teardown(tanh_gradient, new_test, end_test),
        cmocka_unit_test_setup_teardown(dropout_gradient, new_test, end_test),
        cmocka_unit_test_setup_teardown(dropout_rate, new_test, end_test),
        cmocka_unit_test_setup_teardown(dropout_off, new_test, end_test),
        cmocka_unit_test_setup_teardown(softmax_gradient, new_test, end_test),
        cmocka_unit_test_setup_teardown(cross_entropy_gradient, new_test, end_test),
        cmocka_unit_test_setup_teardown(cross_entropy_all_masked, new_test, end_test),
        cmocka_unit_test_setup_teardown(squared_error_gradient, new_test, end_test),
    };
    mat_use_one_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
