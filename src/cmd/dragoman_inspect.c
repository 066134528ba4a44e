/* dragoman inspect: says what is in a bundle, after checking it as any program that uses it would;
   the pages of what it does with a text are in inspect_page.c. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include "base/file.h"
#include "base/mem.h"
#include "cmd/inspect.h"
#include "model/cells.h"
#include "model/model_parameters.h"
#include "model/spec_names.h"
#include "nn/half.h"
#include "text/vocab_table.h"

#define AT(member) offsetof(struct inspect_settings, member)

static const struct opt options[] = {
    {.name = "json",
     .letter = 'j',
     .type = OPT_FLAG,
     .offset = AT(json),
     .help = "print one JSON object"},
    {.name = "cells",
     .letter = 'c',
     .type = OPT_FLAG,
     .offset = AT(cells),
     .help = "write a page that colours a text by what each hidden unit makes of it, and says "
             "which units follow quotes, lines, brackets and more"},
    {.name = "attention",
     .letter = 'a',
     .type = OPT_FLAG,
     .offset = AT(attention),
     .help = "write a page of where a translation model looks, for each line of a text"},
    {.name = "explain",
     .letter = 'x',
     .type = OPT_FLAG,
     .offset = AT(explain),
     .help = "write a page of what each word contributes to a classifier's answer, for each line "
             "of a text"},
    {.name = "output",
     .letter = 'o',
     .type = OPT_TEXT,
     .offset = AT(output),
     .value = "FILE",
     .help = "write the page into this file and not to standard output"},
    {.name = "label",
     .letter = 'l',
     .type = OPT_TEXT,
     .offset = AT(label),
     .value = "LABEL",
     .help = "with --cells: the label that the model's text is conditioned by"},
    {.name = "tokens",
     .letter = 't',
     .type = OPT_INT,
     .offset = AT(tokens),
     .fallback = "20000",
     .min = 1,
     .max = CELLS_MAX_TOKENS,
     .value = "N",
     .help = "with --cells: read the first N tokens of the text"},
    {.name = "passage",
     .letter = 'p',
     .type = OPT_INT,
     .offset = AT(passage),
     .fallback = "5000",
     .min = 1,
     .max = 100000,
     .value = "N",
     .help = "with --cells: show N tokens on the page, those where most happens"},
    {.name = "units",
     .letter = 'u',
     .type = OPT_INT,
     .offset = AT(units),
     .fallback = "128",
     .min = 1,
     .max = 10000,
     .value = "N",
     .help = "with --cells: take the values of N units into the page, and those of all that it "
             "ranks"},
    CMD_HELP(struct inspect_settings),
    {.name = NULL},
};

static const struct cmd_usage usage = {
    .name = "inspect",
    .arguments = "MODEL [TEXT]",
    .help = "say what is in a model: its kind, card, tokenizer and tensors; or write an HTML page "
            "of what it does with the text in the file TEXT, or in standard input",
    .least = 1,
    .most = 2,
    .options = options,
};

struct figures { /* of one tensor; equal weights have equal figures */
    double sum, root_mean_square, least, most;
};

static double value_of(const struct tensor *tensor, size_t i)
{
    switch (tensor->type) {
    case TENSOR_I64:
        return (double)tensor->integers[i];
    case TENSOR_I8:
        return tensor->bytes[i];
    case TENSOR_F16:
        return (double)half_value(tensor->halves[i]);
    case TENSOR_F32:
        break;
    }
    return (double)tensor->data[i];
}

static struct figures measure(const struct tensor *tensor)
{
    struct figures figures = {0, 0, INFINITY, -INFINITY};
    double squares = 0;
    for (size_t i = 0; i < tensor->count; i++) {
        const double value = value_of(tensor, i);
        figures.sum += value;
        squares += value * value;
        figures.least = fmin(figures.least, value);
        figures.most = fmax(figures.most, value);
    }
    if (tensor->count > 0)
        figures.root_mean_square = sqrt(squares / (double)tensor->count);
    return figures;
}

/* Whatever form they are in. */
static int count_parameters(const struct model *model, size_t *count, struct err *err)
{
    struct model_parameters *all = model_parameters(model, err);
    if (all == NULL)
        return ERR_MEMORY;
    *count = parameters_total(all->list, all->count);
    mem_free(all);
    return 0;
}

static const char *tokenizer_form(const struct spec *spec)
{
    return spec->tokenizer.form == NORM_NFC ? "nfc" : "nfkc";
}

/* Text ------------------------------------------------------------------------------------------
 */

static void print_shape(const struct tensor *tensor)
{
    char shape[96] = "";
    size_t len = 0;
    for (size_t i = 0; i < tensor->dimensions && len < sizeof(shape); i++)
        len += (size_t)snprintf(shape + len, sizeof(shape) - len, "%s%zu", i > 0 ? " x " : "",
                                tensor->shape[i]);
    printf("  %-36s %-16s", tensor->name, shape);
}

