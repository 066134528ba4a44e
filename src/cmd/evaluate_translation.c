/* dragoman evaluate for translation: the whole test set through the model, then BLEU and chrF. */
#include <stdio.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "cmd/evaluate.h"
#include "cmd/references.h"
#include "model/batch.h"
#include "train/metric.h"

struct scores {
    struct metric_bleu bleu;
    double chrf;
};

struct work {
    struct evaluate *evaluate;
    struct cmd_ensemble models;
    struct decode_options decode;
    size_t count;
    struct batch_text *sources;       /* [count] */
    struct batch_output *outputs;     /* [count] */
    struct metric_text *targets;      /* [count] */
    struct metric_segment *segments;  /* [count] */
    struct references references;     /* where they were asked for */
    struct scores single, all;        /* against the target alone, against all references */
    size_t failed, truncated, tokens; /* tokens: of all translations */
};

static int work_init(struct work *work, struct err *err)
{
    const struct corpus *corpus = &work->evaluate->corpus;
    bool reverse = work->evaluate->settings->reverse;
    work->count = corpus->count;
    work->sources = mem_alloc(work->count, sizeof(*work->sources), err);
    work->outputs = mem_alloc(work->count, sizeof(*work->outputs), err);
    work->targets = mem_alloc(work->count, sizeof(*work->targets), err);
    work->segments = mem_alloc(work->count, sizeof(*work->segments), err);
    if (!work->sources || !work->outputs || !work->targets || !work->segments)
        return ERR_MEMORY;
    for (size_t i = 0; i < work->count; i++) {
        const struct corpus_line *line = &corpus->lines[i];
        struct batch_text first = {line->first, line->first_len};
        struct batch_text second = {line->second, line->second_len};
        work->sources[i] = reverse ? second : first;
        work->targets[i] = reverse ? (struct metric_text){first.data, first.len}
                                   : (struct metric_text){second.data, second.len};
    }
    return 0;
}

static void work_release(struct work *work)
{
    for (size_t i = 0; work->outputs != NULL && i < work->count; i++)
        batch_output_release(&work->outputs[i]);
    cmd_ensemble_release(&work->models);
    references_release(&work->references);
    mem_free(work->segments);
    mem_free(work->targets);
    mem_free(work->outputs);
    mem_free(work->sources);
}

static void count_outputs(struct work *work)
{
    for (size_t i = 0; i < work->count; i++) {
        const struct batch_output *output = &work->outputs[i];
        struct metric_text hypothesis = {"", 0};
        if (output->count > 0)
            hypothesis =
                (struct metric_text){output->candidates[0].text, output->candidates[0].len};
        else
            cmd_complain("%s: sentence %zu: %s", work->evaluate->settings->test, i + 1,
                         output->err.message);
        work->failed += output->count == 0;
        work->truncated += output->truncated;
        work->tokens += output->target_tokens;
        work->segments[i] = (struct metric_segment){hypothesis, &work->targets[i], 1};
    }
}

static int translate(struct work *work, struct err *err)
{
    struct evaluate *evaluate = work->evaluate;
    struct pool *pool = pool_new(evaluate->threads, err);
    if (pool == NULL)
        return err->code;
    int64_t begin = clock_ns();
    int code = batch_translate(&work->models.ensemble, evaluate->model->tokenizer, &work->decode, pool,
                               work->sources, work->count, work->outputs, err);
    evaluate->seconds = (double)(clock_ns() - begin) / 1e9;
    pool_free(pool);
    if (code == 0)
        count_outputs(work);
    return code;
}

static int score(const struct work *work, struct scores *scores, struct err *err)
{
    const struct metric_settings settings = {0};
    int code = metric_bleu(work->segments, work->count, &settings, &scores->bleu, err);
    return code < 0 ? code
                    : metric_chrf(work->segments, work->count, &settings, &scores->chrf, err);
}

/* Puts all known references in the place of the one target. */
static int use_references(struct work *work, struct err *err)
{
    const char *path = work->evaluate->settings->references;
    for (size_t i = 0; i < work->count; i++) {
        struct metric_text source = {work->sources[i].data, work->sources[i].len};
        const struct references_entry *entry = references_find(&work->references, source);
        if (entry == NULL)
            return err_set(err, ERR_NOT_FOUND, "%s: nothing for '%.200s'", path, source.data);
        work->segments[i].references = entry->texts;
        work->segments[i].reference_count = entry->count;
    }
    return 0;
}

static int write_translations(const struct work *work, const char *path, struct err *err)
{
    struct file_save save;
    int code = file_save_begin(&save, path, err);
    if (code < 0)
        return code;
    for (size_t i = 0; i < work->count; i++) {
        struct metric_text text = work->segments[i].hypothesis;
        for (size_t c = 0; c < text.len; c++)
            putc(text.data[c] == '\n' || text.data[c] == '\r' ? ' ' : text.data[c], save.stream);
        putc('\n', save.stream);
    }
    return file_save_commit(&save, err);
}

