/*
 * Generation against what can be computed beside it: the draws against the probabilities, the sets
 * of top-k and top-p by hand, stops however the tokens are cut, the score of a text against the
 * forward pass of training.
 */
#include "language_fixture.h"

#include <math.h>

#include "model/generate.h"
#include "model/language.h"
#include "model/sample.h"
#include "text/utf8.h"

static const struct language_kind stream_of_characters = {.tokenizer = TOKEN_CHAR, .stream = true};
static const struct language_kind lines_of_bytes = {.tokenizer = TOKEN_BPE, .bytes = 1};
static const struct language_kind lines_of_words = {.tokenizer = TOKEN_BPE, .bytes = -30};
static const float vector[FEATURE] = {0.5f, -1, 2};

static const struct generate_options plain = {.max_tokens = 60, .temperature = 1, .top_p = 1};

/*
 * Sampling
 */

static void check_distribution(double temperature, size_t top_k, double top_p,
                               const double expected[5])
{
    /* probabilities 0.1, 0.4, 0.25, 0.25, and one that is never drawn */
    const float logits[5] = {logf(0.1f), logf(0.4f), logf(0.25f), logf(0.25f), -INFINITY};
    const struct sample_settings settings = {temperature, top_k, top_p};
    struct sample_item scratch[5];
    double found[5];
    sample_distribution(&settings, 5, logits, found, scratch);
    for (size_t i = 0; i < 5; i++)
        assert_true(fabs(found[i] - expected[i]) < 1e-6);
}

static void distributions_are_as_by_hand(void **state)
{
    (void)state;
    check_distribution(1, 0, 1, (double[]){0.1, 0.4, 0.25, 0.25, 0});
    check_distribution(0, 0, 1, (double[]){0, 1, 0, 0, 0});
    check_distribution(0, 3, 0.5, (double[]){0, 1, 0, 0, 0});
    /* squares: 0.01, 0.16, 0.0625, 0.0625 of 0.295 */
    check_distribution(0.5, 0, 1,
                       (double[]){0.01 / 0.295, 0.16 / 0.295, 0.0625 / 0.295, 0.0625 / 0.295, 0});
    check_distribution(1, 1, 1, (double[]){0, 1, 0, 0, 0});
    check_distribution(1, 2, 1,
                       (double[]){0, 0.4 / 0.65, 0.25 / 0.65, 0, 0}); /* of equals the first */
    check_distribution(1, 9, 1, (double[]){0.1, 0.4, 0.25, 0.25, 0});
    check_distribution(1, 0, 0.3, (double[]){0, 1, 0, 0, 0});
    check_distribution(1, 0, 0.6, (double[]){0, 0.4 / 0.65, 0.25 / 0.65, 0, 0});
    check_distribution(1, 0, 0.89, (double[]){0, 0.4 / 0.9, 0.25 / 0.9, 0.25 / 0.9, 0});
    check_distribution(1, 0, 0.91, (double[]){0.1, 0.4, 0.25, 0.25, 0});
    /* of the three that top-k leaves, 0.4 / 0.9 is less than half */
    check_distribution(1, 3, 0.5, (double[]){0, 0.4 / 0.65, 0.25 / 0.65, 0, 0});
    check_distribution(1, 3, 0.44, (double[]){0, 1, 0, 0, 0});
}

/* The sum of (found - expected)^2 / expected over `count` cells with draws in them; its mean is the
   number of cells less one, its deviation the root of twice that. */
static void assert_drawn_from(size_t count, const double *probabilities, const size_t *counts,
                              size_t draws)
{
    double sum = 0, cells = -1;
    for (size_t i = 0; i < count; i++) {
        const double expected = probabilities[i] * (double)draws;
        if (probabilities[i] <= 0) {
            assert_int_equal(counts[i], 0);
            continue;
        }
        sum += ((double)counts[i] - expected) * ((double)counts[i] - expected) / expected;
        cells++;
    }
    assert_true(sum < cells + 4 * sqrt(2 * cells));
}

