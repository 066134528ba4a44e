/*
 * What the parts of the generation task share: generation.c the task itself, generation_stream.c
 * the batches of a text without parts, generation_lines.c those of many texts, generation_sample.c
 * what the report shows.
 */
#ifndef DRAGOMAN_TRAIN_GENERATION_PARTS_H
#define DRAGOMAN_TRAIN_GENERATION_PARTS_H

#include "model/language.h"
#include "train/task.h"

struct generation_texts { /* of one set of data */
    struct task_ids ids;  /* of a stream: one text */
    bool *cut;            /* [texts]: longer than max-tokens, so that its end is not there */
    int32_t *labels;      /* [texts]: the condition, or */
    real *features;       /* [texts, feature] */
    size_t cut_count;
    size_t characters;
};

struct generation_sample { /* what the last evaluation made of it */
    char *source, *reference;
    struct buf output;
    double score; /* log probability a token */
};

struct generation_task {
    struct task_data data;
    struct rnn shape; /* sizes alone; each use binds its own copy */
    struct generation_texts train, dev;
    size_t dev_lead; /* tokens before the stream's first */
    struct batch_key *keys;
    size_t examples;
    struct generation_sample *samples; /* [sample_count] */
    size_t sample_count;
    bool sampled;
    /* A stream: */
    size_t streams, steps; /* side by side; tokens in a chunk */
    size_t length;         /* tokens of each in an epoch */
    size_t epoch, offset;  /* of the plan */
    real *state;           /* [streams, recurrent_state]: where each stream stands */
};

size_t generation_length(const struct generation_texts *texts, size_t i);
struct rnn generation_bind(const struct generation_task *task, real *weights);

int generation_stream_init(struct generation_task *task, struct err *err);
int generation_stream_plan(void *context, size_t epoch, struct batch_plan *plan, struct err *err);
double generation_stream_units(void *context, uint32_t example);
/* Fills the batch; `last` is to be handed to generation_stream_keep after learning. */
int generation_stream_batch(const struct generation_task *task, struct trainer_share *share,
                            struct rnn_batch *batch);
void generation_stream_keep(const struct generation_task *task, const struct trainer_share *share,
                            const struct rnn_batch *batch);

int generation_lines_init(struct generation_task *task, struct err *err);
int generation_lines_begin_epoch(void *context, size_t epoch, struct pool *pool, struct err *err);
double generation_lines_units(void *context, uint32_t example);
int generation_lines_batch(const struct generation_task *task, struct trainer_share *share,
                           struct rnn_batch *batch);
/* Text i, as the model reads it. */
struct language_text generation_line(const struct generation_task *task,
                                     const struct generation_texts *texts, size_t i);
int generation_samples_init(struct generation_task *task, struct err *err);
int generation_samples_make(struct generation_task *task, const struct rnn *weights,
                            struct err *err);
bool generation_sample(void *context, size_t i, struct trainer_sample *sample);
void generation_samples_release(struct generation_task *task);

void generation_texts_release(struct generation_texts *texts);

#endif
