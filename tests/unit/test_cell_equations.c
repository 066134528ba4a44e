/*
 * One step of every cell against its equations as the textbooks write them, gate by gate and unit
 * by unit, in double precision; and the two normalisations against those of Nematus and Marian.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "nn/cell.h"
#include "support/finite_difference.h"

#define INPUT 5
#define HIDDEN 4

static int end_test(void **state)
{
    (void)state;
    release_reals();
    return 0;
}

struct step { /* of one sentence */
    struct cell_layer layer;
    real *x, *h, *c;
    real *next_h, *next_c; /* what the layer makes of them */
    real *expected_h, *expected_c;
};

static struct step new_step(enum cell_kind kind, enum cell_norm norm, size_t input)
{
    struct cell_tensor list[CELL_MAX_TENSORS];
    new_sequence(61);
    struct step s = {
        .layer = {.kind = kind, .norm = norm, .input = input, .hidden = HIDDEN},
        .x = new_random(input, 1),
        .h = new_random(HIDDEN, 1),
        .c = new_random(HIDDEN, 1),
        .expected_h = new_reals(HIDDEN),
        .expected_c = new_reals(HIDDEN),
    };
    const size_t count = cell_tensors(&s.layer, &s.layer.w, list);
    for (size_t i = 0; i < count; i++)
        *list[i].slot = new_random(list[i].rows * (list[i].columns ? list[i].columns : 1), 0.7);
    struct cell_run run = {.layer = &s.layer, .steps = 1, .batch = 1};
    assert_int_equal(cell_run_begin(&run, &test_arena, NULL), 0);
    cell_run_input(&run, 0, 1, mat_of(s.x, input));
    cell_run_step(&run, 0, (struct cell_before){s.h, s.c});
    s.next_h = run.h;
    s.next_c = run.c;
    return s;
}

static void check(const struct step *s)
{
    for (size_t k = 0; k < HIDDEN; k++) {
        assert_near(s->next_h[k], s->expected_h[k], 1e-14);
        if (s->next_c)
            assert_near(s->next_c[k], s->expected_c[k], 1e-14);
    }
}

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

/* Unit k of block `block` of weight_ih times x. */
static double wx(const struct step *s, size_t block, size_t k)
{
    return dot(s->layer.input, s->layer.w.weight_ih + (block * HIDDEN + k) * s->layer.input, s->x);
}

static double uh(const struct step *s, size_t block, size_t k, const real *h)
{
    return dot(HIDDEN, s->layer.w.weight_hh + (block * HIDDEN + k) * HIDDEN, h);
}

static double b(const struct step *s, size_t block, size_t k)
{
    return s->layer.w.bias_ih[block * HIDDEN + k];
}

static double b2(const struct step *s, size_t block, size_t k)
{
    return s->layer.w.bias_hh[block * HIDDEN + k];
}

/* Where x stands alone. */
static double bare_x(const struct step *s, size_t k)
{
    if (!s->layer.w.projection)
        return s->x[k];
    return dot(s->layer.input, s->layer.w.projection + k * s->layer.input, s->x);
}

static void rnn(void **state)
{
    (void)state;
    for (int relu = 0; relu < 2; relu++) {
        struct step s = new_step(relu ? CELL_RNN_RELU : CELL_RNN_TANH, CELL_NORM_NONE, INPUT);
        for (size_t k = 0; k < HIDDEN; k++) {
            const double sum = wx(&s, 0, k) + b(&s, 0, k) + uh(&s, 0, k, s.h) + b2(&s, 0, k);
            s.expected_h[k] = relu ? fmax(sum, 0) : tanh(sum);
        }
        check(&s);
    }
}

static void lstm(void **state)
{
    (void)state;
    for (int peeps = 0; peeps < 2; peeps++) {
        struct step s = new_step(peeps ? CELL_LSTM_PEEPHOLE : CELL_LSTM, CELL_NORM_NONE, INPUT);
        assert_true(peeps ? !s.layer.w.bias_hh : !s.layer.w.peephole);
        for (size_t k = 0; k < HIDDEN; k++) {
            double sum[4];
            for (size_t gate = 0; gate < 4; gate++)
                sum[gate] = wx(&s, gate, k) + b(&s, gate, k) + uh(&s, gate, k, s.h) +
                            (peeps ? 0 : b2(&s, gate, k));
            const real *p = s.layer.w.peephole;
            const double i = logistic(sum[0] + (peeps ? p[k] * s.c[k] : 0));
            const double f = logistic(sum[1] + (peeps ? p[HIDDEN + k] * s.c[k] : 0));
            const double c = f * s.c[k] + i * tanh(sum[2]);
            const double o = logistic(sum[3] + (peeps ? p[2 * HIDDEN + k] * c : 0));
            s.expected_c[k] = c;
            s.expected_h[k] = o * tanh(c);
        }
        check(&s);
    }
}

