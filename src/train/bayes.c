#include "train/bayes.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

struct tally {
    size_t labels;
    uint32_t *with;  /* [V, labels]: texts of the label that have the token */
    uint32_t *texts; /* [labels] */
    size_t *last;    /* [V]: the last text that had the token, from 1; 0: none yet */
};

static int tally_init(struct tally *tally, size_t vocabulary, size_t labels, struct err *err)
{
    tally->labels = labels;
    tally->with = mem_alloc(vocabulary * labels, sizeof *tally->with, err);
    tally->texts = mem_alloc(labels, sizeof *tally->texts, err);
    tally->last = mem_alloc(vocabulary, sizeof *tally->last, err);
    return tally->with && tally->texts && tally->last ? 0 : ERR_MEMORY;
}

static void tally_release(struct tally *tally)
{
    mem_free(tally->last);
    mem_free(tally->texts);
    mem_free(tally->with);
}

/* A token counts once a text. */
static void tally_text(struct tally *tally, const struct task_ids *texts, size_t i, int32_t label)
{
    tally->texts[label]++;
    for (size_t t = texts->begins[i]; t < texts->begins[i + 1]; t++) {
        const size_t id = (size_t)texts->ids[t];
        if (tally->last[id] == i + 1)
            continue;
        tally->last[id] = i + 1;
        tally->with[id * tally->labels + (size_t)label]++;
    }
}

static double log_ratio(double p, double all_p, double q, double all_q)
{
    return log((p + 1) / (all_p + 2)) - log((q + 1) / (all_q + 2));
}

static void fill_ratios(struct bayes *bayes, const struct tally *tally, size_t texts)
{
    const size_t L = tally->labels, D = bayes->directions, first = L - D; /* of two, the second */
    for (size_t id = 0; id < bayes->vocabulary; id++) {
        const uint32_t *with = tally->with + id * L;
        double all = 0;
        for (size_t l = 0; l < L; l++)
            all += with[l];
        for (size_t d = 0; d < D && all > 0; d++) {
            const double p = with[first + d], all_p = tally->texts[first + d];
            bayes->ratios[id * D + d] = (real)log_ratio(p, all_p, all - p, (double)texts - all_p);
        }
    }
}

int bayes_count(struct bayes *bayes, size_t vocabulary, const struct task_ids *texts,
                const int32_t *labels, size_t label_count, struct err *err)
{
    struct tally tally = {0};
    bayes->vocabulary = vocabulary;
    bayes->directions = label_count == 2 ? 1 : label_count;
    bayes->ratios = mem_alloc(vocabulary * bayes->directions, sizeof *bayes->ratios, err);
    int status = tally_init(&tally, vocabulary, label_count, err);
    if (bayes->ratios == NULL)
        status = ERR_MEMORY;
    if (status == 0) {
        for (size_t i = 0; i < texts->count; i++)
            tally_text(&tally, texts, i, labels[i]);
        fill_ratios(bayes, &tally, texts->count);
    }
    tally_release(&tally);
    return status;
}

void bayes_add(const struct bayes *bayes, double scale, size_t width, struct rng *rng, real *table)
{
    const double step = scale / sqrt((double)width);
    for (size_t d = 0; d < bayes->directions; d++)
        for (size_t e = 0; e < width; e++) {
            const real u = (real)(rng_below(rng, 2) ? step : -step);
            for (size_t id = 0; id < bayes->vocabulary; id++)
                table[id * width + e] += bayes->ratios[id * bayes->directions + d] * u;
        }
}

void bayes_release(struct bayes *bayes)
{
    mem_free(bayes->ratios);
    *bayes = (struct bayes){0};
}
