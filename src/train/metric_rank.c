#include "train/metric_rank.h"

#include <math.h>
#include <string.h>

static size_t slot_of(int16_t value)
{
    return (size_t)((int32_t)value - INT16_MIN);
}

void metric_ranks(size_t count, const int16_t *values, float *ranks, uint32_t *slots)
{
    memset(slots, 0, METRIC_RANK_SLOTS * sizeof *slots);
    for (size_t i = 0; i < count; i++)
        slots[slot_of(values[i])]++;
    /* a slot's values have the ranks below + 1 .. below + n; twice their mean is a whole number */
    uint32_t below = 0;
    for (size_t s = 0; s < METRIC_RANK_SLOTS; s++) {
        const uint32_t n = slots[s];
        slots[s] = 2 * below + n + 1;
        below += n;
    }
    for (size_t i = 0; i < count; i++)
        ranks[i] = (float)slots[slot_of(values[i])] / 2;
}

double metric_rank_correlation(size_t count, const float *a, const float *b)
{
    /* ranks have the mean (n + 1) / 2 whatever the ties */
    const double mean = ((double)count + 1) / 2;
    double product = 0, square_a = 0, square_b = 0;
    for (size_t i = 0; i < count; i++) {
        const double x = (double)a[i] - mean, y = (double)b[i] - mean;
        product += x * y;
        square_a += x * x;
        square_b += y * y;
    }
    return square_a > 0 && square_b > 0 ? product / (sqrt(square_a) * sqrt(square_b)) : 0;
}

double metric_rank_area(size_t count, const float *ranks, const int16_t *marks)
{
    double sum = 0, marked = 0;
    for (size_t i = 0; i < count; i++) {
        sum += marks[i] ? (double)ranks[i] : 0;
        marked += marks[i] ? 1 : 0;
    }
    const double others = (double)count - marked;
    if (marked < 1 || others < 1)
        return 0.5;
    return (sum - marked * (marked + 1) / 2) / (marked * others);
}