static void draws_follow_the_distribution(void **state)
{
    (void)state;
    const double probabilities[6] = {0.05, 0, 0.3, 0.15, 0.5, 0};
    size_t counts[6] = {0};
    struct rng rng;
    rng_seed(&rng, 1, 0);
    for (size_t i = 0; i < 100000; i++)
        counts[sample_draw(6, probabilities, &rng)]++;
    assert_drawn_from(6, probabilities, counts, 100000);
}

/*
 * Generation
 */

struct made {
    struct buf text;
    enum generation_end end;
    size_t tokens, steps;
    double log_probability;
};

/* The whole text; each piece on its own must be UTF-8. */
static struct made make(struct model *model, const struct generate_condition *condition,
                        const char *prompt, const struct generate_options *options)
{
    struct made made = {.text = BUF_INIT};
    struct generation *generation;
    struct err err = ERR_INIT;
    int code = 1;
    assert_fine(
        generation_new(&generation, model, condition, prompt, strlen(prompt), options, &err), err);
    assert_fine(buf_reserve(&made.text, 1, &err), err);
    while (code > 0) {
        const size_t begin = made.text.len;
        code = generation_step(generation, &made.text, &err);
        assert_true(code >= 0);
        assert_int_equal(utf8_valid_length(made.text.data + begin, made.text.len - begin),
                         made.text.len - begin);
        made.steps++;
    }
    assert_int_equal(generation_step(generation, &made.text, &err), 0);
    made.text.data[made.text.len] = '\0';
    made.end = generation_end(generation);
    made.tokens = generation_tokens(generation);
    made.log_probability = generation_log_probability(generation);
    generation_free(generation);
    return made;
}

/* The model's distribution of the first character after a prompt, and what many seeds draw. */
static void first_tokens_follow_the_model(void **state)
{
    struct model *model = language_model(*state, &stream_of_characters);
    struct generate_options options = plain;
    struct encoded encoded = {.count = 0};
    struct rnn_walk *walk;
    struct err err = ERR_INIT;
    struct sample_item scratch[100];
    double probabilities[100];
    size_t counts[100] = {0}, lead;
    float logits[100];
    const float *outputs = NULL;
    assert_fine(language_encode(model->tokenizer, "the c", 5, &encoded, &lead, &err), err);
    assert_int_equal(lead, 1);
    assert_fine(rnn_walk_new(&walk, model->rnn, &(struct rnn_input){.count = 0}, &err), err);
    for (size_t i = 0; i < encoded.count; i++)
        assert_fine(rnn_walk_step(walk, encoded.tokens[i].id, &outputs, &err), err);
    for (size_t i = 0; i < model->spec.vocabulary; i++)
        logits[i] = i < TOKEN_FIRST ? -INFINITY : outputs[i];
    options.max_tokens = 1;
    options.temperature = 0.7;
    sample_distribution(&(struct sample_settings){0.7, 0, 1}, model->spec.vocabulary, logits,
                        probabilities, scratch);
    for (options.seed = 0; options.seed < 3000; options.seed++) {
        struct made made = make(model, NULL, "the c", &options);
        struct encoded found = {.count = 0};
        assert_int_equal(made.end, GENERATION_LENGTH);
        assert_fine(tokenizer_encode(model->tokenizer, made.text.data, made.text.len, &found, &err),
                    err);
        assert_int_equal(found.count, 1);
        counts[found.tokens[0].id]++;
        encoded_release(&found);
        buf_release(&made.text);
    }
    assert_drawn_from(model->spec.vocabulary, probabilities, counts, 3000);
    rnn_walk_free(walk);
    encoded_release(&encoded);
    model_release(model);
}

