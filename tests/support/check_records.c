/*
 * check_records FOLDER: is FOLDER/train.jsonl a sound record of a run, each line JSON of its type
 * with a number for each of its members, updates rising? Is FOLDER/report.html well-formed and
 * complete in itself? Prints how many lines of each type there are, as "updates 10", and
 * "reason finished"; exits with 1 and says why where something is wrong.
 */
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "support/markup.h"

struct kind {
    const char *name, *members[9]; /* numbers */
    size_t count;
    double last_update;
};
static struct kind kinds[] = {
    {.name = "start", .members = {"threads", "parameters", "tensors"}},
    {.name = "update",
     .members = {"epoch", "progress", "loss", "gradient_norm", "rate", "units_per_second",
                 "seconds"}},
    {.name = "evaluation", .members = {"epoch", "loss", "score", "best_score", "seconds"}},
    {.name = "samples", .members = {"epoch", "score"}},
    {.name = "end", .members = {"epoch", "seconds"}},
};
#define KINDS (sizeof kinds / sizeof *kinds)

static char reason[32] = "none";

static bool fail(const char *what, size_t line, const char *detail)
{
    fprintf(stderr, "%s, line %zu: %s\n", what, line, detail);
    return false;
}

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static bool check_attention(const json_t *sample, size_t number)
{
    const json_t *rows = json_object_get(sample, "attention");
    const size_t sources = json_array_size(json_object_get(sample, "source_tokens"));
    if (json_array_size(rows) != json_array_size(json_object_get(sample, "output_tokens")))
        return fail("attention", number, "not a row a token of the output");
    for (size_t r = 0; r < json_array_size(rows); r++) {
        const json_t *row = json_array_get(rows, r);
        double sum = 0;
        for (size_t c = 0; c < json_array_size(row); c++)
            sum += json_number_value(json_array_get(row, c));
        if (json_array_size(row) != sources || sum < 0.97 || sum > 1.03)
            return fail("attention", number, "a row does not spread 1 over the source's tokens");
    }
    return true;
}

static bool check_samples(const json_t *line, size_t number)
{
    const json_t *samples = json_object_get(line, "samples");
    if (json_array_size(samples) == 0)
        return fail("samples", number, "there are none");
    for (size_t i = 0; i < json_array_size(samples); i++) {
        const json_t *sample = json_array_get(samples, i);
        if (!*text_of(sample, "source") || !*text_of(sample, "reference"))
            return fail("samples", number, "no source or no reference");
        if (json_object_get(sample, "attention") && !check_attention(sample, number))
            return false;
    }
    return true;
}

static struct kind *kind_of(const json_t *line)
{
    for (size_t i = 0; i < KINDS; i++)
        if (strcmp(kinds[i].name, text_of(line, "type")) == 0)
            return &kinds[i];
    return NULL;
}

static bool check_line(const json_t *line, size_t number)
{
    struct kind *kind = kind_of(line);
    if (!kind)
        return fail("no known type", number, text_of(line, "type"));
    const double update = json_number_value(json_object_get(line, "update"));
    if (!json_is_integer(json_object_get(line, "update")) ||
        (kind->count > 0 && update < kind->last_update) ||
        (strcmp(kind->name, "update") == 0 && update <= kind->last_update))
        return fail(kind->name, number, "the update is missing or does not rise");
    for (const char *const *member = kind->members; *member; member++)
        if (!json_is_number(json_object_get(line, *member)))
            return fail(*member, number, "is no number");
    kind->count++;
    kind->last_update = update;
    if (strcmp(kind->name, "end") == 0)
        snprintf(reason, sizeof reason, "%s", text_of(line, "reason"));
    return strcmp(kind->name, "samples") != 0 || check_samples(line, number);
}

static bool check_journal(const struct buf *text)
{
    const char *at = text->data;
    for (size_t number = 1; *at; number++) {
        json_error_t fault;
        const char *newline = strchr(at, '\n');
        if (!newline)
            return fail("train.jsonl", number, "no newline at its end");
        json_t *line = json_loadb(at, (size_t)(newline - at), JSON_REJECT_DUPLICATES, &fault);
        const bool fine = line ? check_line(line, number) : fail("not JSON", number, fault.text);
        json_decref(line);
        if (!fine)
            return false;
        at = newline + 1;
    }
    return kinds[0].count > 0 || fail("train.jsonl", 0, "has no start");
}

static bool read_file(const char *folder, const char *name, struct buf *out)
{
    struct err err = ERR_INIT;
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    if (file_read(path, (size_t)1 << 28, out, &err) == 0)
        return true;
    fprintf(stderr, "%s\n", err.message);
    return false;
}

int main(int argc, char **argv)
{
    struct buf journal = BUF_INIT, page = BUF_INIT;
    char why[200] = "";
    bool fine = argc == 2 && read_file(argv[1], "train.jsonl", &journal) &&
                check_journal(&journal) && read_file(argv[1], "report.html", &page);
    if (fine && !markup_check(page.data, page.len, why, sizeof why))
        fine = fail("report.html", 0, why);
    for (size_t i = 0; fine && i < KINDS; i++)
        printf("%s %zu\n", kinds[i].name, kinds[i].count);
    if (fine)
        printf("curves %zu\nheats %zu\nreason %s\n",
               markup_count(page.data, "<svg class=\"lines\""),
               markup_count(page.data, "<svg class=\"heat\""), reason);
    buf_release(&journal);
    buf_release(&page);
    return fine ? EXIT_SUCCESS : EXIT_FAILURE;
}
