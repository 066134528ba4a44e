/* Translation jobs: texts of several sentences are put together from what each gets alone, ranges
   of alignments stay inside the texts, and whatever goes wrong is in the job. */
#include <string.h>

#include "../fault/fault.h"
#include "serve/task.h"
#include "support/tiny_bundle.h"
#include "text/utf8.h"
#include "unit.h"

static struct model *model;

static void job_fill(struct job *job, const char *text, size_t beam)
{
    *job = (struct job){.model = model, .text = text, .len = strlen(text)};
    job->options = (struct decode_options){.beam = beam, .nbest = beam, .length_penalty = 1};
}

static void decode(struct task *task, struct decoder *decoder)
{
    struct err err = ERR_INIT;
    struct decode_result *result;
    bool done = false;
    while (!done) {
        int joined = 1;
        while (joined > 0)
            joined = task_join(task, decoder);
        assert_int_equal(joined, 0);
        assert_fine(decoder_step(decoder, &err), err);
        while ((result = decoder_take(decoder)))
            done = task_finish(result->tag, result);
    }
}

static struct decoder *make_decoder(size_t rows, struct err *err)
{
    const struct ensemble alone = {.models = {model->seq2seq}, .count = 1};
    return decoder_new(&alone, rows, err);
}

/* Runs the job from beginning to end; release job->result. */
static void run(struct job *job, size_t rows)
{
    struct err err = ERR_INIT;
    struct task *task = task_new(job);
    if (task) {
        struct decoder *decoder = make_decoder(rows, &err);
        assert_non_null(decoder);
        decode(task, decoder);
        assert_true(decoder_idle(decoder));
        task_free(task);
        decoder_free(decoder);
    }
    if (job->result.outcome != JOB_DONE)
        fail_msg("%s", job->result.err.message);
}

static const char *text_of(const struct job *job, size_t rank, char *place, size_t size)
{
    const struct job_alternative *alternative = &job->result.alternatives[rank];
    snprintf(place, size, "%.*s", (int)(alternative->end - alternative->begin),
             job->result.text.data ? job->result.text.data + alternative->begin : "");
    return place;
}

static void sentences_are_put_together(void **state)
{
    (void)state;
    static const char *const sentences[] = {"I want to know.", "The house is small.", "Why?"};
    struct job alone[3], whole;
    char texts[3][300], expected[1000], actual[1000];
    double sum = 0;
    for (size_t i = 0; i < 3; i++) {
        job_fill(&alone[i], sentences[i], 2);
        run(&alone[i], 16);
        text_of(&alone[i], 0, texts[i], sizeof texts[i]);
        sum += alone[i].result.alternatives[0].score;
    }
    job_fill(&whole, "  I want to know. \n\nThe house is small.\tWhy? ", 2);
    run(&whole, 2); /* rows for one sentence at a time */
    snprintf(expected, sizeof expected, "%s \n\n%s\t%s", texts[0], texts[1], texts[2]);
    assert_string_equal(text_of(&whole, 0, actual, sizeof actual), expected);
    assert_true(whole.result.alternatives[0].score == sum / 3);
    assert_int_equal(whole.result.tokens_in, alone[0].result.tokens_in + alone[1].result.tokens_in +
                                                 alone[2].result.tokens_in);
    for (size_t i = 0; i < 3; i++)
        job_result_release(&alone[i].result);
    job_result_release(&whole.result);
}

static void alternatives_differ_and_fall(void **state)
{
    (void)state;
    struct job job;
    char one[1000], other[1000];
    job_fill(&job, "The station is next to the church.", 8);
    run(&job, 16);
    const struct job_result *result = &job.result;
    assert_true(result->alternative_count >= 1 && result->alternative_count <= 8);
    for (size_t i = 0; i < result->alternative_count; i++) {
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(text_of(&job, i, one, sizeof one),
                                    text_of(&job, j, other, sizeof other));
        assert_true(i == 0 || result->alternatives[i].score <= result->alternatives[i - 1].score);
    }
    job_result_release(&job.result);
}

static void check_ranges(const struct job *job)
{
    const struct job_result *result = &job->result;
    size_t end = 0, best = result->alternatives[0].end;
    for (size_t i = 0; i < result->range_count; i++) {
        const struct job_range *range = &result->ranges[i];
        assert_true(range->source_begin <= range->source_end && range->source_end <= job->len);
        assert_true(range->target_begin >= end && range->target_begin <= range->target_end);
        assert_true(range->target_end <= best);
        end = range->target_end;
    }
    assert_int_equal(end, best);
}

static void alignments_cover_the_translation(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "The house is small, but the garden is large.",
        "O\xc3\xb9 est la gare ? Elle est \xc3\xa0 c\xc3\xb4t\xc3\xa9.",
        "\xf0\x9f\x98\x80 \xe4\xbd\xa0\xe5\xa5\xbd"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct job job;
        job_fill(&job, texts[i], 2);
        job.alignment = true;
        run(&job, 16);
        assert_int_equal(job.result.range_count, job.result.tokens_out);
        assert_true(job.result.range_count > 0);
        check_ranges(&job);
        job_result_release(&job.result);
    }
}

