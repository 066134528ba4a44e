/* Each thread takes a stretch of the texts; in counting, a share of the hashes. */
#include "train/bag_data.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* Where the share of a thread begins. */
static size_t share_begin(size_t count, size_t thread, size_t threads)
{
    return count * thread / threads;
}

/* The first error of several threads. */
static int first_error(const struct err *errs, size_t threads, struct err *err)
{
    for (size_t t = 0; t < threads; t++)
        if (errs[t].code != 0)
            return err_set(err, errs[t].code, "%s", errs[t].message);
    return 0;
}

/*
 * Hashes of texts
 */

struct hashing {
    const struct feature_settings *settings;
    const struct tokenizer *tokenizer;
    const struct corpus *corpus;
    size_t threads;
    size_t *begins; /* of the whole: for the time being, each text's length one place on */
    struct hashing_part {
        uint64_t *hashes;
        size_t count, capacity, tokens;
        struct encoded encoded;
        struct features features;
    } * parts; /* [threads] */
    struct err *errs;
};

static int add_hashes(struct hashing_part *part, struct err *err)
{
    const size_t needed = part->count + part->features.count;
    if (needed > part->capacity) {
        const size_t capacity = needed + needed / 2 + 1024;
        uint64_t *grown = mem_resize(part->hashes, part->capacity, capacity, sizeof *grown, err);
        if (grown == NULL)
            return ERR_MEMORY;
        part->hashes = grown;
        part->capacity = capacity;
    }
    if (part->features.count > 0)
        memcpy(part->hashes + part->count, part->features.hashes,
               part->features.count * sizeof *part->hashes);
    part->count = needed;
    part->tokens += part->features.word_count;
    return 0;
}

static void hash_part(void *context, int index)
{
    struct hashing *hashing = context;
    struct hashing_part *part = &hashing->parts[index];
    struct err *err = &hashing->errs[index];
    const size_t count = hashing->corpus->count;
    const size_t end = share_begin(count, (size_t)index + 1, hashing->threads);
    for (size_t i = share_begin(count, (size_t)index, hashing->threads); i < end; i++) {
        const struct corpus_line *line = &hashing->corpus->lines[i];
        if (tokenizer_encode(hashing->tokenizer, line->first, line->first_len, &part->encoded,
                             err) < 0 ||
            features_extract(&part->features, hashing->settings, &part->encoded, false, err) < 0 ||
            add_hashes(part, err) < 0)
            return;
        hashing->begins[i + 1] = part->features.count;
    }
}

static int join_hashes(struct bag_hashes *hashes, struct hashing *hashing, struct err *err)
{
    size_t total = 0, at = 0;
    for (size_t i = 0; i < hashes->count; i++)
        hashes->begins[i + 1] += hashes->begins[i];
    for (size_t t = 0; t < hashing->threads; t++)
        total += hashing->parts[t].count;
    hashes->hashes = mem_alloc(total, sizeof *hashes->hashes, err);
    if (hashes->hashes == NULL)
        return ERR_MEMORY;
    for (size_t t = 0; t < hashing->threads; t++) {
        const struct hashing_part *part = &hashing->parts[t];
        if (part->count > 0)
            memcpy(hashes->hashes + at, part->hashes, part->count * sizeof *part->hashes);
        at += part->count;
        hashes->tokens += part->tokens;
    }
    return 0;
}

int bag_hashes_make(struct bag_hashes *hashes, const struct feature_settings *settings,
                    const struct tokenizer *tokenizer, const struct corpus *corpus,
                    struct pool *pool, struct err *err)
{
    struct hashing hashing = {.settings = settings,
                              .tokenizer = tokenizer,
                              .corpus = corpus,
                              .threads = (size_t)pool_threads(pool)};
    int code = ERR_MEMORY;
    hashes->count = corpus->count;
    hashes->begins = hashing.begins = mem_alloc(corpus->count + 1, sizeof *hashes->begins, err);
    hashing.parts = mem_alloc(hashing.threads, sizeof *hashing.parts, err);
    hashing.errs = mem_alloc(hashing.threads, sizeof *hashing.errs, err);
    if (hashes->begins != NULL && hashing.parts != NULL && hashing.errs != NULL) {
        pool_run(pool, hash_part, &hashing);
        code = first_error(hashing.errs, hashing.threads, err);
        if (code == 0)
            code = join_hashes(hashes, &hashing, err);
    }
    for (size_t t = 0; hashing.parts != NULL && t < hashing.threads; t++) {
        mem_free(hashing.parts[t].hashes);
        encoded_release(&hashing.parts[t].encoded);
        features_release(&hashing.parts[t].features);
    }
    mem_free(hashing.parts);
    mem_free(hashing.errs);
    return code;
}

void bag_hashes_release(struct bag_hashes *hashes)
{
    mem_free(hashes->hashes);
    mem_free(hashes->begins);
    *hashes = (struct bag_hashes){.count = 0};
}

/*
 * Counting: open addressing, at most half full; each thread counts the hashes of its remainder.
 */

