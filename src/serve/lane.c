#include "serve/lane.h"

#include "base/clock.h"
#include "base/mem.h"
#include "serve/instant.h"
#include "serve/translating.h"
#include "serve/writing.h"

#define MOST_INSTANTS 64 /* texts to be read that are taken at a time */
#define SLICE_NS 1000000 /* of reading them, after which others have their turn */

static int make_kind(struct lane *lane, const struct lane_settings *settings, struct err *err)
{
    switch (lane->model->spec.task) {
    case SPEC_TRANSLATION:
        lane->translating = translating_new(lane->model, settings->rows, settings->whole, err);
        return lane->translating ? 0 : (int)err->code;
    case SPEC_GENERATION:
        lane->writings = writings_new(lane->model, settings->rows, settings->mailbox, err);
        return lane->writings ? 0 : (int)err->code;
    case SPEC_CLASSIFICATION:
    case SPEC_TAGGING:
    case SPEC_REGRESSION:
        break;
    }
    return 0;
}

struct lane *lane_new(const struct lane_settings *settings, struct model *model, struct err *err)
{
    struct lane *lane = mem_alloc(1, sizeof *lane, err);
    if (!lane)
        return NULL;
    lane->model = model_retain(model);
    lane->last = &lane->first;
    if (make_kind(lane, settings, err) < 0) {
        lane_free(lane);
        return NULL;
    }
    return lane;
}

void lane_free(struct lane *lane)
{
    if (!lane)
        return;
    translating_free(lane->translating);
    writings_free(lane->writings);
    model_release(lane->model);
    mem_free(lane);
}

static void instant_start(struct lane *lane, struct job *job)
{
    job->next = NULL;
    *lane->last = job;
    lane->last = &job->next;
}

bool lane_start(struct lane *lane, struct job *job)
{
    bool starts = true;
    if (lane->translating)
        starts = translating_start(lane->translating, job);
    else if (lane->writings)
        starts = writings_start(lane->writings, job);
    else
        instant_start(lane, job);
    lane->running += starts;
    return starts;
}

/* Reads texts, one at least, as long as the slice lasts. */
static struct job *instants_step(struct lane *lane)
{
    struct job *done = lane->first, **end = &done;
    const int64_t end_ns = clock_ns() + SLICE_NS;
    while (*end && (end == &done || clock_ns() < end_ns)) {
        struct job *job = *end;
        if (atomic_load(&job->cancelled))
            job->result.outcome = JOB_CANCELLED;
        else
            instant_run(job);
        end = &job->next;
    }
    lane->first = *end;
    *end = NULL;
    if (!lane->first)
        lane->last = &lane->first;
    return done;
}

struct job *lane_step(struct lane *lane, struct work *work)
{
    struct job *done;
    if (lane->translating)
        done = translating_step(lane->translating, work);
    else if (lane->writings)
        done = writings_step(lane->writings, work);
    else
        done = instants_step(lane);
    for (const struct job *job = done; job; job = job->next)
        lane->running--;
    return done;
}

void lane_room(struct lane *lane, struct batcher_room *room)
{
    *room = (struct batcher_room){.model = lane->model, .running = lane->running};
    if (lane->translating) {
        translating_room(lane->translating, room);
    } else if (lane->writings) {
        writings_room(lane->writings, room);
    } else {
        room->jobs = lane->running < MOST_INSTANTS ? MOST_INSTANTS - lane->running : 0;
        room->rows = room->jobs;
    }
}

void lane_fresh_room(const struct lane_settings *settings, struct batcher_room *room)
{
    *room = (struct batcher_room){.model = NULL};
    translating_fresh_room(settings->rows, room);
    room->jobs = MOST_INSTANTS;
}

size_t lane_rows(const struct lane *lane)
{
    if (lane->translating)
        return translating_rows(lane->translating);
    return lane->writings ? lane->running : 0;
}
