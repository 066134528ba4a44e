#include "train/train.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "model/bundle.h"
#include "model/decode.h"
#include "train/journal.h"
#include "train/report.h"
#include "train/task.h"

#define CHECKPOINT "checkpoint.safetensors"
#define JOURNAL "train.jsonl"
#define PAGE "report.html"

/* "models/en-fr/" -> "models/en-fr.training" */
static int work_folder(const char *out, struct buf *folder, struct err *err)
{
    size_t len = strlen(out);
    while (len > 1 && out[len - 1] == '/')
        len--;
    if (buf_append(folder, out, len, err))
        return err->code;
    return buf_text(folder, ".training", err);
}

/* One run, between the trainer, who watches, and the records that it leaves. */
struct run {
    const struct train_watch *watch;
    struct journal *journal;
    char *page;
    struct trainer_progress last;
    bool stopped;   /* by the watcher */
    struct err err; /* of the records */
};

static bool report(void *context, const struct trainer_progress *progress)
{
    struct run *run = context;
    run->last = *progress;
    run->stopped = !run->watch->report(run->watch->context, progress);
    if (journal_report(run->journal, progress, &run->err) == 0 && progress->scored)
        report_write(run->page, journal_history(run->journal), &run->err);
    return !run->stopped && run->err.code == 0;
}

static int open_records(struct run *run, const struct journal_run *what, const char *folder,
                        struct err *err)
{
    char *path = file_join(folder, JOURNAL, err);
    run->page = file_join(folder, PAGE, err);
    if (path && run->page && journal_open(&run->journal, path, what, err) == 0 &&
        journal_start(run->journal, err) == 0 && !what->recipe->resume)
        report_write(run->page, journal_history(run->journal), err);
    mem_free(path);
    return err->code;
}

static const char *reason_of(const struct run *run, const struct recipe *recipe, int status)
{
    if (status)
        return "failed";
    if (run->stopped)
        return "stopped";
    if (run->last.progress >= 1)
        return "finished";
    return recipe->max_minutes > 0 && run->last.seconds >= recipe->max_minutes * 60 ? "time"
                                                                                    : "patience";
}

/* The last line and the last page. Of several errors the records' own comes first if they ended the
   run, else the trainer's. */
static int close_records(struct run *run, const struct recipe *recipe, int status, struct err *err)
{
    if (run->err.code == 0) {
        const char *message = status ? err->message : NULL;
        journal_end(run->journal, reason_of(run, recipe, status), message, &run->last, &run->err);
        if (run->err.code == 0 && journal_history(run->journal)->start)
            report_write(run->page, journal_history(run->journal), &run->err);
    } else if (status) {
        err_clear(err);
    }
    if (run->err.code)
        err_set(err, run->err.code, "%s", run->err.message);
    return err->code;
}

static int run_trainer(const struct recipe *recipe, const struct trainer_task *task,
                       const char *command, const char *folder, const struct train_watch *watch,
                       struct trainer_progress *final, struct err *err)
{
    const struct train_summary summary = {.examples = task->examples,
                                          .parameters = task->parameters,
                                          .left_out = task->left_out,
                                          .cut = task->cut,
                                          .dev_left_out = task->dev_left_out,
                                          .max_tokens = (size_t)recipe->max_tokens,
                                          .dev_max_tokens = DECODE_MAX_SOURCE,
                                          .unit = task->unit,
                                          .score_name = task->score_name};
    const struct journal_run what = {recipe, task, command};
    struct run run = {.watch = watch};
    const struct trainer_watch trainer_watch = {&run, report};
    char *checkpoint = file_join(folder, CHECKPOINT, err);
    if (checkpoint && open_records(&run, &what, folder, err) == 0) {
        watch->begin(watch->context, &summary);
        const int status = task->run
                               ? task->run(task->context, &trainer_watch, final, err)
                               : trainer_run(recipe, task, checkpoint, &trainer_watch, final, err);
        close_records(&run, recipe, status, err);
    }
    journal_close(run.journal);
    mem_free(run.page);
    mem_free(checkpoint);
    return err->code;
}

struct maker { /* of a task */
    int (*make)(struct trainer_task *task, const struct recipe *recipe, const char *command,
                const char *folder, struct err *err);
    void (*release)(struct trainer_task *task);
};

/* The kind of network comes first: captions are translations of rows. */
static struct maker maker_of(const struct recipe *recipe)
{
    static const struct maker makers[] = {
        [SPEC_TRANSLATION] = {translation_task, translation_task_release},
        [SPEC_CLASSIFICATION] = {classification_task, classification_task_release},
        [SPEC_TAGGING] = {tagging_task, tagging_task_release},
        [SPEC_REGRESSION] = {regression_task, regression_task_release},
        [SPEC_GENERATION] = {generation_task, generation_task_release},
    };
    if (recipe->kind == RECIPE_BAG_OF_WORDS)
        return (struct maker){bag_task, bag_task_release};
    return makers[recipe->kind == RECIPE_SEQ2SEQ ? SPEC_TRANSLATION : recipe->task];
}

static int run_task(const struct recipe *recipe, const char *command, const char *folder,
                    const struct train_watch *watch, struct trainer_progress *final,
                    struct err *err)
{
    struct trainer_task task;
    const struct maker maker = maker_of(recipe);
    if (maker.make(&task, recipe, command, folder, err))
        return err->code;
    const int status = run_trainer(recipe, &task, command, folder, watch, final, err);
    maker.release(&task);
    return status;
}

int train_run(const struct recipe *recipe, const char *command, const struct train_watch *watch,
              struct trainer_progress *final, struct err *err)
{
    struct buf folder = BUF_INIT;
    int status = bundle_check_target(recipe->out, err);
    if (status == 0)
        status = work_folder(recipe->out, &folder, err);
    if (status == 0) {
        status = run_task(recipe, command, folder.data, watch, final, err);
        if (status)
            rmdir(folder.data); /* unless there is something in it */
    }
    buf_release(&folder);
    return status;
}
