/* dragoman classify: lines in, their labels and probabilities out, without the daemon. */
#include <stdio.h>
#include "base/mem.h"
#include "cmd/cmd.h"
#include "cmd/cmd_stream.h"
#include "model/explain.h"

struct settings {
    int64_t top, threads;
    bool explain, help;
};

#define AT(member) offsetof(struct settings, member)

static const struct opt options[] = {
    {.name = "top",
     .letter = 'k',
     .type = OPT_INT,
     .offset = AT(top),
     .fallback = "1",
     .min = 1,
     .max = SPEC_MAX_LABELS,
     .value = "N",
     .help = "print the N most probable labels of each text, the most probable first"},
    {.name = "explain",
     .letter = 'x',
     .type = OPT_FLAG,
     .offset = AT(explain),
     .help = "print as well what each part of the text contributed to the most probable label"},
    CMD_THREADS(struct settings),
    CMD_HELP(struct settings),
    {.name = NULL},
};

static const struct cmd_usage usage = {
    .name = "classify",
    .arguments = "MODEL [TEXT]...",
    .help = "label the texts, or each line of standard input",
    .least = 1,
    .most = -1,
    .options = options,
};

struct work {
    const struct settings *settings;
    const struct model *model;
};

/* The most probable label that is not printed yet, the first of equals; marks it as printed. */
static size_t take_best(float *probabilities, size_t count, float *probability)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        if (probabilities[i] > probabilities[best])
            best = i;
    *probability = probabilities[best];
    probabilities[best] = -1;
    return best;
}

/* Each part and its weight, in the order of the text. */
static int write_parts(const struct work *work, size_t label, struct cmd_line *line,
                       struct err *err)
{
    struct explanation explanation;
    const char *text = line->text.data;
    int code = model_explain(work->model, text, line->text.len, label, &explanation, err);
    for (size_t i = 0; code == 0 && i < explanation.count; i++) {
        const struct explanation_part *part = &explanation.parts[i];
        buf_char(&line->answer, '\t', err);
        cmd_answer_text(line, text + part->begin, part->end - part->begin, true, err);
        code = buf_printf(&line->answer, err, "\t%+.4f", (double)part->weight);
    }
    explanation_release(&explanation);
    return code;
}

static int write_labels(const struct work *work, float *probabilities, struct cmd_line *line,
                        struct err *err)
{
    const struct spec *spec = &work->model->spec;
    int64_t count = (int64_t)spec->label_count;
    size_t best = 0;
    for (int64_t i = 0; i < work->settings->top && i < count; i++) {
        float probability;
        size_t label = take_best(probabilities, spec->label_count, &probability);
        int code = buf_printf(&line->answer, err, "%s%s\t%.4f", i > 0 ? "\t" : "",
                              spec->labels[label], (double)probability);
        if (code < 0)
            return code;
        best = i == 0 ? label : best;
    }
    return work->settings->explain ? write_parts(work, best, line, err) : 0;
}

static void classify_line(const struct work *work, float *probabilities, struct cmd_line *line)
{
    int code = line->err.code;
    if (code == 0)
        code =
            model_classify(work->model, line->text.data, line->text.len, probabilities, &line->err);
    if (code == 0)
        write_labels(work, probabilities, line, &line->err);
}

static int run_worker(void *context, struct cmd_stream *stream, struct err *err)
{
    const struct work *work = context;
    struct cmd_line *line;
    float *probabilities = mem_alloc(work->model->spec.label_count, sizeof(*probabilities), err);
    if (probabilities == NULL)
        return ERR_MEMORY;
    while ((line = cmd_stream_next(stream, true)) != NULL) {
        classify_line(work, probabilities, line);
        cmd_stream_done(stream, line);
    }
    mem_free(probabilities);
    return 0;
}

static int classify(const struct settings *settings, const char *folder, char **texts, int count)
{
    struct err err = ERR_INIT;
    struct model *model;
    struct work work = {.settings = settings};
    if (cmd_open_model_for(&model, folder, SPEC_CLASSIFICATION, &err) < 0)
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

int dragoman_classify(int argc, char **argv)
{
    struct settings settings = {0};
    int count, status;
    if (cmd_parse(&usage, &settings, argc, argv, &count, &status))
        status = classify(&settings, argv[1], argv + 2, count - 1);
    opt_release(options, &settings);
    return status;
}
