/* Decoding when memory runs out: the first error comes back, nothing leaks, and a result that could
   not be allocated is still there at the next step. */
#include <string.h>

#include "fault.h"
#include "unit/decode_model.h"

static const struct decode_sizes sizes = {
    {DECODE_GRU(30, 8, 6, true, 12), .tying = SPEC_TYING_THREE_WAY}, 2};
/* All that a decoder can have: input feeding, layers, additive attention. */
static const struct decode_sizes rich = {
    {.vocabulary = 30,
     .embedding = 8,
     .encoder = {.cell = CELL_LSTM, .layers = 2, .hidden = 6, .bidirectional = true},
     .decoder = {.cell = CELL_LSTM, .layers = 2, .hidden = 12, .residual = true},
     .decoder_kind = SPEC_DECODER_INPUT_FEEDING,
     .attention = ATTENTION_ADDITIVE,
     .tying = SPEC_TYING_NONE},
    2};
static const int32_t source[] = {4, 9, 20, 7, 11};
static const struct decode_options options = {
    .beam = 3, .nbest = 2, .max_length = 6, .length_penalty = 1};

static void take_all(struct decoder *decoder, size_t *taken)
{
    struct decode_result *result;
    while ((result = decoder_take(decoder))) {
        decode_result_free(result);
        ++*taken;
    }
}

/* Three sentences, one of them empty, in a decoder that two fit at a time. */
static int decode_three(struct decoder *decoder, struct err *err)
{
    size_t taken = 0;
    int status = decoder_join(decoder, source, 5, &options, NULL, err);
    if (!status)
        status = decoder_join(decoder, source, 0, &options, NULL, err);
    if (!status)
        status = decoder_step(decoder, err);
    if (!status)
        status = decoder_join(decoder, source, 2, &options, NULL, err);
    while (!status && !decoder_idle(decoder)) {
        status = decoder_step(decoder, err);
        take_all(decoder, &taken);
    }
    assert_true(status || taken == 3);
    return status;
}

static int make_and_decode(void *context, struct err *err)
{
    struct decoder *decoder = decoder_new(context, 6, err);
    if (!decoder)
        return err->code;
    const int status = decode_three(decoder, err);
    decoder_free(decoder);
    return status;
}

static void test_every_allocation(void **state)
{
    struct decode_model made, other;
    (void)state;
    assert_true(decode_model_make(&made, &sizes, 1));
    assert_true(decode_model_make(&other, &rich, 1));
    struct ensemble both = {.models = {&made.model, &other.model}, .count = 2};
    const long alone = fault_loop(make_and_decode, &made.alone);
    assert_true(alone > 20);
    assert_true(fault_loop(make_and_decode, &both) > alone);
    decode_model_release(&other);
    decode_model_release(&made);
}

/* One sentence; where `failing`, each allocation of its steps fails once and the step is repeated.
 */
static struct decode_result *decode_with_failures(const struct decode_model *made, bool failing,
                                                  size_t *failures)
{
    struct err err = ERR_INIT;
    struct decoder *decoder = decoder_new(&made->alone, 3, &err);
    assert_non_null(decoder);
    assert_int_equal(decoder_join(decoder, source, 5, &options, NULL, &err), 0);
    struct decode_result *result = NULL;
    for (long n = 1; !(result = decoder_take(decoder)); err_clear(&err)) {
        mem_fail_at(failing ? n : 0);
        const int status = decoder_step(decoder, &err);
        mem_fail_at(0);
        assert_true(status == 0 || status == ERR_MEMORY);
        assert_int_equal(err.code, status);
        if (status) {
            assert_null(decoder_take(decoder));
            assert_int_equal(decoder_free_rows(decoder), 0);
            ++*failures;
            n++;
        }
    }
    assert_true(decoder_idle(decoder));
    decoder_free(decoder);
    return result;
}

static void test_steps_try_again(void **state)
{
    struct decode_model made;
    size_t failures = 0;
    (void)state;
    assert_true(decode_model_make(&made, &sizes, 2));
    struct decode_result *without = decode_with_failures(&made, false, &failures);
    assert_int_equal(failures, 0);
    struct decode_result *with = decode_with_failures(&made, true, &failures);
    assert_int_equal(failures, 1 + 2 * 2); /* the result, and ids and attention of two */
    assert_int_equal(with->count, without->count);
    for (size_t i = 0; i < with->count; i++) {
        const struct hypothesis *x = &with->hypotheses[i], *y = &without->hypotheses[i];
        assert_int_equal(x->count, y->count);
        assert_memory_equal(x->ids, y->ids, x->count * sizeof *x->ids);
        assert_memory_equal(&x->score, &y->score, sizeof x->score);
    }
    decode_result_free(with);
    decode_result_free(without);
    decode_model_release(&made);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_allocation),
        cmocka_unit_test(test_steps_try_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
