/* Fuzz target: scores of any texts. The input is cut at NULs into a hypothesis and references. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "train/metric.h"
#include "train/metric_text.h"

#define REFERENCES_MAX 4

static const struct metric_settings defaults = {0};
static const struct metric_settings others = {METRIC_TOKENISED, METRIC_UNSMOOTHED, true, true};

static void require(int condition)
{
    if (!condition)
        abort();
}

static struct metric_text next_text(const char **at, const char *end)
{
    const char *begin = *at;
    const char *stop = begin == end ? NULL : memchr(begin, '\0', (size_t)(end - begin));
    *at = stop == NULL ? end : stop + 1;
    return (struct metric_text){begin, (size_t)((stop == NULL ? end : stop) - begin)};
}

static void in_range(double score)
{
    require(score >= 0 && score <= 100 + 1e-9);
}

/* Single spaces between the words, none at the ends. */
static void check_spaces(const struct buf *words, size_t limit)
{
    require(words->len <= limit && (words->len == 0 || words->data[words->len] == '\0'));
    for (size_t i = 0; i < words->len; i++)
        if (words->data[i] == ' ')
            require(i > 0 && i + 1 < words->len && words->data[i + 1] != ' ');
}

static void check_words(struct metric_text text)
{
    struct metric_scratch scratch = {BUF_INIT, BUF_INIT, BUF_INIT};
    struct buf words = BUF_INIT;
    struct metric_text lower = text;
    require(metric_words(text, METRIC_13A, &scratch, &words, NULL) == 0);
    check_spaces(&words, 3 * text.len);
    require(metric_words(text, METRIC_TOKENISED, &scratch, &words, NULL) == 0);
    check_spaces(&words, text.len);
    require(metric_chrf_words(text, &scratch, &words, NULL) == 0);
    check_spaces(&words, 2 * text.len);
    require(metric_lower(&lower, &scratch, NULL) == 0);
    require(lower.len <= text.len + text.len / 2);
    buf_release(&words);
    metric_scratch_release(&scratch);
}

/* A text against itself is perfect, if it is long enough to have 4-grams. */
static void check_self(struct metric_text text)
{
    struct metric_segment segment = {text, &text, 1};
    struct metric_bleu bleu;
    double chrf;
    if (text.len == 0)
        return;
    require(metric_bleu(&segment, 1, &defaults, &bleu, NULL) == 0);
    require(metric_chrf(&segment, 1, &defaults, &chrf, NULL) == 0);
    double perfect = bleu.counts.hypothesis_length >= METRIC_BLEU_ORDER ? 100 : 0;
    require(fabs(bleu.score - perfect) < 1e-6);
    require(fabs(chrf - 100) < 1e-6 || (chrf == 0 && bleu.counts.hypothesis_length == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data, *end = at + size;
    struct metric_text references[REFERENCES_MAX];
    struct metric_segment segment = {{"", 0}, references, 0};
    struct metric_bleu bleu;
    double chrf;
    if (size == 0)
        return 0;
    segment.hypothesis = next_text(&at, end);
    while (at < end && segment.reference_count < REFERENCES_MAX)
        references[segment.reference_count++] = next_text(&at, end);
    check_words(segment.hypothesis);
    check_self(segment.hypothesis);
    int code = metric_bleu(&segment, 1, &others, &bleu, NULL);
    require(code == metric_chrf(&segment, 1, &others, &chrf, NULL));
    if (code == 0) {
        in_range(bleu.score);
        in_range(chrf);
    }
    require(code == metric_bleu(&segment, 1, &defaults, &bleu, NULL));
    require(code == metric_chrf(&segment, 1, &defaults, &chrf, NULL));
    require(code == 0 || code == ERR_ARGUMENT);
    if (code == 0) {
        in_range(bleu.score);
        in_range(chrf);
        for (size_t n = 0; n < METRIC_BLEU_ORDER; n++)
            require(bleu.counts.matches[n] <= bleu.counts.totals[n]);
    }
    return 0;
}