static void gru(void **state)
{
    struct step s = new_step(CELL_GRU, CELL_NORM_NONE, INPUT);
    (void)state;
    for (size_t k = 0; k < HIDDEN; k++) {
        const double r = logistic(wx(&s, 0, k) + b(&s, 0, k) + uh(&s, 0, k, s.h) + b2(&s, 0, k));
        const double z = logistic(wx(&s, 1, k) + b(&s, 1, k) + uh(&s, 1, k, s.h) + b2(&s, 1, k));
        const double n = tanh(wx(&s, 2, k) + b(&s, 2, k) + r * (uh(&s, 2, k, s.h) + b2(&s, 2, k)));
        s.expected_h[k] = (1 - z) * n + z * s.h[k];
    }
    check(&s);
}

static void gru_cho(void **state)
{
    struct step s = new_step(CELL_GRU_CHO, CELL_NORM_NONE, INPUT);
    real rh[HIDDEN];
    (void)state;
    for (size_t k = 0; k < HIDDEN; k++)
        rh[k] = logistic(wx(&s, 0, k) + uh(&s, 0, k, s.h) + b(&s, 0, k)) * s.h[k];
    for (size_t k = 0; k < HIDDEN; k++) {
        const double z = logistic(wx(&s, 1, k) + uh(&s, 1, k, s.h) + b(&s, 1, k));
        const double n = tanh(wx(&s, 2, k) + uh(&s, 2, k, rh) + b(&s, 2, k));
        s.expected_h[k] = (1 - z) * n + z * s.h[k];
    }
    check(&s);
}

/* weight_ih: r, z; weight_hh: r, n. */
static void mut1(void **state)
{
    (void)state;
    for (size_t input = HIDDEN; input <= INPUT; input++) {
        struct step s = new_step(CELL_MUT1, CELL_NORM_NONE, input);
        real rh[HIDDEN];
        for (size_t k = 0; k < HIDDEN; k++)
            rh[k] = logistic(wx(&s, 0, k) + uh(&s, 0, k, s.h) + b(&s, 0, k)) * s.h[k];
        for (size_t k = 0; k < HIDDEN; k++) {
            const double z = logistic(wx(&s, 1, k) + b(&s, 1, k));
            const double n = tanh(uh(&s, 1, k, rh) + tanh(bare_x(&s, k)) + b2(&s, 0, k));
            s.expected_h[k] = n * z + s.h[k] * (1 - z);
        }
        check(&s);
    }
}

/* weight_ih: z, n; weight_hh: r, z, n. */
static void mut2(void **state)
{
    (void)state;
    for (size_t input = HIDDEN; input <= INPUT; input++) {
        struct step s = new_step(CELL_MUT2, CELL_NORM_NONE, input);
        real rh[HIDDEN];
        for (size_t k = 0; k < HIDDEN; k++)
            rh[k] = logistic(bare_x(&s, k) + uh(&s, 0, k, s.h) + b2(&s, 0, k)) * s.h[k];
        for (size_t k = 0; k < HIDDEN; k++) {
            const double z = logistic(wx(&s, 0, k) + uh(&s, 1, k, s.h) + b(&s, 0, k));
            const double n = tanh(uh(&s, 2, k, rh) + wx(&s, 1, k) + b(&s, 1, k));
            s.expected_h[k] = n * z + s.h[k] * (1 - z);
        }
        check(&s);
    }
}

