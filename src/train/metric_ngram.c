/*
 * Every n-gram gets a number by way of its first n-1 symbols: number(x_1..x_n) is the number of the
 * pair (number(x_1..x_n-1), x_n). Pairs of 32-bit numbers are 64-bit keys of a hash table, so that
 * equal numbers mean equal n-grams, with nothing left to chance. Words get their numbers the same
 * way, byte by byte, from a second table that is kept from text to text.
 */
#include "train/metric_ngram.h"

#include <stdint.h>
#include <string.h>
#include "base/mem.h"
#include "train/metric_text.h"

struct pair {
    uint64_t key;
    uint32_t number, generation; /* in use where the generation is the table's */
};

struct pair_table { /* open addressing, at most half full */
    struct pair *pairs;
    size_t capacity;            /* a power of two, or 0 */
    uint32_t generation, count; /* numbers given out are 1..count */
};

struct sequence {
    size_t begin, end; /* in symbols */
};

struct ngrams {
    uint32_t *symbols;      /* of all sequences, one after the other */
    uint32_t *numbers;      /* of the n-gram that begins there */
    size_t count, capacity; /* symbols */
    struct sequence *sequences;
    size_t sequence_count, sequence_capacity;
    size_t order;
    struct pair_table words, pairs;
    uint32_t *hypothesis, *reference, *best; /* how often, by number; `capacity` + 1 of each */
};

static void pair_table_clear(struct pair_table *table)
{
    if (table->generation == UINT32_MAX && table->capacity > 0)
        memset(table->pairs, 0, table->capacity * sizeof(*table->pairs));
    table->generation = table->generation == UINT32_MAX ? 1 : table->generation + 1;
    table->count = 0;
}

static struct pair *pair_find(const struct pair_table *table, uint64_t key)
{
    size_t mask = table->capacity - 1;
    size_t at = (size_t)((key * 0x9e3779b97f4a7c15u) >> 20) & mask;
    while (table->pairs[at].generation == table->generation && table->pairs[at].key != key)
        at = (at + 1) & mask;
    return &table->pairs[at];
}

static int pair_table_grow(struct pair_table *table, struct err *err)
{
    struct pair_table old = *table;
    size_t capacity = old.capacity == 0 ? 1024 : 2 * old.capacity;
    struct pair *pairs = mem_alloc(capacity, sizeof(*pairs), err);
    if (pairs == NULL)
        return ERR_MEMORY;
    table->pairs = pairs;
    table->capacity = capacity;
    for (size_t i = 0; i < old.capacity; i++)
        if (old.pairs[i].generation == old.generation)
            *pair_find(table, old.pairs[i].key) = old.pairs[i];
    mem_free(old.pairs);
    return 0;
}

/* The number of (left, right), a new one for a pair not seen since the last clear. */
static int pair_number(struct pair_table *table, uint32_t left, uint32_t right, uint32_t *number,
                       struct err *err)
{
    if (table->count >= table->capacity / 2) {
        if (table->count == UINT32_MAX)
            return err_set(err, ERR_LIMIT, "too many different n-grams to count");
        int code = pair_table_grow(table, err);
        if (code < 0)
            return code;
    }
    uint64_t key = (uint64_t)left << 32 | right;
    struct pair *pair = pair_find(table, key);
    if (pair->generation != table->generation)
        *pair = (struct pair){key, ++table->count, table->generation};
    *number = pair->number;
    return 0;
}

struct ngrams *ngrams_new(struct err *err)
{
    struct ngrams *ngrams = mem_alloc(1, sizeof(*ngrams), err);
    if (ngrams != NULL) {
        pair_table_clear(&ngrams->words);
        pair_table_clear(&ngrams->pairs);
    }
    return ngrams;
}

void ngrams_free(struct ngrams *ngrams)
{
    if (ngrams == NULL)
        return;
    mem_free(ngrams->best);
    mem_free(ngrams->reference);
    mem_free(ngrams->hypothesis);
    mem_free(ngrams->pairs.pairs);
    mem_free(ngrams->words.pairs);
    mem_free(ngrams->sequences);
    mem_free(ngrams->numbers);
    mem_free(ngrams->symbols);
    mem_free(ngrams);
}

void ngrams_reset(struct ngrams *ngrams)
{
    ngrams->count = ngrams->sequence_count = ngrams->order = 0;
}

static int resize_numbers(uint32_t **array, size_t old, size_t count, struct err *err)
{
    uint32_t *resized = mem_resize(*array, old, count, sizeof(*resized), err);
    if (resized == NULL)
        return ERR_MEMORY;
    *array = resized;
    return 0;
}

static int reserve_symbols(struct ngrams *ngrams, size_t extra, struct err *err)
{
    uint32_t **arrays[] = {&ngrams->symbols, &ngrams->numbers, &ngrams->hypothesis,
                           &ngrams->reference, &ngrams->best};
    if (ngrams->capacity - ngrams->count >= extra && ngrams->capacity > 0)
        return 0;
    size_t capacity = 2 * (ngrams->count + extra) + 64;
    for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++) {
        size_t old = *arrays[i] == NULL ? 0 : ngrams->capacity + 1;
        int code = resize_numbers(arrays[i], old, capacity + 1, err);
        if (code < 0)
            return code;
    }
    ngrams->capacity = capacity;
    return 0;
}

