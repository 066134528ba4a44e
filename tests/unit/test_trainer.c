/* The training loop: it learns, resumes to the same bits, and ends as it should. */
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "nn/optim.h"
#include "train/schedule.h"
#include "trainer_fixture.h"

static void finds_the_line(void **state)
{
    (void)state;
    struct line_task line = {.noise = 0.01};
    struct recipe recipe = make_recipe(1);
    struct err err = ERR_INIT;
    recipe.epochs = 40;
    assert_fine(run(&line, &recipe, &err), err);
    assert_true(fabs((double)(line.best[0] - SLOPE)) < 0.05);
    assert_true(fabs((double)(line.best[1] - OFFSET)) < 0.05);
    assert_true(line.saves > 1);
    assert_int_equal(line.updates, 40 * 9); /* 60 points in batches of 7 */
    assert_int_equal(line.evaluations, 40);
}

/* Recipes that together have every optimiser, schedule, average and way to evaluate. */
static size_t all_recipes(int threads, struct recipe recipes[8])
{
    for (size_t i = 0; i < 8; i++)
        recipes[i] = make_recipe(threads);
    recipes[1].optimiser = OPTIM_SGD;
    recipes[1].schedule = SCHEDULE_STEP;
    recipes[1].accumulate = 4;
    recipes[2].optimiser = OPTIM_ADAGRAD;
    recipes[2].schedule = SCHEDULE_PLATEAU;
    recipes[2].warmup = 0;
    recipes[2].evaluate_every = 7;
    recipes[3].optimiser = OPTIM_RMSPROP;
    recipes[3].schedule = SCHEDULE_INVERSE_SQRT;
    recipes[3].average = 3;
    recipes[4].optimiser = OPTIM_ADAMW;
    recipes[4].weight_decay = 0.1;
    recipes[4].schedule = SCHEDULE_CONSTANT;
    recipes[4].warmup = 0;
    recipes[4].ema = 0.9;
    recipes[5].ema = 0.99;
    recipes[5].average = 4;
    recipes[5].evaluate_every = 11;
    recipes[5].accumulate = 2;
    recipes[6].momentum = 0;
    recipes[6].optimiser = OPTIM_SGD;
    recipes[6].clip_value = 0.1;
    recipes[6].evaluate_every = 4;
    recipes[7].checkpoint_minutes = 0; /* a checkpoint after each update */
    recipes[7].average = 2;
    recipes[7].evaluate_every = 2;
    return 8;
}

static void check_resumed(const struct recipe *recipe, size_t stop, const struct line_task *whole,
                          const real weights[2], const struct checkpoint_progress *end)
{
    struct recipe again = *recipe;
    struct line_task line = {.noise = 0.01, .stop_after = stop};
    struct checkpoint_progress progress;
    struct err err = ERR_INIT;
    real resumed[2];
    assert_fine(run(&line, &again, &err), err);
    assert_int_equal(line.updates, stop);
    again.resume = true;
    line.stop_after = stop + 2;
    assert_fine(run(&line, &again, &err), err);
    line.stop_after = 0;
    assert_fine(run(&line, &again, &err), err);
    load(resumed, &progress);
    assert_memory_equal(resumed, weights, sizeof resumed);
    assert_memory_equal(line.best, whole->best, sizeof line.best);
    assert_memory_equal(line.scored, whole->scored, sizeof line.scored);
    assert_int_equal(line.evaluations, whole->evaluations);
    progress.seconds = end->seconds; /* all else is the same to the bit */
    assert_memory_equal(&progress, end, sizeof progress);
}

/* Stopped in the middle of an epoch, at its end and twice; with one thread and with three. */
static void a_resumed_run_ends_at_the_same_bits(void **state)
{
    (void)state;
    const size_t stops[] = {1, 9, 13};
    for (int threads = 1; threads <= 3; threads += 2) {
        struct recipe recipes[8];
        const size_t count = all_recipes(threads, recipes);
        for (size_t r = 0; r < count; r++) {
            struct line_task whole = {.noise = 0.01};
            struct checkpoint_progress end;
            real weights[2];
            struct err err = ERR_INIT;
            assert_fine(run(&whole, &recipes[r], &err), err);
            load(weights, &end);
            for (size_t i = threads > 1; i < sizeof stops / sizeof *stops; i++)
                check_resumed(&recipes[r], stops[i], &whole, weights, &end);
        }
    }
}

