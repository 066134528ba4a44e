/*
 * A text without parts, cut into streams of the same length that are read side by side, a chunk of
 * `bptt-steps` tokens an update: the gradient goes back to the chunk's first token, the state is
 * carried forward for ever (truncated BPTT; Mikolov 2012). The text is a circle: in the next epoch
 * every stream goes on where it stopped, in the stretch of the stream before which it had begun, so
 * that no state is ever lost and no stretch left out. Where chunks begin is drawn anew for each
 * epoch, so that every token is a chunk's first at some time.
 *
 * Example c * streams + s is chunk c of stream s. Streams are dealt to the threads in runs, which
 * are the same for every batch: each thread has streams of its own.
 */
#include <string.h>

#include "base/mem.h"
#include "train/generation_parts.h"

#define STREAM_OFFSET (UINT64_C(1) << 62) /* random streams: with the epoch below */

/* The first token of chunk c of each stream, counted from the stream's beginning. */
static size_t chunk_begin(const struct generation_task *task, size_t chunk)
{
    const size_t begin = chunk * task->steps;
    const size_t moved = begin > task->offset ? begin - task->offset : 0;
    return moved < task->length ? moved : task->length;
}

static size_t chunk_count(const struct generation_task *task)
{
    return (task->length + task->offset + task->steps - 1) / task->steps;
}

double generation_stream_units(void *context, uint32_t example)
{
    const struct generation_task *task = context;
    const size_t chunk = example / task->streams;
    return (double)(chunk_begin(task, chunk + 1) - chunk_begin(task, chunk));
}

int generation_stream_plan(void *context, size_t epoch, struct batch_plan *plan, struct err *err)
{
    struct generation_task *task = context;
    struct rng rng;
    rng_seed(&rng, (uint64_t)task->data.recipe->seed, STREAM_OFFSET | (uint64_t)epoch);
    task->epoch = epoch;
    task->offset = rng_below(&rng, task->steps);
    const size_t chunks = chunk_count(task);
    *plan = (struct batch_plan){.batches = chunks};
    plan->examples = mem_alloc(chunks * task->streams, sizeof *plan->examples, err);
    plan->begins = mem_alloc(chunks + 1, sizeof *plan->begins, err);
    if (!plan->examples || !plan->begins) {
        batch_plan_release(plan);
        return ERR_MEMORY;
    }
    for (size_t i = 0; i < chunks * task->streams; i++)
        plan->examples[i] = (uint32_t)i;
    for (size_t c = 0; c <= chunks; c++)
        plan->begins[c] = c * task->streams;
    return 0;
}

/* The share's examples are neighbours in one chunk. */
int generation_stream_batch(const struct generation_task *task, struct trainer_share *share,
                            struct rnn_batch *batch)
{
    const struct task_ids *text = &task->train.ids;
    const size_t N = task_ids_total(text), B = share->count;
    const size_t chunk = share->examples[0] / task->streams;
    const size_t stream = share->examples[0] % task->streams;
    const size_t begin = chunk_begin(task, chunk), S = chunk_begin(task, chunk + 1) - begin;
    const size_t width = recurrent_state(&task->shape.encoder);
    int32_t *ids = arena_alloc(&share->arena, S * B, sizeof *ids, &share->err);
    int32_t *targets = arena_alloc(&share->arena, S * B, sizeof *targets, &share->err);
    int32_t *lengths = arena_alloc(&share->arena, B, sizeof *lengths, &share->err);
    real *last = arena_alloc(&share->arena, B * width, sizeof *last, &share->err);
    if (!ids || !targets || !lengths || !last)
        return ERR_MEMORY;
    for (size_t b = 0; b < B; b++) {
        const size_t at = (stream + b + task->epoch) % task->streams * task->length + begin;
        lengths[b] = (int32_t)S;
        for (size_t t = 0; t < S; t++) {
            ids[t * B + b] = text->ids[(at + t) % N];
            targets[t * B + b] = text->ids[(at + t + 1) % N];
        }
    }
    *batch = (struct rnn_batch){.batch = B,
                                .steps = S,
                                .lengths = lengths,
                                .ids = ids,
                                .targets = targets,
                                .first = task->state + stream * width,
                                .last = last};
    return 0;
}

void generation_stream_keep(const struct generation_task *task, const struct trainer_share *share,
                            const struct rnn_batch *batch)
{
    const size_t width = recurrent_state(&task->shape.encoder);
    memcpy(task->state + share->examples[0] % task->streams * width, batch->last,
           batch->batch * width * sizeof *task->state);
}

/* Every chunk costs the same, so that the threads' shares are the same in each. */
static int make_keys(struct generation_task *task, struct err *err)
{
    const size_t most = (task->length + 2 * task->steps - 2) / task->steps; /* chunks of an epoch */
    if (most > UINT32_MAX / task->streams)
        return err_set(err, ERR_LIMIT, "the training data has more than %u chunks of %zu tokens",
                       (unsigned)UINT32_MAX, task->steps);
    task->examples = most * task->streams;
    task->keys = mem_alloc(task->examples, sizeof *task->keys, err);
    if (!task->keys)
        return ERR_MEMORY;
    for (size_t i = 0; i < task->examples; i++)
        task->keys[i].tokens = 1;
    return 0;
}

int generation_stream_init(struct generation_task *task, struct err *err)
{
    const struct recipe *recipe = task->data.recipe;
    const size_t tokens = task_ids_total(&task->train.ids);
    task->streams = (size_t)recipe->streams;
    task->steps = (size_t)recipe->bptt_steps;
    task->length = tokens / task->streams;
    if (task->length == 0)
        return err_set(err, ERR_ARGUMENT,
                       "the training data has %zu tokens, too few for %zu streams", tokens,
                       task->streams);
    task->state =
        mem_alloc(task->streams * recurrent_state(&task->shape.encoder), sizeof *task->state, err);
    return task->state ? make_keys(task, err) : ERR_MEMORY;
}
