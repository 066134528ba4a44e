/* dragoman translate: lines in one language to lines in another, without the daemon. */
#include <stdio.h>
#include "cmd/cmd.h"
#include "cmd/cmd_stream.h"
#include "model/batch.h"

struct settings {
    int64_t beam, nbest, threads;
    bool scores, help;
};

#define AT(member) offsetof(struct settings, member)

static const struct opt options[] = {
    {.name = "beam",
     .letter = 'b',
     .type = OPT_INT,
     .offset = AT(beam),
     .min = 1,
     .max = DECODE_MAX_BEAM,
     .value = "N",
     .help = "hypotheses kept at each step; the model's own number where not given"},
    {.name = "nbest",
     .letter = 'n',
     .type = OPT_INT,
     .offset = AT(nbest),
     .fallback = "1",
     .min = 1,
     .max = DECODE_MAX_BEAM,
     .value = "N",
     .help = "print the N best translations of each text: its number, score and translation"},
    {.name = "scores",
     .letter = 's',
     .type = OPT_FLAG,
     .offset = AT(scores),
     .help = "print the score and a tab before each translation"},
    {.name = "threads",
     .letter = 't',
     .type = OPT_INT,
     .offset = AT(threads),
     .min = 1,
     .max = CMD_MAX_THREADS,
     .value = "N",
     .help = "worker threads; one for each processor where not given"},
    CMD_HELP(struct settings),
    {.name = NULL},
};

static const struct cmd_usage usage = {
    .name = "translate",
    .arguments = "MODEL [TEXT]...",
    .help = "translate the texts, or each line of standard input",
    .least = 1,
    .most = -1,
    .options = options,
};

struct work {
    const struct settings *settings;
    const struct model *model;
    struct decode_options decode;
};

/* A worker's view of the stream. */
struct view {
    const struct work *work;
    struct cmd_stream *stream;
};

struct extra {              /* of a line */
    struct batch_item item; /* first: an item is its extra */
    struct batch_output output;
    struct cmd_line *line;
};

static struct batch_item *next_item(void *context, bool wait)
{
    struct view *view = context;
    struct cmd_line *line;
    while ((line = cmd_stream_next(view->stream, wait)) != NULL) {
        struct extra *extra = line->extra;
        extra->line = line;
        extra->item.text = (struct batch_text){line->text.data, line->text.len};
        extra->item.output = &extra->output;
        if (line->err.code == ERR_NONE)
            return &extra->item;
        cmd_stream_done(view->stream, line);
    }
    return NULL;
}

static int write_candidate(const struct settings *settings, const struct batch_candidate *candidate,
                           struct cmd_line *line, struct err *err)
{
    bool fields = settings->nbest > 1 || settings->scores;
    int code = 0;
    if (settings->nbest > 1)
        code =
            buf_printf(&line->answer, err, "%s%zu\t", line->answer.len ? "\n" : "", line->number);
    if (code == 0 && fields)
        code = buf_printf(&line->answer, err, "%.4f\t", (double)candidate->score);
    return code < 0 ? code : cmd_answer_text(line, candidate->text, candidate->len, fields, err);
}

static void item_done(void *context, struct batch_item *item)
{
    struct view *view = context;
    struct extra *extra = (struct extra *)item;
    struct cmd_line *line = extra->line;
    struct batch_output *output = &extra->output;
    int code = 0;
    line->err = output->err;
    for (size_t i = 0; code == 0 && i < output->count; i++)
        code = write_candidate(view->work->settings, &output->candidates[i], line, &line->err);
    batch_output_release(output);
    cmd_stream_done(view->stream, line);
}

static int run_worker(void *context, struct cmd_stream *stream, struct err *err)
{
    const struct work *work = context;
    struct view view = {work, stream};
    struct batch_source source = {next_item, item_done, &view};
    return batch_work(work->model->seq2seq, work->model->tokenizer, &work->decode, 0, &source, err);
}

static int translate(const struct settings *settings, const char *folder, char **texts, int count)
{
    struct err err = ERR_INIT;
    struct model *model;
    struct work work = {.settings = settings};
    if (cmd_open_model_for(&model, folder, SPEC_TRANSLATION, &err) < 0)
        return cmd_failed(&err);
    int status;
    work.model = model;
    if (cmd_decode_options(model, settings->beam, settings->nbest, &work.decode, &err) < 0) {
        cmd_complain("translate: %s", err.message);
        status = CMD_USAGE;
    } else {
        struct cmd_stream_work stream = {
            .run = run_worker,
            .context = &work,
            .extra_size = sizeof(struct extra),
            .threads = settings->threads > 0 ? (int)settings->threads : cmd_processors(),
        };
        status = cmd_stream_run(&stream, texts, count);
    }
    model_release(model);
    return status;
}

int dragoman_translate(int argc, char **argv)
{
    struct settings settings = {0};
    int count, status;
    if (cmd_parse(&usage, &settings, argc, argv, &count, &status))
        status = translate(&settings, argv[1], argv + 2, count - 1);
    opt_release(options, &settings);
    return status;
}
