/*
 * Every allocation of a stack of recurrent layers is made to fail once, forward and backward.
 */
#include "fault.h"
#include "nn/recurrent.h"

#define STEPS 3
#define BATCH 2
#define INPUT 4
#define HIDDEN 4

struct stack {
    struct arena arena;
    struct recurrent net, g;
    real *x, *first, *d_output, *d_x;
};

static real *new_reals(struct stack *stack, size_t count)
{
    real *x = arena_alloc(&stack->arena, count, sizeof *x, NULL);
    assert_non_null(x);
    return x;
}

static void bind(struct stack *stack, struct recurrent *net)
{
    for (size_t l = 0; l < net->layers; l++)
        for (size_t d = 0; d < net->directions; d++) {
            struct cell_tensor list[CELL_MAX_TENSORS];
            struct cell_layer *layer = &net->layer[l][d];
            const size_t count = cell_tensors(layer, &layer->w, list);
            for (size_t i = 0; i < count; i++)
                *list[i].slot =
                    new_reals(stack, list[i].rows * (list[i].columns ? list[i].columns : 1));
        }
}

/* Blocks of one byte, so that everything is an allocation of its own. */
static int learn(void *context, struct err *err)
{
    const struct stack *stack = context;
    const struct recurrent_sequence sequence = {.steps = STEPS,
                                                .batch = BATCH,
                                                .x = stack->x,
                                                .first = stack->first,
                                                .dropout_layer = 0.5,
                                                .dropout_state = 0.5};
    struct recurrent_trace trace;
    struct arena arena;
    struct rng rng;
    arena_init(&arena, 1);
    rng_seed(&rng, 1, 0);
    int rc = recurrent_forward(&stack->net, &sequence, &rng, &trace, &arena, err);
    if (!rc)
        rc = recurrent_backward(&stack->net, &stack->g, &sequence, &trace, stack->d_output, NULL,
                                stack->d_x, 0, NULL, &arena, err);
    arena_release(&arena);
    return rc;
}

static void check(enum cell_kind kind, enum cell_norm norm)
{
    struct stack stack = {.arena = {.block_size = 1 << 16}};
    recurrent_size(&stack.net, kind, norm, INPUT, HIDDEN, 2, 2, true);
    stack.g = stack.net;
    bind(&stack, &stack.net);
    bind(&stack, &stack.g);
    stack.x = new_reals(&stack, STEPS * BATCH * INPUT);
    stack.first = new_reals(&stack, BATCH * recurrent_state(&stack.net));
    stack.d_output = new_reals(&stack, STEPS * BATCH * recurrent_width(&stack.net));
    stack.d_x = new_reals(&stack, STEPS * BATCH * INPUT);
    assert_true(fault_loop(learn, &stack) > 50);
    arena_release(&stack.arena);
}

static void learning(void **state)
{
    (void)state;
    check(CELL_LSTM, CELL_NORM_JOINT);
    check(CELL_GRU, CELL_NORM_NONE);
    check(CELL_MUT3, CELL_NORM_SEPARATE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(learning)};
    mat_use_one_thread();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
