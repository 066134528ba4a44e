#include "nn/attention.h"

#include "nn/attention_parts.h"
#include "nn/init.h"
#include "nn/softmax.h"

/* From so many steps at a time on, a BLAS product is faster than rows one by one. */
#define MANY_STEPS 4

const char *const attention_names[] = {"none", "dot", "general", "additive", NULL};

size_t attention_keys(const struct attention *attention)
{
    return attention->kind == ATTENTION_ADDITIVE ? attention->hidden : attention->query;
}

size_t attention_tensors(const struct attention *attention, struct attention_weights *w,
                         struct attention_tensor list[ATTENTION_MAX_TENSORS])
{
    const size_t D = attention->memory, H = attention->query, A = attention->hidden;
    size_t n = 0;
    if (attention->kind == ATTENTION_GENERAL)
        list[n++] = (struct attention_tensor){"weight", D, H, &w->weight, &w->form, true};
    if (attention->kind == ATTENTION_ADDITIVE) {
        list[n++] = (struct attention_tensor){"memory_weight", A,    D, &w->memory_weight,
                                              &w->form_memory, false};
        list[n++] = (struct attention_tensor){"query_weight", A,    H, &w->query_weight,
                                              &w->form_query, false};
        list[n++] = (struct attention_tensor){"v", A, 0, &w->v, NULL, false};
        list[n++] = (struct attention_tensor){"bias", A, 0, &w->bias, NULL, false};
    }
    return n;
}

void attention_init(const struct attention *attention, struct rng *rng)
{
    const size_t D = attention->memory, H = attention->query, A = attention->hidden;
    const struct attention_weights *w = &attention->w;
    if (attention->kind == ATTENTION_GENERAL)
        init_glorot(D, H, rng, w->weight);
    if (attention->kind == ATTENTION_ADDITIVE) {
        init_glorot(A, D, rng, w->memory_weight);
        init_glorot(A, H, rng, w->query_weight);
        init_glorot(1, A, rng, w->v);
        init_uniform(A, 0, rng, w->bias);
    }
}

/* Rows b, b + batch, ...: one sentence inside a time-major array. */
static struct mat sentence(struct mat x, size_t b, size_t batch)
{
    return mat_of(x.data + b * x.stride, batch * x.stride);
}

static int project_memory(struct attention_run *run, struct arena *arena, struct err *err)
{
    const struct attention *attention = run->attention;
    const size_t rows = run->memory_steps * run->batch, D = attention->memory;
    const size_t K = attention_keys(attention);
    const struct mat memory = mat_of(run->memory, D);
    if (attention->kind == ATTENTION_DOT) {
        run->keys = memory.data;
        return 0;
    }
    run->keys = arena_alloc(arena, rows * K, sizeof(real), err);
    if (!run->keys)
        return ERR_MEMORY;
    const struct mat keys = mat_of(run->keys, K);
    if (attention->kind == ATTENTION_GENERAL) {
        mat_multiply(MAT_NN, rows, K, D, memory, mat_of(attention->w.weight, K), 0, keys);
    } else {
        mat_multiply(MAT_NT, rows, K, D, memory, mat_of(attention->w.memory_weight, D), 0, keys);
        mat_add_bias(rows, K, attention->w.bias, keys);
    }
    return 0;
}

int attention_begin(struct attention_run *run, struct arena *arena, struct err *err)
{
    const size_t S = run->memory_steps, T = run->query_steps, B = run->batch;
    const bool additive = run->attention->kind == ATTENTION_ADDITIVE;
    run->weights = arena_alloc(arena, B * T * S, sizeof(real), err);
    run->projected =
        additive ? arena_alloc(arena, T * B * run->attention->hidden, sizeof(real), err) : NULL;
    if (!run->weights || (additive && !run->projected))
        return ERR_MEMORY;
    return project_memory(run, arena, err);
}

/* What one sentence has to do with `count` steps. */
struct part {
    size_t count, length;
    struct mat memory, keys, queries; /* [length, D], [length, K], [count, K] */
    struct mat weights;               /* [count, length] */
};

