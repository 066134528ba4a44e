#include "train/trainer.h"

#include <math.h>

#include "base/clock.h"
#include "nn/mat.h"
#include "train/trainer_parts.h"

#define ARENA_BLOCK (64u << 20)
#define WINDOW 100       /* updates over which the speed is measured */
#define STREAM_INIT 1    /* random stream of the first weights */
#define SLICE_ENTRIES 64 /* slices begin at multiples of this, where a vector register does */

double trainer_run_share(const struct trainer *trainer, double batch)
{
    const size_t batches = trainer->plan.batches;
    const double part = batches > 0 ? batch / (double)batches : 0;
    return ((double)trainer->state.epoch + part) / (double)trainer->recipe->epochs;
}

static double seconds_now(const struct trainer *trainer)
{
    return trainer->seconds_before + (double)(clock_ns() - trainer->started_ns) * 1e-9;
}

static void describe(const struct trainer *trainer, struct trainer_progress *progress)
{
    const struct checkpoint_progress *state = &trainer->state;
    const double share = trainer_run_share(trainer, (double)state->batch);
    const double gained = trainer->progress_before < 0 ? 0 : share - trainer->progress_before;
    const double spent = (double)(clock_ns() - trainer->started_ns) * 1e-9;
    *progress = (struct trainer_progress){
        .update = state->update,
        .epoch = state->epoch,
        .batch = state->batch,
        .batches = trainer->plan.batches,
        .progress = share,
        .loss = state->running_loss,
        .gradient_norm = trainer->gradient_norm,
        .units_per_second = trainer->units_per_second,
        .rate = trainer->optim.rate,
        .seconds_left = gained > 0 ? spent / gained * (1 - share) : 0,
        .seconds = seconds_now(trainer),
        .best_score = state->best_score,
    };
}

/* What the watcher thinks; false from it stops the run. */
static void report(struct trainer *trainer, const struct trainer_progress *progress)
{
    if (!trainer->watch->report(trainer->watch->context, progress))
        trainer->stopped = true;
}

static int save_checkpoint(struct trainer *trainer, struct err *err)
{
    trainer->state.seconds = seconds_now(trainer);
    trainer->checkpoint_ns = clock_ns();
    if (checkpoint_save(trainer->checkpoint, &trainer->vectors, &trainer->state, err))
        return err->code;
    trainer->resumable = true;
    trainer->unsaved = false;
    return 0;
}

/* Units a second over the last WINDOW updates. */
static void measure_speed(struct trainer *trainer, double units)
{
    trainer->window_units += units;
    const double seconds = (double)(clock_ns() - trainer->window_ns) * 1e-9;
    if (seconds > 0 && (trainer->state.update % WINDOW == 0 || trainer->units_per_second <= 0))
        trainer->units_per_second = trainer->window_units / seconds;
    if (trainer->state.update % WINDOW == 0) {
        trainer->window_units = 0;
        trainer->window_ns = clock_ns();
    }
}

static bool out_of_time(const struct trainer *trainer)
{
    const double limit = trainer->recipe->max_minutes * 60;
    return limit > 0 && seconds_now(trainer) >= limit;
}

static bool out_of_patience(const struct trainer *trainer)
{
    return trainer->recipe->patience > 0 &&
           trainer->state.stale >= (uint64_t)trainer->recipe->patience;
}

static bool all_epochs_done(const struct trainer *trainer)
{
    return trainer->state.epoch >= (uint64_t)trainer->recipe->epochs;
}

/* The state alone decides, so that a run which was killed before an evaluation resumes with it. */
static bool evaluation_is_due(const struct trainer *trainer)
{
    const struct checkpoint_progress *state = &trainer->state;
    const uint64_t every = (uint64_t)trainer->recipe->evaluate_every;
    if (state->update == state->evaluated)
        return false;
    return every > 0 ? state->update % every == 0 || all_epochs_done(trainer) : state->batch == 0;
}

