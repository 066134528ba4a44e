/*
 * What the model writes at each evaluation, for the report: after the first lines of a stream's
 * development data, or under the conditions of its first lines, always with the same random
 * numbers. Beside it stands what is there in truth.
 */
#include <string.h>

#include "base/mem.h"
#include "model/generate.h"
#include "text/rows.h"
#include "text/utf8.h"
#include "train/generation_parts.h"

#define SAMPLE_TOKENS 200
#define SAMPLE_BYTES 400 /* of what is there in truth */

/* Of a stream: line i that is not empty, and what follows it. */
static bool find_line(const struct corpus_line *text, size_t i, struct generation_sample *sample,
                      struct err *err)
{
    const char *at = text->first;
    for (;;) {
        at += strspn(at, "\n");
        const size_t len = strcspn(at, "\n");
        if (len == 0)
            return false;
        if (i-- == 0) {
            const char *next = at + len;
            const size_t rest = strnlen(next, SAMPLE_BYTES);
            sample->source = mem_copy_text(at, len, err);
            sample->reference = mem_copy_text(next, utf8_valid_length(next, rest), err);
            return true;
        }
        at += len;
    }
}

static bool find_text(const struct generation_task *task, size_t i,
                      struct generation_sample *sample, struct err *err)
{
    const struct corpus *dev = &task->data.dev;
    const bool second = task->data.spec.condition != SPEC_CONDITION_NONE;
    if (task->data.spec.stream)
        return find_line(dev->lines, i, sample, err);
    if (i >= dev->count)
        return false;
    const char *condition = second ? dev->lines[i].first : "";
    const char *text = second ? dev->lines[i].second : dev->lines[i].first;
    sample->source = mem_copy_text(condition, strlen(condition), err);
    sample->reference = mem_copy_text(text, strlen(text), err);
    return true;
}

int generation_samples_init(struct generation_task *task, struct err *err)
{
    const size_t wanted = (size_t)task->data.recipe->samples;
    task->samples = mem_alloc(wanted, sizeof *task->samples, err);
    if (!task->samples)
        return ERR_MEMORY;
    while (task->sample_count < wanted &&
           find_text(task, task->sample_count, &task->samples[task->sample_count], err)) {
        const struct generation_sample *sample = &task->samples[task->sample_count++];
        if (!sample->source || !sample->reference)
            return ERR_MEMORY;
    }
    return 0;
}

/* Runs the generation to its end. */
static int write_sample(struct generation *generation, struct generation_sample *sample,
                        struct err *err)
{
    int status = 1;
    buf_clear(&sample->output);
    while (status > 0)
        status = generation_step(generation, &sample->output, err);
    sample->score = generation_log_probability(generation) / (double)generation_tokens(generation);
    return status;
}

static int make_sample(const struct generation_task *task, struct model *model, size_t i,
                       struct err *err)
{
    const struct generate_options options = {
        .max_tokens = SAMPLE_TOKENS, .temperature = 1, .top_p = 1, .seed = i};
    struct generation_sample *sample = &task->samples[i];
    const char *prompt = task->data.spec.stream ? sample->source : "";
    struct generate_condition condition = {.label = NULL};
    struct rows rows = {0};
    struct generation *generation = NULL;
    if (task->dev.labels)
        condition.label = sample->source;
    if (task->dev.features && rows_parse(&rows, sample->source, strlen(sample->source), err))
        return err->code;
    if (rows.values)
        condition = (struct generate_condition){
            .values = rows.values, .rows = rows.count, .width = rows.width};
    int status =
        generation_new(&generation, model, &condition, prompt, strlen(prompt), &options, err);
    if (status == 0)
        status = write_sample(generation, sample, err);
    generation_free(generation);
    rows_release(&rows);
    return status;
}

int generation_samples_make(struct generation_task *task, const struct rnn *weights,
                            struct err *err)
{
    struct rnn network = *weights;
    struct model model = {/* for the time of this call; a generation's reference is not the last */
                          .spec = task->data.spec,
                          .tokenizer = task->data.tokenizer,
                          .rnn = &network,
                          .references = 1};
    int status = 0;
    for (size_t i = 0; status == 0 && i < task->sample_count; i++)
        status = make_sample(task, &model, i, err);
    task->sampled = status == 0;
    return status;
}

bool generation_sample(void *context, size_t i, struct trainer_sample *sample)
{
    const struct generation_task *task = context;
    if (!task->sampled || i >= task->sample_count)
        return false;
    const struct generation_sample *made = &task->samples[i];
    *sample = (struct trainer_sample){.source = made->source,
                                      .reference = made->reference,
                                      .output = made->output.data ? made->output.data : "",
                                      .score = made->score};
    return true;
}

void generation_samples_release(struct generation_task *task)
{
    for (size_t i = 0; i < task->sample_count; i++) {
        mem_free(task->samples[i].source);
        mem_free(task->samples[i].reference);
        buf_release(&task->samples[i].output);
    }
    mem_free(task->samples);
}