static struct part part_of(const struct attention_run *run, size_t b, size_t t, size_t count,
                           struct mat queries)
{
    const size_t S = run->memory_steps, T = run->query_steps, B = run->batch;
    const size_t D = run->attention->memory, K = attention_keys(run->attention);
    if (run->projected)
        queries = mat_of(run->projected + t * B * K, K);
    return (struct part){.count = count,
                         .length = (size_t)run->lengths[b],
                         .memory = sentence(mat_of(run->memory, D), b, B),
                         .keys = sentence(mat_of(run->keys, K), b, B),
                         .queries = sentence(queries, b, B),
                         .weights = mat_of(run->weights + (b * T + t) * S, S)};
}

/* C [count, n] = A [count, k] B [n, k]^T */
static void multiply_rows(size_t count, size_t n, size_t k, struct mat a, struct mat b,
                          struct mat c)
{
    if (count >= MANY_STEPS)
        mat_multiply(MAT_NT, count, n, k, a, b, 0, c);
    else
        mat_rows(count, n, k, a.data, a.stride, b.data, b.stride, NULL, c.data, c.stride);
}

/* C [count, n] = A [count, k] B [k, n] + keep * C */
static void combine_rows(size_t count, size_t n, size_t k, struct mat a, struct mat b, real keep,
                         struct mat c)
{
    if (count >= MANY_STEPS)
        mat_multiply(MAT_NN, count, n, k, a, b, keep, c);
    else
        for (size_t i = 0; i < count; i++)
            mat_combine(k, n, a.data + i * a.stride, b, keep, c.data + i * c.stride);
}

/* C [m, n] += A [count, m]^T B [count, n] */
static void add_outer_rows(size_t count, size_t m, size_t n, struct mat a, struct mat b,
                           struct mat c)
{
    if (count >= MANY_STEPS)
        mat_multiply(MAT_TN, m, n, count, a, b, 1, c);
    else
        for (size_t i = 0; i < count; i++)
            mat_add_outer(m, n, a.data + i * a.stride, b.data + i * b.stride, c);
}

static void part_steps(const struct attention *attention, const struct part *p, struct mat context)
{
    const size_t D = attention->memory, K = attention_keys(attention);
    if (attention->kind == ATTENTION_ADDITIVE)
        for (size_t i = 0; i < p->count; i++)
            attention_additive_scores(p->length, K, attention->w.v, p->keys,
                                      p->queries.data + i * p->queries.stride,
                                      p->weights.data + i * p->weights.stride);
    else
        multiply_rows(p->count, p->length, K, p->queries, p->keys, p->weights);
    for (size_t i = 0; i < p->count; i++)
        softmax_row(p->length, p->weights.data + i * p->weights.stride);
    combine_rows(p->count, D, p->length, p->weights, p->memory, 0, context);
}

void attention_steps(struct attention_run *run, size_t t, size_t count, struct mat queries,
                     struct mat context)
{
    const struct attention *attention = run->attention;
    const size_t B = run->batch, H = attention->query, A = attention->hidden;
    if (run->projected)
        mat_multiply(MAT_NT, count * B, A, H, queries, mat_of(attention->w.query_weight, H), 0,
                     mat_of(run->projected + t * B * A, A));
    for (size_t b = 0; b < B; b++) {
        const struct part part = part_of(run, b, t, count, queries);
        part_steps(attention, &part, sentence(context, b, B));
    }
}

int attention_begin_back(struct attention_run *run, struct arena *arena, struct err *err)
{
    const size_t S = run->memory_steps, T = run->query_steps, B = run->batch;
    const size_t K = attention_keys(run->attention);
    const bool additive = run->attention->kind == ATTENTION_ADDITIVE;
    const bool keys = run->attention->kind != ATTENTION_DOT;
    run->d_scores = arena_alloc(arena, B * T * S, sizeof(real), err);
    run->d_keys = keys ? arena_alloc(arena, S * B * K, sizeof(real), err) : NULL;
    run->d_projected = additive ? arena_alloc(arena, T * B * K, sizeof(real), err) : NULL;
    run->d_v = additive ? arena_alloc(arena, K, sizeof(real), err) : NULL;
    if (!run->d_scores || (keys && !run->d_keys) || (additive && (!run->d_projected || !run->d_v)))
        return ERR_MEMORY;
    return 0;
}

/* The gradient by one sentence's memory, as far as it made the context, and by its scores. */
static void part_steps_back(size_t D, const struct part *p, struct mat d_context,
                            struct mat d_memory, struct mat d_scores)
{
    /* context = weights memory */
    multiply_rows(p->count, p->length, D, d_context, p->memory, d_scores);
    add_outer_rows(p->count, p->length, D, p->weights, d_context, d_memory);
    /* weights = softmax(scores) */
    for (size_t i = 0; i < p->count; i++)
        softmax_row_backward(p->length, p->weights.data + i * p->weights.stride,
                             d_scores.data + i * d_scores.stride);
}

