/*
 * A task whose answer is known: fitting a line to points by least squares, with noise drawn from
 * the share's generator, so that a run that resumes with other random numbers, another batch or
 * another moment ends at other weights. It notes the weights that each update begins with.
 */
#ifndef DRAGOMAN_TESTS_TRAINER_FIXTURE_H
#define DRAGOMAN_TESTS_TRAINER_FIXTURE_H

#include <math.h>
#include <string.h>

#include "train/checkpoint.h"
#include "train/trainer.h"
#include "unit.h"

#define EXAMPLES 60
#define SLOPE 3.0f
#define OFFSET -1.0f
#define MAX_UPDATES 2000

struct line_task {
    struct batch_key keys[EXAMPLES];
    double noise;
    real before[MAX_UPDATES + 1][2]; /* weights before update i + 1 */
    double rates[MAX_UPDATES + 1];   /* of update i + 1 */
    size_t updates;                  /* of the last report */
    size_t stop_after;               /* updates; 0: never */
    real best[2], scored[2];         /* what was saved and what was scored last */
    size_t saves, evaluations;
    size_t scored_after[MAX_UPDATES]; /* updates, of each evaluation */
    bool scores_fall, scores_rise;    /* each is worse, or higher, than the one before */
    bool lower_is_better;
    double best_score; /* as reported last */
    size_t poison_at;  /* the update whose gradient or loss, or 0 for none */
    double poison;     /* gets this added */
    int poisoned;      /* entry of the gradient; 2: the loss */
};

static double line_units(void *context, uint32_t example)
{
    (void)context;
    (void)example;
    return 1;
}

static void line_init(void *context, real *weights, struct rng *rng)
{
    (void)context;
    weights[0] = (real)rng_uniform(rng);
    weights[1] = (real)rng_uniform(rng);
}

static int line_learn(void *context, struct trainer_share *share)
{
    struct line_task *line = context;
    if (share->thread == 0)
        memcpy(line->before[line->updates], share->weights, 2 * sizeof(real));
    for (size_t i = 0; i < share->count; i++) {
        const real x = (real)share->examples[i] / EXAMPLES;
        const real noise = (real)(line->noise * rng_normal(&share->rng));
        const real error = share->weights[0] * x + share->weights[1] - (SLOPE * x + OFFSET) + noise;
        share->gradient[0] += (real)share->scale * 2 * error * x;
        share->gradient[1] += (real)share->scale * 2 * error;
        share->sums.loss += (double)(error * error);
    }
    if (line->poison_at == line->updates + 1 && line->poisoned < 2)
        share->gradient[line->poisoned] += (real)line->poison;
    else if (line->poison_at == line->updates + 1)
        share->sums.loss += line->poison;
    return 0;
}

static struct parameter line_tensor(void *context, size_t *offset)
{
    const struct parameter parameters[] = {{.name = "slope"}, {.name = "offset"}};
    const struct parameter parameter = parameters[*offset];
    (void)context;
    *offset = 0;
    return parameter;
}

static int line_evaluate(void *context, real *weights, struct pool *pool,
                         struct trainer_score *score, struct err *err)
{
    struct line_task *line = context;
    (void)pool;
    (void)err;
    memcpy(line->scored, weights, sizeof line->scored);
    line->scored_after[line->evaluations++] = line->updates;
    score->value = 100.0 - fabs((double)(weights[0] - SLOPE));
    if (line->scores_fall)
        score->value = 1000.0 - (double)line->evaluations;
    if (line->scores_rise)
        score->value = (double)line->evaluations;
    return 0;
}

static int line_save(void *context, real *weights, const struct trainer_score *score,
                     struct err *err)
{
    struct line_task *line = context;
    (void)score;
    (void)err;
    memcpy(line->best, weights, sizeof line->best);
    line->saves++;
    return 0;
}

static bool line_report(void *context, const struct trainer_progress *progress)
{
    struct line_task *line = context;
    if (!progress->scored)
        line->rates[progress->update - 1] = progress->rate;
    line->updates = progress->update;
    line->best_score = progress->best_score;
    return line->stop_after == 0 || progress->update < line->stop_after;
}

/* Nine updates an epoch. */
static struct recipe make_recipe(int threads)
{
    return (struct recipe){.epochs = 6,
                           .batch_tokens = 7,
                           .accumulate = 1,
                           .threads = threads,
                           .seed = 5,
                           .optimiser = OPTIM_ADAM,
                           .schedule = SCHEDULE_LINEAR,
                           .rate = 0.1,
                           .warmup = 0.1,
                           .final_rate = 0.01,
                           .rate_decay = 0.5,
                           .decay_from = 20,
                           .decay_every = 1,
                           .momentum = 0.9,
                           .beta1 = 0.9,
                           .beta2 = 0.99,
                           .epsilon = 1e-8,
                           .clip = 1,
                           .average = 1,
                           .checkpoint_minutes = 1000};
}

static char checkpoint[4200]; /* the path of the checkpoint, in a scratch folder */

static int make_folder(void **state)
{
    const int status = scratch_make(state);
    snprintf(checkpoint, sizeof checkpoint, "%s/checkpoint", (const char *)*state);
    return status;
}

/* line->updates must be what the checkpoint holds where the recipe resumes. */
static int run(struct line_task *line, const struct recipe *recipe, struct err *err)
{
    for (size_t i = 0; i < EXAMPLES; i++)
        line->keys[i] = (struct batch_key){.order = 0, .tokens = 1};
    const struct trainer_task task = {.context = line,
                                      .parameters = 2,
                                      .keys = line->keys,
                                      .examples = EXAMPLES,
                                      .unit = "points",
                                      .score_name = "fit",
                                      .lower_is_better = line->lower_is_better,
                                      .units = line_units,
                                      .init = line_init,
                                      .learn = line_learn,
                                      .tensor = line_tensor,
                                      .evaluate = line_evaluate,
                                      .save = line_save};
    const struct trainer_watch watch = {line, line_report};
    struct trainer_progress final;
    return trainer_run(recipe, &task, checkpoint, &watch, &final, err);
}

static void load(real weights[2], struct checkpoint_progress *progress)
{
    const struct checkpoint_vectors vectors = {.parameters = 2, .weights = weights};
    struct err err = ERR_INIT;
    assert_fine(checkpoint_load(checkpoint, 0, &vectors, progress, &err), err);
}

#endif