static void the_same_seed_gives_the_same_text(void **state)
{
    struct model *model = language_model(*state, &lines_of_bytes);
    struct generate_options options = plain;
    struct made first = make(model, NULL, "the", &options);
    struct made again = make(model, NULL, "the", &options);
    assert_string_equal(first.text.data, again.text.data);
    assert_true(first.log_probability <= again.log_probability &&
                first.log_probability >= again.log_probability);
    options.seed = 1;
    struct made other = make(model, NULL, "the", &options);
    assert_string_not_equal(first.text.data, other.text.data);
    buf_release(&other.text);
    buf_release(&again.text);
    buf_release(&first.text);
    model_release(model);
}

/* Side by side, two texts are what they are alone. */
static void texts_do_not_touch_each_other(void **state)
{
    struct model *model = language_model(*state, &stream_of_characters);
    struct generate_options options = plain;
    struct made alone = make(model, NULL, "a", &options);
    struct generation *one, *two;
    struct buf text = BUF_INIT, rest = BUF_INIT;
    struct err err = ERR_INIT;
    assert_fine(generation_new(&one, model, NULL, "a", 1, &options, &err), err);
    options.seed = 7;
    assert_fine(generation_new(&two, model, NULL, "the", 3, &options, &err), err);
    while (generation_step(one, &text, &err) > 0)
        generation_step(two, &rest, &err);
    assert_string_equal(text.data, alone.text.data);
    generation_free(two);
    generation_free(one);
    buf_release(&rest);
    buf_release(&text);
    buf_release(&alone.text);
    model_release(model);
}

#define COMPANY 70
#define COMPANY_MOST 30

/* Texts with prompts of all lengths, coming and going, are what they are alone. */
static void check_company(struct model *model, const char *prompts, uint64_t seed)
{
    struct made alone[COMPANY];
    struct generation *generations[COMPANY];
    struct buf texts[COMPANY] = {BUF_INIT};
    struct generation_company *company;
    struct err err = ERR_INIT;
    struct rng rng;
    size_t begun = 0, done = 0;
    bool running[COMPANY] = {false};
    rng_seed(&rng, seed, 0);
    assert_fine(generation_company_new(&company, model, COMPANY_MOST, &err), err);
    while (done < COMPANY) {
        struct generation_turn turns[COMPANY_MOST];
        size_t count = 0, of[COMPANY_MOST];
        while (begun < COMPANY && rng_below(&rng, 3) > 0) {
            struct generate_options options = plain;
            const size_t len = (size_t)rng_below(&rng, strlen(prompts) + 1);
            char prompt[100];
            snprintf(prompt, sizeof prompt, "%.*s", (int)len, prompts);
            options.seed = begun;
            options.temperature = (double)rng_below(&rng, 3) / 2;
            options.max_tokens = 1 + (size_t)rng_below(&rng, 40);
            alone[begun] = make(model, NULL, prompt, &options);
            assert_fine(
                generation_new(&generations[begun], model, NULL, prompt, len, &options, &err), err);
            running[begun++] = true;
        }
        for (size_t i = 0; i < begun && count < COMPANY_MOST; i++)
            if (running[i] && rng_below(&rng, 4) > 0) {
                of[count] = i;
                turns[count++] =
                    (struct generation_turn){.generation = generations[i], .out = &texts[i]};
            }
        generation_company_step(company, turns, count);
        for (size_t i = 0; i < count; i++) {
            assert_true(turns[i].code >= 0);
            running[of[i]] = turns[i].code > 0;
            done += turns[i].code == 0;
        }
    }
    for (size_t i = 0; i < COMPANY; i++) {
        assert_int_equal(texts[i].len, alone[i].text.len);
        if (texts[i].len > 0)
            assert_memory_equal(texts[i].data, alone[i].text.data, texts[i].len);
        assert_int_equal(generation_tokens(generations[i]), alone[i].tokens);
        const double sum = generation_log_probability(generations[i]);
        assert_memory_equal(&sum, &alone[i].log_probability, sizeof sum);
        generation_free(generations[i]);
        buf_release(&texts[i]);
        buf_release(&alone[i].text);
    }
    generation_company_free(company);
}

