/* dragoman generate: text from a language model as it comes, or how probable given texts are. */
#include <stdio.h>
#include <string.h>
#include "cmd/cmd.h"
#include "cmd/cmd_stream.h"
#include "model/generate.h"
#include "text/rows.h"
#include "train/metric.h"

struct settings {
    struct opt_list prompts, stops;
    char *label, *features;
    int64_t count, max_tokens, top_k, seed, threads;
    double temperature, top_p;
    bool json, score, help;
};

#define AT(member) offsetof(struct settings, member)

static const struct opt options[] = {
    {.name = "prompt",
     .letter = 'p',
     .type = OPT_LIST,
     .offset = AT(prompts),
     .value = "TEXT",
     .help = "the text goes on from this, which is printed first; may be given several times"},
    {.name = "label",
     .letter = 'l',
     .type = OPT_TEXT,
     .offset = AT(label),
     .value = "LABEL",
     .help = "the condition, for a model that was trained with labels"},
    {.name = "features",
     .type = OPT_TEXT,
     .offset = AT(features),
     .value = "X,X,...",
     .help = "the condition, for a model that was trained with vectors of numbers"},
    {.name = "count",
     .letter = 'n',
     .type = OPT_INT,
     .offset = AT(count),
     .fallback = "1",
     .min = 1,
     .max = 1000000,
     .value = "N",
     .help = "texts to make of each prompt, each with the next seed"},
    {.name = "max-tokens",
     .letter = 'm',
     .type = OPT_INT,
     .offset = AT(max_tokens),
     .fallback = "500",
     .min = 1,
     .max = GENERATE_MAX_TOKENS,
     .value = "N",
     .help = "end a text after so many tokens"},
    {.name = "temperature",
     .type = OPT_REAL,
     .offset = AT(temperature),
     .fallback = "1",
     .min = 0,
     .max = GENERATE_MAX_TEMPERATURE,
     .value = "X",
     .help = "below 1 more probable text, above 1 more surprising; 0: always the most probable "
             "token"},
    {.name = "top-k",
     .type = OPT_INT,
     .offset = AT(top_k),
     .fallback = "0",
     .min = 0,
     .max = SPEC_MAX_VOCABULARY,
     .value = "N",
     .help = "draw from the N most probable tokens; 0: from all"},
    {.name = "top-p",
     .type = OPT_REAL,
     .offset = AT(top_p),
     .fallback = "1",
     .min = 1e-6,
     .max = 1,
     .value = "X",
     .help = "draw from the fewest tokens that are together so probable"},
    {.name = "seed",
     .type = OPT_INT,
     .offset = AT(seed),
     .fallback = "1",
     .min = 0,
     .max = 9e15,
     .value = "N",
     .help = "of the draws: the same seed gives the same text"},
    {.name = "stop",
     .type = OPT_LIST,
     .offset = AT(stops),
     .value = "TEXT",
     .help = "end a text before this; may be given several times"},
    {.name = "json",
     .letter = 'j',
     .type = OPT_FLAG,
     .offset = AT(json),
     .help = "print one JSON object a text"},
    {.name = "score",
     .letter = 's',
     .type = OPT_FLAG,
     .offset = AT(score),
     .help = "make no text: print each TEXT's log probability, number of tokens and perplexity"},
    CMD_THREADS(struct settings),
    CMD_HELP(struct settings),
    {.name = NULL},
};

static const struct cmd_usage usage = {
    .name = "generate",
    .arguments = "MODEL | --score MODEL [TEXT]...",
    .help = "write text, or with --score weigh the texts or each line of standard input",
    .least = 1,
    .most = -1,
    .options = options,
};

struct work {
    const struct settings *settings;
    struct model *model;
    struct rows features;
    struct generate_condition condition;
};

/*
 * Writing
 */

static const char *end_name(enum generation_end end)
{
    switch (end) {
    case GENERATION_END:
        return "end";
    case GENERATION_STOP:
        return "stop";
    case GENERATION_LENGTH:
        return "length";
    }
    return "";
}

static int print_json(const struct generation *generation, const char *prompt,
                      const struct buf *text, int64_t seed, struct err *err)
{
    json_t *object = json_pack("{s:s, s:s%, s:s, s:I, s:f, s:I}", "prompt", prompt, "text",
                               text->data ? text->data : "", text->len, "end",
                               end_name(generation_end(generation)), "tokens",
                               (json_int_t)generation_tokens(generation), "log_probability",
                               generation_log_probability(generation), "seed", (json_int_t)seed);
    return cmd_print_json(object, err);
}

/* Runs to the end; what comes is printed at once unless it is kept for JSON. */
static int run_generation(struct generation *generation, bool keep, struct buf *text,
                          struct err *err)
{
    char last = '\0';
    int code = 1;
    while (code > 0) {
        code = generation_step(generation, text, err);
        if (keep || text->len == 0)
            continue;
        last = text->data[text->len - 1];
        fwrite(text->data, 1, text->len, stdout);
        fflush(stdout);
        buf_clear(text);
    }
    if (!keep && last != '\n')
        putchar('\n');
    return code;
}

