/* Files: read whole, save so that a reader sees the old content or the new, never half. */
#ifndef DRAGOMAN_BASE_FILE_H
#define DRAGOMAN_BASE_FILE_H

#include <stdbool.h>
#include <stdio.h>
#include "base/buf.h"

/* Appends the whole file to `out`; ERR_LIMIT where it is larger than `limit` bytes. */
int file_read(const char *path, size_t limit, struct buf *out, struct err *err);

/* A file's bytes, aligned to MEM_ALIGN. They are copied, not mapped: a program that later writes
   into the file or cuts it off (as cp does) must neither change nor kill who is using it. */
struct file_copy {
    const unsigned char *data; /* NULL for an empty file */
    size_t size;
};
/* ERR_LIMIT where the file is larger than `limit` bytes; nothing is allocated then. */
int file_copy_open(struct file_copy *copy, const char *path, size_t limit, struct err *err);
void file_copy_close(struct file_copy *copy);

/* Saving: write to save.stream, then commit (flush, fsync, rename, fsync the folder) or abort
   (temporary removed). Exactly one of commit and abort must be called; both close the stream. */
struct file_save {
    FILE *stream;
    char *path, *temporary;
};
int file_save_begin(struct file_save *save, const char *path, struct err *err);
int file_save_commit(struct file_save *save, struct err *err);
void file_save_abort(struct file_save *save);

int file_make_folders(const char *path, struct err *err); /* as mkdir -p, mode 0777 & ~umask */
int file_sync_folder(const char *path, struct err *err);
int file_remove_folder(const char *path, struct err *err); /* with all that is in it */
bool file_exists(const char *path);
/* folder + "/" + name in fresh memory (mem_free), NULL on failure. */
char *file_join(const char *folder, const char *name, struct err *err);

#endif