static int plan_epoch(struct trainer *trainer, struct err *err)
{
    const struct recipe *recipe = trainer->recipe;
    const struct trainer_task *task = trainer->task;
    const uint64_t epoch = trainer->state.epoch;
    if (trainer->plan.batches > 0 && trainer->planned_epoch == epoch)
        return 0;
    batch_plan_release(&trainer->plan);
    if (task->begin_epoch && task->begin_epoch(task->context, epoch, trainer->pool, err))
        return err->code;
    const int status = task->plan ? task->plan(task->context, epoch, &trainer->plan, err)
                                  : batch_plan_make(&trainer->plan, task->keys, task->examples,
                                                    (size_t)recipe->batch_tokens,
                                                    (uint64_t)recipe->seed, epoch, err);
    if (status)
        return status;
    if (trainer->progress_before < 0)
        trainer->progress_before = trainer_run_share(trainer, (double)trainer->state.batch);
    trainer->planned_epoch = epoch;
    if (trainer->state.batch >= trainer->plan.batches)
        return err_set(err, ERR_FORMAT, "%s: it stands at batch %llu of %zu", trainer->checkpoint,
                       (unsigned long long)trainer->state.batch, trainer->plan.batches);
    return 0;
}

static int train_once(struct trainer *trainer, struct err *err)
{
    struct trainer_progress progress;
    double units;
    if (plan_epoch(trainer, err) || trainer_update(trainer, &units, err))
        return err->code;
    trainer->unsaved = true;
    measure_speed(trainer, units);
    describe(trainer, &progress);
    if (trainer->state.batch == trainer->plan.batches) {
        trainer->state.epoch++;
        trainer->state.batch = 0;
    }
    report(trainer, &progress);
    trainer->stopped = trainer->stopped || out_of_time(trainer);
    const double interval = trainer->recipe->checkpoint_minutes * 60e9;
    if ((double)(clock_ns() - trainer->checkpoint_ns) > interval && !evaluation_is_due(trainer))
        return save_checkpoint(trainer, err);
    return 0;
}

static int evaluate(struct trainer *trainer, struct err *err)
{
    struct trainer_progress progress;
    describe(trainer, &progress);
    if (trainer_score(trainer, &progress, err))
        return err->code;
    progress.seconds = seconds_now(trainer);
    report(trainer, &progress);
    trainer->window_units = 0;
    trainer->window_ns = clock_ns();
    return save_checkpoint(trainer, err);
}

/* Until all is done. A run that is stopped between two evaluations is not scored. */
static int run(struct trainer *trainer, struct err *err)
{
    int status = 0;
    while (status == 0) {
        if (evaluation_is_due(trainer))
            status = evaluate(trainer, err);
        else if (trainer->stopped || all_epochs_done(trainer) || out_of_patience(trainer))
            return trainer->unsaved ? save_checkpoint(trainer, err) : 0;
        else
            status = train_once(trainer, err);
    }
    return status;
}

/*
 * Setting up
 */

static int allocate_shares(struct trainer *trainer, struct err *err)
{
    for (size_t t = 0; t < trainer->threads; t++) {
        struct trainer_share *share = &trainer->shares[t];
        share->thread = (int)t;
        share->weights = trainer->vectors.weights;
        arena_init(&share->arena, ARENA_BLOCK);
        share->gradient = mem_alloc(trainer->vectors.parameters, sizeof(real), err);
        if (!share->gradient)
            return ERR_MEMORY;
    }
    return 0;
}

/* Where the part of a thread begins in the flat vectors. */
static size_t slice_begin(const struct trainer *trainer, size_t thread)
{
    const size_t parameters = trainer->vectors.parameters;
    if (thread == trainer->threads)
        return parameters;
    return parameters * thread / trainer->threads / SLICE_ENTRIES * SLICE_ENTRIES;
}

static int allocate_slices(struct trainer *trainer, struct err *err)
{
    for (size_t t = 0; t < trainer->threads; t++) {
        struct trainer_slice *slice = &trainer->slices[t];
        slice->begin = slice_begin(trainer, t);
        slice->count = slice_begin(trainer, t + 1) - slice->begin;
        slice->gradients = mem_alloc(trainer->threads, sizeof *slice->gradients, err);
        if (!slice->gradients)
            return ERR_MEMORY;
        for (size_t from = 0; from < trainer->threads; from++)
            slice->gradients[from] = trainer->shares[from].gradient + slice->begin;
    }
    return 0;
}