/* What a kill leaves: a checkpoint from before an evaluation whose weights are on disk already. */
static void a_run_killed_after_an_evaluation_repeats_it(void **state)
{
    (void)state;
    struct recipe recipe = make_recipe(1);
    struct line_task whole = {.noise = 0.01}, line = {.noise = 0.01, .stop_after = 31};
    struct err err = ERR_INIT;
    struct buf kept = BUF_INIT;
    recipe.average = 3;
    assert_fine(run(&whole, &recipe, &err), err);
    assert_fine(run(&line, &recipe, &err), err);
    assert_fine(file_read(checkpoint, 1 << 20, &kept, &err), err);
    recipe.resume = true;
    line.stop_after = 37; /* one evaluation later */
    assert_fine(run(&line, &recipe, &err), err);
    FILE *stream = fopen(checkpoint, "w");
    assert_non_null(stream);
    assert_int_equal(fwrite(kept.data, 1, kept.len, stream), kept.len);
    assert_int_equal(fclose(stream), 0);
    line.updates = 31;
    line.stop_after = 0;
    assert_fine(run(&line, &recipe, &err), err);
    assert_memory_equal(line.scored, whole.scored, sizeof line.scored);
    assert_memory_equal(line.best, whole.best, sizeof line.best);
    buf_release(&kept);
}

static void the_same_seed_gives_the_same_weights(void **state)
{
    (void)state;
    struct recipe recipe = make_recipe(2);
    struct line_task a = {.noise = 0.01}, b = {.noise = 0.01}, other = {.noise = 0.01};
    struct err err = ERR_INIT;
    assert_fine(run(&a, &recipe, &err), err);
    assert_fine(run(&b, &recipe, &err), err);
    assert_memory_equal(a.best, b.best, sizeof a.best);
    recipe.seed = 6;
    assert_fine(run(&other, &recipe, &err), err);
    assert_memory_not_equal(a.best, other.best, sizeof a.best);
}

static void patience_ends_a_run(void **state)
{
    (void)state;
    struct recipe recipe = make_recipe(1);
    struct line_task line = {.scores_fall = true}, sooner = {.scores_fall = true};
    struct err err = ERR_INIT;
    recipe.patience = 3;
    assert_fine(run(&line, &recipe, &err), err);
    assert_int_equal(line.evaluations, 4);
    assert_int_equal(line.saves, 1);
    assert_int_equal(line.updates, 4 * 9);
    recipe.evaluate_every = 5;
    assert_fine(run(&sooner, &recipe, &err), err);
    assert_int_equal(sooner.evaluations, 4);
    assert_int_equal(sooner.updates, 20);
}

static void a_low_score_can_be_the_best(void **state)
{
    (void)state;
    const struct recipe recipe = make_recipe(1);
    struct line_task line = {.scores_rise = true, .lower_is_better = true};
    struct err err = ERR_INIT;
    assert_fine(run(&line, &recipe, &err), err);
    assert_int_equal(line.saves, 1);
    assert_true(line.best_score == 1);
}

static void evaluates_after_updates_and_at_the_end(void **state)
{
    (void)state;
    struct recipe recipe = make_recipe(1);
    struct line_task line = {.noise = 0.01};
    const size_t expected[] = {7, 14, 18};
    struct err err = ERR_INIT;
    recipe.epochs = 2;
    recipe.evaluate_every = 7;
    assert_fine(run(&line, &recipe, &err), err);
    assert_int_equal(line.evaluations, 3);
    assert_memory_equal(line.scored_after, expected, sizeof expected);
}

