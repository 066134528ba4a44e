/*
 * Captions from data to bundle: what stands where in a row of cells, said from a row of numbers for
 * each, by attention over them; the bundle in use; what is wrong with data, settings or rows.
 */
#include "task_fixture.h"

#include <math.h>

#include "base/rng.h"
#include "model/batch.h"
#include "model/generate.h"
#include "text/rows.h"

#define SETTINGS                                                                                   \
    {"task", "generation"}, {"input", "rows"}, {"min-count", "1"}, {"tokenizer", "word"},          \
        {"embedding", "16"}, {"decoder-hidden", "24"}, {"batch-tokens", "200"}, {"rate", "0.02"},  \
        {"threads", "2"}, {"dropout-embedding", "0"}, {"dropout-output", "0"},                     \
        {"label-smoothing", "0"},                                                                  \
    {                                                                                              \
        "encoder-hidden", "10"                                                                     \
    }

static const char *const bare[][2] = {SETTINGS,
                                      {"encoder-layers", "0"},
                                      {"decoder", "conditional"},
                                      {"attention", "additive"},
                                      {"epochs", "12"},
                                      {NULL, NULL}};
static const char *const encoded[][2] = {
    SETTINGS, {"encoder-layers", "1"}, {"attention", "general"}, {"epochs", "20"}, {NULL, NULL}};

/* Three cells, of which each holds one of three things: one row each, with its place. */
static void write_data(const char *folder, const char *name, size_t lines, uint64_t seed)
{
    static const char *const things[] = {"cup", "book", "lamp"};
    FILE *stream = open_data(folder, name);
    struct rng rng;
    rng_seed(&rng, seed, 0);
    for (size_t i = 0; i < lines; i++) {
        size_t thing[3];
        for (size_t c = 0; c < 3; c++) {
            thing[c] = rng_below(&rng, 3);
            fprintf(stream, "%s%d,%d,%d,%d", c > 0 ? ";" : "", thing[c] == 0, thing[c] == 1,
                    thing[c] == 2, (int)c - 1);
        }
        fprintf(stream, "\ta %s, a %s and a %s\n", things[thing[0]], things[thing[1]],
                things[thing[2]]);
    }
    assert_int_equal(fclose(stream), 0);
}

static const struct decode_options greedy = {.beam = 1, .nbest = 1, .length_penalty = 1};

static void assert_caption(const struct model *model, const char *text, const char *expected)
{
    struct err err = ERR_INIT;
    struct buf caption = BUF_INIT;
    struct rows rows;
    float score;
    assert_fine(rows_parse(&rows, text, strlen(text), &err), err);
    assert_fine(model_caption(model, &rows, &greedy, &caption, &score, &err), err);
    assert_string_equal(caption.data, expected);
    assert_true(score < 0 && score > -1);
    buf_release(&caption);
    rows_release(&rows);
}

static void learns(const char *folder, const char *const (*settings)[2], size_t layers)
{
    struct err err = ERR_INIT;
    struct run run = {folder, "train.tsv", "dev.tsv", "learned", settings, 0, 0};
    assert_fine(train(&run, &err), err);
    assert_true(run.best > 95);
    struct model *model = open_trained(&run);
    assert_int_equal(model->spec.row, 4);
    assert_int_equal(model->spec.encoder.layers, layers);
    assert_int_equal(model->spec.tying, SPEC_TYING_TWO_WAY);
    assert_caption(model, "1,0,0,-1;0,0,1,0;0,1,0,1", "a cup, a lamp and a book");
    assert_caption(model, "0,1,0,-1;0,1,0,0;1,0,0,1", "a book, a book and a cup");
    model_release(model);
}

static void rows_become_sentences(void **state)
{
    learns(*state, bare, 0);
    learns(*state, encoded, 1);
}

static void refuse(const struct model *model, size_t width, float value, const char *words)
{
    struct err err = ERR_INIT;
    struct buf caption = BUF_INIT;
    float values[8] = {0, 0, 0, value};
    const struct rows rows = {.count = 1, .width = width, .values = values};
    assert_int_equal(model_caption(model, &rows, &greedy, &caption, NULL, &err), ERR_ARGUMENT);
    if (strstr(err.message, words) == NULL)
        fail_msg("'%s' does not say '%s'", err.message, words);
    assert_int_equal(caption.len, 0);
    buf_release(&caption);
}