/* A model without attention aligns nothing, and translates all the same. */
static void nothing_is_aligned_without_attention(void **state)
{
    char folder[4200];
    struct err err = ERR_INIT;
    struct model *attentive = model;
    const struct tiny_bundle bundle = {
        .name = "plain", .kind = SPEC_SEQ2SEQ, .seed = 3, .without_attention = true};
    snprintf(folder, sizeof folder, "%s/plain", (char *)*state);
    assert_fine(tiny_bundle_write(folder, &bundle, &err), err);
    assert_fine(model_open(&model, folder, &err), err);
    struct job job;
    job_fill(&job, "The house is small, but the garden is large.", 2);
    job.alignment = true;
    run(&job, 16);
    assert_int_equal(job.result.range_count, 0);
    assert_true(job.result.tokens_out > 0);
    job_result_release(&job.result);
    model_release(model);
    model = attentive;
}

static void empty_texts_are_done_at_once(void **state)
{
    (void)state;
    static const char *const texts[] = {"", " \n\t "};
    for (size_t i = 0; i < 2; i++) {
        struct job job;
        job_fill(&job, texts[i], 2);
        assert_null(task_new(&job));
        assert_int_equal(job.result.outcome, JOB_DONE);
        assert_int_equal(job.result.alternative_count, 1);
        assert_int_equal(job.result.alternatives[0].end, 0);
        assert_true(job.result.alternatives[0].score == 0);
        job_result_release(&job.result);
    }
}

static void long_sentences_are_refused(void **state)
{
    (void)state;
    static char text[8 * DECODE_MAX_SOURCE];
    for (size_t i = 0; i < 2 * DECODE_MAX_SOURCE; i++)
        memcpy(text + 2 * i, "4 ", 3);
    struct job job;
    job_fill(&job, text, 1);
    assert_null(task_new(&job));
    assert_int_equal(job.result.outcome, JOB_TOO_LONG);
    assert_true(job.result.actual > DECODE_MAX_SOURCE);
    job_result_release(&job.result);
    /* The same in sentences is fine. */
    for (size_t i = 1; i < 2 * DECODE_MAX_SOURCE; i += 4)
        text[2 * i + 1] = '\n';
    job_fill(&job, text, 1);
    struct task *task = task_new(&job);
    assert_non_null(task);
    assert_int_equal(task->count, DECODE_MAX_SOURCE / 2 + 1);
    task_free(task);
    job_result_release(&job.result);
}

static void cancelling_frees_the_rows(void **state)
{
    (void)state;
    struct err err = ERR_INIT;
    struct job job;
    job_fill(&job, "One. Two. Three.", 4);
    struct decoder *decoder = make_decoder(8, &err);
    assert_non_null(decoder);
    struct task *task = task_new(&job);
    assert_non_null(task);
    assert_int_equal(task_join(task, decoder), 1);
    assert_int_equal(task_join(task, decoder), 1);
    assert_int_equal(task_join(task, decoder), 0);
    assert_int_equal(task->joined, 2);
    assert_fine(decoder_step(decoder, &err), err);
    task_cancel(task, decoder);
    task_free(task);
    assert_true(decoder_idle(decoder));
    assert_int_equal(decoder_free_rows(decoder), 8);
    decoder_free(decoder);
    job_result_release(&job.result);
}

/* What a task needs before it meets a decoder. */
static int run_task(void *context, struct err *err)
{
    struct job job;
    job_fill(&job, context, 1);
    struct task *task = task_new(&job);
    if (task)
        task_free(task);
    int rc = job.result.outcome == JOB_FAILED ? (int)job.result.err.code : 0;
    *err = job.result.err;
    job_result_release(&job.result);
    return rc;
}

static void lack_of_memory_fails_the_job(void **state)
{
    (void)state;
    fault_loop(run_task, "I want to know. Why?");
    fault_loop(run_task, "");
}

static int set_up(void **state)
{
    struct err err = ERR_INIT;
    const struct tiny_bundle tiny = {.name = "tiny", .kind = SPEC_SEQ2SEQ, .seed = 5};
    if (scratch_make(state) || tiny_bundle_write(*state, &tiny, &err) ||
        model_open(&model, *state, &err)) {
        fprintf(stderr, "%s\n", err.message);
        return -1;
    }
    return 0;
}

static int tear_down(void **state)
{
    model_release(model);
    return scratch_remove(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sentences_are_put_together),
        cmocka_unit_test(alternatives_differ_and_fall),
        cmocka_unit_test(alignments_cover_the_translation),
        cmocka_unit_test(nothing_is_aligned_without_attention),
        cmocka_unit_test(empty_texts_are_done_at_once),
        cmocka_unit_test(long_sentences_are_refused),
        cmocka_unit_test(cancelling_frees_the_rows),
        cmocka_unit_test(lack_of_memory_fails_the_job),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
