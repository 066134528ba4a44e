/*
 * The kernels of inference, in single precision: mat_rows against its definition, the promise that
 * a row gives the same bytes alone and in a batch, the elementary functions against the C library,
 * and the single steps against the passes over whole sequences.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "nn/mat.h"
#include "nn/softmax.h"

#define MAX_ROWS 33
#define MAX_SIZE 530
#define PAD 3 /* odd, so that rows do not start at a multiple of a vector */

static struct arena arena;
static struct rng rng;
static struct err err;

static int begin(void **state)
{
    (void)state;
    arena_init(&arena, 1 << 20);
    rng_seed(&rng, 41, 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static float *zeros(size_t count)
{
    float *x = arena_alloc(&arena, count, sizeof *x, &err);
    assert_non_null(x);
    return x;
}

static float *randoms(size_t count)
{
    float *x = zeros(count);
    for (size_t i = 0; i < count; i++)
        x[i] = (float)rng_normal(&rng);
    return x;
}

static void assert_near(double ours, double expected, double tolerance)
{
    if (!(fabs(ours - expected) <= tolerance))
        fail_msg("%.9g is not %.9g within %g", ours, expected, tolerance);
}

struct product {
    size_t rows, outputs, inputs, x_stride, w_stride, y_stride;
    const float *x, *w, *bias;
    float *y;
};

static void multiply(const struct product *p)
{
    mat_rows(p->rows, p->outputs, p->inputs, p->x, p->x_stride, p->w, p->w_stride, p->bias, p->y,
             p->y_stride);
}

/* The error of a sum of n products of floats: at most about n rounding errors of its terms. */
static void check_product(const struct product *p)
{
    for (size_t r = 0; r < p->rows; r++)
        for (size_t o = 0; o < p->outputs; o++) {
            double sum = p->bias ? (double)p->bias[o] : 0, size = fabs(sum);
            for (size_t i = 0; i < p->inputs; i++) {
                const double term =
                    (double)p->x[r * p->x_stride + i] * (double)p->w[o * p->w_stride + i];
                sum += term;
                size += fabs(term);
            }
            assert_near((double)p->y[r * p->y_stride + o], sum, 4e-7 * size);
        }
}

static void rows_by_definition(void **state)
{
    float *x = randoms(MAX_ROWS * (MAX_SIZE + PAD)), *w = randoms(MAX_SIZE * (MAX_SIZE + PAD));
    float *bias = randoms(MAX_SIZE), *y = zeros(MAX_ROWS * (MAX_SIZE + PAD));
    (void)state;
    for (int run = 0; run < 300; run++) {
        const size_t largest = run < 250 ? 40 : MAX_SIZE;
        struct product p = {.rows = 1 + rng_below(&rng, MAX_ROWS),
                            .outputs = 1 + rng_below(&rng, largest),
                            .inputs = 1 + rng_below(&rng, largest),
                            .bias = rng_below(&rng, 2) ? bias : NULL};
        p.x_stride = p.inputs + rng_below(&rng, PAD + 1);
        p.w_stride = p.inputs + rng_below(&rng, PAD + 1);
        p.y_stride = p.outputs + rng_below(&rng, PAD + 1);
        /* One float further, so that nothing is aligned. */
        p.x = x + 1;
        p.w = w + 1;
        p.y = y + 1;
        memset(y, 0, MAX_ROWS * (MAX_SIZE + PAD) * sizeof *y);
        multiply(&p);
        check_product(&p);
        for (size_t r = 0; r < p.rows; r++) /* what is not an output is not touched */
            for (size_t o = p.outputs; o < p.y_stride; o++)
                assert_true(p.y[r * p.y_stride + o] == 0);
        assert_true(y[0] == 0);
    }
}

static void rows_do_not_influence_each_other(void **state)
{
    static const size_t inputs[] = {1, 5, 15, 16, 17, 31, 33, 64, 100, 257, 512};
    static const size_t outputs[] = {1, 3, 4, 7, 30};
    float *x = randoms(MAX_ROWS * (MAX_SIZE + PAD)), *w = randoms(30 * (MAX_SIZE + PAD));
    float *bias = randoms(30), *y = zeros(MAX_ROWS * 30), *alone = zeros(30);
    (void)state;
    for (size_t i = 0; i < sizeof inputs / sizeof *inputs; i++)
        for (size_t o = 0; o < sizeof outputs / sizeof *outputs; o++)
            for (size_t rows = 1; rows <= MAX_ROWS; rows++) {
                const size_t n = outputs[o], stride = inputs[i] + PAD;
                mat_rows(rows, n, inputs[i], x, stride, w, stride, bias, y, n);
                for (size_t r = 0; r < rows; r++) {
                    mat_rows(1, n, inputs[i], x + r * stride, stride, w, stride, bias, alone, n);
                    assert_memory_equal(y + r * n, alone, n * sizeof *y);
                }
            }
}

/* Nothing to sum gives the bias; no row or no output writes nothing. */
static void rows_of_nothing(void **state)
{
    const float x[4] = {1, 2, 3, 4}, bias[2] = {5, 6};
    float y[4] = {9, 9, 9, 9};
    (void)state;
    mat_rows(0, 2, 2, x, 2, x, 2, bias, y, 2);
    mat_rows(2, 0, 2, x, 2, x, 2, bias, y, 2);
    for (size_t i = 0; i < 4; i++)
        assert_true(y[i] == 9);
    mat_rows(2, 2, 0, x, 2, x, 2, bias, y, 2);
    assert_true(y[0] == 5 && y[1] == 6 && y[2] == 5 && y[3] == 6);
}

static void products_by_definition(void **state)
{
    static const enum mat_form forms[] = {MAT_NT, MAT_NN, MAT_TN};
    (void)state;
    for (int run = 0; run < 90; run++) {
        const enum mat_form form = forms[run % 3];
        const size_t m = 1 + rng_below(&rng, 20), n = 1 + rng_below(&rng, 20);
        const size_t k = 1 + rng_below(&rng, 20), pad = rng_below(&rng, 3);
        const size_t a_stride = (form == MAT_TN ? m : k) + pad;
        const size_t b_stride = (form == MAT_NT ? k : n) + pad;
        const float *a = randoms(30 * 30), *b = randoms(30 * 30);
        float *c = randoms(30 * 30), *before = zeros(30 * 30);
        const float keep = (float)(run % 2);
        memcpy(before, c, 30 * 30 * sizeof *c);
        mat_multiply(form, m, n, k, mat_of(a, a_stride), mat_of(b, b_stride), keep,
                     mat_of(c, n + pad));
        for (size_t i = 0; i < m; i++)
            for (size_t j = 0; j < n; j++) {
                double sum = (double)(keep * before[i * (n + pad) + j]);
                for (size_t l = 0; l < k; l++)
                    sum += (double)a[form == MAT_TN ? l * a_stride + i : i * a_stride + l] *
                           (double)b[form == MAT_NT ? j * b_stride + l : l * b_stride + j];
                assert_near((double)c[i * (n + pad) + j], sum, 2e-5);
            }
        arena_reset(&arena);
    }
}

/* Relative error under 2e-7 on [-87, 88]; saturated outside; NaN stays. */
static void exponential(void **state)
{
    double worst = 0;
    (void)state;
    for (double at = -87; at <= 88; at += 1e-3) {
        const float x = (float)at;
        worst = fmax(worst, fabs((double)real_exp(x) / exp((double)x) - 1));
    }
    assert_near(worst, 0, 2e-7);
    assert_true(real_exp(0) == 1);
    assert_true(real_exp(-INFINITY) == real_exp(-87) && real_exp(-1e30f) == real_exp(-87));
    assert_true(real_exp(INFINITY) == real_exp(88) && isfinite(real_exp(88)));
    assert_true(isnan(real_exp(NAN)));
}

/* Absolute error under 3e-7 for tanh and 2e-7 for the logistic function, everywhere. */
static void bounded_functions(void **state)
{
    double worst_tanh = 0, worst_logistic = 0;
    (void)state;
    for (double at = -100; at <= 100; at += 1e-3) {
        const float x = (float)at;
        worst_tanh = fmax(worst_tanh, fabs((double)real_tanh(x) - tanh((double)x)));
        worst_logistic =
            fmax(worst_logistic, fabs((double)real_logistic(x) - 1 / (1 + exp(-(double)x))));
    }
    assert_near(worst_tanh, 0, 3e-7);
    assert_near(worst_logistic, 0, 2e-7);
    assert_true(real_tanh(0) == 0);
    assert_true(real_tanh(INFINITY) == 1 && real_tanh(-INFINITY) == -1);
    assert_near((double)real_logistic(INFINITY), 1, 0);
    assert_near((double)real_logistic(-INFINITY), 0, 1e-37);
    assert_true(isnan(real_tanh(NAN)) && isnan(real_logistic(NAN)));
}

static void softmax_by_definition(void **state)
{
    (void)state;
    for (size_t count = 1; count <= 70; count++) {
        float *x = randoms(count), *y = zeros(count);
        double sum = 0;
        memcpy(y, x, count * sizeof *x);
        for (size_t i = 0; i < count; i++)
            sum += exp((double)x[i]);
        assert_near((double)softmax_log_sum(count, x), log(sum), 1e-6);
        assert_near((double)softmax_row(count, y), log(sum), 1e-6);
        for (size_t i = 0; i < count; i++)
            assert_near((double)y[i], exp((double)x[i]) / sum, 1e-6);
    }
}

static void logarithms_are_near(void **state)
{
    double worst = 0;
    (void)state;
    for (double at = -87; at <= 88; at += 1e-3) {
        const float x = (float)exp(at);
        const double y = log((double)x);
        worst = fmax(worst, fabs((double)real_log(x) - y) / fmax(1, fabs(y)));
    }
    for (float x = 0.5f; x <= 2; x += 1e-5f)
        worst = fmax(worst, fabs((double)real_log(x) - log((double)x)));
    assert_near(worst, 0, 2e-7);
    assert_true(real_log(1) == 0);
    assert_true(isnan(real_log(NAN)));
}

static void log_softmax_by_definition(void **state)
{
    (void)state;
    for (size_t count = 1; count <= 70; count++) {
        float *x = randoms(count), *y = randoms(count), *sum = zeros(count);
        memcpy(sum, y, count * sizeof *y);
        const double log_x = (double)softmax_log_sum(count, x);
        const double log_y = (double)softmax_log_sum(count, y);
        softmax_log(count, sum);
        for (size_t i = 0; i < count; i++)
            assert_near((double)sum[i], (double)y[i] - log_y, 1e-6);
        softmax_log_add(count, x, sum);
        for (size_t i = 0; i < count; i++)
            assert_near((double)sum[i], log(exp((double)x[i] - log_x) + exp((double)y[i] - log_y)),
                        2e-6);
    }
}

/* The greater one stays where the other is nothing beside it; what is no number stays none. */
static void log_sums_saturate(void **state)
{
    float x[3] = {0, 400, -400}, y[3] = {0, -400, 400}, bad[3] = {0, NAN, -400};
    (void)state;
    softmax_log(3, y);
    softmax_log_add(3, x, y);
    assert_near((double)y[0], log(2) - 400, 1e-4);
    assert_near((double)y[1], 0, 1e-6);
    assert_near((double)y[2], 0, 1e-6);
    softmax_log_add(3, y, bad);
    assert_true(isnan(bad[1]) && !isnan(bad[0]) && !isnan(bad[2]));
}

/* Huge values neither overflow nor vanish: only differences count. */
static void softmax_saturates(void **state)
{
    float far[3] = {1e30f, -1e30f, 1e30f}, low[20], one[1] = {-12345};
    (void)state;
    assert_true(softmax_row(3, far) == 1e30f);
    assert_near((double)far[0], 0.5, 1e-6);
    assert_near((double)far[1], 0, 1e-37);
    assert_near((double)far[2], 0.5, 1e-6);
    for (size_t i = 0; i < 20; i++)
        low[i] = -3e38f;
    low[17] = 3e38f; /* the difference overflows to infinity */
    assert_true(softmax_log_sum(20, low) == 3e38f);
    assert_true(softmax_row(20, low) == 3e38f);
    assert_near((double)low[17], 1, 1e-6);
    assert_near((double)low[0], 0, 1e-37);
    assert_true(softmax_row(1, one) == -12345 && one[0] == 1);
}

/* Packed weights of every size around a panel's, rows of every tile, in both forms. */
static void packed_products_by_definition(void **state)
{
    static const size_t sizes[] = {1, 7, 8, 31, 32, 33, 70};
    enum { K = 37, ROWS = 31, LARGEST = 70 };
    (void)state;
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
        for (int form = MAT_NT; form <= MAT_NN; form++) {
            const size_t n = sizes[s], stride = (form == MAT_NT ? K : n) + PAD;
            const float *a = randoms(ROWS * (K + PAD));
            const float *b = randoms((form == MAT_NT ? n : K) * stride);
            float *packed = zeros(mat_packed_size(n, K)), *kept = randoms(ROWS * (LARGEST + PAD));
            float *c = zeros(ROWS * (LARGEST + PAD));
            memcpy(c, kept, ROWS * (LARGEST + PAD) * sizeof *c);
            mat_pack((enum mat_form)form, n, K, mat_of(b, stride), packed);
            mat_multiply_packed(ROWS, n, K, mat_of(a, K + PAD), packed, 1,
                                mat_of(c, LARGEST + PAD));
            for (size_t r = 0; r < ROWS; r++)
                for (size_t j = 0; j < LARGEST + PAD; j++) {
                    double sum = (double)kept[r * (LARGEST + PAD) + j];
                    for (size_t k = 0; j < n && k < K; k++)
                        sum += (double)a[r * (K + PAD) + k] *
                               (double)b[form == MAT_NT ? j * stride + k : k * stride + j];
                    assert_near((double)c[r * (LARGEST + PAD) + j], sum, j < n ? 1e-4 : 0);
                }
        }
}

/* Combinations of rows and outer products, of more and of fewer rows than are taken at a time,
   inside wider matrices. */
static void combinations_by_definition(void **state)
{
    enum { ROWS = 9, COLUMNS = 37, STRIDE = COLUMNS + PAD };
    (void)state;
    for (size_t rows = 0; rows <= ROWS; rows++) {
        const float *a = randoms(ROWS), *y = randoms(COLUMNS), *x = randoms(ROWS * STRIDE);
        float *fresh = randoms(COLUMNS), *kept = zeros(COLUMNS), *outer = zeros(ROWS * STRIDE);
        memcpy(kept, y, COLUMNS * sizeof *y);
        memcpy(outer, x, ROWS * STRIDE * sizeof *x);
        mat_combine(rows, COLUMNS, a, mat_of(x, STRIDE), 0, fresh);
        mat_combine(rows, COLUMNS, a, mat_of(x, STRIDE), 1, kept);
        mat_add_outer(rows, COLUMNS, a, y, mat_of(outer, STRIDE));
        for (size_t c = 0; c < COLUMNS; c++) {
            double sum = 0;
            for (size_t r = 0; r < rows; r++)
                sum += (double)a[r] * (double)x[r * STRIDE + c];
            assert_near((double)fresh[c], sum, 1e-5);
            assert_near((double)kept[c], sum + (double)y[c], 1e-5);
        }
        for (size_t i = 0; i < ROWS * STRIDE; i++) {
            const bool inside = i / STRIDE < rows && i % STRIDE < COLUMNS;
            const double added = inside ? (double)a[i / STRIDE] * (double)y[i % STRIDE] : 0;
            assert_near((double)outer[i], (double)x[i] + added, inside ? 1e-5 : 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_by_definition, begin, end),
        cmocka_unit_test_setup_teardown(rows_do_not_influence_each_other, begin, end),
        cmocka_unit_test_setup_teardown(rows_of_nothing, begin, end),
        cmocka_unit_test_setup_teardown(products_by_definition, begin, end),
        cmocka_unit_test_setup_teardown(combinations_by_definition, begin, end),
        cmocka_unit_test_setup_teardown(packed_products_by_definition, begin, end),
        cmocka_unit_test_setup_teardown(exponential, begin, end),
        cmocka_unit_test_setup_teardown(bounded_functions, begin, end),
        cmocka_unit_test_setup_teardown(softmax_by_definition, begin, end),
        cmocka_unit_test_setup_teardown(softmax_saturates, begin, end),
        cmocka_unit_test_setup_teardown(logarithms_are_near, begin, end),
        cmocka_unit_test_setup_teardown(log_softmax_by_definition, begin, end),
        cmocka_unit_test_setup_teardown(log_sums_saturate, begin, end),
    };
    mat_use_one_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
