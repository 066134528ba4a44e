/* Every allocation of the base layer is made to fail once. */
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/opt.h"
#include "base/pool.h"
#include "base/queue.h"
#include "fault.h"

static int use_buf(void *context, struct err *err)
{
    (void)context;
    struct buf buf = BUF_INIT;
    int rc = 0;
    for (int i = 0; i < 100 && !rc; i++)
        rc = buf_printf(&buf, err, "%d ", i);
    if (!rc)
        rc = buf_reserve(&buf, 10000, err);
    buf_release(&buf);
    return rc;
}

static int use_arena(void *context, struct err *err)
{
    (void)context;
    struct arena arena;
    int rc = 0;
    arena_init(&arena, 256);
    for (size_t i = 0; i < 20 && !rc; i++)
        rc = arena_alloc(&arena, i * 20, 1, err) ? 0 : ERR_MEMORY;
    arena_release(&arena);
    return rc;
}

static int use_queue(void *context, struct err *err)
{
    struct queue *queue = queue_new(8, err);
    if (!queue)
        return err->code;
    int rc = queue_push(queue, context) && queue_pop(queue, 0) == context ? 0 : ERR_INTERNAL;
    queue_free(queue);
    return rc;
}

static void count_up(void *context, int index)
{
    ((int *)context)[index]++;
}

static int use_pool(void *context, struct err *err)
{
    (void)context;
    int counts[3] = {0};
    struct pool *pool = pool_new(3, err);
    if (!pool)
        return err->code;
    pool_run(pool, count_up, counts);
    pool_free(pool);
    return counts[0] == 1 && counts[1] == 1 && counts[2] == 1 ? 0 : ERR_INTERNAL;
}

static int save_and_read(const char *path, struct err *err)
{
    struct file_save save;
    struct buf buf = BUF_INIT;
    int rc = file_save_begin(&save, path, err);
    if (rc)
        return rc;
    if (fputs("text", save.stream) < 0) {
        file_save_abort(&save);
        return ERR_IO;
    }
    rc = file_save_commit(&save, err);
    if (!rc)
        rc = file_read(path, 100, &buf, err);
    if (!rc && strcmp(buf.data, "text") != 0)
        rc = ERR_INTERNAL;
    buf_release(&buf);
    return rc;
}

/* After a failure the folder must be as empty as before: no temporary may stay behind. */
static int use_files(void *context, struct err *err)
{
    char *path = file_join(context, "a/b", err);
    char *file = path ? file_join(path, "file", err) : NULL;
    int rc = file ? file_make_folders(path, err) : ERR_MEMORY;
    if (!rc)
        rc = save_and_read(file, err);
    if (file)
        unlink(file);
    if (path && rmdir(path) && file_exists(path))
        rc = err_set(NULL, ERR_INTERNAL, "something stayed behind");
    mem_free(file);
    mem_free(path);
    return rc;
}

struct settings {
    char *name;
    struct opt_list list;
    int64_t number;
};
static const struct opt table[] = {
    {"name", 'n', OPT_TEXT, OPT_ANYWHERE, NULL, offsetof(struct settings, name), "default", 0, 0,
     NULL, "TEXT", NULL, "a name"},
    {"list", 'l', OPT_LIST, OPT_ANYWHERE, "s", offsetof(struct settings, list), "one", 0, 0, NULL,
     "TEXT", NULL, "a list"},
    {"number", 0, OPT_INT, OPT_ANYWHERE, "s", offsetof(struct settings, number), "7", 1, 1048576,
     NULL, "N", "bytes", "a number"},
    {.name = NULL},
};

static int use_options(void *context, struct err *err)
{
    char *argv[] = {"prog", "--name=x", "-l", "two", "--list", "three", "rest"};
    struct settings settings = {0};
    int count = 0;
    int rc = opt_defaults(table, &settings, err);
    if (!rc)
        rc = opt_parse_arguments(table, &settings, 7, argv, &count, err);
    if (!rc)
        rc = opt_parse_file(table, &settings, context, err);
    if (!rc && (count != 1 || settings.list.count != 3))
        rc = ERR_INTERNAL;
    opt_release(table, &settings);
    return rc;
}

static int use_texts(void *context, struct err *err)
{
    (void)context;
    struct buf out = BUF_INIT;
    int rc = opt_help(table, &out, err);
    if (!rc)
        rc = opt_sample(table, &out, err);
    if (!rc)
        rc = opt_mdoc(table, &out, err);
    buf_release(&out);
    return rc;
}

static void memory_failures_are_errors(void **state)
{
    int item;
    fault_loop(use_buf, NULL);
    fault_loop(use_arena, NULL);
    fault_loop(use_queue, &item);
    fault_loop(use_pool, NULL);
    fault_loop(use_files, *state);
    fault_loop(use_texts, NULL);
}

static void options_survive_memory_failures(void **state)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/conf", (const char *)*state);
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    fputs("name = y\n[s]\nlist = four\nnumber = 4k\n", stream);
    assert_int_equal(fclose(stream), 0);
    assert_true(fault_loop(use_options, path) > 5);
}

static int make_folder(void **state)
{
    static char path[] = "/tmp/dragoman-fault-XXXXXX";
    *state = mkdtemp(path);
    return *state ? 0 : -1;
}

static int remove_folder(void **state)
{
    return file_remove_folder(*state, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_failures_are_errors),
        cmocka_unit_test(options_survive_memory_failures),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
