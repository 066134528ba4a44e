/*
 * Decoding with every kind of network that training knows, and with several at a time: against the
 * training path, and against itself in company.
 */
#include "decode_checks.h"

/* Kinds ---------------------------------------------------------------------------------------- */

struct cell_choice {
    enum cell_kind cell;
    enum cell_norm norm;
};

static const struct cell_choice cells[] = {
    {CELL_GRU, CELL_NORM_NONE},      {CELL_LSTM, CELL_NORM_NONE},
    {CELL_MUT1, CELL_NORM_NONE},     {CELL_MUT2, CELL_NORM_NONE},
    {CELL_GRU, CELL_NORM_SEPARATE},  {CELL_GRU, CELL_NORM_JOINT},
    {CELL_LSTM, CELL_NORM_SEPARATE}, {CELL_RNN_TANH, CELL_NORM_NONE},
    {CELL_GRU_CHO, CELL_NORM_NONE},  {CELL_LSTM_PEEPHOLE, CELL_NORM_JOINT},
};
#define CELLS (sizeof cells / sizeof *cells)

/* A network of this kind; `variant` decides about all that goes with every kind. */
static struct decode_sizes kind_of(enum spec_decoder decoder, enum attention_kind attention,
                                   const struct cell_choice *choice, size_t variant)
{
    const size_t half = 7, E = variant % 2 ? 14 : 9;
    const bool same = attention == ATTENTION_DOT || variant % 2;
    return (struct decode_sizes){
        .spec = {.vocabulary = 37,
                 .embedding = E,
                 .encoder = {.cell = choice->cell,
                             .norm = choice->norm,
                             .layers = 1 + variant % 3,
                             .hidden = half,
                             .bidirectional = true,
                             .residual = variant % 2},
                 .decoder = {.cell = choice->cell,
                             .norm = choice->norm,
                             .layers = 1 + variant / 2 % 3,
                             .hidden = same ? 2 * half : 11,
                             .residual = variant % 2},
                 .decoder_kind = decoder,
                 .attention = attention,
                 .bridge = variant / 2 % 2 ? SPEC_BRIDGE_MEAN : SPEC_BRIDGE_LAST,
                 .deep_output = variant / 3 % 2,
                 .tying = (enum spec_tying)(variant % 3)},
        /* Normalised products grow with the weights: steep gates would magnify rounding. */
        .scale = choice->norm == CELL_NORM_NONE ? 2.5 : 1.5,
    };
}

static void check_kind(const struct decode_sizes *sizes, uint64_t seed, struct rng *rng)
{
    struct decode_model made;
    assert_true(decode_model_make(&made, sizes, seed));
    made.model.output_bias[TOKEN_EOS] += 2;
    for (size_t i = 0; i < 4; i++) {
        const struct words words = random_words(rng, made.model.vocabulary);
        struct decode_options options = random_options(rng);
        if (i == 0)
            options.beam = options.nbest = 1;
        compare_with_reference(&made.alone, &words, &options);
    }
    check_company(&made.alone, 12, 2, rng);
    decode_model_release(&made);
}

static void check_decoder(enum spec_decoder decoder, enum attention_kind first)
{
    struct rng rng;
    rng_seed(&rng, 21, decoder);
    for (int attention = (int)first; attention <= (int)ATTENTION_ADDITIVE; attention++)
        for (size_t c = 0; c < CELLS; c++)
            for (size_t v = 0; v < 3; v++) {
                const struct decode_sizes sizes =
                    kind_of(decoder, (enum attention_kind)attention, &cells[c], 5 * c + 7 * v);
                check_kind(&sizes, 3 * c + v, &rng);
            }
}

static void test_plain(void **state)
{
    (void)state;
    check_decoder(SPEC_DECODER_PLAIN, ATTENTION_NONE);
}

static void test_input_feeding(void **state)
{
    (void)state;
    check_decoder(SPEC_DECODER_INPUT_FEEDING, ATTENTION_DOT);
}

static void test_conditional(void **state)
{
    (void)state;
    check_decoder(SPEC_DECODER_CONDITIONAL, ATTENTION_DOT);
}

/* An encoder of one direction, whose last state is after the last token. */
static void test_one_direction(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 22, 0);
    for (size_t v = 0; v < 6; v++) {
        struct decode_sizes sizes =
            kind_of(SPEC_DECODER_CONDITIONAL, ATTENTION_ADDITIVE, &cells[v % CELLS], v);
        sizes.spec.encoder.bidirectional = false;
        check_kind(&sizes, v, &rng);
    }
}

/* Ensembles ------------------------------------------------------------------------------------ */

static const struct decode_sizes members[] = {
    {{DECODE_GRU(37, 9, 7, true, 11), .tying = SPEC_TYING_THREE_WAY}, 2.5},
    {{.vocabulary = 37,
      .embedding = 6,
      .encoder = {.cell = CELL_LSTM, .layers = 2, .hidden = 5, .bidirectional = true},
      .decoder = {.cell = CELL_LSTM, .layers = 1, .hidden = 8},
      .decoder_kind = SPEC_DECODER_INPUT_FEEDING,
      .attention = ATTENTION_ADDITIVE,
      .tying = SPEC_TYING_NONE},
     2},
    {{.vocabulary = 37, /* no attention: theirs is that of the others */
      .embedding = 10,
      .encoder = {.cell = CELL_GRU, .layers = 1, .hidden = 12},
      .decoder = {.cell = CELL_GRU, .layers = 2, .hidden = 9},
      .decoder_kind = SPEC_DECODER_PLAIN,
      .attention = ATTENTION_NONE,
      .tying = SPEC_TYING_TWO_WAY},
     3},
};
#define MEMBERS (sizeof members / sizeof *members)

