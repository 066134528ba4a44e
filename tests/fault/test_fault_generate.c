/*
 * Language models when memory runs out: writing, weighing and scoring texts, and the training task
 * from its data to an update and a score. The first error comes back, nothing leaks.
 */
#include <string.h>

#include "fault.h"
#include "unit/language_fixture.h"

#include "model/generate.h"
#include "model/language.h"
#include "train/task.h"

struct scene {
    const char *folder;
    struct model *model;
    struct generate_condition condition;
    const char *const *options; /* of the training task */
};

static int write_text(void *context, struct err *err)
{
    static const char *const stops[] = {"sat on", "zzz"};
    const struct scene *scene = context;
    const struct generate_options options = {.max_tokens = 12,
                                             .temperature = 1,
                                             .top_k = 9,
                                             .top_p = 0.9,
                                             .seed = 2,
                                             .stops = stops,
                                             .stop_count = 2};
    struct generation *generation;
    struct buf text = BUF_INIT;
    int code =
        generation_new(&generation, scene->model, &scene->condition, "the c", 5, &options, err);
    if (code < 0)
        return code;
    do
        code = generation_step(generation, &text, err);
    while (code > 0);
    generation_free(generation);
    buf_release(&text);
    return code;
}

static int weigh_text(void *context, struct err *err)
{
    const struct scene *scene = context;
    struct text_score score;
    const int code =
        model_log_probability(scene->model, &scene->condition, "the cat", 7, &score, err);
    if (code == 0)
        text_score_release(&score);
    return code;
}

static int score_many(void *context, struct err *err)
{
    static const int32_t ids[] = {5, 6, 7, 8, 9, 5, 4, 6};
    static const real feature[FEATURE] = {1, 2, 3};
    const struct scene *scene = context;
    const struct language_text texts[] = {{ids, 8, 1, feature}, {ids, 0, 0, feature}};
    struct language_sums sums;
    struct pool *pool = pool_new(1, err);
    if (!pool)
        return err->code;
    int code = language_lines(scene->model->rnn, texts, 2, pool, &sums, err);
    if (code == 0 && scene->model->spec.condition == SPEC_CONDITION_NONE)
        code = language_stream(scene->model->rnn, ids, 8, 1, 1, pool, &sums, err);
    pool_free(pool);
    return code;
}

static void every_allocation_of_a_text(void **state)
{
    static const struct language_kind kinds[] = {
        {.tokenizer = TOKEN_CHAR, .stream = true},
        {.tokenizer = TOKEN_BPE, .condition = SPEC_CONDITION_EVERY, .labelled = true},
        {.tokenizer = TOKEN_CHAR, .condition = SPEC_CONDITION_FIRST}};
    static const float vector[FEATURE] = {1, 2, 3};
    struct scene scene = {.folder = *state};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
        scene.model = language_model(scene.folder, &kinds[k]);
        scene.condition = (struct generate_condition){.label = kinds[k].labelled ? "Greek" : NULL};
        if (kinds[k].condition == SPEC_CONDITION_FIRST)
            scene.condition =
                (struct generate_condition){.values = vector, .rows = 1, .width = FEATURE};
        assert_true(fault_loop(write_text, &scene) > 15);
        assert_true(fault_loop(weigh_text, &scene) > 10);
        assert_true(fault_loop(score_many, &scene) > 5);
        model_release(scene.model);
    }
}

/* One batch, learned by one thread. */
static int learn(const struct trainer_task *task, struct trainer_share *share, struct err *err)
{
    static const uint32_t lines[] = {0, 1};
    struct batch_plan plan = {.examples = NULL};
    if (task->plan && task->plan(task->context, 0, &plan, err))
        return err->code;
    share->examples = task->plan ? plan.examples : lines;
    share->count = task->plan ? plan.begins[1] : 2;
    share->scale = 1;
    const int code = task->learn(task->context, share);
    batch_plan_release(&plan);
    return code < 0 ? err_set(err, share->err.code, "%s", share->err.message) : 0;
}

static int use_task(const struct trainer_task *task, struct err *err)
{
    struct trainer_share share = {.thread = 0};
    struct trainer_score score;
    struct rng rng;
    real *weights = mem_alloc(task->parameters, sizeof *weights, err);
    share.gradient = mem_alloc(task->parameters, sizeof *share.gradient, err);
    struct pool *pool = pool_new(1, err);
    int code = err->code;
    arena_init(&share.arena, 4096);
    if (code == 0) {
        rng_seed(&rng, 1, 0);
        task->init(task->context, weights, &rng);
        share.weights = weights;
        code = learn(task, &share, err);
    }
    if (code == 0)
        code = task->evaluate(task->context, weights, pool, &score, err);
    arena_release(&share.arena);
    pool_free(pool);
    mem_free(share.gradient);
    mem_free(weights);
    return code;
}

static int train(void *context, struct err *err)
{
    const struct scene *scene = context;
    const char *argv[32] = {"train", "--task",           "generation", "--tokenizer",
                            "char",  "--min-count",      "1",          "--embedding",
                            "4",     "--encoder-hidden", "4",          "--samples",
                            "1"};
    struct recipe recipe = {0};
    struct trainer_task task;
    int count = 13, rest;
    for (size_t i = 0; scene->options[i]; i++)
        argv[count++] = scene->options[i];
    int code = opt_defaults(recipe_options, &recipe, err);
    if (code == 0)
        code = opt_parse_arguments(recipe_options, &recipe, count, (char **)(uintptr_t)argv, &rest,
                                   err);
    if (code == 0)
        code = recipe_check(&recipe, err);
    if (code == 0 && (code = generation_task(&task, &recipe, "", scene->folder, err)) == 0) {
        code = use_task(&task, err);
        generation_task_release(&task);
    }
    opt_release(recipe_options, &recipe);
    return code;
}

static void write_file(const char *folder, const char *name, const char *text, char path[4200])
{
    snprintf(path, 4200, "%s/%s", folder, name);
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    fputs(text, stream);
    assert_int_equal(fclose(stream), 0);
}

static void every_allocation_of_the_task(void **state)
{
    static char text[4200], labels[4200], vectors[4200];
    write_file(*state, "text", "the cat sat\non the mat\n", text);
    write_file(*state, "labels", "Greek\tkos\nPolish\tkski\n", labels);
    write_file(*state, "vectors", "1,2\tkos\n-1,0\tkski\n", vectors);
    const char *const stream[] = {"--train",  text,        "--dev", text,           "--out", "out",
                                  "--stream", "--streams", "3",     "--bptt-steps", "4",     NULL};
    const char *const label[] = {"--train", labels,        "--dev", labels, "--out",
                                 "out",     "--condition", "every", NULL};
    const char *const vector[] = {"--train", vectors,          "--dev",  vectors,       "--out",
                                  "out",     "--condition-is", "vector", "--condition", "first",
                                  NULL};
    const char *const *const all[] = {stream, label, vector};
    struct scene scene = {.folder = *state};
    for (size_t i = 0; i < 3; i++) {
        scene.options = all[i];
        assert_true(fault_loop(train, &scene) > 60);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_of_a_text),
        cmocka_unit_test(every_allocation_of_the_task),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
