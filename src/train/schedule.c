#include "train/schedule.h"

#include <math.h>

static double linear(const struct schedule *s, double progress)
{
    if (progress >= 1 || s->warmup >= 1)
        return s->final;
    return s->final + (1 - s->final) * (1 - progress) / (1 - s->warmup);
}

/* Without a warm-up as with one of a single update. */
static double inverse_sqrt(const struct schedule *s, const struct schedule_place *place)
{
    if (s->warmup > 0)
        return sqrt(s->warmup / place->progress);
    return 1 / sqrt((double)place->update);
}

static double step(const struct schedule *s, size_t epoch)
{
    if (epoch < s->decay_from)
        return 1;
    return pow(s->decay, (double)(1 + (epoch - s->decay_from) / s->decay_every));
}

double schedule_rate(const struct schedule *s, const struct schedule_place *place)
{
    double share = 1;
    switch (s->kind) {
    case SCHEDULE_CONSTANT:
        break;
    case SCHEDULE_LINEAR:
        share = linear(s, place->progress);
        break;
    case SCHEDULE_INVERSE_SQRT:
        share = inverse_sqrt(s, place);
        break;
    case SCHEDULE_STEP:
        share = step(s, place->epoch);
        break;
    case SCHEDULE_PLATEAU:
        share = pow(s->decay, (double)place->plateaus);
        break;
    }
    if (place->progress < s->warmup) { /* a decay by epochs or scores counts in the warm-up too */
        const double risen = place->progress / s->warmup;
        share = s->kind == SCHEDULE_STEP || s->kind == SCHEDULE_PLATEAU ? share * risen : risen;
    }
    return s->rate * share;
}

bool schedule_needs_length(enum schedule_kind kind, double warmup)
{
    return warmup > 0 || kind == SCHEDULE_LINEAR;
}
