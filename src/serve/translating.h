/*
 * Translation jobs at work with one model: their sentences in one running batch. They belong to the
 * worker that made them.
 *
 * A sentence joins when there are rows for it: of those that wait, one of the client that has the
 * fewest rows, and the last quarter of the rows is for clients that have none. So a newcomer joins
 * at the next step, whatever others have sent.
 *
 * Whole-request batching, to compare with: a batch is formed of what waits, runs to its end, and is
 * answered then; nothing joins it.
 */
#ifndef DRAGOMAN_SERVE_TRANSLATING_H
#define DRAGOMAN_SERVE_TRANSLATING_H

#include "serve/batcher.h"
#include "serve/work.h"

struct translating;
/* rows: hypotheses that are decoded together at most. */
struct translating *translating_new(const struct model *model, size_t rows, bool whole,
                                    struct err *err);
void translating_free(struct translating *translating); /* nothing may be under way */
/* True: the job is under way. False: job->result says why not, or that it is done. */
bool translating_start(struct translating *translating, struct job *job);
/* room->sated stays valid until anything changes. */
void translating_room(struct translating *translating, struct batcher_room *room);
/* What it has where nothing of the model is under way. */
void translating_fresh_room(size_t rows, struct batcher_room *room);
/* Of the decoder, that its sentences hold. */
size_t translating_rows(const struct translating *translating);
/* One token of each sentence that takes part. Returns the jobs that are complete, as a list linked
   by next. */
struct job *translating_step(struct translating *translating, struct work *work);

#endif
