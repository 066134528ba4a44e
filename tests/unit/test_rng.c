/* Random numbers: the published sequence, repeatable streams, and distributions within what chance
   allows (the seed is fixed, so a test passes always or never). */
#include <math.h>

#include "base/rng.h"
#include "unit.h"

/* The first outputs from the state 1, 2, 3, 4, as the authors' C code gives them. */
static void is_xoshiro256_star_star(void **state)
{
    (void)state;
    static const uint64_t expected[] = {
        11520u,
        0u,
        1509978240u,
        1215971899390074240u,
        1216172134540287360u,
        607988272756665600u,
        16172922978634559625u,
        8476171486693032832u,
        10595114339597558777u,
        2904607092377533576u,
    };
    struct rng rng = {{1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++)
        assert_true(rng_next(&rng) == expected[i]);
}

/* splitmix64 from 0, as published with the generator. */
static void is_seeded_by_splitmix64(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 0, 0);
    assert_true(rng.s[0] == 0xE220A8397B1DCDAFu);
    assert_true(rng.s[1] == 0x6E789E6AA1B965F4u);
    assert_true(rng.s[2] == 0x06C45D188009454Fu);
    assert_true(rng.s[3] == 0xF88BB8A8724C81ECu);
}

static void streams_differ_and_repeat(void **state)
{
    (void)state;
    struct rng a, b, again;
    for (uint64_t seed = 0; seed < 20; seed++) {
        rng_seed(&a, seed, 1);
        rng_seed(&b, seed, 2);
        rng_seed(&again, seed, 1);
        for (int i = 0; i < 10; i++) {
            uint64_t value = rng_next(&a);
            assert_true(value != rng_next(&b));
            assert_true(value == rng_next(&again));
        }
    }
}

static void uniform_fills_the_unit_interval(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 1, 0);
    enum { SAMPLES = 100000 };
    double sum = 0, squares = 0;
    for (int i = 0; i < SAMPLES; i++) {
        double x = rng_uniform(&rng);
        assert_true(x >= 0 && x < 1);
        sum += x;
        squares += x * x;
    }
    assert_true(fabs(sum / SAMPLES - 0.5) < 0.005);
    assert_true(fabs(squares / SAMPLES - 1.0 / 3) < 0.005);
}

static void normal_has_its_moments(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 2, 0);
    enum { SAMPLES = 200000 };
    double moment[5] = {0};
    for (int i = 0; i < SAMPLES; i++) {
        double x = rng_normal(&rng);
        assert_true(isfinite(x));
        for (int power = 1; power <= 4; power++)
            moment[power] += pow(x, power) / SAMPLES;
    }
    assert_true(fabs(moment[1]) < 0.01);
    assert_true(fabs(moment[2] - 1) < 0.015);
    assert_true(fabs(moment[3]) < 0.03);
    assert_true(fabs(moment[4] - 3) < 0.1);
}

static void below_is_unbiased(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 3, 0);
    int counts[7] = {0};
    for (int i = 0; i < 70000; i++)
        counts[rng_below(&rng, 7)]++;
    for (int i = 0; i < 7; i++)
        assert_in_range(counts[i], 9600, 10400);
    assert_true(rng_below(&rng, 1) == 0);
    /* Of 2^64, a bound of 3 * 2^62 leaves 2^62 at the bottom to be rejected; without that, values
       below 2^62 would come twice as often as they should: half of the time, not a third. */
    const uint64_t bound = (uint64_t)3 << 62;
    int low = 0;
    for (int i = 0; i < 30000; i++) {
        uint64_t value = rng_below(&rng, bound);
        assert_true(value < bound);
        low += value < bound / 3;
    }
    assert_in_range(low, 9600, 10400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_xoshiro256_star_star),
        cmocka_unit_test(is_seeded_by_splitmix64),
        cmocka_unit_test(streams_differ_and_repeat),
        cmocka_unit_test(uniform_fills_the_unit_interval),
        cmocka_unit_test(normal_has_its_moments),
        cmocka_unit_test(below_is_unbiased),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
