#include "train/sequences.h"

#include <string.h>

#include "text/rows.h"

int sequences_init(struct sequences *sequences, size_t row, size_t count, struct err *err)
{
    *sequences = (struct sequences){.row = row};
    if (row == 0)
        return task_ids_init(&sequences->ids, count, err);
    sequences->begins = mem_alloc(count + 1, sizeof *sequences->begins, err);
    return sequences->begins ? 0 : ERR_MEMORY;
}

static int reserve(struct sequences *sequences, size_t count, struct err *err)
{
    if (count <= sequences->capacity)
        return 0;
    float *rows = mem_resize(sequences->rows, sequences->capacity, 2 * count, sizeof *rows, err);
    if (rows == NULL)
        return ERR_MEMORY;
    sequences->rows = rows;
    sequences->capacity = 2 * count;
    return 0;
}

static int add_rows(struct sequences *sequences, const struct corpus_line *line, size_t limit,
                    size_t *length, struct err *err)
{
    const size_t F = sequences->row, begin = sequences->begins[sequences->count] * F;
    struct rows rows;
    int code = rows_parse(&rows, line->first, line->first_len, err);
    if (code < 0)
        return code;
    const size_t count = rows.count < limit ? rows.count : limit;
    if (rows.width != F)
        code = err_set(err, ERR_FORMAT, "rows of %zu values, not of %zu as in the training data",
                       rows.width, F);
    else
        code = reserve(sequences, begin + count * F, err);
    if (code == 0) {
        memcpy(sequences->rows + begin, rows.values, count * F * sizeof *rows.values);
        sequences->begins[++sequences->count] = begin / F + count;
    }
    *length = rows.count;
    rows_release(&rows);
    return code;
}

int sequences_add(struct sequences *sequences, const struct corpus_line *line,
                  const struct tokenizer *tokenizer, size_t limit, struct encoded *scratch,
                  size_t *length, struct err *err)
{
    if (sequences->row > 0)
        return add_rows(sequences, line, limit, length, err);
    return task_ids_add(&sequences->ids, tokenizer, line->first, line->first_len, limit, scratch,
                        length, err);
}

void sequences_take_back(struct sequences *sequences)
{
    if (sequences->row > 0)
        sequences->count--;
    else
        sequences->ids.count--;
}

int sequences_read(struct sequences *sequences, const struct corpus *corpus,
                   const struct opt_list *paths, const struct tokenizer *tokenizer, size_t row,
                   size_t limit, struct err *err)
{
    struct encoded scratch = {.count = 0};
    size_t length = 0;
    int code = sequences_init(sequences, row, corpus->count, err);
    for (size_t i = 0; code == 0 && i < corpus->count; i++) {
        const struct corpus_line *line = &corpus->lines[i];
        code = sequences_add(sequences, line, tokenizer, limit, &scratch, &length, err);
        if (code < 0)
            err_context(err, "%s:%u", paths->items[line->file], line->line);
        sequences->cut += length > limit;
    }
    encoded_release(&scratch);
    return code;
}

void sequences_release(struct sequences *sequences)
{
    task_ids_release(&sequences->ids);
    mem_free(sequences->begins);
    mem_free(sequences->rows);
    *sequences = (struct sequences){.row = 0};
}

int sequences_width(const struct corpus *corpus, const struct opt_list *paths, size_t *row,
                    struct err *err)
{
    const struct corpus_line *line = &corpus->lines[0];
    struct rows rows;
    int code = rows_parse(&rows, line->first, line->first_len, err);
    if (code < 0)
        return err_context(err, "%s:%u", paths->items[line->file], line->line);
    *row = rows.width;
    rows_release(&rows);
    if (*row > SPEC_MAX_SIZE)
        return err_set(err, ERR_LIMIT, "%s:%u: rows of %zu values, allowed are %d",
                       paths->items[line->file], line->line, *row, SPEC_MAX_SIZE);
    return 0;
}

int sequences_number(const char *text, size_t len, double *value, struct err *err)
{
    struct rows rows;
    struct err own = ERR_INIT;
    int code = rows_parse(&rows, text, len, &own);
    if (code == ERR_MEMORY)
        return err_set(err, code, "%s", own.message);
    if (code < 0 || rows.count * rows.width != 1)
        code = err_set(err, ERR_FORMAT, "'%.100s' is not one decimal number", text);
    else
        *value = (double)rows.values[0];
    rows_release(&rows);
    return code;
}

static const size_t *begins_of(const struct sequences *sequences)
{
    return sequences->row > 0 ? sequences->begins : sequences->ids.begins;
}

size_t sequences_length(const struct sequences *sequences, size_t i)
{
    return begins_of(sequences)[i + 1] - begins_of(sequences)[i];
}

size_t sequences_total(const struct sequences *sequences)
{
    return sequences->row > 0 ? sequences->begins[sequences->count]
                              : task_ids_total(&sequences->ids);
}

struct rnn_input sequences_input(const struct sequences *sequences, size_t i)
{
    const size_t begin = begins_of(sequences)[i];
    struct rnn_input input = {.count = sequences_length(sequences, i)};
    if (sequences->row > 0)
        input.rows = sequences->rows + begin * sequences->row;
    else
        input.ids = sequences->ids.ids + begin;
    return input;
}

static int fill_ids(const struct sequences *sequences, const uint32_t *examples,
                    struct rnn_batch *batch, struct arena *arena, struct err *err)
{
    const size_t B = batch->batch;
    int32_t *ids = arena_alloc(arena, batch->steps * B, sizeof *ids, err);
    if (ids == NULL)
        return ERR_MEMORY;
    for (size_t b = 0; b < B; b++) {
        const struct rnn_input input = sequences_input(sequences, examples[b]);
        for (size_t t = 0; t < input.count; t++)
            ids[t * B + b] = input.ids[t];
    }
    batch->ids = ids;
    return 0;
}

static int fill_rows(const struct sequences *sequences, const uint32_t *examples,
                     struct rnn_batch *batch, struct arena *arena, struct err *err)
{
    const size_t B = batch->batch, F = sequences->row;
    real *rows = arena_alloc(arena, batch->steps * B * F, sizeof *rows, err);
    if (rows == NULL)
        return ERR_MEMORY;
    for (size_t b = 0; b < B; b++) {
        const struct rnn_input input = sequences_input(sequences, examples[b]);
        for (size_t t = 0; t < input.count; t++)
            memcpy(rows + (t * B + b) * F, input.rows + t * F, F * sizeof *rows);
    }
    batch->rows = rows;
    return 0;
}

int sequences_batch(const struct sequences *sequences, const uint32_t *examples, size_t count,
                    struct rnn_batch *batch, struct arena *arena, struct err *err)
{
    int32_t *lengths = arena_alloc(arena, count, sizeof *lengths, err);
    if (lengths == NULL)
        return ERR_MEMORY;
    batch->batch = count;
    batch->steps = 1;
    batch->lengths = lengths;
    for (size_t b = 0; b < count; b++) {
        const size_t length = sequences_length(sequences, examples[b]);
        lengths[b] = (int32_t)length;
        batch->steps = length > batch->steps ? length : batch->steps;
    }
    return (sequences->row > 0 ? fill_rows : fill_ids)(sequences, examples, batch, arena, err);
}

void sequences_keys(const struct sequences *sequences, struct batch_key *keys)
{
    const size_t count = sequences->row > 0 ? sequences->count : sequences->ids.count;
    for (size_t i = 0; i < count; i++) {
        const uint32_t length = (uint32_t)sequences_length(sequences, i);
        keys[i] = (struct batch_key){.order = length, .tokens = length > 0 ? length : 1};
    }
}
