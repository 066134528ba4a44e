/* First values of weights: that they are spread as they should be, and that orthogonal matrices
   are. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "nn/init.h"
#include "nn/mat.h"

static struct arena arena = {.block_size = 1 << 20};

static int end_test(void **state)
{
    (void)state;
    arena_release(&arena);
    return 0;
}

static float *zeros(size_t count)
{
    float *x = arena_alloc(&arena, count, sizeof *x, NULL);
    assert_non_null(x);
    return x;
}

static void check_orthogonal(size_t rows, size_t columns)
{
    const bool upright = rows > columns;
    const size_t count = upright ? columns : rows;
    float *x = zeros(rows * columns + 1);
    struct rng rng;
    rng_seed(&rng, 5, rows);
    x[rows * columns] = 7;
    init_orthogonal(rows, columns, &rng, x);
    assert_true(x[rows * columns] == 7);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count; j++) {
            double sum = 0;
            for (size_t k = 0; k < (upright ? rows : columns); k++)
                sum += upright ? (double)x[k * columns + i] * (double)x[k * columns + j]
                               : (double)x[i * columns + k] * (double)x[j * columns + k];
            if (!(fabs(sum - (i == j)) < 2e-6))
                fail_msg("%zu x %zu: product %zu, %zu is %g", rows, columns, i, j, sum);
        }
}

static void orthogonal(void **state)
{
    static const size_t shapes[][2] = {{1, 1}, {1, 7},     {7, 1},     {5, 5},
                                       {3, 8}, {8, 3},     {64, 64},   {65, 65},
                                       {2, 2}, {200, 130}, {130, 200}, {256, 256}};
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check_orthogonal(shapes[i][0], shapes[i][1]);
}

/* In the plane it turns by any angle, and mirrors as often as not. */
static void orthogonal_without_bias(void **state)
{
    enum { DRAWS = 4000 };
    size_t quarter[4] = {0}, mirrored = 0;
    struct rng rng;
    (void)state;
    rng_seed(&rng, 6, 0);
    for (size_t i = 0; i < DRAWS; i++) {
        float x[4];
        init_orthogonal(2, 2, &rng, x);
        quarter[(x[0] > 0) + 2 * (x[1] > 0)]++;
        mirrored += x[0] * x[3] - x[1] * x[2] < 0;
    }
    for (size_t q = 0; q < 4; q++)
        assert_in_range(quarter[q], DRAWS / 4 - 120, DRAWS / 4 + 120);
    assert_in_range(mirrored, DRAWS / 2 - 140, DRAWS / 2 + 140);
}

static void same_seed_same_values(void **state)
{
    enum { ROWS = 20, COLUMNS = 30 };
    float *x[3];
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        struct rng rng;
        rng_seed(&rng, i / 2, 3);
        x[i] = zeros(ROWS * COLUMNS);
        init_orthogonal(ROWS, COLUMNS, &rng, x[i]);
    }
    assert_memory_equal(x[0], x[1], ROWS * COLUMNS * sizeof(float));
    assert_memory_not_equal(x[0], x[2], ROWS * COLUMNS * sizeof(float));
}

/* Mean, deviation and largest of `count` values. */
static void check_spread(size_t count, const float *x, double deviation, double bound)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) {
        assert_true(fabs((double)x[i]) <= bound);
        sum += (double)x[i];
        squares += (double)x[i] * (double)x[i];
    }
    const double n = (double)count;
    assert_true(fabs(sum / n) < 5 * deviation / sqrt(n));
    assert_true(fabs(sqrt(squares / n) / deviation - 1) < 5 / sqrt(n));
}

static void spread(void **state)
{
    enum { COUNT = 40000, ROWS = 100, COLUMNS = 400 };
    float *x = zeros(COUNT);
    struct rng rng;
    (void)state;
    rng_seed(&rng, 7, 0);
    init_uniform(COUNT, 0.3, &rng, x);
    check_spread(COUNT, x, 0.3 / sqrt(3), 0.3 + 1e-7);
    init_normal(COUNT, 0.2, &rng, x);
    check_spread(COUNT, x, 0.2, 0.2 * 8);
    init_glorot(ROWS, COLUMNS, &rng, x);
    check_spread(COUNT, x, sqrt(2.0 / 500), sqrt(6.0 / 500) + 1e-7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(orthogonal, end_test),
        cmocka_unit_test(orthogonal_without_bias),
        cmocka_unit_test_teardown(same_seed_same_values, end_test),
        cmocka_unit_test_teardown(spread, end_test),
    };
    mat_use_one_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
