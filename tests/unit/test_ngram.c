/* n-gram features: the hash is part of the bundle format, so its values are pinned here. */
#include <stdbool.h>

#include "base/rng.h"
#include "text/ngram.h"
#include "unit.h"

#define VOCABULARY 1000
#define BUCKETS 4096

static bool holds(const uint32_t *features, size_t count, uint32_t feature)
{
    for (size_t i = 0; i < count; i++)
        if (features[i] == feature)
            return true;
    return false;
}

static void unigrams_are_the_distinct_ids(void **state)
{
    static const int32_t ids[] = {7, 3, 7, 999, 3};
    uint32_t features[5];
    size_t found;
    (void)state;
    assert_int_equal(ngram_limit(5, 1, BUCKETS), 5);
    ngram_features(ids, 5, VOCABULARY, 1, BUCKETS, features, &found);
    assert_int_equal(found, 3);
    assert_int_equal(features[0], 3);
    assert_int_equal(features[1], 7);
    assert_int_equal(features[2], 999);
    ngram_features(ids, 5, VOCABULARY, 3, 0, features, &found); /* no buckets, no n-grams */
    assert_int_equal(found, 3);
    ngram_features(ids, 0, VOCABULARY, 3, BUCKETS, features, &found);
    assert_int_equal(found, 0);
}

/* The same computation written down once more: splitmix64's finaliser over the ids in turn. */
static uint32_t bucket(const int32_t *ids, size_t n)
{
    uint64_t h = 0;
    for (size_t i = 0; i < n; i++) {
        h += (uint64_t)ids[i] + UINT64_C(11400714819323198485);
        h ^= h >> 30;
        h *= UINT64_C(13787848793156543929);
        h ^= h >> 27;
        h *= UINT64_C(10723151780598845931);
        h ^= h >> 31;
    }
    return (uint32_t)(VOCABULARY + h % BUCKETS);
}

static void n_grams_are_hashed_as_documented(void **state)
{
    static const int32_t ids[] = {4, 3, 9, 4};
    uint32_t features[12];
    size_t found;
    (void)state;
    ngram_features(ids, 4, VOCABULARY, 3, BUCKETS, features, &found);
    assert_int_equal(found, 3 + 3 + 2);
    for (size_t begin = 0; begin < 3; begin++)
        assert_true(holds(features, found, bucket(ids + begin, 2)));
    for (size_t begin = 0; begin < 2; begin++)
        assert_true(holds(features, found, bucket(ids + begin, 3)));
    for (size_t i = 1; i < found; i++)
        assert_true(features[i - 1] < features[i]);
}

static void order_matters_and_places_do_not(void **state)
{
    static const int32_t there[] = {10, 20, 30}, back[] = {30, 20, 10}, later[] = {5, 10, 20, 30};
    uint32_t a[6], b[6], c[8];
    size_t a_count, b_count, c_count;
    (void)state;
    ngram_features(there, 3, VOCABULARY, 2, BUCKETS, a, &a_count);
    ngram_features(back, 3, VOCABULARY, 2, BUCKETS, b, &b_count);
    ngram_features(later, 4, VOCABULARY, 2, BUCKETS, c, &c_count);
    for (size_t i = 0; i < a_count; i++) {
        assert_int_equal(holds(b, b_count, a[i]), a[i] < VOCABULARY);
        assert_true(holds(c, c_count, a[i]));
    }
}

/* Pairs of small ids, which all vocabularies are full of, spread evenly: a bucket of 64 on average
   holds far from none and far from twice as many. */
static void spreads_evenly(void **state)
{
    enum { IDS = 512 };
    static unsigned load[BUCKETS];
    (void)state;
    for (int32_t left = 0; left < IDS; left++)
        for (int32_t right = 0; right < IDS; right++) {
            int32_t ids[] = {left, right};
            uint32_t features[4];
            size_t found;
            ngram_features(ids, 2, VOCABULARY, 2, BUCKETS, features, &found);
            assert_in_range(features[found - 1], VOCABULARY, VOCABULARY + BUCKETS - 1);
            load[features[found - 1] - VOCABULARY]++;
        }
    for (size_t i = 0; i < BUCKETS; i++)
        assert_in_range(load[i], 24, 112);
}

static void stays_within_its_limit(void **state)
{
    struct rng rng;
    (void)state;
    rng_seed(&rng, 22, 1);
    for (int round = 0; round < 2000; round++) {
        size_t count = (size_t)rng_below(&rng, 40), ngrams = (size_t)rng_below(&rng, 6), found;
        int32_t ids[40];
        uint32_t *features = calloc(ngram_limit(count, ngrams, 64) + 1, sizeof *features);
        assert_non_null(features);
        features[ngram_limit(count, ngrams, 64)] = 0xC0FFEE;
        for (size_t i = 0; i < count; i++)
            ids[i] = (int32_t)rng_below(&rng, 50);
        ngram_features(ids, count, 50, ngrams, 64, features, &found);
        assert_true(found <= ngram_limit(count, ngrams, 64));
        assert_int_equal(features[ngram_limit(count, ngrams, 64)], 0xC0FFEE);
        for (size_t i = 0; i < found; i++)
            assert_true(features[i] < 50 + 64 && (i == 0 || features[i - 1] < features[i]));
        free(features);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unigrams_are_the_distinct_ids),
        cmocka_unit_test(n_grams_are_hashed_as_documented),
        cmocka_unit_test(order_matters_and_places_do_not),
        cmocka_unit_test(spreads_evenly),
        cmocka_unit_test(stays_within_its_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
