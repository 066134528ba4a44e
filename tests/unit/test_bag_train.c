/*
 * Training bags of words: counts, ratios and scores against figures worked out by hand, the same
 * weights on any number of threads, and whole runs from data to bundle with every kind of feature.
 */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "base/rng.h"
#include "model/bag.h"
#include "model/bundle.h"
#include "model/model.h"
#include "train/bag_learner.h"
#include "train/bag_scores.h"
#include "train/train.h"

/*
 * Counts and scores
 */

/* Four texts of the features 7, 9, 11 and one that only one text has, twice. */
static uint64_t text_hashes[] = {7, 9, 7, 11, 9, 7, 9, 5, 5, 9};
static size_t text_begins[] = {0, 4, 6, 7, 10};
static const struct bag_hashes four_texts = {text_hashes, text_begins, 4, 10};

static void texts_are_counted(void **state)
{
    (void)state;
    for (int threads = 1; threads <= 3; threads++) {
        struct err err = ERR_INIT;
        struct bag_counts counts = {.count = 0};
        struct pool *pool = pool_new(threads, &err);
        assert_fine(bag_counts_make(&counts, &four_texts, 2, pool, &err), err);
        assert_int_equal(counts.count, 2);
        assert_int_equal(counts.hashes[0], 7);
        assert_int_equal(counts.texts[0], 2);
        assert_int_equal(counts.hashes[1], 9);
        assert_int_equal(counts.texts[1], 4);
        bag_counts_release(&counts);
        assert_fine(bag_counts_make(&counts, &four_texts, 1, pool, &err), err);
        assert_int_equal(counts.count, 4);
        assert_int_equal(counts.hashes[0], 5);
        assert_int_equal(counts.texts[0], 1); /* twice in one text */
        bag_counts_release(&counts);
        pool_free(pool);
    }
}

static void the_best_features_are_kept(void **state)
{
    static const double scores[] = {1, 3, 2, 3};
    struct err err = ERR_INIT;
    struct bag_counts counts = {.count = 0};
    struct pool *pool = pool_new(1, &err);
    (void)state;
    assert_fine(bag_counts_make(&counts, &four_texts, 1, pool, &err), err);
    assert_fine(bag_counts_select(&counts, scores, 4, &err), err);
    assert_int_equal(counts.count, 4);
    assert_fine(bag_counts_select(&counts, scores, 2, &err), err);
    assert_int_equal(counts.count, 2);
    assert_int_equal(counts.hashes[0], 7);
    assert_int_equal(counts.texts[0], 2);
    assert_int_equal(counts.hashes[1], 11);
    bag_counts_release(&counts);
    pool_free(pool);
}

static void idf_is_as_defined(void **state)
{
    static const uint32_t texts[] = {0, 3, 7};
    real idf[3];
    (void)state;
    bag_idf(texts, 3, 7, idf);
    assert_float_equal(idf[0], (float)(1 + log(8)), 1e-6);
    assert_float_equal(idf[1], (float)(1 + log(2)), 1e-6);
    assert_float_equal(idf[2], 1, 1e-6);
}

/*
 * Two features, three labels; texts with the feature: f has 3, 1, 0, g has 1, 1, 2. With alpha 1
 * the first label has p = (4, 2), q = (1 + 1, 1 + 3), so the ratios log(4/6 / (2/6)) and log(2/6 /
 * (4/6)).
 */
static void ratios_are_as_worked_out(void **state)
{
    static const uint32_t counts[] = {3, 1, 0, 1, 1, 2};
    real ratios[6];
    struct err err = ERR_INIT;
    (void)state;
    assert_fine(bag_ratios(counts, 2, 3, 1, ratios, &err), err);
    assert_float_equal(ratios[0], log(2), 1e-6);
    assert_float_equal(ratios[3], -log(2), 1e-6);
    /* second label: p = (2, 2), q = (4, 4) */
    assert_float_equal(ratios[1], 0, 1e-6);
    assert_float_equal(ratios[4], 0, 1e-6);
    /* third: p = (1, 3), q = (5, 3) */
    assert_float_equal(ratios[2], log(0.25 / 0.625), 1e-6);
    assert_float_equal(ratios[5], log(0.75 / 0.375), 1e-6);
    /* alpha 0.5, first label: p = (3.5, 1.5), q = (1.5, 3.5) */
    assert_fine(bag_ratios(counts, 2, 3, 0.5, ratios, &err), err);
    assert_float_equal(ratios[0], log(3.5 / 1.5), 1e-6);
}