static void company_changes_nothing(void **state)
{
    struct model *model = language_model(*state, &stream_of_characters);
    check_company(model, "the cat and the cart and a chart that the tall man had at hand", 1);
    model_release(model);
    model = language_model(*state, &lines_of_bytes);
    check_company(model, "the cat", 2);
    model_release(model);
}

static void temperature_zero_takes_the_largest(void **state)
{
    struct model *model = language_model(*state, &stream_of_characters);
    struct generate_options options = plain;
    options.temperature = 0;
    struct made greedy = make(model, NULL, "", &options);
    options.seed = 99;
    options.temperature = 1;
    options.top_k = 1;
    struct made first = make(model, NULL, "", &options);
    options.top_k = 0;
    options.top_p = 1e-9;
    struct made nucleus = make(model, NULL, "", &options);
    assert_int_equal(greedy.tokens, 60);
    assert_string_equal(greedy.text.data, first.text.data);
    assert_string_equal(greedy.text.data, nucleus.text.data);
    buf_release(&nucleus.text);
    buf_release(&first.text);
    buf_release(&greedy.text);
    model_release(model);
}

/* Every part of the text as a stop: the text ends before its first place, whatever tokens it is
   made of and wherever they are cut. */
static void stops_end_the_text_wherever_tokens_are_cut(void **state)
{
    static const struct language_kind kinds[] = {{.tokenizer = TOKEN_CHAR, .stream = true},
                                                 {.tokenizer = TOKEN_BPE, .bytes = 0}};
    for (size_t k = 0; k < 2; k++) {
        struct model *model = language_model(*state, &kinds[k]);
        struct generate_options options = plain;
        options.seed = 4;
        struct made whole = make(model, NULL, "a", &options);
        for (size_t begin = 0; begin < whole.text.len; begin++)
            for (size_t len = 1; len <= 9 && begin + len <= whole.text.len; len++) {
                char stop[10] = "";
                memcpy(stop, whole.text.data + begin, len);
                if (utf8_valid_length(stop, len) != len || strstr(stop, "\xEF\xBF\xBD"))
                    continue;
                const char *const stops[] = {"no such text", stop};
                options.stops = stops;
                options.stop_count = 2;
                struct made made = make(model, NULL, "a", &options);
                const size_t expected = (size_t)(strstr(whole.text.data, stop) - whole.text.data);
                assert_int_equal(made.end, GENERATION_STOP);
                assert_int_equal(made.text.len, expected);
                assert_memory_equal(made.text.data, whole.text.data, expected);
                buf_release(&made.text);
            }
        buf_release(&whole.text);
        model_release(model);
    }
}

/* What began like a stop and was none is not lost. */
static void what_does_not_become_a_stop_is_text(void **state)
{
    struct model *model = language_model(*state, &stream_of_characters);
    struct generate_options options = plain;
    options.seed = 4;
    struct made whole = make(model, NULL, "", &options);
    char stops[GENERATE_MAX_STOPS][12];
    const char *list[GENERATE_MAX_STOPS];
    for (size_t i = 0; i < GENERATE_MAX_STOPS; i++) { /* right but for their last letter */
        snprintf(stops[i], sizeof stops[i], "%.*s~", (int)(i % 6 + 1), whole.text.data + 3 * i);
        list[i] = stops[i];
    }
    options.stops = list;
    options.stop_count = GENERATE_MAX_STOPS;
    struct made made = make(model, NULL, "", &options);
    assert_int_equal(made.end, GENERATION_LENGTH);
    assert_string_equal(made.text.data, whole.text.data);
    buf_release(&made.text);
    buf_release(&whole.text);
    model_release(model);
}

