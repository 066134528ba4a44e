/*
 * dragoman evaluate for language models: how well a text is predicted. A stream is read from its
 * first token to its last without forgetting; lines are read one by one.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/mem.h"
#include "base/pool.h"
#include "cmd/evaluate.h"
#include "model/language.h"
#include "model/rnn.h"
#include "text/rows.h"
#include "text/stream.h"
#include "train/metric.h"

struct work {
    struct evaluate *evaluate;
    const struct model *model;
    struct pool *pool;
    struct encoded encoded;
    struct arena arena; /* ids and conditions of the lines */
    struct language_text *texts;
    struct language_sums sums;
    size_t characters, unknown, lines; /* lines: 0 for a stream */
    struct rnn *floats;                /* the network, all weights as floats */
};

static int empty(const struct work *work, struct err *err)
{
    return err_set(err, ERR_ARGUMENT, "%s: nothing to evaluate on", work->evaluate->settings->test);
}

/* The ids of work->encoded, in the arena. */
static int32_t *take_ids(struct work *work, struct err *err)
{
    const struct encoded *encoded = &work->encoded;
    int32_t *ids = arena_alloc(&work->arena, encoded->count, sizeof *ids, err);
    for (size_t i = 0; ids != NULL && i < encoded->count; i++) {
        ids[i] = encoded->tokens[i].id;
        work->unknown += ids[i] == TOKEN_UNK;
    }
    return ids;
}

static int read_stream(struct work *work, struct err *err)
{
    const char *path = work->evaluate->settings->test;
    struct text_stream stream;
    size_t lead;
    if (text_stream_read(&stream, &path, 1, err) < 0)
        return err->code;
    int code = stream.len > 0 ? 0 : empty(work, err);
    if (code == 0)
        code = language_encode(work->model->tokenizer, stream.text, stream.len, &work->encoded,
                               &lead, err);
    const int32_t *ids = code == 0 ? take_ids(work, err) : NULL;
    work->characters = language_characters(stream.text, stream.len);
    if (ids != NULL) {
        const int64_t begin = clock_ns();
        code = language_stream(work->floats, ids, work->encoded.count, lead, 1, work->pool,
                               &work->sums, err);
        work->evaluate->seconds = (double)(clock_ns() - begin) * 1e-9;
    }
    text_stream_release(&stream);
    return code == 0 && ids == NULL ? ERR_MEMORY : code;
}

static int find_label(const struct spec *spec, const struct corpus_line *line, int32_t *label,
                      struct err *err)
{
    for (size_t l = 0; l < spec->label_count; l++)
        if (strcmp(spec->labels[l], line->first) == 0) {
            *label = (int32_t)l;
            return 0;
        }
    return err_set(err, ERR_ARGUMENT, "the model has no label \"%.100s\" (its first is \"%.100s\")",
                   line->first, spec->labels[0]);
}

static int read_vector(struct work *work, const struct corpus_line *line,
                       struct language_text *text, struct err *err)
{
    const size_t width = work->model->spec.feature;
    struct rows rows;
    if (rows_parse(&rows, line->first, line->first_len, err) < 0)
        return err->code;
    real *feature = NULL;
    if (rows.count != 1 || rows.width != width)
        err_set(err, ERR_ARGUMENT, "the model needs a vector of %zu numbers, not %zu of %zu", width,
                rows.count, rows.width);
    else
        feature = arena_alloc(&work->arena, width, sizeof *feature, err);
    for (size_t i = 0; feature != NULL && i < width; i++)
        feature[i] = (real)rows.values[i];
    text->feature = feature;
    rows_release(&rows);
    return err->code;
}

static int read_line(struct work *work, const struct corpus_line *line, struct language_text *text,
                     struct err *err)
{
    const struct spec *spec = &work->model->spec;
    const bool second = spec->condition != SPEC_CONDITION_NONE;
    const char *written = second ? line->second : line->first;
    const size_t len = second ? line->second_len : line->first_len;
    if (tokenizer_encode(work->model->tokenizer, written, len, &work->encoded, err) < 0 ||
        (second && spec->label_count > 0 && find_label(spec, line, &text->label, err) < 0) ||
        (second && spec->label_count == 0 && read_vector(work, line, text, err) < 0))
        return err_context(err, "%s:%u", work->evaluate->settings->test, line->line);
    text->count = work->encoded.count;
    text->ids = take_ids(work, err);
    work->characters += language_characters(written, len) + 1;
    return text->ids == NULL ? ERR_MEMORY : 0;
}

