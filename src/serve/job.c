/* What a job's result owns. */
#include "serve/job.h"

#include "base/mem.h"

void job_result_release(struct job_result *result)
{
    buf_release(&result->text);
    mem_free(result->alternatives);
    mem_free(result->ranges);
    mem_free(result->probabilities);
    *result = (struct job_result){0};
}