/* A model of lines ends them; special tokens and half characters never come out. */
static void lines_end(void **state)
{
    struct model *model = language_model(*state, &lines_of_words);
    struct generate_options options = plain;
    size_t ended = 0;
    options.max_tokens = 300;
    for (options.seed = 0; options.seed < 40; options.seed++) {
        struct made made = make(model, NULL, "", &options);
        ended += made.end == GENERATION_END;
        assert_true(made.end == GENERATION_END || made.tokens == 300);
        assert_true(made.text.len == 0 || made.text.data[0] != ' ' || made.text.data[1] == ' ');
        assert_null(strchr(made.text.data, '<'));
        buf_release(&made.text);
    }
    assert_true(ended > 20);
    model_release(model);
}

/*
 * Scores
 */

/* The sum that training's forward pass finds. */
static double trained(const struct model *model, const char *text, const real *feature,
                      int32_t label)
{
    struct encoded encoded = {.count = 0};
    struct language_sums sums;
    struct pool *pool = pool_new(1, NULL);
    struct err err = ERR_INIT;
    int32_t ids[200];
    size_t lead = 0;
    assert_non_null(pool);
    if (model->spec.stream)
        assert_fine(language_encode(model->tokenizer, text, strlen(text), &encoded, &lead, &err),
                    err);
    else
        assert_fine(tokenizer_encode(model->tokenizer, text, strlen(text), &encoded, &err), err);
    for (size_t i = 0; i < encoded.count; i++)
        ids[i] = encoded.tokens[i].id;
    const struct language_text line = {ids, encoded.count, label, feature};
    if (model->spec.stream)
        assert_fine(language_stream(model->rnn, ids, encoded.count, lead, 1, pool, &sums, &err),
                    err);
    else
        assert_fine(language_lines(model->rnn, &line, 1, pool, &sums, &err), err);
    encoded_release(&encoded);
    pool_free(pool);
    return -sums.negative_log;
}

static void compare_score(const char *scratch, const struct language_kind *kind, const char *text)
{
    struct model *model = language_model(scratch, kind);
    struct generate_condition condition = {.label = kind->labelled ? "Polish" : NULL};
    const real feature[FEATURE] = {(real)vector[0], (real)vector[1], (real)vector[2]};
    struct text_score score;
    struct err err = ERR_INIT;
    double sum = 0;
    size_t at = 0;
    if (kind->condition != SPEC_CONDITION_NONE && !kind->labelled)
        condition = (struct generate_condition){.values = vector, .rows = 1, .width = FEATURE};
    assert_fine(model_log_probability(model, &condition, text, strlen(text), &score, &err), err);
    assert_true(fabs(score.log_probability - trained(model, text, feature, 1)) <
                1e-4 * (1 + fabs(score.log_probability)));
    for (size_t i = 0; i < score.tokens; i++) {
        sum += score.items[i].log_probability;
        assert_true(score.items[i].log_probability < 0);
        assert_true(score.items[i].begin == at || score.items[i].end <= at);
        at = score.items[i].end;
    }
    assert_int_equal(at, strlen(text));
    assert_true(fabs(sum - score.log_probability) < 1e-9);
    text_score_release(&score);
    model_release(model);
}

static void scores_are_those_of_training(void **state)
{
    static const char *const texts[] = {"the cat", "a", "\n\nsat on it, rat\n", "caf\xC3\xA9 zz"};
    for (size_t t = 0; t < sizeof texts / sizeof texts[0]; t++) {
        compare_score(*state, &stream_of_characters, texts[t]);
        compare_score(*state, &lines_of_bytes, texts[t]);
        compare_score(*state, &(struct language_kind){.tokenizer = TOKEN_BPE, .stream = true},
                      texts[t]);
        for (int at = SPEC_CONDITION_FIRST; at <= SPEC_CONDITION_EVERY; at++)
            for (int labelled = 0; labelled < 2; labelled++)
                compare_score(*state,
                              &(struct language_kind){.tokenizer = TOKEN_CHAR,
                                                      .condition = (enum spec_condition)at,
                                                      .labelled = labelled},
                              texts[t]);
    }
}