static int read_lines(struct work *work, struct err *err)
{
    struct evaluate *evaluate = work->evaluate;
    const char *path = evaluate->settings->test;
    const bool second = work->model->spec.condition != SPEC_CONDITION_NONE;
    struct corpus *corpus = &evaluate->corpus;
    if ((second ? corpus_read : corpus_read_texts)(corpus, &path, 1, err) < 0)
        return err->code;
    if (corpus->count == 0)
        return empty(work, err);
    work->lines = corpus->count;
    work->texts = mem_alloc(corpus->count, sizeof *work->texts, err);
    if (work->texts == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < corpus->count; i++)
        if (read_line(work, &corpus->lines[i], &work->texts[i], err) < 0)
            return err->code;
    const int64_t begin = clock_ns();
    const int code =
        language_lines(work->floats, work->texts, corpus->count, work->pool, &work->sums, err);
    evaluate->seconds = (double)(clock_ns() - begin) * 1e-9;
    return code;
}

static int print_json(const struct work *work, double nats, struct err *err)
{
    const struct evaluate *evaluate = work->evaluate;
    const struct language_sums *sums = &work->sums;
    json_t *object = json_pack(
        "{s:s, s:s, s:s, s:f, s:f, s:f, s:f, s:I, s:I, s:I, s:f}", "model", work->model->spec.name,
        "task", spec_task_name(SPEC_GENERATION), "test", evaluate->settings->test, "perplexity",
        metric_perplexity(sums->negative_log, sums->tokens), "bits_per_character", nats / log(2),
        "nats_per_character", nats, "log_probability", -sums->negative_log, "tokens",
        (json_int_t)sums->tokens, "characters", (json_int_t)work->characters, "unknown_tokens",
        (json_int_t)work->unknown, "seconds", evaluate->seconds);
    if (object != NULL && work->lines > 0)
        json_object_set_new(object, "texts", json_integer((json_int_t)work->lines));
    return cmd_print_json(object, err);
}

static void print_text(const struct work *work, double nats)
{
    const struct evaluate *evaluate = work->evaluate;
    const struct language_sums *sums = &work->sums;
    printf("model       %s\n", work->model->spec.name);
    printf("test        %s, ", evaluate->settings->test);
    if (work->lines > 0)
        printf("%zu texts, ", work->lines);
    printf("%zu characters, %zu tokens, %zu of them unknown\n", work->characters, sums->tokens,
           work->unknown);
    printf("perplexity  %.4f a token\n", metric_perplexity(sums->negative_log, sums->tokens));
    printf("characters  %.4f nats each, %.4f bits\n", nats, nats / log(2));
    printf("speed       %.0f tokens/s; %.2f s\n", (double)sums->tokens / evaluate->seconds,
           evaluate->seconds);
}

static int show(const struct work *work, double nats, struct err *err)
{
    if (work->evaluate->settings->json)
        return print_json(work, nats, err);
    print_text(work, nats);
    return 0;
}

int evaluate_generation(struct evaluate *evaluate)
{
    struct err err = ERR_INIT;
    struct work work = {.evaluate = evaluate, .model = evaluate->model};
    arena_init(&work.arena, (size_t)1 << 20);
    work.pool = pool_new(evaluate->threads, &err);
    int code = work.pool == NULL ? ERR_MEMORY : rnn_expand(&work.floats, work.model->rnn, &err);
    if (code == 0)
        code = work.model->spec.stream ? read_stream(&work, &err) : read_lines(&work, &err);
    const double nats = code == 0 ? work.sums.negative_log / (double)work.characters : 0;
    if (code == 0)
        evaluate->figure = (struct evaluate_figure){
            "perplexity", metric_perplexity(work.sums.negative_log, work.sums.tokens)};
    if (code == 0 && !evaluate->silent)
        code = show(&work, nats, &err);
    rnn_free(work.floats);
    mem_free(work.texts);
    encoded_release(&work.encoded);
    pool_free(work.pool);
    arena_release(&work.arena);
    return code < 0 ? cmd_failed(&err) : CMD_FINE;
}
