/*
 * Bundles. The swap is renameat2 with RENAME_EXCHANGE, one step for every observer; file systems
 * that lack it (overlays, some network ones) get the files renamed one after the other.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* renameat2 */
#endif
#include "model/bundle.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"

#define TEMPORARY_MARK ".tmp-"
#define COPY_CHUNK 65536

/* In the order in which they are renamed where the folders cannot be swapped: the spec last. */
static const char *const parts[] = {BUNDLE_VOCABULARY, BUNDLE_WEIGHTS, BUNDLE_SPEC};
#define PARTS (sizeof parts / sizeof parts[0])

bool bundle_is_leftover(const char *name)
{
    return strstr(name, TEMPORARY_MARK) != NULL;
}

/*
 * Opening
 */

static int open_spec(struct bundle *bundle, const char *folder, struct err *err)
{
    char *path = file_join(folder, BUNDLE_SPEC, err);
    if (path == NULL)
        return ERR_MEMORY;
    int code = spec_read(&bundle->spec, path, err);
    mem_free(path);
    return code;
}

static int open_weights(struct bundle *bundle, const char *folder, struct err *err)
{
    char *path = file_join(folder, BUNDLE_WEIGHTS, err);
    if (path == NULL)
        return ERR_MEMORY;
    int code = safetensors_open(&bundle->weights, path, err);
    mem_free(path);
    return code;
}

static int open_vocabulary(struct bundle *bundle, const char *folder, struct err *err)
{
    char *path = file_join(folder, BUNDLE_VOCABULARY, err);
    if (path == NULL)
        return ERR_MEMORY;
    int code = tokenizer_open(&bundle->tokenizer, &bundle->spec.tokenizer, path, err);
    if (code == 0 && tokenizer_size(bundle->tokenizer) != bundle->spec.vocabulary)
        code = err_set(err, ERR_FORMAT, "%s: %zu tokens, " BUNDLE_SPEC " says %zu", path,
                       tokenizer_size(bundle->tokenizer), bundle->spec.vocabulary);
    mem_free(path);
    return code;
}

int bundle_open(struct bundle *bundle, const char *folder, struct err *err)
{
    int code;
    *bundle = (struct bundle){.tokenizer = NULL};
    if ((code = open_spec(bundle, folder, err)) < 0 ||
        (code = open_weights(bundle, folder, err)) < 0 ||
        (code = open_vocabulary(bundle, folder, err)) < 0)
        bundle_release(bundle);
    return code;
}

void bundle_release(struct bundle *bundle)
{
    tokenizer_free(bundle->tokenizer);
    safetensors_close(&bundle->weights);
    spec_release(&bundle->spec);
    *bundle = (struct bundle){.tokenizer = NULL};
}

/*
 * Saving
 */

