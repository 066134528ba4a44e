#include "train/trainer.h"

#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "base/file.h"
#include "nn/mat.h"
#include "nn/optim.h"
#include "train/checkpoint.h"
#include "train/schedule.h"

#define ARENA_BLOCK (64u << 20)
#define LOSS_DECAY 0.99 /* of the running mean that is shown */
#define WINDOW 100      /* updates over which the speed is measured */
#define STREAM_INIT 1   /* random streams: first weights; updates use STREAM_UPDATE and up */
#define STREAM_UPDATE 16

struct trainer {
    const struct recipe *recipe;
    const struct trainer_task *task;
    const struct trainer_watch *watch;
    const char *checkpoint;
    struct pool *pool;
    size_t threads, parameters;
    real *weights, *first, *second;
    struct trainer_share *shares; /* [threads]; each gradient is [parameters] */
    double *norms;                /* [threads]: square sum of each slice of the gradient */
    uint32_t *dealt;              /* the batch's examples, share after share */
    struct batch_plan plan;
    struct checkpoint_progress state;
    struct adam adam;
    double scale; /* of the gradient in the update under way */
    double gradient_norm;
    int64_t started_ns, checkpoint_ns, window_ns;
    double seconds_before, window_units, units_per_second;
    double progress_before; /* when this process began; below 0: not known yet */
    bool stopped;
};

/* The slice of the flat vectors that one thread sums and updates. */
static size_t slice_begin(const struct trainer *trainer, size_t thread)
{
    return trainer->parameters * thread / trainer->threads;
}

static void run_learn(void *context, int index)
{
    struct trainer *trainer = context;
    struct trainer_share *share = &trainer->shares[index];
    arena_reset(&share->arena);
    if (share->count > 0)
        trainer->task->learn(trainer->task->context, share);
}

/* Sums the threads' gradients, in the order of threads, into the first one's. */
static void run_sum(void *context, int index)
{
    struct trainer *trainer = context;
    const size_t begin = slice_begin(trainer, (size_t)index);
    const size_t count = slice_begin(trainer, (size_t)index + 1) - begin;
    real *sum = trainer->shares[0].gradient + begin;
    for (size_t t = 1; t < trainer->threads; t++) {
        mat_add_scaled(count, 1, trainer->shares[t].gradient + begin, sum);
        memset(trainer->shares[t].gradient + begin, 0, count * sizeof(real));
    }
    trainer->norms[index] = mat_square_sum(count, sum);
}

static void run_update(void *context, int index)
{
    struct trainer *trainer = context;
    const size_t begin = slice_begin(trainer, (size_t)index);
    const size_t count = slice_begin(trainer, (size_t)index + 1) - begin;
    real *gradient = trainer->shares[0].gradient + begin;
    adam_update(&trainer->adam, trainer->state.update, count, (real)trainer->scale, gradient,
                trainer->first + begin, trainer->second + begin, trainer->weights + begin);
    memset(gradient, 0, count * sizeof(real));
}

/* Deals a batch out like cards, so that shares are alike in length; returns its units. */
static double deal(struct trainer *trainer, const uint32_t *examples, size_t count)
{
    const struct trainer_task *task = trainer->task;
    double units = 0;
    size_t to = 0;
    for (size_t i = 0; i < count; i++)
        units += task->units(task->context, examples[i]);
    for (size_t t = 0; t < trainer->threads; t++) {
        struct trainer_share *share = &trainer->shares[t];
        share->examples = trainer->dealt + to;
        for (size_t i = t; i < count; i += trainer->threads)
            trainer->dealt[to++] = examples[i];
        share->count = (size_t)(trainer->dealt + to - share->examples);
        share->scale = 1 / units;
        share->sums = (struct trainer_sums){0};
        rng_seed(&share->rng, (uint64_t)trainer->recipe->seed,
                 STREAM_UPDATE + trainer->state.update * trainer->threads + t);
    }
    return units;
}

static double run_progress(const struct trainer *trainer)
{
    const double done =
        (double)trainer->state.epoch + (double)trainer->state.batch / (double)trainer->plan.batches;
    return done / (double)trainer->recipe->epochs;
}

