#include "train/journal_lines.h"

#include <math.h>
#include <string.h>
#include <time.h>

#include "text/json.h"
#include "text/utf8.h"

#define ATTENTION_SENTENCES 3 /* whose attention is written */
#define ATTENTION_TOKENS 48   /* at most, of each side */
#define TEXT_BYTES 2000       /* longer texts are cut */

static double epoch_of(const struct trainer_progress *progress)
{
    const double part =
        progress->batches > 0 ? (double)progress->batch / (double)progress->batches : 0;
    return (double)progress->epoch + part;
}

static void open_line(struct buf *out, const char *type, size_t update, struct err *err)
{
    buf_char(out, '{', err);
    json_write_string(out, "type", type, err);
    json_write_integer(out, "update", (int64_t)update, err);
}

static void write_date(struct buf *out, struct err *err)
{
    char date[32];
    const time_t now = time(NULL);
    struct tm utc;
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    json_write_string(out, "date", date, err);
}

/* The member's name, then a list of texts. */
static void write_list(struct buf *out, const char *name, const char *const *items, size_t count,
                       struct err *err)
{
    json_write_name(out, name, err);
    buf_char(out, '[', err);
    for (size_t i = 0; i < count; i++) {
        json_write_comma(out, err);
        json_write_text(out, items[i], strlen(items[i]), err);
    }
    buf_char(out, ']', err);
}

/*
 * The start
 */

/* Is the setting other than the table's default? */
static bool is_changed(const struct opt *opt, const struct recipe *recipe,
                       const struct recipe *plain)
{
    const char *at = (const char *)recipe + opt->offset, *then = (const char *)plain + opt->offset;
    switch (opt->type) {
    case OPT_FLAG:
        return *(const bool *)at != *(const bool *)then;
    case OPT_INT:
        return *(const int64_t *)at != *(const int64_t *)then;
    case OPT_REAL:
        return memcmp(at, then, sizeof(double)) != 0;
    case OPT_CHOICE:
        return *(const int *)at != *(const int *)then;
    case OPT_TEXT:
        return *(char *const *)at != NULL;
    case OPT_LIST:
        return ((const struct opt_list *)at)->count > 0;
    }
    return false;
}

static void write_choice(struct buf *out, const struct opt *opt, int index, struct err *err)
{
    const char *word = opt->choices;
    for (int i = 0; i < index && strchr(word, '|'); i++)
        word = strchr(word, '|') + 1;
    json_write_name(out, opt->name, err);
    json_write_text(out, word, strcspn(word, "|"), err);
}

static void write_setting(struct buf *out, const struct opt *opt, const struct recipe *recipe,
                          struct err *err)
{
    const char *at = (const char *)recipe + opt->offset;
    switch (opt->type) {
    case OPT_FLAG:
        json_write_boolean(out, opt->name, *(const bool *)at, err);
        break;
    case OPT_INT:
        json_write_integer(out, opt->name, *(const int64_t *)at, err);
        break;
    case OPT_REAL:
        json_write_real(out, opt->name, *(const double *)at, err);
        break;
    case OPT_CHOICE:
        write_choice(out, opt, *(const int *)at, err);
        break;
    case OPT_TEXT:
        if (*(char *const *)at)
            json_write_string(out, opt->name, *(char *const *)at, err);
        break;
    case OPT_LIST: {
        const struct opt_list *list = (const struct opt_list *)at;
        write_list(out, opt->name, (const char *const *)list->items, list->count, err);
        break;
    }
    }
}

static bool is_setting(const struct opt *opt)
{
    return strcmp(opt->name, "help") != 0 && strcmp(opt->name, "resume") != 0;
}