static int allocate_vectors(struct trainer *trainer, struct err *err)
{
    struct checkpoint_vectors *vectors = &trainer->vectors;
    const struct {
        real **slot;
        bool needed;
    } list[] = {
        {&vectors->weights, true},
        {&vectors->first, optim_has_first(&trainer->optim)},
        {&vectors->second, optim_has_second(&trainer->optim)},
        {&vectors->average, trainer->recipe->ema > 0},
        {&trainer->mean, trainer->recipe->average > 1},
    };
    for (size_t i = 0; i < sizeof list / sizeof *list; i++) {
        if (!list[i].needed)
            continue;
        *list[i].slot = mem_alloc(vectors->parameters, sizeof(real), err);
        if (!*list[i].slot)
            return ERR_MEMORY;
    }
    return 0;
}

static int allocate(struct trainer *trainer, struct err *err)
{
    const size_t threads = trainer->threads;
    trainer->shares = mem_alloc(threads, sizeof *trainer->shares, err);
    trainer->slices = mem_alloc(threads, sizeof *trainer->slices, err);
    trainer->ends = mem_alloc(threads, sizeof *trainer->ends, err);
    trainer->pool = pool_new((int)threads, err);
    if (!trainer->shares || !trainer->slices || !trainer->ends || !trainer->pool ||
        allocate_vectors(trainer, err) || allocate_shares(trainer, err) ||
        allocate_slices(trainer, err))
        return err->code;
    return 0;
}

/* The first weights, or those of the checkpoint. */
static int begin(struct trainer *trainer, struct err *err)
{
    const struct trainer_task *task = trainer->task;
    if (trainer->recipe->resume) {
        trainer->resumable = true;
        return checkpoint_load(trainer->checkpoint, task->origin, &trainer->vectors,
                               &trainer->state, err);
    }
    struct rng rng;
    rng_seed(&rng, (uint64_t)trainer->recipe->seed, STREAM_INIT);
    task->init(task->context, trainer->vectors.weights, &rng);
    trainer->state = (struct checkpoint_progress){.origin = task->origin, .best_score = -1};
    return 0;
}

static void release(struct trainer *trainer)
{
    batch_plan_release(&trainer->plan);
    for (size_t t = 0; t < trainer->threads; t++) {
        if (trainer->slices)
            mem_free(trainer->slices[t].gradients);
        if (trainer->shares) {
            arena_release(&trainer->shares[t].arena);
            mem_free(trainer->shares[t].gradient);
        }
    }
    pool_free(trainer->pool);
    mem_free(trainer->ends);
    mem_free(trainer->slices);
    mem_free(trainer->shares);
    mem_free(trainer->mean);
    mem_free(trainer->vectors.average);
    mem_free(trainer->vectors.second);
    mem_free(trainer->vectors.first);
    mem_free(trainer->vectors.weights);
}

static struct optim make_optim(const struct recipe *recipe)
{
    return (struct optim){.kind = (enum optim_kind)recipe->optimiser,
                          .momentum = recipe->momentum,
                          .beta1 = recipe->beta1,
                          .beta2 = recipe->beta2,
                          .epsilon = recipe->epsilon,
                          .weight_decay = recipe->weight_decay};
}

static struct schedule make_schedule(const struct recipe *recipe)
{
    return (struct schedule){.kind = (enum schedule_kind)recipe->schedule,
                             .rate = recipe->rate,
                             .warmup = recipe->warmup,
                             .final = recipe->final_rate,
                             .decay = recipe->rate_decay,
                             .decay_from = (size_t)recipe->decay_from,
                             .decay_every = (size_t)recipe->decay_every};
}

int trainer_run(const struct recipe *recipe, const struct trainer_task *task,
                const char *checkpoint, const struct trainer_watch *watch,
                struct trainer_progress *final, struct err *err)
{
    struct trainer trainer = {
        .recipe = recipe,
        .task = task,
        .watch = watch,
        .checkpoint = checkpoint,
        .threads = (size_t)recipe->threads,
        .vectors = {.parameters = task->parameters,
                    .carried = task->carried,
                    .carried_count = task->carried_count},
        .optim = make_optim(recipe),
        .schedule = make_schedule(recipe),
        .progress_before = -1,
    };
    mat_use_one_thread();
    int status = allocate(&trainer, err);
    if (status == 0)
        status = begin(&trainer, err);
    if (status == 0) {
        trainer.seconds_before = trainer.state.seconds;
        trainer.started_ns = trainer.checkpoint_ns = trainer.window_ns = clock_ns();
        status = run(&trainer, err);
    }
    if (status == 0)
        describe(&trainer, final);
    release(&trainer);
    return status;
}
