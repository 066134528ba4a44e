/* From a job to the units of its passage and back. */
#include "serve/task.h"

#include "base/mem.h"

static void fail(struct job *job, const struct err *err)
{
    job->result.outcome = JOB_FAILED;
    if (!job->result.err.code)
        job->result.err = *err;
}

/* Writes the result of a job whose units are all done. */
static void complete(struct task *task)
{
    struct err err = ERR_INIT;
    struct job_result *result = &task->job->result;
    result->outcome = JOB_DONE;
    if (passage_write(task->passage, &result->passage, &err) < 0)
        fail(task->job, &err);
    result->tokens_in = result->passage.tokens_in;
    result->tokens_out = result->passage.tokens_out;
}

static int cut(struct task *task, struct err *err)
{
    const struct job *job = task->job;
    const struct passage_options options = {
        .decode = job->options,
        .language = job->model->spec.source,
        .glossary = &job->glossary,
        .clause_tokens = job->model->spec.clause_tokens,
        .ranges = job->alignment || job->scores,
    };
    int rc = passage_new(&task->passage, job->model->tokenizer, job->text, job->len, &options, err);
    if (rc < 0)
        return rc;
    task->count = passage_unit_count(task->passage);
    for (size_t i = 0; i < task->count; i++)
        passage_unit(task->passage, i)->owner = task;
    return 0;
}

struct task *task_new(struct job *job)
{
    struct err err = ERR_INIT;
    struct task *task = mem_alloc(1, sizeof *task, &err);
    if (!task) {
        fail(job, &err);
        return NULL;
    }
    task->job = job;
    if (cut(task, &err) < 0)
        fail(job, &err);
    else if (task->count > 0)
        return task;
    else
        complete(task);
    task_free(task);
    return NULL;
}

void task_free(struct task *task)
{
    if (!task)
        return;
    passage_free(task->passage);
    mem_free(task);
}

struct task *task_of(const struct decode_result *result)
{
    const struct passage_unit *unit = result->tag;
    return unit->owner;
}

int task_join(struct task *task, struct decoder *decoder)
{
    struct err err = ERR_INIT;
    if (task->joined == task->count)
        return 0;
    struct passage_unit *unit = passage_unit(task->passage, task->joined);
    if (decoder_free_rows(decoder) < unit->options.beam)
        return 0;
    unit->options.party = task->job->client;
    if (decoder_join(decoder, unit->ids, unit->count, &unit->options, unit, &err) < 0) {
        fail(task->job, &err);
        return err.code;
    }
    task->joined++;
    return 1;
}

void task_cancel(struct task *task, struct decoder *decoder)
{
    for (size_t i = 0; i < task->joined; i++) {
        const struct passage_unit *unit = passage_unit(task->passage, i);
        if (!unit->result)
            decoder_cancel(decoder, unit);
    }
}

bool task_finish(struct task *task, struct decode_result *result)
{
    struct passage_unit *unit = result->tag;
    unit->result = result;
    if (++task->finished < task->count)
        return false;
    complete(task);
    return true;
}
