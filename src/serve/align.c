/*
 * An output token is aligned with the source token that got most of its attention. The source is
 * tokenised once more for the tokens' places: few requests ask, and the rest need not keep them.
 */
#include "serve/align.h"

#include "base/mem.h"

/* Index of the greatest of the first `count` weights of a row; the first where several are. */
static size_t strongest(const float *row, size_t count)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (row[i] > row[best])
            best = i;
    return best;
}

static size_t common_prefix(const struct buf *a, const struct buf *b)
{
    size_t len = a->len < b->len ? a->len : b->len, i = 0;
    while (i < len && a->data[i] == b->data[i])
        i++;
    return i;
}

/*
 * ends[i]: where token i ends in the translation. Found by decoding every beginning of the output:
 * a character that is spelt by several tokens counts for the one that completes it.
 */
static int find_ends(const struct tokenizer *tokenizer, const struct hypothesis *hypothesis,
                     size_t *ends, struct err *err)
{
    struct buf whole = BUF_INIT, part = BUF_INIT;
    int rc = tokenizer_decode(tokenizer, hypothesis->ids, hypothesis->count, &whole, err);
    size_t end = 0;
    for (size_t i = 0; i < hypothesis->count && rc == 0; i++) {
        buf_clear(&part);
        rc = tokenizer_decode(tokenizer, hypothesis->ids, i + 1, &part, err);
        size_t prefix = common_prefix(&whole, &part);
        if (prefix > end)
            end = prefix;
        ends[i] = end;
    }
    buf_release(&part);
    buf_release(&whole);
    return rc;
}

static int write_ranges(const struct task_sentence *sentence, const struct hypothesis *hypothesis,
                        const struct encoded *source, const size_t *ends, size_t target_begin,
                        struct err *err)
{
    struct job_result *result = &sentence->task->job->result;
    size_t total = result->range_count + hypothesis->count;
    struct job_range *ranges =
        mem_resize(result->ranges, result->range_count, total, sizeof *ranges, err);
    if (!ranges)
        return ERR_MEMORY;
    result->ranges = ranges;
    size_t row_size = sentence->result->source_count;
    size_t columns = row_size < source->count ? row_size : source->count; /* not EOS */
    for (size_t i = 0; i < hypothesis->count && columns > 0; i++) {
        const struct token *token =
            &source->tokens[strongest(hypothesis->attention + i * row_size, columns)];
        ranges[result->range_count++] = (struct job_range){
            .source_begin = sentence->begin + token->raw_begin,
            .source_end = sentence->begin + token->raw_end,
            .target_begin = target_begin + (i > 0 ? ends[i - 1] : 0),
            .target_end = target_begin + ends[i],
        };
    }
    return 0;
}

int align_sentence(const struct task_sentence *sentence, const struct hypothesis *hypothesis,
                   size_t target_begin, struct err *err)
{
    const struct job *job = sentence->task->job;
    struct encoded source = {0};
    if (!hypothesis
             ->attention) /* an empty sentence, or a model that looks at no part of the text */
        return 0;
    size_t *ends = mem_alloc(hypothesis->count, sizeof *ends, err);
    if (!ends)
        return ERR_MEMORY;
    int rc = tokenizer_encode(job->model->tokenizer, job->text + sentence->begin,
                              sentence->end - sentence->begin, &source, err);
    if (rc == 0)
        rc = find_ends(job->model->tokenizer, hypothesis, ends, err);
    if (rc == 0)
        rc = write_ranges(sentence, hypothesis, &source, ends, target_begin, err);
    encoded_release(&source);
    mem_free(ends);
    return rc;
}
