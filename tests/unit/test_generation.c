/*
 * The generation task from data to bundle: a stream is read without a gap and its state is never
 * lost, what can be learned is learned, the same seed gives the same model, whether the run was
 * broken or not, and wrong data is refused.
 */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "model/bundle.h"
#include "model/generate.h"
#include "model/language.h"
#include "train/generation_parts.h"
#include "train/train.h"

#define MAX_ARGUMENTS 64

static char *join(const char *folder, const char *name)
{
    char *path = file_join(folder, name, NULL);
    assert_non_null(path);
    return path;
}

static void write_bytes(const char *folder, const char *name, const char *bytes, size_t len)
{
    char *path = join(folder, name);
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    assert_int_equal(fwrite(bytes, 1, len, stream), len);
    assert_int_equal(fclose(stream), 0);
    mem_free(path);
}

static void write_text(const char *folder, const char *name, const char *text)
{
    write_bytes(folder, name, text, strlen(text));
}

/* Options of a small run on train.txt and dev.txt of the folder, and more of them, ended by NULL.
 */
static int make_recipe(struct recipe *recipe, const char *folder, const char *out,
                       const char *const *more, struct err *err)
{
    char *train = join(folder, "train.txt"), *dev = join(folder, "dev.txt");
    char *path = join(folder, out);
    const char *argv[MAX_ARGUMENTS] = {"train",      "--task",
                                       "generation", "--train",
                                       train,        "--dev",
                                       dev,          "--out",
                                       path,         "--tokenizer",
                                       "char",       "--min-count",
                                       "1",          "--embedding",
                                       "8",          "--cell",
                                       "lstm",       "--encoder-hidden",
                                       "12",         "--rate",
                                       "0.02",       "--label-smoothing",
                                       "0",          "--dropout-output",
                                       "0.1",        "--dropout-embedding",
                                       "0.1"};
    int count = 0, rest;
    while (argv[count])
        count++;
    for (size_t i = 0; more[i]; i++)
        argv[count++] = more[i];
    memset(recipe, 0, sizeof *recipe);
    int code = opt_defaults(recipe_options, recipe, err);
    if (code == 0)
        code = opt_parse_arguments(recipe_options, recipe, count, (char **)(uintptr_t)argv, &rest,
                                   err);
    if (code == 0)
        code = recipe_check(recipe, err);
    mem_free(path);
    mem_free(dev);
    mem_free(train);
    return code;
}

struct run {
    size_t stop_after; /* updates; 0: run to the end */
    struct trainer_progress scored;
};

static void begin(void *context, const struct train_summary *summary)
{
    (void)context;
    assert_string_equal(summary->unit, "tokens");
    assert_string_equal(summary->score_name, "perplexity");
}

static bool report(void *context, const struct trainer_progress *progress)
{
    struct run *run = context;
    if (progress->scored)
        run->scored = *progress;
    return run->stop_after == 0 || progress->update < run->stop_after;
}

static int train(struct run *run, const char *folder, const char *out, const char *const *more,
                 struct err *err)
{
    const struct train_watch watch = {run, begin, report};
    struct trainer_progress final;
    struct recipe recipe;
    int code = make_recipe(&recipe, folder, out, more, err);
    if (code == 0)
        code = train_run(&recipe, "the command", &watch, &final, err);
    opt_release(recipe_options, &recipe);
    return code;
}

static struct model *open(const char *folder, const char *out)
{
    struct err err = ERR_INIT;
    struct model *model;
    char *path = join(folder, out);
    assert_fine(model_open(&model, path, &err), err);
    mem_free(path);
    return model;
}

/*
 * Streams
 */

static const char *const stream_options[] = {"--stream",     "--streams", "3",
                                             "--bptt-steps", "7",         NULL};

/* A text in which every window of a few characters is at one place only, more or less. */
static void write_stream(const char *folder)
{
    struct rng rng;
    char text[500];
    rng_seed(&rng, 1, 0);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + rng_below(&rng, 26));
    write_bytes(folder, "train.txt", text, sizeof text);
    write_text(folder, "dev.txt", "hello\nworld\n");
}

struct prepared {
    struct recipe recipe;
    struct trainer_task task;
    struct trainer_share share;
};

