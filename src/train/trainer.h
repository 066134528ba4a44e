/*
 * The training loop, the same for every task. A task lays its network over a flat vector of
 * parameters and can do two things: add the gradient of some examples, and score itself on the
 * development data. The trainer does the rest: batches by length, one thread a core with its share
 * of each batch, gradients summed in a fixed order and over several batches, clipping, the
 * optimiser, the schedule, averages of the weights, keeping the best, checkpoints.
 *
 * The same seed gives the same model on the same number of threads, and a run that is resumed from
 * a checkpoint the same as one that was never broken, bit for bit: all random numbers are drawn
 * from generators seeded by (seed, update, thread), and a checkpoint holds everything else.
 */
#ifndef DRAGOMAN_TRAIN_TRAINER_H
#define DRAGOMAN_TRAIN_TRAINER_H

#include <stdbool.h>
#include "base/mem.h"
#include "base/pool.h"
#include "base/rng.h"
#include "model/parameter.h"
#include "train/batch.h"
#include "train/recipe.h"

struct trainer_sums { /* added up over examples */
    double loss;      /* what is minimised, label smoothing included */
    double units;     /* target tokens or examples: the loss shown is loss / units */
};

struct trainer_share { /* one thread's part of one update */
    int thread;
    const uint32_t *examples;
    size_t count;
    double scale; /* of the gradient: 1 / units of all batches of the update */
    const real *weights;
    real *gradient; /* to be added to */
    struct rng rng;
    struct arena arena; /* reset before each share */
    struct trainer_sums sums;
    struct err err;
};

struct trainer_score {
    double value;      /* 0 or more */
    double perplexity; /* of the development data; 0 where the task has none */
};

struct trainer_task {
    void *context;
    size_t parameters;            /* length of the flat vectors */
    uint64_t origin;              /* a checkpoint of another origin is refused */
    const struct batch_key *keys; /* [examples] */
    size_t examples;
    size_t left_out, cut; /* examples of the data longer than max-tokens: not used, or shortened */
    size_t dev_left_out;  /* of the development data, longer than a model can read */
    const char *unit;     /* "tokens" or "examples" */
    const char *score_name; /* "BLEU", "accuracy", ... */
    bool lower_is_better;   /* of that score */
    /* Before each epoch, on the trainer's pool; may change keys and units. NULL: nothing to do. */
    int (*begin_epoch)(void *context, size_t epoch, struct pool *pool, struct err *err);
    double (*units)(void *context, uint32_t example);
    void (*init)(void *context, real *weights, struct rng *rng);
    int (*learn)(void *context, struct trainer_share *share); /* errors go to share->err */
    /* The tensor that holds the entry *offset of the flat vector, which becomes its offset there.
     */
    struct parameter (*tensor)(void *context, size_t *offset);
    int (*evaluate)(void *context, real *weights, struct pool *pool, struct trainer_score *score,
                    struct err *err); /* on the development data */
    /* Writes the bundle; the score is for its card. */
    int (*save)(void *context, real *weights, const struct trainer_score *score, struct err *err);
};

struct trainer_progress {
    size_t update, epoch, batch, batches; /* the update just done; batch of batches in the epoch */
    double progress;                      /* of the whole run, 0 to 1 */
    double loss;                          /* running mean a unit */
    double gradient_norm;                 /* before clipping */
    double units_per_second, rate, seconds_left;
    double seconds;           /* trained so far, resumed parts included */
    bool scored, best, saved; /* this report is about a score; it is the best; bundle written */
    double score, best_score; /* best_score below 0: none yet */
    double perplexity;        /* of the development data, with `scored`; 0 where there is none */
};

struct trainer_watch {
    void *context;
    /* Called after every update and every score. Returning false stops the run cleanly, with a
       checkpoint. */
    bool (*report)(void *context, const struct trainer_progress *progress);
};

/* Runs to the end, or until the watcher stops it. checkpoint: path of the checkpoint file, beside
   which other files of the run stand. final receives the state at the end. Where a loss, a gradient
   or a weight is not finite the run ends with an error that names the update and the tensor. */
int trainer_run(const struct recipe *recipe, const struct trainer_task *task,
                const char *checkpoint, const struct trainer_watch *watch,
                struct trainer_progress *final, struct err *err);

#endif
