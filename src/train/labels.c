#include "train/labels.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static int compare_names(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* Sorts the labels of all lines and moves the different ones to the front, *count of them. */
static int sort_names(const struct corpus *corpus, const char **names, size_t *count,
                      struct err *err)
{
    for (size_t i = 0; i < corpus->count; i++)
        names[i] = corpus->lines[i].second;
    qsort(names, corpus->count, sizeof *names, compare_names);
    *count = 0;
    for (size_t i = 0; i < corpus->count; i++)
        if (*count == 0 || strcmp(names[*count - 1], names[i]) != 0)
            names[(*count)++] = names[i];
    if (*count < 2 || *count > SPEC_MAX_LABELS)
        return err_set(err, ERR_LIMIT, "the training data has %zu labels, allowed are 2 to %d",
                       *count, SPEC_MAX_LABELS);
    return 0;
}

/* What the model calls a label of the data: the recipe may rename it with LABEL=NAME. */
static const char *model_name(const struct recipe *recipe, const char *label)
{
    const size_t len = strlen(label);
    for (size_t i = 0; i < recipe->labels.count; i++) {
        const char *item = recipe->labels.items[i];
        if (strncmp(item, label, len) == 0 && item[len] == '=')
            return item + len + 1;
    }
    return label;
}

/* Names given twice would only be noticed when the first model is saved. */
static int check_names(const struct spec *spec, struct err *err)
{
    for (size_t i = 1; i < spec->label_count; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(spec->labels[i], spec->labels[j]) == 0)
                return err_set(err, ERR_ARGUMENT, "two labels of the data are called \"%s\"",
                               spec->labels[i]);
    return 0;
}

/* A label that is renamed but never seen is a slip of the pen. */
static int check_renamed(const struct opt_list *labels, const char *const *names, size_t count,
                         struct err *err)
{
    for (size_t i = 0; i < labels->count; i++) {
        const char *item = labels->items[i];
        bool found = false;
        for (size_t j = 0; j < count && !found; j++) {
            const size_t len = strlen(names[j]);
            found = strncmp(item, names[j], len) == 0 && item[len] == '=';
        }
        if (!found)
            return err_set(err, ERR_ARGUMENT, "--labels '%s': the training data has no such label",
                           item);
    }
    return 0;
}

static int fill_spec(struct spec *spec, const struct recipe *recipe, const char *const *names,
                     size_t count, struct err *err)
{
    spec->labels = mem_alloc(count, sizeof *spec->labels, err);
    if (spec->labels == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        const char *name = model_name(recipe, names[i]);
        spec->labels[i] = mem_copy_text(name, strlen(name), err);
        if (spec->labels[i] == NULL)
            return ERR_MEMORY;
        spec->label_count++;
    }
    return check_names(spec, err);
}

int labels_collect(struct task_data *data, const char ***names, struct err *err)
{
    const struct recipe *recipe = data->recipe;
    size_t count;
    int code;
    *names = mem_alloc(data->train.count, sizeof **names, err);
    if (*names == NULL)
        return ERR_MEMORY;
    if ((code = sort_names(&data->train, *names, &count, err)) < 0 ||
        (code = check_renamed(&recipe->labels, *names, count, err)) < 0)
        return code;
    return fill_spec(&data->spec, recipe, *names, count, err);
}

int labels_find(const struct task_data *data, const char *const *names, const struct corpus *corpus,
                const struct opt_list *files, int32_t **labels, struct err *err)
{
    *labels = mem_alloc(corpus->count, sizeof **labels, err);
    if (*labels == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < corpus->count; i++) {
        const struct corpus_line *line = &corpus->lines[i];
        const char *const *found =
            bsearch(&line->second, names, data->spec.label_count, sizeof *names, compare_names);
        if (found == NULL)
            return err_set(err, ERR_FORMAT,
                           "%s:%u: the label \"%.100s\" is one that the training data lacks",
                           files->items[line->file], line->line, line->second);
        (*labels)[i] = (int32_t)(found - names);
    }
    return 0;
}
