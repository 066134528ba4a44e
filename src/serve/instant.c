/* What the model layer does with one text in one call. */
#include "serve/instant.h"

#include "base/mem.h"

static int classify(struct job *job, struct err *err)
{
    const size_t count = job->model->spec.label_count;
    float *probabilities = mem_alloc(count, sizeof *probabilities, err);
    job->result.probabilities = probabilities;
    if (!probabilities)
        return ERR_MEMORY;
    int rc = model_classify(job->model, job->text, job->len, probabilities, err);
    if (rc == 0 && job->explain)
        rc = model_explain(job->model, job->text, job->len, job_best_label(probabilities, count),
                           &job->result.explanation, err);
    return rc;
}

static int run(struct job *job, struct err *err)
{
    switch (job->model->spec.task) {
    case SPEC_CLASSIFICATION:
        return classify(job, err);
    case SPEC_TAGGING:
        return model_tag(job->model, job->text, job->len, &job->result.tagged, err);
    case SPEC_REGRESSION:
        return model_regress(job->model, job->text, job->len, job->rows, &job->result.value, err);
    case SPEC_TRANSLATION:
    case SPEC_GENERATION:
        break;
    }
    return err_set(err, ERR_INTERNAL, "a job of the wrong task");
}

void instant_run(struct job *job)
{
    struct err err = ERR_INIT;
    job->result.outcome = JOB_DONE;
    if (run(job, &err) < 0)
        job_fail(job, &err);
}