static void print_tensors(const struct safetensors *weights, size_t parameters)
{
    printf("tensors       %zu, %zu parameters, file of %zu bytes\n", weights->count, parameters,
           weights->copy.size);
    printf("  %-36s %-16s %14s %10s %10s %10s\n", "name", "shape", "sum", "rms", "least", "most");
    for (size_t i = 0; i < weights->count; i++) {
        struct figures figures = measure(&weights->tensors[i]);
        print_shape(&weights->tensors[i]);
        printf(" %14.5f %10.5f %10.5f %10.5f\n", figures.sum, figures.root_mean_square,
               figures.least, figures.most);
    }
}

static void print_task(const struct spec *spec)
{
    printf("name          %s\n", spec->name);
    printf("task          %s", spec_task_name(spec->task));
    if (spec->task == SPEC_TRANSLATION)
        printf(" from %s to %s; beam %zu, length penalty %g", spec->source, spec->target,
               spec->beam, spec->length_penalty);
    printf("\n");
    if (spec->label_count > 0) {
        printf("labels       ");
        for (size_t i = 0; i < spec->label_count; i++)
            printf("%s %s", i > 0 ? "," : "", spec->labels[i]);
        printf("\n");
    }
}

static void print_recurrent(const char *name, const struct spec_recurrent *net)
{
    printf(", %s %s", name, cell_names[net->cell]);
    if (net->layers > 1)
        printf(" %zu x", net->layers);
    printf(" %zu%s%s", net->hidden, net->bidirectional ? " in each of two directions" : "",
           net->residual ? ", residual" : "");
    if (net->norm != CELL_NORM_NONE)
        printf(", %s layer normalisation", cell_norm_names[net->norm]);
}

static void print_head(const struct spec *spec)
{
    static const char *const pooling[] = {[SPEC_POOL_LAST] = "last",
                                          [SPEC_POOL_MEAN] = "mean",
                                          [SPEC_POOL_MAX] = "max",
                                          [SPEC_POOL_ATTENTION] = "attention"};
    static const char *const condition[] = {[SPEC_CONDITION_NONE] = "no condition",
                                            [SPEC_CONDITION_FIRST] = "condition at first",
                                            [SPEC_CONDITION_EVERY] = "condition at every step"};
    if (spec->task == SPEC_GENERATION)
        printf(", %s%s", condition[spec->condition], spec->tied ? ", tied" : "");
    else if (spec->task != SPEC_TAGGING)
        printf(", pooling %s", pooling[spec->pooling]);
    printf("\n");
}

static void print_bag(const struct spec_bag *bag)
{
    static const char *const weighting[] = {[SPEC_BINARY] = "binary",
                                            [SPEC_COUNTS] = "counts",
                                            [SPEC_TF] = "term frequency",
                                            [SPEC_TF_IDF] = "tf-idf"};
    if (bag->words > 0)
        printf(", words up to %zu%s", bag->words, bag->edges ? " with edges" : "");
    if (bag->longest > 0)
        printf(", characters %zu to %zu%s", bag->shortest, bag->longest,
               bag->across ? " across spaces" : "");
    printf(", %s%s", weighting[bag->weighting], bag->normalise ? ", normalised" : "");
    if (bag->stop_count > 0)
        printf(", %zu stop words", bag->stop_count);
    if (bag->hidden > 0)
        printf(", hidden layer of %zu", bag->hidden);
    printf(", %zu %s\n", bag->buckets > 0 ? bag->buckets : bag->features,
           bag->buckets > 0 ? "buckets" : "features");
}

static void print_architecture(const struct spec *spec)
{
    static const char *const decoders[] = {[SPEC_DECODER_PLAIN] = "plain decoder",
                                           [SPEC_DECODER_INPUT_FEEDING] = "input-feeding decoder",
                                           [SPEC_DECODER_CONDITIONAL] = "conditional decoder"};
    static const char *const tying[] = {[SPEC_TYING_NONE] = "no",
                                        [SPEC_TYING_TWO_WAY] = "two-way",
                                        [SPEC_TYING_THREE_WAY] = "three-way"};
    printf("architecture  %s", spec_kind_name(spec->kind));
    if (spec->kind == SPEC_BAG_OF_WORDS) {
        print_bag(&spec->bag);
        return;
    }
    if (spec->row > 0)
        printf(", rows of %zu numbers", spec->row);
    printf(", embedding %zu", spec->embedding);
    if (spec->encoder.layers > 0)
        print_recurrent("encoder", &spec->encoder);
    if (spec->kind == SPEC_RNN) {
        print_head(spec);
        return;
    }
    print_recurrent(decoders[spec->decoder_kind], &spec->decoder);
    printf(", attention %s%s, %s tying\n", attention_names[spec->attention],
           spec->deep_output ? ", deep output" : "", tying[spec->tying]);
}