static int write_text(const struct work *work, const char *prompt, int64_t seed, struct err *err)
{
    const struct settings *settings = work->settings;
    const struct generate_options wanted = {.max_tokens = (size_t)settings->max_tokens,
                                            .temperature = settings->temperature,
                                            .top_k = (size_t)settings->top_k,
                                            .top_p = settings->top_p,
                                            .seed = (uint64_t)seed,
                                            .stops = (const char *const *)settings->stops.items,
                                            .stop_count = settings->stops.count};
    struct generation *generation;
    struct buf text = BUF_INIT;
    if (generation_new(&generation, work->model, &work->condition, prompt, strlen(prompt), &wanted,
                       err) < 0)
        return err->code;
    if (!settings->json)
        fputs(prompt, stdout);
    int code = run_generation(generation, settings->json, &text, err);
    if (code == 0 && settings->json)
        code = print_json(generation, prompt, &text, seed, err);
    buf_release(&text);
    generation_free(generation);
    return code;
}

/* An empty line stands between texts that have lines of their own. */
static int write_texts(const struct work *work)
{
    const struct settings *settings = work->settings;
    const size_t prompts = settings->prompts.count > 0 ? settings->prompts.count : 1;
    int64_t seed = settings->seed;
    struct err err = ERR_INIT;
    for (size_t p = 0; p < prompts; p++)
        for (int64_t i = 0; i < settings->count; i++, seed++) {
            const char *prompt = settings->prompts.count > 0 ? settings->prompts.items[p] : "";
            if (seed > settings->seed && work->model->spec.stream && !settings->json)
                putchar('\n');
            if (write_text(work, prompt, seed, &err) < 0)
                return cmd_failed(&err);
        }
    return CMD_FINE;
}

/*
 * Scoring
 */

static void score_line(const struct work *work, struct cmd_line *line)
{
    struct text_score score;
    struct buf *out = &line->answer;
    if (line->err.code < 0 || model_log_probability(work->model, &work->condition, line->text.data,
                                                    line->text.len, &score, &line->err) < 0)
        return;
    const double perplexity = metric_perplexity(-score.log_probability, score.tokens);
    if (work->settings->json)
        buf_printf(out, &line->err,
                   "{\"log_probability\": %.6f, \"tokens\": %zu, \"perplexity\": %.6g, "
                   "\"nats_per_character\": %.6g}",
                   score.log_probability, score.tokens, perplexity,
                   score.characters ? -score.log_probability / (double)score.characters : 0);
    else
        buf_printf(out, &line->err, "%.4f\t%zu\t%.4g", score.log_probability, score.tokens,
                   perplexity);
    text_score_release(&score);
}

static int run_worker(void *context, struct cmd_stream *stream, struct err *err)
{
    struct cmd_line *line;
    (void)err;
    while ((line = cmd_stream_next(stream, true)) != NULL) {
        score_line(context, line);
        cmd_stream_done(stream, line);
    }
    return 0;
}

static int score_texts(struct work *work, char **texts, int count)
{
    const struct cmd_stream_work stream = {
        .run = run_worker, .context = work, .threads = cmd_threads(work->settings->threads)};
    return cmd_stream_run(&stream, texts, count);
}

/*
 * The command
 */

static int read_condition(struct work *work, struct err *err)
{
    const struct settings *settings = work->settings;
    work->condition.label = settings->label;
    if (settings->features == NULL)
        return 0;
    if (rows_parse(&work->features, settings->features, strlen(settings->features), err) < 0)
        return err_context(err, "--features");
    work->condition.values = work->features.values;
    work->condition.rows = work->features.count;
    work->condition.width = work->features.width;
    return 0;
}

/* Options that mean nothing are refused rather than ignored. */
static bool arguments_fit(const struct settings *settings, char **argv, int count)
{
    const char *misplaced = !settings->score              ? NULL
                            : settings->prompts.count > 0 ? "prompt"
                            : settings->stops.count > 0   ? "stop"
                            : settings->count != 1        ? "count"
                                                          : NULL;
    if (misplaced != NULL)
        cmd_complain("generate: --%s means nothing with --score", misplaced);
    if (!settings->score && count > 1)
        cmd_complain("generate: unexpected argument '%s'; a text to go on from is a --prompt",
                     argv[2]);
    return misplaced == NULL && (settings->score || count == 1);
}

static int generate(const struct settings *settings, const char *folder, char **texts, int count)
{
    struct err err = ERR_INIT;
    struct work work = {.settings = settings};
    int status = CMD_FAILED;
    if (read_condition(&work, &err) < 0 ||
        cmd_open_model_for(&work.model, folder, SPEC_GENERATION, &err) < 0)
        cmd_failed(&err);
    else
        status = settings->score ? score_texts(&work, texts, count) : write_texts(&work);
    model_release(work.model);
    rows_release(&work.features);
    return status;
}

int dragoman_generate(int argc, char **argv)
{
    struct settings settings = {0};
    int count, status;
    if (cmd_parse(&usage, &settings, argc, argv, &count, &status))
        status = arguments_fit(&settings, argv, count)
                     ? generate(&settings, argv[1], argv + 2, count - 1)
                     : CMD_USAGE;
    opt_release(options, &settings);
    return status;
}
