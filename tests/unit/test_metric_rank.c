/* Rank correlation and area under the ROC curve, by cases worked out by hand. */
#include <math.h>

#include "train/metric_rank.h"
#include "unit.h"

static uint32_t slots[METRIC_RANK_SLOTS];

static void equals_share_the_mean_rank(void **state)
{
    (void)state;
    const int16_t values[] = {5, -3, 5, INT16_MAX, INT16_MIN, 5};
    const float wanted[] = {4, 2, 4, 6, 1, 4};
    float ranks[6];
    metric_ranks(6, values, ranks, slots);
    for (size_t i = 0; i < 6; i++)
        assert_true(ranks[i] == wanted[i]);
}

/* Without ties rho = 1 - 6 sum d^2 / (n (n^2 - 1)). */
static void correlation_is_spearmans(void **state)
{
    (void)state;
    const float a[] = {1, 2, 3, 4, 5}, same[] = {1, 2, 3, 4, 5}, back[] = {5, 4, 3, 2, 1};
    const float other[] = {2, 1, 4, 3, 5}, equal[] = {3, 3, 3, 3, 3};
    assert_true(fabs(metric_rank_correlation(5, a, same) - 1) < 1e-12);
    assert_true(fabs(metric_rank_correlation(5, a, back) + 1) < 1e-12);
    assert_true(fabs(metric_rank_correlation(5, a, other) - (1 - 6.0 * 4 / 120)) < 1e-12);
    assert_true(metric_rank_correlation(5, a, equal) == 0);
    assert_true(metric_rank_correlation(0, a, a) == 0);
}

/* Counts of pairs in which the marked one is higher, over all pairs. */
static void the_area_counts_pairs(void **state)
{
    (void)state;
    const int16_t values[] = {10, 20, 30, 30, 40};
    const int16_t marks[] = {0, 1, 0, 7, 1}, all[] = {1, 1, 1, 1, 1}, none[] = {0, 0, 0, 0, 0};
    float ranks[5];
    metric_ranks(5, values, ranks, slots);
    /* 20: above 10; 30: above 10, equal to 30; 40: above both: 1 + 1.5 + 2 of 6 */
    assert_true(fabs(metric_rank_area(5, ranks, marks) - 4.5 / 6) < 1e-12);
    assert_true(metric_rank_area(5, ranks, all) == 0.5);
    assert_true(metric_rank_area(5, ranks, none) == 0.5);
    const int16_t best[] = {0, 0, 0, 0, 1}, worst[] = {1, 0, 0, 0, 0};
    assert_true(metric_rank_area(5, ranks, best) == 1);
    assert_true(metric_rank_area(5, ranks, worst) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equals_share_the_mean_rank),
        cmocka_unit_test(correlation_is_spearmans),
        cmocka_unit_test(the_area_counts_pairs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
