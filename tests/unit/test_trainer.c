/*
 * The training loop on a task whose answer is known: fitting a line to points by least squares,
 * with noise drawn from the share's generator, so that a run that resumes with other random
 * numbers, another batch or another moment ends at other weights.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "train/checkpoint.h"
#include "train/trainer.h"
#include "unit.h"

#define EXAMPLES 60
#define SLOPE 3.0f
#define OFFSET -1.0f

struct line_task {
    struct batch_key keys[EXAMPLES];
    real best[2]; /* what was saved last */
    size_t saves, stop_after, updates;
    double poison;    /* added to the loss */
    bool scores_fall; /* every score is worse than the one before */
    size_t evaluations;
};

static double units(void *context, uint32_t example)
{
    (void)context;
    (void)example;
    return 1;
}

static void init(void *context, real *weights, struct rng *rng)
{
    (void)context;
    weights[0] = (real)rng_uniform(rng);
    weights[1] = (real)rng_uniform(rng);
}

static int learn(void *context, struct trainer_share *share)
{
    const struct line_task *line = context;
    for (size_t i = 0; i < share->count; i++) {
        const real x = (real)share->examples[i] / EXAMPLES;
        const real noise = (real)(0.01 * rng_normal(&share->rng));
        const real error = share->weights[0] * x + share->weights[1] - (SLOPE * x + OFFSET) + noise;
        share->gradient[0] += (real)share->scale * 2 * error * x;
        share->gradient[1] += (real)share->scale * 2 * error;
        share->sums.loss += (double)(error * error) + line->poison;
    }
    return 0;
}

static int evaluate(void *context, real *weights, struct pool *pool, double *score, struct err *err)
{
    struct line_task *line = context;
    (void)pool;
    (void)err;
    line->evaluations++;
    *score = line->scores_fall ? 100.0 - (double)line->evaluations
                               : 100.0 - fabs((double)(weights[0] - SLOPE));
    return 0;
}

static int save(void *context, real *weights, double score, struct err *err)
{
    struct line_task *line = context;
    (void)score;
    (void)err;
    memcpy(line->best, weights, sizeof line->best);
    line->saves++;
    return 0;
}

static bool report(void *context, const struct trainer_progress *progress)
{
    struct line_task *line = context;
    line->updates = progress->update;
    return line->stop_after == 0 || progress->update < line->stop_after;
}

static struct recipe make_recipe(int threads)
{
    return (struct recipe){.epochs = 40,
                           .batch_tokens = 7,
                           .threads = threads,
                           .seed = 5,
                           .rate = 0.1,
                           .warmup = 0.1,
                           .final_rate = 0.01,
                           .beta1 = 0.9,
                           .beta2 = 0.99,
                           .epsilon = 1e-8,
                           .clip = 1,
                           .checkpoint_minutes = 1000};
}

static char checkpoint[4200]; /* the path of the checkpoint, in a scratch folder */

static int make_folder(void **state)
{
    const int status = scratch_make(state);
    snprintf(checkpoint, sizeof checkpoint, "%s/checkpoint", (const char *)*state);
    return status;
}

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
                                      .units = units,
                                      .init = init,
                                      .learn = learn,
                                      .evaluate = evaluate,
                                      .save = save};
    const struct trainer_watch watch = {line, report};
    struct trainer_progress final;
    return trainer_run(recipe, &task, checkpoint, &watch, &final, err);
}

static void load(real weights[2], struct checkpoint_progress *progress)
{
    real first[2], second[2];
    struct err err = ERR_INIT;
    assert_int_equal(checkpoint_load(checkpoint, 2, weights, first, second, progress, &err), 0);
}

static void finds_the_line(void **state)
{
    (void)state;
    struct line_task line = {.saves = 0};
    const struct recipe recipe = make_recipe(1);
    struct err err = ERR_INIT;
    assert_int_equal(run(&line, &recipe, &err), 0);
    assert_true(fabs((double)(line.best[0] - SLOPE)) < 0.05);
    assert_true(fabs((double)(line.best[1] - OFFSET)) < 0.05);
    assert_true(line.saves > 1);
    assert_int_equal(line.updates, 40 * 9); /* 60 points in batches of 7 */
}

