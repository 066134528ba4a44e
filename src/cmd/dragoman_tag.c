/* dragoman tag: lines in, a label for each of their words out, without the daemon. */
#include <stdio.h>
#include "cmd/cmd.h"
#include "cmd/cmd_stream.h"
#include "model/tag.h"

struct settings {
    int64_t threads;
    bool words, probabilities, help;
};

#define AT(member) offsetof(struct settings, member)

static const struct opt options[] = {
    {.name = "words",
     .letter = 'w',
     .type = OPT_FLAG,
     .offset = AT(words),
     .help = "print each word before its label, as word/label"},
    {.name = "probabilities",
     .letter = 'p',
     .type = OPT_FLAG,
     .offset = AT(probabilities),
     .help = "print each label's probability after it, as label/0.9876"},
    CMD_THREADS(struct settings),
    CMD_HELP(struct settings),
    {.name = NULL},
};

static const struct cmd_usage usage = {
    .name = "tag",
    .arguments = "MODEL [TEXT]...",
    .help = "label each word of the texts, or of each line of standard input",
    .least = 1,
    .most = -1,
    .options = options,
};

struct work {
    const struct settings *settings;
    const struct model *model;
};

static int write_word(const struct work *work, const struct tagged_word *word,
                      struct cmd_line *line, struct err *err)
{
    struct buf *answer = &line->answer;
    int code = answer->len > 0 ? buf_char(answer, ' ', err) : 0;
    if (code == 0 && work->settings->words) {
        code = buf_append(answer, line->text.data + word->begin, word->end - word->begin, err);
        if (code == 0)
            code = buf_char(answer, '/', err);
    }
    if (code == 0)
        code = buf_text(answer, work->model->spec.labels[word->label], err);
    if (code == 0 && work->settings->probabilities)
        code = buf_printf(answer, err, "/%.4f", (double)word->probability);
    return code;
}

static void tag_line(const struct work *work, struct tagged *tagged, struct cmd_line *line)
{
    int code = line->err.code;
    if (code == 0)
        code = model_tag(work->model, line->text.data, line->text.len, tagged, &line->err);
    for (size_t i = 0; code == 0 && i < tagged->count; i++)
        code = write_word(work, &tagged->words[i], line, &line->err);
}

static int run_worker(void *context, struct cmd_stream *stream, struct err *err)
{
    const struct work *work = context;
    struct tagged tagged = {.count = 0};
    struct cmd_line *line;
    (void)err;
    while ((line = cmd_stream_next(stream, true)) != NULL) {
        tag_line(work, &tagged, line);
        cmd_stream_done(stream, line);
    }
    tagged_release(&tagged);
    return 0;
}

static int tag(const struct settings *settings, const char *folder, char **texts, int count)
{
    struct err err = ERR_INIT;
    struct model *model;
    struct work work = {.settings = settings};
    if (cmd_open_model_for(&model, folder, SPEC_TAGGING, &err) < 0)
        return cmd_failed(&err);
    work.model = model;
    struct cmd_stream_work stream = {
        .run = run_worker,
        .context = &work,
        .threads = cmd_threads(settings->threads),
    };
    int status = cmd_stream_run(&stream, texts, count);
    model_release(model);
    return status;
}

int dragoman_tag(int argc, char **argv)
{
    struct settings settings = {0};
    int count, status;
    if (cmd_parse(&usage, &settings, argc, argv, &count, &status))
        status = tag(&settings, argv[1], argv + 2, count - 1);
    opt_release(options, &settings);
    return status;
}