static bool is_part(const char *name)
{
    for (size_t i = 0; i < PARTS; i++)
        if (strcmp(name, parts[i]) == 0)
            return true;
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

int bundle_check_target(const char *folder, struct err *err)
{
    int code = 0;
    DIR *stream = opendir(folder);
    if (stream == NULL)
        return errno == ENOENT ? 0 : err_errno(err, "%s", folder);
    for (struct dirent *entry; code == 0 && (entry = readdir(stream)) != NULL;)
        if (!is_part(entry->d_name))
            code = err_set(err, ERR_ARGUMENT,
                           "%s: holds \"%s\", which is no part of a model; not replaced", folder,
                           entry->d_name);
    closedir(stream);
    return code;
}

static int copy_stream(FILE *from, FILE *to, const char *path, struct err *err)
{
    char chunk[COPY_CHUNK];
    size_t len;
    while ((len = fread(chunk, 1, sizeof chunk, from)) > 0)
        if (fwrite(chunk, 1, len, to) != len)
            return err_errno(err, "%s: cannot write", path);
    return ferror(from) ? err_errno(err, "%s: cannot copy", path) : 0;
}

static int copy_file(const char *from, const char *to, struct err *err)
{
    struct file_save save;
    FILE *stream = fopen(from, "rbe");
    if (stream == NULL)
        return err_errno(err, "%s", from);
    int code = file_save_begin(&save, to, err);
    if (code < 0)
        goto out;
    code = copy_stream(stream, save.stream, to, err);
    if (code < 0)
        file_save_abort(&save);
    else
        code = file_save_commit(&save, err);
out:
    fclose(stream);
    return code;
}

/* The folder's real name without links and slashes at the end, in fresh memory, so that a link to
   a bundle stays a link. */
static char *real_target(const char *folder, struct err *err)
{
    char path[PATH_MAX];
    if (realpath(folder, path) != NULL)
        return mem_copy_text(path, strlen(path), err);
    size_t len = strlen(folder);
    while (len > 1 && folder[len - 1] == '/')
        len--;
    return mem_copy_text(folder, len, err);
}

static char *parent_of(const char *folder, struct err *err)
{
    const char *slash = strrchr(folder, '/');
    if (slash == NULL)
        return mem_copy_text(".", 1, err);
    return mem_copy_text(folder, slash == folder ? 1 : (size_t)(slash - folder), err);
}

/* Makes an empty folder beside the target, its name in *folder. */
static int make_temporary(const char *target, char **folder, struct err *err)
{
    for (unsigned attempt = 0; attempt < 10000; attempt++) {
        struct buf name = BUF_INIT;
        int code =
            buf_printf(&name, err, "%s" TEMPORARY_MARK "%ld-%u", target, (long)getpid(), attempt);
        if (code == 0 && mkdir(name.data, 0777) == 0) {
            *folder = name.data;
            return 0;
        }
        if (code == 0 && errno != EEXIST)
            code = err_errno(err, "%s: cannot make folder", name.data);
        buf_release(&name);
        if (code < 0)
            return code;
    }
    return err_set(err, ERR_IO, "%s: no free temporary name", target);
}

static int write_parts(const char *folder, const struct spec *spec, const char *vocab_path,
                       const struct tensor *tensors, size_t count, struct err *err)
{
    int code = ERR_MEMORY;
    char *spec_path = file_join(folder, BUNDLE_SPEC, err);
    char *weights_path = file_join(folder, BUNDLE_WEIGHTS, err);
    char *copy_path = file_join(folder, BUNDLE_VOCABULARY, err);
    if (spec_path == NULL || weights_path == NULL || copy_path == NULL)
        goto out;
    if ((code = copy_file(vocab_path, copy_path, err)) < 0 ||
        (code = safetensors_write(weights_path, tensors, count, err)) < 0)
        goto out;
    code = spec_write(spec, spec_path, err);
out:
    mem_free(copy_path);
    mem_free(weights_path);
    mem_free(spec_path);
    return code;
}

static int move_parts(const char *from, const char *to, struct err *err)
{
    int code = 0;
    for (size_t i = 0; i < PARTS && code == 0; i++) {
        char *old = file_join(from, parts[i], err), *new = file_join(to, parts[i], err);
        if (old == NULL || new == NULL)
            code = ERR_MEMORY;
        else if (rename(old, new) != 0)
            code = err_errno(err, "%s: cannot replace", new);
        mem_free(new);
        mem_free(old);
    }
    return code == 0 ? file_sync_folder(to, err) : code;
}

/* Puts the finished folder in the target's place; what was there is afterwards at `finished`. */
static int swap_in(const char *finished, const char *target, struct err *err)
{
    if (!file_exists(target)) {
        if (rename(finished, target) == 0)
            return 0;
    } else {
        if (renameat2(AT_FDCWD, finished, AT_FDCWD, target, RENAME_EXCHANGE) == 0)
            return 0;
        if (errno == EINVAL || errno == EXDEV || errno == ENOSYS)
            return move_parts(finished, target, err);
    }
    return err_errno(err, "%s: cannot replace", target);
}

int bundle_save(const char *folder, const struct spec *spec, const char *vocab_path,
                const struct tensor *tensors, size_t count, struct err *err)
{
    char *parent = NULL, *temporary = NULL;
    int code = ERR_MEMORY;
    char *target = real_target(folder, err);
    if (target == NULL || (parent = parent_of(target, err)) == NULL)
        goto out;
    if ((code = bundle_check_target(target, err)) < 0 ||
        (code = file_make_folders(parent, err)) < 0 ||
        (code = make_temporary(target, &temporary, err)) < 0 ||
        (code = write_parts(temporary, spec, vocab_path, tensors, count, err)) < 0 ||
        (code = swap_in(temporary, target, err)) < 0)
        goto out;
    code = file_sync_folder(parent, err);
out:
    if (temporary != NULL && file_exists(temporary)) {
        int removed = file_remove_folder(temporary, code == 0 ? err : NULL);
        code = code == 0 ? removed : code;
    }
    mem_free(temporary);
    mem_free(parent);
    mem_free(target);
    return code;
}
