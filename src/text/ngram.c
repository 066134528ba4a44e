/* Hashed n-grams. The features are collected, sorted and freed of repetitions in place. */
#include "text/ngram.h"

#include <stdlib.h>

size_t ngram_limit(size_t count, size_t ngrams, size_t buckets)
{
    return buckets == 0 || ngrams == 0 ? count : count * ngrams;
}

/* One step of the hash: an id joins; the multiplier and the shifts are those of splitmix64. */
static uint64_t mix(uint64_t hash, int32_t id)
{
    hash += (uint64_t)(uint32_t)id + 0x9E3779B97F4A7C15;
    hash = (hash ^ (hash >> 30)) * 0xBF58476D1CE4E5B9;
    hash = (hash ^ (hash >> 27)) * 0x94D049BB133111EB;
    return hash ^ (hash >> 31);
}

static int compare_features(const void *left, const void *right)
{
    const uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

static size_t unique(uint32_t *features, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || features[kept - 1] != features[i])
            features[kept++] = features[i];
    return kept;
}

void ngram_features(const int32_t *ids, size_t count, size_t vocabulary, size_t ngrams,
                    size_t buckets, uint32_t *features, size_t *found)
{
    size_t n = 0;
    for (size_t begin = 0; begin < count; begin++) {
        uint64_t hash = mix(0, ids[begin]);
        features[n++] = (uint32_t)ids[begin];
        for (size_t len = 2; buckets > 0 && len <= ngrams && begin + len <= count; len++) {
            hash = mix(hash, ids[begin + len - 1]);
            features[n++] = (uint32_t)(vocabulary + hash % buckets);
        }
    }
    qsort(features, n, sizeof *features, compare_features);
    *found = unique(features, n);
}
