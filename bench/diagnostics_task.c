#include "diagnostics_task.h"

#define COPY_COUNT 10   /* symbols to be kept */
#define COPY_SYMBOLS 8  /* kinds of them */
#define ORDER_SYMBOLS 8 /* first sign, last sign, four kinds without a meaning, X, Y */
#define ORDER_X 6

const char *const task_names[] = {"adding", "copy", "parity", "order", NULL};

struct task_shape task_shape(const struct task *task)
{
    const size_t length = task->length;
    switch (task->kind) {
    case TASK_ADDING:
        return (struct task_shape){length, 2, 1, 1, 1.0 / 6};
    case TASK_COPY:
        return (struct task_shape){length + 2 * COPY_COUNT, COPY_SYMBOLS + 2, COPY_SYMBOLS,
                                   COPY_COUNT, 1 - 1.0 / COPY_SYMBOLS};
    case TASK_PARITY:
        return (struct task_shape){length, 2, 2, 1, 0.5};
    case TASK_ORDER:
        return (struct task_shape){length + length / 10, ORDER_SYMBOLS, 4, 1, 0.75};
    }
    return (struct task_shape){0};
}

bool task_is_regression(const struct task *task)
{
    return task->kind == TASK_ADDING;
}

struct place { /* one sequence of a batch */
    const struct task *task;
    struct task_shape shape;
    struct task_batch *batch;
    size_t b;
};

static real *input(const struct place *at, size_t t)
{
    return at->batch->x + (t * at->batch->batch + at->b) * at->shape.inputs;
}

static void draw_adding(const struct place *at, struct rng *rng)
{
    const size_t T = at->shape.steps;
    const size_t one = rng_below(rng, T), other = (one + 1 + rng_below(rng, T - 1)) % T;
    for (size_t t = 0; t < T; t++) {
        input(at, t)[0] = (real)rng_uniform(rng);
        input(at, t)[1] = t == one || t == other;
    }
    at->batch->numbers[at->b] = input(at, one)[0] + input(at, other)[0];
}

static void draw_copy(const struct place *at, struct rng *rng)
{
    const size_t T = at->shape.steps, begin = T - COPY_COUNT;
    for (size_t t = COPY_COUNT; t < T; t++)
        input(at, t)[t == begin - 1 ? 1 : 0] = 1;
    for (size_t i = 0; i < COPY_COUNT; i++) {
        const size_t symbol = rng_below(rng, COPY_SYMBOLS);
        input(at, i)[2 + symbol] = 1;
        at->batch->classes[i * at->batch->batch + at->b] = (int32_t)symbol;
    }
}

static void draw_parity(const struct place *at, struct rng *rng)
{
    const size_t length = 1 + rng_below(rng, at->shape.steps);
    size_t ones = 0;
    for (size_t t = 0; t < length; t++) {
        const size_t bit = rng_below(rng, 2);
        input(at, t)[bit] = 1;
        ones += bit;
    }
    at->batch->lengths[at->b] = (int32_t)length;
    at->batch->classes[at->b] = ones % 2;
}

static void draw_order(const struct place *at, struct rng *rng)
{
    const size_t span = at->task->length / 10;
    const size_t length = at->task->length + rng_below(rng, span + 1);
    const size_t where[] = {span + rng_below(rng, span + 1), 5 * span + rng_below(rng, span + 1)};
    const size_t kind[] = {rng_below(rng, 2), rng_below(rng, 2)};
    for (size_t t = 0; t < length; t++) {
        size_t symbol = t == 0 ? 0 : t == length - 1 ? 1 : 2 + rng_below(rng, 4);
        for (size_t i = 0; i < 2; i++)
            symbol = t == where[i] ? ORDER_X + kind[i] : symbol;
        input(at, t)[symbol] = 1;
    }
    at->batch->lengths[at->b] = (int32_t)length;
    at->batch->classes[at->b] = (int32_t)(2 * kind[0] + kind[1]);
}

static void draw(const struct place *at, struct rng *rng)
{
    switch (at->task->kind) {
    case TASK_ADDING:
        draw_adding(at, rng);
        break;
    case TASK_COPY:
        draw_copy(at, rng);
        break;
    case TASK_PARITY:
        draw_parity(at, rng);
        break;
    case TASK_ORDER:
        draw_order(at, rng);
        break;
    }
}

int task_draw(const struct task *task, size_t batch, struct rng *rng, struct task_batch *out,
              struct arena *arena, struct err *err)
{
    struct place at = {task, task_shape(task), out, 0};
    const bool mixed = task->kind == TASK_PARITY || task->kind == TASK_ORDER;
    *out = (struct task_batch){.batch = batch};
    out->x = arena_alloc(arena, at.shape.steps * batch * at.shape.inputs, sizeof(real), err);
    int32_t *lengths = arena_alloc(arena, batch, sizeof *lengths, err);
    int32_t *classes = arena_alloc(arena, at.shape.answers * batch, sizeof *classes, err);
    real *numbers = arena_alloc(arena, batch, sizeof(real), err);
    if (!out->x || !lengths || !classes || !numbers)
        return ERR_MEMORY;
    out->lengths = mixed ? lengths : NULL;
    out->classes = task_is_regression(task) ? NULL : classes;
    out->numbers = task_is_regression(task) ? numbers : NULL;
    for (at.b = 0; at.b < batch; at.b++)
        draw(&at, rng);
    return 0;
}
