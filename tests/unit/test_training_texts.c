/*
 * The texts of a training run under BPE dropout: drawn anew for each epoch, the same on any number
 * of threads and after a break, within max-tokens, and still the texts of the data.
 */
#include <math.h>
#include <string.h>

#include "../fault/fault.h"
#include "base/mem.h"
#include "base/pool.h"
#include "model/bundle.h"
#include "train/task.h"
#include "train/train.h"
#include "unit.h"

#define LINES 120

static char *join(const char *folder, const char *name)
{
    char *path = file_join(folder, name, NULL);
    assert_non_null(path);
    return path;
}

static void write_data(const char *folder)
{
    static const char *const words[] = {"information", "national", "nation", "formation", "inform",
                                        "rational",    "station",  "action", "ration",    "at"};
    char *path = join(folder, "train.tsv");
    FILE *stream = fopen(path, "w");
    struct rng rng;
    assert_non_null(stream);
    rng_seed(&rng, 3, 0);
    for (size_t i = 0; i < LINES; i++) {
        for (uint64_t field = 0, n; field < 2; field++)
            for (n = 1 + rng_below(&rng, 6); n > 0; n--)
                fprintf(stream, "%s%s", words[rng_below(&rng, 10)],
                        n > 1        ? " "
                        : field == 0 ? "\t"
                                     : "\n");
    }
    assert_int_equal(fclose(stream), 0);
    mem_free(path);
}

struct setting {
    const char *folder, *out, *dropout, *max_tokens, *threads;
    bool resume;
};

static void make_recipe(struct recipe *recipe, const struct setting *setting)
{
    struct err err = ERR_INIT;
    char *data = join(setting->folder, "train.tsv"), *out = join(setting->folder, setting->out);
    const char *const values[][2] = {{"train", data},
                                     {"dev", data},
                                     {"out", out},
                                     {"source", "en"},
                                     {"target", "fr"},
                                     {"merges", "60"},
                                     {"dropout-bpe", setting->dropout},
                                     {"max-tokens", setting->max_tokens},
                                     {"threads", setting->threads},
                                     {"resume", setting->resume ? "yes" : "no"},
                                     {"embedding", "6"},
                                     {"encoder-hidden", "6"},
                                     {"decoder-hidden", "6"},
                                     {"batch-tokens", "150"},
                                     {"epochs", "2"}};
    assert_fine(opt_defaults(recipe_options, recipe, &err), err);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        assert_fine(opt_set(recipe_options, recipe, values[i][0], values[i][1], &err), err);
    assert_fine(recipe_check(recipe, &err), err);
    mem_free(out);
    mem_free(data);
}

static void redraw(struct task_ids *ids, const struct task_data *data, enum task_field field,
                   size_t epoch, int threads)
{
    struct err err = ERR_INIT;
    struct pool *pool = pool_new(threads, &err);
    assert_non_null(pool);
    assert_fine(task_ids_redraw(ids, data, field, epoch, pool, &err), err);
    assert_int_equal(ids->count, data->train.count);
    pool_free(pool);
}

static bool same(const struct task_ids *a, const struct task_ids *b)
{
    return a->count == b->count &&
           memcmp(a->begins, b->begins, (a->count + 1) * sizeof *a->begins) == 0 &&
           memcmp(a->ids, b->ids, a->begins[a->count] * sizeof *a->ids) == 0;
}

static void check_texts(const struct task_ids *ids, const struct task_data *data,
                        enum task_field field, size_t limit)
{
    for (size_t i = 0; i < ids->count; i++) {
        const struct corpus_line *line = &data->train.lines[i];
        const size_t count = ids->begins[i + 1] - ids->begins[i];
        struct err err = ERR_INIT;
        struct buf text = BUF_INIT;
        assert_true(count <= limit);
        assert_fine(
            tokenizer_decode(data->tokenizer, ids->ids + ids->begins[i], count, &text, &err), err);
        assert_string_equal(text.data, field == TASK_FIRST ? line->first : line->second);
        buf_release(&text);
    }
}

