/* How a job ends, and what its result owns. */
#include "serve/job.h"

#include "base/mem.h"

void job_fail(struct job *job, const struct err *err)
{
    bool refused = err->code == ERR_ARGUMENT || err->code == ERR_LIMIT;
    job->result.outcome = refused ? JOB_REFUSED : JOB_FAILED;
    if (!job->result.err.code)
        job->result.err = *err;
}

size_t job_best_label(const float *probabilities, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (probabilities[i] > probabilities[best])
            best = i;
    return best;
}

void job_result_release(struct job_result *result)
{
    buf_release(&result->text);
    mem_free(result->alternatives);
    mem_free(result->ranges);
    mem_free(result->probabilities);
    explanation_release(&result->explanation);
    tagged_release(&result->tagged);
    *result = (struct job_result){0};
}
