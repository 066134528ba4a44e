/*
 * How fast bags of words are trained and answer, on one core:
 *
 *     bag TRAIN.tsv DEV.tsv [OPTION...]
 *
 * trains a model (words and pairs of words, unless options of dragoman train say otherwise) in a
 * temporary folder, then classifies the training texts with it, from raw text to probabilities,
 * five times over, of which the best counts. Words are tokens that are not white space. The speed
 * of training is words times epochs by the time from the first update to the last, as fastText
 * gives it; the second figure has reading, cutting, counting and saving in it as well. Times are
 * the processor's, so that other work on the machine counts little.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/mem.h"
#include "model/model.h"
#include "text/corpus.h"
#include "text/feature.h"
#include "train/train.h"

#define ROUNDS 5
#define MAX_ARGUMENTS 64

struct watched {
    double begin, end; /* of the training */
};

/* Seconds of the processor that the program has had. */
static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void begin(void *context, const struct train_summary *summary)
{
    struct watched *watched = context;
    watched->begin = seconds_now();
    printf("%zu texts, %zu parameters\n", summary->examples, summary->parameters);
}

static bool report(void *context, const struct trainer_progress *progress)
{
    struct watched *watched = context;
    watched->end = seconds_now();
    (void)progress;
    return true;
}

static int train(int argc, char **argv, const char *out, double *training, double *whole,
                 size_t *epochs, struct err *err)
{
    struct watched watched = {0};
    const struct train_watch watch = {&watched, begin, report};
    char *arguments[MAX_ARGUMENTS] = {
        "bag",     "--task", "classification", "--tokenizer", "word",     "--form",
        "nfkc",    "--fold", "--threads",      "1",           "--epochs", "5",
        "--train", argv[1],  "--dev",          argv[2],       "--out",    (char *)(uintptr_t)out};
    struct trainer_progress final;
    struct recipe recipe = {0};
    int count = 18, rest;
    const double start = seconds_now();
    for (int i = 3; i < argc && count < MAX_ARGUMENTS; i++)
        arguments[count++] = argv[i];
    int code = opt_defaults(recipe_options, &recipe, err);
    if (code == 0)
        code = opt_parse_arguments(recipe_options, &recipe, count, arguments, &rest, err);
    if (code == 0)
        code = recipe_check(&recipe, err);
    if (code == 0)
        code = train_run(&recipe, "bench/bag", &watch, &final, err);
    *training = watched.end - watched.begin;
    *whole = seconds_now() - start;
    *epochs = (size_t)recipe.epochs;
    opt_release(recipe_options, &recipe);
    return code;
}

static int count_words(const struct model *model, const struct corpus *corpus, size_t *words,
                       struct err *err)
{
    struct encoded encoded = {.count = 0};
    int code = 0;
    *words = 0;
    for (size_t i = 0; i < corpus->count && code == 0; i++) {
        const struct corpus_line *line = &corpus->lines[i];
        code = tokenizer_encode(model->tokenizer, line->first, line->first_len, &encoded, err);
        for (size_t k = 0; code == 0 && k < encoded.count; k++) {
            size_t len;
            feature_token(&encoded, &encoded.tokens[k], &len);
            *words += len > 0;
        }
    }
    encoded_release(&encoded);
    return code;
}

/* The shortest time of several rounds. */
static int classify(const struct model *model, const struct corpus *corpus, double *best,
                    struct err *err)
{
    float *probabilities = mem_alloc(model->spec.label_count, sizeof *probabilities, err);
    int code = probabilities == NULL ? ERR_MEMORY : 0;
    *best = 0;
    for (int round = 0; round < ROUNDS && code == 0; round++) {
        const double start = seconds_now();
        for (size_t i = 0; i < corpus->count && code == 0; i++)
            code = model_classify(model, corpus->lines[i].first, corpus->lines[i].first_len,
                                  probabilities, err);
        const double seconds = seconds_now() - start;
        *best = round == 0 || seconds < *best ? seconds : *best;
    }
    mem_free(probabilities);
    return code;
}

static int run(int argc, char **argv, const char *folder, struct err *err)
{
    const char *paths[] = {argv[1]};
    struct corpus corpus = {.count = 0};
    struct model *model = NULL;
    double training, whole, answering;
    size_t words, epochs;
    int code = ERR_MEMORY;
    char *out = file_join(folder, "model", err);
    if (out == NULL || (code = train(argc, argv, out, &training, &whole, &epochs, err)) < 0 ||
        (code = corpus_read(&corpus, paths, 1, err)) < 0 ||
        (code = model_open(&model, out, err)) < 0 ||
        (code = count_words(model, &corpus, &words, err)) < 0 ||
        (code = classify(model, &corpus, &answering, err)) < 0)
        goto done;
    printf("training        %.2f million words/s: %zu words, %zu epochs, %.2f s\n",
           (double)(words * epochs) / training * 1e-6, words, epochs, training);
    printf("with reading    %.2f million words/s: %.2f s\n",
           (double)(words * epochs) / whole * 1e-6, whole);
    printf("classification  %.2f million words/s, %.0f texts/s, from raw text\n",
           (double)words / answering * 1e-6, (double)corpus.count / answering);
done:
    model_release(model);
    corpus_release(&corpus);
    mem_free(out);
    return code;
}

int main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    char folder[] = "/tmp/dragoman-bag-XXXXXX";
    if (argc < 3) {
        fputs("usage: bag TRAIN.tsv DEV.tsv [OPTION...]\n", stderr);
        return 2;
    }
    if (mkdtemp(folder) == NULL) {
        perror(folder);
        return 1;
    }
    const int code = run(argc, argv, folder, &err);
    file_remove_folder(folder, NULL);
    if (code < 0)
        fprintf(stderr, "bag: %s\n", err.message);
    return code < 0;
}
