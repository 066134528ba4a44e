#include "nn/loss.h"

#include <string.h>
#include "nn/softmax.h"

NN_VECTORISED
static real row_sum(size_t count, const real *x)
{
    real lane[16] = {0}, sum = 0;
    size_t i = 0;
    for (; i + 16 <= count; i += 16)
        for (size_t l = 0; l < 16; l++)
            lane[l] += x[i + l];
    for (; i < count; i++)
        sum += x[i];
    for (size_t l = 0; l < 16; l++)
        sum += lane[l];
    return sum;
}

NN_VECTORISED
static void row_gradient(size_t count, real smooth, real scale, real *p)
{
    for (size_t i = 0; i < count; i++)
        p[i] = (p[i] - smooth) * scale;
}

double cross_entropy(size_t rows, size_t classes, const int32_t *targets, real smoothing,
                     real scale, real *logits, double *negative_log)
{
    double loss = 0;
    const real smooth = smoothing / (real)classes;
    *negative_log = 0;
    for (size_t row = 0; row < rows; row++) {
        real *x = logits + row * classes;
        if (targets[row] < 0) {
            memset(x, 0, classes * sizeof(real));
            continue;
        }
        const real target_logit = x[targets[row]];
        const real mean_logit = smoothing > 0 ? row_sum(classes, x) / (real)classes : 0;
        const real log_sum = softmax_row(classes, x);
        *negative_log += (double)(log_sum - target_logit);
        loss += (double)((1 - smoothing) * (log_sum - target_logit) +
                         smoothing * (log_sum - mean_logit));
        /* d loss / d logit_v = p_v - e / V - (1 - e) [v = y] */
        row_gradient(classes, smooth, scale, x);
        x[targets[row]] -= (1 - smoothing) * scale;
    }
    return loss;
}

double squared_error(size_t count, const real *targets, real scale, real *outputs)
{
    double loss = 0;
    for (size_t i = 0; i < count; i++) {
        const real difference = outputs[i] - targets[i];
        loss += (double)difference * (double)difference;
        /* d loss / d output = 2 (output - target) */
        outputs[i] = 2 * difference * scale;
    }
    return loss;
}
