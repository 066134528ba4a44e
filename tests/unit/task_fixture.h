/* What tests of whole trainings share: files of data, and runs whose settings are a list. */
#ifndef DRAGOMAN_TESTS_UNIT_TASK_FIXTURE_H
#define DRAGOMAN_TESTS_UNIT_TASK_FIXTURE_H

#include <string.h>

#include "../fault/fault.h"
#include "base/mem.h"
#include "model/model.h"
#include "train/task.h"
#include "train/train.h"
#include "unit.h"

static char *join(const char *folder, const char *name)
{
    char *path = file_join(folder, name, NULL);
    assert_non_null(path);
    return path;
}

static FILE *open_data(const char *folder, const char *name)
{
    char *path = join(folder, name);
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    mem_free(path);
    return stream;
}

static void write_text(const char *folder, const char *name, const char *text)
{
    FILE *stream = open_data(folder, name);
    fputs(text, stream);
    assert_int_equal(fclose(stream), 0);
}

struct run {
    const char *folder, *train, *dev, *out;
    const char *const (*settings)[2]; /* names and values, to an empty name */
    size_t stop_after;                /* updates; 0: run to the end */
    double best;
};

static void begin(void *context, const struct train_summary *summary)
{
    (void)context;
    assert_true(summary->parameters > 0);
}

static bool report(void *context, const struct trainer_progress *progress)
{
    struct run *run = context;
    if (progress->scored)
        run->best = progress->best_score;
    return run->stop_after == 0 || progress->update < run->stop_after;
}

static int set_path(struct recipe *recipe, const struct run *run, const char *option,
                    const char *name, struct err *err)
{
    char *path = join(run->folder, name);
    const int code = opt_set(recipe_options, recipe, option, path, err);
    mem_free(path);
    return code;
}

/* The recipe of a run, checked. */
static int make_recipe(struct recipe *recipe, const struct run *run, struct err *err)
{
    int code = opt_defaults(recipe_options, recipe, err);
    if (code == 0)
        code = set_path(recipe, run, "train", run->train, err);
    if (code == 0)
        code = set_path(recipe, run, "dev", run->dev, err);
    if (code == 0)
        code = set_path(recipe, run, "out", run->out, err);
    for (size_t i = 0; code == 0 && run->settings[i][0] != NULL; i++)
        code = opt_set(recipe_options, recipe, run->settings[i][0], run->settings[i][1], err);
    return code == 0 ? recipe_check(recipe, err) : code;
}

static int train(struct run *run, struct err *err)
{
    const struct train_watch watch = {run, begin, report};
    struct trainer_progress final;
    struct recipe recipe = {0};
    int code = make_recipe(&recipe, run, err);
    if (code == 0)
        code = train_run(&recipe, "the command", &watch, &final, err);
    opt_release(recipe_options, &recipe);
    return code;
}

struct task_maker { /* for fault_loop */
    const struct recipe *recipe;
    const char *folder;
    int (*make)(struct trainer_task *, const struct recipe *, const char *, const char *,
                struct err *);
    void (*release)(struct trainer_task *);
};

static inline int make_task(void *context, struct err *err)
{
    const struct task_maker *maker = context;
    struct trainer_task task;
    const int code = maker->make(&task, maker->recipe, "the command", maker->folder, err);
    if (code == 0)
        maker->release(&task);
    return code;
}

/* Every allocation of the making of the run's task is made to fail once. */
static inline void assert_task_survives(const struct run *run, struct task_maker maker)
{
    struct recipe recipe = {0};
    struct err err = ERR_INIT;
    char *folder = join(run->folder, "fault.training");
    assert_fine(make_recipe(&recipe, run, &err), err);
    maker.recipe = &recipe;
    maker.folder = folder;
    assert_true(fault_loop(make_task, &maker) > 20);
    opt_release(recipe_options, &recipe);
    mem_free(folder);
}

static struct model *open_trained(const struct run *run)
{
    struct err err = ERR_INIT;
    struct model *model;
    char *path = join(run->folder, run->out);
    assert_fine(model_open(&model, path, &err), err);
    mem_free(path);
    return model;
}

/* The run is refused before it begins, with a message that holds `words`. */
static inline void assert_refused(struct run *run, int code, const char *words)
{
    struct err err = ERR_INIT;
    assert_int_equal(train(run, &err), code);
    if (strstr(err.message, words) == NULL)
        fail_msg("'%s' does not say '%s'", err.message, words);
}

#endif
