/*
 * What the files that read and write model.json share: getters over jansson's tree, each checking
 * type and range and naming the key by its full path, and the parts that have files of their own.
 */
#ifndef DRAGOMAN_MODEL_SPEC_PARTS_H
#define DRAGOMAN_MODEL_SPEC_PARTS_H

#include <jansson.h>
#include "model/spec.h"

/* An object of the file and its full path with a dot at the end, "" for the outermost. */
struct node {
    const json_t *object;
    const char *path;
};

/* The member `key`, which must be there and of `type`. NULL and err otherwise. */
const json_t *node_member(struct node node, const char *key, json_type type, struct err *err);
int node_object(struct node node, const char *key, const char *path, struct node *child,
                struct err *err);
int node_size(struct node node, const char *key, size_t min, size_t max, size_t *size,
              struct err *err);
int node_real(struct node node, const char *key, double min, double max, double *result,
              struct err *err);
int node_flag(struct node node, const char *key, bool *flag, struct err *err);
/* The index in `words`, which NULL ends, of the text at `key`. */
int node_choice(struct node node, const char *key, const char *const *words, int *choice,
                struct err *err);

/* Takes over `value`. Either may be NULL from a failure before, which makes this one fail too: so a
   tree is built without asking after each node. */
bool spec_put(json_t *object, const char *key, json_t *value);

/* A bag of words, spec_bag.c: its part of "architecture". */
int spec_read_bag(struct spec_bag *bag, struct node architecture, struct err *err);
bool spec_put_bag(const struct spec_bag *bag, json_t *architecture);
int spec_copy_bag(struct spec_bag *to, const struct spec_bag *from, struct err *err);
void spec_release_bag(struct spec_bag *bag);

#endif
