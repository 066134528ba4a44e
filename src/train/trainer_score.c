/*
 * Scoring. What is scored, and saved where it is the best, is the exponential average of the
 * weights where the recipe asks for one, and the mean over the last evaluations where it asks for
 * several. Their weights stand beside the checkpoint, in evaluation-0.safetensors and so on, the
 * newest in the place of the oldest. A checkpoint is saved after each evaluation, so at most one of
 * them is newer than the checkpoint: the one that a resumed run writes again before it reads any.
 */
#include <math.h>
#include <string.h>

#include "base/buf.h"
#include "train/trainer_parts.h"

/* "DIR.training/evaluation-2.safetensors" */
static int evaluation_path(const struct trainer *trainer, uint64_t place, struct buf *path,
                           struct err *err)
{
    const char *slash = strrchr(trainer->checkpoint, '/');
    const size_t folder = slash ? (size_t)(slash + 1 - trainer->checkpoint) : 0;
    path->len = 0;
    if (buf_append(path, trainer->checkpoint, folder, err))
        return err->code;
    return buf_printf(path, err, "evaluation-%llu.safetensors", (unsigned long long)place);
}

/* Puts `weights` beside those of the evaluations before, and the mean of all into trainer->mean. */
static int average_evaluations(struct trainer *trainer, const real *weights, struct err *err)
{
    const uint64_t places = (uint64_t)trainer->recipe->average;
    const uint64_t done = trainer->state.evaluations + 1;
    const uint64_t count = done < places ? done : places;
    const size_t parameters = trainer->vectors.parameters;
    struct buf path = BUF_INIT;
    int status = evaluation_path(trainer, (done - 1) % places, &path, err);
    if (status == 0)
        status = checkpoint_save_weights(path.data, parameters, weights, err);
    memset(trainer->mean, 0, parameters * sizeof *trainer->mean);
    for (uint64_t i = 0; status == 0 && i < count; i++) {
        status = evaluation_path(trainer, i, &path, err);
        if (status == 0)
            status = checkpoint_add_weights(path.data, parameters, trainer->mean, err);
    }
    for (size_t i = 0; i < parameters; i++)
        trainer->mean[i] /= (real)count;
    buf_release(&path);
    return status;
}

static int choose_weights(struct trainer *trainer, real **weights, struct err *err)
{
    *weights = trainer->vectors.average ? trainer->vectors.average : trainer->vectors.weights;
    if (!trainer->mean)
        return 0;
    if (average_evaluations(trainer, *weights, err))
        return err->code;
    *weights = trainer->mean;
    return 0;
}

static bool is_best(const struct trainer *trainer, double value)
{
    const double best = trainer->state.best_score;
    if (best < 0)
        return true;
    return trainer->task->lower_is_better ? value < best : value > best;
}

/* Counts towards patience and plateaus. */
static void count(struct trainer *trainer, bool best)
{
    struct checkpoint_progress *state = &trainer->state;
    state->evaluations++;
    state->evaluated = state->update;
    state->stale = best ? 0 : state->stale + 1;
    state->flat = best ? 0 : state->flat + 1;
    if (state->flat >= (uint64_t)trainer->recipe->decay_every) {
        state->plateaus++;
        state->flat = 0;
    }
}

int trainer_score(struct trainer *trainer, struct trainer_progress *progress, struct err *err)
{
    const struct trainer_task *task = trainer->task;
    struct trainer_score score = {0};
    real *weights;
    if (choose_weights(trainer, &weights, err) ||
        task->evaluate(task->context, weights, trainer->pool, &score, err))
        return err->code;
    if (!isfinite(score.value) || isnan(score.perplexity))
        return err_set(err, ERR_INTERNAL,
                       "after update %llu: the %s of the development data is not finite; a lower "
                       "--rate or --clip may help",
                       (unsigned long long)trainer->state.update,
                       isfinite(score.value) ? "perplexity" : task->score_name);
    const bool best = is_best(trainer, score.value);
    if (best && task->save(task->context, weights, &score, err))
        return err->code;
    if (best)
        trainer->state.best_score = score.value;
    count(trainer, best);
    progress->scored = true;
    progress->best = progress->saved = best;
    progress->score = score.value;
    progress->best_score = trainer->state.best_score;
    progress->perplexity = score.perplexity;
    progress->bits_per_character = score.bits_per_character;
    return 0;
}
