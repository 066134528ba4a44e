/*
 * Decoding from rows of numbers: what greedy search says is what the training path finds most
 * probable token by token, with the same attention; rows that cannot be read are refused.
 */
#include "unit.h"

#include <math.h>
#include <string.h>

#include "decode_model.h"
#include "model/seq2seq_parts.h"
#include "text/token.h"

#define VOCABULARY 23
#define ROW 5
#define MOST 9 /* rows */

static const struct decode_sizes networks[] = {
    {{.vocabulary = VOCABULARY,
      .embedding = 9,
      .row = ROW,
      .decoder = {.cell = CELL_GRU, .layers = 1, .hidden = 11},
      .decoder_kind = SPEC_DECODER_CONDITIONAL,
      .attention = ATTENTION_ADDITIVE,
      .bridge = SPEC_BRIDGE_MEAN,
      .deep_output = true,
      .tying = SPEC_TYING_TWO_WAY},
     2.5},
    {{.vocabulary = VOCABULARY,
      .embedding = 10,
      .row = ROW,
      .decoder = {.cell = CELL_LSTM, .layers = 2, .hidden = 10},
      .decoder_kind = SPEC_DECODER_INPUT_FEEDING,
      .attention = ATTENTION_DOT,
      .bridge = SPEC_BRIDGE_MEAN,
      .tying = SPEC_TYING_NONE},
     2.5},
    {{DECODE_GRU(VOCABULARY, 8, 6, true, 9), .row = ROW, .tying = SPEC_TYING_TWO_WAY}, 2.5},
};
#define NETWORKS (sizeof networks / sizeof *networks)

static void make(struct decode_model *made, size_t i)
{
    assert_true(decode_model_make(made, &networks[i], 7 + i));
    made->model.output_bias[TOKEN_EOS] += 1;
}

static size_t random_rows(struct rng *rng, float rows[MOST * ROW])
{
    const size_t count = 1 + rng_below(rng, MOST);
    for (size_t i = 0; i < count * ROW; i++)
        rows[i] = (float)rng_normal(rng);
    return count;
}

static struct decode_result *decode(const struct ensemble *ensemble, const float *rows,
                                    size_t count, size_t beam)
{
    const struct decode_options options = {.beam = beam, .nbest = 1, .length_penalty = 1};
    struct err err = ERR_INIT;
    struct decode_result *result;
    struct decoder *decoder = decoder_new(ensemble, beam, &err);
    assert_non_null(decoder);
    assert_fine(decoder_join_rows(decoder, rows, count, ROW, &options, NULL, &err), err);
    while ((result = decoder_take(decoder)) == NULL)
        assert_fine(decoder_step(decoder, &err), err);
    decoder_free(decoder);
    return result;
}

/* The training path over the rows and a hypothesis: a pass with logits [count + 1, V]. */
static real *run_training(struct seq2seq_pass *pass, const struct seq2seq *model, const float *rows,
                          size_t count, const struct hypothesis *best, struct seq2seq_batch *batch)
{
    static const struct seq2seq_training training = {.scale = 0};
    const struct seq2seq_pair pair = {.rows = rows,
                                      .row = ROW,
                                      .source_count = count,
                                      .target = best->ids,
                                      .target_count = best->count};
    struct err err = ERR_INIT;
    *pass = (struct seq2seq_pass){
        .model = model, .batch = batch, .training = &training, .arena = pass->arena};
    assert_fine(seq2seq_batch_make(batch, &pair, 1, pass->arena, &err), err);
    assert_int_equal(batch->source_steps, count);
    assert_fine(seq2seq_pass_forward(pass, &err), err);
    real *logits = arena_alloc(pass->arena, (best->count + 1) * VOCABULARY, sizeof *logits, &err);
    assert_non_null(logits);
    seq2seq_logits(model, best->count + 1, pass->output, logits);
    return logits;
}

/* The token that greedy search takes, and the natural logarithm of its probability. */
static size_t most_probable(const real *logits, double *log_probability)
{
    size_t best = TOKEN_EOS;
    double sum = 0;
    for (size_t v = 0; v < VOCABULARY; v++) {
        sum += exp((double)logits[v]);
        if (v != TOKEN_PAD && v != TOKEN_BOS && v != TOKEN_UNK && logits[v] > logits[best])
            best = v;
    }
    *log_probability = (double)logits[best] - log(sum);
    return best;
}

static void check_greedy(const struct decode_model *made, const float *rows, size_t count)
{
    struct decode_result *result = decode(&made->alone, rows, count, 1);
    const struct hypothesis *best = &result->hypotheses[0];
    struct seq2seq_batch batch;
    struct arena arena;
    struct seq2seq_pass pass = {.arena = &arena};
    double sum = 0, one;
    arena_init(&arena, 1 << 16);
    const real *logits = run_training(&pass, &made->model, rows, count, best, &batch);
    assert_int_equal(result->source_count, count);
    for (size_t t = 0; t < best->count + !best->truncated; t++) {
        const size_t wanted = t < best->count ? (size_t)best->ids[t] : TOKEN_EOS;
        assert_int_equal(most_probable(logits + t * VOCABULARY, &one), wanted);
        sum += one;
        for (size_t s = 0; t < best->count && s < count; s++)
            assert_true(fabs((double)best->attention[t * count + s] -
                             (double)pass.attention.weights[t * count + s]) < 1e-4);
    }
    assert_true(fabs(sum - (double)best->log_probability) < 1e-3 * (1 + fabs(sum)));
    arena_release(&arena);
    decode_result_free(result);
}

