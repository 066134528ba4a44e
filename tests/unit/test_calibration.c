/* Calibration against numbers worked out by hand, and against logits whose right temperature is
   known because they were made with it. */
#include "unit.h"

#include <math.h>

#include "base/rng.h"
#include "train/calibration.h"

#define COUNT 20000
#define LABELS 3

static void assert_about(double found, double expected, double tolerance)
{
    if (fabs(found - expected) > tolerance)
        fail_msg("%.9g instead of %.9g", found, expected);
}

/* Two answers: (log 3, 0), right, with probability 3/4; (0, 0), wrong, with 1/2. */
static void by_hand(void **state)
{
    (void)state;
    const float logits[] = {1.09861229f, 0, 0, 0};
    const int32_t targets[] = {0, 1};
    const struct calibration answers = {2, 2, logits, targets};
    double probability;
    assert_int_equal(calibration_guess(&answers, 0, 1, &probability), 0);
    assert_about(probability, 0.75, 1e-7);
    assert_int_equal(calibration_guess(&answers, 1, 1, &probability), 0);
    assert_about(probability, 0.5, 1e-12);
    assert_about(calibration_accuracy(&answers), 0.5, 0);
    assert_about(calibration_loss(&answers, 1), (log(4.0 / 3) + log(2)) / 2, 1e-7);
    /* the bins of 0.5 and 0.75 differ: |0.5 - 0| / 2 + |0.75 - 1| / 2 */
    assert_about(calibration_error(&answers, 1), 0.375, 1e-7);
}

static void certain_answers_stay_in_the_last_bin(void **state)
{
    (void)state;
    const float logits[] = {1000, 0, 0, -1000};
    const int32_t targets[] = {0, 1};
    const struct calibration answers = {2, 2, logits, targets};
    assert_about(calibration_error(&answers, 1), 0.5, 1e-12);
    assert_true(isfinite(calibration_loss(&answers, 0.01)));
    const struct calibration none = {0, 2, logits, targets};
    assert_about(calibration_error(&none, 1) + calibration_loss(&none, 1), 0, 0);
    assert_about(calibration_temperature(&none), 1, 0);
}

/* Labels drawn from softmax(z); the model says 2.5 z: it is too sure by that. */
static void finds_the_temperature(void **state)
{
    (void)state;
    static float logits[COUNT * LABELS];
    static int32_t targets[COUNT];
    struct rng rng;
    rng_seed(&rng, 3, 0);
    for (size_t i = 0; i < COUNT; i++) {
        double z[LABELS], sum = 0;
        for (size_t l = 0; l < LABELS; l++) {
            z[l] = rng_normal(&rng);
            sum += exp(z[l]);
            logits[i * LABELS + l] = (float)(2.5 * z[l]);
        }
        double left = rng_uniform(&rng) * sum;
        while (targets[i] < LABELS - 1 && (left -= exp(z[targets[i]])) > 0)
            targets[i]++;
    }
    const struct calibration answers = {COUNT, LABELS, logits, targets};
    const double temperature = calibration_temperature(&answers);
    assert_about(temperature, 2.5, 0.1);
    assert_true(calibration_loss(&answers, temperature) < calibration_loss(&answers, 2.3));
    assert_true(calibration_loss(&answers, temperature) < calibration_loss(&answers, 2.7));
    assert_true(calibration_error(&answers, temperature) < 0.02);
    assert_true(calibration_error(&answers, 1) > 0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),
        cmocka_unit_test(certain_answers_stay_in_the_last_bin),
        cmocka_unit_test(finds_the_temperature),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