/* 10 texts of each of two labels; the feature in 6 and 2 of them: 2 x 2 table, chi-squared 10/3. */
static void chi2_is_as_worked_out(void **state)
{
    static const uint32_t counts[] = {6, 2, 4, 4, 10, 10, 0, 0};
    static const size_t texts[] = {10, 10};
    double scores[4];
    (void)state;
    bag_chi2(counts, texts, 3, 2, scores);
    /* expected 4 with and 6 without, surplus 2: 2 (4/4 + 4/6) */
    assert_float_equal(scores[0], 10.0 / 3, 1e-6);
    assert_float_equal(scores[1], 0, 1e-6);
    assert_float_equal(scores[2], 0, 1e-6); /* in all texts: says nothing */
}

/*
 * The learner
 */

#define ROWS 40
#define TEXTS 60
#define WIDEST 6

struct problem {
    struct bag bag;
    struct bag_texts texts;
    int32_t labels[TEXTS];
    real *flat, *ratios;
};

static void problem_make(struct problem *problem, size_t hidden, bool bayes)
{
    struct parameter list[BAG_MAX_PARAMETERS];
    struct rng rng;
    struct bag *bag = &problem->bag;
    struct bag_texts *texts = &problem->texts;
    *problem = (struct problem){.bag = {.labels = 3, .hidden = hidden, .rows = ROWS}};
    bag->width = hidden > 0 ? hidden : 3;
    rng_seed(&rng, 9, 0);
    texts->rows = mem_alloc(TEXTS * WIDEST, sizeof *texts->rows, NULL);
    texts->values = mem_alloc(TEXTS * WIDEST, sizeof *texts->values, NULL);
    texts->begins = mem_alloc(TEXTS + 1, sizeof *texts->begins, NULL);
    texts->count = TEXTS;
    texts->longest = WIDEST;
    for (size_t i = 0, at = 0; i < TEXTS; i++) {
        const size_t step = 1 + rng_below(&rng, 5);
        problem->labels[i] = (int32_t)rng_below(&rng, 3);
        for (size_t row = rng_below(&rng, 4), n = 0; n < WIDEST && row < ROWS; row += step, n++) {
            texts->rows[at] = (uint32_t)row;
            texts->values[at++] = (real)(0.2 + rng_uniform(&rng));
        }
        texts->begins[i + 1] = at;
    }
    const size_t total = parameters_total(list, bag_parameters(bag, list));
    problem->flat = mem_alloc(total, sizeof(real), NULL);
    parameters_bind(list, bag_parameters(bag, list), problem->flat);
    problem->ratios = bayes ? mem_alloc(ROWS * 3, sizeof(real), NULL) : NULL;
    for (size_t i = 0; bayes && i < ROWS * 3; i++)
        problem->ratios[i] = (real)rng_normal(&rng);
}

static void problem_release(struct problem *problem)
{
    bag_texts_release(&problem->texts);
    mem_free(problem->flat);
    mem_free(problem->ratios);
}

/* Trains for 20 epochs; the last one's mean loss. */
static double learn(struct problem *problem, const struct bag_learning *learning, int threads)
{
    struct err err = ERR_INIT;
    struct bag_learner *learner;
    struct pool *pool = pool_new(threads, &err);
    double sum = 0;
    assert_fine(bag_learner_new(&learner, learning, &problem->bag, &problem->texts, problem->labels,
                                problem->ratios, pool, &err),
                err);
    for (size_t epoch = 0; epoch < 20; epoch++) {
        bag_learner_shuffle(learner, epoch);
        sum = 0;
        for (size_t begin = 0; begin < TEXTS;) {
            double loss;
            begin += bag_learner_step(learner, begin, (double)epoch / 20, &loss);
            sum += loss;
        }
    }
    bag_learner_free(learner);
    pool_free(pool);
    return sum / TEXTS;
}