static void prepare(struct prepared *prepared, const char *folder, const char *const *more)
{
    struct err err = ERR_INIT;
    char *work = join(folder, "work");
    memset(prepared, 0, sizeof *prepared);
    assert_fine(make_recipe(&prepared->recipe, folder, "out", more, &err), err);
    assert_fine(generation_task(&prepared->task, &prepared->recipe, "", work, &err), err);
    arena_init(&prepared->share.arena, 1 << 20);
    mem_free(work);
}

static void unprepare(struct prepared *prepared)
{
    arena_release(&prepared->share.arena);
    generation_task_release(&prepared->task);
    opt_release(recipe_options, &prepared->recipe);
}

/* Each stream's inputs follow each other from chunk to chunk and from epoch to epoch, each target
   is the next input, and every epoch reads every token but the last few. */
static void streams_have_no_gaps(void **state)
{
    struct prepared prepared;
    struct err err = ERR_INIT;
    size_t first_lengths[8];
    int32_t expected[3] = {-1, -1, -1};
    write_stream(*state);
    prepare(&prepared, *state, stream_options);
    struct generation_task *task = prepared.task.context;
    struct trainer_share *share = &prepared.share;
    for (size_t epoch = 0; epoch < 8; epoch++) {
        struct batch_plan plan;
        size_t read = 0;
        assert_fine(prepared.task.plan(task, epoch, &plan, &err), err);
        for (size_t b = 0; b < plan.batches; b++) {
            struct rnn_batch batch;
            arena_reset(&share->arena);
            share->examples = plan.examples + plan.begins[b];
            share->count = plan.begins[b + 1] - plan.begins[b];
            assert_int_equal(share->count, 3);
            assert_fine(generation_stream_batch(task, share, &batch), share->err);
            assert_true(batch.steps >= 1 && batch.steps <= 7);
            assert_int_equal(batch.steps, (size_t)prepared.task.units(task, share->examples[0]));
            if (b == 0)
                first_lengths[epoch] = batch.steps;
            for (size_t s = 0; s < 3; s++) {
                for (size_t t = 0; t < batch.steps; t++) {
                    /* at the seam of the circle a few tokens are left out */
                    const bool seam = epoch > 0 && b == 0 && t == 0 && (s + epoch) % 3 == 0;
                    if (expected[s] >= 0 && !seam)
                        assert_int_equal(batch.ids[t * 3 + s], expected[s]);
                    expected[s] = batch.targets[t * 3 + s];
                    read++;
                }
            }
        }
        assert_int_equal(read, 500 / 3 * 3);
        batch_plan_release(&plan);
    }
    bool differ = false;
    for (size_t epoch = 1; epoch < 8; epoch++)
        differ = differ || first_lengths[epoch] != first_lengths[0];
    assert_true(differ);
    unprepare(&prepared);
}

/* With one stream, the losses of all chunks are what one run over the whole text finds. */
static void the_state_is_carried_across_chunks(void **state)
{
    const char *const options[] = {"--stream", "--streams",           "1", "--bptt-steps",
                                   "7",        "--encoder-layers",    "2", "--dropout-output",
                                   "0",        "--dropout-embedding", "0", NULL};
    struct prepared prepared;
    struct batch_plan plan;
    struct language_sums sums;
    struct err err = ERR_INIT;
    struct rng rng;
    double loss = 0;
    write_stream(*state);
    prepare(&prepared, *state, options);
    struct generation_task *task = prepared.task.context;
    struct trainer_share *share = &prepared.share;
    real *weights = mem_alloc(prepared.task.parameters, sizeof *weights, &err);
    share->gradient = mem_alloc(prepared.task.parameters, sizeof *share->gradient, &err);
    assert_non_null(weights);
    assert_non_null(share->gradient);
    rng_seed(&rng, 2, 0);
    prepared.task.init(task, weights, &rng);
    for (size_t i = 0; i < prepared.task.parameters; i++)
        weights[i] *= 2; /* so that the past matters */
    share->weights = weights;
    share->scale = 1;
    assert_fine(prepared.task.plan(task, 0, &plan, &err), err);
    for (size_t b = 0; b < plan.batches; b++) {
        arena_reset(&share->arena);
        share->examples = plan.examples + plan.begins[b];
        share->count = 1;
        assert_fine(prepared.task.learn(task, share), share->err);
        loss += share->sums.loss;
    }
    const struct rnn model = generation_bind(task, weights);
    struct pool *pool = pool_new(1, &err);
    assert_non_null(pool);
    /* the circle's last target is its first token */
    assert_fine(
        task_ids_put(
            &task->train.ids,
            &(struct encoded){.tokens = &(struct token){.id = task->train.ids.ids[0]}, .count = 1},
            1, &err),
        err);
    assert_fine(language_stream(&model, task->train.ids.ids, 501, 1, 1, pool, &sums, &err), err);
    assert_int_equal(sums.tokens, 500);
    assert_true(fabs(loss / sums.negative_log - 1) < 1e-5);
    pool_free(pool);
    batch_plan_release(&plan);
    mem_free(share->gradient);
    mem_free(weights);
    unprepare(&prepared);
}

