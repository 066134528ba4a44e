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

/* The largest padded size among the runs; they must follow each other and cover the batch. */
static size_t largest_run(const uint32_t *examples, size_t count, const struct batch_key *keys,
                          size_t shares, const size_t *ends)
{
    size_t begin = 0, largest = 0;
    for (size_t share = 0; share < shares; share++) {
        size_t longest = 0;
        assert_true(ends[share] >= begin && ends[share] <= count);
        for (size_t i = begin; i < ends[share]; i++)
            if (keys[examples[i]].tokens > longest)
                longest = keys[examples[i]].tokens;
        if (longest * (ends[share] - begin) > largest)
            largest = longest * (ends[share] - begin);
        begin = ends[share];
    }
    assert_int_equal(begin, count);
    return largest;
}

/* Against every other way to cut a batch in two. */
static void shares_are_as_even_as_can_be(void **state)
{
    (void)state;
    struct batch_key keys[EXAMPLES];
    struct batch_plan plan;
    struct err err = ERR_INIT;
    make_keys(keys);
    assert_int_equal(batch_plan_make(&plan, keys, EXAMPLES, 400, 1, 0, &err), 0);
    for (size_t batch = 0; batch < plan.batches; batch++) {
        const uint32_t *examples = plan.examples + plan.begins[batch];
        const size_t count = plan.begins[batch + 1] - plan.begins[batch];
        size_t ends[2], best = SIZE_MAX;
        for (size_t cut = 0; cut <= count; cut++) {
            const size_t tried[2] = {cut, count};
            const size_t largest = largest_run(examples, count, keys, 2, tried);
            best = largest < best ? largest : best;
        }
        batch_deal(examples, count, keys, 2, ends);
        assert_int_equal(largest_run(examples, count, keys, 2, ends), best);
    }
    batch_plan_release(&plan);
}

static void few_examples_leave_shares_empty(void **state)
{
    (void)state;
    const struct batch_key keys[] = {{3, 3}, {4, 4}};
    const uint32_t examples[] = {1, 0};
    size_t ends[5];
    batch_deal(examples, 2, keys, 5, ends);
    assert_int_equal(largest_run(examples, 2, keys, 5, ends), 4);
    batch_deal(examples, 0, keys, 5, ends);
    assert_int_equal(largest_run(examples, 0, keys, 5, ends), 0);
    batch_deal(examples, 2, keys, 1, ends);
    assert_int_equal(ends[0], 2);
}

static double rate_at(const struct schedule *schedule, double progress)
{
    const struct schedule_place place = {.progress = progress, .update = 1};
    return schedule_rate(schedule, &place);
}

static void assert_rate(double found, double expected)
{
    if (!(fabs(found - expected) < 1e-12))
        fail_msg("the rate is %.15g, not %.15g", found, expected);
}

static void all_rise_in_a_line(void **state)
{
    (void)state;
    for (int kind = SCHEDULE_CONSTANT; kind <= SCHEDULE_PLATEAU; kind++) {
        const struct schedule schedule = {.kind = (enum schedule_kind)kind,
                                          .rate = 0.01,
                                          .warmup = 0.2,
                                          .final = 0.1,
                                          .decay = 0.5,
                                          .decay_from = 10,
                                          .decay_every = 1};
        assert_rate(rate_at(&schedule, 0.05), 0.0025);
        assert_rate(rate_at(&schedule, 0.1), 0.005);
        assert_rate(rate_at(&schedule, 0.2), 0.01);
        assert_true(schedule_needs_length(schedule.kind, schedule.warmup));
    }
}

static void linear_falls_in_a_line(void **state)
{
    (void)state;
    const struct schedule schedule = {SCHEDULE_LINEAR, .rate = 0.01, .warmup = 0.2, .final = 0.1};
    assert_rate(rate_at(&schedule, 0.6), 0.0055);
    assert_rate(rate_at(&schedule, 1), 0.001);
    const struct schedule constant = {SCHEDULE_LINEAR, .rate = 0.5, .warmup = 0, .final = 1};
    for (int i = 0; i <= 10; i++)
        assert_rate(rate_at(&constant, i / 10.0), 0.5);
    const struct schedule rise = {SCHEDULE_LINEAR, .rate = 0.5, .warmup = 1, .final = 0.1};
    assert_rate(rate_at(&rise, 0.5), 0.25);
    assert_true(schedule_needs_length(SCHEDULE_LINEAR, 0));
}

static void inverse_sqrt_falls_with_the_root(void **state)
{
    (void)state;
    const struct schedule schedule = {SCHEDULE_INVERSE_SQRT, .rate = 0.01, .warmup = 0.1};
    assert_rate(rate_at(&schedule, 0.4), 0.005);
    assert_rate(rate_at(&schedule, 0.9), 0.01 / 3);
    const struct schedule at_once = {SCHEDULE_INVERSE_SQRT, .rate = 0.01, .warmup = 0};
    const struct schedule_place first = {.progress = 0.01, .update = 1};
    const struct schedule_place fourth = {.progress = 0.04, .update = 4};
    assert_rate(schedule_rate(&at_once, &first), 0.01);
    assert_rate(schedule_rate(&at_once, &fourth), 0.005);
    assert_false(schedule_needs_length(SCHEDULE_INVERSE_SQRT, 0));
}

/* char-rnn's: times 0.97 an epoch after the tenth. */
static void steps_and_plateaus_multiply(void **state)
{
    (void)state;
    struct schedule schedule = {SCHEDULE_STEP, .rate = 1, .decay = 0.97, .decay_from = 10,
                                .decay_every = 1};
    struct schedule_place place = {.progress = 0.5, .update = 1, .epoch = 9};
    assert_rate(schedule_rate(&schedule, &place), 1);
    place.epoch = 10;
    assert_rate(schedule_rate(&schedule, &place), 0.97);
    place.epoch = 12;
    assert_rate(schedule_rate(&schedule, &place), 0.97 * 0.97 * 0.97);
    schedule.decay_every = 5;
    assert_rate(schedule_rate(&schedule, &place), 0.97);
    place.epoch = 15;
    assert_rate(schedule_rate(&schedule, &place), 0.97 * 0.97);
    schedule.kind = SCHEDULE_PLATEAU;
    assert_rate(schedule_rate(&schedule, &place), 1);
    place.plateaus = 2;
    assert_rate(schedule_rate(&schedule, &place), 0.97 * 0.97);
    schedule.warmup = 0.8; /* half way up to 0.8 the rate is 5/8 */
    assert_rate(schedule_rate(&schedule, &place), 0.97 * 0.97 * 0.5 / 0.8);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_example_stands_in_one_batch),
        cmocka_unit_test(batches_keep_the_budget_and_are_nearly_full),
        cmocka_unit_test(an_example_over_the_budget_stands_alone),
        cmocka_unit_test(plans_repeat_and_epochs_differ),
        cmocka_unit_test(no_examples_are_an_error),
        cmocka_unit_test(shares_are_as_even_as_can_be),
        cmocka_unit_test(few_examples_leave_shares_empty),
        cmocka_unit_test(all_rise_in_a_line),
        cmocka_unit_test(linear_falls_in_a_line),
        cmocka_unit_test(inverse_sqrt_falls_with_the_root),
        cmocka_unit_test(steps_and_plateaus_multiply),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