static void additive_back(struct attention_run *run, const struct part *p, size_t b, size_t t,
                          struct mat d_scores)
{
    const size_t B = run->batch, A = run->attention->hidden;
    const struct mat d_keys = sentence(mat_of(run->d_keys, A), b, B);
    for (size_t i = 0; i < p->count; i++)
        attention_additive_scores_back(p->length, A, run->attention->w.v, p->keys,
                                       p->queries.data + i * p->queries.stride,
                                       d_scores.data + i * d_scores.stride, d_keys,
                                       run->d_projected + ((t + i) * B + b) * A, run->d_v);
}

void attention_steps_back(struct attention_run *run, size_t t, size_t count, struct mat queries,
                          struct mat d_context, struct mat d_queries, real *d_memory)
{
    const struct attention *attention = run->attention;
    const size_t S = run->memory_steps, T = run->query_steps, B = run->batch;
    const size_t D = attention->memory, H = attention->query, A = attention->hidden;
    for (size_t b = 0; b < B; b++) {
        const struct part p = part_of(run, b, t, count, queries);
        const struct mat d_scores = mat_of(run->d_scores + (b * T + t) * S, S);
        part_steps_back(D, &p, sentence(d_context, b, B), sentence(mat_of(d_memory, D), b, B),
                        d_scores);
        if (attention->kind == ATTENTION_ADDITIVE)
            additive_back(run, &p, b, t, d_scores);
        else /* scores = queries keys^T; the keys' gradient waits for the end */
            combine_rows(count, H, p.length, d_scores, p.keys, 1, sentence(d_queries, b, B));
    }
    /* projected = queries Wq^T */
    if (attention->kind == ATTENTION_ADDITIVE)
        mat_multiply(MAT_NN, count * B, H, A, mat_of(run->d_projected + t * B * A, A),
                     mat_of(attention->w.query_weight, H), 1, d_queries);
}

/* scores = queries keys^T, of all steps */
static void keys_back(const struct attention_run *run, struct mat queries, struct mat d_keys)
{
    const size_t S = run->memory_steps, T = run->query_steps, B = run->batch;
    const size_t K = attention_keys(run->attention);
    for (size_t b = 0; b < B; b++)
        mat_multiply(MAT_TN, (size_t)run->lengths[b], K, T, mat_of(run->d_scores + b * T * S, S),
                     sentence(queries, b, B), 1, sentence(d_keys, b, B));
}

void attention_end_back(struct attention_run *run, const struct attention_weights *g,
                        struct mat queries, real *d_memory)
{
    const struct attention *attention = run->attention;
    const size_t rows = run->memory_steps * run->batch, D = attention->memory;
    const size_t H = attention->query, K = attention_keys(attention);
    const struct mat memory = mat_of(run->memory, D), d_m = mat_of(d_memory, D);
    const struct mat d_keys = mat_of(run->d_keys, K);
    switch (attention->kind) {
    case ATTENTION_NONE:
        break;
    case ATTENTION_DOT: /* keys = memory */
        keys_back(run, queries, d_m);
        break;
    case ATTENTION_GENERAL: /* keys = memory W */
        keys_back(run, queries, d_keys);
        mat_multiply(MAT_TN, D, H, rows, memory, d_keys, 1, mat_of(g->weight, H));
        mat_multiply(MAT_NT, rows, D, H, d_keys, mat_of(attention->w.weight, H), 1, d_m);
        break;
    case ATTENTION_ADDITIVE: /* keys = memory Wm^T + b; projected = queries Wq^T */
        mat_multiply(MAT_TN, K, D, rows, d_keys, memory, 1, mat_of(g->memory_weight, D));
        mat_multiply(MAT_NN, rows, D, K, d_keys, mat_of(attention->w.memory_weight, D), 1, d_m);
        mat_add_rows(rows, K, d_keys, g->bias);
        mat_multiply(MAT_TN, K, H, run->query_steps * run->batch, mat_of(run->d_projected, K),
                     queries, 1, mat_of(g->query_weight, H));
        mat_add_scaled(K, 1, run->d_v, g->v);
        break;
    }
}
