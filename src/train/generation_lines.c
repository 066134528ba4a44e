/*
 * Many texts, each from its beginning to its end, in batches by length; each may have a condition,
 * the first field of its line: a label, of those that the training data has, or a vector. Training
 * texts are cut at the recipe's limit, development texts are read whole.
 */
#include <string.h>

#include "base/mem.h"
#include "text/rows.h"
#include "train/generation_parts.h"
#include "train/labels.h"

double generation_lines_units(void *context, uint32_t example)
{
    const struct generation_task *task = context;
    return (double)(generation_length(&task->train, example) + !task->train.cut[example]);
}

struct language_text generation_line(const struct generation_task *task,
                                     const struct generation_texts *texts, size_t i)
{
    return (struct language_text){
        .ids = texts->ids.ids + texts->ids.begins[i],
        .count = generation_length(texts, i),
        .label = texts->labels ? texts->labels[i] : 0,
        .feature = texts->features ? texts->features + i * task->shape.feature : NULL};
}

int generation_lines_batch(const struct generation_task *task, struct trainer_share *share,
                           struct rnn_batch *batch)
{
    const size_t B = share->count;
    struct language_text *texts = arena_alloc(&share->arena, B, sizeof *texts, &share->err);
    bool *cut = arena_alloc(&share->arena, B, sizeof *cut, &share->err);
    if (!texts || !cut)
        return ERR_MEMORY;
    for (size_t b = 0; b < B; b++) {
        texts[b] = generation_line(task, &task->train, share->examples[b]);
        cut[b] = task->train.cut[share->examples[b]];
    }
    return language_batch(&task->shape, texts, cut, B, batch, &share->arena, &share->err);
}

static void make_keys(struct generation_task *task)
{
    for (size_t i = 0; i < task->examples; i++) {
        const uint32_t tokens = (uint32_t)generation_length(&task->train, i) + 1;
        task->keys[i] = (struct batch_key){.order = tokens, .tokens = tokens};
    }
}

int generation_lines_begin_epoch(void *context, size_t epoch, struct pool *pool, struct err *err)
{
    struct generation_task *task = context;
    const bool second = task->data.spec.condition != SPEC_CONDITION_NONE;
    if (task_ids_redraw(&task->train.ids, &task->data, second ? TASK_SECOND : TASK_FIRST, epoch,
                        pool, err))
        return err->code;
    make_keys(task);
    return 0;
}

/*
 * Conditions
 */

static int wrong_line(const struct opt_list *paths, const struct corpus_line *line, struct err *err)
{
    return err_context(err, "%s:%u", paths->items[line->file], line->line);
}

/* One vector, of the size that the first one of the training data has. */
static int read_vector(struct spec *spec, const struct corpus_line *line, real **features,
                       size_t index, size_t count, struct err *err)
{
    struct rows rows;
    if (rows_parse(&rows, line->first, line->first_len, err))
        return err->code;
    if (!*features) {
        spec->feature = spec->feature ? spec->feature : rows.width;
        *features = mem_alloc(count, spec->feature * sizeof **features, err);
    }
    if (rows.count != 1)
        err_set(err, ERR_FORMAT, "the condition has %zu rows, it must be one", rows.count);
    else if (rows.width != spec->feature)
        err_set(err, ERR_FORMAT, "the condition has %zu numbers, the first of the data %zu",
                rows.width, spec->feature);
    else if (spec->feature > SPEC_MAX_SIZE)
        err_set(err, ERR_LIMIT, "the condition has %zu numbers, allowed are %d", spec->feature,
                SPEC_MAX_SIZE);
    for (size_t i = 0; err->code == 0 && i < rows.width; i++)
        (*features)[index * rows.width + i] = (real)rows.values[i];
    rows_release(&rows);
    return err->code;
}

static int read_vectors(struct task_data *data, const struct corpus *corpus,
                        const struct opt_list *paths, struct generation_texts *texts,
                        struct err *err)
{
    for (size_t i = 0; i < corpus->count; i++)
        if (read_vector(&data->spec, &corpus->lines[i], &texts->features, i, corpus->count, err))
            return wrong_line(paths, &corpus->lines[i], err);
    return 0;
}

static int read_conditions(struct generation_task *task, struct err *err)
{
    struct task_data *data = &task->data;
    const struct recipe *recipe = data->recipe;
    if (data->spec.condition == SPEC_CONDITION_NONE)
        return 0;
    if (recipe->condition_is == RECIPE_CONDITION_VECTOR) {
        data->spec.feature = 0;
        if (read_vectors(data, &data->train, &recipe->train, &task->train, err))
            return err->code;
        return read_vectors(data, &data->dev, &recipe->dev, &task->dev, err);
    }
    return labels_read(data, TASK_FIRST, &task->train.labels, &task->dev.labels, err);
}

/*
 * Setting up
 */

static int encode_texts(const struct generation_task *task, const struct corpus *corpus,
                        size_t limit, struct generation_texts *texts, struct err *err)
{
    const bool second = task->data.spec.condition != SPEC_CONDITION_NONE;
    struct encoded scratch = {0};
    int status = task_ids_init(&texts->ids, corpus->count, err);
    texts->cut = mem_alloc(corpus->count, sizeof *texts->cut, err);
    if (!texts->cut)
        status = ERR_MEMORY;
    for (size_t i = 0; status == 0 && i < corpus->count; i++) {
        const struct corpus_line *line = &corpus->lines[i];
        const char *text = second ? line->second : line->first;
        const size_t len = second ? line->second_len : line->first_len;
        size_t tokens = 0;
        status = task_ids_add(&texts->ids, task->data.tokenizer, text, len, limit, &scratch,
                              &tokens, err);
        texts->cut[i] = tokens > limit;
        texts->cut_count += tokens > limit;
        texts->characters += language_characters(text, len) + 1; /* and the line's end */
    }
    encoded_release(&scratch);
    return status;
}

int generation_lines_init(struct generation_task *task, struct err *err)
{
    struct task_data *data = &task->data;
    if (read_conditions(task, err) ||
        encode_texts(task, &data->train, (size_t)data->recipe->max_tokens, &task->train, err) ||
        encode_texts(task, &data->dev, SIZE_MAX, &task->dev, err))
        return err->code;
    task->examples = data->train.count;
    task->keys = mem_alloc(task->examples, sizeof *task->keys, err);
    if (!task->keys)
        return ERR_MEMORY;
    make_keys(task);
    rnn_size(&task->shape, &data->spec);
    return 0;
}

void generation_texts_release(struct generation_texts *texts)
{
    mem_free(texts->features);
    mem_free(texts->labels);
    mem_free(texts->cut);
    task_ids_release(&texts->ids);
}