struct counting {
    const struct bag_hashes *hashes;
    size_t threads, least;
    struct counting_part {
        struct count_slot {
            uint64_t hash;
            uint32_t texts; /* 0: free */
            uint32_t last;  /* text that was counted last */
        } * slots;
        size_t slot_count, used, kept;
    } * parts; /* [threads] */
    struct err *errs;
};

static inline struct count_slot *slot_of(struct count_slot *slots, size_t slot_count, uint64_t hash)
{
    size_t at = (size_t)hash & (slot_count - 1);
    while (slots[at].texts != 0 && slots[at].hash != hash)
        at = (at + 1) & (slot_count - 1);
    return &slots[at];
}

static int grow(struct counting_part *part, struct err *err)
{
    const size_t grown = part->slot_count == 0 ? 1 << 12 : 2 * part->slot_count;
    struct count_slot *slots = mem_alloc(grown, sizeof *slots, err);
    if (slots == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < part->slot_count; i++)
        if (part->slots[i].texts != 0)
            *slot_of(slots, grown, part->slots[i].hash) = part->slots[i];
    mem_free(part->slots);
    part->slots = slots;
    part->slot_count = grown;
    return 0;
}

static int count_hash(struct counting_part *part, uint64_t hash, size_t text, struct err *err)
{
    if (2 * part->used >= part->slot_count && grow(part, err) < 0)
        return ERR_MEMORY;
    struct count_slot *slot = slot_of(part->slots, part->slot_count, hash);
    if (slot->texts == 0) {
        *slot = (struct count_slot){.hash = hash, .texts = 1, .last = (uint32_t)text};
        part->used++;
    } else if (slot->last != (uint32_t)text) {
        slot->texts++;
        slot->last = (uint32_t)text;
    }
    return 0;
}

static void count_part(void *context, int index)
{
    struct counting *counting = context;
    struct counting_part *part = &counting->parts[index];
    const struct bag_hashes *hashes = counting->hashes;
    for (size_t i = 0; i < hashes->count; i++)
        for (size_t at = hashes->begins[i]; at < hashes->begins[i + 1]; at++)
            if (counting->threads == 1 ||
                (hashes->hashes[at] >> 32) % counting->threads == (size_t)index)
                if (count_hash(part, hashes->hashes[at], i, &counting->errs[index]) < 0)
                    return;
    for (size_t i = 0; i < part->slot_count; i++)
        part->kept += part->slots[i].texts >= counting->least;
}

struct count_entry {
    uint64_t hash;
    uint32_t texts;
    double score;
};

static int compare_hashes(const void *left, const void *right)
{
    const struct count_entry *a = left, *b = right;
    return (a->hash > b->hash) - (a->hash < b->hash);
}

static int compare_scores(const void *left, const void *right)
{
    const struct count_entry *a = left, *b = right;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return compare_hashes(left, right);
}

/* Sorts the entries by hash into `counts`, whose arrays have room for them. */
static void write_counts(struct bag_counts *counts, struct count_entry *entries, size_t count)
{
    qsort(entries, count, sizeof *entries, compare_hashes);
    for (size_t i = 0; i < count; i++) {
        counts->hashes[i] = (int64_t)entries[i].hash;
        counts->texts[i] = entries[i].texts;
    }
    counts->count = count;
}

static int collect(struct bag_counts *counts, const struct counting *counting, struct err *err)
{
    size_t total = 0, at = 0;
    for (size_t t = 0; t < counting->threads; t++)
        total += counting->parts[t].kept;
    if (total > SPEC_MAX_FEATURES)
        return err_set(err, ERR_LIMIT, "%zu features, allowed are %u; --min-count leaves some out",
                       total, SPEC_MAX_FEATURES);
    struct count_entry *entries = mem_alloc(total, sizeof *entries, err);
    counts->hashes = mem_alloc(total, sizeof *counts->hashes, err);
    counts->texts = mem_alloc(total, sizeof *counts->texts, err);
    const bool fine = entries != NULL && counts->hashes != NULL && counts->texts != NULL;
    for (size_t t = 0; fine && t < counting->threads; t++)
        for (size_t i = 0; i < counting->parts[t].slot_count; i++) {
            const struct count_slot *slot = &counting->parts[t].slots[i];
            if (slot->texts >= counting->least)
                entries[at++] = (struct count_entry){.hash = slot->hash, .texts = slot->texts};
        }
    if (fine)
        write_counts(counts, entries, total);
    mem_free(entries);
    return fine ? 0 : ERR_MEMORY;
}