static void mut3(void **state)
{
    struct step s = new_step(CELL_MUT3, CELL_NORM_NONE, INPUT);
    real rh[HIDDEN], th[HIDDEN];
    (void)state;
    for (size_t k = 0; k < HIDDEN; k++) {
        rh[k] = logistic(wx(&s, 0, k) + uh(&s, 0, k, s.h) + b(&s, 0, k)) * s.h[k];
        th[k] = tanh(s.h[k]);
    }
    for (size_t k = 0; k < HIDDEN; k++) {
        const double z = logistic(wx(&s, 1, k) + uh(&s, 1, k, th) + b(&s, 1, k));
        const double n = tanh(uh(&s, 2, k, rh) + wx(&s, 2, k) + b(&s, 2, k));
        s.expected_h[k] = n * z + s.h[k] * (1 - z);
    }
    check(&s);
}

/* (v - mean) / sqrt(variance + epsilon), in place. */
static void normalise(size_t width, double epsilon, double *v)
{
    double mean = 0, variance = 0;
    for (size_t i = 0; i < width; i++)
        mean += v[i] / (double)width;
    for (size_t i = 0; i < width; i++)
        variance += (v[i] - mean) * (v[i] - mean) / (double)width;
    for (size_t i = 0; i < width; i++)
        v[i] = (v[i] - mean) / sqrt(variance + epsilon);
}

static void expect_gru(struct step *s, const double *input, const double *recurrent)
{
    for (size_t k = 0; k < HIDDEN; k++) {
        const double r = logistic(input[k] + recurrent[k]);
        const double z = logistic(input[HIDDEN + k] + recurrent[HIDDEN + k]);
        const double n = tanh(input[2 * HIDDEN + k] + r * recurrent[2 * HIDDEN + k]);
        s->expected_h[k] = (1 - z) * n + z * s->h[k];
    }
}

/* Nematus: LN(x W + b) over r and z, LN(x Wx + bx) over n, each with its gain and bias. */
static void separate_norm(void **state)
{
    struct step s = new_step(CELL_GRU, CELL_NORM_SEPARATE, INPUT);
    const struct cell_weights *w = &s.layer.w;
    double input[3 * HIDDEN], recurrent[3 * HIDDEN];
    (void)state;
    for (size_t i = 0; i < 3 * HIDDEN; i++) {
        input[i] = wx(&s, 0, i) + b(&s, 0, i);
        recurrent[i] = uh(&s, 0, i, s.h) + b2(&s, 0, i);
    }
    normalise(2 * HIDDEN, 1e-5, input);
    normalise(HIDDEN, 1e-5, input + 2 * HIDDEN);
    normalise(2 * HIDDEN, 1e-5, recurrent);
    normalise(HIDDEN, 1e-5, recurrent + 2 * HIDDEN);
    for (size_t i = 0; i < 3 * HIDDEN; i++) {
        input[i] = input[i] * w->gain_ih[i] + w->shift_ih[i];
        recurrent[i] = recurrent[i] * w->gain_hh[i] + w->shift_hh[i];
    }
    expect_gru(&s, input, recurrent);
    check(&s);
}

/* Marian: LN(x W) and LN(s U) over all gates, with gains; the bias comes after. */
static void joint_norm(void **state)
{
    struct step s = new_step(CELL_GRU, CELL_NORM_JOINT, INPUT);
    const struct cell_weights *w = &s.layer.w;
    double input[3 * HIDDEN], recurrent[3 * HIDDEN];
    (void)state;
    for (size_t i = 0; i < 3 * HIDDEN; i++) {
        input[i] = wx(&s, 0, i);
        recurrent[i] = uh(&s, 0, i, s.h);
    }
    normalise(3 * HIDDEN, 1e-9, input);
    normalise(3 * HIDDEN, 1e-9, recurrent);
    for (size_t i = 0; i < 3 * HIDDEN; i++) {
        input[i] = input[i] * w->gain_ih[i] + b(&s, 0, i);
        recurrent[i] = recurrent[i] * w->gain_hh[i] + b2(&s, 0, i);
    }
    expect_gru(&s, input, recurrent);
    check(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(rnn, end_test),
        cmocka_unit_test_teardown(lstm, end_test),
        cmocka_unit_test_teardown(gru, end_test),
        cmocka_unit_test_teardown(gru_cho, end_test),
        cmocka_unit_test_teardown(mut1, end_test),
        cmocka_unit_test_teardown(mut2, end_test),
        cmocka_unit_test_teardown(mut3, end_test),
        cmocka_unit_test_teardown(separate_norm, end_test),
        cmocka_unit_test_teardown(joint_norm, end_test),
    };
    mat_use_one_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