/* Stopped in the middle of an epoch, at its end and twice; with one thread and with three. */
static void a_resumed_run_ends_at_the_same_bits(void **state)
{
    (void)state;
    const size_t stops[] = {1, 100, 9 * 10, 359};
    for (int threads = 1; threads <= 3; threads += 2) {
        struct recipe recipe = make_recipe(threads);
        struct line_task unbroken = {.saves = 0};
        struct checkpoint_progress progress;
        real whole[2], resumed[2];
        struct err err = ERR_INIT;
        assert_int_equal(run(&unbroken, &recipe, &err), 0);
        load(whole, &progress);
        for (size_t i = 0; i < sizeof stops / sizeof *stops; i++) {
            struct line_task line = {.stop_after = stops[i]};
            recipe.resume = false;
            assert_int_equal(run(&line, &recipe, &err), 0);
            assert_int_equal(line.updates, stops[i]);
            recipe.resume = true;
            line.stop_after = stops[i] + 50;
            assert_int_equal(run(&line, &recipe, &err), 0);
            line.stop_after = 0;
            assert_int_equal(run(&line, &recipe, &err), 0);
            load(resumed, &progress);
            assert_memory_equal(resumed, whole, sizeof whole);
            assert_int_equal(progress.update, 360);
        }
    }
}

static void the_same_seed_gives_the_same_weights(void **state)
{
    (void)state;
    struct recipe recipe = make_recipe(2);
    struct line_task a = {.saves = 0}, b = {.saves = 0}, other = {.saves = 0};
    struct err err = ERR_INIT;
    assert_int_equal(run(&a, &recipe, &err), 0);
    assert_int_equal(run(&b, &recipe, &err), 0);
    assert_memory_equal(a.best, b.best, sizeof a.best);
    recipe.seed = 6;
    assert_int_equal(run(&other, &recipe, &err), 0);
    assert_memory_not_equal(a.best, other.best, sizeof a.best);
}

static void patience_ends_a_run(void **state)
{
    (void)state;
    struct recipe recipe = make_recipe(1);
    struct line_task line = {.scores_fall = true};
    struct err err = ERR_INIT;
    recipe.patience = 3;
    assert_int_equal(run(&line, &recipe, &err), 0);
    assert_int_equal(line.evaluations, 4);
    assert_int_equal(line.saves, 1);
}

static void a_loss_that_is_not_finite_is_an_error(void **state)
{
    (void)state;
    const struct recipe recipe = make_recipe(1);
    struct line_task line = {.poison = INFINITY};
    struct err err = ERR_INIT;
    assert_int_equal(run(&line, &recipe, &err), ERR_INTERNAL);
    assert_non_null(strstr(err.message, "not finite"));
    assert_int_equal(line.saves, 0);
}

static void a_checkpoint_of_another_network_is_refused(void **state)
{
    (void)state;
    const real weights[3] = {1, 2, 3};
    const struct checkpoint_progress progress = {.update = 1};
    struct recipe recipe = make_recipe(1);
    struct line_task line = {.saves = 0};
    struct err err = ERR_INIT;
    assert_int_equal(checkpoint_save(checkpoint, 3, weights, weights, weights, &progress, &err), 0);
    recipe.resume = true;
    assert_int_equal(run(&line, &recipe, &err), ERR_FORMAT);
    assert_non_null(strstr(err.message, "weights"));
}

static void a_checkpoint_of_another_origin_is_refused(void **state)
{
    (void)state;
    const real weights[2] = {1, 2};
    const struct checkpoint_progress progress = {.update = 1,
                                                 .origin = UINT64_C(0xFEDCBA9876543210)};
    struct checkpoint_progress loaded;
    struct recipe recipe = make_recipe(1);
    struct line_task line = {.saves = 0};
    real found[2];
    struct err err = ERR_INIT;
    assert_int_equal(checkpoint_save(checkpoint, 2, weights, weights, weights, &progress, &err), 0);
    load(found, &loaded);
    assert_true(loaded.origin == progress.origin);
    recipe.resume = true;
    assert_int_equal(run(&line, &recipe, &err), ERR_FORMAT);
    assert_non_null(strstr(err.message, "changed"));
}

static void resuming_without_a_checkpoint_is_an_error(void **state)
{
    (void)state;
    struct recipe recipe = make_recipe(1);
    struct line_task line = {.saves = 0};
    struct err err = ERR_INIT;
    recipe.resume = true;
    assert_int_equal(unlink(checkpoint), 0);
    assert_int_equal(run(&line, &recipe, &err), ERR_NOT_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_the_line),
        cmocka_unit_test(a_resumed_run_ends_at_the_same_bits),
        cmocka_unit_test(the_same_seed_gives_the_same_weights),
        cmocka_unit_test(patience_ends_a_run),
        cmocka_unit_test(a_loss_that_is_not_finite_is_an_error),
        cmocka_unit_test(a_checkpoint_of_another_network_is_refused),
        cmocka_unit_test(a_checkpoint_of_another_origin_is_refused),
        cmocka_unit_test(resuming_without_a_checkpoint_is_an_error),
    };
    return cmocka_run_group_tests(tests, make_folder, scratch_remove);
}