/* Poison in the fifth update: neither the checkpoint of the third nor the model suffers. */
static void what_is_not_finite_ends_the_run(void **state)
{
    static const struct {
        double poison;
        int poisoned;
        double clip_value;
        const char *message;
    } cases[] = {
        {INFINITY, 0, 0, "update 5: the gradient of tensor \"slope\" is not finite"},
        {-INFINITY, 1, 1, "update 5: the gradient of tensor \"offset\" is not finite"},
        {NAN, 1, 0, "update 5: the gradient of tensor \"offset\" is not finite"},
        {NAN, 2, 0, "update 5: the loss is not finite"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int threads = 1; threads <= 2; threads++) {
            struct recipe recipe = make_recipe(threads);
            struct line_task line = {
                .poison_at = 5, .poison = cases[i].poison, .poisoned = cases[i].poisoned};
            struct checkpoint_progress progress;
            real weights[2];
            struct err err = ERR_INIT;
            recipe.clip_value = cases[i].clip_value;
            recipe.evaluate_every = 3;
            assert_int_equal(run(&line, &recipe, &err), ERR_INTERNAL);
            assert_non_null(strstr(err.message, cases[i].message));
            assert_non_null(strstr(err.message, "checkpoint is kept"));
            assert_int_equal(line.saves, 1);
            load(weights, &progress);
            assert_int_equal(progress.update, 3);
            assert_memory_equal(weights, line.before[3], sizeof weights);
        }
}

static void weights_that_are_not_finite_end_the_run(void **state)
{
    (void)state;
    struct recipe recipe = make_recipe(1);
    struct line_task line = {.poison_at = 5, .poison = 1e38, .poisoned = 1};
    struct err err = ERR_INIT;
    recipe.optimiser = OPTIM_SGD;
    recipe.schedule = SCHEDULE_CONSTANT;
    recipe.warmup = recipe.clip = recipe.momentum = 0;
    recipe.rate = 50;
    assert_int_equal(run(&line, &recipe, &err), ERR_INTERNAL);
    assert_non_null(strstr(err.message, "update 5: the weight of tensor \"offset\""));
    assert_int_equal(line.saves, 0);
}

static void a_full_disk_keeps_the_old_checkpoint(void **state)
{
    (void)state;
    struct recipe recipe = make_recipe(1);
    struct line_task line = {.stop_after = 20};
    struct checkpoint_progress before, after;
    real weights[2];
    struct err err = ERR_INIT;
    assert_fine(run(&line, &recipe, &err), err);
    load(weights, &before);
    recipe.resume = true;
    line.stop_after = 25;

    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    const struct rlimit full = {.rlim_cur = 100, .rlim_max = limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &full), 0);
    const int code = run(&line, &recipe, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    signal(SIGXFSZ, handler);

    assert_int_equal(code, ERR_IO);
    assert_non_null(strstr(err.message, checkpoint));
    load(weights, &after);
    assert_memory_equal(&before, &after, sizeof before);
}

/* Each allocation of a run fails once; the run after that is as if nothing had been. */
static void memory_runs_out(void **state)
{
    (void)state;
    struct recipe recipe = make_recipe(2);
    struct line_task whole = {.noise = 0.01};
    struct err err = ERR_INIT;
    size_t failures = 0;
    recipe.epochs = 2;
    recipe.average = 2;
    recipe.ema = 0.9;
    assert_fine(run(&whole, &recipe, &err), err);
    for (long n = 1;; n++) {
        struct line_task line = {.noise = 0.01};
        err_clear(&err);
        mem_fail_at(n);
        const int code = run(&line, &recipe, &err);
        mem_fail_at(0);
        if (code == 0) {
            assert_memory_equal(line.scored, whole.scored, sizeof line.scored);
            break;
        }
        assert_int_equal(code, ERR_MEMORY);
        failures++;
    }
    assert_true(failures > 30);
}

static void a_checkpoint_keeps_every_bit(void **state)
{
    (void)state;
    const struct checkpoint_progress progress = {.update = UINT64_C(0x123456789ABCDEF0),
                                                 .epoch = UINT64_MAX,
                                                 .batch = (1u << 24) + 1,
                                                 .best_score = 1.0 / 3,
                                                 .seconds = 1e300,
                                                 .running_loss = -0.0};
    struct checkpoint_progress loaded;
    real weights[2] = {1.5f, -2}, found[2];
    const struct checkpoint_vectors vectors = {.parameters = 2, .weights = weights};
    struct err err = ERR_INIT;
    assert_fine(checkpoint_save(checkpoint, &vectors, &progress, &err), err);
    load(found, &loaded);
    assert_memory_equal(&loaded, &progress, sizeof progress);
    assert_memory_equal(found, weights, sizeof found);
}

static void a_checkpoint_of_another_network_is_refused(void **state)
{
    (void)state;
    real weights[3] = {1, 2, 3};
    const struct checkpoint_vectors vectors = {
        .parameters = 3, .weights = weights, .first = weights, .second = weights};
    const struct checkpoint_progress progress = {.update = 1};
    struct recipe recipe = make_recipe(1);
    struct line_task line = {.saves = 0};
    struct err err = ERR_INIT;
    assert_fine(checkpoint_save(checkpoint, &vectors, &progress, &err), err);
    recipe.resume = true;
    assert_int_equal(run(&line, &recipe, &err), ERR_FORMAT);
    assert_non_null(strstr(err.message, "weights"));
}

static void a_checkpoint_of_another_origin_is_refused(void **state)
{
    (void)state;
    real weights[2] = {1, 2};
    const struct checkpoint_vectors vectors = {.parameters = 2, .weights = weights};
    const struct checkpoint_progress progress = {.update = 1,
                                                 .origin = UINT64_C(0xFEDCBA9876543210)};
    struct recipe recipe = make_recipe(1);
    struct line_task line = {.saves = 0};
    struct err err = ERR_INIT;
    assert_fine(checkpoint_save(checkpoint, &vectors, &progress, &err), err);
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
        cmocka_unit_test(a_run_killed_after_an_evaluation_repeats_it),
        cmocka_unit_test(the_same_seed_gives_the_same_weights),
        cmocka_unit_test(patience_ends_a_run),
        cmocka_unit_test(a_low_score_can_be_the_best),
        cmocka_unit_test(evaluates_after_updates_and_at_the_end),
        cmocka_unit_test(what_is_not_finite_ends_the_run),
        cmocka_unit_test(weights_that_are_not_finite_end_the_run),
        cmocka_unit_test(a_full_disk_keeps_the_old_checkpoint),
        cmocka_unit_test(memory_runs_out),
        cmocka_unit_test(a_checkpoint_keeps_every_bit),
        cmocka_unit_test(a_checkpoint_of_another_network_is_refused),
        cmocka_unit_test(a_checkpoint_of_another_origin_is_refused),
        cmocka_unit_test(resuming_without_a_checkpoint_is_an_error),
    };
    return cmocka_run_group_tests(tests, make_folder, scratch_remove);
}