static void open_data(struct task_data *data, struct recipe *recipe, const struct setting *setting)
{
    struct err err = ERR_INIT;
    char *folder = join(setting->folder, setting->out);
    make_recipe(recipe, setting);
    assert_fine(task_data_open(data, recipe, "the command", folder, TASK_BOTH_FIELDS, &err), err);
    assert_int_equal(data->train.count, LINES);
    mem_free(folder);
}

static void epochs_differ_and_threads_do_not(void **state)
{
    const struct setting setting = {
        .folder = *state, .out = "texts", .dropout = "0.3", .max_tokens = "512", .threads = "1"};
    struct recipe recipe = {0};
    struct task_data data;
    struct task_ids first, other;
    struct err err = ERR_INIT;
    open_data(&data, &recipe, &setting);
    assert_fine(task_ids_init(&first, 1000, &err), err);
    assert_fine(task_ids_init(&other, 1000, &err), err);
    for (size_t epoch = 0; epoch < 3; epoch++) {
        redraw(&first, &data, TASK_FIRST, epoch, 1);
        check_texts(&first, &data, TASK_FIRST, 512);
        for (int threads = 2; threads < 6; threads++) {
            redraw(&other, &data, TASK_FIRST, epoch, threads);
            assert_true(same(&first, &other));
        }
        redraw(&other, &data, TASK_FIRST, epoch + 1, 1);
        assert_false(same(&first, &other));
        redraw(&other, &data, TASK_SECOND, epoch, 3);
        check_texts(&other, &data, TASK_SECOND, 512);
    }
    recipe.seed++;
    redraw(&other, &data, TASK_FIRST, 2, 1);
    assert_false(same(&first, &other));
    task_ids_release(&other);
    task_ids_release(&first);
    task_data_release(&data);
    opt_release(recipe_options, &recipe);
}

/* Where dropout makes a text longer than allowed, it is cut as it is without. */
static void no_text_grows_beyond_the_limit(void **state)
{
    const struct setting setting = {
        .folder = *state, .out = "limit", .dropout = "0.9", .max_tokens = "512", .threads = "1"};
    struct recipe recipe = {0};
    struct task_data data;
    struct task_ids drawn, plain;
    struct encoded scratch = {.count = 0};
    struct err err = ERR_INIT;
    size_t longest = 0, fallen_back = 0, tokens;
    open_data(&data, &recipe, &setting);
    assert_fine(task_ids_init(&drawn, LINES, &err), err);
    assert_fine(task_ids_init(&plain, LINES, &err), err);
    for (size_t i = 0; i < LINES; i++) {
        const struct corpus_line *line = &data.train.lines[i];
        assert_fine(task_ids_add(&plain, data.tokenizer, line->first, line->first_len, 512,
                                 &scratch, &tokens, &err),
                    err);
        longest = tokens > longest ? tokens : longest;
    }
    recipe.max_tokens = (int64_t)longest;
    redraw(&drawn, &data, TASK_FIRST, 0, 2);
    check_texts(&drawn, &data, TASK_FIRST, longest);
    for (size_t i = 0; i < LINES; i++) {
        const size_t count = plain.begins[i + 1] - plain.begins[i];
        if (count > longest / 2) { /* nine in ten merges left out: this text would be too long */
            assert_int_equal(drawn.begins[i + 1] - drawn.begins[i], count);
            assert_memory_equal(drawn.ids + drawn.begins[i], plain.ids + plain.begins[i],
                                count * sizeof *plain.ids);
            fallen_back++;
        }
    }
    assert_true(fallen_back > 10);
    assert_false(same(&drawn, &plain));
    encoded_release(&scratch);
    task_ids_release(&plain);
    task_ids_release(&drawn);
    task_data_release(&data);
    opt_release(recipe_options, &recipe);
}

/* Every allocation of a draw is made to fail once. */
static int draw(void *context, struct err *err)
{
    const struct task_data *data = context;
    struct task_ids ids;
    struct pool *pool = pool_new(1, err);
    int rc = pool ? task_ids_init(&ids, 1000, err) : ERR_MEMORY;
    if (rc == 0) {
        rc = task_ids_redraw(&ids, data, TASK_FIRST, 0, pool, err);
        task_ids_release(&ids);
    }
    if (pool)
        pool_free(pool);
    return rc;
}

