/* Everything points into the corpus, the file of references or the files of lines. */
#include "cmd/test_set.h"

#include "base/mem.h"

/* Puts all known references in the place of the one target. */
static int use_references(struct test_set *set, const char *path, struct err *err)
{
    int code = references_read(&set->references, path, err);
    if (code < 0)
        return code;
    set->all = mem_alloc(set->count, sizeof(*set->all), err);
    if (set->all == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < set->count; i++) {
        struct metric_text source = {set->sources[i].data, set->sources[i].len};
        const struct references_entry *entry = references_find(&set->references, source);
        if (entry == NULL)
            return err_set(err, ERR_NOT_FOUND, "%s: nothing for '%.200s'", path, source.data);
        set->all[i].references = entry->texts;
        set->all[i].reference_count = entry->count;
    }
    return 0;
}

int test_set_of_corpus(struct test_set *set, const struct corpus *corpus, bool reverse,
                       const char *references, struct err *err)
{
    set->count = corpus->count;
    set->sources = mem_alloc(set->count, sizeof(*set->sources), err);
    set->targets = mem_alloc(set->count, sizeof(*set->targets), err);
    set->single = mem_alloc(set->count, sizeof(*set->single), err);
    if (!set->sources || !set->targets || !set->single)
        return ERR_MEMORY;
    for (size_t i = 0; i < set->count; i++) {
        const struct corpus_line *line = &corpus->lines[i];
        struct metric_text first = {line->first, line->first_len};
        struct metric_text second = {line->second, line->second_len};
        struct metric_text source = reverse ? second : first;
        set->sources[i] = (struct batch_text){source.data, source.len};
        set->targets[i] = reverse ? first : second;
        set->single[i] = (struct metric_segment){{"", 0}, &set->targets[i], 1};
    }
    return references == NULL ? 0 : use_references(set, references, err);
}

static int read_files(struct test_set *set, char *const *paths, size_t count, struct err *err)
{
    set->files = mem_alloc(count, sizeof(*set->files), err);
    if (set->files == NULL)
        return ERR_MEMORY;
    set->file_count = count;
    for (size_t f = 0; f < count; f++) {
        int code = text_lines_read(&set->files[f], paths[f], err);
        if (code < 0)
            return code;
        if (set->files[f].count != set->files[0].count)
            return err_set(err, ERR_FORMAT, "%s has %zu lines, but %s has %zu", paths[f],
                           set->files[f].count, paths[0], set->files[0].count);
    }
    set->count = set->files[0].count;
    return set->count > 0 ? 0 : err_set(err, ERR_FORMAT, "%s: no lines", paths[0]);
}

int test_set_of_files(struct test_set *set, char *const *paths, size_t count, struct err *err)
{
    int code = read_files(set, paths, count, err);
    if (code < 0)
        return code;
    set->targets = mem_alloc(set->count, count * sizeof(*set->targets), err);
    set->single = mem_alloc(set->count, sizeof(*set->single), err);
    if (!set->targets || !set->single)
        return ERR_MEMORY;
    for (size_t i = 0; i < set->count; i++) {
        struct metric_text *references = &set->targets[i * count];
        bool empty = true;
        for (size_t f = 0; f < count; f++) {
            references[f] = set->files[f].lines[i];
            empty = empty && references[f].len == 0;
        }
        if (empty)
            return err_set(err, ERR_FORMAT, "%s:%zu: an empty reference", paths[0], i + 1);
        set->single[i] = (struct metric_segment){{"", 0}, references, count};
    }
    return 0;
}

void test_set_release(struct test_set *set)
{
    for (size_t f = 0; f < set->file_count; f++)
        text_lines_release(&set->files[f]);
    mem_free(set->files);
    references_release(&set->references);
    mem_free(set->all);
    mem_free(set->single);
    mem_free(set->targets);
    mem_free(set->sources);
}

void test_set_hypothesis(struct test_set *set, size_t i, struct metric_text hypothesis)
{
    set->single[i].hypothesis = hypothesis;
    if (set->all != NULL)
        set->all[i].hypothesis = hypothesis;
}