/* One update from the batch at state.batch. */
static int update(struct trainer *trainer, double *units, struct err *err)
{
    const struct recipe *recipe = trainer->recipe;
    const size_t *begins = trainer->plan.begins + trainer->state.batch;
    const struct schedule schedule = {recipe->rate, recipe->warmup, recipe->final_rate};
    *units = deal(trainer, trainer->plan.examples + begins[0], begins[1] - begins[0]);
    pool_run(trainer->pool, run_learn, trainer);
    double loss = 0, square_sum = 0;
    for (size_t t = 0; t < trainer->threads; t++) {
        if (trainer->shares[t].err.code)
            return err_set(err, trainer->shares[t].err.code, "%s", trainer->shares[t].err.message);
        loss += trainer->shares[t].sums.loss;
    }
    pool_run(trainer->pool, run_sum, trainer);
    for (size_t t = 0; t < trainer->threads; t++)
        square_sum += trainer->norms[t];
    if (!isfinite(square_sum) || !isfinite(loss))
        return err_set(err, ERR_INTERNAL,
                       "update %zu: the loss or its gradient is not finite; a lower --rate or "
                       "--clip may help",
                       trainer->state.update + 1);
    trainer->gradient_norm = sqrt(square_sum);
    trainer->scale = clip_scale(trainer->gradient_norm, recipe->clip);
    trainer->adam.rate = schedule_rate(&schedule, run_progress(trainer));
    trainer->state.update++;
    pool_run(trainer->pool, run_update, trainer);
    const double mean = loss / *units;
    trainer->state.running_loss =
        trainer->state.update == 1
            ? mean
            : LOSS_DECAY * trainer->state.running_loss + (1 - LOSS_DECAY) * mean;
    return 0;
}

static double seconds_now(const struct trainer *trainer)
{
    return trainer->seconds_before + (double)(clock_ns() - trainer->started_ns) * 1e-9;
}

static void describe(const struct trainer *trainer, struct trainer_progress *progress)
{
    const double share = run_progress(trainer);
    const double gained = share - trainer->progress_before;
    const double spent = (double)(clock_ns() - trainer->started_ns) * 1e-9;
    *progress = (struct trainer_progress){
        .update = trainer->state.update,
        .epoch = trainer->state.epoch,
        .batch = trainer->state.batch,
        .batches = trainer->plan.batches,
        .progress = share,
        .loss = trainer->state.running_loss,
        .gradient_norm = trainer->gradient_norm,
        .units_per_second = trainer->units_per_second,
        .rate = trainer->adam.rate,
        .seconds_left = gained > 0 ? spent / gained * (1 - share) : 0,
        .seconds = seconds_now(trainer),
        .best_score = trainer->state.best_score,
    };
}

