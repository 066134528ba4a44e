/* dragoman regress: lines of text or of rows of numbers in, a number for each out. */
#include <stdio.h>
#include "cmd/cmd.h"
#include "cmd/cmd_stream.h"
#include "model/tag.h"

struct settings {
    int64_t threads;
    bool help;
};

static const struct opt options[] = {
    CMD_THREADS(struct settings),
    CMD_HELP(struct settings),
    {.name = NULL},
};

static const struct cmd_usage usage = {
    .name = "regress",
    .arguments = "MODEL [TEXT]...",
    .help = "a number for each text, or for each line of standard input",
    .least = 1,
    .most = -1,
    .options = options,
};

static void regress_line(const struct model *model, struct cmd_line *line)
{
    double value = 0;
    int code = line->err.code;
    if (code == 0)
        code = model_regress(model, line->text.data, line->text.len, NULL, &value, &line->err);
    if (code == 0)
        buf_printf(&line->answer, &line->err, "%.6g", value);
}

static int run_worker(void *context, struct cmd_stream *stream, struct err *err)
{
    const struct model *model = context;
    struct cmd_line *line;
    (void)err;
    while ((line = cmd_stream_next(stream, true)) != NULL) {
        regress_line(model, line);
        cmd_stream_done(stream, line);
    }
    return 0;
}

static int regress(const struct settings *settings, const char *folder, char **texts, int count)
{
    struct err err = ERR_INIT;
    struct model *model;
    if (cmd_open_model_for(&model, folder, SPEC_REGRESSION, &err) < 0)
        return cmd_failed(&err);
    struct cmd_stream_work stream = {
        .run = run_worker,
        .context = model,
        .threads = cmd_threads(settings->threads),
    };
    int status = cmd_stream_run(&stream, texts, count);
    model_release(model);
    return status;
}

int dragoman_regress(int argc, char **argv)
{
    struct settings settings = {0};
    int count, status;
    if (cmd_parse(&usage, &settings, argc, argv, &count, &status))
        status = regress(&settings, argv[1], argv + 2, count - 1);
    opt_release(options, &settings);
    return status;
}