static void threads_do_not_matter(void **state)
{
    static const struct {
        size_t hidden;
        bool bayes;
        double penalty, dropout;
    } cases[] = {{0, false, 0, 0}, {0, true, 1e-3, 0.3}, {5, false, 1e-3, 0.3}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct bag_learning learning = {.rate = 0.2,
                                              .penalty = cases[i].penalty,
                                              .dropout = cases[i].dropout,
                                              .batch = 7,
                                              .seed = 3};
        struct parameter list[BAG_MAX_PARAMETERS];
        struct problem one, many;
        problem_make(&one, cases[i].hidden, cases[i].bayes);
        const size_t count = bag_parameters(&one.bag, list);
        const size_t total = parameters_total(list, count);
        parameters_bind(list, count, one.flat);
        const double loss = learn(&one, &learning, 1);
        assert_true(loss < log(3));
        for (int threads = 2; threads <= 3; threads++) {
            problem_make(&many, cases[i].hidden, cases[i].bayes);
            assert_true(learn(&many, &learning, threads) == loss);
            assert_memory_equal(one.flat, many.flat, total * sizeof(real));
            problem_release(&many);
        }
        problem_release(&one);
    }
}

static double squares(const struct problem *problem)
{
    double sum = 0;
    for (size_t i = 0; i < ROWS * problem->bag.width; i++)
        sum += (double)problem->bag.weight[i] * (double)problem->bag.weight[i];
    return sum;
}

static void a_penalty_keeps_weights_small(void **state)
{
    double last = INFINITY;
    (void)state;
    for (double penalty = 0; penalty < 1; penalty = penalty * 10 + 1e-3) {
        const struct bag_learning learning = {
            .rate = 0.3, .penalty = penalty, .batch = 4, .seed = 1};
        struct problem problem;
        problem_make(&problem, 0, false);
        learn(&problem, &learning, 1);
        assert_true(squares(&problem) < last);
        last = squares(&problem);
        problem_release(&problem);
    }
}

/* w = W / r = (2, -3), mean |w| = 2.5; beta 0.25: 0.25 w + 0.75 * 2.5, times r. */
static void interpolation_is_as_worked_out(void **state)
{
    real weight[] = {4, 1, 3, 1}, ratios[] = {2, 1, -1, 1}, out[4];
    const struct bag bag = {.labels = 2, .rows = 2, .width = 2, .weight = weight};
    (void)state;
    bag_interpolate(&bag, ratios, 0.25, out);
    assert_float_equal(out[0], 2 * (0.5 + 1.875), 1e-6);
    assert_float_equal(out[2], -1 * (-0.75 + 1.875), 1e-6);
    assert_float_equal(out[1], 0.25 + 0.75, 1e-6);
    bag_interpolate(&bag, ratios, 1, out);
    assert_memory_equal(out, weight, sizeof weight);
}

/*
 * Whole runs
 */

static char *join(const char *folder, const char *name)
{
    char *path = file_join(folder, name, NULL);
    assert_non_null(path);
    return path;
}

static void write_text(const char *folder, const char *name, const char *text)
{
    char *path = join(folder, name);
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    fputs(text, stream);
    assert_int_equal(fclose(stream), 0);
    mem_free(path);
}

