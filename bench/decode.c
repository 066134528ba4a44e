/*
 * How fast models translate on one core, from text to text.
 *
 *     decode [--test FILE] [--sentences N] [--beam N] [--rows N]... [--rounds N] [--json] MODEL...
 *
 * Each round translates the first N sentences (default 200, all is 0; FILE's first column, default
 * the Tatoeba test set of the data folder) with every model: one by one, which is latency, and so
 * many rows at a time (default 1, 8, 32, 64; a sentence takes `beam` rows, default 1), which is
 * throughput. Printed is the best of all rounds (default 5), of each sentence for latency. Time is
 * the thread's processor time, so that other programs disturb less; the program does nothing but
 * compute. Ratios are by the first model.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "model/model.h"
#include "nn/cpu.h"
#include "nn/mat.h"
#include "text/corpus.h"

#define MAX_MODELS 8
#define MAX_SIZES 8
#define MAX_ROWS 4096

struct sentence {
    const char *text;
    size_t len;
};

struct result {                   /* of one model */
    double *latency;              /* [sentences], microseconds */
    double throughput[MAX_SIZES]; /* sentences a second, at each number of rows */
    size_t tokens;                /* written, with each sentence's end */
    struct decoder *alone, *crowd[MAX_SIZES];
};

struct bench {
    const char *test;
    size_t sentences, rounds, beam;
    size_t rows[MAX_SIZES], sizes;
    bool json;
    const char *folders[MAX_MODELS];
    struct model *models[MAX_MODELS];
    size_t count;
    struct corpus corpus;
    struct sentence *list;
    struct encoded encoded;
    struct buf out;
    struct result results[MAX_MODELS];
};

