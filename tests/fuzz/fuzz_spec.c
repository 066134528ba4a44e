/* Fuzz target: model.json. What is accepted must be within the limits that spec.h names, and copy
   without loss. */
#include <stdlib.h>
#include <string.h>

#include "model/spec.h"

static void require(bool condition)
{
    if (!condition)
        abort();
}

static void check_bag(const struct spec_bag *bag, bool used)
{
    require(bag->words <= SPEC_MAX_NGRAMS && bag->longest <= SPEC_MAX_CHARACTERS);
    require(bag->shortest <= bag->longest && bag->stop_count <= SPEC_MAX_STOP_WORDS);
    require(bag->features <= SPEC_MAX_FEATURES && bag->buckets <= SPEC_MAX_BUCKETS);
    require((bag->features > 0) + (bag->buckets > 0) == used);
    require((bag->words + bag->longest > 0) == used);
}

static void check_limits(const struct spec *spec)
{
    require(spec->name[0] != '\0' && spec->card != NULL);
    require(spec->vocabulary <= SPEC_MAX_VOCABULARY && spec->embedding <= SPEC_MAX_SIZE);
    require(spec->encoder.hidden <= SPEC_MAX_SIZE && spec->decoder.hidden <= SPEC_MAX_SIZE);
    require(spec->encoder.layers <= RECURRENT_MAX_LAYERS &&
            spec->decoder.layers <= RECURRENT_MAX_LAYERS);
    check_bag(&spec->bag, spec->kind == SPEC_BAG_OF_WORDS);
    require(spec->label_count <= SPEC_MAX_LABELS);
    require((spec->task == SPEC_CLASSIFICATION) == (spec->label_count >= 2));
    require((spec->task == SPEC_TRANSLATION) == (spec->kind == SPEC_SEQ2SEQ));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct spec spec = {0}, copy = {0};
    struct err err = ERR_INIT;
    int rc = spec_parse(&spec, (const char *)data, size, &err);
    require(rc == (int)err.code && (rc != 0) == (err.message[0] != '\0'));
    if (rc)
        return 0;
    check_limits(&spec);
    require(spec_copy(&copy, &spec, &err) == 0);
    require(strcmp(copy.card, spec.card) == 0 && copy.label_count == spec.label_count);
    require(copy.bag.stop_count == spec.bag.stop_count);
    for (size_t i = 0; i < spec.bag.stop_count; i++)
        require(strcmp(copy.bag.stop_words[i], spec.bag.stop_words[i]) == 0);
    for (size_t i = 0; i < spec.label_count; i++)
        require(strcmp(copy.labels[i], spec.labels[i]) == 0);
    spec_release(&copy);
    spec_release(&spec);
    return 0;
}