static void lack_of_memory_is_an_error(void **state)
{
    const struct setting setting = {
        .folder = *state, .out = "fault", .dropout = "0.9", .max_tokens = "512", .threads = "1"};
    struct recipe recipe = {0};
    struct task_data data;
    open_data(&data, &recipe, &setting);
    assert_true(fault_loop(draw, &data) > 8);
    task_data_release(&data);
    opt_release(recipe_options, &recipe);
}

struct run {
    size_t stop_after; /* updates; 0: run to the end */
};

static void begin(void *context, const struct train_summary *summary)
{
    (void)context;
    assert_int_equal(summary->examples, LINES);
    assert_int_equal(summary->left_out, 0);
}

static bool report(void *context, const struct trainer_progress *progress)
{
    const struct run *run = context;
    return run->stop_after == 0 || progress->update < run->stop_after;
}

/* Returns the last loss. */
static double train(const struct setting *setting, size_t stop_after, struct buf *weights)
{
    struct run run = {stop_after};
    const struct train_watch watch = {.context = &run, .begin = begin, .report = report};
    struct trainer_progress final = {.update = 0};
    struct recipe recipe = {0};
    struct err err = ERR_INIT;
    char *out = join(setting->folder, setting->out), *path = join(out, BUNDLE_WEIGHTS);
    make_recipe(&recipe, setting);
    assert_fine(train_run(&recipe, "the command", &watch, &final, &err), err);
    if (stop_after == 0)
        assert_fine(file_read(path, 1 << 24, weights, &err), err);
    opt_release(recipe_options, &recipe);
    mem_free(path);
    mem_free(out);
    assert_true(stop_after == 0 || final.update == stop_after);
    return final.loss;
}

static void assert_same_weights(const struct buf *a, const struct buf *b)
{
    assert_int_equal(a->len, b->len);
    assert_memory_equal(a->data, b->data, a->len);
}

/* It would make other batches of what is left of the epoch. */
static void refuses_another_dropout(struct setting setting)
{
    const struct train_watch watch = {.begin = begin, .report = report};
    struct trainer_progress final;
    struct recipe recipe = {0};
    struct err err = ERR_INIT;
    setting.dropout = "0.3";
    make_recipe(&recipe, &setting);
    assert_int_equal(train_run(&recipe, "the command", &watch, &final, &err), ERR_FORMAT);
    assert_non_null(strstr(err.message, "changed"));
    opt_release(recipe_options, &recipe);
}

/* Stopped in the middle of each epoch, and again: the same weights to the bit. */
static void resuming_draws_the_same(void **state)
{
    struct setting setting = {
        .folder = *state, .out = "unbroken", .dropout = "0.2", .max_tokens = "100", .threads = "2"};
    struct buf unbroken = BUF_INIT, broken = BUF_INIT, plain = BUF_INIT;
    const double loss = train(&setting, 0, &unbroken);
    setting.out = "broken";
    for (size_t updates = 5; updates < 40; updates += 13) {
        train(&setting, updates, &broken);
        setting.resume = true;
    }
    const double resumed = train(&setting, 0, &broken);
    assert_memory_equal(&resumed, &loss, sizeof loss);
    assert_same_weights(&unbroken, &broken);
    refuses_another_dropout(setting);
    setting.out = "plain";
    setting.resume = false;
    setting.dropout = "0";
    train(&setting, 0, &plain);
    assert_true(plain.len == unbroken.len && memcmp(plain.data, unbroken.data, plain.len) != 0);
    buf_release(&plain);
    buf_release(&broken);
    buf_release(&unbroken);
}

static int set_up(void **state)
{
    if (scratch_make(state) != 0)
        return -1;
    write_data(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(epochs_differ_and_threads_do_not),
        cmocka_unit_test(no_text_grows_beyond_the_limit),
        cmocka_unit_test(lack_of_memory_is_an_error),
        cmocka_unit_test(resuming_draws_the_same),
    };
    return cmocka_run_group_tests(tests, set_up, scratch_remove);
}