/* Room for one more sequence of at most `length` symbols. */
static int begin_sequence(struct ngrams *ngrams, size_t length, struct err *err)
{
    if (ngrams->sequence_count == ngrams->sequence_capacity) {
        size_t capacity = 2 * ngrams->sequence_capacity + 4;
        struct sequence *sequences = mem_resize(ngrams->sequences, ngrams->sequence_capacity,
                                                capacity, sizeof(*sequences), err);
        if (sequences == NULL)
            return ERR_MEMORY;
        ngrams->sequences = sequences;
        ngrams->sequence_capacity = capacity;
    }
    return reserve_symbols(ngrams, length, err);
}

static void end_sequence(struct ngrams *ngrams, size_t begin)
{
    ngrams->sequences[ngrams->sequence_count++] = (struct sequence){begin, ngrams->count};
}

int ngrams_add_words(struct ngrams *ngrams, const char *words, size_t len, struct err *err)
{
    size_t begin = ngrams->count;
    uint32_t number = 0;
    int code = begin_sequence(ngrams, len, err);
    for (size_t i = 0; code == 0 && i < len; i++) {
        if (words[i] != ' ')
            code = pair_number(&ngrams->words, number, (unsigned char)words[i], &number, err);
        if (words[i] == ' ' || i + 1 == len) {
            ngrams->symbols[ngrams->count++] = number;
            number = 0;
        }
    }
    if (code == 0)
        end_sequence(ngrams, begin);
    return code;
}

int ngrams_add_characters(struct ngrams *ngrams, struct metric_text text, struct err *err)
{
    size_t begin = ngrams->count;
    int code = begin_sequence(ngrams, text.len, err);
    if (code < 0)
        return code;
    while (text.len > 0) {
        uint32_t character = metric_character(&text);
        if (!metric_is_space(character))
            ngrams->symbols[ngrams->count++] = character;
    }
    end_sequence(ngrams, begin);
    return 0;
}

size_t ngrams_length(const struct ngrams *ngrams, size_t sequence)
{
    return ngrams->sequences[sequence].end - ngrams->sequences[sequence].begin;
}

size_t ngrams_total(const struct ngrams *ngrams, size_t sequence)
{
    size_t length = ngrams_length(ngrams, sequence);
    return length >= ngrams->order ? length - ngrams->order + 1 : 0;
}

/* Sets counts[1..] to how often the sequence has each n-gram. */
static void count_numbers(const struct ngrams *ngrams, size_t sequence, uint32_t *counts)
{
    const uint32_t *numbers = ngrams->numbers + ngrams->sequences[sequence].begin;
    memset(counts, 0, (ngrams->pairs.count + (size_t)1) * sizeof(*counts));
    for (size_t i = 0; i < ngrams_total(ngrams, sequence); i++)
        counts[numbers[i]]++;
}

int ngrams_next_order(struct ngrams *ngrams, struct err *err)
{
    pair_table_clear(&ngrams->pairs);
    ngrams->order++;
    for (size_t s = 0; s < ngrams->sequence_count; s++) {
        size_t begin = ngrams->sequences[s].begin;
        for (size_t i = begin; i < begin + ngrams_total(ngrams, s); i++) {
            uint32_t shorter = ngrams->order == 1 ? 0 : ngrams->numbers[i];
            int code = pair_number(&ngrams->pairs, shorter, ngrams->symbols[i + ngrams->order - 1],
                                   &ngrams->numbers[i], err);
            if (code < 0)
                return code;
        }
    }
    count_numbers(ngrams, 0, ngrams->hypothesis);
    return 0;
}

static size_t common(const struct ngrams *ngrams, const uint32_t *counts)
{
    size_t sum = 0;
    for (size_t i = 1; i <= ngrams->pairs.count; i++)
        sum += counts[i] < ngrams->hypothesis[i] ? counts[i] : ngrams->hypothesis[i];
    return sum;
}

size_t ngrams_matches(struct ngrams *ngrams, size_t reference)
{
    count_numbers(ngrams, reference, ngrams->reference);
    return common(ngrams, ngrams->reference);
}

size_t ngrams_best_matches(struct ngrams *ngrams)
{
    memset(ngrams->best, 0, (ngrams->pairs.count + (size_t)1) * sizeof(*ngrams->best));
    for (size_t s = 1; s < ngrams->sequence_count; s++) {
        count_numbers(ngrams, s, ngrams->reference);
        for (size_t i = 1; i <= ngrams->pairs.count; i++)
            if (ngrams->reference[i] > ngrams->best[i])
                ngrams->best[i] = ngrams->reference[i];
    }
    return common(ngrams, ngrams->best);
}
