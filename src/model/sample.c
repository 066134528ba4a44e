#include "model/sample.h"

#include <math.h>
#include <stdlib.h>

static int more_probable_first(const void *a, const void *b)
{
    const struct sample_item *one = a, *other = b;
    if (one->probability > other->probability || one->probability < other->probability)
        return one->probability > other->probability ? -1 : 1;
    return one->index < other->index ? -1 : one->index > other->index;
}

static size_t largest(size_t count, const float *values)
{
    size_t best = 0;
    for (size_t i = 1; i < count; i++)
        best = values[i] > values[best] ? i : best;
    return best;
}

/* softmax(logits / temperature) */
static void soften(size_t count, const float *logits, double temperature, double *probabilities)
{
    const double most = (double)logits[largest(count, logits)];
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        probabilities[i] = exp(((double)logits[i] - most) / temperature);
        sum += probabilities[i];
    }
    for (size_t i = 0; i < count; i++)
        probabilities[i] /= sum;
}

/* How many of the sorted items are kept, and in *sum their probabilities'. */
static size_t cut(const struct sample_settings *settings, size_t count,
                  const struct sample_item *items, double *sum)
{
    const size_t most = settings->top_k > 0 && settings->top_k < count ? settings->top_k : count;
    double all = 0;
    for (size_t i = 0; i < most; i++)
        all += items[i].probability;
    size_t kept = 0;
    *sum = 0;
    while (kept < most && (kept == 0 || *sum < settings->top_p * all))
        *sum += items[kept++].probability;
    return kept;
}

void sample_distribution(const struct sample_settings *settings, size_t count, const float *logits,
                         double *probabilities, struct sample_item *scratch)
{
    if (settings->temperature <= 0) {
        for (size_t i = 0; i < count; i++)
            probabilities[i] = 0;
        probabilities[largest(count, logits)] = 1;
        return;
    }
    soften(count, logits, settings->temperature, probabilities);
    if (settings->top_k == 0 && settings->top_p >= 1)
        return;
    for (size_t i = 0; i < count; i++)
        scratch[i] = (struct sample_item){probabilities[i], i};
    qsort(scratch, count, sizeof *scratch, more_probable_first);
    double sum;
    const size_t kept = cut(settings, count, scratch, &sum);
    for (size_t i = 0; i < count; i++)
        probabilities[scratch[i].index] = i < kept ? scratch[i].probability / sum : 0;
}

size_t sample_draw(size_t count, const double *probabilities, struct rng *rng)
{
    const double at = rng_uniform(rng);
    double sum = 0;
    size_t last = 0; /* where rounding leaves the sum a little below 1 */
    for (size_t i = 0; i < count; i++) {
        if (probabilities[i] <= 0)
            continue;
        sum += probabilities[i];
        last = i;
        if (at < sum)
            break;
    }
    return last;
}
