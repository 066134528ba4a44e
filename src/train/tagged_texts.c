#include "train/tagged_texts.h"

#include "base/mem.h"
#include "text/words.h"

struct reader {
    struct encoded encoded;
    struct words words, labels;
    uint32_t *last; /* [capacity] */
    size_t capacity;
};

static void reader_release(struct reader *reader)
{
    mem_free(reader->last);
    words_release(&reader->labels);
    words_release(&reader->words);
    encoded_release(&reader->encoded);
}

int tagged_texts_labels(const struct corpus *corpus, struct label_set *labels, struct err *err)
{
    struct words words = {.count = 0};
    int code = 0;
    for (size_t i = 0; code == 0 && i < corpus->count; i++) {
        const struct corpus_line *line = &corpus->lines[i];
        code = words_split(&words, line->second, line->second_len, err);
        for (size_t w = 0; code == 0 && w < words.count; w++) {
            const struct word_range *range = &words.ranges[w];
            code =
                label_set_add(labels, line->second + range->begin, range->end - range->begin, err);
        }
    }
    words_release(&words);
    return code;
}

/* The words of a line, their labels and their last tokens. */
static int find_words(struct reader *reader, const struct corpus_line *line, struct err *err)
{
    const struct encoded *encoded = &reader->encoded;
    if (words_split(&reader->words, line->first, line->first_len, err) ||
        words_split(&reader->labels, line->second, line->second_len, err))
        return err->code;
    const size_t count = reader->words.count;
    if (count != reader->labels.count)
        return err_set(err, ERR_FORMAT, "%zu words, but %zu labels", count, reader->labels.count);
    if (count > reader->capacity) {
        uint32_t *last = mem_resize(reader->last, reader->capacity, 2 * count, sizeof *last, err);
        if (last == NULL)
            return ERR_MEMORY;
        reader->last = last;
        reader->capacity = 2 * count;
    }
    words_last_tokens(&reader->words, encoded->tokens, encoded->count, reader->last);
    return 0;
}

static int reserve(struct tagged_texts *texts, size_t needed, struct err *err)
{
    if (needed <= texts->capacity)
        return 0;
    int32_t *grown = mem_resize(texts->targets, texts->capacity, 2 * needed, sizeof *grown, err);
    if (grown == NULL)
        return ERR_MEMORY;
    texts->targets = grown;
    texts->capacity = 2 * needed;
    return 0;
}

/* Targets of the text that has just been added; tokens beyond the limit are not there. */
static void fill_targets(struct tagged_texts *texts, const struct reader *reader,
                         const char *labels, const struct label_set *set)
{
    const size_t i = texts->ids.count - 1, length = tagged_texts_length(texts, i);
    int32_t *targets = texts->targets + texts->ids.begins[i];
    for (size_t t = 0; t < length; t++)
        targets[t] = TAGGED_NOTHING;
    for (size_t w = 0; w < reader->words.count; w++) {
        const struct word_range *label = &reader->labels.ranges[w];
        if (reader->last[w] >= length)
            continue;
        const int32_t found = label_set_find(set, labels + label->begin, label->end - label->begin);
        targets[reader->last[w]] = found < 0 ? TAGGED_UNKNOWN : found;
        texts->words[i]++;
    }
}

static int add(struct tagged_texts *texts, const struct corpus_line *line,
               const struct tokenizer *tokenizer, const struct label_set *labels, size_t limit,
               struct reader *reader, struct err *err)
{
    size_t tokens = 0;
    if (task_ids_add(&texts->ids, tokenizer, line->first, line->first_len, limit, &reader->encoded,
                     &tokens, err) ||
        find_words(reader, line, err) || reserve(texts, task_ids_total(&texts->ids), err))
        return err->code;
    fill_targets(texts, reader, line->second, labels);
    texts->cut += tokens > limit;
    return 0;
}

int tagged_texts_read(struct tagged_texts *texts, const struct corpus *corpus,
                      const struct opt_list *paths, const struct tokenizer *tokenizer,
                      const struct label_set *labels, size_t limit, struct err *err)
{
    struct reader reader = {.capacity = 0};
    *texts = (struct tagged_texts){.cut = 0};
    int code = task_ids_init(&texts->ids, corpus->count, err);
    texts->words = mem_alloc(corpus->count, sizeof *texts->words, err);
    if (texts->words == NULL)
        code = ERR_MEMORY;
    for (size_t i = 0; code == 0 && i < corpus->count; i++) {
        const struct corpus_line *line = &corpus->lines[i];
        code = add(texts, line, tokenizer, labels, limit, &reader, err);
        if (code < 0)
            err_context(err, "%s:%u", paths->items[line->file], line->line);
    }
    reader_release(&reader);
    return code;
}

void tagged_texts_release(struct tagged_texts *texts)
{
    mem_free(texts->words);
    mem_free(texts->targets);
    task_ids_release(&texts->ids);
    *texts = (struct tagged_texts){.cut = 0};
}

size_t tagged_texts_length(const struct tagged_texts *texts, size_t i)
{
    return texts->ids.begins[i + 1] - texts->ids.begins[i];
}