/* Generating and scoring agree about the same text. */
static void a_text_made_scores_as_it_said(void **state)
{
    struct model *model = language_model(*state, &stream_of_characters);
    struct generate_options options = plain;
    struct text_score score;
    struct err err = ERR_INIT;
    options.temperature = 0.5;
    struct made made = make(model, NULL, "", &options);
    assert_fine(model_log_probability(model, NULL, made.text.data, made.text.len, &score, &err),
                err);
    assert_int_equal(score.tokens, made.tokens);
    assert_int_equal(score.characters, made.tokens);
    assert_int_equal(score.unknown, 0);
    assert_true(fabs(score.log_probability - made.log_probability) < 1e-9);
    text_score_release(&score);
    buf_release(&made.text);
    model_release(model);
}

/* Of a stream, pieces with a warm-up find nearly what one run finds; threads change nothing. */
static void streams_are_scored_in_pieces(void **state)
{
    struct model *model = language_model(*state, &stream_of_characters);
    struct language_sums whole, pieces, threads;
    struct err err = ERR_INIT;
    struct rng rng;
    static int32_t ids[5000];
    rng_seed(&rng, 1, 0);
    for (size_t i = 0; i < 5000; i++)
        ids[i] = TOKEN_FIRST + (int32_t)rng_below(&rng, model->spec.vocabulary - TOKEN_FIRST);
    struct pool *one = pool_new(1, &err), *three = pool_new(3, &err);
    assert_fine(language_stream(model->rnn, ids, 5000, 1, 1, one, &whole, &err), err);
    assert_fine(language_stream(model->rnn, ids, 5000, 1, 7, one, &pieces, &err), err);
    assert_fine(language_stream(model->rnn, ids, 5000, 1, 7, three, &threads, &err), err);
    assert_int_equal(whole.tokens, 4999);
    assert_int_equal(pieces.tokens, 4999);
    assert_int_equal(threads.tokens, 4999);
    assert_true(fabs(pieces.negative_log / whole.negative_log - 1) < 1e-3);
    assert_true(fabs(threads.negative_log / pieces.negative_log - 1) < 1e-6);
    pool_free(three);
    pool_free(one);
    model_release(model);
}

/*
 * What makes no sense
 */

static void refuse(struct model *model, const struct generate_condition *condition,
                   const struct generate_options *options, const char *said)
{
    struct generation *generation;
    struct text_score score;
    struct err err = ERR_INIT, other = ERR_INIT;
    assert_int_equal(generation_new(&generation, model, condition, "a", 1, options, &err),
                     ERR_ARGUMENT);
    if (!strstr(err.message, said))
        fail_msg("not '%s' but '%s'", said, err.message);
    if (options != &plain)
        return;
    assert_int_equal(model_log_probability(model, condition, "a", 1, &score, &other), ERR_ARGUMENT);
    assert_string_equal(other.message, err.message);
}

static void conditions_that_do_not_fit_are_refused(void **state)
{
    const struct language_kind labelled = {
        .tokenizer = TOKEN_CHAR, .condition = SPEC_CONDITION_EVERY, .labelled = true};
    const struct language_kind featured = {.tokenizer = TOKEN_CHAR,
                                           .condition = SPEC_CONDITION_FIRST};
    const float bad[FEATURE] = {0, NAN, 1}, endless[FEATURE] = {INFINITY, 0, 1};
    const struct generate_condition label = {.label = "Greek"};
    const struct generate_condition numbers = {.values = vector, .rows = 1, .width = FEATURE};
    struct model *model = language_model(*state, &labelled);
    refuse(model, NULL, &plain, "needs a label: one of Greek, Polish");
    refuse(model, &numbers, &plain, "takes no vector");
    refuse(model, &(struct generate_condition){.label = "Klingon"}, &plain,
           "no label \"Klingon\", only Greek, Polish");
    model_release(model);
    model = language_model(*state, &featured);
    refuse(model, NULL, &plain, "needs a vector of 3 numbers");
    refuse(model, &label, &plain, "takes no label");
    refuse(model, &(struct generate_condition){.values = vector, .rows = 1, .width = 2}, &plain,
           "3 numbers, not 1 of 2");
    refuse(model, &(struct generate_condition){.values = vector, .rows = 3, .width = 1}, &plain,
           "3 numbers, not 3 of 1");
    refuse(model, &(struct generate_condition){.values = bad, .rows = 1, .width = FEATURE}, &plain,
           "number 2 of the vector is not finite");
    refuse(model, &(struct generate_condition){.values = endless, .rows = 1, .width = FEATURE},
           &plain, "number 1 of the vector is not finite");
    model_release(model);
    model = language_model(*state, &stream_of_characters);
    refuse(model, &label, &plain, "takes no label");
    refuse(model, &numbers, &plain, "takes no vector");
    model_release(model);
}

