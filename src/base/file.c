/*
 * Files. Saving writes to a temporary name in the same folder and renames it over the old file
 * only after its bytes are on the disk, so a crash leaves the old content or the new.
 */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define READ_CHUNK ((size_t)64 << 10)

static int read_stream(FILE *stream, const char *path, size_t limit, struct buf *out,
                       struct err *err)
{
    size_t total = 0;
    for (;;) {
        int rc = buf_reserve(out, READ_CHUNK, err);
        if (rc)
            return rc;
        size_t n = fread(out->data + out->len, 1, READ_CHUNK, stream);
        if (n == 0 && ferror(stream)) {
            out->data[out->len] = '\0';
            return err_errno(err, "%s", path);
        }
        total += n;
        if (total > limit) {
            out->data[out->len] = '\0';
            return err_set(err, ERR_LIMIT, "%s: larger than %zu bytes", path, limit);
        }
        out->len += n;
        out->data[out->len] = '\0';
        if (n == 0)
            return 0;
    }
}

int file_read(const char *path, size_t limit, struct buf *out, struct err *err)
{
    FILE *stream = fopen(path, "rbe");
    if (!stream)
        return err_errno(err, "%s", path);
    int rc = read_stream(stream, path, limit, out, err);
    fclose(stream);
    return rc;
}

static int read_exactly(int fd, const char *path, unsigned char *to, size_t size, struct err *err)
{
    size_t done = 0;
    while (done < size) {
        const ssize_t n = read(fd, to + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_errno(err, "%s", path);
        if (n == 0)
            return err_set(err, ERR_IO, "%s: became shorter while it was read", path);
        done += (size_t)n;
    }
    return 0;
}

int file_copy_open(struct file_copy *copy, const char *path, size_t limit, struct err *err)
{
    *copy = (struct file_copy){0};
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "%s", path);
    int rc = 0;
    struct stat info;
    if (fstat(fd, &info)) {
        rc = err_errno(err, "%s", path);
    } else if (!S_ISREG(info.st_mode)) {
        rc = err_set(err, ERR_IO, "%s: not a regular file", path);
    } else if ((uintmax_t)info.st_size > limit) {
        rc = err_set(err, ERR_LIMIT, "%s: larger than %zu bytes", path, limit);
    } else if (info.st_size > 0) {
        const size_t size = (size_t)info.st_size;
        unsigned char *data = mem_alloc(size, 1, err);
        rc = data ? read_exactly(fd, path, data, size, err) : ERR_MEMORY;
        *copy = (struct file_copy){.data = data, .size = size};
        if (rc)
            file_copy_close(copy);
    }
    close(fd);
    return rc;
}

void file_copy_close(struct file_copy *copy)
{
    mem_free((void *)(uintptr_t)copy->data);
    *copy = (struct file_copy){0};
}

/* Opens a new file beside save->path; the name holds the process id and a counter, and O_EXCL
   moves on to the next where an earlier process of the same id left one behind. */
