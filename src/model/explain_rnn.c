/*
 * Explanations of recurrent classifiers.
 *
 *   attention   logit = sum_t a_t (w . m_t) + b, where m_t are the stack's outputs and a_t the
 *               pool's weights: token t's part is a_t (w . m_t), and all add up. Since m_t has seen
 *               the tokens around it, that says where the pool found its reasons, not which words
 *               put them there.
 *   occlusion   the label's log-odds, log p / (1 - p), less those of the text without the part. As
 *               many runs of the network as there are parts: a long text has no more than
 *               EXPLAIN_MAX_PARTS, each of several words.
 *
 * Parts are tokens; of a subword tokenizer, words.
 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "model/explain_parts.h"
#include "model/rnn_parts.h"
#include "text/words.h"

#define EXPLAIN_MAX_PARTS 128

struct span { /* tokens [first, end) that make one part */
    size_t first, end;
};

struct explainer {
    const struct model *model;
    const struct encoded *encoded;
    size_t label;
    int32_t *ids, *fewer; /* [T]: all, and those of a run */
    float *outputs;       /* [labels] */
    uint32_t *word_of;    /* [T] */
    struct span *spans;   /* [T] */
    size_t count;         /* of spans */
};

/* Whether token t goes on with the part of the one before it: they share a character or a word, or
   that one is white space, or nothing but the space that was added. */
static bool goes_on(const struct explainer *explainer, size_t t)
{
    const struct token *token = &explainer->encoded->tokens[t], *before = token - 1;
    const uint32_t *word_of = explainer->word_of + t;
    const bool words = explainer->model->spec.tokenizer.kind == TOKEN_BPE;
    if (word_of[-1] == WORDS_NONE || token->raw_begin < before->raw_end)
        return true;
    return words && word_of[0] == word_of[-1];
}

/* White space at the end is no part. */
static void cut_spans(struct explainer *explainer)
{
    size_t count = explainer->encoded->count;
    while (count > 0 && explainer->word_of[count - 1] == WORDS_NONE)
        count--;
    for (size_t t = 0; t < count; t++) {
        if (t == 0 || !goes_on(explainer, t))
            explainer->spans[explainer->count++] = (struct span){t, t};
        explainer->spans[explainer->count - 1].end = t + 1;
    }
}

/* So that there are at most EXPLAIN_MAX_PARTS: neighbours become one. */
static void join_spans(struct explainer *explainer)
{
    const size_t all = explainer->count;
    if (all <= EXPLAIN_MAX_PARTS)
        return;
    explainer->count = 0;
    for (size_t i = 0; i < all; i++) {
        const struct span span = explainer->spans[i];
        if (i == 0 || i * EXPLAIN_MAX_PARTS / all != (i - 1) * EXPLAIN_MAX_PARTS / all)
            explainer->spans[explainer->count++] = span;
        explainer->spans[explainer->count - 1].end = span.end;
    }
}

static int prepare(struct explainer *explainer, const char *text, size_t len, struct err *err)
{
    const size_t count = explainer->encoded->count;
    struct words words = {.count = 0};
    explainer->ids = mem_alloc(count, sizeof *explainer->ids, err);
    explainer->fewer = mem_alloc(count, sizeof *explainer->fewer, err);
    explainer->word_of = mem_alloc(count, sizeof *explainer->word_of, err);
    explainer->spans = mem_alloc(count, sizeof *explainer->spans, err);
    explainer->outputs =
        mem_alloc(explainer->model->spec.label_count, sizeof *explainer->outputs, err);
    if (explainer->ids == NULL || explainer->fewer == NULL || explainer->word_of == NULL ||
        explainer->spans == NULL || explainer->outputs == NULL)
        return ERR_MEMORY;
    const int code = words_split(&words, text, len, err);
    if (code == 0) {
        words_of_tokens(&words, explainer->encoded->tokens, count, explainer->word_of);
        for (size_t t = 0; t < count; t++)
            explainer->ids[t] = explainer->encoded->tokens[t].id;
        cut_spans(explainer);
    }
    words_release(&words);
    return code;
}

static void finish(struct explainer *explainer)
{
    mem_free(explainer->outputs);
    mem_free(explainer->spans);
    mem_free(explainer->word_of);
    mem_free(explainer->fewer);
    mem_free(explainer->ids);
}

/* The logits of the tokens, the temperature in them. */
static int run(const struct explainer *explainer, const int32_t *ids, size_t count,
               const struct rnn_trace *trace, struct err *err)
{
    const struct spec *spec = &explainer->model->spec;
    const struct rnn_input input = {.count = count, .ids = ids};
    const int code = rnn_pooled(explainer->model->rnn, &input, explainer->outputs, trace, err);
    for (size_t l = 0; l < spec->label_count && code == 0; l++)
        explainer->outputs[l] /= (float)spec->temperature;
    return code;
}