static json_t *scores_json(const struct scores *scores, const char *references)
{
    const struct metric_bleu *bleu = &scores->bleu;
    return json_pack("{s:f, s:f, s:[f,f,f,f], s:f, s:I, s:I, s:s}", "bleu", bleu->score, "chrf",
                     scores->chrf, "precisions", bleu->precisions[0], bleu->precisions[1],
                     bleu->precisions[2], bleu->precisions[3], "brevity_penalty",
                     bleu->brevity_penalty, "hypothesis_length",
                     (json_int_t)bleu->counts.hypothesis_length, "reference_length",
                     (json_int_t)bleu->counts.reference_length, "references", references);
}

/* The names of the models that decoded together. */
static json_t *ensemble_json(const struct work *work)
{
    json_t *names = json_array();
    for (size_t i = 0; i < work->models.count; i++)
        if (json_array_append_new(names, json_string(work->models.models[i]->spec.name)) < 0) {
            json_decref(names);
            return NULL;
        }
    return names;
}

static int print_json(const struct work *work, struct err *err)
{
    const struct evaluate *evaluate = work->evaluate;
    const struct spec *spec = &evaluate->model->spec;
    double seconds = evaluate->seconds;
    json_t *object = scores_json(&work->single, "one");
    json_t *rest =
        json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f}", "model",
                  spec->name, "task", spec_task_name(spec->task), "test", evaluate->settings->test,
                  "sentences", (json_int_t)work->count, "failed", (json_int_t)work->failed,
                  "truncated", (json_int_t)work->truncated, "tokens", (json_int_t)work->tokens,
                  "beam", (json_int_t)work->decode.beam, "threads", (json_int_t)evaluate->threads,
                  "seconds", seconds, "sentences_per_second", (double)work->count / seconds,
                  "tokens_per_second", (double)work->tokens / seconds);
    bool good = object != NULL && rest != NULL && json_object_update(object, rest) == 0;
    if (good && evaluate->settings->references != NULL)
        good = json_object_set_new(object, "all_references", scores_json(&work->all, "all")) == 0;
    if (good && work->models.count > 1)
        good = json_object_set_new(object, "ensemble", ensemble_json(work)) == 0;
    json_decref(rest);
    if (!good) {
        json_decref(object);
        object = NULL;
    }
    return cmd_print_json(object, err);
}

static void print_scores(const struct scores *scores, const char *references)
{
    const struct metric_bleu *bleu = &scores->bleu;
    printf("BLEU       %.2f  %.1f/%.1f/%.1f/%.1f, brevity penalty %.3f, lengths %zu and %zu; "
           "13a, cased, %s\n",
           bleu->score, bleu->precisions[0], bleu->precisions[1], bleu->precisions[2],
           bleu->precisions[3], bleu->brevity_penalty, bleu->counts.hypothesis_length,
           bleu->counts.reference_length, references);
    printf("chrF2      %.2f  %s\n", scores->chrf, references);
}

static void print_text(const struct work *work)
{
    const struct evaluate *evaluate = work->evaluate;
    double seconds = evaluate->seconds;
    printf("model      %s", evaluate->model->spec.name);
    for (size_t i = 1; i < work->models.count; i++)
        printf(" + %s", work->models.models[i]->spec.name);
    putchar('\n');
    printf("test       %s, %zu sentences\n", evaluate->settings->test, work->count);
    print_scores(&work->single, "one reference");
    if (evaluate->settings->references != NULL)
        print_scores(&work->all, "all references");
    printf("speed      %.1f sentences/s, %.0f tokens/s; %.2f s, %d threads, beam %zu\n",
           (double)work->count / seconds, (double)work->tokens / seconds, seconds,
           evaluate->threads, work->decode.beam);
    if (work->truncated > 0)
        printf("truncated  %zu\n", work->truncated);
    if (work->failed > 0)
        printf("failed     %zu\n", work->failed);
}

/* What can fail early fails before the model starts to work. */
static int prepare(struct work *work, struct err *err)
{
    const char *references = work->evaluate->settings->references;
    struct evaluate *evaluate = work->evaluate;
    int code =
        cmd_open_ensemble(&work->models, evaluate->model, &evaluate->settings->ensemble, err);
    if (code == 0)
        code = work_init(work, err);
    if (code == 0 && references != NULL)
        code = references_read(&work->references, references, err);
    if (code == 0 && references != NULL)
        code = use_references(work, err);
    return code;
}

static int run(struct work *work, struct err *err)
{
    const struct evaluate_settings *settings = work->evaluate->settings;
    int code = prepare(work, err);
    if (code == 0)
        code = translate(work, err);
    if (code == 0 && settings->output != NULL)
        code = write_translations(work, settings->output, err);
    if (code == 0)
        code = score(work, &work->single, err);
    if (code == 0 && settings->references != NULL)
        code = use_references(work, err);
    if (code == 0 && settings->references != NULL)
        code = score(work, &work->all, err);
    if (code == 0 && settings->json)
        code = print_json(work, err);
    else if (code == 0)
        print_text(work);
    return code;
}

int evaluate_translation(struct evaluate *evaluate)
{
    struct err err = ERR_INIT;
    struct work work = {.evaluate = evaluate};
    if (cmd_decode_options(evaluate->model, evaluate->settings->beam, 1, &work.decode, &err) < 0)
        return cmd_failed(&err);
    int code = run(&work, &err);
    work_release(&work);
    if (code < 0)
        return cmd_failed(&err);
    return work.failed > 0 ? CMD_FAILED : CMD_FINE;
}
