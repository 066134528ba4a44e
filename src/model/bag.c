/* The bag of words as an object: sizes, parameter table, opening, features to rows and values, and
   the answer to one text. */
#include "model/bag.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MAX_BITS 24  /* of a table's first look-up */
#define MIN_SLOTS 64 /* of a vector */

int bag_size(struct bag *bag, const struct spec *spec, struct err *err)
{
    const struct spec_bag *settings = &spec->bag;
    *bag = (struct bag){
        .features = {.words = settings->words,
                     .shortest = settings->shortest,
                     .longest = settings->longest,
                     .edges = settings->edges,
                     .across = settings->across},
        .weighting = settings->weighting,
        .normalise = settings->normalise,
        .labels = spec->label_count,
        .hidden = settings->hidden,
        .rows = settings->buckets > 0 ? settings->buckets : settings->features,
        .width = settings->hidden > 0 ? settings->hidden : spec->label_count,
    };
    if (settings->stop_count == 0)
        return 0;
    const int code =
        stop_words_make(&bag->stop, (const char *const *)settings->stop_words, settings->stop_count,
                        spec->tokenizer.form, spec->tokenizer.fold, err);
    bag->features.stop = bag->stop;
    return code < 0 ? err_context(err, "key \"architecture.stop_words\"") : 0;
}

void bag_unsize(struct bag *bag)
{
    stop_words_free(bag->stop);
    mem_free(bag->table.starts);
    bag->stop = NULL;
    bag->table = (struct bag_table){.count = 0};
}

size_t bag_parameters(struct bag *bag, struct parameter list[BAG_MAX_PARAMETERS])
{
    const size_t H = bag->hidden, L = bag->labels;
    const char *prefix = H > 0 ? "hidden." : "";
    struct parameter_list all = {.list = list};
    parameters_add(&all, prefix, "weight", "", bag->rows, bag->width, &bag->weight);
    list[0].halves = &bag->halves;
    parameters_add(&all, prefix, "bias", "", bag->width, 0, &bag->bias);
    if (H > 0) {
        parameters_add(&all, "output.", "weight", "", L, H, &bag->output_weight);
        parameters_add(&all, "output.", "bias", "", L, 0, &bag->output_bias);
    }
    if (bag->weighting == SPEC_TF_IDF)
        parameters_add(&all, "", "idf", "", bag->rows, 0, &bag->idf);
    return all.count;
}

/*
 * The table. Hashes are spread evenly, so that their highest bits lead close to their place.
 */

/* As many bits as give each start about one hash. */
static unsigned table_bits(size_t count)
{
    unsigned bits = 0;
    while (bits < MAX_BITS && (size_t)1 << bits < count)
        bits++;
    return bits;
}

static size_t start_of(const struct bag_table *table, uint64_t hash)
{
    return table->bits == 0 ? 0 : (size_t)(hash >> (64 - table->bits));
}

int bag_index(struct bag *bag, const int64_t *hashes, size_t count, struct err *err)
{
    struct bag_table *table = &bag->table;
    mem_free(table->starts);
    *table = (struct bag_table){.hashes = hashes, .count = count, .bits = table_bits(count)};
    for (size_t i = 1; i < count; i++)
        if ((uint64_t)hashes[i - 1] >= (uint64_t)hashes[i])
            return err_set(err, ERR_FORMAT,
                           "tensor \"" BAG_FEATURES "\": element %zu is not above the one before",
                           i);
    const size_t starts = ((size_t)1 << table->bits) + 1;
    table->starts = mem_alloc(starts, sizeof *table->starts, err);
    if (table->starts == NULL)
        return ERR_MEMORY;
    for (size_t i = 0, start = 0; start < starts; start++) {
        while (i < count && start_of(table, (uint64_t)hashes[i]) < start)
            i++;
        table->starts[start] = (uint32_t)i;
    }
    return 0;
}

uint32_t bag_row(const struct bag *bag, uint64_t hash)
{
    const struct bag_table *table = &bag->table;
    if (table->starts == NULL)
        return (uint32_t)(hash % bag->rows);
    const size_t start = start_of(table, hash);
    size_t low = table->starts[start], high = table->starts[start + 1];
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if ((uint64_t)table->hashes[middle] < hash)
            low = middle + 1;
        else
            high = middle;
    }
    return low < table->starts[start + 1] && (uint64_t)table->hashes[low] == hash ? (uint32_t)low
                                                                                  : BAG_UNKNOWN;
}

/*
 * A text's vector
 */

static int reserve(struct bag_vector *vector, size_t count, struct err *err)
{
    size_t slots = MIN_SLOTS;
    while (slots < 2 * count)
        slots *= 2;
    if (count > vector->capacity || vector->slots == NULL) {
        bag_vector_release(vector);
        vector->rows = mem_alloc(slots / 2, sizeof *vector->rows, err);
        vector->values = mem_alloc(slots / 2, sizeof *vector->values, err);
        vector->slots = mem_alloc(slots, sizeof *vector->slots, err);
        if (vector->rows == NULL || vector->values == NULL || vector->slots == NULL)
            return ERR_MEMORY;
        vector->capacity = slots / 2;
    } else {
        memset(vector->slots, 0, slots * sizeof *vector->slots);
    }
    vector->slot_count = slots;
    return 0;
}