static int save_checkpoint(struct trainer *trainer, struct err *err)
{
    trainer->state.seconds = seconds_now(trainer);
    trainer->checkpoint_ns = clock_ns();
    return checkpoint_save(trainer->checkpoint, trainer->parameters, trainer->weights,
                           trainer->first, trainer->second, &trainer->state, err);
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

static int run_epoch(struct trainer *trainer, struct err *err)
{
    const double interval = trainer->recipe->checkpoint_minutes * 60e9;
    while (trainer->state.batch < trainer->plan.batches && !trainer->stopped) {
        double units;
        struct trainer_progress progress;
        if (update(trainer, &units, err))
            return err->code;
        trainer->state.batch++;
        measure_speed(trainer, units);
        describe(trainer, &progress);
        trainer->stopped =
            !trainer->watch->report(trainer->watch->context, &progress) || out_of_time(trainer);
        if (!trainer->stopped && (double)(clock_ns() - trainer->checkpoint_ns) > interval &&
            save_checkpoint(trainer, err))
            return err->code;
    }
    return 0;
}

/* Scores the model and, where it is the best so far, saves it. */
static int score(struct trainer *trainer, struct err *err)
{
    const struct trainer_task *task = trainer->task;
    double value;
    struct trainer_progress progress;
    if (task->evaluate(task->context, trainer->weights, trainer->pool, &value, err))
        return err->code;
    value = (double)(float)value; /* as exact as a checkpoint keeps it: a tie must stay a tie */
    const bool best = value > trainer->state.best_score;
    trainer->state.stale = best ? 0 : trainer->state.stale + 1;
    if (best) {
        trainer->state.best_score = value;
        if (task->save(task->context, trainer->weights, value, err))
            return err->code;
    }
    describe(trainer, &progress);
    progress.scored = true;
    progress.best = progress.saved = best;
    progress.score = value;
    if (!trainer->watch->report(trainer->watch->context, &progress))
        trainer->stopped = true;
    trainer->window_units = 0;
    trainer->window_ns = clock_ns();
    return 0;
}

static bool out_of_patience(const struct trainer *trainer)
{
    return trainer->recipe->patience > 0 &&
           trainer->state.stale >= (size_t)trainer->recipe->patience;
}

/* All epochs that are left. A run that is stopped in the middle of one is not scored. */
static int run_epochs(struct trainer *trainer, struct err *err)
{
    const struct recipe *recipe = trainer->recipe;
    while (trainer->state.epoch < (size_t)recipe->epochs && !trainer->stopped &&
           !out_of_patience(trainer)) {
        batch_plan_release(&trainer->plan);
        if (batch_plan_make(&trainer->plan, trainer->task->keys, trainer->task->examples,
                            (size_t)recipe->batch_tokens, (uint64_t)recipe->seed,
                            trainer->state.epoch, err))
            return err->code;
        if (trainer->progress_before < 0)
            trainer->progress_before = run_progress(trainer);
        if (run_epoch(trainer, err))
            return err->code;
        if (trainer->state.batch < trainer->plan.batches)
            break;
        trainer->state.epoch++;
        trainer->state.batch = 0;
        if (score(trainer, err) || save_checkpoint(trainer, err))
            return err->code;
    }
    return trainer->stopped ? save_checkpoint(trainer, err) : 0;
}

static int allocate_shares(struct trainer *trainer, struct err *err)
{
    trainer->shares = mem_alloc(trainer->threads, sizeof *trainer->shares, err);
    trainer->norms = mem_alloc(trainer->threads, sizeof *trainer->norms, err);
    if (!trainer->shares || !trainer->norms)
        return ERR_MEMORY;
    for (size_t t = 0; t < trainer->threads; t++) {
        struct trainer_share *share = &trainer->shares[t];
        share->thread = (int)t;
        share->weights = trainer->weights;
        arena_init(&share->arena, ARENA_BLOCK);
        share->gradient = mem_alloc(trainer->parameters, sizeof(real), err);
        if (!share->gradient)
            return ERR_MEMORY;
    }
    return 0;
}

static int load_checkpoint(struct trainer *trainer, struct err *err)
{
    if (checkpoint_load(trainer->checkpoint, trainer->parameters, trainer->weights, trainer->first,
                        trainer->second, &trainer->state, err))
        return err->code;
    if (trainer->state.origin != trainer->task->origin)
        return err_set(err, ERR_FORMAT,
                       "%s: cannot go on from it: the data, the vocabulary, the architecture, "
                       "batch-tokens, max-tokens or seed have changed since",
                       trainer->checkpoint);
    return 0;
}

static int prepare(struct trainer *trainer, struct err *err)
{
    const size_t n = trainer->parameters;
    trainer->weights = mem_alloc(n, sizeof(real), err);
    trainer->first = mem_alloc(n, sizeof(real), err);
    trainer->second = mem_alloc(n, sizeof(real), err);
    trainer->dealt = mem_alloc(trainer->task->examples, sizeof *trainer->dealt, err);
    trainer->pool = pool_new((int)trainer->threads, err);
    if (!trainer->weights || !trainer->first || !trainer->second || !trainer->dealt ||
        !trainer->pool)
        return ERR_MEMORY;
    if (allocate_shares(trainer, err))
        return ERR_MEMORY;
    if (trainer->recipe->resume)
        return load_checkpoint(trainer, err);
    trainer->state.origin = trainer->task->origin;
    struct rng rng;
    rng_seed(&rng, (uint64_t)trainer->recipe->seed, STREAM_INIT);
    trainer->task->init(trainer->task->context, trainer->weights, &rng);
    return 0;
}

static void release(struct trainer *trainer)
{
    batch_plan_release(&trainer->plan);
    for (size_t t = 0; trainer->shares && t < trainer->threads; t++) {
        arena_release(&trainer->shares[t].arena);
        mem_free(trainer->shares[t].gradient);
    }
    mem_free(trainer->shares);
    mem_free(trainer->norms);
    pool_free(trainer->pool);
    mem_free(trainer->dealt);
    mem_free(trainer->second);
    mem_free(trainer->first);
    mem_free(trainer->weights);
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
        .parameters = task->parameters,
        .state = {.best_score = -1},
        .adam = {.beta1 = recipe->beta1,
                 .beta2 = recipe->beta2,
                 .epsilon = recipe->epsilon,
                 .weight_decay = recipe->weight_decay},
        .progress_before = -1,
    };
    mat_use_one_thread();
    int status = prepare(&trainer, err);
    if (status == 0) {
        trainer.seconds_before = trainer.state.seconds;
        trainer.started_ns = trainer.checkpoint_ns = trainer.window_ns = clock_ns();
        status = run_epochs(&trainer, err);
    }
    if (status == 0 && trainer.plan.batches > 0)
        describe(&trainer, final);
    release(&trainer);
    return status;
}