/* All options by their names, and the names of those that are not as the table has them. */
static void write_settings(struct buf *out, const struct recipe *recipe, struct err *err)
{
    struct recipe plain = {0};
    if (opt_defaults(recipe_options, &plain, err))
        return;
    json_write_name(out, "settings", err);
    buf_char(out, '{', err);
    for (const struct opt *opt = recipe_options; opt->name; opt++)
        if (is_setting(opt))
            write_setting(out, opt, recipe, err);
    buf_char(out, '}', err);
    json_write_name(out, "changed", err);
    buf_char(out, '[', err);
    for (const struct opt *opt = recipe_options; opt->name; opt++) {
        if (is_setting(opt) && is_changed(opt, recipe, &plain)) {
            json_write_comma(out, err);
            json_write_text(out, opt->name, strlen(opt->name), err);
        }
    }
    opt_release(recipe_options, &plain);
    buf_char(out, ']', err);
}

static void write_data(struct buf *out, const struct journal_run *run, struct err *err)
{
    const struct recipe *recipe = run->recipe;
    const struct trainer_task *task = run->task;
    const struct trainer_facts *facts = &task->facts;
    json_write_name(out, "data", err);
    buf_char(out, '{', err);
    write_list(out, "train", (const char *const *)recipe->train.items, recipe->train.count, err);
    write_list(out, "dev", (const char *const *)recipe->dev.items, recipe->dev.count, err);
    json_write_integer(out, "lines", (int64_t)facts->lines, err);
    json_write_integer(out, "examples", (int64_t)task->examples, err);
    json_write_integer(out, "left_out", (int64_t)task->left_out, err);
    json_write_integer(out, "dev_lines", (int64_t)facts->dev_lines, err);
    if (recipe->task == SPEC_TRANSLATION) {
        json_write_integer(out, "source_tokens", (int64_t)facts->tokens[0], err);
        json_write_integer(out, "target_tokens", (int64_t)facts->tokens[1], err);
    } else {
        json_write_integer(out, "tokens", (int64_t)facts->tokens[0], err);
    }
    json_write_integer(out, "vocabulary", (int64_t)facts->vocabulary, err);
    buf_char(out, '}', err);
}

void journal_line_start(struct buf *out, const struct journal_run *run, bool resumed, size_t update,
                        struct err *err)
{
    const struct recipe *recipe = run->recipe;
    open_line(out, "start", update, err);
    json_write_boolean(out, "resumed", resumed, err);
    write_date(out, err);
    json_write_string(out, "program", "dragoman " DRAGOMAN_VERSION, err);
    json_write_string(out, "command", run->command, err);
    json_write_string(out, "name", recipe->name, err);
    json_write_string(out, "task", spec_task_name((enum spec_task)recipe->task), err);
    json_write_string(out, "metric", run->task->score_name, err);
    json_write_string(out, "unit", run->task->unit, err);
    json_write_integer(out, "threads", recipe->threads, err);
    json_write_integer(out, "parameters", (int64_t)run->task->parameters, err);
    json_write_integer(out, "tensors", (int64_t)run->task->facts.tensors, err);
    write_data(out, run, err);
    write_settings(out, recipe, err);
    buf_char(out, '}', err);
}

/*
 * What the trainer reports
 */

void journal_line_update(struct buf *out, const struct trainer_progress *progress, struct err *err)
{
    open_line(out, "update", progress->update, err);
    json_write_real(out, "epoch", epoch_of(progress), err);
    json_write_real(out, "progress", progress->progress, err);
    json_write_real(out, "loss", progress->loss, err);
    json_write_real(out, "gradient_norm", progress->gradient_norm, err);
    json_write_real(out, "rate", progress->rate, err);
    json_write_real(out, "units_per_second", progress->units_per_second, err);
    json_write_real(out, "seconds", progress->seconds, err);
    buf_char(out, '}', err);
}