static double now_us(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

/* Ids of the text, into decoder. */
static int join(struct bench *bench, const struct model *model, struct decoder *decoder, size_t i,
                struct err *err)
{
    const struct decode_options options = {
        .beam = bench->beam, .nbest = 1, .length_penalty = model->spec.length_penalty};
    int32_t ids[DECODE_MAX_SOURCE];
    const struct encoded *encoded = &bench->encoded;
    int code = tokenizer_encode(model->tokenizer, bench->list[i].text, bench->list[i].len,
                                &bench->encoded, err);
    for (size_t t = 0; code == 0 && t < encoded->count; t++) {
        if (t == DECODE_MAX_SOURCE)
            return err_set(err, ERR_LIMIT, "a sentence of more than %d tokens", DECODE_MAX_SOURCE);
        ids[t] = encoded->tokens[t].id;
    }
    return code < 0 ? code : decoder_join(decoder, ids, encoded->count, &options, NULL, err);
}

/* The text of what is finished; how many sentences that were. */
static int take(struct bench *bench, const struct model *model, struct decoder *decoder,
                size_t *done, size_t *tokens, struct err *err)
{
    struct decode_result *result;
    int code = 0;
    while (code == 0 && (result = decoder_take(decoder)) != NULL) {
        const struct hypothesis *best = &result->hypotheses[0];
        buf_clear(&bench->out);
        code = tokenizer_decode(model->tokenizer, best->ids, best->count, &bench->out, err);
        *tokens += best->count + 1;
        ++*done;
        decode_result_free(result);
    }
    return code;
}

static int measure_latency(struct bench *bench, size_t m, struct err *err)
{
    const struct model *model = bench->models[m];
    struct result *result = &bench->results[m];
    int code = 0;
    result->tokens = 0;
    for (size_t i = 0; code == 0 && i < bench->sentences; i++) {
        size_t done = 0;
        const double begin = now_us();
        code = join(bench, model, result->alone, i, err);
        while (code == 0 && done == 0) {
            code = decoder_step(result->alone, err);
            if (code == 0)
                code = take(bench, model, result->alone, &done, &result->tokens, err);
        }
        const double taken = now_us() - begin;
        if (result->latency[i] == 0 || taken < result->latency[i])
            result->latency[i] = taken;
    }
    return code;
}

static int measure_throughput(struct bench *bench, size_t m, size_t size, struct err *err)
{
    const struct model *model = bench->models[m];
    struct decoder *decoder = bench->results[m].crowd[size];
    double *best = &bench->results[m].throughput[size];
    size_t joined = 0, done = 0, tokens = 0;
    int code = 0;
    const double begin = now_us();
    while (code == 0 && done < bench->sentences) {
        while (code == 0 && joined < bench->sentences && decoder_free_rows(decoder) >= bench->beam)
            code = join(bench, model, decoder, joined++, err);
        if (code == 0)
            code = decoder_step(decoder, err);
        if (code == 0)
            code = take(bench, model, decoder, &done, &tokens, err);
    }
    const double rate = (double)bench->sentences / (now_us() - begin) * 1e6;
    *best = rate > *best ? rate : *best;
    return code;
}

static int measure(struct bench *bench, struct err *err)
{
    int code = 0;
    for (size_t round = 0; round < bench->rounds; round++) {
        for (size_t m = 0; m < bench->count && code == 0; m++)
            code = measure_latency(bench, m, err);
        for (size_t size = 0; size < bench->sizes; size++)
            for (size_t m = 0; m < bench->count && code == 0; m++)
                code = measure_throughput(bench, m, size, err);
    }
    return code;
}

/* Results ---------------------------------------------------------------------------------------
 */

struct latency {
    double median, mean, p95, token; /* microseconds; token: for each one written */
};

static int compare_times(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static struct latency latency_of(const struct bench *bench, size_t m)
{
    const struct result *result = &bench->results[m];
    const size_t n = bench->sentences;
    double sum = 0;
    qsort(result->latency, n, sizeof *result->latency, compare_times);
    for (size_t i = 0; i < n; i++)
        sum += result->latency[i];
    return (struct latency){result->latency[n / 2], sum / (double)n, result->latency[n * 95 / 100],
                            sum / (double)result->tokens};
}

static void print_text(const struct bench *bench)
{
    const double first = latency_of(bench, 0).mean;
    printf("%zu sentences, beam %zu, %s, best of %zu rounds\n\n", bench->sentences, bench->beam,
           cpu_path_name(cpu_path()), bench->rounds);
    printf("one by one       median     mean      p95  a token   (microseconds)\n");
    for (size_t m = 0; m < bench->count; m++) {
        const struct latency latency = latency_of(bench, m);
        printf("%-14s %8.0f %8.0f %8.0f %8.1f   %.2fx  %s\n", bench->models[m]->spec.name,
               latency.median, latency.mean, latency.p95, latency.token, first / latency.mean,
               bench->folders[m]);
    }
    printf("\nsentences/s  ");
    for (size_t size = 0; size < bench->sizes; size++)
        printf("  %4zu rows       ", bench->rows[size]);
    printf("\n");
    for (size_t m = 0; m < bench->count; m++) {
        printf("%-14s", bench->models[m]->spec.name);
        for (size_t size = 0; size < bench->sizes; size++)
            printf(" %8.0f %6.2fx  ", bench->results[m].throughput[size],
                   bench->results[m].throughput[size] / bench->results[0].throughput[size]);
        printf(" %s\n", bench->folders[m]);
    }
}

static void print_json(const struct bench *bench)
{
    json_t *models = json_array();
    for (size_t m = 0; m < bench->count; m++) {
        const struct latency latency = latency_of(bench, m);
        json_t *rates = json_array();
        for (size_t size = 0; size < bench->sizes; size++)
            json_array_append_new(
                rates, json_pack("{s:I, s:f}", "rows", (json_int_t)bench->rows[size],
                                 "sentences_per_second", bench->results[m].throughput[size]));
        json_array_append_new(models, json_pack("{s:s, s:f, s:f, s:f, s:f, s:o}", "model",
                                                bench->folders[m], "latency_median_us",
                                                latency.median, "latency_mean_us", latency.mean,
                                                "latency_p95_us", latency.p95, "token_us",
                                                latency.token, "throughput", rates));
    }
    json_t *all =
        json_pack("{s:I, s:I, s:s, s:o}", "sentences", (json_int_t)bench->sentences, "beam",
                  (json_int_t)bench->beam, "path", cpu_path_name(cpu_path()), "models", models);
    json_dumpf(all, stdout, JSON_COMPACT | JSON_REAL_PRECISION(6));
    printf("\n");
    json_decref(all);
}

/* Setting up ------------------------------------------------------------------------------------
 */

static int prepare_model(struct bench *bench, size_t m, struct err *err)
{
    struct result *result = &bench->results[m];
    int code = model_open(&bench->models[m], bench->folders[m], err);
    if (code < 0)
        return code;
    if (bench->models[m]->spec.task != SPEC_TRANSLATION)
        return err_set(err, ERR_ARGUMENT, "%s does not translate", bench->folders[m]);
    const struct ensemble alone = {.models = {bench->models[m]->seq2seq}, .count = 1};
    result->latency = mem_alloc(bench->sentences, sizeof *result->latency, err);
    result->alone = decoder_new(&alone, bench->beam, err);
    code = result->latency && result->alone ? 0 : ERR_MEMORY;
    for (size_t size = 0; code == 0 && size < bench->sizes; size++) {
        const size_t rows = bench->rows[size] > bench->beam ? bench->rows[size] : bench->beam;
        result->crowd[size] = decoder_new(&alone, rows, err);
        code = result->crowd[size] ? 0 : ERR_MEMORY;
    }
    return code;
}

static int prepare(struct bench *bench, struct err *err)
{
    int code = corpus_read_texts(&bench->corpus, &bench->test, 1, err);
    if (code < 0)
        return code;
    if (bench->corpus.count == 0)
        return err_set(err, ERR_ARGUMENT, "%s: no sentences", bench->test);
    if (bench->sentences == 0 || bench->sentences > bench->corpus.count)
        bench->sentences = bench->corpus.count;
    bench->list = mem_alloc(bench->sentences, sizeof *bench->list, err);
    if (!bench->list)
        return ERR_MEMORY;
    for (size_t i = 0; i < bench->sentences; i++) {
        const struct corpus_line *line = &bench->corpus.lines[i];
        const char *tab = memchr(line->first, '\t', line->first_len);
        bench->list[i].text = line->first;
        bench->list[i].len = tab ? (size_t)(tab - line->first) : line->first_len;
    }
    for (size_t m = 0; m < bench->count && code == 0; m++)
        code = prepare_model(bench, m, err);
    return code;
}

static void release(struct bench *bench)
{
    for (size_t m = 0; m < bench->count; m++) {
        struct result *result = &bench->results[m];
        for (size_t size = 0; size < bench->sizes; size++)
            decoder_free(result->crowd[size]);
        decoder_free(result->alone);
        mem_free(result->latency);
        model_release(bench->models[m]);
    }
    buf_release(&bench->out);
    encoded_release(&bench->encoded);
    mem_free(bench->list);
    corpus_release(&bench->corpus);
}

/* The value of an option; false where it is none, or no number up to `most`. */
static bool take_number(char **argv, int argc, int *i, const char *name, size_t most, size_t *value)
{
    char *end;
    if (strcmp(argv[*i], name) != 0 || *i + 1 >= argc)
        return false;
    const unsigned long number = strtoul(argv[++*i], &end, 10);
    *value = number;
    return *end == '\0' && number <= most;
}

static bool parse(int argc, char **argv, struct bench *bench)
{
    size_t rows = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--json") == 0)
            bench->json = true;
        else if (strcmp(argv[i], "--test") == 0 && i + 1 < argc)
            bench->test = argv[++i];
        else if (take_number(argv, argc, &i, "--rows", MAX_ROWS, &rows) &&
                 bench->sizes < MAX_SIZES && rows > 0)
            bench->rows[bench->sizes++] = rows;
        else if (take_number(argv, argc, &i, "--sentences", SIZE_MAX, &bench->sentences) ||
                 take_number(argv, argc, &i, "--rounds", 1000, &bench->rounds) ||
                 take_number(argv, argc, &i, "--beam", DECODE_MAX_BEAM, &bench->beam))
            continue;
        else if (argv[i][0] == '-' || bench->count == MAX_MODELS)
            return false;
        else
            bench->folders[bench->count++] = argv[i];
    }
    return bench->count > 0 && bench->rounds > 0 && bench->beam > 0;
}

static void set_defaults(struct bench *bench)
{
    static const size_t rows[] = {1, 8, 32, 64};
    if (bench->sizes > 0)
        return;
    bench->sizes = sizeof rows / sizeof *rows;
    memcpy(bench->rows, rows, sizeof rows);
}

int main(int argc, char **argv)
{
    struct bench bench = {.sentences = 200, .rounds = 5, .beam = 1};
    struct err err = ERR_INIT;
    struct buf test = BUF_INIT;
    if (!parse(argc, argv, &bench)) {
        fprintf(stderr, "usage: decode [--test FILE] [--sentences N] [--beam N] [--rows N]... "
                        "[--rounds N] [--json] MODEL...\n");
        return 2;
    }
    const char *data = getenv("DRAGOMAN_DATA");
    int code = buf_printf(&test, &err, "%s/tatoeba-en-fr/test.tsv", data ? data : "../shared/data");
    if (bench.test == NULL)
        bench.test = test.data;
    set_defaults(&bench);
    mat_use_one_thread();
    if (code == 0)
        code = prepare(&bench, &err);
    if (code == 0)
        code = measure(&bench, &err);
    if (code < 0)
        fprintf(stderr, "decode: %s\n", err.message);
    else
        (bench.json ? print_json : print_text)(&bench);
    release(&bench);
    buf_release(&test);
    return code < 0;
}
