/*
 * For an interval or a comparison the counts of each sentence are kept, and the score of any sum of
 * them is a score of a test set. Both systems see the same draws.
 */
#include "cmd/scores.h"

#include <stdio.h>
#include "base/mem.h"

static const struct {
    const char *name, *key, *signature_key;
} names[SCORES_COUNT] = {
    [SCORES_BLEU] = {"BLEU", "bleu", "bleu_signature"},
    [SCORES_CHRF] = {"chrF2", "chrf", "chrf_signature"},
    [SCORES_CHRF_WORDS] = {"chrF2++", "chrf++", "chrf++_signature"},
};

struct system_counts { /* of each sentence, by metric */
    struct metric_bleu_counts *bleu;
    struct metric_chrf_counts *chrf;
    enum metric_smoothing smoothing;
};

static double drawn_bleu(const void *context, const uint32_t *drawn, size_t count)
{
    const struct system_counts *counts = context;
    struct metric_bleu_counts sum = {.hypothesis_length = 0};
    struct metric_bleu bleu;
    for (size_t i = 0; i < count; i++)
        metric_bleu_add(&sum, &counts->bleu[drawn[i]]);
    metric_bleu_score(&sum, counts->smoothing, &bleu);
    return bleu.score;
}

static double drawn_chrf(const void *context, const uint32_t *drawn, size_t count)
{
    const struct system_counts *counts = context;
    struct metric_chrf_counts sum = {{0}, {0}, {0}};
    for (size_t i = 0; i < count; i++)
        metric_chrf_add(&sum, &counts->chrf[drawn[i]]);
    return metric_chrf_score(&sum);
}

static int draw(enum scores_metric metric, const struct metric_segment *segments, size_t count,
                const struct metric_settings *settings, uint64_t seed,
                double scores[METRIC_RESAMPLES], struct err *err)
{
    struct system_counts counts = {.smoothing = settings->smoothing};
    int code;
    if (metric == SCORES_BLEU) {
        counts.bleu = mem_alloc(count, sizeof(*counts.bleu), err);
        code = counts.bleu == NULL ? ERR_MEMORY
                                   : metric_bleu_count(segments, count, settings, counts.bleu, err);
    } else {
        counts.chrf = mem_alloc(count, sizeof(*counts.chrf), err);
        code = counts.chrf == NULL ? ERR_MEMORY
                                   : metric_chrf_count(segments, count, settings, counts.chrf, err);
    }
    if (code == 0)
        code = metric_bootstrap(count, seed, metric == SCORES_BLEU ? drawn_bleu : drawn_chrf,
                                &counts, scores, err);
    mem_free(counts.chrf);
    mem_free(counts.bleu);
    return code;
}

static int value_of(enum scores_metric metric, const struct metric_segment *segments, size_t count,
                    const struct metric_settings *settings, struct metric_bleu *bleu, double *value,
                    struct err *err)
{
    if (metric != SCORES_BLEU)
        return metric_chrf(segments, count, settings, value, err);
    int code = metric_bleu(segments, count, settings, bleu, err);
    *value = bleu->score;
    return code;
}

/* Scores what the baseline said as well; `others` are its segments. */
static int compare(struct score *score, enum scores_metric metric, const double *drawn,
                   const struct metric_segment *others, size_t count,
                   const struct metric_settings *settings, uint64_t seed, struct err *err)
{
    double others_drawn[METRIC_RESAMPLES];
    struct metric_bleu bleu;
    int code = value_of(metric, others, count, settings, &bleu, &score->baseline, err);
    if (code == 0)
        code = draw(metric, others, count, settings, seed, others_drawn, err);
    if (code == 0)
        score->probability =
            metric_paired_probability(drawn, others_drawn, score->value - score->baseline);
    return code;
}

static int compute_one(struct scores *scores, enum scores_metric metric,
                       const struct metric_segment *segments, const struct metric_segment *others,
                       size_t count, const struct scores_settings *settings, struct err *err)
{
    struct score *score = &scores->metrics[metric];
    struct metric_settings own = settings->metric;
    double drawn[METRIC_RESAMPLES];
    own.words = metric == SCORES_CHRF_WORDS;
    if (metric == SCORES_BLEU)
        metric_bleu_signature(segments, count, &own, score->signature);
    else
        metric_chrf_signature(segments, count, &own, score->signature);
    int code = value_of(metric, segments, count, &own, &scores->bleu, &score->value, err);
    if (code < 0 || (!settings->confidence && others == NULL))
        return code;
    code = draw(metric, segments, count, &own, settings->seed, drawn, err);
    if (code == 0)
        score->interval = metric_interval(drawn);
    if (code == 0 && others != NULL)
        code = compare(score, metric, drawn, others, count, &own, settings->seed, err);
    return code;
}

