/*
 * The training loop, the same for every task. A task lays its network over a flat vector of
 * parameters and can do two things: add the gradient of some examples, and score itself on the
 * development data. The trainer does the rest: batches by length, one thread a core with its share
 * of each batch, gradients summed in a fixed order and over several batches, clipping, the
 * optimiser, the schedule, averages of the weights, keeping the best, checkpoints.
 *
 * The same seed gives the same model on the same number of threads, and a run that is resumed from
 * a checkpoint the same as one that was never broken, bit for bit: all random numbers are drawn
 * from generators seeded by (seed, update, thread), and a checkpoint holds everything else, what a
 * task carries from update to update included.
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

struct trainer_sums {
    double loss; /* added up over examples: what is minimised, label smoothing included */
};

struct trainer_share { /* one thread's part of one update */
    int thread;        /* 0, 1, ...: which share it is */
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
    double value;              /* 0 or more */
    double perplexity;         /* of the development data; 0 where the task has none */
    double bits_per_character; /* the same */
};

/* What the model makes of one example of the development data. All belongs to the task and stays
   until its next evaluation. */
struct trainer_sample {
    const char *source, *reference, *output; /* output: NULL where there is none */
    double score;                            /* log probability a token, or a label's probability */
    /* [output_count][source_count], each row sums to 1; NULL where there is none */
    const float *attention;
    const char *const *source_tokens, *const *output_tokens; /* their texts, with leading spaces */
    size_t source_count, output_count;
};

struct trainer_facts {       /* for the report */
    size_t lines, dev_lines; /* of the data, those that are left out included */
    size_t tokens[2];        /* of the training examples: each side, or the text alone */
    size_t vocabulary, tensors;
};

struct trainer_watch;
struct trainer_progress;

struct trainer_task {
    void *context;
    /* A task that does not need this loop trains itself and reports the same; the functions and
       settings below that serve the loop alone are NULL and 0 then. NULL: it needs the loop. */
    int (*run)(void *context, const struct trainer_watch *watch, struct trainer_progress *final,
               struct err *err);
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
    /* The epoch's batches, after that, where their order is not to be random: it must depend on the
       recipe and the epoch only. NULL: batches by length. */
    int (*plan)(void *context, size_t epoch, struct batch_plan *plan, struct err *err);
    real *carried; /* what one update leaves for the next beside the weights, or NULL */
    size_t carried_count;
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
    /* Example i of the development data as the last evaluation found it; false where it kept
       nothing of that. The recipe's `samples` first ones are kept. May be NULL. */
    bool (*sample)(void *context, size_t i, struct trainer_sample *sample);
    struct trainer_facts facts;
};

struct trainer_progress {
    size_t update, epoch, batch, batches; /* the update just done; batch of batches in the epoch */
    double progress;                      /* of the whole run, 0 to 1 */
    double loss;                          /* running mean a unit */
    double gradient_norm;                 /* before clipping */
    double units_per_second, rate, seconds_left;
    double seconds;            /* trained so far, resumed parts included */
    bool scored, best, saved;  /* this report is about a score; it is the best; bundle written */
    double score, best_score;  /* best_score below 0: none yet */
    double perplexity;         /* of the development data, with `scored`; 0 where there is none */
    double bits_per_character; /* the same */
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
