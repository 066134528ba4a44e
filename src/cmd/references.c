/* Reads the file into one block; everything else points into it. */
#include "cmd/references.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include "base/file.h"
#include "base/mem.h"

#define REFERENCES_MAX_BYTES ((size_t)1 << 30)

static int compare_entries(const void *a, const void *b)
{
    const struct metric_text *one = &((const struct references_entry *)a)->source;
    const struct metric_text *other = &((const struct references_entry *)b)->source;
    size_t len = one->len < other->len ? one->len : other->len;
    int order = memcmp(one->data, other->data, len);
    if (order != 0)
        return order;
    return one->len < other->len ? -1 : one->len > other->len;
}

/* The field at *at, which is moved behind it and its tab; NULL after the last. */
static struct metric_text next_field(const char **at, const char *end)
{
    const char *begin = *at;
    const char *tab = memchr(begin, '\t', (size_t)(end - begin));
    *at = tab == NULL ? NULL : tab + 1;
    return (struct metric_text){begin, (size_t)((tab == NULL ? end : tab) - begin)};
}

/* Cuts one line; `texts` has room for its fields. */
static bool cut_line(const char *line, const char *end, struct metric_text *texts,
                     struct references_entry *entry)
{
    const char *at = line;
    entry->source = next_field(&at, end);
    entry->texts = texts;
    entry->count = 0;
    while (at != NULL) {
        struct metric_text field = next_field(&at, end);
        if (field.len > 0)
            texts[entry->count++] = field;
    }
    return entry->source.len > 0 && entry->count > 0;
}

static size_t count_bytes(const struct buf *block, char c)
{
    size_t count = 0;
    for (size_t i = 0; i < block->len; i++)
        count += block->data[i] == c;
    return count;
}

static int cut_lines(struct references *references, const char *path, struct err *err)
{
    const char *at = references->block.data, *end = at + references->block.len;
    struct metric_text *texts = references->texts;
    for (size_t number = 1; at < end; number++) {
        const char *feed = memchr(at, '\n', (size_t)(end - at));
        const char *line_end = feed == NULL ? end : feed;
        const char *next = feed == NULL ? end : feed + 1;
        if (line_end > at && line_end[-1] == '\r')
            line_end--;
        if (line_end > at) {
            struct references_entry *entry = &references->entries[references->count];
            if (!cut_line(at, line_end, texts, entry))
                return err_set(err, ERR_FORMAT, "%s: line %zu: no source and translations", path,
                               number);
            texts += entry->count;
            references->count++;
        }
        at = next;
    }
    return 0;
}

int references_read(struct references *references, const char *path, struct err *err)
{
    int code = file_read(path, REFERENCES_MAX_BYTES, &references->block, err);
    if (code < 0)
        return code;
    size_t lines = count_bytes(&references->block, '\n') + 1;
    size_t fields = count_bytes(&references->block, '\t');
    references->entries = mem_alloc(lines, sizeof(*references->entries), err);
    references->texts = mem_alloc(fields, sizeof(*references->texts), err);
    if (references->entries == NULL || references->texts == NULL)
        return ERR_MEMORY;
    code = cut_lines(references, path, err);
    qsort(references->entries, references->count, sizeof(*references->entries), compare_entries);
    return code;
}

void references_release(struct references *references)
{
    mem_free(references->texts);
    mem_free(references->entries);
    buf_release(&references->block);
}

const struct references_entry *references_find(const struct references *references,
                                               struct metric_text source)
{
    struct references_entry key = {.source = source};
    return bsearch(&key, references->entries, references->count, sizeof(key), compare_entries);
}
