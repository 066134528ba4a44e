#include "nn/optim.h"

NN_VECTORISED
static void adam_slice(size_t count, real scale, real decay, real beta1, real beta2, real rate,
                       real correction, real epsilon, const real *restrict gradient,
                       real *restrict m, real *restrict v, real *restrict weights)
{
    for (size_t i = 0; i < count; i++) {
        const real g = gradient[i] * scale + decay * weights[i];
        m[i] = beta1 * m[i] + (1 - beta1) * g;
        v[i] = beta2 * v[i] + (1 - beta2) * g * g;
#ifdef DRAGOMAN_DOUBLE
        weights[i] -= rate * m[i] / (sqrt(v[i]) * correction + epsilon);
#else
        weights[i] -= rate * m[i] / (sqrtf(v[i]) * correction + epsilon);
#endif
    }
}

void adam_update(const struct adam *adam, size_t step, size_t count, real scale,
                 const real *gradient, real *m, real *v, real *weights)
{
    const double first = 1 - pow(adam->beta1, (double)step);
    const double second = 1 - pow(adam->beta2, (double)step);
    adam_slice(count, scale, (real)adam->weight_decay, (real)adam->beta1, (real)adam->beta2,
               (real)(adam->rate / first), (real)(1 / sqrt(second)), (real)adam->epsilon, gradient,
               m, v, weights);
}

double clip_scale(double norm, double threshold)
{
    return threshold > 0 && norm > threshold ? threshold / norm : 1;
}