static inline size_t slot_of(const struct bag_vector *vector, uint32_t row)
{
    const size_t mask = vector->slot_count - 1;
    size_t at = row * (size_t)0x9E3779B1 >> 7 & mask;
    while (vector->slots[at].place != 0 && vector->slots[at].row != row)
        at = (at + 1) & mask;
    return at;
}

size_t bag_vector_place(const struct bag_vector *vector, uint32_t row)
{
    return vector->slots[slot_of(vector, row)].place - 1;
}

/* Counts become values. */
static void weight_values(struct bag_vector *vector, const struct bag *bag)
{
    double sum = 0, squares = 0;
    for (size_t i = 0; i < vector->count; i++)
        sum += (double)vector->values[i];
    for (size_t i = 0; i < vector->count; i++) {
        real *value = &vector->values[i];
        switch (bag->weighting) {
        case SPEC_BINARY:
            *value = 1;
            break;
        case SPEC_COUNTS:
            break;
        case SPEC_TF:
            *value = (real)((double)*value / sum);
            break;
        case SPEC_TF_IDF:
            *value = (*value > 1 ? 1 + (real)log((double)*value) : 1) * bag->idf[vector->rows[i]];
            break;
        }
        squares += (double)*value * (double)*value;
    }
    const real scale = (real)(1 / sqrt(squares));
    for (size_t i = 0; bag->normalise && squares > 0 && i < vector->count; i++)
        vector->values[i] *= scale;
}

int bag_vector_fill(struct bag_vector *vector, const struct bag *bag, const uint64_t *hashes,
                    size_t count, struct err *err)
{
    if (reserve(vector, count, err) < 0)
        return ERR_MEMORY;
    vector->count = 0;
    for (size_t i = 0; i < count; i++) {
        const uint32_t row = bag_row(bag, hashes[i]);
        if (row == BAG_UNKNOWN)
            continue;
        struct bag_slot *slot = &vector->slots[slot_of(vector, row)];
        if (slot->place == 0) {
            vector->rows[vector->count] = row;
            vector->values[vector->count] = 0;
            *slot = (struct bag_slot){row, (uint32_t)++vector->count};
        }
        vector->values[slot->place - 1] += 1;
    }
    weight_values(vector, bag);
    return 0;
}

void bag_vector_release(struct bag_vector *vector)
{
    mem_free(vector->rows);
    mem_free(vector->values);
    mem_free(vector->slots);
    *vector = (struct bag_vector){.count = 0};
}

/*
 * Opening
 */

static int check_idf(const struct bag *bag, struct err *err)
{
    for (size_t i = 0; bag->idf != NULL && i < bag->rows; i++)
        if (bag->idf[i] < 0)
            return err_set(err, ERR_FORMAT, "tensor \"idf\": element %zu is below 0", i);
    return 0;
}

/* The table is the one tensor that is not a parameter. */
static int bind(struct bag *bag, const struct spec *spec, const struct safetensors *file,
                struct err *err)
{
    struct parameter list[BAG_MAX_PARAMETERS];
    struct safetensors floats = *file;
    struct tensor tensors[BAG_MAX_PARAMETERS + 1];
    const int64_t *hashes;
    int code = bag_size(bag, spec, err);
    if (code < 0)
        return code;
    if (spec->bag.features > 0 &&
        ((code = safetensors_get_integers(file, BAG_FEATURES, bag->rows, &hashes, err)) < 0 ||
         (code = bag_index(bag, hashes, bag->rows, err)) < 0))
        return code;
    floats.tensors = tensors;
    floats.count = 0;
    for (size_t i = 0; i < file->count && floats.count <= BAG_MAX_PARAMETERS; i++)
        if (spec->bag.features == 0 || strcmp(file->tensors[i].name, BAG_FEATURES) != 0)
            tensors[floats.count++] = file->tensors[i];
    if ((code = parameters_open(list, bag_parameters(bag, list), spec->weights == SPEC_WEIGHTS_F16,
                                &floats, err)) < 0)
        return code;
    return check_idf(bag, err);
}

int bag_open(struct bag **bag, const struct spec *spec, const struct safetensors *file,
             struct err *err)
{
    struct bag *opened = mem_alloc(1, sizeof *opened, err);
    if (opened == NULL)
        return ERR_MEMORY;
    const int code = bind(opened, spec, file, err);
    if (code < 0) {
        bag_free(opened);
        return code;
    }
    *bag = opened;
    return 0;
}

void bag_free(struct bag *bag)
{
    if (bag != NULL)
        bag_unsize(bag);
    mem_free(bag);
}
