/*
 * The models that are being served. A reload opens only bundles whose files changed; the others are
 * shared with the registry before. The files are looked at before they are opened, so a bundle that
 * is replaced in between is seen as changed by the next reload.
 */
#include "model/registry.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "model/bundle.h"

static const char *const parts[] = {BUNDLE_SPEC, BUNDLE_WEIGHTS, BUNDLE_VOCABULARY};
#define PARTS (sizeof parts / sizeof parts[0])

struct registry_stamp {
    struct file_stamp {
        dev_t device;
        ino_t inode;
        off_t size;
        struct timespec modified;
    } files[PARTS];
    size_t present; /* how many of the files there are */
};

static int take_stamp(const char *folder, struct registry_stamp *stamp, struct err *err)
{
    *stamp = (struct registry_stamp){.present = 0};
    for (size_t i = 0; i < PARTS; i++) {
        struct stat info;
        char *path = file_join(folder, parts[i], err);
        if (path == NULL)
            return ERR_MEMORY;
        if (stat(path, &info) == 0) {
            stamp->files[i] = (struct file_stamp){.device = info.st_dev,
                                                  .inode = info.st_ino,
                                                  .size = info.st_size,
                                                  .modified = info.st_mtim};
            stamp->present++;
        }
        mem_free(path);
    }
    return 0;
}

static bool stamps_equal(const struct registry_stamp *a, const struct registry_stamp *b)
{
    if (a->present != PARTS || b->present != PARTS)
        return false;
    for (size_t i = 0; i < PARTS; i++) {
        const struct file_stamp *x = &a->files[i], *y = &b->files[i];
        if (x->device != y->device || x->inode != y->inode || x->size != y->size ||
            x->modified.tv_sec != y->modified.tv_sec || x->modified.tv_nsec != y->modified.tv_nsec)
            return false;
    }
    return true;
}

/* The place in `previous` of the bundle that was opened from this folder, or previous->count. */
static size_t find_folder(const struct registry *previous, const char *folder)
{
    size_t i = 0;
    while (i < previous->count && strcmp(previous->models[i]->folder, folder) != 0)
        i++;
    return i;
}

static int add_fault(struct registry *registry, const char *folder, const struct err *reason,
                     struct err *err)
{
    size_t count = registry->fault_count;
    char *name = mem_copy_text(folder, strlen(folder), err);
    if (name == NULL)
        return ERR_MEMORY;
    struct registry_fault *faults =
        mem_resize(registry->faults, count, count + 1, sizeof *faults, err);
    if (faults == NULL) {
        mem_free(name);
        return ERR_MEMORY;
    }
    faults[count] = (struct registry_fault){.folder = name, .err = *reason};
    registry->faults = faults;
    registry->fault_count++;
    return 0;
}

/* Makes room for one more model at `place`. */
static int open_gap(struct registry *registry, size_t place, struct err *err)
{
    size_t count = registry->count;
    struct model **models = mem_resize(registry->models, count, count + 1, sizeof *models, err);
    if (models == NULL)
        return ERR_MEMORY;
    registry->models = models;
    struct registry_stamp *stamps =
        mem_resize(registry->stamps, count, count + 1, sizeof *stamps, err);
    if (stamps == NULL)
        return ERR_MEMORY;
    registry->stamps = stamps;
    memmove(models + place + 1, models + place, (count - place) * sizeof *models);
    memmove(stamps + place + 1, stamps + place, (count - place) * sizeof *stamps);
    registry->count++;
    return 0;
}

/* Takes over the reference to `model`, whatever comes of it. */
static int add_model(struct registry *registry, struct model *model,
                     const struct registry_stamp *stamp, struct err *err)
{
    size_t place = 0;
    int order = 1;
    while (place < registry->count &&
           (order = strcmp(registry->models[place]->spec.name, model->spec.name)) < 0)
        place++;
    if (place < registry->count && order == 0) {
        struct err reason = ERR_INIT;
        err_set(&reason, ERR_ARGUMENT, "%s: there is a model \"%s\" already, from %s",
                model->folder, model->spec.name, registry->models[place]->folder);
        int code = add_fault(registry, model->folder, &reason, err);
        model_release(model);
        return code;
    }
    int code = open_gap(registry, place, err);
    if (code < 0) {
        model_release(model);
        return code;
    }
    registry->models[place] = model;
    registry->stamps[place] = *stamp;
    return 0;
}

