/* Whole corpora through the translator: the same as one by one, in the right places, whatever the
   threads; bad texts alone fail; every allocation may. */
#include "unit.h"

#include <string.h>

#include "fault/fault.h"
#include "model/batch.h"
#include "model/model.h"
#include "support/tiny_bundle.h"
#include "text/token.h"

#define COUNT 60

static struct model *model;
static struct ensemble ensemble;
static const struct decode_options greedy = {.beam = 1, .nbest = 1, .length_penalty = 1};
static const struct decode_options beam = {.beam = 3, .nbest = 2, .length_penalty = 1};

struct texts {
    char words[COUNT][200];
    struct batch_text texts[COUNT];
};

/* Sentences of 0 to 12 words, some of them alike. */
static void make_texts(struct texts *texts)
{
    static const char *const words[] = {"I", "see", "the", "cat", "dog", "là", "où", "22", "film."};
    for (size_t i = 0; i < COUNT; i++) {
        char *text = texts->words[i];
        text[0] = '\0';
        for (size_t w = 0; w < i * 7 % 13; w++)
            snprintf(text + strlen(text), 20, "%s%s", w > 0 ? " " : "", words[(i * w + w) % 9]);
        texts->texts[i] = (struct batch_text){text, strlen(text)};
    }
}

static int open_model(void **state)
{
    char folder[4200];
    struct err err = ERR_INIT;
    struct tiny_bundle bundle = {.name = "tiny", .kind = SPEC_SEQ2SEQ, .seed = 3};
    if (scratch_make(state) != 0)
        return -1;
    snprintf(folder, sizeof(folder), "%s/tiny", (char *)*state);
    if (tiny_bundle_write(folder, &bundle, &err) < 0 || model_open(&model, folder, &err) < 0)
        fail_msg("%s", err.message);
    ensemble = (struct ensemble){.models = {model->seq2seq}, .count = 1};
    return 0;
}

static int close_model(void **state)
{
    model_release(model);
    return scratch_remove(state);
}

static int translate_all(const struct texts *texts, const struct decode_options *options,
                         int threads, struct batch_output *outputs, struct err *err)
{
    struct pool *pool = pool_new(threads, err);
    if (pool == NULL)
        return err->code;
    int code = batch_translate(&ensemble, model->tokenizer, options, pool, texts->texts, COUNT,
                               outputs, err);
    pool_free(pool);
    return code;
}

static void release_all(struct batch_output *outputs)
{
    for (size_t i = 0; i < COUNT; i++)
        batch_output_release(&outputs[i]);
}

static void check_one(const struct batch_text *text, const struct decode_options *options,
                      const struct batch_output *output)
{
    struct err err = ERR_INIT;
    struct buf alone = BUF_INIT;
    float score;
    assert_int_equal(output->err.code, 0);
    assert_in_range(output->count, 1, options->nbest);
    assert_fine(model_translate(model, text->data, text->len, options, &alone, &score, &err), err);
    assert_string_equal(output->candidates[0].text, alone.data ? alone.data : "");
    assert_int_equal(output->candidates[0].len, alone.len);
    assert_memory_equal(&output->candidates[0].score, &score, sizeof(score));
    for (size_t i = 1; i < output->count; i++)
        assert_true(output->candidates[i].score <= output->candidates[i - 1].score);
    buf_release(&alone);
}

static void test_same_as_alone(void **state)
{
    (void)state;
    static const struct decode_options *const options[] = {&greedy, &beam};
    struct texts texts;
    make_texts(&texts);
    for (int threads = 1; threads <= 3; threads++) {
        for (size_t o = 0; o < 2; o++) {
            struct err err = ERR_INIT;
            struct batch_output outputs[COUNT] = {0};
            assert_fine(translate_all(&texts, options[o], threads, outputs, &err), err);
            for (size_t i = 0; i < COUNT; i++)
                check_one(&texts.texts[i], options[o], &outputs[i]);
            assert_int_equal(outputs[2].count, options[o]->nbest);
            release_all(outputs);
        }
    }
}

static void test_bad_texts(void **state)
{
    (void)state;
    static char endless[4 * DECODE_MAX_SOURCE + 1];
    struct err err = ERR_INIT;
    struct texts texts;
    struct batch_output outputs[COUNT] = {0};
    make_texts(&texts);
    for (size_t i = 0; i < 2 * DECODE_MAX_SOURCE; i++)
        memcpy(&endless[2 * i], "a ", 3);
    texts.texts[4] = (struct batch_text){"bad \xc3", 5};
    texts.texts[9] = (struct batch_text){endless, strlen(endless)};
    assert_fine(translate_all(&texts, &beam, 2, outputs, &err), err);
    for (size_t i = 0; i < COUNT; i++) {
        if (i != 4 && i != 9) {
            check_one(&texts.texts[i], &beam, &outputs[i]);
            continue;
        }
        assert_int_equal(outputs[i].err.code, i == 4 ? ERR_UTF8 : ERR_LIMIT);
        assert_true(outputs[i].err.message[0] != '\0');
        assert_int_equal(outputs[i].count, 0);
    }
    release_all(outputs);
}