/* log p / (1 - p) of the label: its logit less the logarithm of the others' sum of exponentials. */
static double log_odds(const struct explainer *explainer)
{
    const size_t labels = explainer->model->spec.label_count;
    double most = -INFINITY, sum = 0;
    for (size_t l = 0; l < labels; l++)
        if (l != explainer->label)
            most = fmax(most, (double)explainer->outputs[l]);
    for (size_t l = 0; l < labels; l++)
        if (l != explainer->label)
            sum += exp((double)explainer->outputs[l] - most);
    return (double)explainer->outputs[explainer->label] - most - log(sum);
}

static int explain_occlusion(struct explainer *explainer, double *weights, struct explanation *out,
                             struct err *err)
{
    const size_t T = explainer->encoded->count;
    int code = run(explainer, explainer->ids, 0, NULL, err);
    out->bias = explainer->outputs[explainer->label];
    if (code == 0)
        code = run(explainer, explainer->ids, T, NULL, err);
    out->logit = explainer->outputs[explainer->label];
    const double whole = log_odds(explainer);
    join_spans(explainer);
    for (size_t i = 0; i < explainer->count && code == 0; i++) {
        const struct span span = explainer->spans[i];
        memcpy(explainer->fewer, explainer->ids, span.first * sizeof *explainer->ids);
        memcpy(explainer->fewer + span.first, explainer->ids + span.end,
               (T - span.end) * sizeof *explainer->ids);
        code = run(explainer, explainer->fewer, T - (span.end - span.first), NULL, err);
        weights[i] = whole - log_odds(explainer);
    }
    return code;
}

static int explain_attention(struct explainer *explainer, double *weights, struct explanation *out,
                             struct err *err)
{
    const struct rnn *rnn = explainer->model->rnn;
    const size_t T = explainer->encoded->count, D = rnn->pool;
    const double temperature = explainer->model->spec.temperature;
    const struct dense layer = rnn_output_layer(rnn);
    real *row = mem_alloc(D, sizeof *row, err);
    float *states = mem_alloc(T, D * sizeof *states, err);
    float *attention = mem_alloc(T, sizeof *attention, err);
    const struct rnn_trace trace = {.states = states, .attention = attention};
    int code = row == NULL || states == NULL || attention == NULL ? ERR_MEMORY : 0;
    if (code == 0)
        dense_row(&layer, explainer->label, row);
    if (code == 0)
        code = run(explainer, explainer->ids, T, &trace, err);
    out->bias = (float)((double)rnn->output_bias[explainer->label] / temperature);
    out->logit = explainer->outputs[explainer->label];
    for (size_t i = 0; i < explainer->count && code == 0; i++) {
        const struct span span = explainer->spans[i];
        for (size_t t = span.first; t < span.end; t++) {
            double product = 0;
            for (size_t d = 0; d < D; d++)
                product += (double)row[d] * (double)states[t * D + d];
            weights[i] += (double)attention[t] * product / temperature;
        }
    }
    mem_free(attention);
    mem_free(states);
    mem_free(row);
    return code;
}

static void write_parts(const struct explainer *explainer, const char *text, const double *weights,
                        struct explanation *out)
{
    const struct token *tokens = explainer->encoded->tokens;
    for (size_t i = 0; i < explainer->count; i++) {
        const struct span span = explainer->spans[i];
        struct token whole = tokens[span.first];
        whole.raw_end = tokens[span.end - 1].raw_end;
        explanation_add(out, text, &whole, (float)weights[i]);
    }
}

int explain_rnn(const struct model *model, const char *text, size_t len,
                const struct encoded *encoded, size_t label, struct explanation *out,
                struct err *err)
{
    struct explainer explainer = {.model = model, .encoded = encoded, .label = label};
    const bool attends = model->rnn->pooling == SPEC_POOL_ATTENTION;
    double *weights = mem_alloc(encoded->count, sizeof *weights, err);
    out->parts = mem_alloc(encoded->count, sizeof *out->parts, err);
    out->method = attends ? "attention" : "occlusion";
    int code = weights == NULL || out->parts == NULL ? ERR_MEMORY : 0;
    if (code == 0)
        code = prepare(&explainer, text, len, err);
    if (code == 0)
        code = (attends ? explain_attention : explain_occlusion)(&explainer, weights, out, err);
    if (code == 0)
        write_parts(&explainer, text, weights, out);
    finish(&explainer);
    mem_free(weights);
    return code;
}
