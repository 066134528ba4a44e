/* What a training run is planned by: batches by length and the learning rate. */
#include <math.h>
#include <string.h>

#include "train/batch.h"
#include "train/schedule.h"
#include "unit.h"

#define EXAMPLES 500

static void make_keys(struct batch_key keys[EXAMPLES])
{
    for (size_t i = 0; i < EXAMPLES; i++) {
        const uint32_t length = (uint32_t)(1 + i * 7919 % 40);
        keys[i] = (struct batch_key){.order = length, .tokens = length};
    }
}

static void every_example_stands_in_one_batch(void **state)
{
    (void)state;
    struct batch_key keys[EXAMPLES];
    struct batch_plan plan;
    size_t seen[EXAMPLES] = {0};
    struct err err = ERR_INIT;
    make_keys(keys);
    assert_int_equal(batch_plan_make(&plan, keys, EXAMPLES, 200, 1, 0, &err), 0);
    assert_int_equal(plan.begins[0], 0);
    assert_int_equal(plan.begins[plan.batches], EXAMPLES);
    for (size_t i = 0; i < EXAMPLES; i++)
        seen[plan.examples[i]]++;
    for (size_t i = 0; i < EXAMPLES; i++)
        assert_int_equal(seen[i], 1);
    batch_plan_release(&plan);
}

static void batches_keep_the_budget_and_are_nearly_full(void **state)
{
    (void)state;
    struct batch_key keys[EXAMPLES];
    struct batch_plan plan;
    struct err err = ERR_INIT;
    size_t padded = 0, tokens = 0;
    make_keys(keys);
    assert_int_equal(batch_plan_make(&plan, keys, EXAMPLES, 200, 1, 3, &err), 0);
    for (size_t batch = 0; batch < plan.batches; batch++) {
        size_t longest = 0;
        const size_t count = plan.begins[batch + 1] - plan.begins[batch];
        for (size_t i = plan.begins[batch]; i < plan.begins[batch + 1]; i++) {
            tokens += keys[plan.examples[i]].tokens;
            if (keys[plan.examples[i]].tokens > longest)
                longest = keys[plan.examples[i]].tokens;
        }
        assert_true(count > 0);
        assert_true(longest * count <= 200);
        padded += longest * count;
    }
    assert_true((double)padded < 1.1 * (double)tokens);
    batch_plan_release(&plan);
}

static void an_example_over_the_budget_stands_alone(void **state)
{
    (void)state;
    const struct batch_key keys[] = {{5, 5}, {300, 300}, {6, 6}};
    struct batch_plan plan;
    struct err err = ERR_INIT;
    assert_int_equal(batch_plan_make(&plan, keys, 3, 20, 1, 0, &err), 0);
    assert_int_equal(plan.batches, 2);
    for (size_t batch = 0; batch < 2; batch++)
        if (plan.examples[plan.begins[batch]] == 1)
            assert_int_equal(plan.begins[batch + 1] - plan.begins[batch], 1);
    batch_plan_release(&plan);
}

static void plans_repeat_and_epochs_differ(void **state)
{
    (void)state;
    struct batch_key keys[EXAMPLES];
    struct batch_plan plan, again, next;
    struct err err = ERR_INIT;
    make_keys(keys);
    assert_int_equal(batch_plan_make(&plan, keys, EXAMPLES, 200, 9, 0, &err), 0);
    assert_int_equal(batch_plan_make(&again, keys, EXAMPLES, 200, 9, 0, &err), 0);
    assert_int_equal(batch_plan_make(&next, keys, EXAMPLES, 200, 9, 1, &err), 0);
    assert_memory_equal(plan.examples, again.examples, EXAMPLES * sizeof *plan.examples);
    assert_memory_not_equal(plan.examples, next.examples, EXAMPLES * sizeof *plan.examples);
    batch_plan_release(&plan);
    batch_plan_release(&again);
    batch_plan_release(&next);
}

static void no_examples_are_an_error(void **state)
{
    (void)state;
    struct batch_plan plan;
    struct err err = ERR_INIT;
    assert_int_equal(batch_plan_make(&plan, NULL, 0, 200, 1, 0, &err), ERR_ARGUMENT);
}

static void the_rate_rises_and_falls_in_lines(void **state)
{
    (void)state;
    const struct schedule schedule = {.rate = 0.01, .warmup = 0.2, .final = 0.1};
    assert_true(schedule_rate(&schedule, 0) <= 0);
    assert_true(fabs(schedule_rate(&schedule, 0.1) - 0.005) < 1e-12);
    assert_true(fabs(schedule_rate(&schedule, 0.2) - 0.01) < 1e-12);
    assert_true(fabs(schedule_rate(&schedule, 0.6) - 0.0055) < 1e-12);
    assert_true(fabs(schedule_rate(&schedule, 1) - 0.001) < 1e-12);
    const struct schedule constant = {.rate = 0.5, .warmup = 0, .final = 1};
    for (int i = 0; i <= 10; i++)
        assert_true(fabs(schedule_rate(&constant, i / 10.0) - 0.5) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_stands_in_one_batch),
        cmocka_unit_test(batches_keep_the_budget_and_are_nearly_full),
        cmocka_unit_test(an_example_over_the_budget_stands_alone),
        cmocka_unit_test(plans_repeat_and_epochs_differ),
        cmocka_unit_test(no_examples_are_an_error),
        cmocka_unit_test(the_rate_rises_and_falls_in_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
