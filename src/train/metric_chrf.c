/* chrF and chrF++, from counts: metric_text cuts the texts and metric_ngram counts what they share.
 */
#include "train/metric.h"

#include "base/mem.h"
#include "train/metric_ngram.h"
#include "train/metric_segment.h"
#include "train/metric_text.h"

struct chrf_work {
    const struct metric_settings *settings;
    struct ngrams *characters, *words; /* words: NULL for chrF */
    struct metric_scratch scratch;
    struct buf cut;
    struct metric_chrf_counts *counts; /* of each reference of a segment */
    size_t capacity;
};

/* F with beta 2 of the mean precision and the mean recall over the orders that both sides have. */
double metric_chrf_score(const struct metric_chrf_counts *sum)
{
    double precision = 0, recall = 0, orders = 0;
    for (size_t n = 0; n < METRIC_CHRF_ORDERS; n++) {
        if (sum->hypothesis[n] == 0 || sum->reference[n] == 0)
            continue;
        precision += (double)sum->matches[n] / (double)sum->hypothesis[n];
        recall += (double)sum->matches[n] / (double)sum->reference[n];
        orders++;
    }
    if (precision + recall == 0)
        return 0;
    precision /= orders;
    recall /= orders;
    return 100 * 5 * precision * recall / (4 * precision + recall);
}

void metric_chrf_add(struct metric_chrf_counts *sum, const struct metric_chrf_counts *counts)
{
    for (size_t n = 0; n < METRIC_CHRF_ORDERS; n++) {
        sum->hypothesis[n] += counts->hypothesis[n];
        sum->reference[n] += counts->reference[n];
        sum->matches[n] += counts->matches[n];
    }
}

static int add_text(void *context, struct metric_text text, struct err *err)
{
    struct chrf_work *work = context;
    int code = 0;
    if (work->settings->lowercase)
        code = metric_lower(&text, &work->scratch, err);
    if (code == 0)
        code = ngrams_add_characters(work->characters, text, err);
    if (code < 0 || work->words == NULL)
        return code;
    code = metric_chrf_words(text, &work->scratch, &work->cut, err);
    return code < 0 ? code : ngrams_add_words(work->words, work->cut.data, work->cut.len, err);
}

/* Counts orders first .. first + orders - 1 of the counts, which are 1 .. orders of the n-grams. */
static int count_orders(struct chrf_work *work, struct ngrams *ngrams, size_t first, size_t orders,
                        size_t references, struct err *err)
{
    for (size_t n = first; n < first + orders; n++) {
        int code = ngrams_next_order(ngrams, err);
        if (code < 0)
            return code;
        for (size_t r = 0; r < references; r++) {
            struct metric_chrf_counts *counts = &work->counts[r];
            counts->reference[n] = ngrams_total(ngrams, r + 1);
            counts->hypothesis[n] = counts->reference[n] > 0 ? ngrams_total(ngrams, 0) : 0;
            counts->matches[n] = ngrams_matches(ngrams, r + 1);
        }
    }
    return 0;
}

/* The counts of the reference with the best score of its own, the first of several. */
static const struct metric_chrf_counts *best_counts(const struct metric_chrf_counts *counts,
                                                    size_t references)
{
    const struct metric_chrf_counts *best = &counts[0];
    for (size_t r = 1; r < references; r++)
        if (metric_chrf_score(&counts[r]) > metric_chrf_score(best))
            best = &counts[r];
    return best;
}

static int reserve_counts(struct chrf_work *work, size_t references, struct err *err)
{
    if (references <= work->capacity)
        return 0;
    struct metric_chrf_counts *counts =
        mem_resize(work->counts, work->capacity, references, sizeof(*counts), err);
    if (counts == NULL)
        return ERR_MEMORY;
    work->counts = counts;
    work->capacity = references;
    return 0;
}

static int chrf_count(struct chrf_work *work, const struct metric_segment *segment,
                      struct metric_chrf_counts *best, struct err *err)
{
    size_t references;
    int code = reserve_counts(work, segment->reference_count, err);
    if (code < 0)
        return code;
    for (size_t r = 0; r < segment->reference_count; r++)
        work->counts[r] = (struct metric_chrf_counts){{0}, {0}, {0}};
    ngrams_reset(work->characters);
    if (work->words != NULL)
        ngrams_reset(work->words);
    code = metric_add_texts(segment, &references, add_text, work, err);
    if (code == 0)
        code = count_orders(work, work->characters, 0, METRIC_CHRF_ORDER, references, err);
    if (code == 0 && work->words != NULL)
        code = count_orders(work, work->words, METRIC_CHRF_ORDER, METRIC_CHRF_WORD_ORDER,
                            references, err);
    if (code == 0)
        *best = *best_counts(work->counts, references);
    return code;
}

static int work_init(struct chrf_work *work, const struct metric_settings *settings,
                     struct err *err)
{
    *work = (struct chrf_work){.settings = settings};
    work->characters = ngrams_new(err);
    if (work->characters == NULL)
        return ERR_MEMORY;
    if (!settings->words)
        return 0;
    work->words = ngrams_new(err);
    return work->words == NULL ? ERR_MEMORY : 0;
}

static void work_release(struct chrf_work *work)
{
    mem_free(work->counts);
    buf_release(&work->cut);
    metric_scratch_release(&work->scratch);
    ngrams_free(work->words);
    ngrams_free(work->characters);
}

/* Fills `each`, one of each segment, and `sum`; either may be NULL. */
static int chrf_count_all(const struct metric_segment *segments, size_t count,
                          const struct metric_settings *settings, struct metric_chrf_counts *each,
                          struct metric_chrf_counts *sum, struct err *err)
{
    struct chrf_work work;
    int code = metric_check_segments(segments, count, err);
    if (code < 0)
        return code;
    code = work_init(&work, settings, err);
    for (size_t i = 0; code == 0 && i < count; i++) {
        struct metric_chrf_counts counts;
        code = chrf_count(&work, &segments[i], &counts, err);
        if (code == 0 && each != NULL)
            each[i] = counts;
        if (code == 0 && sum != NULL)
            metric_chrf_add(sum, &counts);
    }
    work_release(&work);
    return code;
}

int metric_chrf_count(const struct metric_segment *segments, size_t count,
                      const struct metric_settings *settings, struct metric_chrf_counts *counts,
                      struct err *err)
{
    return chrf_count_all(segments, count, settings, counts, NULL, err);
}

int metric_chrf(const struct metric_segment *segments, size_t count,
                const struct metric_settings *settings, double *score, struct err *err)
{
    struct metric_chrf_counts sum = {{0}, {0}, {0}};
    int code = chrf_count_all(segments, count, settings, NULL, &sum, err);
    *score = metric_chrf_score(&sum);
    return code;
}
