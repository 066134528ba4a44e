/*
 * The ids of many texts. With BPE dropout the training texts are encoded anew before each epoch,
 * every thread a stretch of them; a text's random numbers depend on seed, epoch and its own place
 * alone, so that neither threads nor resuming change anything.
 */
#include "base/mem.h"
#include "train/task.h"

#define STREAM_DROPOUT (UINT64_C(1) << 63) /* random streams: with epoch, text and field below */

int task_ids_init(struct task_ids *ids, size_t count, struct err *err)
{
    *ids = (struct task_ids){.capacity = 16 * count + 1024};
    ids->begins = mem_alloc(count + 1, sizeof *ids->begins, err);
    ids->ids = mem_alloc(ids->capacity, sizeof *ids->ids, err);
    if (!ids->begins || !ids->ids) {
        task_ids_release(ids);
        return ERR_MEMORY;
    }
    return 0;
}

size_t task_ids_total(const struct task_ids *ids)
{
    return ids->begins[ids->count];
}

void task_ids_release(struct task_ids *ids)
{
    mem_free(ids->ids);
    mem_free(ids->begins);
    *ids = (struct task_ids){0};
}

static int reserve(struct task_ids *ids, size_t needed, struct err *err)
{
    if (needed <= ids->capacity)
        return 0;
    const size_t capacity = needed + needed / 2;
    int32_t *grown = mem_resize(ids->ids, ids->capacity, capacity, sizeof *grown, err);
    if (!grown)
        return ERR_MEMORY;
    ids->ids = grown;
    ids->capacity = capacity;
    return 0;
}

int task_ids_put(struct task_ids *ids, const struct encoded *encoded, size_t limit, struct err *err)
{
    const size_t begin = ids->begins[ids->count];
    const size_t kept = encoded->count < limit ? encoded->count : limit;
    if (reserve(ids, begin + kept, err))
        return ERR_MEMORY;
    for (size_t i = 0; i < kept; i++)
        ids->ids[begin + i] = encoded->tokens[i].id;
    ids->begins[++ids->count] = begin + kept;
    return 0;
}

int task_ids_add(struct task_ids *ids, const struct tokenizer *tokenizer, const char *text,
                 size_t len, size_t limit, struct encoded *scratch, size_t *tokens, struct err *err)
{
    if (tokenizer_encode(tokenizer, text, len, scratch, err))
        return err->code;
    *tokens = scratch->count;
    return task_ids_put(ids, scratch, limit, err);
}

struct redraw {
    const struct task_data *data;
    enum task_field field;
    size_t epoch, threads;
    struct redraw_part {
        struct task_ids ids;
        struct err err;
    } * parts; /* [threads] */
};

static size_t part_begin(const struct redraw *redraw, size_t thread)
{
    return redraw->data->train.count * thread / redraw->threads;
}

/* Appends text `line` of the training data, cut as this epoch cuts it; as it is cut without
   dropout where it would be longer than max-tokens. */
static int redraw_text(const struct redraw *redraw, size_t line, struct task_ids *ids,
                       struct encoded *scratch, struct err *err)
{
    const struct task_data *data = redraw->data;
    const struct corpus_line *texts = &data->train.lines[line];
    const char *text = redraw->field == TASK_FIRST ? texts->first : texts->second;
    const size_t len = redraw->field == TASK_FIRST ? texts->first_len : texts->second_len;
    const size_t limit = (size_t)data->recipe->max_tokens;
    struct rng rng;
    rng_seed(&rng, (uint64_t)data->recipe->seed,
             STREAM_DROPOUT | (uint64_t)redraw->epoch << 33 | (uint64_t)line << 1 | redraw->field);
    if (tokenizer_encode_dropout(data->tokenizer, text, len, data->recipe->dropout_bpe, &rng,
                                 scratch, err))
        return err->code;
    if (scratch->count > limit && tokenizer_encode(data->tokenizer, text, len, scratch, err))
        return err->code;
    return task_ids_put(ids, scratch, limit, err);
}

static void run_redraw(void *context, int index)
{
    struct redraw *redraw = context;
    struct redraw_part *part = &redraw->parts[index];
    const size_t end = part_begin(redraw, (size_t)index + 1);
    size_t line = part_begin(redraw, (size_t)index);
    struct encoded scratch = {0};
    int status = task_ids_init(&part->ids, end - line, &part->err);
    for (; status == 0 && line < end; line++)
        status = redraw_text(redraw, line, &part->ids, &scratch, &part->err);
    encoded_release(&scratch);
}

/* Puts the threads' parts into `ids`, one behind the other. */
static int join(struct task_ids *ids, const struct redraw *redraw, struct err *err)
{
    ids->count = 0;
    for (size_t t = 0; t < redraw->threads; t++) {
        const struct redraw_part *part = &redraw->parts[t];
        const size_t begin = ids->begins[ids->count];
        if (part->err.code)
            return err_set(err, part->err.code, "%s", part->err.message);
        if (reserve(ids, begin + part->ids.begins[part->ids.count], err))
            return ERR_MEMORY;
        for (size_t i = 0; i < part->ids.begins[part->ids.count]; i++)
            ids->ids[begin + i] = part->ids.ids[i];
        for (size_t i = 0; i < part->ids.count; i++)
            ids->begins[++ids->count] = begin + part->ids.begins[i + 1];
    }
    return 0;
}

int task_ids_redraw(struct task_ids *ids, const struct task_data *data, enum task_field field,
                    size_t epoch, struct pool *pool, struct err *err)
{
    struct redraw redraw = {
        .data = data, .field = field, .epoch = epoch, .threads = (size_t)pool_threads(pool)};
    redraw.parts = mem_alloc(redraw.threads, sizeof *redraw.parts, err);
    if (!redraw.parts)
        return ERR_MEMORY;
    pool_run(pool, run_redraw, &redraw);
    const int status = join(ids, &redraw, err);
    for (size_t t = 0; t < redraw.threads; t++)
        task_ids_release(&redraw.parts[t].ids);
    mem_free(redraw.parts);
    return status;
}