static void a_stream_is_learned(void **state)
{
    const char *const options[] = {"--stream", "--streams", "4", "--bptt-steps",
                                   "10",       "--epochs",  "6", "--threads",
                                   "2",        NULL};
    struct buf text = BUF_INIT, out = BUF_INIT;
    struct err err = ERR_INIT;
    struct generation *generation;
    struct text_score score;
    struct run run = {0};
    for (size_t i = 0; i < 150; i++)
        assert_fine(buf_text(&text, "one, two, three;\n", &err), err);
    write_bytes(*state, "train.txt", text.data, text.len);
    write_bytes(*state, "dev.txt", text.data, 17 * 20);
    assert_fine(train(&run, *state, "counting", options, &err), err);
    assert_true(run.scored.best_score < 1.05);
    assert_true(fabs(run.scored.score - run.scored.perplexity) < 1e-9);
    assert_true(fabs(run.scored.bits_per_character - log2(run.scored.score)) < 1e-6);
    struct model *model = open(*state, "counting");
    assert_true(model->spec.stream);
    assert_non_null(strstr(model->spec.card, "\"training_tokens\":2550"));
    assert_non_null(strstr(model->spec.card, "dev_nats_per_character"));
    const struct generate_options greedy = {.max_tokens = 30, .temperature = 0, .top_p = 1};
    assert_fine(generation_new(&generation, model, NULL, "one,", 4, &greedy, &err), err);
    while (generation_step(generation, &out, &err) > 0)
        continue;
    assert_string_equal(out.data, " two, three;\none, two, three;\n");
    assert_fine(model_log_probability(model, NULL, "one, two", 8, &score, &err), err);
    const double right = score.log_probability;
    text_score_release(&score);
    assert_fine(model_log_probability(model, NULL, "one, owt", 8, &score, &err), err);
    assert_true(right > score.log_probability + 5);
    text_score_release(&score);
    generation_free(generation);
    model_release(model);
    buf_release(&out);
    buf_release(&text);
}

/*
 * Lines
 */

/* Greek names end in "os", Polish ones in "ski"; with `vectors` the conditions are numbers. */
static void write_names(const char *folder, const char *name, size_t count, uint64_t seed,
                        bool vectors)
{
    static const char *const ends[] = {"os", "ski"};
    static const char *const labels[] = {"Greek", "Polish"}, *const numbers[] = {"1,0", "-1,0.5"};
    struct buf text = BUF_INIT;
    struct err err = ERR_INIT;
    struct rng rng;
    rng_seed(&rng, seed, 0);
    for (size_t i = 0; i < count; i++) {
        const size_t label = rng_below(&rng, 2), letters = 1 + rng_below(&rng, 3);
        assert_fine(buf_printf(&text, &err, "%s\t", vectors ? numbers[label] : labels[label]), err);
        for (size_t l = 0; l < letters; l++)
            assert_fine(buf_char(&text, "abdk"[rng_below(&rng, 4)], &err), err);
        assert_fine(buf_printf(&text, &err, "%s\n", ends[label]), err);
    }
    write_bytes(folder, name, text.data, text.len);
    buf_release(&text);
}

static const char *const label_options[] = {
    "--condition",    "every", "--condition-size", "4", "--epochs", "12",
    "--batch-tokens", "100",   "--threads",        "1", NULL};
static const char *const vector_options[] = {
    "--condition",    "first", "--condition-is", "vector", "--epochs", "12",
    "--batch-tokens", "100",   "--threads",      "2",      NULL};

static void check_condition(struct model *model, const struct generate_condition *greek,
                            const struct generate_condition *polish)
{
    struct err err = ERR_INIT;
    struct text_score right, wrong;
    assert_fine(model_log_probability(model, greek, "kabos", 5, &right, &err), err);
    assert_fine(model_log_probability(model, polish, "kabos", 5, &wrong, &err), err);
    assert_int_equal(right.tokens, 6);
    assert_true(right.log_probability > wrong.log_probability + 3);
    text_score_release(&wrong);
    text_score_release(&right);
}