static void greedy_search_agrees_with_training(void **state)
{
    (void)state;
    for (size_t i = 0; i < NETWORKS; i++) {
        struct decode_model made;
        struct rng rng;
        make(&made, i);
        rng_seed(&rng, 5, i);
        for (size_t n = 0; n < 20; n++) {
            float rows[MOST * ROW];
            check_greedy(&made, rows, random_rows(&rng, rows));
        }
        decode_model_release(&made);
    }
}

/* Several at a time, in other company and order: the same bytes. */
static void company_changes_nothing(void **state)
{
    const struct decode_options options = {.beam = 3, .nbest = 1, .length_penalty = 1};
    enum { COUNT = 6 };
    float rows[COUNT][MOST * ROW];
    size_t counts[COUNT], found = 0;
    struct decode_model made;
    struct err err = ERR_INIT;
    struct rng rng;
    (void)state;
    make(&made, 0);
    rng_seed(&rng, 6, 0);
    struct decoder *decoder = decoder_new(&made.alone, 3 * COUNT, &err);
    assert_non_null(decoder);
    for (size_t i = 0; i < COUNT; i++) {
        counts[i] = random_rows(&rng, rows[i]);
        assert_fine(decoder_join_rows(decoder, rows[i], counts[i], ROW, &options, &counts[i], &err),
                    err);
    }
    while (found < COUNT) {
        struct decode_result *together = decoder_take(decoder);
        if (together == NULL) {
            assert_fine(decoder_step(decoder, &err), err);
            continue;
        }
        const size_t i = (size_t)((size_t *)together->tag - counts);
        struct decode_result *alone = decode(&made.alone, rows[i], counts[i], 3);
        const struct hypothesis *a = &alone->hypotheses[0], *b = &together->hypotheses[0];
        assert_int_equal(a->count, b->count);
        assert_memory_equal(a->ids, b->ids, a->count * sizeof *a->ids);
        assert_memory_equal(&a->score, &b->score, sizeof a->score);
        decode_result_free(alone);
        decode_result_free(together);
        found++;
    }
    decoder_free(decoder);
    decode_model_release(&made);
}

static void assert_join_fails(struct decoder *decoder, const float *rows, size_t count,
                              size_t width, int code, const char *words)
{
    const struct decode_options options = {.beam = 1, .nbest = 1, .length_penalty = 1};
    struct err err = ERR_INIT;
    assert_int_equal(decoder_join_rows(decoder, rows, count, width, &options, NULL, &err), code);
    if (strstr(err.message, words) == NULL)
        fail_msg("'%s' does not say '%s'", err.message, words);
    assert_true(decoder_idle(decoder));
}

static void bad_rows_are_refused(void **state)
{
    const struct decode_options options = {.beam = 1, .nbest = 1, .length_penalty = 1};
    static float rows[(DECODE_MAX_SOURCE + 1) * ROW];
    const int32_t ids[] = {4, 5};
    struct decode_model made;
    struct err err = ERR_INIT;
    (void)state;
    make(&made, 0);
    struct decoder *decoder = decoder_new(&made.alone, 1, &err);
    assert_non_null(decoder);
    assert_join_fails(decoder, rows, 2, ROW + 1, ERR_ARGUMENT, "rows of 6 numbers, not of 5");
    assert_join_fails(decoder, rows, DECODE_MAX_SOURCE + 1, ROW, ERR_LIMIT, "513 rows");
    rows[ROW + 2] = NAN;
    assert_join_fails(decoder, rows, 2, ROW, ERR_ARGUMENT, "row 2, column 3 is not finite");
    rows[ROW + 2] = (float)-INFINITY;
    assert_join_fails(decoder, rows, 2, ROW, ERR_ARGUMENT, "row 2, column 3 is not finite");
    for (size_t i = 0; i < 2 * ROW; i++)
        rows[i] = 3e38f;
    for (size_t i = 0; i < made.model.embedding * ROW; i++)
        made.model.row_weight[i] = i % 2 ? 3e3f : -3e3f;
    assert_join_fails(decoder, rows, 2, ROW, ERR_ARGUMENT, "too large for the model");
    assert_int_equal(decoder_join(decoder, ids, 2, &options, NULL, &err), ERR_ARGUMENT);
    decoder_free(decoder);
    decode_model_release(&made);
}

static void models_of_other_rows_do_not_mix(void **state)
{
    struct decode_sizes wider = networks[0];
    struct decode_model one, other;
    struct err err = ERR_INIT;
    (void)state;
    wider.spec.row = ROW + 1;
    make(&one, 0);
    assert_true(decode_model_make(&other, &wider, 3));
    const struct ensemble both = {.models = {&one.model, &other.model}, .count = 2};
    assert_null(decoder_new(&both, 4, &err));
    assert_int_equal(err.code, ERR_ARGUMENT);
    decode_model_release(&other);
    decode_model_release(&one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(greedy_search_agrees_with_training),
        cmocka_unit_test(company_changes_nothing),
        cmocka_unit_test(bad_rows_are_refused),
        cmocka_unit_test(models_of_other_rows_do_not_mix),
    };
    mat_use_one_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
