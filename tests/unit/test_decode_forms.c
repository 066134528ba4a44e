/*
 * Decoding with weights in other forms than training's floats: packed, and as 8-bit integers. Every
 * cell, decoder and attention, in sizes that fill panels and in sizes that don't.
 */
#include "decode_checks.h"
#include "model/quantize.h"
#include "nn/half.h"

static const struct {
    enum spec_decoder decoder;
    enum attention_kind attention;
} kinds[] = {
    {SPEC_DECODER_PLAIN, ATTENTION_NONE},          {SPEC_DECODER_PLAIN, ATTENTION_GENERAL},
    {SPEC_DECODER_PLAIN, ATTENTION_ADDITIVE},      {SPEC_DECODER_INPUT_FEEDING, ATTENTION_DOT},
    {SPEC_DECODER_CONDITIONAL, ATTENTION_GENERAL}, {SPEC_DECODER_CONDITIONAL, ATTENTION_ADDITIVE},
};
#define KINDS (sizeof kinds / sizeof *kinds)

/* Cells whose stages multiply parts of their weights are among them; so are all tyings. */
static struct decode_sizes sizes_of(size_t kind, enum cell_kind cell, bool round)
{
    const size_t half = round ? 16 : 7, variant = kind + (size_t)cell;
    const bool dot = kinds[kind].attention == ATTENTION_DOT;
    return (struct decode_sizes){
        .spec = {.vocabulary = round ? 48 : 37,
                 .embedding = round ? 32 : 9,
                 .encoder = {.cell = cell, .layers = 1, .hidden = half, .bidirectional = true},
                 .decoder = {.cell = cell,
                             .layers = 1 + variant % 2,
                             .hidden = dot || round ? 2 * half : 11},
                 .decoder_kind = kinds[kind].decoder,
                 .attention = kinds[kind].attention,
                 .deep_output = variant / 2 % 2,
                 .tying = (enum spec_tying)(variant % 3)},
        .scale = 2};
}

typedef void kind_check(struct decode_model *made, struct rng *rng);

static void for_all_kinds(kind_check *run)
{
    struct rng rng;
    rng_seed(&rng, 71, 0);
    for (size_t kind = 0; kind < KINDS; kind++)
        for (size_t cell = 0; cell_names[cell]; cell++)
            for (int round = 0; round < 2; round++) {
                const struct decode_sizes sizes = sizes_of(kind, (enum cell_kind)cell, round);
                struct decode_model made;
                assert_true(decode_model_make(&made, &sizes, kind + cell));
                made.model.output_bias[TOKEN_EOS] += 2;
                run(&made, &rng);
                decode_model_release(&made);
            }
}

/* Packed ----------------------------------------------------------------------------------------
 */

static void check_packed(struct decode_model *made, struct rng *rng)
{
    made->model.packs = true;
    for (size_t i = 0; i < 2; i++) {
        const struct words words = random_words(rng, made->model.vocabulary);
        const struct decode_options options = random_options(rng);
        compare_with_reference(&made->alone, &words, &options);
    }
    assert_non_null(made->model.packed);
    check_company(&made->alone, 12, 2, rng);
    mem_free(made->model.packed);
}

static void test_packed(void **state)
{
    (void)state;
    for_all_kinds(check_packed);
}

/* 8 bits ----------------------------------------------------------------------------------------
 */

/* Matrices become integers; the floats are forgotten. */
static void quantize(struct seq2seq *model, struct arena *arena)
{
    struct parameter list[SEQ2SEQ_MAX_PARAMETERS];
    const size_t count = seq2seq_parameters(model, list);
    for (size_t i = 0; i < count; i++) {
        if (!list[i].form)
            continue;
        assert_int_equal(quantize_matrix(&list[i], arena, list[i].form, NULL), 0);
        *list[i].slot = NULL;
    }
    seq2seq_tie(model);
}

/* Half a step of the scale, and what rounding adds. */
static void check_expanded(const struct seq2seq *model, const struct seq2seq *expanded)
{
    struct seq2seq copies[2] = {*model, *expanded};
    struct parameter before[SEQ2SEQ_MAX_PARAMETERS], after[SEQ2SEQ_MAX_PARAMETERS];
    const size_t count = seq2seq_parameters(&copies[0], before);
    assert_int_equal(seq2seq_parameters(&copies[1], after), count);
    for (size_t i = 0; i < count; i++) {
        const size_t columns = before[i].columns ? before[i].columns : 1;
        const real *x = *before[i].slot, *y = *after[i].slot;
        assert_int_equal(before[i].rows, after[i].rows);
        for (size_t k = 0; k < before[i].rows * columns; k++)
            if (!before[i].form)
                assert_true(x[k] == y[k]);
            else
                assert_true(fabsf(x[k] - y[k]) < 8 / 127.0f / 2); /* none is above 8 */
    }
}