static struct metric_segment *baseline_segments(const struct metric_segment *segments, size_t count,
                                                const struct metric_text *baseline, struct err *err)
{
    struct metric_segment *others = mem_alloc(count, sizeof(*others), err);
    for (size_t i = 0; others != NULL && i < count; i++) {
        others[i] = segments[i];
        others[i].hypothesis = baseline[i];
    }
    return others;
}

int scores_compute(struct scores *scores, const struct metric_segment *segments, size_t count,
                   const struct scores_settings *settings, struct err *err)
{
    struct metric_segment *others = NULL;
    int code = 0;
    *scores = (struct scores){.confidence = settings->confidence,
                              .baseline = settings->baseline != NULL,
                              .seed = settings->seed};
    if (scores->baseline) {
        others = baseline_segments(segments, count, settings->baseline, err);
        if (others == NULL)
            return ERR_MEMORY;
    }
    for (int metric = 0; code == 0 && metric < SCORES_COUNT; metric++)
        code =
            compute_one(scores, (enum scores_metric)metric, segments, others, count, settings, err);
    mem_free(others);
    return code;
}

void scores_print(const struct scores *scores)
{
    for (int metric = 0; metric < SCORES_COUNT; metric++) {
        const struct score *score = &scores->metrics[metric];
        const struct metric_bleu *bleu = &scores->bleu;
        printf("%-9s  %.2f  ", names[metric].name, score->value);
        if (metric == SCORES_BLEU)
            printf("%.1f/%.1f/%.1f/%.1f, brevity penalty %.3f, lengths %zu and %zu; ",
                   bleu->precisions[0], bleu->precisions[1], bleu->precisions[2],
                   bleu->precisions[3], bleu->brevity_penalty, bleu->counts.hypothesis_length,
                   bleu->counts.reference_length);
        printf("%s\n", score->signature);
        if (scores->confidence)
            printf("           %.2f to %.2f, 95 %%; %d draws, seed %llu\n", score->interval.low,
                   score->interval.high, METRIC_RESAMPLES, (unsigned long long)scores->seed);
        if (scores->baseline)
            printf("           baseline %.2f, difference %+.2f, p = %.4f; %d draws, seed %llu\n",
                   score->baseline, score->value - score->baseline, score->probability,
                   METRIC_RESAMPLES, (unsigned long long)scores->seed);
    }
}

/* {"bleu": {...}, "chrf": {...}, ...} of what was drawn; NULL where memory runs out. */
static json_t *drawn_json(const struct scores *scores, bool baseline)
{
    json_t *object = json_object();
    for (int metric = 0; object != NULL && metric < SCORES_COUNT; metric++) {
        const struct score *score = &scores->metrics[metric];
        json_t *one = baseline
                          ? json_pack("{s:f, s:f, s:f}", "score", score->baseline, "difference",
                                      score->value - score->baseline, "p", score->probability)
                          : json_pack("[f,f]", score->interval.low, score->interval.high);
        if (json_object_set_new(object, names[metric].key, one) < 0) {
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}

json_t *scores_json(const struct scores *scores, const char *references)
{
    const struct metric_bleu *bleu = &scores->bleu;
    bool good = true;
    json_t *object = json_object();
    for (int metric = 0; metric < SCORES_COUNT; metric++) {
        const struct score *score = &scores->metrics[metric];
        json_t *value = json_real(score->value), *signature = json_string(score->signature);
        good = json_object_set_new(object, names[metric].key, value) == 0 && good;
        good = json_object_set_new(object, names[metric].signature_key, signature) == 0 && good;
    }
    json_t *rest = json_pack("{s:[f,f,f,f], s:f, s:I, s:I, s:s}", "precisions", bleu->precisions[0],
                             bleu->precisions[1], bleu->precisions[2], bleu->precisions[3],
                             "brevity_penalty", bleu->brevity_penalty, "hypothesis_length",
                             (json_int_t)bleu->counts.hypothesis_length, "reference_length",
                             (json_int_t)bleu->counts.reference_length, "references", references);
    good = json_object_update(object, rest) == 0 && good;
    json_decref(rest);
    if (scores->confidence)
        good = json_object_set_new(object, "confidence", drawn_json(scores, false)) == 0 && good;
    if (scores->baseline)
        good = json_object_set_new(object, "baseline", drawn_json(scores, true)) == 0 && good;
    if (good)
        return object;
    json_decref(object);
    return NULL;
}
