#include "nn/optim.h"

#include <string.h>

#include "nn/mat.h"

#define BLOCK                                                                                      \
    ((size_t)1024) /* entries that are worked on together: they stay in the first cache            \
                    */

bool optim_has_first(const struct optim *optim)
{
    switch (optim->kind) {
    case OPTIM_SGD:
        return optim->momentum > 0;
    case OPTIM_ADAM:
    case OPTIM_ADAMW:
        return true;
    case OPTIM_ADAGRAD:
    case OPTIM_RMSPROP:
        break;
    }
    return false;
}

bool optim_has_second(const struct optim *optim)
{
    return optim->kind != OPTIM_SGD;
}

static inline real root(real x)
{
#ifdef DRAGOMAN_DOUBLE
    return sqrt(x);
#else
    return sqrtf(x);
#endif
}

/* The numbers of an update as the loops use them. */
struct step {
    real rate, scale, decay, momentum, beta1, beta2, epsilon;
    real new1, new2; /* 1 - beta1, 1 - beta2: in double, as 1 - 0.999f has lost four digits */
    real correction; /* 1 / sqrt(1 - beta2^step) */
    real shrink;     /* adamw: the share of a weight that it loses */
};

NN_VECTORISED
static void sgd(const struct step *s, size_t count, const real *restrict gradient,
                real *restrict weights)
{
    const real scale = s->scale, decay = s->decay, rate = s->rate;
    for (size_t i = 0; i < count; i++)
        weights[i] -= rate * (gradient[i] * scale + decay * weights[i]);
}

NN_VECTORISED
static void sgd_momentum(const struct step *s, size_t count, const real *restrict gradient,
                         real *restrict m, real *restrict weights)
{
    const real scale = s->scale, decay = s->decay, rate = s->rate, momentum = s->momentum;
    for (size_t i = 0; i < count; i++) {
        m[i] = momentum * m[i] + (gradient[i] * scale + decay * weights[i]);
        weights[i] -= rate * m[i];
    }
}

NN_VECTORISED
static void adagrad(const struct step *s, size_t count, const real *restrict gradient,
                    real *restrict v, real *restrict weights)
{
    const real scale = s->scale, decay = s->decay, rate = s->rate, epsilon = s->epsilon;
    for (size_t i = 0; i < count; i++) {
        const real g = gradient[i] * scale + decay * weights[i];
        v[i] += g * g;
        weights[i] -= rate * g / (root(v[i]) + epsilon);
    }
}

NN_VECTORISED
static void rmsprop(const struct step *s, size_t count, const real *restrict gradient,
                    real *restrict v, real *restrict weights)
{
    const real scale = s->scale, decay = s->decay, rate = s->rate, epsilon = s->epsilon;
    const real alpha = s->beta2, share = s->new2;
    for (size_t i = 0; i < count; i++) {
        const real g = gradient[i] * scale + decay * weights[i];
        v[i] = alpha * v[i] + share * g * g;
        weights[i] -= rate * g / (root(v[i]) + epsilon);
    }
}

/* Adam and AdamW: one of `decay` and `shrink` is 0. */
NN_VECTORISED
static void adam(const struct step *s, size_t count, const real *restrict gradient,
                 real *restrict m, real *restrict v, real *restrict weights)
{
    const real scale = s->scale, decay = s->decay, rate = s->rate, epsilon = s->epsilon;
    const real beta1 = s->beta1, beta2 = s->beta2, new1 = s->new1, new2 = s->new2;
    const real correction = s->correction, shrink = s->shrink;
    for (size_t i = 0; i < count; i++) {
        const real g = gradient[i] * scale + decay * weights[i];
        m[i] = beta1 * m[i] + new1 * g;
        v[i] = beta2 * v[i] + new2 * g * g;
        weights[i] -= shrink * weights[i] + rate * m[i] / (root(v[i]) * correction + epsilon);
    }
}

