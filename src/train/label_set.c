#include "train/label_set.h"

#include "base/mem.h"

int label_set_add(struct label_set *set, const char *text, size_t len, struct err *err)
{
    int32_t id;
    bool added;
    return intern_add(&set->texts, text, len, &id, &added, err);
}

/* Few labels are common, so insertion is quick enough. */
static void sort(const struct intern *texts, int32_t *order, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (; at > 0 && intern_compare(texts, (int32_t)i, order[at - 1]) < 0; at--)
            order[at] = order[at - 1];
        order[at] = (int32_t)i;
    }
}

int label_set_sort(struct label_set *set, struct err *err)
{
    const size_t count = set->texts.count;
    if (count < 2 || count > SPEC_MAX_LABELS)
        return err_set(err, ERR_LIMIT, "the training data has %zu labels, allowed are 2 to %d",
                       count, SPEC_MAX_LABELS);
    set->order = mem_alloc(count, sizeof *set->order, err);
    set->place = mem_alloc(count, sizeof *set->place, err);
    if (set->order == NULL || set->place == NULL)
        return ERR_MEMORY;
    sort(&set->texts, set->order, count);
    for (size_t i = 0; i < count; i++)
        set->place[set->order[i]] = (int32_t)i;
    set->count = count;
    return 0;
}

int32_t label_set_find(const struct label_set *set, const char *text, size_t len)
{
    const int32_t id = intern_find(&set->texts, text, len);
    return id < 0 ? -1 : set->place[id];
}

int label_set_name(const struct label_set *set, struct spec *spec, struct err *err)
{
    spec->labels = mem_alloc(set->count, sizeof *spec->labels, err);
    if (spec->labels == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < set->count; i++, spec->label_count++) {
        size_t len;
        const char *text = intern_text(&set->texts, set->order[i], &len);
        spec->labels[i] = mem_copy_text(text, len, err);
        if (spec->labels[i] == NULL)
            return ERR_MEMORY;
    }
    return 0;
}

void label_set_release(struct label_set *set)
{
    mem_free(set->order);
    mem_free(set->place);
    intern_release(&set->texts);
    *set = (struct label_set){.count = 0};
}
