/* The learning rate over a training run: up in a line, then down in a line. */
#ifndef DRAGOMAN_TRAIN_SCHEDULE_H
#define DRAGOMAN_TRAIN_SCHEDULE_H

struct schedule {
    double rate;   /* the highest */
    double warmup; /* share of the run in which it rises from 0 */
    double final;  /* share of the highest that is left at the end */
};

/* progress: share of the run that is done, 0 to 1 */
double schedule_rate(const struct schedule *schedule, double progress);

#endif
