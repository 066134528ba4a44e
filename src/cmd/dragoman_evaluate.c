/* dragoman evaluate: what a model is worth, measured on a test set. */
#include <stdio.h>
#include "cmd/cmd.h"
#include "cmd/evaluate.h"

#define AT(member) offsetof(struct evaluate_settings, member)

static const struct opt options[] = {
    {.name = "test",
     .type = OPT_TEXT,
     .offset = AT(test),
     .value = "FILE",
     .help = "the test set, a line each: source and target, text and label, or condition and text, "
             "with a tab between; or text alone"},
    {.name = "json",
     .letter = 'j',
     .type = OPT_FLAG,
     .offset = AT(json),
     .help = "print one JSON object"},
    {.name = "output",
     .letter = 'o',
     .type = OPT_TEXT,
     .offset = AT(output),
     .value = "FILE",
     .help = "write the translations, or labels and probabilities, a line each"},
    CMD_BEAM(struct evaluate_settings, "translation: "),
    CMD_ENSEMBLE(struct evaluate_settings, "translation: "),
    {.name = "references",
     .letter = 'r',
     .type = OPT_TEXT,
     .offset = AT(references),
     .value = "FILE",
     .help = "translation: score against these too; a line is a source and all its translations"},
    {.name = "reverse",
     .type = OPT_FLAG,
     .offset = AT(reverse),
     .help = "translation: the second column of the test set is the source"},
    {.name = "hypotheses",
     .type = OPT_TEXT,
     .offset = AT(hypotheses),
     .value = "FILE",
     .help = "score these translations, a line each; the arguments are files of references"},
    {.name = "baseline",
     .type = OPT_TEXT,
     .offset = AT(baseline),
     .value = "FILE",
     .help = "translation: compare with these translations, a line each"},
    {.name = "tokenised",
     .type = OPT_FLAG,
     .offset = AT(tokenised),
     .help = "translation: BLEU of text whose tokens stand between spaces already"},
    {.name = "lowercase",
     .type = OPT_FLAG,
     .offset = AT(lowercase),
     .help = "translation: case does not count"},
    {.name = "smoothing",
     .type = OPT_CHOICE,
     .offset = AT(smoothing),
     .fallback = "exp",
     .choices = "exp|none",
     .value = "WORD",
     .help = "translation: an order of BLEU without a match counts a little, or makes it 0"},
    {.name = "perplexity",
     .type = OPT_FLAG,
     .offset = AT(perplexity),
     .help = "translation: also how well the model predicts the references, token by token"},
    {.name = "confidence",
     .type = OPT_FLAG,
     .offset = AT(confidence),
     .help = "translation: also the interval that holds 95 % of the scores of drawn test sets"},
    {.name = "seed",
     .type = OPT_INT,
     .offset = AT(seed),
     .fallback = "1",
     .min = 0,
     .max = INT32_MAX,
     .value = "N",
     .help = "of the draws for --confidence and --baseline"},
    {.name = "labels",
     .letter = 'l',
     .type = OPT_LIST,
     .offset = AT(labels),
     .value = "LIST",
     .help = "classification: what labels of the test set are called in the model, as "
             "0=negative,1=positive"},
    CMD_THREADS(struct evaluate_settings),
    CMD_HELP(struct evaluate_settings),
    {.name = NULL},
};

static const struct cmd_usage usage = {
    .name = "evaluate",
    .arguments = "--test FILE MODEL | --hypotheses FILE REFERENCES...",
    .help = "measure a model on a test set, or score translations",
    .least = 0,
    .most = -1,
    .options = options,
};

/* The name of the first option that is given and means nothing there. */
static const char *misplaced_for_translation(const struct evaluate_settings *settings)
{
    return settings->labels.count > 0 ? "labels" : NULL;
}

static const char *misplaced_for_others(const struct evaluate_settings *settings)
{
    return settings->beam != 0                         ? "beam"
           : settings->references != NULL              ? "references"
           : settings->reverse                         ? "reverse"
           : settings->baseline != NULL                ? "baseline"
           : settings->tokenised                       ? "tokenised"
           : settings->lowercase                       ? "lowercase"
           : settings->smoothing != METRIC_EXPONENTIAL ? "smoothing"
           : settings->perplexity                      ? "perplexity"
           : settings->confidence                      ? "confidence"
           : settings->ensemble.count > 0              ? "ensemble"
                                                       : NULL;
}

static const char *misplaced_for_generation(const struct evaluate_settings *settings)
{
    return settings->output != NULL ? "output" : misplaced_for_others(settings);
}

static const char *misplaced_for_hypotheses(const struct evaluate_settings *settings)
{
    return settings->labels.count > 0     ? "labels"
           : settings->beam != 0          ? "beam"
           : settings->ensemble.count > 0 ? "ensemble"
           : settings->output != NULL     ? "output"
           : settings->threads != 0       ? "threads"
           : settings->perplexity         ? "perplexity"
           : settings->test != NULL       ? NULL
           : settings->references != NULL ? "references"
           : settings->reverse            ? "reverse"
                                          : NULL;
}