/* What rounding the activations does to the logarithms of a probability, for each token. */
#define LOG_TOLERANCE 0.2

static void compare_with_floats(const struct ensemble *quantized, const struct seq2seq *floats,
                                const struct words *words)
{
    const struct ensemble alone = {.models = {floats}, .count = 1};
    const struct decode_options options = {.beam = 3, .nbest = 3, .max_length = 12};
    struct reference_source source = {&alone, words->ids, words->count};
    struct decode_result *result = decode_alone(quantized, words, &options);
    double next[256];
    for (size_t i = 0; i < result->count; i++) {
        const struct hypothesis *hypothesis = &result->hypotheses[i];
        const size_t count = hypothesis->count;
        double sum = 0;
        for (size_t k = 0; k <= count; k++) {
            assert_int_equal(reference_next(&source, hypothesis->ids, k, next, NULL, NULL), 0);
            sum += k < count               ? next[hypothesis->ids[k]]
                   : hypothesis->truncated ? 0
                                           : next[TOKEN_EOS];
        }
        const double off = fabs(sum - (double)hypothesis->log_probability);
        if (!(off < LOG_TOLERANCE * (double)(count + 1)))
            fail_msg("%zu tokens of log probability %g, not %g", count,
                     (double)hypothesis->log_probability, sum);
    }
    decode_result_free(result);
}

static void check_int8(struct decode_model *made, struct rng *rng)
{
    const struct seq2seq before = made->model;
    struct seq2seq *floats;
    struct arena arena;
    arena_init(&arena, 1 << 16);
    quantize(&made->model, &arena);
    assert_int_equal(seq2seq_expand(&floats, &made->model, NULL), 0);
    check_expanded(&before, floats);
    for (size_t i = 0; i < 3; i++) {
        const struct words words = random_words(rng, made->model.vocabulary);
        compare_with_floats(&made->alone, floats, &words);
    }
    check_company(&made->alone, 12, 2, rng);
    assert_null(made->model.packed);
    seq2seq_free(floats);
    arena_release(&arena);
}

static void test_int8(void **state)
{
    (void)state;
    for_all_kinds(check_int8);
}

/* 16 bits ---------------------------------------------------------------------------------------
 */

/* Every one of them is its own nearest. */
static void test_halves(void **state)
{
    (void)state;
    for (unsigned half = 0; half < 0x10000; half++)
        if ((half & 0x7c00) != 0x7c00)
            assert_int_equal(half_nearest(half_value((uint16_t)half)), half);
    assert_true(half_value(0x3c00) == 1 && half_value(0xc000) == -2);
    assert_true(half_value(0x7bff) == HALF_LARGEST && half_value(1) == 0x1p-24f);
}

static void test_nearest_halves(void **state)
{
    (void)state;
    struct rng rng;
    rng_seed(&rng, 72, 0);
    for (size_t i = 0; i < 100000; i++) {
        const float value = (float)ldexp(rng_normal(&rng), (int)rng_below(&rng, 40) - 26);
        if (fabsf(value) > HALF_LARGEST)
            continue;
        const uint16_t half = half_nearest(value);
        const float distance = fabsf(half_value(half) - value);
        if (half & 0x3ff) /* neighbours of the same sign */
            assert_true(distance <= fabsf(half_value((uint16_t)(half - 1)) - value));
        if ((half & 0x3ff) < 0x3ff)
            assert_true(distance <= fabsf(half_value((uint16_t)(half + 1)) - value));
    }
    assert_int_equal(half_nearest(1 + 0x1p-11f), 0x3c00); /* in the middle: to even */
    assert_int_equal(half_nearest(1 + 3 * 0x1p-11f), 0x3c02);
    assert_int_equal(half_nearest(-0x1p-26f), 0x8000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_packed),
        cmocka_unit_test(test_int8),
        cmocka_unit_test(test_halves),
        cmocka_unit_test(test_nearest_halves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