int bag_counts_make(struct bag_counts *counts, const struct bag_hashes *hashes, size_t least,
                    struct pool *pool, struct err *err)
{
    struct counting counting = {
        .hashes = hashes, .threads = (size_t)pool_threads(pool), .least = least > 0 ? least : 1};
    int code = ERR_MEMORY;
    if (hashes->count > UINT32_MAX)
        return err_set(err, ERR_LIMIT, "%zu texts are too many for a bag of words", hashes->count);
    counting.parts = mem_alloc(counting.threads, sizeof *counting.parts, err);
    counting.errs = mem_alloc(counting.threads, sizeof *counting.errs, err);
    if (counting.parts != NULL && counting.errs != NULL) {
        pool_run(pool, count_part, &counting);
        code = first_error(counting.errs, counting.threads, err);
        if (code == 0)
            code = collect(counts, &counting, err);
    }
    for (size_t t = 0; counting.parts != NULL && t < counting.threads; t++)
        mem_free(counting.parts[t].slots);
    mem_free(counting.parts);
    mem_free(counting.errs);
    return code;
}

int bag_counts_select(struct bag_counts *counts, const double *scores, size_t most, struct err *err)
{
    if (counts->count <= most)
        return 0;
    struct count_entry *entries = mem_alloc(counts->count, sizeof *entries, err);
    if (entries == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < counts->count; i++)
        entries[i] = (struct count_entry){(uint64_t)counts->hashes[i], counts->texts[i], scores[i]};
    qsort(entries, counts->count, sizeof *entries, compare_scores);
    write_counts(counts, entries, most);
    mem_free(entries);
    return 0;
}

void bag_counts_release(struct bag_counts *counts)
{
    mem_free(counts->hashes);
    mem_free(counts->texts);
    *counts = (struct bag_counts){.count = 0};
}

void bag_idf(const uint32_t *texts, size_t count, size_t all, real *idf)
{
    for (size_t i = 0; i < count; i++)
        idf[i] = (real)(1 + log((1 + (double)all) / (1 + (double)texts[i])));
}

/*
 * Texts as rows and values: first how many each has, then, when their places are known, they.
 */

struct reading {
    const struct bag *bag;
    const struct bag_hashes *hashes;
    struct bag_texts *texts;
    size_t threads;
    struct err *errs;
};

static void read_part(void *context, int index)
{
    struct reading *reading = context;
    struct bag_texts *texts = reading->texts;
    const struct bag_hashes *hashes = reading->hashes;
    struct bag_vector vector = {.count = 0};
    const size_t end = share_begin(texts->count, (size_t)index + 1, reading->threads);
    for (size_t i = share_begin(texts->count, (size_t)index, reading->threads); i < end; i++) {
        if (bag_vector_fill(&vector, reading->bag, hashes->hashes + hashes->begins[i],
                            hashes->begins[i + 1] - hashes->begins[i], &reading->errs[index]) < 0)
            break;
        if (texts->rows == NULL) {
            texts->begins[i + 1] = vector.count;
        } else if (vector.count > 0) {
            memcpy(texts->rows + texts->begins[i], vector.rows, vector.count * sizeof *vector.rows);
            memcpy(texts->values + texts->begins[i], vector.values,
                   vector.count * sizeof *vector.values);
        }
    }
    bag_vector_release(&vector);
}

/* Lengths become places, and places get their memory. */
static int place_texts(struct bag_texts *texts, struct err *err)
{
    for (size_t i = 0; i < texts->count; i++) {
        const size_t length = texts->begins[i + 1];
        texts->longest = length > texts->longest ? length : texts->longest;
        texts->begins[i + 1] += texts->begins[i];
    }
    const size_t total = texts->begins[texts->count];
    texts->values = mem_alloc(total, sizeof *texts->values, err);
    texts->rows = mem_alloc(total, sizeof *texts->rows, err);
    return texts->values == NULL || texts->rows == NULL ? ERR_MEMORY : 0;
}

int bag_texts_make(struct bag_texts *texts, const struct bag *bag, const struct bag_hashes *hashes,
                   struct pool *pool, struct err *err)
{
    struct reading reading = {
        .bag = bag, .hashes = hashes, .texts = texts, .threads = (size_t)pool_threads(pool)};
    *texts = (struct bag_texts){.count = hashes->count};
    texts->begins = mem_alloc(texts->count + 1, sizeof *texts->begins, err);
    reading.errs = mem_alloc(reading.threads, sizeof *reading.errs, err);
    int code = texts->begins == NULL || reading.errs == NULL ? ERR_MEMORY : 0;
    for (int pass = 0; code == 0 && pass < 2; pass++) {
        pool_run(pool, read_part, &reading);
        code = first_error(reading.errs, reading.threads, err);
        if (code == 0 && pass == 0)
            code = place_texts(texts, err);
    }
    mem_free(reading.errs);
    return code;
}

struct bag_input bag_texts_input(const struct bag_texts *texts, size_t i)
{
    const size_t begin = texts->begins[i];
    return (struct bag_input){.count = texts->begins[i + 1] - begin,
                              .rows = texts->rows + begin,
                              .values = texts->values + begin};
}

void bag_texts_release(struct bag_texts *texts)
{
    mem_free(texts->rows);
    mem_free(texts->values);
    mem_free(texts->begins);
    *texts = (struct bag_texts){.count = 0};
}
