/* What the scores of translation have in common, their names, and perplexity. */
#include "train/metric.h"

#include <math.h>
#include <stdio.h>
#include "train/metric_segment.h"

static size_t usable_references(const struct metric_segment *segment)
{
    size_t usable = 0;
    for (size_t r = 0; r < segment->reference_count; r++)
        usable += segment->references[r].len > 0;
    return usable;
}

int metric_check_segments(const struct metric_segment *segments, size_t count, struct err *err)
{
    if (count == 0)
        return err_set(err, ERR_ARGUMENT, "nothing to score");
    for (size_t i = 0; i < count; i++)
        if (usable_references(&segments[i]) == 0)
            return err_set(err, ERR_ARGUMENT, "sentence %zu has no reference", i + 1);
    return 0;
}

int metric_add_texts(const struct metric_segment *segment, size_t *references,
                     int (*add)(void *context, struct metric_text text, struct err *err),
                     void *context, struct err *err)
{
    int code = add(context, segment->hypothesis, err);
    *references = 0;
    for (size_t r = 0; code == 0 && r < segment->reference_count; r++) {
        if (segment->references[r].len == 0)
            continue;
        code = add(context, segment->references[r], err);
        ++*references;
    }
    return code;
}

/* Begins a signature: how many references, and whether case counts. Returns its length. */
static size_t begin_signature(const struct metric_segment *segments, size_t count, bool lowercase,
                              char signature[METRIC_SIGNATURE_SIZE])
{
    const char *letters = lowercase ? "lc" : "mixed";
    size_t references = count > 0 ? usable_references(&segments[0]) : 0;
    bool varies = false;
    int len;
    for (size_t i = 1; i < count && !varies; i++)
        varies = usable_references(&segments[i]) != references;
    if (varies)
        len = snprintf(signature, METRIC_SIGNATURE_SIZE, "nrefs:var|case:%s", letters);
    else
        len = snprintf(signature, METRIC_SIGNATURE_SIZE, "nrefs:%zu|case:%s", references, letters);
    return (size_t)len;
}

void metric_bleu_signature(const struct metric_segment *segments, size_t count,
                           const struct metric_settings *settings,
                           char signature[METRIC_SIGNATURE_SIZE])
{
    size_t len = begin_signature(segments, count, settings->lowercase, signature);
    snprintf(signature + len, METRIC_SIGNATURE_SIZE - len, "|eff:no|tok:%s|smooth:%s",
             settings->tokenisation == METRIC_13A ? "13a" : "none",
             settings->smoothing == METRIC_EXPONENTIAL ? "exp" : "none");
}

void metric_chrf_signature(const struct metric_segment *segments, size_t count,
                           const struct metric_settings *settings,
                           char signature[METRIC_SIGNATURE_SIZE])
{
    size_t len = begin_signature(segments, count, settings->lowercase, signature);
    snprintf(signature + len, METRIC_SIGNATURE_SIZE - len, "|eff:yes|nc:%d|nw:%d|space:no",
             METRIC_CHRF_ORDER, settings->words ? METRIC_CHRF_WORD_ORDER : 0);
}

double metric_perplexity(double negative_log, size_t tokens)
{
    return tokens == 0 ? 0 : exp(negative_log / (double)tokens);
}
