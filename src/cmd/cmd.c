/* What the commands of dragoman share. */
#include "cmd/cmd.h"

#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "nn/mat.h"

void cmd_complain(const char *format, ...)
{
    va_list list;
    va_start(list, format);
    flockfile(stderr);
    fputs("dragoman: ", stderr);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    funlockfile(stderr);
    va_end(list);
}

int cmd_failed(const struct err *err)
{
    cmd_complain("%s", err->message);
    return CMD_FAILED;
}

static bool help_wanted(const struct opt *options, const void *settings)
{
    for (const struct opt *opt = options; opt->name; opt++)
        if (strcmp(opt->name, "help") == 0)
            return *(const bool *)((const char *)settings + opt->offset);
    return false;
}

static int print_usage(const struct cmd_usage *usage)
{
    struct err err = ERR_INIT;
    struct buf text = BUF_INIT;
    int status = CMD_FINE;
    if (opt_help(usage->options, &text, &err) == 0)
        printf("usage: dragoman %s [OPTION]... %s\n%s\n\n%s", usage->name, usage->arguments,
               usage->help, text.data);
    else
        status = cmd_failed(&err);
    buf_release(&text);
    return status;
}

static bool count_is_right(const struct cmd_usage *usage, char **argv, int count)
{
    if (count < usage->least) {
        cmd_complain("%s: too few arguments; usage: dragoman %s [OPTION]... %s", usage->name,
                     usage->name, usage->arguments);
        return false;
    }
    if (usage->most >= 0 && count > usage->most) {
        cmd_complain("%s: unexpected argument '%s'; see dragoman %s --help", usage->name,
                     argv[usage->most + 1], usage->name);
        return false;
    }
    return true;
}

bool cmd_parse(const struct cmd_usage *usage, void *settings, int argc, char **argv, int *count,
               int *status)
{
    struct err err = ERR_INIT;
    *status = CMD_USAGE;
    *count = 0;
    int code = opt_defaults(usage->options, settings, &err);
    if (code == 0)
        code = opt_parse_arguments(usage->options, settings, argc, argv, count, &err);
    if (code < 0) {
        cmd_complain("%s: %s; see dragoman %s --help", usage->name, err.message, usage->name);
        return false;
    }
    if (help_wanted(usage->options, settings)) {
        *status = print_usage(usage);
        return false;
    }
    return count_is_right(usage, argv, *count);
}

int cmd_open_model(struct model **model, const char *folder, struct err *err)
{
    mat_use_one_thread();
    return model_open(model, folder, err);
}

int cmd_open_model_for(struct model **model, const char *folder, enum spec_task task,
                       struct err *err)
{
    int code = cmd_open_model(model, folder, err);
    if (code < 0 || (*model)->spec.task == task)
        return code;
    enum spec_task found = (*model)->spec.task;
    model_release(*model);
    *model = NULL;
    return err_set(err, ERR_ARGUMENT, "%s is a model for %s, not for %s", folder,
                   spec_task_name(found), spec_task_name(task));
}

int cmd_open_ensemble(struct cmd_ensemble *ensemble, struct model *first,
                      const struct opt_list *folders, struct err *err)
{
    ensemble->models[ensemble->count++] = model_retain(first);
    if (folders->count >= DECODE_MAX_MODELS)
        return err_set(err, ERR_ARGUMENT, "%zu models cannot decode together, only 1 to %d",
                       folders->count + 1, DECODE_MAX_MODELS);
    for (size_t i = 0; i < folders->count; i++, ensemble->count++) {
        int code = cmd_open_model_for(&ensemble->models[ensemble->count], folders->items[i],
                                      first->spec.task, err);
        if (code < 0)
            return code;
    }
    return model_ensemble(&ensemble->ensemble, ensemble->models, ensemble->count, err);
}

void cmd_ensemble_release(struct cmd_ensemble *ensemble)
{
    while (ensemble->count > 0)
        model_release(ensemble->models[--ensemble->count]);
}

int cmd_decode_options(const struct model *model, int64_t beam, int64_t nbest,
                       struct decode_options *options, struct err *err)
{
    options->nbest = nbest > 0 ? (size_t)nbest : 1;
    options->beam = beam > 0 ? (size_t)beam : model->spec.beam;
    if (beam == 0 && options->beam < options->nbest)
        options->beam = options->nbest;
    options->max_length = 0;
    options->length_penalty = model->spec.length_penalty;
    if (options->nbest > options->beam)
        return err_set(err, ERR_ARGUMENT, "a beam of %zu has no %zu best translations",
                       options->beam, options->nbest);
    return 0;
}

int cmd_print_json(json_t *object, struct err *err)
{
    if (object == NULL)
        return err_set(err, ERR_MEMORY, "out of memory for the result");
    int code = json_dumpf(object, stdout, JSON_COMPACT | JSON_REAL_PRECISION(8));
    putchar('\n');
    json_decref(object);
    return code == 0 ? 0 : err_set(err, ERR_IO, "cannot write to standard output");
}

int cmd_threads(int64_t wanted)
{
    if (wanted > 0)
        return (int)wanted;
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;
    return count < CMD_MAX_THREADS ? count : CMD_MAX_THREADS;
}