static void conditions_are_learned(void **state)
{
    const float numbers[2][2] = {{1, 0}, {-1, 0.5f}};
    struct err err = ERR_INIT;
    struct run run = {0};
    write_names(*state, "train.txt", 400, 1, false);
    write_names(*state, "dev.txt", 50, 2, false);
    assert_fine(train(&run, *state, "labels", label_options, &err), err);
    struct model *model = open(*state, "labels");
    assert_int_equal(model->spec.label_count, 2);
    assert_string_equal(model->spec.labels[1], "Polish");
    check_condition(model, &(struct generate_condition){.label = "Greek"},
                    &(struct generate_condition){.label = "Polish"});
    model_release(model);
    write_names(*state, "train.txt", 400, 1, true);
    write_names(*state, "dev.txt", 50, 2, true);
    assert_fine(train(&run, *state, "vectors", vector_options, &err), err);
    model = open(*state, "vectors");
    assert_int_equal(model->spec.label_count, 0);
    assert_int_equal(model->spec.feature, 2);
    check_condition(model,
                    &(struct generate_condition){.values = numbers[0], .rows = 1, .width = 2},
                    &(struct generate_condition){.values = numbers[1], .rows = 1, .width = 2});
    model_release(model);
}

/* Training texts beyond max-tokens end without an end. */
static void long_lines_are_cut(void **state)
{
    const char *const options[] = {"--max-tokens", "4", "--epochs", "1", "--threads", "1", NULL};
    struct prepared prepared;
    struct rnn_batch batch;
    const uint32_t examples[] = {0, 1};
    write_text(*state, "train.txt", "abcdefg\nabcd\n");
    write_text(*state, "dev.txt", "abcdefg\n");
    prepare(&prepared, *state, options);
    struct generation_task *task = prepared.task.context;
    assert_int_equal(prepared.task.cut, 1);
    prepared.share.examples = examples;
    prepared.share.count = 2;
    assert_fine(generation_lines_batch(task, &prepared.share, &batch), prepared.share.err);
    assert_int_equal(batch.steps, 5);
    assert_int_equal(batch.lengths[0], 4);
    assert_int_equal(batch.lengths[1], 5);
    assert_int_equal(batch.ids[0], TOKEN_BOS);
    assert_int_equal(batch.targets[4 * 2], -1);
    assert_int_equal(batch.targets[4 * 2 + 1], TOKEN_EOS);
    assert_int_equal((size_t)prepared.task.units(task, 0), 4);
    assert_int_equal((size_t)prepared.task.units(task, 1), 5);
    unprepare(&prepared);
}

/*
 * The same model again
 */

static void read_weights(const char *folder, const char *out, struct buf *weights)
{
    struct err err = ERR_INIT;
    char *bundle = join(folder, out), *path = join(bundle, BUNDLE_WEIGHTS);
    *weights = (struct buf)BUF_INIT;
    assert_fine(file_read(path, 1 << 20, weights, &err), err);
    mem_free(path);
    mem_free(bundle);
}

/* A whole run, and one that was stopped twice in between: the same weights to the bit. */
static void check_resumed(const char *folder, const char *const *options, size_t stop)
{
    const char *resumed[MAX_ARGUMENTS] = {"--resume"};
    struct err err = ERR_INIT;
    struct buf first, second;
    struct run whole = {0}, broken = {.stop_after = stop};
    for (size_t i = 0; options[i]; i++)
        resumed[i + 1] = options[i];
    assert_fine(train(&whole, folder, "whole", options, &err), err);
    assert_fine(train(&broken, folder, "broken", options, &err), err);
    broken.stop_after = 2 * stop;
    assert_fine(train(&broken, folder, "broken", resumed, &err), err);
    broken.stop_after = 0;
    assert_fine(train(&broken, folder, "broken", resumed, &err), err);
    read_weights(folder, "whole", &first);
    read_weights(folder, "broken", &second);
    assert_int_equal(first.len, second.len);
    assert_memory_equal(first.data, second.data, first.len);
    buf_release(&second);
    buf_release(&first);
}

