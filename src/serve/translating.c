#include "serve/translating.h"

#include "base/mem.h"
#include "serve/task.h"

#define MOST_WAITING 256 /* tasks whose sentences have not all joined, after which no more come */

struct translating {
    struct decoder *decoder;
    size_t rows;
    bool whole;
    struct task *tasks; /* in order of arrival */
    uint64_t sated[MOST_WAITING];
};

struct translating *translating_new(const struct model *model, size_t rows, bool whole,
                                    struct err *err)
{
    const struct ensemble alone = {.models = {model->seq2seq}, .count = 1};
    struct translating *translating = mem_alloc(1, sizeof *translating, err);
    if (!translating)
        return NULL;
    translating->rows = rows;
    translating->whole = whole;
    translating->decoder = decoder_new(&alone, rows, err);
    if (!translating->decoder) {
        mem_free(translating);
        return NULL;
    }
    return translating;
}

void translating_free(struct translating *translating)
{
    if (!translating)
        return;
    decoder_free(translating->decoder);
    mem_free(translating);
}

bool translating_start(struct translating *translating, struct job *job)
{
    struct task *task = task_new(job);
    if (!task)
        return false;
    struct task **last = &translating->tasks;
    while (*last)
        last = &(*last)->next;
    *last = task;
    return true;
}

/* A quarter, as far as the widest beam still has room beside it. */
static size_t reserve_of(size_t rows)
{
    const size_t quarter = rows / 4, most = rows > DECODE_MAX_BEAM ? rows - DECODE_MAX_BEAM : 0;
    return quarter < most ? quarter : most;
}

void translating_fresh_room(size_t rows, struct batcher_room *room)
{
    room->jobs = SIZE_MAX;
    room->rows = rows;
    room->reserve = reserve_of(rows);
}

void translating_room(struct translating *translating, struct batcher_room *room)
{
    size_t waiting = 0;
    for (const struct task *task = translating->tasks; task; task = task->next)
        if (task->joined < task->count && waiting < MOST_WAITING)
            translating->sated[waiting++] = task->job->client;
    room->jobs = SIZE_MAX;
    room->rows = decoder_free_rows(translating->decoder);
    room->reserve = reserve_of(translating->rows);
    room->sated = translating->sated;
    room->sated_count = waiting;
    room->shut = waiting == MOST_WAITING || (translating->whole && translating->tasks);
}

/* Rows that a task's sentences have of the decoder. */
static size_t task_rows(const struct task *task)
{
    return (task->joined - task->finished) * task->job->options.beam;
}

static size_t client_rows(const struct translating *translating, uint64_t client)
{
    size_t rows = 0;
    for (const struct task *task = translating->tasks; task; task = task->next)
        if (task->job->client == client)
            rows += task_rows(task);
    return rows;
}

size_t translating_rows(const struct translating *translating)
{
    return translating->rows - decoder_free_rows(translating->decoder);
}

/* Which task's sentence is to join next: the first of the client that has the fewest rows. NULL:
   there is none, or no room for it: others do not overtake it then. */
static struct task *next_to_join(const struct translating *translating)
{
    const size_t rows = decoder_free_rows(translating->decoder);
    const size_t reserve = translating->whole ? 0 : reserve_of(translating->rows);
    struct task *best = NULL;
    size_t fewest = SIZE_MAX;
    for (struct task *task = translating->tasks; task && fewest > 0; task = task->next) {
        if (task->joined == task->count)
            continue;
        const size_t has = client_rows(translating, task->job->client);
        if (has < fewest) {
            best = task;
            fewest = has;
        }
    }
    if (!best)
        return NULL;
    return best->job->options.beam + (fewest > 0 ? reserve : 0) <= rows ? best : NULL;
}

static void task_leave(struct translating *translating, struct task *task, struct job **done)
{
    struct task **place = &translating->tasks;
    struct job *job = task->job;
    while (*place != task)
        place = &(*place)->next;
    *place = task->next;
    task_cancel(task, translating->decoder);
    task_free(task);
    job->next = *done;
    *done = job;
}

static void drop_cancelled(struct translating *translating, struct job **done)
{
    for (struct task *task = translating->tasks, *next; task; task = next) {
        next = task->next;
        if (!atomic_load(&task->job->cancelled))
            continue;
        task->job->result.outcome = JOB_CANCELLED;
        task_leave(translating, task, done);
    }
}

static void join(struct translating *translating, struct job **done)
{
    struct task *task;
    if (translating->whole && !decoder_idle(translating->decoder))
        return;
    while ((task = next_to_join(translating))) {
        const int rc = task_join(task, translating->decoder);
        if (rc < 0)
            task_leave(translating, task, done);
        if (rc == 0)
            return;
    }
}

static void collect(struct translating *translating, struct job **done)
{
    struct decode_result *result;
    while ((result = decoder_take(translating->decoder))) {
        struct task_sentence *sentence = result->tag;
        struct task *task = sentence->task;
        if (task_finish(sentence, result))
            task_leave(translating, task, done);
    }
}

/* The decoder is of no use any more: every job in it fails. */
static void fail(struct translating *translating, const struct err *err, struct job **done)
{
    while (translating->tasks) {
        struct job *job = translating->tasks->job;
        job->result.outcome = JOB_FAILED;
        job->result.err = *err;
        task_leave(translating, translating->tasks, done);
    }
}

struct job *translating_step(struct translating *translating, struct work *work)
{
    struct err err = ERR_INIT;
    struct job *done = NULL;
    drop_cancelled(translating, &done);
    join(translating, &done);
    if (decoder_idle(translating->decoder))
        return done;
    if (decoder_step(translating->decoder, &err) < 0) {
        fail(translating, &err, &done);
        return done;
    }
    const struct decoder_load load = decoder_load(translating->decoder);
    work->steps++;
    work->sentences += load.sentences;
    work->encoded += load.encoded;
    work->encodings += load.encoded > 0;
    if (!translating->whole || load.in_flight == 0)
        collect(translating, &done);
    return done;
}
