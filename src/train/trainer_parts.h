/*
 * What the trainer's files share: trainer.c the loop, trainer_update.c one update of the weights,
 * trainer_score.c what happens between updates when the development data is scored.
 */
#ifndef DRAGOMAN_TRAIN_TRAINER_PARTS_H
#define DRAGOMAN_TRAIN_TRAINER_PARTS_H

#include "nn/optim.h"
#include "train/checkpoint.h"
#include "train/schedule.h"
#include "train/trainer.h"

struct trainer_slice { /* of the flat vectors: what one thread sums and updates */
    size_t begin, count;
    real **gradients;  /* [threads]: of each, where the slice begins */
    double square_sum; /* of the gradient */
    bool finite;       /* after the update */
};

struct trainer {
    const struct recipe *recipe;
    const struct trainer_task *task;
    const struct trainer_watch *watch;
    const char *checkpoint;
    struct pool *pool;
    size_t threads;
    struct checkpoint_vectors vectors;
    real *mean;                   /* of several evaluations' weights; NULL: not asked for */
    struct trainer_share *shares; /* [threads]; each gradient is as long as the weights */
    struct trainer_slice *slices; /* [threads] */
    size_t *ends;                 /* [threads]: where each share of a batch ends */
    struct batch_plan plan;       /* of planned_epoch, where it has batches */
    uint64_t planned_epoch;
    struct checkpoint_progress state;
    struct optim optim;
    struct schedule schedule;
    double gradient_norm; /* before clipping, in the last update */
    double scale, share;  /* of the gradient and of the average in the update under way */
    int64_t started_ns, checkpoint_ns, window_ns;
    double seconds_before, window_units, units_per_second;
    double progress_before; /* of the run when this process began; below 0: not known yet */
    bool resumable;         /* a checkpoint of this run is on disk */
    bool unsaved;           /* and is not the newest state */
    bool stopped;
};

/* One update from the batches at state.batch; *units receives their targets. Where the loss, the
   gradient or a weight is not finite, an error that says which. */
int trainer_update(struct trainer *trainer, double *units, struct err *err);

/* Scores the weights, or their average, and saves the model where it is the best so far. */
int trainer_score(struct trainer *trainer, struct trainer_progress *progress, struct err *err);

/* Share of the run that is done before the batch `batch` of this epoch. */
double trainer_run_share(const struct trainer *trainer, double batch);

#endif
