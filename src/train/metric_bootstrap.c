#include "train/metric_bootstrap.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "base/rng.h"

int metric_bootstrap(size_t count, uint64_t seed, metric_drawn *score, const void *context,
                     double scores[METRIC_RESAMPLES], struct err *err)
{
    struct rng rng;
    if (count == 0 || count > UINT32_MAX)
        return err_set(err, count == 0 ? ERR_ARGUMENT : ERR_LIMIT, "cannot draw from %zu sentences",
                       count);
    uint32_t *drawn = mem_alloc(count, sizeof(*drawn), err);
    if (drawn == NULL)
        return ERR_MEMORY;
    rng_seed(&rng, seed, 0);
    for (size_t r = 0; r < METRIC_RESAMPLES; r++) {
        for (size_t i = 0; i < count; i++)
            drawn[i] = (uint32_t)rng_below(&rng, count);
        scores[r] = score(context, drawn, count);
    }
    mem_free(drawn);
    return 0;
}

static int ascending(const void *a, const void *b)
{
    const double one = *(const double *)a, other = *(const double *)b;
    return one < other ? -1 : one > other;
}

struct metric_interval metric_interval(const double scores[METRIC_RESAMPLES])
{
    double sorted[METRIC_RESAMPLES];
    const size_t outside = METRIC_RESAMPLES / 40; /* 2.5 % */
    memcpy(sorted, scores, sizeof(sorted));
    qsort(sorted, METRIC_RESAMPLES, sizeof(*sorted), ascending);
    return (struct metric_interval){sorted[outside], sorted[METRIC_RESAMPLES - 1 - outside]};
}

double metric_paired_probability(const double scores[METRIC_RESAMPLES],
                                 const double others[METRIC_RESAMPLES], double difference)
{
    double mean = 0;
    size_t beyond = 0;
    for (size_t r = 0; r < METRIC_RESAMPLES; r++)
        mean += (scores[r] - others[r]) / METRIC_RESAMPLES;
    for (size_t r = 0; r < METRIC_RESAMPLES; r++)
        beyond += fabs(scores[r] - others[r] - mean) >= fabs(difference);
    return (double)(beyond + 1) / (METRIC_RESAMPLES + 1);
}