static void resuming_repeats_the_model(void **state)
{
    static const char *const threads[] = {"1", "2"};
    for (size_t t = 0; t < 2; t++) {
        const char *const stream[] = {"--stream", "--streams",    "5",   "--bptt-steps",
                                      "7",        "--epochs",     "3",   "--threads",
                                      threads[t], "--ema",        "0.9", "--dropout-state",
                                      "0.1",      "--accumulate", "2",   NULL};
        write_stream(*state);
        check_resumed(*state, stream, 5);
    }
    write_names(*state, "train.txt", 200, 1, false);
    write_names(*state, "dev.txt", 20, 2, false);
    check_resumed(*state, label_options, 13);
}

/*
 * Wrong data
 */

static void refuse(const char *folder, const char *data, size_t len, const char *dev,
                   const char *const *options, enum err_code code, const char *said)
{
    struct err err = ERR_INIT;
    struct run run = {0};
    write_bytes(folder, "train.txt", data, len);
    write_text(folder, "dev.txt", dev);
    assert_int_equal(train(&run, folder, "refused", options, &err), code);
    if (!strstr(err.message, said))
        fail_msg("not '%s' but '%s'", said, err.message);
}

static void wrong_data_is_refused(void **state)
{
    static const char *const lines[] = {"--threads", "1", NULL};
    static const char *const greedy[] = {"--stream", "--streams", "100", NULL};
    static const char names[] = "Greek\tkos\nPolish\tski\n";
    static const char vectors[] = "1,2\tkos\n3,4\tski\n";
#define REFUSE(data, dev, options, code, said)                                                     \
    refuse(*state, data, sizeof(data) - 1, dev, options, code, said)
    REFUSE("", "a\n", stream_options, ERR_ARGUMENT, "training data is empty");
    REFUSE("abcabc", "", stream_options, ERR_ARGUMENT, "development data is empty");
    REFUSE("\n\n", "a\n", lines, ERR_ARGUMENT, "training data is empty");
    REFUSE("abc\nd\xFF\n", "a\n", stream_options, ERR_UTF8, "train.txt:2");
    REFUSE("abc\nd\xFF\n", "a\n", lines, ERR_UTF8, "train.txt:2");
    REFUSE("abc\nd\0e\n", "a\n", stream_options, ERR_FORMAT, "NUL");
    REFUSE("abcdef", "a\n", greedy, ERR_ARGUMENT, "6 tokens, too few for 100 streams");
    REFUSE("Greek\tkos\n", "Greek\tk\n", label_options, ERR_LIMIT, "1 labels");
    REFUSE(names, "Klingon\tk\n", label_options, ERR_FORMAT, "dev.txt:1: the label \"Klingon\"");
    REFUSE("kos\nski\n", "Greek\tk\n", label_options, ERR_FORMAT, "no tab");
    REFUSE("1,2\tkos\n1\tski\n", "1,2\tk\n", vector_options, ERR_FORMAT,
           "train.txt:2: the condition has 1 numbers, the first of the data 2");
    REFUSE(vectors, "1,2,3\tk\n", vector_options, ERR_FORMAT, "dev.txt:1: the condition has 3");
    REFUSE("1,2;3,4\tkos\n", "1,2\tk\n", vector_options, ERR_FORMAT, "2 rows");
    REFUSE("1,nan\tkos\n", "1,2\tk\n", vector_options, ERR_FORMAT, "train.txt:1");
    REFUSE("1,1e99\tkos\n", "1,2\tk\n", vector_options, ERR_FORMAT, "train.txt:1");
    REFUSE(names, "Greek\tk\n", vector_options, ERR_FORMAT, "train.txt:1");
}

static void settings_that_do_not_go_together_are_refused(void **state)
{
    static const char *const condition[] = {"--stream", "--condition", "first", NULL};
    static const char *const dropout[] = {"--stream",      "--tokenizer", "bpe",
                                          "--dropout-bpe", "0.1",         NULL};
    static const char *const tied[] = {"--tied", NULL};
    REFUSE("abc", "a", condition, ERR_ARGUMENT, "--condition");
    REFUSE("abc", "a", dropout, ERR_ARGUMENT, "--dropout-bpe");
    REFUSE("abc", "a", tied, ERR_ARGUMENT, "--embedding 12");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_have_no_gaps),
        cmocka_unit_test(the_state_is_carried_across_chunks),
        cmocka_unit_test(a_stream_is_learned),
        cmocka_unit_test(conditions_are_learned),
        cmocka_unit_test(long_lines_are_cut),
        cmocka_unit_test(resuming_repeats_the_model),
        cmocka_unit_test(wrong_data_is_refused),
        cmocka_unit_test(settings_that_do_not_go_together_are_refused),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
