/*
 * Pairs of about the same length make a batch, so that little is computed for padding. Each batch
 * leaves its own sum, and those are added in order, whichever thread had which.
 */
#include "model/likelihood.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "model/seq2seq.h"
#include "text/rows.h"
#include "text/token.h"

#define BATCH_TOKENS 4096 /* of both sides, with padding */
#define ARENA_BLOCK ((size_t)4 << 20)

int likelihood_batch(const struct seq2seq *model, const struct seq2seq_pair *pairs, size_t count,
                     double *negative_log, struct arena *arena, struct err *err)
{
    const struct seq2seq_training training = {.scale = 0}; /* nothing is dropped */
    struct seq2seq_sums sums = {0};
    struct seq2seq_batch batch;
    struct rng rng = {0};
    arena_reset(arena);
    int code = seq2seq_batch_make(&batch, pairs, count, arena, err);
    if (code == 0)
        code = seq2seq_learn(model, NULL, &batch, &training, &rng, &sums, arena, err);
    *negative_log = sums.negative_log;
    return code;
}

struct corpus_pair {
    struct seq2seq_pair ids;
    size_t index; /* in the corpus; decides between pairs of the same length */
};

struct corpus_work {
    const struct seq2seq *model;
    const struct tokenizer *tokenizer;
    struct arena ids; /* of all pairs */
    struct encoded scratch;
    struct corpus_pair *pairs; /* [count], sorted by length */
    struct seq2seq_pair *sorted;
    size_t count;
    size_t *begins; /* [batches + 1] */
    double *sums;   /* [batches] */
    size_t batches, next;
    pthread_mutex_t lock;
    struct err *err;
    int code;
};

/* One side of a pair. *fits: whether it can be looked at. */
static int encode_side(struct corpus_work *work, struct batch_text text, const int32_t **ids,
                       size_t *count, bool *fits, struct err *err)
{
    struct err own = ERR_INIT;
    int code = tokenizer_encode(work->tokenizer, text.data, text.len, &work->scratch, &own);
    *fits = code == 0 && work->scratch.count <= LIKELIHOOD_MAX_TOKENS;
    if (code == ERR_UTF8 || code == ERR_LIMIT || (code == 0 && !*fits))
        return 0;
    if (code < 0)
        return err_set(err, code, "%s", own.message);
    int32_t *copy = arena_alloc(&work->ids, work->scratch.count, sizeof *copy, err);
    if (copy == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < work->scratch.count; i++)
        copy[i] = work->scratch.tokens[i].id;
    *ids = copy;
    *count = work->scratch.count;
    return 0;
}

/* The source side where it is rows of numbers, as text. */
static int read_rows(struct corpus_work *work, struct batch_text text, struct seq2seq_pair *pair,
                     bool *fits, struct err *err)
{
    const size_t F = work->model->row;
    struct err own = ERR_INIT;
    struct rows rows;
    int code = rows_parse(&rows, text.data, text.len, &own);
    if (code == ERR_MEMORY)
        return err_set(err, code, "%s", own.message);
    *fits = code == 0 && rows.width == F && rows.count <= LIKELIHOOD_MAX_TOKENS;
    code = 0;
    if (*fits) {
        float *copy = arena_alloc(&work->ids, rows.count * F, sizeof *copy, err);
        if (copy)
            memcpy(copy, rows.values, rows.count * F * sizeof *copy);
        else
            code = ERR_MEMORY;
        pair->rows = copy;
        pair->row = F;
        pair->source_count = rows.count;
    }
    rows_release(&rows);
    return code;
}

static int encode_source(struct corpus_work *work, struct batch_text text,
                         struct seq2seq_pair *pair, bool *fits, struct err *err)
{
    return work->model->row > 0
               ? read_rows(work, text, pair, fits, err)
               : encode_side(work, text, &pair->source, &pair->source_count, fits, err);
}

static int encode_pairs(struct corpus_work *work, const struct batch_text *sources,
                        const struct batch_text *targets, size_t count,
                        struct likelihood *likelihood, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        struct corpus_pair pair = {.index = i};
        bool fits;
        int code = encode_source(work, sources[i], &pair.ids, &fits, err);
        if (code == 0 && fits)
            code =
                encode_side(work, targets[i], &pair.ids.target, &pair.ids.target_count, &fits, err);
        if (code < 0)
            return code;
        likelihood->skipped += !fits;
        if (!fits)
            continue;
        likelihood->tokens += pair.ids.target_count + 1;
        likelihood->pairs++;
        work->pairs[work->count++] = pair;
    }
    return 0;
}

