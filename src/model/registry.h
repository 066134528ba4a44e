/*
 * The models that are being served: loads every bundle found below the given folders (a folder
 * with a model.json is a bundle, else its sub-folders are looked at, one level), finds them by
 * name, by language pair and by task. A bundle that fails to open is reported and left out; the
 * others are served. Reload builds a new registry; the old one lives until its last user releases
 * it.
 */
#ifndef DRAGOMAN_MODEL_REGISTRY_H
#define DRAGOMAN_MODEL_REGISTRY_H

#include "model/model.h"

struct registry_fault { /* a bundle that was refused */
    char *folder;
    struct err err;
};
struct registry_stamp; /* by which changed files are known */
struct registry {
    struct model **models; /* sorted by name; each holds one reference */
    size_t count;
    struct registry_stamp *stamps; /* [count] */
    struct registry_fault *faults;
    size_t fault_count;
};

/* Folders are looked at in the order given, sub-folders by name. Two bundles of one name: the first
   found is kept, the second is a fault. Fails only for lack of memory or where a folder cannot be
   read at all. `previous` (or NULL): bundles whose model.json, weights and vocabulary
   did not change since (device, inode, size, mtime) are shared instead of opened again; one that
   now fails keeps its previous model and is listed as a fault as well. */
int registry_open(struct registry **registry, const char *const *folders, size_t count,
                  const struct registry *previous, struct err *err);
void registry_free(struct registry *registry);
/* All return a model that stays valid as long as the registry, or NULL. */
struct model *registry_by_name(const struct registry *registry, const char *name);
struct model *registry_by_pair(const struct registry *registry, const char *source,
                               const char *target);
struct model *registry_first(const struct registry *registry, enum spec_task task);

#endif