static void settings_that_make_no_sense_are_refused(void **state)
{
    struct model *model = language_model(*state, &stream_of_characters);
    const char *empty[] = {""}, *many[GENERATE_MAX_STOPS + 1];
    for (size_t i = 0; i <= GENERATE_MAX_STOPS; i++)
        many[i] = "a";
    struct generate_options options = plain;
    options.max_tokens = 0;
    refuse(model, NULL, &options, "number of tokens");
    options = plain;
    options.temperature = -1;
    refuse(model, NULL, &options, "temperature");
    options.temperature = NAN;
    refuse(model, NULL, &options, "temperature");
    options = plain;
    options.top_p = 0;
    refuse(model, NULL, &options, "top_p");
    options = plain;
    options.stops = empty;
    options.stop_count = 1;
    refuse(model, NULL, &options, "a stop has 0 bytes");
    options.stops = many;
    options.stop_count = GENERATE_MAX_STOPS + 1;
    refuse(model, NULL, &options, "17 stops");
    model_release(model);
}

/* Whoever has other work in between gets to it. */
static void a_long_prompt_takes_many_steps(void **state)
{
    struct model *model = language_model(*state, &stream_of_characters);
    char prompt[801];
    memset(prompt, 'a', sizeof prompt - 1);
    prompt[sizeof prompt - 1] = '\0';
    struct made made = make(model, NULL, prompt, &plain);
    assert_true(made.steps >= made.tokens + 90 && made.steps <= made.tokens + 110);
    buf_release(&made.text);
    model_release(model);
}

static void a_prompt_must_be_text(void **state)
{
    struct model *model = language_model(*state, &stream_of_characters);
    struct generation *generation;
    struct text_score score;
    struct err err = ERR_INIT, other = ERR_INIT;
    assert_int_equal(generation_new(&generation, model, NULL, "a\xFF", 2, &plain, &err), ERR_UTF8);
    assert_int_equal(model_log_probability(model, NULL, "a\xFF", 2, &score, &other), ERR_UTF8);
    assert_non_null(strstr(err.message, "offset 1"));
    assert_non_null(strstr(other.message, "offset 1"));
    model_release(model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distributions_are_as_by_hand),
        cmocka_unit_test(draws_follow_the_distribution),
        cmocka_unit_test(first_tokens_follow_the_model),
        cmocka_unit_test(the_same_seed_gives_the_same_text),
        cmocka_unit_test(texts_do_not_touch_each_other),
        cmocka_unit_test(company_changes_nothing),
        cmocka_unit_test(temperature_zero_takes_the_largest),
        cmocka_unit_test(stops_end_the_text_wherever_tokens_are_cut),
        cmocka_unit_test(what_does_not_become_a_stop_is_text),
        cmocka_unit_test(lines_end),
        cmocka_unit_test(scores_are_those_of_training),
        cmocka_unit_test(a_text_made_scores_as_it_said),
        cmocka_unit_test(streams_are_scored_in_pieces),
        cmocka_unit_test(conditions_that_do_not_fit_are_refused),
        cmocka_unit_test(settings_that_make_no_sense_are_refused),
        cmocka_unit_test(a_long_prompt_takes_many_steps),
        cmocka_unit_test(a_prompt_must_be_text),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