struct company { /* of models */
    struct decode_model made[MEMBERS];
    struct ensemble ensemble;
};

/* The models whose bits are set in `which`. */
static void company_make(struct company *company, unsigned which, uint64_t seed)
{
    *company = (struct company){.ensemble = {.count = 0}};
    for (size_t i = 0; i < MEMBERS; i++) {
        assert_true(decode_model_make(&company->made[i], &members[i], seed + i));
        company->made[i].model.output_bias[TOKEN_EOS] += 2;
        if (which >> i & 1)
            company->ensemble.models[company->ensemble.count++] = &company->made[i].model;
    }
}

static void company_release(struct company *company)
{
    for (size_t i = 0; i < MEMBERS; i++)
        decode_model_release(&company->made[i]);
}

/* The mean of the models' probabilities, worked out in the reference. */
static void test_ensembles(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 23, 0);
    for (unsigned which = 1; which < 1u << MEMBERS; which++)
        for (uint64_t seed = 0; seed < 6; seed++) {
            struct company company;
            company_make(&company, which, seed);
            for (size_t i = 0; i < 4; i++) {
                const struct words words = random_words(&rng, 37);
                const struct decode_options options = random_options(&rng);
                compare_with_reference(&company.ensemble, &words, &options);
            }
            check_company(&company.ensemble, 12, 2, &rng);
            company_release(&company);
        }
}

static void assert_alike(const struct decode_result *a, const struct decode_result *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        const struct hypothesis *x = &a->hypotheses[i], *y = &b->hypotheses[i];
        assert_int_equal(x->count, y->count);
        assert_memory_equal(x->ids, y->ids, x->count * sizeof *x->ids);
        assert_int_equal(x->truncated, y->truncated);
        assert_true(fabs((double)x->score - (double)y->score) <
                    1e-5 * (1 + fabs((double)y->score)));
        for (size_t s = 0; x->attention && s < x->count * a->source_count; s++)
            assert_true(fabs((double)x->attention[s] - (double)y->attention[s]) < 1e-6);
    }
}

/* Several times the same model is that model. */
static void test_the_same(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 24, 0);
    for (size_t m = 0; m < MEMBERS; m++)
        for (size_t times = 2; times <= DECODE_MAX_MODELS; times += 7) {
            struct decode_model made;
            assert_true(decode_model_make(&made, &members[m], m));
            struct ensemble many = {.count = times};
            for (size_t i = 0; i < times; i++)
                many.models[i] = &made.model;
            const struct words words = random_words(&rng, 37);
            const struct decode_options options = {
                .beam = 4, .nbest = 4, .max_length = 9, .length_penalty = 1};
            struct decode_result *one = decode_alone(&made.alone, &words, &options);
            struct decode_result *all = decode_alone(&many, &words, &options);
            assert_alike(all, one);
            decode_result_free(all);
            decode_result_free(one);
            decode_model_release(&made);
        }
}

/* One model is nearly certain of what another one nearly excludes. */
static void test_disagreement(void **state)
{
    (void)state;
    struct company company;
    company_make(&company, 3, 1);
    company.made[0].model.output_bias[9] += 300;
    company.made[1].model.output_bias[11] += 300;
    const struct words words = {.ids = {10, 20, 30}, .count = 3};
    const struct decode_options options = {.beam = 2, .nbest = 2, .max_length = 1};
    struct decode_result *result = decode_alone(&company.ensemble, &words, &options);
    assert_int_equal(result->count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(result->hypotheses[i].count, 1);
        assert_true(fabs((double)result->hypotheses[i].log_probability - log(0.5)) < 1e-5);
    }
    assert_int_equal(result->hypotheses[0].ids[0] + result->hypotheses[1].ids[0], 9 + 11);
    decode_result_free(result);
    company_release(&company);
}

static void test_wrong_ensembles(void **state)
{
    (void)state;
    const struct decode_sizes other = {{DECODE_GRU(36, 9, 7, true, 11)}, 1};
    struct company company;
    struct decode_model made;
    struct err err = ERR_INIT;
    company_make(&company, 1, 1);
    assert_true(decode_model_make(&made, &other, 1));
    struct ensemble ensemble = {.models = {&company.made[0].model, &made.model}, .count = 2};
    assert_null(decoder_new(&ensemble, 5, &err));
    assert_int_equal(err.code, ERR_ARGUMENT);
    for (size_t i = 0; i < 2; i++) {
        err_clear(&err);
        ensemble.count = i ? DECODE_MAX_MODELS + 1 : 0;
        assert_null(decoder_new(&ensemble, 5, &err));
        assert_int_equal(err.code, ERR_ARGUMENT);
    }
    decode_model_release(&made);
    company_release(&company);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),        cmocka_unit_test(test_input_feeding),
        cmocka_unit_test(test_conditional),  cmocka_unit_test(test_one_direction),
        cmocka_unit_test(test_ensembles),    cmocka_unit_test(test_the_same),
        cmocka_unit_test(test_disagreement), cmocka_unit_test(test_wrong_ensembles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