static void print_card_value(const char *key, const json_t *value)
{
    char *text =
        json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(6));
    const char *shown = json_is_string(value) ? json_string_value(value) : text;
    printf("  %-18s %s\n", key, shown ? shown : "");
    free(text);
}

static void print_card(const struct spec *spec)
{
    json_t *card = json_loads(spec->card, 0, NULL), *value;
    const char *key;
    if (json_object_size(card) > 0)
        printf("card\n");
    json_object_foreach(card, key, value)
    {
        print_card_value(key, value);
    }
    json_decref(card);
}

static void print_text(const struct model *model, size_t parameters)
{
    const struct spec *spec = &model->spec;
    print_task(spec);
    print_architecture(spec);
    printf("tokenizer     %s, %s%s, %zu tokens\n", vocab_kind_name(spec->tokenizer.kind),
           tokenizer_form(spec), spec->tokenizer.fold ? ", case folded" : "",
           tokenizer_size(model->tokenizer));
    print_card(spec);
    if (spec->weights != SPEC_WEIGHTS_F32)
        printf("weights       %s\n", spec_weights_names[spec->weights]);
    print_tensors(&model->weights, parameters);
}

/* JSON ------------------------------------------------------------------------------------------
 */

static json_t *tensor_json(const struct tensor *tensor)
{
    struct figures figures = measure(tensor);
    json_t *shape = json_array();
    for (size_t i = 0; i < tensor->dimensions; i++)
        json_array_append_new(shape, json_integer((json_int_t)tensor->shape[i]));
    return json_pack("{s:s, s:o, s:I, s:f, s:f, s:f, s:f}", "name", tensor->name, "shape", shape,
                     "count", (json_int_t)tensor->count, "sum", figures.sum, "rms",
                     figures.root_mean_square, "least", figures.least, "most", figures.most);
}

static json_t *tensors_json(const struct safetensors *weights)
{
    json_t *array = json_array();
    for (size_t i = 0; i < weights->count; i++)
        json_array_append_new(array, tensor_json(&weights->tensors[i]));
    return array;
}

/* The spec is shown as it stands in the bundle's model.json. */
static int print_json(const struct model *model, size_t parameters, const char *folder,
                      struct err *err)
{
    json_t *object = NULL;
    char *path = file_join(folder, "model.json", err);
    if (path == NULL)
        return ERR_MEMORY;
    json_error_t where;
    json_t *spec = json_load_file(path, 0, &where);
    mem_free(path);
    if (spec != NULL)
        object =
            json_pack("{s:o, s:I, s:I, s:I, s:o}", "spec", spec, "vocabulary",
                      (json_int_t)tokenizer_size(model->tokenizer), "parameters",
                      (json_int_t)parameters, "weight_bytes", (json_int_t)model->weights.copy.size,
                      "tensors", tensors_json(&model->weights));
    return cmd_print_json(object, err);
}

static int inspect(const struct inspect_settings *settings, const char *folder, const char *path)
{
    struct err err = ERR_INIT;
    struct model *model;
    if (cmd_open_model(&model, folder, &err) < 0)
        return cmd_failed(&err);
    size_t parameters = 0;
    int code = count_parameters(model, &parameters, &err);
    if (code == 0 && (settings->cells || settings->attention || settings->explain))
        code = inspect_page(settings, model, path, &err);
    else if (code == 0 && settings->json)
        code = print_json(model, parameters, folder, &err);
    else if (code == 0)
        print_text(model, parameters);
    model_release(model);
    return code < 0 ? cmd_failed(&err) : CMD_FINE;
}

/* Whether what was asked for goes together. */
static bool is_sensible(const struct inspect_settings *settings, int count, const char *text)
{
    const int pages = settings->cells + settings->attention + settings->explain;
    if (pages + settings->json > 1)
        cmd_complain("inspect: --json, --cells, --attention and --explain exclude each other");
    else if (pages == 0 && count > 1)
        cmd_complain("inspect: unexpected argument '%s'; see dragoman inspect --help", text);
    else if (pages == 0 && settings->output != NULL)
        cmd_complain("inspect: --output is where a page goes, and none is asked for");
    else if (!settings->cells && settings->label != NULL)
        cmd_complain("inspect: --label belongs with --cells");
    else
        return true;
    return false;
}

int dragoman_inspect(int argc, char **argv)
{
    struct inspect_settings settings = {0};
    int count, status;
    if (cmd_parse(&usage, &settings, argc, argv, &count, &status))
        status = is_sensible(&settings, count, argv[count])
                     ? inspect(&settings, argv[1], count > 1 ? argv[2] : NULL)
                     : CMD_USAGE;
    opt_release(options, &settings);
    return status;
}