static int longer_first(const void *a, const void *b)
{
    const struct corpus_pair *one = a, *other = b;
    if (one->ids.target_count != other->ids.target_count)
        return one->ids.target_count > other->ids.target_count ? -1 : 1;
    if (one->ids.source_count != other->ids.source_count)
        return one->ids.source_count > other->ids.source_count ? -1 : 1;
    return one->index < other->index ? -1 : one->index > other->index;
}

/* Sorts the pairs and cuts them into batches of about BATCH_TOKENS. */
static void plan_batches(struct corpus_work *work)
{
    qsort(work->pairs, work->count, sizeof *work->pairs, longer_first);
    size_t source = 0, begin = 0;
    for (size_t i = 0; i < work->count; i++) {
        const struct seq2seq_pair *pair = &work->pairs[i].ids;
        const size_t longest = pair->source_count > source ? pair->source_count : source;
        const size_t steps = longest + work->pairs[begin].ids.target_count + 2;
        work->sorted[i] = *pair;
        source = longest;
        if (i > begin && steps * (i + 1 - begin) > BATCH_TOKENS) {
            work->begins[++work->batches] = begin = i;
            source = pair->source_count;
        }
    }
    if (work->count > 0)
        work->begins[++work->batches] = work->count;
}

static bool take_batch(struct corpus_work *work, size_t *batch)
{
    pthread_mutex_lock(&work->lock);
    const bool more = work->next < work->batches && work->code == 0;
    if (more)
        *batch = work->next++;
    pthread_mutex_unlock(&work->lock);
    return more;
}

static void corpus_run(void *context, int index)
{
    struct corpus_work *work = context;
    struct err err = ERR_INIT;
    struct arena arena;
    size_t batch;
    int code = 0;
    (void)index;
    arena_init(&arena, ARENA_BLOCK);
    while (code == 0 && take_batch(work, &batch)) {
        const size_t begin = work->begins[batch];
        code = likelihood_batch(work->model, work->sorted + begin, work->begins[batch + 1] - begin,
                                &work->sums[batch], &arena, &err);
    }
    arena_release(&arena);
    if (code == 0)
        return;
    pthread_mutex_lock(&work->lock);
    work->code = err_set(work->err, code, "%s", err.message);
    pthread_mutex_unlock(&work->lock);
}

static int work_init(struct corpus_work *work, size_t count, struct err *err)
{
    arena_init(&work->ids, ARENA_BLOCK);
    work->pairs = mem_alloc(count, sizeof *work->pairs, err);
    work->sorted = mem_alloc(count, sizeof *work->sorted, err);
    work->begins = mem_alloc(count + 1, sizeof *work->begins, err);
    work->sums = mem_alloc(count, sizeof *work->sums, err);
    return work->pairs && work->sorted && work->begins && work->sums ? 0 : ERR_MEMORY;
}

static void work_release(struct corpus_work *work)
{
    mem_free(work->sums);
    mem_free(work->begins);
    mem_free(work->sorted);
    mem_free(work->pairs);
    encoded_release(&work->scratch);
    arena_release(&work->ids);
}

int likelihood_corpus(const struct seq2seq *model, const struct tokenizer *tokenizer,
                      struct pool *pool, const struct batch_text *sources,
                      const struct batch_text *targets, size_t count, struct likelihood *likelihood,
                      struct err *err)
{
    struct corpus_work work = {
        .model = model, .tokenizer = tokenizer, .lock = PTHREAD_MUTEX_INITIALIZER, .err = err};
    *likelihood = (struct likelihood){0};
    int code = work_init(&work, count, err);
    if (code == 0)
        code = encode_pairs(&work, sources, targets, count, likelihood, err);
    if (code == 0) {
        plan_batches(&work);
        pool_run(pool, corpus_run, &work);
        code = work.code;
    }
    for (size_t i = 0; code == 0 && i < work.batches; i++)
        likelihood->negative_log += work.sums[i];
    work_release(&work);
    return code;
}
