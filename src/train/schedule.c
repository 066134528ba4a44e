#include "train/schedule.h"

double schedule_rate(const struct schedule *schedule, double progress)
{
    if (progress < schedule->warmup)
        return schedule->rate * progress / schedule->warmup;
    if (progress >= 1)
        return schedule->rate * schedule->final;
    const double left = (1 - progress) / (1 - schedule->warmup);
    return schedule->rate * (schedule->final + (1 - schedule->final) * left);
}
