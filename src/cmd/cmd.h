/* What the commands of dragoman share: exit codes, complaints, the command line, opening a model.
 */
#ifndef DRAGOMAN_CMD_CMD_H
#define DRAGOMAN_CMD_CMD_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/opt.h"
#include "model/model.h"

enum cmd_exit {
    CMD_FINE = 0,
    CMD_FAILED = 1, /* something could not be done, for one line at least */
    CMD_USAGE = 2,  /* the command line makes no sense */
};

/* The commands; argv[0] is the command's own name. Each complains before it returns non-zero. */
int dragoman_train(int argc, char **argv);
int dragoman_evaluate(int argc, char **argv);
int dragoman_translate(int argc, char **argv);
int dragoman_caption(int argc, char **argv);
int dragoman_classify(int argc, char **argv);
int dragoman_generate(int argc, char **argv);
int dragoman_tag(int argc, char **argv);
int dragoman_regress(int argc, char **argv);
int dragoman_tokenize(int argc, char **argv);
int dragoman_inspect(int argc, char **argv);
int dragoman_quantize(int argc, char **argv);

/* Writes "dragoman: " and the message to stderr, in one piece: any thread may call. */
void cmd_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Complains about `err`; the exit code that fits it. */
int cmd_failed(const struct err *err);

struct cmd_usage {
    const char *name, *arguments; /* "translate", "MODEL [TEXT]..." */
    const char *help;             /* one sentence, no capital, no full stop */
    int least, most;              /* arguments that are no options; most < 0: any number */
    const struct opt *options;    /* has the OPT_FLAG "help" */
};
#define CMD_HELP(settings)                                                                         \
    {                                                                                              \
        .name = "help", .letter = 'h', .type = OPT_FLAG, .scope = OPT_ONLY_ARGUMENT,               \
        .offset = offsetof(settings, help), .help = "print this text"                              \
    }

#define CMD_BEAM(settings, when)                                                                   \
    {                                                                                              \
        .name = "beam", .letter = 'b', .type = OPT_INT, .offset = offsetof(settings, beam),        \
        .min = 1, .max = DECODE_MAX_BEAM, .value = "N",                                            \
        .help = when "hypotheses kept at each step; the model's own number where not given"        \
    }
#define CMD_ENSEMBLE(settings, when)                                                               \
    {                                                                                              \
        .name = "ensemble", .letter = 'e', .type = OPT_LIST,                                       \
        .offset = offsetof(settings, ensemble), .value = "MODEL",                                  \
        .help =                                                                                    \
            when "decode together with this model of the same vocabulary, averaging what they "    \
                 "find probable; may be given several times"                                       \
    }
#define CMD_THREADS(settings)                                                                      \
    {                                                                                              \
        .name = "threads", .letter = 't', .type = OPT_INT, .offset = offsetof(settings, threads),  \
        .min = 1, .max = CMD_MAX_THREADS, .value = "N",                                            \
        .help = "worker threads; one for each processor where not given"                           \
    }

/* Fills `settings` (zero before) from the table's defaults and the command line and moves the other
   arguments to argv[1..*count]. Whether the command should run; if not, *status is its exit code.
   Either way the caller calls opt_release. */
bool cmd_parse(const struct cmd_usage *usage, void *settings, int argc, char **argv, int *count,
               int *status);

/* Opens the bundle in `folder`. */
int cmd_open_model(struct model **model, const char *folder, struct err *err);
/* As cmd_open_model, for a model of this task only. */
int cmd_open_model_for(struct model **model, const char *folder, enum spec_task task,
                       struct err *err);

struct cmd_ensemble { /* zero before; release with cmd_ensemble_release */
    struct model *models[DECODE_MAX_MODELS];
    size_t count;
    struct ensemble ensemble;
};
/* `first` and the bundles in `folders`. To be released even where it fails. */
int cmd_open_ensemble(struct cmd_ensemble *ensemble, struct model *first,
                      const struct opt_list *folders, struct err *err);
void cmd_ensemble_release(struct cmd_ensemble *ensemble);

/* How a translation model decodes by default, with what the user set; 0: not set. */
int cmd_decode_options(const struct model *model, int64_t beam, int64_t nbest,
                       struct decode_options *options, struct err *err);

/* Prints the object on one line and releases it; NULL is an error. */
int cmd_print_json(json_t *object, struct err *err);

#define CMD_MAX_THREADS 256
/* As many as the user asked for; 0: the processors that this process may use. */
int cmd_threads(int64_t wanted);

#endif