static void test_nothing(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct pool *pool = pool_new(2, &err);
    assert_non_null(pool);
    assert_fine(batch_translate(&ensemble, model->tokenizer, &beam, pool, NULL, 0, NULL, &err),
                err);
    pool_free(pool);
}

/* A source that gives a text only where the worker waits for one. */
struct slow_source {
    struct batch_item items[5];
    size_t given, done;
};

static struct batch_item *slow_next(void *context, bool wait)
{
    struct slow_source *source = context;
    if (!wait || source->given == 5)
        return NULL;
    assert_int_equal(source->done, source->given);
    return &source->items[source->given++];
}

static void slow_done(void *context, struct batch_item *item)
{
    struct slow_source *source = context;
    assert_ptr_equal(item, &source->items[source->done]);
    source->done++;
}

static void test_one_by_one(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct texts texts;
    struct batch_output outputs[5] = {0};
    struct slow_source slow = {.given = 0};
    const struct batch_source source = {slow_next, slow_done, &slow};
    make_texts(&texts);
    for (size_t i = 0; i < 5; i++)
        slow.items[i] = (struct batch_item){texts.texts[i], &outputs[i]};
    assert_fine(batch_work(&ensemble, model->tokenizer, &beam, 0, &source, &err), err);
    assert_int_equal(slow.done, 5);
    for (size_t i = 0; i < 5; i++) {
        check_one(&texts.texts[i], &beam, &outputs[i]);
        batch_output_release(&outputs[i]);
    }
}

/* Attention is kept where it is asked for: the tokens are those of the text, a row spreads 1. */
static void test_attention(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct texts texts;
    struct batch_attention kept[COUNT] = {0};
    make_texts(&texts);
    for (int round = 0; round < 2; round++) {
        struct batch_output outputs[COUNT] = {0};
        for (size_t i = 0; i < COUNT; i += 2)
            outputs[i].attention = &kept[i];
        assert_fine(translate_all(&texts, round ? &beam : &greedy, 2, outputs, &err), err);
        for (size_t i = 0; i < COUNT; i++) {
            struct buf text = BUF_INIT;
            check_one(&texts.texts[i], round ? &beam : &greedy, &outputs[i]);
            assert_int_equal(kept[i].count,
                             i % 2 || outputs[i].source_tokens == 0 ? 0 : outputs[i].target_tokens);
            if (kept[i].count == 0)
                continue;
            assert_int_equal(kept[i].source_count, outputs[i].source_tokens);
            assert_fine(tokenizer_decode(model->tokenizer, kept[i].ids, kept[i].count, &text, &err),
                        err);
            assert_string_equal(text.data, outputs[i].candidates[0].text);
            for (size_t r = 0; r < kept[i].count; r++) {
                float sum = 0;
                for (size_t c = 0; c < kept[i].source_count; c++)
                    sum += kept[i].weights[r * kept[i].source_count + c];
                assert_true(sum > 0.999f && sum < 1.001f);
            }
            buf_release(&text);
        }
        release_all(outputs);
    }
    texts.texts[2] = (struct batch_text){"bad \xc3", 5};
    assert_true(kept[2].count > 0);
    struct batch_output outputs[COUNT] = {[2] = {.attention = &kept[2]}};
    assert_fine(translate_all(&texts, &beam, 1, outputs, &err), err);
    assert_int_equal(kept[2].count, 0); /* nothing of an earlier text stays */
    release_all(outputs);
    for (size_t i = 0; i < COUNT; i++)
        batch_attention_release(&kept[i]);
}

static int run_with_faults(void *context, struct err *err)
{
    struct batch_attention attention = {0};
    struct batch_output outputs[COUNT] = {[3] = {.attention = &attention}};
    int code = translate_all(context, &beam, 1, outputs, err);
    release_all(outputs);
    batch_attention_release(&attention);
    return code;
}

static void test_no_memory(void **state)
{
    (void)state;
    struct texts texts;
    make_texts(&texts);
    assert_true(fault_loop(run_with_faults, &texts) > COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_alone), cmocka_unit_test(test_bad_texts),
        cmocka_unit_test(test_nothing),       cmocka_unit_test(test_one_by_one),
        cmocka_unit_test(test_attention),     cmocka_unit_test(test_no_memory),
    };
    return cmocka_run_group_tests(tests, open_model, close_model);
}
