/* Turns: alone a party takes all there is; among others each takes what its share pays for, in the
   order of the list, and none is left out. */
#include "base/rng.h"
#include "base/turn.h"
#include "unit.h"

#define MOST 64
#define SPREAD 8

static struct turn_party parties[MOST];

static size_t rows_of(const struct turn_item *items, size_t count, uint64_t party, bool taken)
{
    size_t rows = 0;
    for (size_t i = 0; i < count; i++)
        if (items[i].party == party && (!taken || items[i].takes_part))
            rows += items[i].rows;
    return rows;
}

static void alone_a_party_takes_all(void **state)
{
    (void)state;
    struct turn_item items[40];
    for (size_t i = 0; i < 40; i++)
        items[i] = (struct turn_item){.party = 7, .rows = 1};
    assert_int_equal(turn_choose(items, 40, MOST, SPREAD, parties), 40);
    assert_int_equal(turn_choose(items, 0, MOST, SPREAD, parties), 0);
}

static void nobody_gets_far_ahead(void **state)
{
    (void)state;
    struct turn_item items[40];
    for (size_t i = 0; i < 40; i++)
        items[i] = (struct turn_item){.party = i == 30, .rows = 1};
    assert_int_equal(turn_choose(items, 40, MOST, SPREAD, parties), 1 + 1 + SPREAD);
    for (size_t i = 0; i < 40; i++)
        assert_int_equal(items[i].takes_part, i <= SPREAD || i == 30);
}

static void equals_take_all(void **state)
{
    (void)state;
    struct turn_item items[60];
    for (size_t i = 0; i < 60; i++)
        items[i] = (struct turn_item){.party = i % 3, .rows = 1};
    assert_int_equal(turn_choose(items, 60, MOST, SPREAD, parties), 60);
}

static void a_wide_item_is_not_shut_out(void **state)
{
    (void)state;
    struct turn_item items[] = {
        {.party = 1, .rows = 16}, {.party = 1, .rows = 1}, {.party = 2, .rows = 1}};
    assert_int_equal(turn_choose(items, 3, MOST, SPREAD, parties), 17);
    assert_true(items[0].takes_part);
    assert_false(items[1].takes_part); /* in its order */
    assert_true(items[2].takes_part);
}

static void room_bounds_a_turn(void **state)
{
    (void)state;
    struct turn_item items[5];
    for (size_t i = 0; i < 5; i++)
        items[i] = (struct turn_item){.party = i, .rows = 5};
    assert_int_equal(turn_choose(items, 5, 16, SPREAD, parties), 15);
    assert_true(items[2].takes_part);
    assert_false(items[3].takes_part);
}

static void the_rule_holds_for_any_list(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 4, 0);
    for (int round = 0; round < 2000; round++) {
        struct turn_item items[MOST / 4];
        const size_t count = 1 + (size_t)rng_below(&rng, MOST / 4);
        const uint64_t different = 1 + rng_below(&rng, 6);
        size_t fewest = SIZE_MAX, sum = 0;
        for (size_t i = 0; i < count; i++)
            items[i] = (struct turn_item){.party = rng_below(&rng, different),
                                          .rows = 1 + (size_t)rng_below(&rng, 4)};
        const size_t rows = turn_choose(items, count, MOST, SPREAD, parties);
        for (size_t i = 0; i < count; i++) {
            const size_t all = rows_of(items, count, items[i].party, false);
            fewest = all < fewest ? all : fewest;
        }
        for (size_t i = 0; i < count; i++) {
            const size_t taken = rows_of(items, count, items[i].party, true);
            assert_in_range(taken, 1, fewest + SPREAD);
            sum += items[i].takes_part ? items[i].rows : 0;
            if (!items[i].takes_part)
                assert_true(taken + 4 > fewest + SPREAD);
        }
        assert_int_equal(rows, sum);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alone_a_party_takes_all), cmocka_unit_test(nobody_gets_far_ahead),
        cmocka_unit_test(equals_take_all),         cmocka_unit_test(a_wide_item_is_not_shut_out),
        cmocka_unit_test(room_bounds_a_turn),      cmocka_unit_test(the_rule_holds_for_any_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