static struct step make_step(const struct optim *optim, size_t step, double scale)
{
    struct step s = {
        .rate = (real)optim->rate,
        .scale = (real)scale,
        .decay = (real)optim->weight_decay,
        .momentum = (real)optim->momentum,
        .beta1 = (real)optim->beta1,
        .beta2 = (real)optim->beta2,
        .new1 = (real)(1 - optim->beta1),
        .new2 = (real)(1 - optim->beta2),
        .epsilon = (real)optim->epsilon,
        .correction = 1,
    };
    if (optim->kind == OPTIM_ADAM || optim->kind == OPTIM_ADAMW) {
        s.rate = (real)(optim->rate / (1 - pow(optim->beta1, (double)step)));
        s.correction = (real)(1 / sqrt(1 - pow(optim->beta2, (double)step)));
    }
    if (optim->kind == OPTIM_ADAMW) {
        s.shrink = (real)(optim->rate * optim->weight_decay);
        s.decay = 0;
    }
    return s;
}

static void update_block(const struct optim *optim, const struct step *s,
                         const struct optim_slice *b)
{
    switch (optim->kind) {
    case OPTIM_SGD:
        if (b->first)
            sgd_momentum(s, b->count, b->gradient, b->first, b->weights);
        else
            sgd(s, b->count, b->gradient, b->weights);
        break;
    case OPTIM_ADAGRAD:
        adagrad(s, b->count, b->gradient, b->second, b->weights);
        break;
    case OPTIM_RMSPROP:
        rmsprop(s, b->count, b->gradient, b->second, b->weights);
        break;
    case OPTIM_ADAM:
    case OPTIM_ADAMW:
        adam(s, b->count, b->gradient, b->first, b->second, b->weights);
        break;
    }
}

NN_VECTORISED
static void follow(size_t count, real share, const real *restrict weights, real *restrict average)
{
    for (size_t i = 0; i < count; i++)
        average[i] += share * (weights[i] - average[i]);
}

NN_VECTORISED
static bool all_finite(size_t count, const real *x)
{
    unsigned bad = 0;
    for (size_t i = 0; i < count; i++)
        bad |= (unsigned)!(x[i] - x[i] == 0); /* infinity and NaN: the difference is NaN */
    return !bad;
}

size_t optim_first_bad(size_t count, const real *values)
{
    for (size_t i = 0; i < count; i++)
        if (!(values[i] - values[i] == 0))
            return i;
    return count;
}

static real *shifted(real *vector, size_t by)
{
    return vector ? vector + by : NULL;
}

bool optim_update(const struct optim *optim, size_t step, double scale, double share,
                  const struct optim_slice *slice)
{
    const struct step s = make_step(optim, step, scale);
    bool finite = true;
    for (size_t at = 0; at < slice->count; at += BLOCK) {
        const struct optim_slice b = {
            .count = slice->count - at < BLOCK ? slice->count - at : BLOCK,
            .weights = slice->weights + at,
            .gradient = slice->gradient + at,
            .first = shifted(slice->first, at),
            .second = shifted(slice->second, at),
            .average = shifted(slice->average, at),
        };
        update_block(optim, &s, &b);
        if (b.average)
            follow(b.count, (real)share, b.weights, b.average);
        finite = finite && all_finite(b.count, b.weights) &&
                 (!b.first || all_finite(b.count, b.first)) &&
                 (!b.second || all_finite(b.count, b.second));
        memset(b.gradient, 0, b.count * sizeof(real));
    }
    return finite;
}

/* The n-th share that makes a_n = sum_i decay^(n-i) w_i / sum_i decay^(n-i). */
double optim_average_share(double decay, size_t step)
{
    return (1 - decay) / (1 - pow(decay, (double)step));
}

NN_VECTORISED
static void clip_values(size_t count, real threshold, real *x)
{
    for (size_t i = 0; i < count; i++)
        x[i] = x[i] > threshold ? threshold : x[i] < -threshold ? -threshold : x[i];
}

double optim_gather(size_t count, size_t parts, real *const *gradients, double threshold)
{
    double squares = 0;
    for (size_t at = 0; at < count; at += BLOCK) {
        const size_t n = count - at < BLOCK ? count - at : BLOCK;
        real *sum = gradients[0] + at;
        for (size_t p = 1; p < parts; p++) {
            mat_add_scaled(n, 1, gradients[p] + at, sum);
            memset(gradients[p] + at, 0, n * sizeof(real));
        }
        if (!all_finite(n, sum))
            squares = (double)NAN;
        else if (threshold > 0)
            clip_values(n, (real)threshold, sum);
        squares += mat_square_sum(n, sum);
    }
    return squares;
}

double clip_scale(double norm, double threshold)
{
    return threshold > 0 && norm > threshold ? threshold / norm : 1;
}
