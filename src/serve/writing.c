/* From a generation job to its text. */
#include "serve/writing.h"

#include "base/mem.h"
#include "serve/stream.h"

struct writing *writing_new(struct job *job)
{
    struct err err = ERR_INIT;
    struct writing *writing = mem_alloc(1, sizeof *writing, &err);
    int rc = ERR_MEMORY;
    if (writing) {
        writing->job = job;
        rc = generation_new(&writing->generation, job->model, &job->condition, job->text, job->len,
                            &job->generate, &err);
    }
    if (rc == 0)
        return writing;
    job_fail(job, &err);
    mem_free(writing);
    return NULL;
}

void writing_free(struct writing *writing)
{
    generation_free(writing->generation);
    mem_free(writing);
}

static void finish(struct writing *writing)
{
    struct job_result *result = &writing->job->result;
    result->outcome = JOB_DONE;
    result->end = generation_end(writing->generation);
    result->tokens_out = generation_tokens(writing->generation);
    result->log_probability = generation_log_probability(writing->generation);
}

bool writing_step(struct writing *writing, struct mailbox *mailbox)
{
    struct err err = ERR_INIT;
    struct job *job = writing->job;
    struct buf *text = &job->result.text;
    if (atomic_load(&job->cancelled)) {
        job->result.outcome = JOB_CANCELLED;
        return false;
    }
    size_t before = text->len;
    int rc = generation_step(writing->generation, text, &err);
    bool goes_on = rc > 0;
    if (rc >= 0 && job->stream && text->len > before)
        rc = stream_put(job->stream, mailbox, text->data + before, text->len - before, &err);
    if (rc < 0)
        job_fail(job, &err);
    else if (!goes_on)
        finish(writing);
    return rc >= 0 && goes_on;
}