/* Neutral words around one telling word, of three labels, of which the third is rare. */
static void write_data(const char *folder, const char *name, size_t lines, uint64_t seed)
{
    static const char *const neutral[] = {"the", "film", "was", "we", "saw", "it", "a", "today"};
    static const char *const telling[3][2] = {
        {"dull", "bad"}, {"great", "fun"}, {"odd", "strange"}};
    struct rng rng;
    char *path = join(folder, name);
    FILE *stream = fopen(path, "w");
    assert_non_null(stream);
    rng_seed(&rng, seed, 0);
    for (size_t i = 0; i < lines; i++) {
        const size_t label = i % 10 == 9 ? 2 : rng_below(&rng, 2), words = 2 + rng_below(&rng, 8);
        const size_t place = rng_below(&rng, words);
        for (size_t w = 0; w < words; w++)
            fprintf(stream, "%s ",
                    w == place ? telling[label][rng_below(&rng, 2)] : neutral[rng_below(&rng, 8)]);
        fprintf(stream, ".\t%zu\n", label);
    }
    assert_int_equal(fclose(stream), 0);
    mem_free(path);
}

struct watched {
    size_t examples, reports, scores, stop_after;
    double best, progress;
};

static void begin(void *context, const struct train_summary *summary)
{
    struct watched *watched = context;
    watched->examples = summary->examples;
    assert_string_equal(summary->unit, "words");
    assert_string_equal(summary->score_name, "accuracy");
}

static bool report(void *context, const struct trainer_progress *progress)
{
    struct watched *watched = context;
    watched->reports++;
    watched->scores += progress->scored;
    assert_true(progress->progress >= watched->progress && progress->progress <= 1);
    assert_true(isfinite(progress->loss) && isfinite(progress->seconds_left));
    watched->progress = progress->progress;
    watched->best = progress->best_score;
    return watched->stop_after == 0 || watched->reports < watched->stop_after;
}

/* Trains from train.tsv and `dev` of the folder to `out`; options: words separated by spaces. */
static int train(const char *folder, const char *dev, const char *out, const char *options,
                 struct watched *watched, struct err *err)
{
    const struct train_watch watch = {watched, begin, report};
    struct trainer_progress final;
    struct recipe recipe = {0};
    char *paths[] = {join(folder, "train.tsv"), join(folder, dev), join(folder, out)};
    char *argv[64] = {"train", "--task", "classification", "--tokenizer", "word",  "--fold",
                      "--dev", paths[1], "--train",        paths[0],      "--out", paths[2]};
    char words[512];
    int argc = 12, rest;
    snprintf(words, sizeof words, "%s", options);
    for (char *word = strtok(words, " "); word != NULL; word = strtok(NULL, " "))
        argv[argc++] = word;
    int code = opt_defaults(recipe_options, &recipe, err);
    if (code == 0)
        code = opt_parse_arguments(recipe_options, &recipe, argc, argv, &rest, err);
    if (code == 0 && (code = recipe_check(&recipe, err)) == 0)
        code = train_run(&recipe, "the command", &watch, &final, err);
    opt_release(recipe_options, &recipe);
    for (size_t i = 0; i < 3; i++)
        mem_free(paths[i]);
    return code;
}

static struct model *open_model(const char *folder, const char *name)
{
    struct err err = ERR_INIT;
    struct model *model = NULL;
    char *path = join(folder, name);
    assert_fine(model_open(&model, path, &err), err);
    mem_free(path);
    return model;
}

static void assert_label(const struct model *model, const char *text, size_t label)
{
    struct err err = ERR_INIT;
    float probabilities[3];
    assert_fine(model_classify(model, text, strlen(text), probabilities, &err), err);
    for (size_t l = 0; l < 3; l++)
        assert_true(l == label || probabilities[l] < probabilities[label]);
}