static int open_temporary(struct file_save *save, struct err *err)
{
    static atomic_uint counter;
    for (int attempt = 0; attempt < 100; attempt++) {
        struct buf name = BUF_INIT;
        int rc = buf_printf(&name, err, "%s.%ld-%u.tmp", save->path, (long)getpid(),
                            atomic_fetch_add(&counter, 1));
        if (rc)
            return rc;
        int fd = open(name.data, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (fd >= 0) {
            save->temporary = name.data;
            save->stream = fdopen(fd, "wb");
            if (save->stream)
                return 0;
            rc = err_errno(err, "%s", save->temporary);
            close(fd);
            unlink(save->temporary);
            return rc;
        }
        rc = errno == EEXIST ? 0 : err_errno(err, "%s", name.data);
        buf_release(&name);
        if (rc)
            return rc;
    }
    return err_set(err, ERR_IO, "%s: no free temporary name", save->path);
}

static void save_release(struct file_save *save)
{
    mem_free(save->temporary);
    mem_free(save->path);
    *save = (struct file_save){0};
}

int file_save_begin(struct file_save *save, const char *path, struct err *err)
{
    *save = (struct file_save){0};
    save->path = mem_copy_text(path, strlen(path), err);
    if (!save->path)
        return ERR_MEMORY;
    int rc = open_temporary(save, err);
    if (rc)
        save_release(save);
    return rc;
}

/* The folder that `path` stands in, in fresh memory. */
static char *parent_folder(const char *path, struct err *err)
{
    const char *slash = strrchr(path, '/');
    if (!slash)
        return mem_copy_text(".", 1, err);
    return mem_copy_text(path, slash == path ? 1 : (size_t)(slash - path), err);
}

int file_save_commit(struct file_save *save, struct err *err)
{
    int rc = 0;
    char *folder = parent_folder(save->path, err);
    if (!folder)
        rc = ERR_MEMORY;
    else if (ferror(save->stream))
        rc = err_set(err, ERR_IO, "%s: writing failed", save->temporary);
    else if (fflush(save->stream) || fsync(fileno(save->stream)))
        rc = err_errno(err, "%s", save->temporary);
    if (fclose(save->stream) && !rc)
        rc = err_errno(err, "%s", save->temporary);
    if (!rc && rename(save->temporary, save->path))
        rc = err_errno(err, "%s", save->path);
    if (rc)
        unlink(save->temporary);
    else
        rc = file_sync_folder(folder, err);
    mem_free(folder);
    save_release(save);
    return rc;
}

void file_save_abort(struct file_save *save)
{
    if (!save->stream)
        return;
    fclose(save->stream);
    unlink(save->temporary);
    save_release(save);
}

static int make_folder(const char *path, struct err *err)
{
    struct stat info;
    if (mkdir(path, 0777) == 0)
        return 0;
    int number = errno;
    if (number == EEXIST && stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        return 0;
    errno = number;
    return err_errno(err, "%s: cannot make folder", path);
}

int file_make_folders(const char *path, struct err *err)
{
    size_t len = strlen(path);
    if (len == 0)
        return err_set(err, ERR_ARGUMENT, "cannot make a folder without a name");
    char *part = mem_copy_text(path, len, err);
    if (!part)
        return ERR_MEMORY;
    int rc = 0;
    for (size_t i = 1; i <= len && !rc; i++) {
        if (part[i] != '/' && part[i] != '\0')
            continue;
        part[i] = '\0';
        rc = make_folder(part, err);
        part[i] = path[i];
    }
    mem_free(part);
    return rc;
}

int file_sync_folder(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "%s", path);
    int rc = 0;
    if (fsync(fd) && errno != EINVAL && errno != EROFS) /* file systems without folder sync */
        rc = err_errno(err, "%s: cannot sync folder", path);
    close(fd);
    return rc;
}

static int remove_inside(int folder, struct err *err);

static int remove_entry(int folder, const char *name, struct err *err)
{
    if (unlinkat(folder, name, 0) == 0)
        return 0;
    if (errno != EISDIR && errno != EPERM)
        return err_errno(err, "cannot remove '%s'", name);
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "cannot remove '%s'", name);
    int rc = remove_inside(fd, err);
    if (!rc && unlinkat(folder, name, AT_REMOVEDIR))
        rc = err_errno(err, "cannot remove '%s'", name);
    return rc;
}

/* Removes everything in the open folder, without following links; takes over `folder`. */
static int remove_inside(int folder, struct err *err)
{
    DIR *listing = fdopendir(folder);
    if (!listing) {
        int rc = err_errno(err, "cannot list a folder");
        close(folder);
        return rc;
    }
    int rc = 0;
    struct dirent *entry;
    while (!rc && (entry = readdir(listing)))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            rc = remove_entry(dirfd(listing), entry->d_name, err);
    closedir(listing);
    return rc;
}

int file_remove_folder(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return err_errno(err, "%s", path);
    int rc = remove_inside(fd, err);
    if (!rc && rmdir(path))
        rc = err_errno(err, "cannot remove folder");
    if (rc)
        err_context(err, "%s", path);
    return rc;
}

bool file_exists(const char *path)
{
    return access(path, F_OK) == 0;
}

char *file_join(const char *folder, const char *name, struct err *err)
{
    size_t folder_len = strlen(folder), name_len = strlen(name);
    char *path = mem_alloc(folder_len + name_len + 2, 1, err);
    if (!path)
        return NULL;
    memcpy(path, folder, folder_len);
    path[folder_len] = '/';
    memcpy(path + folder_len + 1, name, name_len);
    return path;
}
