/* dragoman evaluate for translation: the whole test set through the model, then the scores of what
   it said, and how probable it finds what it should have said. */
#include <math.h>
#include <stdio.h>
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "cmd/evaluate.h"
#include "model/batch.h"
#include "model/likelihood.h"
#include "model/seq2seq.h"

struct work {
    struct evaluate *evaluate;
    struct cmd_ensemble models;
    struct decode_options decode;
    struct scoring scoring;
    size_t count;
    struct batch_output *outputs;     /* [count] */
    struct metric_text *hypotheses;   /* [count] */
    struct likelihood likelihood;     /* of the targets, where it was asked for */
    size_t failed, truncated, tokens; /* tokens: of all translations */
};

static int work_init(struct work *work, struct err *err)
{
    work->count = work->evaluate->corpus.count;
    work->outputs = mem_alloc(work->count, sizeof(*work->outputs), err);
    work->hypotheses = mem_alloc(work->count, sizeof(*work->hypotheses), err);
    return work->outputs && work->hypotheses ? 0 : ERR_MEMORY;
}

static void work_release(struct work *work)
{
    for (size_t i = 0; work->outputs != NULL && i < work->count; i++)
        batch_output_release(&work->outputs[i]);
    cmd_ensemble_release(&work->models);
    scoring_release(&work->scoring);
    mem_free(work->hypotheses);
    mem_free(work->outputs);
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
        work->hypotheses[i] = hypothesis;
        test_set_hypothesis(&work->scoring.set, i, hypothesis);
    }
}

static int translate(struct work *work, struct pool *pool, struct err *err)
{
    struct evaluate *evaluate = work->evaluate;
    int64_t begin = clock_ns();
    int code = batch_translate(&work->models.ensemble, evaluate->model->tokenizer, &work->decode,
                               pool, work->scoring.set.sources, work->count, work->outputs, err);
    evaluate->seconds = (double)(clock_ns() - begin) / 1e9;
    if (code == 0)
        count_outputs(work);
    return code;
}

/* How probable the model finds the targets. */
static int find_likelihood(struct work *work, struct pool *pool, struct err *err)
{
    const struct test_set *set = &work->scoring.set;
    const struct model *model = work->evaluate->model;
    struct batch_text *targets = mem_alloc(work->count, sizeof(*targets), err);
    if (targets == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < work->count; i++)
        targets[i] = (struct batch_text){set->targets[i].data, set->targets[i].len};
    struct seq2seq *floats = NULL;
    int code = seq2seq_expand(&floats, model->seq2seq, err);
    if (code == 0)
        code = likelihood_corpus(floats, model->tokenizer, pool, set->sources, targets, work->count,
                                 &work->likelihood, err);
    seq2seq_free(floats);
    mem_free(targets);
    return code;
}

static int run_model(struct work *work, struct err *err)
{
    struct pool *pool = pool_new(work->evaluate->threads, err);
    if (pool == NULL)
        return err->code;
    int code = translate(work, pool, err);
    if (code == 0 && work->evaluate->settings->perplexity)
        code = find_likelihood(work, pool, err);
    pool_free(pool);
    return code;
}

static int write_translations(const struct work *work, const char *path, struct err *err)
{
    struct file_save save;
    int code = file_save_begin(&save, path, err);
    if (code < 0)
        return code;
    for (size_t i = 0; i < work->count; i++) {
        struct metric_text text = work->hypotheses[i];
        for (size_t c = 0; c < text.len; c++)
            putc(text.data[c] == '\n' || text.data[c] == '\r' ? ' ' : text.data[c], save.stream);
        putc('\n', save.stream);
    }
    return file_save_commit(&save, err);
}

static double perplexity(const struct work *work)
{
    return metric_perplexity(work->likelihood.negative_log, work->likelihood.tokens);
}

/* null where it is no number. */
static json_t *likelihood_json(const struct work *work)
{
    json_t *value = isfinite(perplexity(work)) ? json_real(perplexity(work)) : json_null();
    return json_pack("{s:o, s:I, s:I}", "perplexity", value, "perplexity_tokens",
                     (json_int_t)work->likelihood.tokens, "perplexity_skipped",
                     (json_int_t)work->likelihood.skipped);
}

