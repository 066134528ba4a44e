/* What a job is asked for, by the task of its model. Texts and numbers stay the message's. */
#include "serve/request_job.h"

#include <float.h>

#define SEED_BITS 53 /* a seed that we choose survives clients whose numbers are all doubles */

static void fill_translation(struct job *job, const struct proto_params *params)
{
    const struct spec *spec = &job->model->spec;
    size_t beam = params->beam ? (size_t)params->beam : spec->beam;
    job->alignment = params->alignment;
    job->width = beam < DECODE_MAX_BEAM ? beam : DECODE_MAX_BEAM;
    job->options = (struct decode_options){
        .beam = beam < DECODE_MAX_BEAM ? beam : DECODE_MAX_BEAM,
        .nbest = params->nbest ? (size_t)params->nbest : 1,
        .length_penalty = spec->length_penalty,
    };
}

static void fill_generation(struct job *job, const struct proto_params *params, struct rng *rng)
{
    uint64_t seed = params->seed < 0 ? rng_next(rng) >> (64 - SEED_BITS) : (uint64_t)params->seed;
    job->condition = (struct generate_condition){
        .label = params->label,
        .values = params->has_rows ? params->rows.values : NULL,
        .rows = params->rows.count,
        .width = params->rows.width,
    };
    job->generate = (struct generate_options){
        .max_tokens = (size_t)params->max_tokens,
        .temperature = params->temperature,
        .top_k = (size_t)params->top_k,
        .top_p = params->top_p > 0 ? params->top_p : DBL_MIN, /* 0: the most probable alone */
        .seed = seed,
        .stops = params->stops,
        .stop_count = params->stop_count,
    };
}

void request_job_fill(struct request *request, size_t index)
{
    struct job *job = &request->jobs[index];
    const struct proto_params *params = &request->call->params;
    job->model = request->model;
    job->client = request->client;
    job->width = 1;
    job->text = params->texts[index].data;
    job->len = params->texts[index].len;
    switch (job->model->spec.task) {
    case SPEC_TRANSLATION:
        fill_translation(job, params);
        break;
    case SPEC_CLASSIFICATION:
        job->explain = params->explain;
        break;
    case SPEC_TAGGING:
        break;
    case SPEC_REGRESSION:
        job->rows = params->has_rows ? &params->rows : NULL;
        break;
    case SPEC_GENERATION:
        fill_generation(job, params, &request->server->rng);
        break;
    }
}
