/* What model.json says about a bag of words. */
#include <string.h>

#include "base/mem.h"
#include "model/spec_names.h"
#include "model/spec_parts.h"

const char *const spec_weighting_names[] = {"binary", "counts", "tf", "tf-idf", NULL};

static int read_characters(struct spec_bag *bag, struct node architecture, struct err *err)
{
    struct node node;
    int code;
    if (json_object_get(architecture.object, "character_ngrams") == NULL)
        return 0;
    if ((code = node_object(architecture, "character_ngrams", "architecture.character_ngrams.",
                            &node, err)) < 0 ||
        (code = node_size(node, "longest", 1, SPEC_MAX_CHARACTERS, &bag->longest, err)) < 0 ||
        (code = node_size(node, "shortest", 1, bag->longest, &bag->shortest, err)) < 0)
        return code;
    return node_flag(node, "across", &bag->across, err);
}

static int read_stop_words(struct spec_bag *bag, struct node architecture, struct err *err)
{
    if (json_object_get(architecture.object, "stop_words") == NULL)
        return 0;
    const json_t *array = node_member(architecture, "stop_words", JSON_ARRAY, err);
    if (array == NULL)
        return ERR_FORMAT;
    const size_t count = json_array_size(array);
    if (count > SPEC_MAX_STOP_WORDS)
        return err_set(err, ERR_LIMIT,
                       "key \"architecture.stop_words\" has %zu entries, allowed are %d", count,
                       SPEC_MAX_STOP_WORDS);
    bag->stop_words = mem_alloc(count, sizeof *bag->stop_words, err);
    if (bag->stop_words == NULL)
        return ERR_MEMORY;
    for (; bag->stop_count < count; bag->stop_count++) {
        const json_t *word = json_array_get(array, bag->stop_count);
        if (!json_is_string(word) || json_string_length(word) == 0)
            return err_set(err, ERR_FORMAT,
                           "key \"architecture.stop_words\", entry %zu: must be a text",
                           bag->stop_count);
        char *copy = mem_copy_text(json_string_value(word), json_string_length(word), err);
        if (copy == NULL)
            return ERR_MEMORY;
        bag->stop_words[bag->stop_count] = copy;
    }
    return 0;
}

/* Features are kept exactly, in a table, or hashed into buckets. */
static int read_table(struct spec_bag *bag, struct node architecture, struct err *err)
{
    const bool exact = json_object_get(architecture.object, "features") != NULL;
    if (exact == (json_object_get(architecture.object, "buckets") != NULL))
        return err_set(err, ERR_FORMAT,
                       "a bag of words needs one of \"architecture.features\" and "
                       "\"architecture.buckets\"");
    if (exact)
        return node_size(architecture, "features", 1, SPEC_MAX_FEATURES, &bag->features, err);
    return node_size(architecture, "buckets", 1, SPEC_MAX_BUCKETS, &bag->buckets, err);
}

int spec_read_bag(struct spec_bag *bag, struct node architecture, struct err *err)
{
    int code, weighting = 0;
    if ((code = node_size(architecture, "word_ngrams", 0, SPEC_MAX_NGRAMS, &bag->words, err)) < 0 ||
        (code = read_characters(bag, architecture, err)) < 0 ||
        (json_object_get(architecture.object, "edges") != NULL &&
         (code = node_flag(architecture, "edges", &bag->edges, err)) < 0) ||
        (code = node_choice(architecture, "weighting", spec_weighting_names, &weighting, err)) <
            0 ||
        (code = node_flag(architecture, "normalise", &bag->normalise, err)) < 0 ||
        (code = node_size(architecture, "hidden", 0, SPEC_MAX_SIZE, &bag->hidden, err)) < 0 ||
        (code = read_table(bag, architecture, err)) < 0)
        return code;
    bag->weighting = (enum spec_weighting)weighting;
    if (bag->words == 0 && bag->longest == 0)
        return err_set(err, ERR_FORMAT,
                       "a bag of words needs \"architecture.word_ngrams\" above 0 or "
                       "\"architecture.character_ngrams\"");
    return read_stop_words(bag, architecture, err);
}

static json_t *make_stop_words(const struct spec_bag *bag)
{
    json_t *array = json_array();
    for (size_t i = 0; i < bag->stop_count; i++)
        if (json_array_append_new(array, json_string(bag->stop_words[i])) < 0) {
            json_decref(array);
            return NULL;
        }
    return array;
}

bool spec_put_bag(const struct spec_bag *bag, json_t *architecture)
{
    if (!spec_put(architecture, "word_ngrams", json_integer((json_int_t)bag->words)))
        return false;
    if (bag->longest > 0 &&
        !spec_put(architecture, "character_ngrams",
                  json_pack("{s:I, s:I, s:b}", "shortest", (json_int_t)bag->shortest, "longest",
                            (json_int_t)bag->longest, "across", bag->across)))
        return false;
    if (bag->edges && !spec_put(architecture, "edges", json_true()))
        return false;
    return spec_put(architecture, "weighting", json_string(spec_weighting_names[bag->weighting])) &&
           spec_put(architecture, "normalise", json_boolean(bag->normalise)) &&
           spec_put(architecture, "hidden", json_integer((json_int_t)bag->hidden)) &&
           spec_put(architecture, bag->buckets > 0 ? "buckets" : "features",
                    json_integer((json_int_t)(bag->buckets > 0 ? bag->buckets : bag->features))) &&
           (bag->stop_count == 0 || spec_put(architecture, "stop_words", make_stop_words(bag)));
}

int spec_copy_bag(struct spec_bag *to, const struct spec_bag *from, struct err *err)
{
    *to = *from;
    to->stop_words = NULL;
    to->stop_count = 0;
    if (from->stop_count == 0)
        return 0;
    to->stop_words = mem_alloc(from->stop_count, sizeof *to->stop_words, err);
    if (to->stop_words == NULL)
        return ERR_MEMORY;
    for (; to->stop_count < from->stop_count; to->stop_count++) {
        const char *word = from->stop_words[to->stop_count];
        to->stop_words[to->stop_count] = mem_copy_text(word, strlen(word), err);
        if (to->stop_words[to->stop_count] == NULL)
            return ERR_MEMORY; /* what was copied is released with `to` */
    }
    return 0;
}

void spec_release_bag(struct spec_bag *bag)
{
    for (size_t i = 0; i < bag->stop_count; i++)
        mem_free(bag->stop_words[i]);
    mem_free(bag->stop_words);
    *bag = (struct spec_bag){0};
}
