/*
 * dragoman translate: lines in one language to lines in another, without the daemon; and dragoman
 * caption, the same with rows of numbers in.
 */
#include <string.h>
#include "cmd/cmd.h"
#include "cmd/cmd_stream.h"
#include "cmd/translate_text.h"

struct settings {
    int64_t beam, nbest, threads;
    struct opt_list ensemble;
    bool scores, split, help;
};

#define AT(member) offsetof(struct settings, member)

static const struct opt options[] = {
    CMD_BEAM(struct settings, ""),
    CMD_ENSEMBLE(struct settings, ""),
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
    {.name = "split",
     .type = OPT_FLAG,
     .offset = AT(split),
     .help = "translation: cut each text at sentence ends and translate sentence by sentence"},
    CMD_THREADS(struct settings),
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

static const struct cmd_usage caption_usage = {
    .name = "caption",
    .arguments = "MODEL [ROWS]...",
    .help = "say what is in the rows of numbers, or in those of each line of standard input",
    .least = 1,
    .most = -1,
    .options = options,
};

struct work {
    const struct settings *settings;
    const struct cmd_ensemble *models;
    struct decode_options decode;
};

/* A worker's view of the stream. */
struct view {
    const struct work *work;
    struct cmd_stream *stream;
    struct cmd_line *line; /* whose sentences are being given away, or NULL */
};

struct extra {                  /* of a line */
    struct translate_text text; /* first: a text is its extra */
    struct cmd_line *line;
};

static int write_alternative(const struct settings *settings, const char *text, size_t len,
                             double score, struct cmd_line *line)
{
    bool fields = settings->nbest > 1 || settings->scores;
    int code = 0;
    if (settings->nbest > 1)
        code = buf_printf(&line->answer, &line->err, "%s%zu\t", line->answer.len ? "\n" : "",
                          line->number);
    if (code == 0 && fields)
        code = buf_printf(&line->answer, &line->err, "%.4f\t", score);
    return code < 0 ? code : cmd_answer_text(line, text, len, fields, &line->err);
}

struct alternatives {
    struct buf all; /* one behind the other */
    size_t ends[DECODE_MAX_BEAM];
    size_t count;
};

/* Whether the last text, of `len` bytes, reads as one before it. */
static bool is_repeated(const struct alternatives *texts, size_t len)
{
    const char *last = texts->all.data + texts->all.len - len;
    for (size_t i = 0, begin = 0; i < texts->count; begin = texts->ends[i++])
        if (texts->ends[i] - begin == len && memcmp(texts->all.data + begin, last, len) == 0)
            return true;
    return false;
}

/* Writes the answer of a line that is translated; alternatives that read the same count once. */
static void write_answer(const struct settings *settings, const struct translate_text *text,
                         struct cmd_line *line)
{
    struct alternatives texts = {.all = BUF_INIT};
    int code = translate_text_error(text, &line->err);
    if (code == 0)
        code = buf_reserve(&texts.all, 1, &line->err);
    for (size_t rank = 0; code == 0 && rank < translate_text_alternatives(text); rank++) {
        const size_t begin = texts.all.len;
        double score;
        code = translate_text_write(text, rank, &texts.all, &score, &line->err);
        const size_t len = texts.all.len - begin;
        if (code == 0 && is_repeated(&texts, len)) {
            texts.all.len = begin;
        } else if (code == 0) {
            texts.ends[texts.count++] = texts.all.len;
            code = write_alternative(settings, texts.all.data + begin, len, score, line);
        }
    }
    buf_release(&texts.all);
}

static void finish_line(struct view *view, struct cmd_line *line)
{
    struct extra *extra = line->extra;
    if (line->err.code == ERR_NONE)
        write_answer(view->work->settings, &extra->text, line);
    translate_text_release(&extra->text);
    cmd_stream_done(view->stream, line);
}

/* Takes the next line and cuts it; one that is done at once is not kept. */
static bool take_line(struct view *view, bool wait)
{
    struct cmd_line *line = cmd_stream_next(view->stream, wait);
    if (line == NULL)
        return false;
    struct extra *extra = line->extra;
    extra->line = line;
    if (line->err.code == ERR_NONE)
        translate_text_init(&extra->text, line->text.data ? line->text.data : "", line->text.len,
                            view->work->settings->split, &line->err);
    view->line = line;
    if (translate_text_complete(&extra->text)) {
        view->line = NULL;
        finish_line(view, line);
    }
    return true;
}

static struct batch_item *next_item(void *context, bool wait)
{
    struct view *view = context;
    for (;;) {
        struct extra *extra = view->line != NULL ? view->line->extra : NULL;
        struct batch_item *item = extra != NULL ? translate_text_next(&extra->text) : NULL;
        if (item != NULL)
            return item;
        view->line = NULL;
        if (!take_line(view, wait))
            return NULL;
    }
}

static void item_done(void *context, struct batch_item *item)
{
    struct view *view = context;
    struct extra *extra = (struct extra *)translate_text_done(item);
    if (!translate_text_complete(&extra->text))
        return;
    if (view->line == extra->line)
        view->line = NULL;
    finish_line(view, extra->line);
}

static int run_worker(void *context, struct cmd_stream *stream, struct err *err)
{
    const struct work *work = context;
    struct view view = {.work = work, .stream = stream};
    struct batch_source source = {next_item, item_done, &view};
    return batch_work(&work->models->ensemble, work->models->models[0]->tokenizer, &work->decode, 0,
                      &source, err);
}

static int translate_with(const struct settings *settings, const struct cmd_ensemble *models,
                          char **texts, int count)
{
    struct err err = ERR_INIT;
    struct work work = {.settings = settings, .models = models};
    if (cmd_decode_options(models->models[0], settings->beam, settings->nbest, &work.decode, &err) <
        0) {
        cmd_complain("%s", err.message);
        return CMD_USAGE;
    }
    struct cmd_stream_work stream = {
        .run = run_worker,
        .context = &work,
        .extra_size = sizeof(struct extra),
        .threads = cmd_threads(settings->threads),
    };
    return cmd_stream_run(&stream, texts, count);
}

static int translate(const struct settings *settings, enum spec_task task, char **arguments,
                     int count)
{
    struct err err = ERR_INIT;
    struct model *model = NULL;
    struct cmd_ensemble models = {.count = 0};
    int code = cmd_open_model_for(&model, arguments[0], task, &err);
    if (code == 0 && model->spec.kind != SPEC_SEQ2SEQ)
        code = err_set(&err, ERR_ARGUMENT,
                       "%s does not read rows of numbers; see dragoman generate", arguments[0]);
    if (code == 0)
        code = cmd_open_ensemble(&models, model, &settings->ensemble, &err);
    model_release(model);
    int status =
        code < 0 ? cmd_failed(&err) : translate_with(settings, &models, arguments + 1, count - 1);
    cmd_ensemble_release(&models);
    return status;
}

static int run(const struct cmd_usage *use, enum spec_task task, int argc, char **argv)
{
    struct settings settings = {0};
    int count, status;
    if (cmd_parse(use, &settings, argc, argv, &count, &status)) {
        if (settings.split && task == SPEC_GENERATION) {
            cmd_complain("%s: --split means nothing for rows of numbers", use->name);
            status = CMD_USAGE;
        } else {
            status = translate(&settings, task, argv + 1, count);
        }
    }
    opt_release(options, &settings);
    return status;
}

int dragoman_translate(int argc, char **argv)
{
    return run(&usage, SPEC_TRANSLATION, argc, argv);
}

int dragoman_caption(int argc, char **argv)
{
    return run(&caption_usage, SPEC_GENERATION, argc, argv);
}
