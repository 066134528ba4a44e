/* dragoman quantize: a bundle with small weights, and what that costs in quality. */
#include <stdio.h>
#include <string.h>
#include "base/file.h"
#include "cmd/cmd.h"
#include "cmd/evaluate.h"
#include "model/bundle.h"
#include "model/quantize.h"

struct settings {
    char *out;
    struct evaluate_settings evaluate;
};

#define AT(member)                                                                                 \
    (offsetof(struct settings, evaluate) + offsetof(struct evaluate_settings, member))

static const struct opt options[] = {
    {.name = "out",
     .letter = 'o',
     .type = OPT_TEXT,
     .offset = offsetof(struct settings, out),
     .value = "DIR",
     .help = "the folder for the new bundle, made or replaced"},
    {.name = "dev",
     .type = OPT_TEXT,
     .offset = AT(test),
     .value = "FILE",
     .help = "measure both models on this file, lines as in evaluate --test"},
    {.name = "beam",
     .letter = 'b',
     .type = OPT_INT,
     .offset = AT(beam),
     .min = 1,
     .max = DECODE_MAX_BEAM,
     .value = "N",
     .help = "translation: hypotheses kept at each step; the model's own number where not given"},
    {.name = "labels",
     .letter = 'l',
     .type = OPT_LIST,
     .offset = AT(labels),
     .value = "LIST",
     .help = "classification: what labels of the file are called in the model, as "
             "0=negative,1=positive"},
    {.name = "json",
     .letter = 'j',
     .type = OPT_FLAG,
     .offset = AT(json),
     .help = "print one JSON object"},
    {.name = "threads",
     .letter = 't',
     .type = OPT_INT,
     .offset = AT(threads),
     .min = 1,
     .max = CMD_MAX_THREADS,
     .value = "N",
     .help = "worker threads; one for each processor where not given"},
    {.name = "help",
     .letter = 'h',
     .type = OPT_FLAG,
     .scope = OPT_ONLY_ARGUMENT,
     .offset = AT(help),
     .help = "print this text"},
    {.name = NULL},
};

static const struct cmd_usage usage = {
    .name = "quantize",
    .arguments = "MODEL --out DIR",
    .help = "make the weights of a model smaller, and say what it loses",
    .least = 1,
    .most = 1,
    .options = options,
};

struct side { /* the model before, or after */
    size_t bytes;
    struct evaluate_figure figure;
};

static int measure(const struct settings *settings, struct model *model, struct side *side)
{
    struct evaluate evaluate = {.settings = &settings->evaluate,
                                .model = model,
                                .threads = cmd_threads(settings->evaluate.threads),
                                .silent = true};
    side->bytes = model->weights.copy.size;
    if (settings->evaluate.test == NULL)
        return CMD_FINE;
    const int status = evaluate_one(&evaluate);
    side->figure = evaluate.figure;
    return status;
}

static int open_and_measure(const struct settings *settings, const char *folder, struct side *side)
{
    struct err err = ERR_INIT;
    struct model *model;
    if (cmd_open_model(&model, folder, &err) < 0)
        return cmd_failed(&err);
    const int status = measure(settings, model, side);
    model_release(model);
    return status;
}

static void print_text(const struct side *before, const struct side *after)
{
    const struct evaluate_figure *was = &before->figure, *is = &after->figure;
    printf("weights    %zu bytes, before %zu\n", after->bytes, before->bytes);
    if (is->name != NULL)
        printf("%-10s %.4f, before %.4f: %+.4f\n", is->name, is->value, was->value,
               is->value - was->value);
}

static int print_json(const struct side *before, const struct side *after)
{
    struct err err = ERR_INIT;
    json_t *object = json_pack("{s:I, s:I}", "bytes", (json_int_t)after->bytes, "bytes_before",
                               (json_int_t)before->bytes);
    if (object != NULL && after->figure.name != NULL) {
        json_t *rest = json_pack("{s:s, s:f, s:f, s:f}", "measure", after->figure.name, "value",
                                 after->figure.value, "value_before", before->figure.value,
                                 "change", after->figure.value - before->figure.value);
        json_object_update(object, rest);
        json_decref(rest);
    }
    return cmd_print_json(object, &err) < 0 ? cmd_failed(&err) : CMD_FINE;
}

static int save(const struct settings *settings, const char *folder, struct side *before)
{
    struct err err = ERR_INIT;
    struct model *model;
    if (cmd_open_model(&model, folder, &err) < 0)
        return cmd_failed(&err);
    int status = CMD_FINE;
    if (bundle_check_target(settings->out, &err) < 0)
        status = cmd_failed(&err);
    if (status == CMD_FINE)
        status = measure(settings, model, before);
    if (status == CMD_FINE && quantize_save(model, settings->out, &err) < 0)
        status = cmd_failed(&err);
    model_release(model);
    return status;
}

static int quantize(const struct settings *settings, const char *folder)
{
    struct side before = {0}, after = {0};
    if (settings->out == NULL) {
        cmd_complain("quantize: --out DIR is missing; see dragoman quantize --help");
        return CMD_USAGE;
    }
    int status = save(settings, folder, &before);
    if (status == CMD_FINE)
        status = open_and_measure(settings, settings->out, &after);
    if (status != CMD_FINE)
        return status;
    if (settings->evaluate.json)
        return print_json(&before, &after);
    print_text(&before, &after);
    return CMD_FINE;
}

int dragoman_quantize(int argc, char **argv)
{
    struct settings settings = {0};
    int count, status;
    if (cmd_parse(&usage, &settings, argc, argv, &count, &status))
        status = quantize(&settings, argv[1]);
    opt_release(options, &settings);
    return status;
}