/* A bundle that cannot be opened is kept as it was before, with its old stamp, so that the next
   reload tries again. */
static int load_bundle(struct registry *registry, const struct registry *previous,
                       const char *folder, struct registry_stamp *stamp, struct err *err)
{
    struct err reason = ERR_INIT;
    struct model *model = NULL, *old = NULL;
    size_t place = previous == NULL ? 0 : find_folder(previous, folder);
    if (previous != NULL && place < previous->count)
        old = previous->models[place];
    if (old != NULL && stamps_equal(stamp, &previous->stamps[place])) {
        model = model_retain(old);
    } else if (model_open(&model, folder, &reason) < 0) {
        int code = add_fault(registry, folder, &reason, err);
        if (code < 0 || old == NULL)
            return code;
        model = model_retain(old);
        *stamp = previous->stamps[place];
    }
    return add_model(registry, model, stamp, err);
}

/* Loads `folder` where it holds files of a bundle; *found says whether it does. */
static int try_folder(struct registry *registry, const struct registry *previous,
                      const char *folder, bool *found, struct err *err)
{
    struct registry_stamp stamp;
    int code = take_stamp(folder, &stamp, err);
    *found = code == 0 && stamp.present > 0;
    return *found ? load_bundle(registry, previous, folder, &stamp, err) : code;
}

static int is_candidate(const struct dirent *entry)
{
    return entry->d_name[0] != '.' && !bundle_is_leftover(entry->d_name);
}

static int load_folder(struct registry *registry, const struct registry *previous,
                       const char *folder, struct err *err)
{
    struct dirent **entries;
    bool found;
    int code = try_folder(registry, previous, folder, &found, err);
    if (code < 0 || found)
        return code;
    int count = scandir(folder, &entries, is_candidate, alphasort);
    if (count < 0)
        return err_errno(err, "%s: cannot look for models", folder);
    for (int i = 0; i < count; i++) {
        char *path = code < 0 ? NULL : file_join(folder, entries[i]->d_name, err);
        if (code == 0)
            code = path == NULL ? ERR_MEMORY : try_folder(registry, previous, path, &found, err);
        mem_free(path);
        free(entries[i]);
    }
    free(entries);
    return code;
}

int registry_open(struct registry **registry, const char *const *folders, size_t count,
                  const struct registry *previous, struct err *err)
{
    struct registry *opened = mem_alloc(1, sizeof *opened, err);
    if (opened == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        int code = load_folder(opened, previous, folders[i], err);
        if (code < 0) {
            registry_free(opened);
            return code;
        }
    }
    *registry = opened;
    return 0;
}

void registry_free(struct registry *registry)
{
    if (registry == NULL)
        return;
    for (size_t i = 0; i < registry->count; i++)
        model_release(registry->models[i]);
    for (size_t i = 0; i < registry->fault_count; i++)
        mem_free(registry->faults[i].folder);
    mem_free(registry->faults);
    mem_free(registry->stamps);
    mem_free(registry->models);
    mem_free(registry);
}

struct model *registry_by_name(const struct registry *registry, const char *name)
{
    for (size_t i = 0; i < registry->count; i++)
        if (strcmp(registry->models[i]->spec.name, name) == 0)
            return registry->models[i];
    return NULL;
}

/* Language tags do not tell upper from lower case (BCP 47, section 2.1.1). */
struct model *registry_by_pair(const struct registry *registry, const char *source,
                               const char *target)
{
    for (size_t i = 0; i < registry->count; i++) {
        const struct spec *spec = &registry->models[i]->spec;
        if (spec->task == SPEC_TRANSLATION && strcasecmp(spec->source, source) == 0 &&
            strcasecmp(spec->target, target) == 0)
            return registry->models[i];
    }
    return NULL;
}

struct model *registry_first(const struct registry *registry, enum spec_task task)
{
    for (size_t i = 0; i < registry->count; i++)
        if (registry->models[i]->spec.task == task)
            return registry->models[i];
    return NULL;
}