void journal_line_evaluation(struct buf *out, const struct journal_run *run,
                             const struct trainer_progress *progress, struct err *err)
{
    open_line(out, "evaluation", progress->update, err);
    json_write_real(out, "epoch", epoch_of(progress), err);
    json_write_real(out, "loss", progress->loss, err);
    json_write_string(out, "metric", run->task->score_name, err);
    json_write_real(out, "score", progress->score, err);
    if (progress->perplexity > 0)
        json_write_real(out, "perplexity", progress->perplexity, err);
    if (progress->bits_per_character > 0) {
        json_write_real(out, "bits_per_character", progress->bits_per_character, err);
        json_write_real(out, "nats_per_character", progress->bits_per_character * log(2), err);
    }
    json_write_boolean(out, "best", progress->best, err);
    json_write_boolean(out, "saved", progress->saved, err);
    json_write_real(out, "best_score", progress->best_score, err);
    json_write_real(out, "seconds", progress->seconds, err);
    buf_char(out, '}', err);
}

/* A text, cut between two characters where it is long. */
static void write_text(struct buf *out, const char *name, const char *text, struct err *err)
{
    size_t len = strlen(text);
    json_write_name(out, name, err);
    if (len <= TEXT_BYTES) {
        json_write_text(out, text, len, err);
        return;
    }
    len = utf8_valid_length(text, TEXT_BYTES);
    struct buf cut = BUF_INIT;
    if (buf_append(&cut, text, len, err) == 0 && buf_text(&cut, "\xE2\x80\xA6", err) == 0)
        json_write_text(out, cut.data, cut.len, err);
    buf_release(&cut);
}

static void write_attention(struct buf *out, const struct trainer_sample *sample, struct err *err)
{
    write_list(out, "source_tokens", sample->source_tokens, sample->source_count, err);
    write_list(out, "output_tokens", sample->output_tokens, sample->output_count, err);
    json_write_name(out, "attention", err);
    buf_char(out, '[', err);
    for (size_t r = 0; r < sample->output_count; r++) {
        buf_text(out, r ? ",[" : "[", err);
        for (size_t c = 0; c < sample->source_count; c++) {
            const double weight = (double)sample->attention[r * sample->source_count + c];
            buf_printf(out, err, "%s%.3g", c ? "," : "", isfinite(weight) ? weight : 0);
        }
        buf_char(out, ']', err);
    }
    buf_char(out, ']', err);
}

static void write_sample(struct buf *out, const struct trainer_sample *sample, bool attention,
                         struct err *err)
{
    json_write_comma(out, err);
    buf_char(out, '{', err);
    write_text(out, "source", sample->source, err);
    write_text(out, "reference", sample->reference, err);
    if (sample->output) {
        write_text(out, "output", sample->output, err);
        json_write_real(out, "score", sample->score, err);
    }
    if (attention)
        write_attention(out, sample, err);
    buf_char(out, '}', err);
}

void journal_line_samples(struct buf *out, const struct journal_run *run,
                          const struct trainer_progress *progress, struct err *err)
{
    const struct trainer_task *task = run->task;
    struct trainer_sample sample;
    size_t with_attention = 0;
    if (!task->sample || !task->sample(task->context, 0, &sample))
        return;
    open_line(out, "samples", progress->update, err);
    json_write_real(out, "epoch", epoch_of(progress), err);
    json_write_real(out, "score", progress->score, err);
    json_write_name(out, "samples", err);
    buf_char(out, '[', err);
    for (size_t i = 0; task->sample(task->context, i, &sample); i++) {
        const bool attention = sample.attention && with_attention < ATTENTION_SENTENCES &&
                               sample.source_count <= ATTENTION_TOKENS &&
                               sample.output_count <= ATTENTION_TOKENS;
        with_attention += attention;
        write_sample(out, &sample, attention, err);
    }
    buf_text(out, "]}", err);
}

void journal_line_end(struct buf *out, const char *reason, const char *message,
                      const struct trainer_progress *final, struct err *err)
{
    open_line(out, "end", final->update, err);
    json_write_string(out, "reason", reason, err);
    if (message)
        json_write_string(out, "message", message, err);
    json_write_real(out, "epoch", epoch_of(final), err);
    if (final->best_score >= 0)
        json_write_real(out, "best_score", final->best_score, err);
    json_write_real(out, "seconds", final->seconds, err);
    write_date(out, err);
    buf_char(out, '}', err);
}
