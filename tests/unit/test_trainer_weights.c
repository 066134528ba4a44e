/*
 * What the training loop makes of gradients, rates and weights: sums over batches, averages,
 * plateaus, each against its definition.
 */
#include "nn/optim.h"
#include "train/schedule.h"
#include "trainer_fixture.h"

#define NEAR 1e-5

static void assert_close(double found, double expected)
{
    if (!(fabs(found - expected) < NEAR))
        fail_msg("%.9g is not %.9g", found, expected);
}

/* Ten batches of six points are one update: the one that a batch of sixty makes. */
static void accumulated_batches_are_one_large_batch(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 2; threads++) {
        struct recipe recipe = make_recipe(threads);
        struct line_task parts = {.noise = 0}, whole = {.noise = 0};
        struct err err = ERR_INIT;
        recipe.epochs = 20;
        recipe.optimiser = OPTIM_SGD;
        recipe.clip = 0;
        recipe.rate = 0.05;
        recipe.batch_tokens = 60;
        assert_fine(run(&whole, &recipe, &err), err);
        recipe.batch_tokens = 6;
        recipe.accumulate = 10;
        assert_fine(run(&parts, &recipe, &err), err);
        assert_int_equal(whole.updates, 20);
        assert_int_equal(parts.updates, 20);
        for (size_t i = 0; i < 2; i++) {
            assert_close((double)parts.scored[i], (double)whole.scored[i]);
            assert_true(fabs((double)(parts.scored[i] - parts.before[0][i])) > 0.1);
        }
        for (size_t i = 0; i < 20; i++)
            assert_close(parts.rates[i], whole.rates[i]);
    }
}

/* Nine batches, four an update: the last update of an epoch has one. */
static void an_epoch_ends_with_what_is_left(void **state)
{
    (void)state;
    struct recipe recipe = make_recipe(1);
    struct line_task line = {.noise = 0};
    struct err err = ERR_INIT;
    recipe.accumulate = 4;
    assert_fine(run(&line, &recipe, &err), err);
    assert_int_equal(line.updates, 6 * 3);
    assert_int_equal(line.evaluations, 6);
}

static void the_exponential_average_is_scored(void **state)
{
    (void)state;
    struct recipe recipe = make_recipe(1);
    struct line_task line = {.noise = 0.01};
    struct checkpoint_progress progress;
    struct err err = ERR_INIT;
    real last[2];
    recipe.ema = 0.95;
    recipe.epochs = 5;
    assert_fine(run(&line, &recipe, &err), err);
    assert_int_equal(line.updates, 45);
    load(last, &progress);
    for (size_t i = 0; i < 2; i++) {
        double above = 0, below = 0;
        for (size_t update = 1; update <= 45; update++) {
            const real after = update < 45 ? line.before[update][i] : last[i];
            above = 0.95 * above + (double)after;
            below = 0.95 * below + 1;
        }
        assert_close((double)line.scored[i], above / below);
        assert_true(fabs((double)(line.scored[i] - last[i])) > 100 * NEAR);
    }
}

/* The weights after epochs 3, 4 and 5; after the first epoch there is but one. */
static void the_mean_of_evaluations_is_scored(void **state)
{
    (void)state;
    struct recipe recipe = make_recipe(1);
    struct line_task line = {.noise = 0.01}, first = {.noise = 0.01};
    struct checkpoint_progress progress;
    struct err err = ERR_INIT;
    real last[2];
    recipe.average = 3;
    recipe.epochs = 5;
    assert_fine(run(&line, &recipe, &err), err);
    load(last, &progress);
    for (size_t i = 0; i < 2; i++) {
        const double sum =
            (double)line.before[27][i] + (double)line.before[36][i] + (double)last[i];
        assert_close((double)line.scored[i], sum / 3);
        assert_true(fabs((double)(line.scored[i] - last[i])) > 100 * NEAR);
    }
    recipe.epochs = 1;
    assert_fine(run(&first, &recipe, &err), err);
    load(last, &progress);
    assert_memory_equal(first.scored, last, sizeof last);
}

/* No score after the first is better: a plateau after each two evaluations. */
static void plateaus_lower_the_rate(void **state)
{
    (void)state;
    struct recipe recipe = make_recipe(1);
    struct line_task line = {.scores_fall = true}, better = {.scores_rise = true};
    struct err err = ERR_INIT;
    recipe.schedule = SCHEDULE_PLATEAU;
    recipe.warmup = 0;
    recipe.decay_every = 2;
    recipe.epochs = 8;
    assert_fine(run(&line, &recipe, &err), err);
    const double expected[] = {0.1, 0.1, 0.1, 0.05, 0.05, 0.025, 0.025, 0.0125};
    for (size_t i = 0; i < 8 * 9; i++)
        assert_close(line.rates[i], expected[i / 9]);
    assert_fine(run(&better, &recipe, &err), err);
    for (size_t i = 0; i < 8 * 9; i++)
        assert_close(better.rates[i], 0.1);
}

static void every_update_has_a_rate(void **state)
{
    (void)state;
    for (int schedule = SCHEDULE_CONSTANT; schedule <= SCHEDULE_PLATEAU; schedule++) {
        struct recipe recipe = make_recipe(1);
        struct line_task line = {.noise = 0};
        struct err err = ERR_INIT;
        recipe.schedule = schedule;
        recipe.final_rate = 0;
        recipe.epochs = 10;
        assert_fine(run(&line, &recipe, &err), err);
        assert_close(line.rates[0], 0.1 * 0.5 / 9);
        for (size_t i = 0; i < 90; i++)
            assert_true(line.rates[i] > 0 && line.rates[i] <= 0.1 * (1 + NEAR));
    }
}

/* No entry of the sum exceeds the threshold, so neither does a step of plain SGD. */
static void values_are_clipped_before_the_norm(void **state)
{
    (void)state;
    struct recipe recipe = make_recipe(2);
    struct line_task line = {.noise = 0.01};
    struct err err = ERR_INIT;
    recipe.optimiser = OPTIM_SGD;
    recipe.schedule = SCHEDULE_CONSTANT;
    recipe.warmup = recipe.momentum = 0;
    recipe.rate = 1;
    recipe.clip_value = 0.001;
    recipe.clip = 0.001;
    assert_fine(run(&line, &recipe, &err), err);
    for (size_t i = 0; i < 2; i++)
        assert_close(fabs((double)(line.before[1][i] - line.before[0][i])), 0.001 / sqrt(2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accumulated_batches_are_one_large_batch),
        cmocka_unit_test(an_epoch_ends_with_what_is_left),
        cmocka_unit_test(the_exponential_average_is_scored),
        cmocka_unit_test(the_mean_of_evaluations_is_scored),
        cmocka_unit_test(plateaus_lower_the_rate),
        cmocka_unit_test(every_update_has_a_rate),
        cmocka_unit_test(values_are_clipped_before_the_norm),
    };
    return cmocka_run_group_tests(tests, make_folder, scratch_remove);
}
