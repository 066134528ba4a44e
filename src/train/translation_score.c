#include "train/translation_score.h"

#include "base/mem.h"
#include "train/metric.h"

const struct translation_metric translation_metrics[] = {
    [RECIPE_METRIC_BLEU] = {"BLEU", "bleu"},
    [RECIPE_METRIC_BLEU_TOKENISED] = {"tokenised BLEU", "bleu_tokenised"},
    [RECIPE_METRIC_CHRF] = {"chrF", "chrf"},
    [RECIPE_METRIC_PERPLEXITY] = {"perplexity", "perplexity"},
};

static int score_segments(enum recipe_metric metric, const struct metric_segment *segments,
                          size_t count, struct trainer_score *score, struct err *err)
{
    struct metric_settings settings = {0};
    struct metric_bleu bleu = {.score = 0};
    int status = 0;
    switch (metric) {
    case RECIPE_METRIC_BLEU_TOKENISED:
        settings.tokenisation = METRIC_TOKENISED;
        settings.smoothing = METRIC_UNSMOOTHED;
        /* fall through */
    case RECIPE_METRIC_BLEU:
        status = metric_bleu(segments, count, &settings, &bleu, err);
        score->value = bleu.score;
        break;
    case RECIPE_METRIC_CHRF:
        status = metric_chrf(segments, count, &settings, &score->value, err);
        break;
    case RECIPE_METRIC_PERPLEXITY:
        score->value = score->perplexity;
        break;
    }
    return status;
}

int translation_score(enum recipe_metric metric, const struct corpus *corpus,
                      const struct batch_output *outputs, struct trainer_score *score,
                      struct err *err)
{
    const size_t count = corpus->count;
    struct metric_segment *segments = mem_alloc(count, sizeof *segments, err);
    struct metric_text *references = mem_alloc(count, sizeof *references, err);
    int status = ERR_MEMORY;
    if (!segments || !references)
        goto out;
    for (size_t i = 0; i < count; i++) {
        references[i] = (struct metric_text){corpus->lines[i].second, corpus->lines[i].second_len};
        segments[i] = (struct metric_segment){.references = &references[i], .reference_count = 1};
        if (outputs[i].count > 0)
            segments[i].hypothesis =
                (struct metric_text){outputs[i].candidates[0].text, outputs[i].candidates[0].len};
    }
    status = score_segments(metric, segments, count, score, err);
out:
    mem_free(references);
    mem_free(segments);
    return status;
}
