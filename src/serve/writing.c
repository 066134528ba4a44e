/* From generation jobs to their texts, a token at a time. */
#include "serve/writing.h"

#include "base/mem.h"
#include "base/turn.h"
#include "serve/stream.h"

#define MOST_WRITINGS 256 /* under way at a time */
#define SPREAD 8 /* of turns: so many rows more cost about as much as reading the weights */

struct writing {
    struct job *job;
    struct generation *generation;
    size_t before; /* the text's length before this step */
};

struct writings {
    struct mailbox *mailbox;
    struct generation_company *company; /* NULL: the model refuses all jobs */
    size_t rows;
    struct writing line[MOST_WRITINGS];
    size_t count;
    /* Of one step: */
    struct writing chosen[MOST_WRITINGS];
    struct generation_turn turns[MOST_WRITINGS];
    struct turn_item items[MOST_WRITINGS];
    struct turn_party parties[MOST_WRITINGS];
};

struct writings *writings_new(const struct model *model, size_t rows, struct mailbox *mailbox,
                              struct err *err)
{
    struct writings *writings = mem_alloc(1, sizeof *writings, err);
    if (!writings)
        return NULL;
    writings->mailbox = mailbox;
    writings->rows = rows < MOST_WRITINGS ? rows : MOST_WRITINGS;
    if (model->rnn && generation_company_new(&writings->company, model, writings->rows, err) < 0) {
        mem_free(writings);
        return NULL;
    }
    return writings;
}

void writings_free(struct writings *writings)
{
    if (!writings)
        return;
    generation_company_free(writings->company);
    mem_free(writings);
}

bool writings_start(struct writings *writings, struct job *job)
{
    struct err err = ERR_INIT;
    struct writing writing = {.job = job};
    if (generation_new(&writing.generation, job->model, &job->condition, job->text, job->len,
                       &job->generate, &err) < 0) {
        job_fail(job, &err);
        return false;
    }
    writings->line[writings->count++] = writing;
    return true;
}

void writings_room(const struct writings *writings, struct batcher_room *room)
{
    room->jobs = room->rows = MOST_WRITINGS - writings->count;
    room->reserve = room->rows < MOST_WRITINGS / 4 ? room->rows : MOST_WRITINGS / 4;
}

static void complete(struct writing *writing, struct job **done)
{
    struct job *job = writing->job;
    generation_free(writing->generation);
    job->next = *done;
    *done = job;
}

/* Those that nobody waits for any more leave. */
static void drop_cancelled(struct writings *writings, struct job **done)
{
    size_t kept = 0;
    for (size_t i = 0; i < writings->count; i++) {
        struct writing *writing = &writings->line[i];
        if (!atomic_load(&writing->job->cancelled)) {
            writings->line[kept++] = *writing;
            continue;
        }
        writing->job->result.outcome = JOB_CANCELLED;
        complete(writing, done);
    }
    writings->count = kept;
}

/* Moves those whose turn it is from the line to `chosen`; returns their number. */
static size_t choose(struct writings *writings)
{
    size_t chosen = 0, kept = 0;
    for (size_t i = 0; i < writings->count; i++)
        writings->items[i] = (struct turn_item){.party = writings->line[i].job->client, .rows = 1};
    turn_choose(writings->items, writings->count, writings->rows, SPREAD, writings->parties);
    for (size_t i = 0; i < writings->count; i++)
        if (writings->items[i].takes_part)
            writings->chosen[chosen++] = writings->line[i];
        else
            writings->line[kept++] = writings->line[i];
    writings->count = kept;
    return chosen;
}

static void finish(const struct writing *writing)
{
    struct job_result *result = &writing->job->result;
    result->outcome = JOB_DONE;
    result->end = generation_end(writing->generation);
    result->tokens_out = generation_tokens(writing->generation);
    result->log_probability = generation_log_probability(writing->generation);
}

/* After a step: true while there is more to write. */
static bool goes_on(struct writings *writings, const struct writing *writing,
                    struct generation_turn *turn)
{
    struct job *job = writing->job;
    const struct buf *text = &job->result.text;
    int rc = turn->code;
    if (rc >= 0 && job->stream && text->len > writing->before &&
        stream_put(job->stream, writings->mailbox, text->data + writing->before,
                   text->len - writing->before, &turn->err) < 0)
        rc = turn->err.code;
    if (rc < 0)
        job_fail(job, &turn->err);
    else if (rc == 0)
        finish(writing);
    return rc > 0;
}

struct job *writings_step(struct writings *writings, struct work *work)
{
    struct job *done = NULL;
    drop_cancelled(writings, &done);
    const size_t count = choose(writings);
    for (size_t i = 0; i < count; i++) {
        struct writing *writing = &writings->chosen[i];
        writing->before = writing->job->result.text.len;
        writings->turns[i] = (struct generation_turn){.generation = writing->generation,
                                                      .out = &writing->job->result.text};
    }
    if (count > 0)
        generation_company_step(writings->company, writings->turns, count);
    for (size_t i = 0; i < count; i++)
        if (goes_on(writings, &writings->chosen[i], &writings->turns[i]))
            writings->line[writings->count++] = writings->chosen[i];
        else
            complete(&writings->chosen[i], &done);
    work->tokens += count;
    return done;
}