static void every_kind_learns(void **state)
{
    static const char *const options[] = {
        "--ngrams 1",
        "--ngrams 3 --naive-bayes --bayes-beta 0.25 --weighting counts",
        "--ngrams 1 --naive-bayes --no-normalise --bag-rate 0.1",
        "--ngrams 0 --char-longest 4 --weighting tf-idf",
        "--ngrams 2 --char-longest 3 --char-across --weighting tf --bag-rate 1 --no-normalise",
        "--ngrams 2 --buckets 300 --weighting tf-idf",
        "--ngrams 2 --bag-hidden 6 --bag-dropout 0.1",
        "--ngrams 2 --max-features 12",
        "--ngrams 2 --max-features 12 --selection chi2 --threads 3",
        "--ngrams 1 --bag-penalty 1e-4",
    };
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        struct err err = ERR_INIT;
        struct watched watched = {0};
        assert_fine(train(*state, "dev.tsv", "out", options[i], &watched, &err), err);
        if (watched.best < 97)
            fail_msg("%s: best %g", options[i], watched.best);
        assert_int_equal(watched.examples, 400);
        assert_true(watched.progress == 1);
        struct model *model = open_model(*state, "out");
        assert_non_null(model->bag);
        assert_non_null(strstr(model->spec.card, "the command"));
        assert_label(model, "It was GREAT fun today", 1);
        assert_label(model, "we saw a dull bad film", 0);
        assert_label(model, "a strange film", 2);
        model_release(model);
    }
}

static void selection_says_what_it_cost(void **state)
{
    struct err err = ERR_INIT;
    struct watched watched = {0};
    assert_fine(
        train(*state, "dev.tsv", "few", "--ngrams 2 --max-features 10 --epochs 3", &watched, &err),
        err);
    assert_int_equal(watched.scores, 6); /* three epochs with all, three with ten */
    struct model *model = open_model(*state, "few");
    assert_int_equal(model->spec.bag.features, 10);
    assert_non_null(strstr(model->spec.card, "\"dev_accuracy_before_selection\""));
    assert_non_null(strstr(model->spec.card, "\"features_before_selection\""));
    model_release(model);
}

static void stop_words_are_in_the_bundle(void **state)
{
    struct err err = ERR_INIT;
    struct watched watched = {0};
    char options[256];
    write_text(*state, "stop", "The\nfilm\n# a comment\n");
    snprintf(options, sizeof options, "--stop-words %s/stop --ngrams 1 --min-count 1",
             (const char *)*state);
    assert_fine(train(*state, "dev.tsv", "stopped", options, &watched, &err), err);
    struct model *model = open_model(*state, "stopped");
    assert_int_equal(model->spec.bag.stop_count, 2);
    assert_string_equal(model->spec.bag.stop_words[0], "film");
    assert_string_equal(model->spec.bag.stop_words[1], "the");
    float with[3], without[3];
    assert_fine(model_classify(model, "the good film", 13, with, &err), err);
    assert_fine(model_classify(model, "good", 4, without, &err), err);
    assert_memory_equal(with, without, sizeof with);
    model_release(model);
}

static void read_weights(const char *folder, const char *out, struct buf *weights)
{
    struct err err = ERR_INIT;
    char *bundle = join(folder, out), *path = join(bundle, BUNDLE_WEIGHTS);
    *weights = (struct buf)BUF_INIT;
    assert_fine(file_read(path, 1 << 20, weights, &err), err);
    mem_free(path);
    mem_free(bundle);
}

static void seeds_repeat_the_model(void **state)
{
    static const char *const options[] = {
        "--threads 1 --ngrams 2 --naive-bayes --max-features 40 --bag-dropout 0.2",
        "--threads 2 --ngrams 2 --naive-bayes --max-features 40 --bag-dropout 0.2",
        "--threads 2 --ngrams 2 --naive-bayes --max-features 40 --bag-dropout 0.2 --seed 2"};
    struct buf weights[3];
    for (size_t i = 0; i < 3; i++) {
        struct err err = ERR_INIT;
        struct watched watched = {0};
        assert_fine(train(*state, "dev.tsv", "seed", options[i], &watched, &err), err);
        read_weights(*state, "seed", &weights[i]);
    }
    assert_int_equal(weights[0].len, weights[1].len);
    assert_memory_equal(weights[0].data, weights[1].data, weights[0].len);
    assert_true(weights[0].len != weights[2].len ||
                memcmp(weights[0].data, weights[2].data, weights[0].len) != 0);
    for (size_t i = 0; i < 3; i++)
        buf_release(&weights[i]);
}

