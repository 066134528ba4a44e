#include "train/train.h"

#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "model/bundle.h"
#include "model/decode.h"
#include "train/task.h"

#define CHECKPOINT "checkpoint.safetensors"

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

static int run_task(const struct recipe *recipe, const char *command, const char *folder,
                    const char *checkpoint, const struct train_watch *watch,
                    struct trainer_progress *final, struct err *err)
{
    struct trainer_task task;
    const bool translation = recipe->task == SPEC_TRANSLATION;
    if ((translation ? translation_task : classification_task)(&task, recipe, command, folder, err))
        return err->code;
    const struct train_summary summary = {.examples = task.examples,
                                          .parameters = task.parameters,
                                          .left_out = task.left_out,
                                          .cut = task.cut,
                                          .dev_left_out = task.dev_left_out,
                                          .max_tokens = (size_t)recipe->max_tokens,
                                          .dev_max_tokens = DECODE_MAX_SOURCE,
                                          .unit = task.unit,
                                          .score_name = task.score_name};
    const struct trainer_watch trainer_watch = {watch->context, watch->report};
    watch->begin(watch->context, &summary);
    const int status = trainer_run(recipe, &task, checkpoint, &trainer_watch, final, err);
    (translation ? translation_task_release : classification_task_release)(&task);
    return status;
}

int train_run(const struct recipe *recipe, const char *command, const struct train_watch *watch,
              struct trainer_progress *final, struct err *err)
{
    struct buf folder = BUF_INIT;
    char *checkpoint = NULL;
    int status = bundle_check_target(recipe->out, err);
    if (status == 0)
        status = work_folder(recipe->out, &folder, err);
    if (status == 0) {
        checkpoint = file_join(folder.data, CHECKPOINT, err);
        status = checkpoint ? run_task(recipe, command, folder.data, checkpoint, watch, final, err)
                            : ERR_MEMORY;
        if (status)
            rmdir(folder.data); /* unless there is something in it */
    }
    mem_free(checkpoint);
    buf_release(&folder);
    return status;
}
