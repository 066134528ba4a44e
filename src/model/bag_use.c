/*
 * The bag of words in use: the logits of a text, and what each of its tokens had to do with them.
 *
 * A feature's share of a logit is v_f W_f[label], or with a hidden layer the gradient times the
 * input, v_f W_f . (V[label] * (1 - h^2)). Its occurrences share it evenly, and so do the words or
 * the characters of an occurrence, white space left out; a character's share goes to its token.
 */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "model/bag.h"
#include "nn/half.h"

struct use {
    struct features features;
    struct bag_vector vector;
    real *hidden, *logits;
};

static void use_release(struct use *use)
{
    mem_free(use->logits);
    mem_free(use->hidden);
    bag_vector_release(&use->vector);
    features_release(&use->features);
}

static int use_run(struct use *use, const struct bag *bag, const struct encoded *text,
                   bool with_sources, struct err *err)
{
    int code = ERR_MEMORY;
    use->hidden = mem_alloc(bag->hidden, sizeof *use->hidden, err);
    use->logits = mem_alloc(bag->labels, sizeof *use->logits, err);
    if (use->hidden == NULL || use->logits == NULL ||
        (code = features_extract(&use->features, &bag->features, text, with_sources, err)) < 0 ||
        (code = bag_vector_fill(&use->vector, bag, use->features.hashes, use->features.count,
                                err)) < 0)
        return code;
    bag_forward(bag, &(struct bag_input){use->vector.count, use->vector.rows, use->vector.values},
                use->hidden, use->logits);
    for (size_t l = 0; l < bag->labels; l++)
        if (!isfinite(use->logits[l]))
            return err_set(err, ERR_FORMAT, "the model's weights overflow on this text");
    return 0;
}

int bag_logits(const struct bag *bag, const struct encoded *text, float *logits, struct err *err)
{
    struct use use = {0};
    const int code = use_run(&use, bag, text, false, err);
    for (size_t l = 0; code == 0 && l < bag->labels; l++)
        logits[l] = (float)use.logits[l];
    use_release(&use);
    return code;
}

static double weight_of(const struct bag *bag, uint32_t row, size_t column)
{
    const size_t at = row * bag->width + column;
    return bag->halves != NULL ? (double)half_value(bag->halves[at]) : (double)bag->weight[at];
}

/* What v_f is multiplied by in the label's logit, or the gradient by it. */
static double slope(const struct bag *bag, const struct use *use, size_t label, uint32_t row)
{
    const size_t H = bag->hidden;
    double sum = 0;
    if (H == 0)
        return weight_of(bag, row, label);
    for (size_t j = 0; j < H; j++)
        sum += weight_of(bag, row, j) * (double)bag->output_weight[label * H + j] *
               (1 - (double)use->hidden[j] * (double)use->hidden[j]);
    return sum;
}

/* shares [vector's count]: of each occurrence of a feature. Their sum over all is *total. */
static void share_out(const struct bag *bag, const struct use *use, size_t label, double *shares,
                      double *total)
{
    const struct bag_vector *vector = &use->vector;
    uint32_t row;
    *total = 0;
    for (size_t i = 0; i < use->features.count; i++) /* occurrences, for the time being */
        if ((row = bag_row(bag, use->features.hashes[i])) != BAG_UNKNOWN)
            shares[bag_vector_place(vector, row)]++;
    for (size_t i = 0; i < vector->count; i++) {
        const double share = (double)vector->values[i] * slope(bag, use, label, vector->rows[i]);
        *total += share;
        shares[i] = share / shares[i];
    }
}

/* White space stands at most at the ends of an n-gram that takes part, or between characters. */
static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Bytes that are no white space share a character n-gram's weight, a character's all alike. */
static void give_characters(const struct encoded *text, const struct feature_source *source,
                            double share, size_t *token, double *weights)
{
    const char *bytes = text->text.data;
    size_t counted = 0;
    for (size_t at = source->begin; at < source->end; at++)
        counted += !is_space(bytes[at]) && ((unsigned char)bytes[at] & 0xC0) != 0x80;
    while (text->tokens[*token].end <= source->begin)
        ++*token;
    for (size_t at = source->begin, t = *token; at < source->end; at++) {
        while (text->tokens[t].end <= at)
            t++;
        if (!is_space(bytes[at]) && ((unsigned char)bytes[at] & 0xC0) != 0x80)
            weights[t] += share / (double)counted;
    }
}

static void give(const struct bag *bag, const struct use *use, const struct encoded *text,
                 const double *shares, double *weights)
{
    const struct features *features = &use->features;
    size_t token = 0;
    for (size_t i = 0; i < features->count; i++) {
        const struct feature_source *source = &features->sources[i];
        const uint32_t row = bag_row(bag, features->hashes[i]);
        if (row == BAG_UNKNOWN)
            continue;
        const double share = shares[bag_vector_place(&use->vector, row)];
        if (source->characters) {
            give_characters(text, source, share, &token, weights);
            continue;
        }
        for (uint32_t word = source->begin; word < source->end; word++)
            weights[features->words[word].token] += share / (source->end - source->begin);
    }
}

int bag_explain(const struct bag *bag, const struct encoded *text, size_t label, double *weights,
                double *bias, double *logit, struct err *err)
{
    struct use use = {0};
    double *shares = NULL, total;
    int code = use_run(&use, bag, text, true, err);
    if (code < 0)
        goto out;
    shares = mem_alloc(use.vector.count, sizeof *shares, err);
    if (shares == NULL) {
        code = ERR_MEMORY;
        goto out;
    }
    share_out(bag, &use, label, shares, &total);
    give(bag, &use, text, shares, weights);
    *logit = (double)use.logits[label];
    *bias = *logit - total;
out:
    mem_free(shares);
    use_release(&use);
    return code;
}
