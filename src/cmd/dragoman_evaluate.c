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
     .help = "the test set, a line each: source and target, or text and label, with a tab between"},
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
    .arguments = "--test FILE MODEL",
    .help = "measure a model on a test set",
    .least = 1,
    .most = 1,
    .options = options,
};

/* Options that mean nothing for the model's task are refused rather than ignored. */
static bool options_fit(const struct evaluate_settings *settings, enum spec_task task)
{
    const char *misplaced = NULL;
    if (task == SPEC_TRANSLATION && settings->labels.count > 0)
        misplaced = "labels";
    if (task == SPEC_CLASSIFICATION && settings->beam != 0)
        misplaced = "beam";
    if (task == SPEC_CLASSIFICATION && settings->ensemble.count > 0)
        misplaced = "ensemble";
    if (task == SPEC_CLASSIFICATION && settings->references != NULL)
        misplaced = "references";
    if (task == SPEC_CLASSIFICATION && settings->reverse)
        misplaced = "reverse";
    if (misplaced != NULL)
        cmd_complain("evaluate: --%s means nothing for %s", misplaced, spec_task_name(task));
    return misplaced == NULL;
}

static int evaluate_model(struct evaluate *evaluate)
{
    struct err err = ERR_INIT;
    const char *test = evaluate->settings->test;
    if (!options_fit(evaluate->settings, evaluate->model->spec.task))
        return CMD_USAGE;
    if (corpus_read(&evaluate->corpus, &test, 1, &err) < 0)
        return cmd_failed(&err);
    if (evaluate->corpus.count == 0) {
        cmd_complain("%s: no lines to evaluate on", test);
        return CMD_FAILED;
    }
    return evaluate->model->spec.task == SPEC_TRANSLATION ? evaluate_translation(evaluate)
                                                          : evaluate_classification(evaluate);
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
    int status = evaluate_model(&evaluate);
    corpus_release(&evaluate.corpus);
    model_release(model);
    return status;
}

int dragoman_evaluate(int argc, char **argv)
{
    struct evaluate_settings settings = {0};
    int count, status;
    if (cmd_parse(&usage, &settings, argc, argv, &count, &status))
        status = evaluate_folder(&settings, argv[1]);
    opt_release(options, &settings);
    return status;
}