static void a_watcher_can_stop_it(void **state)
{
    struct err err = ERR_INIT;
    struct watched watched = {.stop_after = 2};
    assert_fine(train(*state, "dev.tsv", "short", "--ngrams 1 --epochs 50", &watched, &err), err);
    assert_int_equal(watched.reports, 2);
}

/* A class of one text is learned as any other, and is not the answer to everything else. */
static void one_example_makes_a_class(void **state)
{
    struct err err = ERR_INIT;
    struct watched watched = {0};
    char *folder = join(*state, "single");
    assert_fine(file_make_folders(folder, &err), err);
    write_text(folder, "train.tsv",
               "bad\t0\ndull bad\t0\nbad bad film\t0\ngood\t1\ngood fun\t1\nodd\t2\n");
    write_text(folder, "dev.tsv", "bad\t0\ngood\t1\nodd\t2\n");
    assert_fine(train(folder, "dev.tsv", "out",
                      "--ngrams 1 --naive-bayes --min-count 1 "
                      "--epochs 20",
                      &watched, &err),
                err);
    struct model *model = open_model(folder, "out");
    assert_label(model, "odd", 2);
    assert_label(model, "a bad film", 0);
    assert_label(model, "good", 1);
    model_release(model);
    mem_free(folder);
}

static void refused(void **state, const char *dev, const char *options, int code,
                    const char *reason)
{
    struct err err = ERR_INIT;
    struct watched watched = {0};
    assert_int_equal(train(*state, dev, "refused", options, &watched, &err), code);
    if (strstr(err.message, reason) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", err.message, reason);
}

static void what_cannot_be_is_refused(void **state)
{
    write_text(*state, "odd.tsv", "a great film\t1\na film\t7\n");
    refused(state, "odd.tsv", "", ERR_FORMAT, "odd.tsv:2: the label \"7\"");
    refused(state, "dev.tsv", "--min-count 1000", ERR_ARGUMENT, "no feature occurs in 1000");
    refused(state, "dev.tsv", "--resume", ERR_ARGUMENT, "no --resume");
    refused(state, "dev.tsv", "--ngrams 0", ERR_ARGUMENT, "--char-longest");
    refused(state, "dev.tsv", "--char-longest 2", ERR_ARGUMENT, "below --char-shortest, 3");
    refused(state, "dev.tsv", "--naive-bayes --bag-hidden 3", ERR_ARGUMENT, "--bag-hidden");
    refused(state, "dev.tsv", "--buckets 9 --max-features 3", ERR_ARGUMENT, "--buckets 0");
    refused(state, "dev.tsv", "--stop-words none", ERR_NOT_FOUND, "none");
    refused(state, "dev.tsv", "--start-from x", ERR_ARGUMENT, "--start-from");
}

static int set_up(void **state)
{
    if (scratch_make(state) != 0)
        return -1;
    write_data(*state, "train.tsv", 400, 1);
    write_data(*state, "dev.tsv", 60, 2);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_are_counted),
        cmocka_unit_test(the_best_features_are_kept),
        cmocka_unit_test(idf_is_as_defined),
        cmocka_unit_test(ratios_are_as_worked_out),
        cmocka_unit_test(chi2_is_as_worked_out),
        cmocka_unit_test(threads_do_not_matter),
        cmocka_unit_test(a_penalty_keeps_weights_small),
        cmocka_unit_test(interpolation_is_as_worked_out),
        cmocka_unit_test(every_kind_learns),
        cmocka_unit_test(selection_says_what_it_cost),
        cmocka_unit_test(stop_words_are_in_the_bundle),
        cmocka_unit_test(seeds_repeat_the_model),
        cmocka_unit_test(a_watcher_can_stop_it),
        cmocka_unit_test(one_example_makes_a_class),
        cmocka_unit_test(what_cannot_be_is_refused),
    };
    return cmocka_run_group_tests(tests, set_up, scratch_remove);
}
