#include "train/bag_scores.h"

#include <math.h>

#include "base/mem.h"

void bag_label_counts(const struct bag_texts *texts, const int32_t *labels, size_t label_count,
                      uint32_t *counts)
{
    for (size_t i = 0; i < texts->count; i++)
        for (size_t at = texts->begins[i]; at < texts->begins[i + 1]; at++)
            counts[texts->rows[at] * label_count + (size_t)labels[i]]++;
}

/* How many texts have the feature. */
static double row_sum(const uint32_t *row, size_t labels)
{
    double sum = 0;
    for (size_t l = 0; l < labels; l++)
        sum += row[l];
    return sum;
}

int bag_ratios(const uint32_t *counts, size_t features, size_t labels, double alpha, real *ratios,
               struct err *err)
{
    const double smoothing = alpha * (double)features;
    double all = 0;
    double *of_label = mem_alloc(labels, sizeof *of_label, err);
    if (of_label == NULL)
        return ERR_MEMORY;
    for (size_t f = 0; f < features; f++)
        for (size_t l = 0; l < labels; l++)
            of_label[l] += counts[f * labels + l];
    for (size_t l = 0; l < labels; l++)
        all += of_label[l];
    for (size_t f = 0; f < features; f++) {
        const double any = row_sum(counts + f * labels, labels);
        for (size_t l = 0; l < labels; l++) {
            const double p = counts[f * labels + l], q = any - p;
            ratios[f * labels + l] = (real)(log((alpha + p) / (smoothing + of_label[l])) -
                                            log((alpha + q) / (smoothing + all - of_label[l])));
        }
    }
    mem_free(of_label);
    return 0;
}

void bag_chi2(const uint32_t *counts, const size_t *texts, size_t features, size_t labels,
              double *scores)
{
    double all = 0;
    for (size_t l = 0; l < labels; l++)
        all += (double)texts[l];
    for (size_t f = 0; f < features; f++) {
        const double with = row_sum(counts + f * labels, labels), without = all - with;
        scores[f] = 0;
        for (size_t l = 0; l < labels && without > 0; l++) {
            const double expected = with * (double)texts[l] / all;
            const double surplus = counts[f * labels + l] - expected;
            scores[f] += surplus * surplus / expected;
            scores[f] += surplus * surplus / ((double)texts[l] - expected);
        }
    }
}

void bag_importance(const struct bag *bag, const uint32_t *texts, double *scores)
{
    for (size_t f = 0; f < bag->rows; f++) {
        const real *row = bag->weight + f * bag->width;
        double least = (double)row[0], most = (double)row[0], squares = 0;
        for (size_t j = 0; j < bag->width; j++) {
            least = fmin(least, (double)row[j]);
            most = fmax(most, (double)row[j]);
            squares += (double)row[j] * (double)row[j];
        }
        scores[f] = (bag->hidden > 0 ? sqrt(squares) : most - least) * sqrt((double)texts[f]);
    }
}
