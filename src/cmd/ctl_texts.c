/* translate, classify, tag and regress: what each asks for a text, and how it prints the answer. */
#include <stdio.h>
#include <string.h>
#include "cmd/ctl_lines.h"

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

/* Prints one object of an answer's array with the model's name put in front. */
static void print_json(const json_t *result, const json_t *one)
{
    json_t *object = json_object();
    json_object_set(object, "model", json_object_get(result, "model"));
    json_object_update(object, (json_t *)one);
    json_dumpf(object, stdout, CTL_DUMP);
    putchar('\n');
    json_decref(object);
}

static void print_translation(const struct lines *lines, const json_t *result)
{
    const json_t *one = json_array_get(json_object_get(result, "translations"), 0);
    const json_t *alternatives = json_object_get(one, "alternatives");
    if (lines->ctl->settings.json) {
        print_json(result, one);
        return;
    }
    if (lines->ctl->settings.nbest <= 1) {
        puts(text_of(one, "text"));
        return;
    }
    for (size_t i = 0; i < json_array_size(alternatives); i++) {
        const json_t *other = json_array_get(alternatives, i);
        printf("%zu\t%.4f\t%s\n", lines->printed + 1,
               json_number_value(json_object_get(other, "score")), text_of(other, "text"));
    }
}

/* The parts of an explanation, each with its weight. */
static void print_parts(const json_t *explanation, const char *text)
{
    size_t i;
    const json_t *part;
    json_array_foreach(json_object_get((json_t *)explanation, "parts"), i, part)
    {
        json_int_t begin = json_integer_value(json_object_get(part, "begin"));
        json_int_t end = json_integer_value(json_object_get(part, "end"));
        if (begin < 0 || end < begin || (size_t)end > strlen(text))
            continue;
        printf("\t%.*s:%+.4f", (int)(end - begin), text + begin,
               json_number_value(json_object_get(part, "weight")));
    }
}

static void print_labels(const struct lines *lines, const json_t *result)
{
    const json_t *one = json_array_get(json_object_get(result, "results"), 0);
    if (lines->ctl->settings.json) {
        print_json(result, one);
        return;
    }
    const char *label;
    json_t *probability;
    const char *gap = "";
    json_object_foreach(json_object_get((json_t *)one, "scores"), label, probability)
    {
        printf("%s%s\t%.4f", gap, label, json_number_value(probability));
        gap = "\t";
    }
    print_parts(json_object_get(one, "explanation"), json_string_value(lines_text(lines)));
    putchar('\n');
}

static void print_tags(const struct lines *lines, const json_t *result)
{
    const json_t *one = json_array_get(json_object_get(result, "results"), 0);
    size_t i;
    const json_t *word;
    if (lines->ctl->settings.json) {
        print_json(result, one);
        return;
    }
    json_array_foreach(json_object_get((json_t *)one, "words"), i, word)
    {
        printf("%s%s", i ? " " : "", text_of(word, "label"));
    }
    putchar('\n');
}

static void print_value(const struct lines *lines, const json_t *result)
{
    const json_t *one = json_array_get(json_object_get(result, "results"), 0);
    if (lines->ctl->settings.json)
        print_json(result, one);
    else
        printf("%.7g\n", json_number_value(json_object_get(one, "value")));
}

int ctl_translate(struct ctl *ctl)
{
    const struct ctl_settings *settings = &ctl->settings;
    struct lines lines = {.method = "translate", .params = json_object()};
    lines.print = print_translation;
    ctl_put_text(lines.params, "source", settings->source);
    ctl_put_text(lines.params, "target", settings->target);
    ctl_put_text(lines.params, "model", settings->model);
    ctl_put_number(lines.params, "beam", settings->beam);
    ctl_put_number(lines.params, "nbest", settings->nbest);
    ctl_put_number(lines.params, "timeout_ms", ctl_timeout_ms(ctl));
    if (settings->alignment)
        json_object_set_new(lines.params, "alignment", json_true());
    return lines_run(&lines, ctl);
}

int ctl_classify(struct ctl *ctl)
{
    const struct ctl_settings *settings = &ctl->settings;
    struct lines lines = {.method = "classify", .params = json_object()};
    lines.print = print_labels;
    ctl_put_text(lines.params, "model", settings->model);
    if (settings->explain)
        json_object_set_new(lines.params, "explain", json_true());
    ctl_put_number(lines.params, "top", settings->json || settings->top ? settings->top : 1);
    ctl_put_number(lines.params, "timeout_ms", ctl_timeout_ms(ctl));
    return lines_run(&lines, ctl);
}

int ctl_tag(struct ctl *ctl)
{
    struct lines lines = {.method = "tag", .params = json_object()};
    lines.print = print_tags;
    ctl_put_text(lines.params, "model", ctl->settings.model);
    ctl_put_number(lines.params, "timeout_ms", ctl_timeout_ms(ctl));
    return lines_run(&lines, ctl);
}

int ctl_regress(struct ctl *ctl)
{
    struct lines lines = {.method = "regress", .params = json_object()};
    lines.print = print_value;
    lines.rows = ctl->settings.rows;
    ctl_put_text(lines.params, "model", ctl->settings.model);
    ctl_put_number(lines.params, "timeout_ms", ctl_timeout_ms(ctl));
    return lines_run(&lines, ctl);
}
