#include "train/labels.h"

#include <string.h>

#include "base/mem.h"
#include "train/label_set.h"

static const char *text_of(const struct corpus_line *line, enum task_field field, size_t *len)
{
    *len = field == TASK_FIRST ? line->first_len : line->second_len;
    return field == TASK_FIRST ? line->first : line->second;
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
static int check_renamed(const struct opt_list *labels, const struct label_set *set,
                         struct err *err)
{
    for (size_t i = 0; i < labels->count; i++) {
        const char *item = labels->items[i];
        bool found = false;
        for (const char *equals = strchr(item, '='); equals && !found;
             equals = strchr(equals + 1, '='))
            found = label_set_find(set, item, (size_t)(equals - item)) >= 0;
        if (!found)
            return err_set(err, ERR_ARGUMENT, "--labels '%s': the training data has no such label",
                           item);
    }
    return 0;
}

/* The set's labels become the spec's, by the names of the recipe. */
static int name_labels(struct task_data *data, const struct label_set *set, struct err *err)
{
    struct spec *spec = &data->spec;
    int code = check_renamed(&data->recipe->labels, set, err);
    if (code == 0)
        code = label_set_name(set, spec, err);
    for (size_t i = 0; code == 0 && i < spec->label_count; i++) {
        const char *name = model_name(data->recipe, spec->labels[i]);
        if (name == spec->labels[i])
            continue;
        char *copy = mem_copy_text(name, strlen(name), err);
        if (copy == NULL)
            return ERR_MEMORY;
        mem_free(spec->labels[i]);
        spec->labels[i] = copy;
    }
    return code < 0 ? code : check_names(spec, err);
}

static int collect(const struct corpus *corpus, enum task_field field, struct label_set *set,
                   struct err *err)
{
    int code = 0;
    for (size_t i = 0; i < corpus->count && code == 0; i++) {
        size_t len;
        const char *text = text_of(&corpus->lines[i], field, &len);
        code = label_set_add(set, text, len, err);
    }
    return code < 0 ? code : label_set_sort(set, err);
}

/* files: where the corpus was read from. */
static int find(const struct corpus *corpus, const struct opt_list *files, enum task_field field,
                const struct label_set *set, int32_t **labels, struct err *err)
{
    *labels = mem_alloc(corpus->count, sizeof **labels, err);
    if (*labels == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < corpus->count; i++) {
        const struct corpus_line *line = &corpus->lines[i];
        size_t len;
        const char *text = text_of(line, field, &len);
        (*labels)[i] = label_set_find(set, text, len);
        if ((*labels)[i] < 0)
            return err_set(err, ERR_FORMAT,
                           "%s:%u: the label \"%.100s\" is one that the training data lacks",
                           files->items[line->file], line->line, text);
    }
    return 0;
}

int labels_read(struct task_data *data, enum task_field field, int32_t **train, int32_t **dev,
                struct err *err)
{
    const struct recipe *recipe = data->recipe;
    struct label_set set = {.count = 0};
    int code;
    if ((code = collect(&data->train, field, &set, err)) == 0 &&
        (code = name_labels(data, &set, err)) == 0 &&
        (code = find(&data->train, &recipe->train, field, &set, train, err)) == 0)
        code = find(&data->dev, &recipe->dev, field, &set, dev, err);
    label_set_release(&set);
    return code;
}