/* Of several sources those that cannot be read are said to be so, the others are not disturbed. */
static void check_batch(const struct model *model)
{
    static const char *const texts[] = {"1,0,0,-1;0,0,1,0;0,1,0,1", "1,0,0", "", "1,0,0,x",
                                        "0,1,0,-1;0,1,0,0;1,0,0,1"};
    struct batch_text sources[5];
    struct batch_output outputs[5] = {{.count = 0}};
    const struct ensemble alone = {.models = {model->seq2seq}, .count = 1};
    struct err err = ERR_INIT;
    struct pool *pool = pool_new(2, &err);
    assert_non_null(pool);
    for (size_t i = 0; i < 5; i++)
        sources[i] = (struct batch_text){texts[i], strlen(texts[i])};
    assert_fine(batch_translate(&alone, model->tokenizer, &greedy, pool, sources, 5, outputs, &err),
                err);
    assert_string_equal(outputs[0].candidates[0].text, "a cup, a lamp and a book");
    assert_int_equal(outputs[1].err.code, ERR_ARGUMENT);
    assert_int_equal(outputs[2].err.code, ERR_FORMAT);
    assert_int_equal(outputs[3].err.code, ERR_FORMAT);
    assert_string_equal(outputs[4].candidates[0].text, "a book, a book and a cup");
    for (size_t i = 0; i < 5; i++)
        batch_output_release(&outputs[i]);
    pool_free(pool);
}

static void bad_rows_are_refused(void **state)
{
    struct err err = ERR_INIT;
    struct buf out = BUF_INIT;
    struct run run = {*state, "train.tsv", "dev.tsv", "bad-rows", bare, 0, 0};
    assert_fine(train(&run, &err), err);
    struct model *model = open_trained(&run);
    refuse(model, 5, 0, "rows of 5 numbers, not of 4");
    refuse(model, 4, NAN, "row 1, column 4 is not finite");
    refuse(model, 4, INFINITY, "row 1, column 4 is not finite");
    assert_int_equal(model_translate(model, "1,0,0,0", 7, &greedy, &out, NULL, &err), ERR_ARGUMENT);
    assert_non_null(strstr(err.message, "is for generation, not for translation"));
    check_batch(model);
    model_release(model);
}

static struct generation *generate(struct model *model, const float *values, size_t rows,
                                   size_t max_tokens, const char *stop)
{
    const struct generate_condition condition = {.values = values, .rows = rows, .width = 4};
    const struct generate_options options = {.max_tokens = max_tokens,
                                             .temperature = 1,
                                             .top_p = 1,
                                             .stops = &stop,
                                             .stop_count = stop != NULL};
    struct err err = ERR_INIT;
    struct generation *generation;
    assert_fine(generation_new(&generation, model, &condition, NULL, 0, &options, &err), err);
    return generation;
}

static void assert_generates(struct model *model, size_t max_tokens, const char *stop,
                             const char *expected, enum generation_end end, size_t tokens)
{
    static const float values[] = {1, 0, 0, -1, 0, 0, 1, 0, 0, 1, 0, 1};
    struct err err = ERR_INIT;
    struct buf out = BUF_INIT;
    struct generation *generation = generate(model, values, 3, max_tokens, stop);
    assert_int_equal(generation_step(generation, &out, &err), 0);
    assert_string_equal(out.data, expected);
    assert_int_equal(generation_end(generation), end);
    assert_int_equal(generation_tokens(generation), tokens);
    assert_true(generation_log_probability(generation) < 0);
    assert_int_equal(generation_step(generation, &out, &err), 0);
    assert_string_equal(out.data, expected);
    generation_free(generation);
    buf_release(&out);
}

static void assert_generation_fails(struct model *model, const struct generate_condition *condition,
                                    const char *prompt, const char *words)
{
    const struct generate_options options = {.max_tokens = 10, .top_p = 1};
    struct err err = ERR_INIT;
    struct generation *generation;
    assert_int_equal(
        generation_new(&generation, model, condition, prompt, strlen(prompt), &options, &err),
        ERR_ARGUMENT);
    if (strstr(err.message, words) == NULL)
        fail_msg("'%s' does not say '%s'", err.message, words);
}

