#include "model/tag.h"

#include "base/mem.h"
#include "model/reading.h"
#include "nn/softmax.h"
#include "text/words.h"

static int check_task(const struct model *model, enum spec_task task, struct err *err)
{
    if (model->spec.task == task)
        return 0;
    return err_set(err, ERR_ARGUMENT, "model \"%s\" is for %s, not for %s", model->spec.name,
                   spec_task_name(model->spec.task), spec_task_name(task));
}

/*
 * Tagging
 */

static int add_word(struct tagged *tagged, const struct tagged_word *word, struct err *err)
{
    if (tagged->count == tagged->capacity) {
        const size_t capacity = tagged->capacity > 0 ? 2 * tagged->capacity : 32;
        struct tagged_word *words =
            mem_resize(tagged->words, tagged->capacity, capacity, sizeof *words, err);
        if (words == NULL)
            return ERR_MEMORY;
        tagged->words = words;
        tagged->capacity = capacity;
    }
    tagged->words[tagged->count++] = *word;
    return 0;
}

/* The most probable of the labels [count] and its probability; the logits become probabilities. */
static struct tagged_word choose(float *logits, size_t count)
{
    struct tagged_word word = {.label = 0};
    softmax_row(count, logits);
    for (size_t l = 1; l < count; l++)
        if (logits[l] > logits[word.label])
            word.label = l;
    word.probability = logits[word.label];
    return word;
}

/* A word without a token of its own is judged by the token before it. */
static int tag_words(const struct words *words, const uint32_t *last, size_t labels, float *logits,
                     struct tagged *out, struct err *err)
{
    size_t at = 0;
    struct tagged_word word = choose(logits, labels);
    for (size_t w = 0; w < words->count; w++) {
        if (last[w] != WORDS_NONE && last[w] != at)
            word = choose(logits + (at = last[w]) * labels, labels);
        word.begin = words->ranges[w].begin;
        word.end = words->ranges[w].end;
        if (add_word(out, &word, err) < 0)
            return ERR_MEMORY;
    }
    return 0;
}

/* What was read, of which there is something, through the network. */
static int tag_tokens(const struct model *model, const struct reading *reading,
                      const struct words *words, struct tagged *out, struct err *err)
{
    const struct encoded *encoded = &reading->encoded;
    const size_t labels = model->spec.label_count;
    int code = ERR_MEMORY;
    uint32_t *last = mem_alloc(words->count, sizeof *last, err);
    float *logits = mem_alloc(encoded->count, labels * sizeof *logits, err);
    if (last == NULL || logits == NULL)
        goto out;
    words_last_tokens(words, encoded->tokens, encoded->count, last);
    code = rnn_in_step(model->rnn, &reading->input, logits, NULL, err);
    if (code == 0)
        code = tag_words(words, last, labels, logits, out, err);
out:
    mem_free(logits);
    mem_free(last);
    return code;
}

int model_tag(const struct model *model, const char *text, size_t len, struct tagged *out,
              struct err *err)
{
    struct reading reading;
    struct words words = {.count = 0};
    out->count = 0;
    if (check_task(model, SPEC_TAGGING, err) || reading_check_row(model, 0, err) ||
        reading_make(&reading, model, text, len, err))
        return err->code;
    int code = words_split(&words, text, len, err);
    if (code == 0 && reading.input.count > 0)
        code = tag_tokens(model, &reading, &words, out, err);
    words_release(&words);
    reading_release(&reading);
    return code;
}

void tagged_release(struct tagged *tagged)
{
    mem_free(tagged->words);
    *tagged = (struct tagged){.count = 0};
}

/*
 * Regression
 */

static int regress(const struct model *model, const struct rnn_input *input, double *value,
                   struct err *err)
{
    float output;
    const int code = rnn_pooled(model->rnn, input, &output, NULL, err);
    if (code == 0)
        *value = model->spec.output_mean + model->spec.deviation * (double)output;
    return code;
}

int model_regress(const struct model *model, const char *text, size_t len, const struct rows *rows,
                  double *value, struct err *err)
{
    struct reading reading;
    if (check_task(model, SPEC_REGRESSION, err))
        return err->code;
    if (rows != NULL) {
        const struct rnn_input input = {.count = rows->count, .rows = rows->values};
        return reading_check_row(model, rows->width, err) ? err->code
                                                          : regress(model, &input, value, err);
    }
    if (reading_make(&reading, model, text, len, err))
        return err->code;
    const int code = regress(model, &reading.input, value, err);
    reading_release(&reading);
    return code;
}
