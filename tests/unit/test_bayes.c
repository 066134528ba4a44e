/* Naive-Bayes ratios: counted by hand for a few texts, and found again in the embeddings. */
#include "unit.h"

#include <math.h>

#include "base/mem.h"
#include "train/bayes.h"

#define V 6
#define E 8

/* Texts over tokens 0..5: {4, 4, 5}, {4}, {5}, {}. */
static struct task_ids make_texts(void)
{
    static int32_t ids[] = {4, 4, 5, 4, 5};
    static size_t begins[] = {0, 3, 4, 5, 5};
    return (struct task_ids){.ids = ids, .begins = begins, .count = 4};
}

static void ratio_is(const struct bayes *bayes, size_t at, double p, double P, double q, double Q)
{
    const double want = log((p + 1) / (P + 2)) - log((q + 1) / (Q + 2));
    assert_true(fabs((double)bayes->ratios[at] - want) < 1e-6);
}

static void two_labels_have_one_direction(void **state)
{
    const int32_t labels[] = {1, 1, 0, 0};
    const struct task_ids texts = make_texts();
    struct bayes bayes = {0};
    struct err err = ERR_INIT;
    (void)state;
    assert_fine(bayes_count(&bayes, V, &texts, labels, 2, &err), err);
    assert_int_equal(bayes.directions, 1);
    ratio_is(&bayes, 4, 2, 2, 0, 2); /* a token counts once a text */
    ratio_is(&bayes, 5, 1, 2, 1, 2);
    for (size_t id = 0; id < 4; id++) /* in no text */
        assert_true(bayes.ratios[id] == 0);
    bayes_release(&bayes);
}

static void more_labels_have_one_each(void **state)
{
    const int32_t labels[] = {2, 0, 1, 1};
    const struct task_ids texts = make_texts();
    struct bayes bayes = {0};
    struct err err = ERR_INIT;
    (void)state;
    assert_fine(bayes_count(&bayes, V, &texts, labels, 3, &err), err);
    assert_int_equal(bayes.directions, 3);
    ratio_is(&bayes, 4 * 3 + 0, 1, 1, 1, 3);
    ratio_is(&bayes, 4 * 3 + 1, 0, 2, 2, 2);
    ratio_is(&bayes, 4 * 3 + 2, 1, 1, 1, 3);
    ratio_is(&bayes, 5 * 3 + 0, 0, 1, 2, 3);
    bayes_release(&bayes);
}

/* The length of what is added is scale * |ratio|, and tokens differ in that alone. */
static void embeddings_lie_along_the_direction(void **state)
{
    const int32_t labels[] = {1, 1, 0, 0};
    const struct task_ids texts = make_texts();
    struct bayes bayes = {0};
    struct err err = ERR_INIT;
    struct rng rng;
    real table[V * E] = {0};
    (void)state;
    assert_fine(bayes_count(&bayes, V, &texts, labels, 2, &err), err);
    bayes.ratios[5] = -bayes.ratios[4];
    rng_seed(&rng, 1, 1);
    bayes_add(&bayes, 0.5, E, &rng, table);
    double square = 0;
    for (size_t e = 0; e < E; e++) {
        square += (double)table[4 * E + e] * (double)table[4 * E + e];
        assert_true(table[4 * E + e] == -table[5 * E + e]);
        assert_true(table[e] == 0);
    }
    assert_true(fabs(sqrt(square) - 0.5 * (double)bayes.ratios[4]) < 1e-6);
    bayes_release(&bayes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_labels_have_one_direction),
        cmocka_unit_test(more_labels_have_one_each),
        cmocka_unit_test(embeddings_lie_along_the_direction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
