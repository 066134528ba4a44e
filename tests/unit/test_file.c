/* Files: read, map, save as a whole or not at all, and folders made and removed. */
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"
#include "unit.h"

/* A path in the scratch folder; the caller frees. */
static char *at(void **state, const char *name)
{
    char *path = file_join(*state, name, NULL);
    assert_non_null(path);
    return path;
}

static void write_text(const char *path, const char *text)
{
    struct file_save save;
    struct err err = ERR_INIT;
    assert_fine(file_save_begin(&save, path, &err), err);
    assert_true(fputs(text, save.stream) >= 0);
    assert_fine(file_save_commit(&save, &err), err);
}

static void assert_content(const char *path, const char *text)
{
    struct buf buf = BUF_INIT;
    struct err err = ERR_INIT;
    assert_fine(file_read(path, 1 << 20, &buf, &err), err);
    assert_string_equal(buf.data, text);
    buf_release(&buf);
}

static void reading_has_a_limit(void **state)
{
    char *path = at(state, "limit");
    struct buf buf = BUF_INIT;
    struct err err = ERR_INIT;
    write_text(path, "12345");
    buf_text(&buf, "before ", NULL);
    assert_fine(file_read(path, 5, &buf, &err), err);
    assert_string_equal(buf.data, "before 12345");
    assert_int_equal(file_read(path, 4, &buf, &err), ERR_LIMIT);
    assert_non_null(strstr(err.message, path));
    buf_release(&buf);
    mem_free(path);
}

static void missing_files_and_folders_are_errors(void **state)
{
    char *path = at(state, "missing");
    struct buf buf = BUF_INIT;
    struct file_copy copy;
    struct err err = ERR_INIT;
    assert_false(file_exists(path));
    assert_int_equal(file_read(path, 10, &buf, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, path));
    assert_int_equal(file_copy_open(&copy, path, 10, NULL), ERR_NOT_FOUND);
    assert_int_equal(file_copy_open(&copy, *state, 10, NULL), ERR_IO);
    assert_int_equal(file_read(*state, 10, &buf, NULL), ERR_IO);
    assert_int_equal(file_remove_folder(path, NULL), ERR_NOT_FOUND);
    buf_release(&buf);
    mem_free(path);
}

static void copies_keep_the_bytes(void **state)
{
    char *path = at(state, "copy");
    struct file_copy copy;
    struct err err = ERR_INIT;
    write_text(path, "copied");
    assert_fine(file_copy_open(&copy, path, 10, &err), err);
    assert_int_equal(copy.size, 6);
    assert_memory_equal(copy.data, "copied", 6);
    assert_int_equal(truncate(path, 11), 0);
    struct file_copy larger;
    assert_int_equal(file_copy_open(&larger, path, 10, NULL), ERR_LIMIT);
    write_text(path, "other");
    assert_int_equal(truncate(path, 0), 0);
    assert_memory_equal(copy.data, "copied", 6); /* whatever becomes of the file */
    file_copy_close(&copy);
    write_text(path, "");
    assert_fine(file_copy_open(&copy, path, 10, &err), err);
    assert_int_equal(copy.size, 0);
    assert_null(copy.data);
    file_copy_close(&copy);
    mem_free(path);
}

static void saving_replaces_as_a_whole(void **state)
{
    char *path = at(state, "save");
    struct file_save save;
    struct err err = ERR_INIT;
    write_text(path, "old");
    assert_fine(file_save_begin(&save, path, &err), err);
    fputs("half of the ne", save.stream);
    fflush(save.stream);
    assert_content(path, "old");
    char *temporary = mem_copy_text(save.temporary, strlen(save.temporary), NULL);
    assert_true(file_exists(temporary));
    file_save_abort(&save);
    assert_false(file_exists(temporary));
    assert_content(path, "old");
    write_text(path, "new");
    assert_content(path, "new");
    mem_free(temporary);
    mem_free(path);
}

static void new_files_follow_the_umask(void **state)
{
    char *path = at(state, "mode");
    struct stat info;
    mode_t old = umask(027);
    write_text(path, "x");
    umask(old);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0640);
    mem_free(path);
}

static void full_disks_are_noticed(void **state)
{
    (void)state;
    if (access("/dev/full", W_OK) != 0)
        skip();
    char *path = at(state, "full");
    struct file_save save;
    struct err err = ERR_INIT;
    write_text(path, "old");
    assert_fine(file_save_begin(&save, path, &err), err);
    FILE *same = freopen("/dev/full", "w", save.stream);
    assert_ptr_equal(same, save.stream);
    fputs("does not fit", save.stream);
    assert_int_equal(file_save_commit(&save, &err), ERR_IO);
    assert_content(path, "old");
    mem_free(path);
}

static void saving_in_no_folder_fails(void **state)
{
    char *path = at(state, "no/such/folder/file");
    struct file_save save;
    assert_int_equal(file_save_begin(&save, path, NULL), ERR_NOT_FOUND);
    mem_free(path);
}

static void folders_are_made_and_removed(void **state)
{
    char *deep = at(state, "a//b/c/d/"), *top = at(state, "a");
    char *file = at(state, "a/b/file"), *link = at(state, "a/b/link"), *kept = at(state, "kept");
    struct err err = ERR_INIT;
    assert_fine(file_make_folders(deep, &err), err);
    assert_fine(file_make_folders(deep, &err), err);
    assert_true(file_exists(deep));
    write_text(file, "x");
    write_text(kept, "x");
    assert_int_equal(symlink(*state, link), 0);
    assert_int_equal(file_make_folders(file, NULL), ERR_IO);
    assert_fine(file_remove_folder(top, &err), err);
    assert_false(file_exists(top));
    assert_true(file_exists(kept)); /* the link was removed, not followed */
    assert_int_equal(file_make_folders("", NULL), ERR_ARGUMENT);
    assert_fine(file_sync_folder(*state, &err), err);
    char *const paths[] = {deep, top, file, link, kept};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        mem_free(paths[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reading_has_a_limit),
        cmocka_unit_test(missing_files_and_folders_are_errors),
        cmocka_unit_test(copies_keep_the_bytes),
        cmocka_unit_test(saving_replaces_as_a_whole),
        cmocka_unit_test(new_files_follow_the_umask),
        cmocka_unit_test(full_disks_are_noticed),
        cmocka_unit_test(saving_in_no_folder_fails),
        cmocka_unit_test(folders_are_made_and_removed),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