/* As other texts are made, with the rows as the condition. */
static void captions_are_generated(void **state)
{
    struct err err = ERR_INIT;
    struct run run = {*state, "train.tsv", "dev.tsv", "generated", bare, 0, 0};
    const float values[8] = {1, NAN};
    assert_fine(train(&run, &err), err);
    struct model *model = open_trained(&run);
    assert_generates(model, 100, NULL, "a cup, a lamp and a book", GENERATION_END, 9);
    assert_generates(model, 100, " and", "a cup, a lamp", GENERATION_STOP, 9);
    assert_generates(model, 4, NULL, "a cup, a", GENERATION_LENGTH, 4);
    assert_generation_fails(model, NULL, "", "needs rows of 4 numbers");
    assert_generation_fails(model, &(struct generate_condition){.label = "cup"}, "",
                            "needs rows of 4 numbers");
    const struct generate_condition pair = {.values = values, .rows = 1, .width = 2};
    assert_generation_fails(model, &pair, "", "rows of 2 numbers, not of 4");
    const struct generate_condition odd = {.values = values, .rows = 2, .width = 4};
    assert_generation_fails(model, &odd, "", "row 1, column 2 is not finite");
    assert_generation_fails(model, &odd, "a", "takes no prompt");
    struct text_score score;
    assert_int_equal(model_log_probability(model, &odd, "a cup", 5, &score, &err), ERR_ARGUMENT);
    model_release(model);
}

static void bad_data_is_refused(void **state)
{
    struct run run = {*state, "bad.tsv", "dev.tsv", "bad", bare, 0, 0};
    write_text(*state, "bad.tsv", "1,0,0,0\ta\n1,0,0\ta\n");
    assert_refused(&run, ERR_FORMAT, "bad.tsv:2: rows of 3 values, not of 4");
    write_text(*state, "bad.tsv", "1,0,0,0\ta\n1,0,0,0;1\ta\n");
    assert_refused(&run, ERR_FORMAT, "bad.tsv:2: row 2, column 2: missing");
    write_text(*state, "bad.tsv", "a cup\ta\n");
    assert_refused(&run, ERR_FORMAT, "bad.tsv:1: row 1, column 1: 'a cup'");
    write_text(*state, "bad.tsv", "1,0\ta\n");
    assert_refused(&run, ERR_FORMAT, "dev.tsv:1: rows of 4 values, not of 2");
}

static void settings_that_do_not_fit_are_refused(void **state)
{
    static const char *const with_bridge[][2] = {
        SETTINGS, {"encoder-layers", "0"}, {"bridge", "last"}, {NULL, NULL}};
    static const char *const with_dot[][2] = {
        SETTINGS, {"encoder-layers", "0"}, {"attention", "dot"}, {NULL, NULL}};
    static const char *const of_text[][2] = {
        {"source", "en"}, {"target", "fr"}, {"encoder-layers", "0"}, {NULL, NULL}};
    struct run run = {*state, "train.tsv", "dev.tsv", "bad", with_bridge, 0, 0};
    assert_refused(&run, ERR_ARGUMENT, "--bridge last needs an encoder");
    run.settings = with_dot;
    assert_refused(&run, ERR_ARGUMENT, "--decoder-hidden 16");
    run.settings = of_text;
    assert_refused(&run, ERR_ARGUMENT, "--encoder-layers 0 goes with --task generation");
}

static int caption_again(void *context, struct err *err)
{
    static const float values[] = {1, 0, 0, -1};
    static const char stop[] = "lamp", *const stops = stop;
    const struct generate_condition condition = {.values = values, .rows = 1, .width = 4};
    const struct generate_options options = {
        .max_tokens = 20, .top_p = 1, .stops = &stops, .stop_count = 1};
    struct generation *generation;
    struct buf out = BUF_INIT;
    int code = generation_new(&generation, context, &condition, NULL, 0, &options, err);
    if (code < 0)
        return code;
    code = generation_step(generation, &out, err);
    generation_free(generation);
    buf_release(&out);
    return code;
}

static void lack_of_memory_is_an_error(void **state)
{
    struct err err = ERR_INIT;
    struct run run = {*state, "train.tsv", "dev.tsv", "memory", bare, 0, 0};
    assert_fine(train(&run, &err), err);
    struct model *model = open_trained(&run);
    assert_true(fault_loop(caption_again, model) > 10);
    model_release(model);
    assert_task_survives(
        &run, (struct task_maker){.make = translation_task, .release = translation_task_release});
}

static int set_up(void **state)
{
    if (scratch_make(state) != 0)
        return -1;
    write_data(*state, "train.tsv", 300, 1);
    write_data(*state, "dev.tsv", 40, 2);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_sentences),
        cmocka_unit_test(bad_rows_are_refused),
        cmocka_unit_test(captions_are_generated),
        cmocka_unit_test(bad_data_is_refused),
        cmocka_unit_test(settings_that_do_not_fit_are_refused),
        cmocka_unit_test(lack_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, set_up, scratch_remove);
}
