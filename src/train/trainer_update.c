/*
 * One update: every thread adds up the gradient of its share of each batch, then every thread sums
 * all threads' gradients over its slice of the parameters, and updates that slice. Nothing that is
 * not finite reaches the weights unnoticed: the gradient is looked at before they change, and they
 * are looked at while they do.
 */
#include <math.h>

#include "base/file.h"
#include "train/trainer_parts.h"

#define LOSS_DECAY 0.99  /* of the running mean that is shown */
#define STREAM_UPDATE 16 /* random streams below are for other uses */

static void run_learn(void *context, int index)
{
    struct trainer *trainer = context;
    struct trainer_share *share = &trainer->shares[index];
    arena_reset(&share->arena);
    if (share->count > 0)
        trainer->task->learn(trainer->task->context, share);
}

static void run_gather(void *context, int index)
{
    struct trainer *trainer = context;
    struct trainer_slice *slice = &trainer->slices[index];
    slice->square_sum =
        optim_gather(slice->count, trainer->threads, slice->gradients, trainer->recipe->clip_value);
}

static real *entry(real *vector, size_t at)
{
    return vector ? vector + at : NULL;
}

static void run_update(void *context, int index)
{
    struct trainer *trainer = context;
    struct trainer_slice *slice = &trainer->slices[index];
    const struct checkpoint_vectors *vectors = &trainer->vectors;
    const struct optim_slice part = {
        .count = slice->count,
        .weights = vectors->weights + slice->begin,
        .gradient = slice->gradients[0],
        .first = entry(vectors->first, slice->begin),
        .second = entry(vectors->second, slice->begin),
        .average = entry(vectors->average, slice->begin),
    };
    slice->finite =
        optim_update(&trainer->optim, trainer->state.update, trainer->scale, trainer->share, &part);
}

/* Targets of the plan's examples [begin, end). */
static double count_units(const struct trainer *trainer, size_t begin, size_t end)
{
    const struct trainer_task *task = trainer->task;
    double units = 0;
    for (size_t i = begin; i < end; i++)
        units += task->units(task->context, trainer->plan.examples[i]);
    return units;
}

/* Adds up the gradient of one batch; its loss is added to *loss. */
static int learn_batch(struct trainer *trainer, size_t batch, double scale, double *loss,
                       struct err *err)
{
    const size_t *begins = trainer->plan.begins + batch;
    const uint32_t *examples = trainer->plan.examples + begins[0];
    size_t begin = 0;
    batch_deal(examples, begins[1] - begins[0], trainer->task->keys, trainer->threads,
               trainer->ends);
    for (size_t t = 0; t < trainer->threads; t++) {
        struct trainer_share *share = &trainer->shares[t];
        share->examples = examples + begin;
        share->count = trainer->ends[t] - begin;
        share->scale = scale;
        share->sums = (struct trainer_sums){0};
        begin = trainer->ends[t];
    }
    pool_run(trainer->pool, run_learn, trainer);
    for (size_t t = 0; t < trainer->threads; t++) {
        const struct trainer_share *share = &trainer->shares[t];
        if (share->err.code)
            return err_set(err, share->err.code, "%s", share->err.message);
        *loss += share->sums.loss;
    }
    return 0;
}

/* Says which tensor of `values`, a flat vector, is not finite; false where all are. */
static bool blame(const struct trainer *trainer, const char *what, const real *values,
                  struct err *err)
{
    const struct trainer_task *task = trainer->task;
    size_t at = values ? optim_first_bad(trainer->vectors.parameters, values) : 0;
    if (!values || at == trainer->vectors.parameters)
        return false;
    const struct parameter tensor = task->tensor(task->context, &at);
    err_set(err, ERR_INTERNAL, "the %s of tensor \"%s\" is not finite at element %zu", what,
            tensor.name, at);
    return true;
}

/* Ends the run: nothing of it is saved, so that what was saved before stays good. */
static int not_finite(const struct trainer *trainer, uint64_t update, struct err *err)
{
    const struct checkpoint_vectors *vectors = &trainer->vectors;
    struct err cause = ERR_INIT;
    if (!blame(trainer, "gradient", trainer->shares[0].gradient, &cause) &&
        !blame(trainer, "weight", vectors->weights, &cause) &&
        !blame(trainer, "first moment", vectors->first, &cause) &&
        !blame(trainer, "second moment", vectors->second, &cause))
        err_set(&cause, ERR_INTERNAL, "the loss is not finite");
    err_set(err, cause.code, "update %llu: %s; a lower --rate or --clip may help",
            (unsigned long long)update, cause.message);
    if (trainer->resumable)
        err_context(err, "stopped, the last good checkpoint is kept");
    return err->code;
}

static void apply(struct trainer *trainer, double middle)
{
    struct checkpoint_progress *state = &trainer->state;
    const struct recipe *recipe = trainer->recipe;
    const uint64_t update = state->update + 1;
    const struct schedule_place place = {.progress = trainer_run_share(trainer, middle),
                                         .update = update,
                                         .epoch = state->epoch,
                                         .plateaus = state->plateaus};
    trainer->scale = clip_scale(trainer->gradient_norm, recipe->clip);
    trainer->share = recipe->ema > 0 ? optim_average_share(recipe->ema, update) : 1;
    trainer->optim.rate = schedule_rate(&trainer->schedule, &place);
    state->update = update;
    pool_run(trainer->pool, run_update, trainer);
}

static void note_loss(struct trainer *trainer, double mean)
{
    double *running = &trainer->state.running_loss;
    *running = trainer->state.update == 1 ? mean : LOSS_DECAY * *running + (1 - LOSS_DECAY) * mean;
}

int trainer_update(struct trainer *trainer, double *units, struct err *err)
{
    const size_t first = trainer->state.batch;
    const size_t left = trainer->plan.batches - first;
    const size_t wanted = (size_t)trainer->recipe->accumulate;
    const size_t end = first + (wanted < left ? wanted : left);
    double loss = 0, square_sum = 0;
    *units = count_units(trainer, trainer->plan.begins[first], trainer->plan.begins[end]);
    for (size_t t = 0; t < trainer->threads; t++)
        rng_seed(&trainer->shares[t].rng, (uint64_t)trainer->recipe->seed,
                 STREAM_UPDATE + trainer->state.update * trainer->threads + t);
    for (size_t batch = first; batch < end; batch++)
        if (learn_batch(trainer, batch, 1 / *units, &loss, err))
            return err->code;
    pool_run(trainer->pool, run_gather, trainer);
    for (size_t t = 0; t < trainer->threads; t++)
        square_sum += trainer->slices[t].square_sum;
    if (!isfinite(square_sum) || !isfinite(loss))
        return not_finite(trainer, trainer->state.update + 1, err);
    trainer->gradient_norm = sqrt(square_sum);
    apply(trainer, (double)(first + end) / 2);
    for (size_t t = 0; t < trainer->threads; t++)
        if (!trainer->slices[t].finite)
            return not_finite(trainer, trainer->state.update, err);
    trainer->state.batch = end;
    note_loss(trainer, loss / *units);
    return 0;
}
