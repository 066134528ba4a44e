/*
 * Generation jobs at work: for each its text so far and the model's state, and what they share to
 * be advanced together. All belong to the worker that made them.
 *
 * Those that share a step stand in a line: who has written goes to its end, and clients with many
 * texts do not slow down those with few (base/turn.h).
 */
#ifndef DRAGOMAN_SERVE_WRITING_H
#define DRAGOMAN_SERVE_WRITING_H

#include "serve/batcher.h"
#include "serve/work.h"

struct writings;
/* rows: texts that are advanced together at most. */
struct writings *writings_new(const struct model *model, size_t rows, struct mailbox *mailbox,
                              struct err *err);
void writings_free(struct writings *writings); /* nothing of it may be under way */
/* True: the job is under way. False: job->result says why not. */
bool writings_start(struct writings *writings, struct job *job);
void writings_room(const struct writings *writings, struct batcher_room *room);
/* A token of each text whose turn it is; what became text goes to the job's stream as well. Returns
   the jobs that are complete, as a list linked by next. */
struct job *writings_step(struct writings *writings, struct work *work);

#endif