/* Options that mean nothing are refused rather than ignored. Captions are translations of rows. */
static bool options_fit(const struct evaluate_settings *settings, const struct spec *spec)
{
    const char *misplaced = spec->kind == SPEC_SEQ2SEQ      ? misplaced_for_translation(settings)
                            : spec->task == SPEC_GENERATION ? misplaced_for_generation(settings)
                                                            : misplaced_for_others(settings);
    if (misplaced == NULL && spec->task != SPEC_CLASSIFICATION && settings->labels.count > 0)
        misplaced = "labels";
    if (misplaced != NULL)
        cmd_complain("evaluate: --%s means nothing for %s", misplaced, spec_task_name(spec->task));
    return misplaced == NULL;
}

/* Reads the test set. */
static int read_corpus(struct evaluate *evaluate)
{
    struct err err = ERR_INIT;
    const char *test = evaluate->settings->test;
    if (corpus_read(&evaluate->corpus, &test, 1, &err) < 0)
        return cmd_failed(&err);
    if (evaluate->corpus.count > 0)
        return CMD_FINE;
    cmd_complain("%s: no lines to evaluate on", test);
    return CMD_FAILED;
}

static int run_task(struct evaluate *evaluate)
{
    if (!options_fit(evaluate->settings, &evaluate->model->spec))
        return CMD_USAGE;
    if (evaluate->model->spec.task == SPEC_GENERATION && evaluate->model->rnn != NULL)
        return evaluate_generation(evaluate);
    int status = read_corpus(evaluate);
    if (status != CMD_FINE)
        return status;
    switch (evaluate->model->spec.task) {
    case SPEC_TRANSLATION:
    case SPEC_GENERATION:
        return evaluate_translation(evaluate);
    case SPEC_CLASSIFICATION:
        return evaluate_classification(evaluate);
    case SPEC_TAGGING:
        return evaluate_tagging(evaluate);
    case SPEC_REGRESSION:
        return evaluate_regression(evaluate);
    }
    return CMD_FAILED;
}

/* Translations from a file, against the test set or against `count` files of references. */
static int evaluate_file(const struct evaluate_settings *settings, char *const *references,
                         int count)
{
    struct evaluate evaluate = {.settings = settings};
    const char *misplaced = misplaced_for_hypotheses(settings);
    int status = CMD_FINE;
    if (misplaced != NULL) {
        cmd_complain("evaluate: --%s means nothing for --hypotheses%s", misplaced,
                     settings->test == NULL ? " without --test" : "");
        return CMD_USAGE;
    }
    if ((settings->test == NULL) == (count == 0)) {
        cmd_complain("evaluate: --hypotheses needs files of references or --test FILE%s",
                     count == 0 ? "" : ", not both");
        return CMD_USAGE;
    }
    if (settings->test != NULL)
        status = read_corpus(&evaluate);
    if (status == CMD_FINE)
        status = evaluate_hypotheses(&evaluate, references, (size_t)count);
    corpus_release(&evaluate.corpus);
    return status;
}

int evaluate_one(struct evaluate *evaluate)
{
    const int status = run_task(evaluate);
    corpus_release(&evaluate->corpus);
    return status;
}

static int evaluate_folder(const struct evaluate_settings *settings, const char *folder)
{
    struct err err = ERR_INIT;
    struct model *model;
    struct evaluate evaluate = {.settings = settings};
    if (settings->test == NULL) {
        cmd_complain("evaluate: --test FILE is missing; see dragoman evaluate --help");
        return CMD_USAGE;
    }
    if (cmd_open_model(&model, folder, &err) < 0)
        return cmd_failed(&err);
    evaluate.model = model;
    evaluate.threads = cmd_threads(settings->threads);
    const int status = evaluate_one(&evaluate);
    model_release(model);
    return status;
}

/* The arguments are one model. */
static bool one_model(char **argv, int count)
{
    if (count == 0)
        cmd_complain("evaluate: too few arguments; usage: dragoman evaluate [OPTION]... %s",
                     usage.arguments);
    if (count > 1)
        cmd_complain("evaluate: unexpected argument '%s'; see dragoman evaluate --help", argv[2]);
    return count == 1;
}

int dragoman_evaluate(int argc, char **argv)
{
    struct evaluate_settings settings = {0};
    int count, status;
    if (cmd_parse(&usage, &settings, argc, argv, &count, &status)) {
        if (settings.hypotheses != NULL)
            status = evaluate_file(&settings, argv + 1, count);
        else
            status = one_model(argv, count) ? evaluate_folder(&settings, argv[1]) : CMD_USAGE;
    }
    opt_release(options, &settings);
    return status;
}
