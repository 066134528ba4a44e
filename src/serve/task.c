/*
 * From a job to sentences and back. Put together again, the n-th alternative of a text is made of
 * each sentence's n-th, with the white space that stood between the sentences.
 */
#include "serve/task.h"

#include <string.h>

#include "base/mem.h"
#include "serve/align.h"
#include "text/sentence.h"

static void fail(struct job *job, const struct err *err)
{
    job->result.outcome = JOB_FAILED;
    if (!job->result.err.code)
        job->result.err = *err;
}

static int sentence_encode(struct task_sentence *sentence, struct encoded *encoded, struct err *err)
{
    struct job *job = sentence->task->job;
    int rc = tokenizer_encode(job->model->tokenizer, job->text + sentence->begin,
                              sentence->end - sentence->begin, encoded, err);
    if (rc < 0)
        return rc;
    if (encoded->count > DECODE_MAX_SOURCE) {
        job->result.outcome = JOB_TOO_LONG;
        job->result.actual = encoded->count;
        return ERR_LIMIT;
    }
    sentence->ids = mem_alloc(encoded->count, sizeof *sentence->ids, err);
    if (!sentence->ids)
        return ERR_MEMORY;
    for (size_t i = 0; i < encoded->count; i++)
        sentence->ids[i] = encoded->tokens[i].id;
    sentence->count = encoded->count;
    job->result.tokens_in += encoded->count;
    return 0;
}

static int task_cut(struct task *task, struct err *err)
{
    const struct job *job = task->job;
    struct sentence sentence;
    size_t count = 0;
    for (size_t offset = 0; sentence_next(job->text, job->len, &offset, &sentence);)
        count++;
    task->sentences = mem_alloc(count, sizeof *task->sentences, err);
    if (!task->sentences)
        return ERR_MEMORY;
    for (size_t offset = 0; sentence_next(job->text, job->len, &offset, &sentence);)
        task->sentences[task->count++] =
            (struct task_sentence){.task = task, .begin = sentence.begin, .end = sentence.end};
    return 0;
}

static int task_fill(struct task *task, struct err *err)
{
    int rc = task_cut(task, err);
    struct encoded encoded = {0};
    for (size_t i = 0; i < task->count && rc == 0; i++)
        rc = sentence_encode(&task->sentences[i], &encoded, err);
    encoded_release(&encoded);
    return rc;
}

static int finish_empty(struct job_result *result, struct err *err)
{
    result->alternatives = mem_alloc(1, sizeof *result->alternatives, err);
    if (!result->alternatives)
        return ERR_MEMORY;
    result->alternative_count = 1;
    result->outcome = JOB_DONE;
    return 0;
}

struct task *task_new(struct job *job)
{
    struct err err = ERR_INIT;
    struct task *task = mem_alloc(1, sizeof *task, &err);
    int rc = ERR_MEMORY;
    if (task) {
        task->job = job;
        rc = task_fill(task, &err);
    }
    if (rc == 0 && task->count > 0)
        return task;
    if (rc == 0)
        rc = finish_empty(&job->result, &err);
    if (rc < 0 && job->result.outcome != JOB_TOO_LONG)
        fail(job, &err);
    task_free(task);
    return NULL;
}

void task_free(struct task *task)
{
    if (!task)
        return;
    for (size_t i = 0; i < task->count; i++) {
        mem_free(task->sentences[i].ids);
        decode_result_free(task->sentences[i].result);
    }
    mem_free(task->sentences);
    mem_free(task);
}

int task_join(struct task *task, struct decoder *decoder)
{
    struct err err = ERR_INIT;
    struct decode_options options = task->job->options;
    if (task->joined == task->count || decoder_free_rows(decoder) < options.beam)
        return 0;
    struct task_sentence *sentence = &task->sentences[task->joined];
    options.party = task->job->client;
    if (decoder_join(decoder, sentence->ids, sentence->count, &options, sentence, &err) < 0) {
        fail(task->job, &err);
        return err.code;
    }
    task->joined++;
    return 1;
}

void task_cancel(struct task *task, struct decoder *decoder)
{
    for (size_t i = 0; i < task->joined; i++)
        if (!task->sentences[i].result)
            decoder_cancel(decoder, &task->sentences[i]);
}

static const struct hypothesis *hypothesis_of(const struct task_sentence *sentence, size_t rank)
{
    const struct decode_result *result = sentence->result;
    return &result->hypotheses[rank < result->count ? rank : result->count - 1];
}

/* Appends the translation made of each sentence's hypothesis of this rank. */
static int write_alternative(const struct task *task, size_t rank, struct job_alternative *place,
                             struct err *err)
{
    struct job *job = task->job;
    struct buf *text = &job->result.text;
    double sum = 0;
    int rc = 0;
    place->begin = text->len;
    for (size_t i = 0; i < task->count && rc == 0; i++) {
        const struct task_sentence *sentence = &task->sentences[i];
        const struct hypothesis *hypothesis = hypothesis_of(sentence, rank);
        if (i > 0) {
            size_t gap = task->sentences[i - 1].end;
            rc = buf_append(text, job->text + gap, sentence->begin - gap, err);
        }
        if (rc == 0 && rank == 0 && job->alignment)
            rc = align_sentence(sentence, hypothesis, text->len - place->begin, err);
        if (rc == 0)
            rc = tokenizer_decode(job->model->tokenizer, hypothesis->ids, hypothesis->count, text,
                                  err);
        sum += hypothesis->score;
        job->result.truncated = job->result.truncated || (rank == 0 && hypothesis->truncated);
        job->result.tokens_out += rank == 0 ? hypothesis->count : 0;
    }
    place->end = text->len;
    place->score = sum / (double)task->count;
    return rc;
}

/* Whether alternative `rank` reads as one before it; two token sequences may spell one text. */
static bool is_repeated(const struct job_result *result, size_t rank)
{
    const struct job_alternative *last = &result->alternatives[rank];
    for (size_t i = 0; i < rank; i++) {
        const struct job_alternative *earlier = &result->alternatives[i];
        size_t len = earlier->end - earlier->begin;
        if (len == last->end - last->begin &&
            (len == 0 ||
             memcmp(result->text.data + earlier->begin, result->text.data + last->begin, len) == 0))
            return true;
    }
    return false;
}

static int task_assemble(struct task *task, struct err *err)
{
    struct job_result *result = &task->job->result;
    size_t ranks = 0;
    for (size_t i = 0; i < task->count; i++) {
        if (task->sentences[i].result->count == 0)
            return err_set(err, ERR_INTERNAL, "the decoder found no translation");
        if (task->sentences[i].result->count > ranks)
            ranks = task->sentences[i].result->count;
    }
    result->alternatives = mem_alloc(ranks, sizeof *result->alternatives, err);
    if (!result->alternatives)
        return ERR_MEMORY;
    int rc = 0;
    for (size_t rank = 0; rank < ranks && rc == 0; rank++) {
        struct job_alternative *place = &result->alternatives[result->alternative_count];
        rc = write_alternative(task, rank, place, err);
        if (rc == 0 && is_repeated(result, result->alternative_count))
            result->text.len = place->begin;
        else
            result->alternative_count++;
    }
    return rc;
}

bool task_finish(struct task_sentence *sentence, struct decode_result *result)
{
    struct task *task = sentence->task;
    sentence->result = result;
    if (++task->finished < task->count)
        return false;
    struct err err = ERR_INIT;
    task->job->result.outcome = JOB_DONE;
    if (task_assemble(task, &err) < 0)
        fail(task->job, &err);
    return true;
}
