/* dragoman tokenize: shows how a model's vocabulary cuts texts. */
#include <string.h>
#include "cmd/cmd.h"
#include "cmd/cmd_stream.h"

#define SPACE_SIGN "\xe2\x96\x81" /* U+2581 stands for a space inside a token */

struct settings {
    bool ids, help;
};

static const struct opt options[] = {
    {.name = "ids",
     .letter = 'i',
     .type = OPT_FLAG,
     .offset = offsetof(struct settings, ids),
     .help = "print the numbers of the tokens"},
    CMD_HELP(struct settings),
    {.name = NULL},
};

static const struct cmd_usage usage = {
    .name = "tokenize",
    .arguments = "MODEL [TEXT]...",
    .help = "cut the texts, or each line of standard input, into tokens",
    .least = 1,
    .most = -1,
    .options = options,
};

struct work {
    const struct settings *settings;
    const struct tokenizer *tokenizer;
};

static int write_token(const struct tokenizer *tokenizer, int32_t id, struct cmd_line *line,
                       struct err *err)
{
    size_t len;
    const char *text = tokenizer_text(tokenizer, id, &len);
    int code = 0;
    while (code == 0 && len > 0) {
        const char *space = memchr(text, ' ', len);
        size_t part = space == NULL ? len : (size_t)(space - text);
        code = cmd_answer_text(line, text, part, true, err);
        if (code == 0 && space != NULL)
            code = buf_text(&line->answer, SPACE_SIGN, err);
        part += space != NULL;
        text += part;
        len -= part;
    }
    return code;
}

static int tokenize_line(const struct work *work, struct encoded *encoded, struct cmd_line *line,
                         struct err *err)
{
    int code = tokenizer_encode(work->tokenizer, line->text.data, line->text.len, encoded, err);
    for (size_t i = 0; code == 0 && i < encoded->count; i++) {
        int32_t id = encoded->tokens[i].id;
        code = i > 0 ? buf_char(&line->answer, ' ', err) : 0;
        if (code == 0 && work->settings->ids)
            code = buf_printf(&line->answer, err, "%d", (int)id);
        else if (code == 0)
            code = write_token(work->tokenizer, id, line, err);
    }
    return code;
}

static int run_worker(void *context, struct cmd_stream *stream, struct err *err)
{
    const struct work *work = context;
    struct encoded encoded = {.text = BUF_INIT};
    struct cmd_line *line;
    (void)err;
    while ((line = cmd_stream_next(stream, true)) != NULL) {
        if (line->err.code == ERR_NONE)
            tokenize_line(work, &encoded, line, &line->err);
        cmd_stream_done(stream, line);
    }
    encoded_release(&encoded);
    return 0;
}

static int tokenize(const struct settings *settings, const char *folder, char **texts, int count)
{
    struct err err = ERR_INIT;
    struct model *model;
    if (cmd_open_model(&model, folder, &err) < 0)
        return cmd_failed(&err);
    struct work work = {settings, model->tokenizer};
    struct cmd_stream_work stream = {.run = run_worker, .context = &work, .threads = 1};
    int status = cmd_stream_run(&stream, texts, count);
    model_release(model);
    return status;
}

int dragoman_tokenize(int argc, char **argv)
{
    struct settings settings = {0};
    int count, status;
    if (cmd_parse(&usage, &settings, argc, argv, &count, &status))
        status = tokenize(&settings, argv[1], argv + 2, count - 1);
    opt_release(options, &settings);
    return status;
}