/* The names of all models that decoded together. */
static json_t *ensemble_json(const struct work *work)
{
    json_t *names = json_array();
    for (size_t i = 0; i < work->models.count; i++)
        if (json_array_append_new(names, json_string(work->models.models[i]->spec.name)) < 0) {
            json_decref(names);
            return NULL;
        }
    return json_pack("{s:o}", "ensemble", names);
}

static bool add_members(json_t *object, json_t *members)
{
    bool good = object != NULL && members != NULL && json_object_update(object, members) == 0;
    json_decref(members);
    return good;
}

static int print_json(const struct work *work, struct err *err)
{
    const struct evaluate *evaluate = work->evaluate;
    const struct spec *spec = &evaluate->model->spec;
    double seconds = evaluate->seconds;
    json_t *object = scoring_json(&work->scoring);
    json_t *rest =
        json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:f, s:f}", "model",
                  spec->name, "task", spec_task_name(spec->task), "test", evaluate->settings->test,
                  "sentences", (json_int_t)work->count, "failed", (json_int_t)work->failed,
                  "truncated", (json_int_t)work->truncated, "tokens", (json_int_t)work->tokens,
                  "beam", (json_int_t)work->decode.beam, "threads", (json_int_t)evaluate->threads,
                  "seconds", seconds, "sentences_per_second", (double)work->count / seconds,
                  "tokens_per_second", (double)work->tokens / seconds);
    bool good = add_members(object, rest);
    if (good && evaluate->settings->perplexity)
        good = add_members(object, likelihood_json(work));
    if (good && work->models.count > 1)
        good = add_members(object, ensemble_json(work));
    if (!good) {
        json_decref(object);
        object = NULL;
    }
    return cmd_print_json(object, err);
}

static void print_perplexity(const struct work *work)
{
    printf("perplexity %.4g  of the model's tokens; %zu of them, with the end of each sentence",
           perplexity(work), work->likelihood.tokens);
    if (work->likelihood.skipped > 0)
        printf("; %zu sentences left out", work->likelihood.skipped);
    putchar('\n');
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
    scoring_print(&work->scoring);
    if (evaluate->settings->perplexity)
        print_perplexity(work);
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
    const struct evaluate *evaluate = work->evaluate;
    const struct evaluate_settings *settings = evaluate->settings;
    int code = cmd_open_ensemble(&work->models, evaluate->model, &settings->ensemble, err);
    if (code == 0)
        code = work_init(work, err);
    if (code == 0)
        code = test_set_of_corpus(&work->scoring.set, &evaluate->corpus, settings->reverse,
                                  settings->references, err);
    return code < 0 ? code : scoring_prepare(&work->scoring, settings, err);
}

static int run(struct work *work, struct err *err)
{
    const struct evaluate_settings *settings = work->evaluate->settings;
    int code = prepare(work, err);
    if (code == 0)
        code = run_model(work, err);
    if (code == 0 && settings->output != NULL)
        code = write_translations(work, settings->output, err);
    if (code == 0)
        code = scoring_compute(&work->scoring, settings, err);
    if (code < 0)
        return code;
    work->evaluate->figure =
        (struct evaluate_figure){"BLEU", work->scoring.single.metrics[SCORES_BLEU].value};
    if (work->evaluate->silent)
        return 0;
    if (settings->json)
        return print_json(work, err);
    print_text(work);
    return 0;
}

int evaluate_translation(struct evaluate *evaluate)
{
    struct err err = ERR_INIT;
    struct work work = {.evaluate = evaluate};
    if (evaluate->settings->perplexity && evaluate->settings->ensemble.count > 0) {
        cmd_complain("evaluate: --perplexity is that of one model, not of an ensemble");
        return CMD_USAGE;
    }
    if (cmd_decode_options(evaluate->model, evaluate->settings->beam, 1, &work.decode, &err) < 0)
        return cmd_failed(&err);
    int code = run(&work, &err);
    work_release(&work);
    if (code < 0)
        return cmd_failed(&err);
    return work.failed > 0 ? CMD_FAILED : CMD_FINE;
}
