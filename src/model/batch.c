/*
 * One worker is one decoder and a loop: let texts join while there is room, advance all by a token,
 * hand out what has finished. A whole corpus is dealt out longest first, so that the threads come
 * to their ends together.
 */
#include "model/batch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "base/mem.h"
#include "model/seq2seq.h"
#include "text/rows.h"
#include "text/token.h"

struct worker {
    const struct tokenizer *tokenizer;
    const struct decode_options *options;
    const struct batch_source *source;
    struct decoder *decoder;
    struct encoded encoded;
    int32_t *ids; /* those of `encoded`, packed */
    size_t row;   /* numbers in a row of the source, 0 for text */
    size_t id_capacity;
    struct buf text;
};

void batch_output_release(struct batch_output *output)
{
    for (size_t i = 0; i < output->count; i++)
        mem_free(output->candidates[i].text);
    mem_free(output->candidates);
    output->candidates = NULL;
    output->count = 0;
}

void batch_attention_release(struct batch_attention *attention)
{
    mem_free(attention->ids);
    mem_free(attention->weights);
    *attention = (struct batch_attention){0};
}

static int worker_pack_ids(struct worker *worker, struct err *err)
{
    size_t count = worker->encoded.count;
    if (count > worker->id_capacity) {
        int32_t *ids = mem_resize(worker->ids, worker->id_capacity, 2 * count, sizeof(*ids), err);
        if (ids == NULL)
            return ERR_MEMORY;
        worker->ids = ids;
        worker->id_capacity = 2 * count;
    }
    for (size_t i = 0; i < count; i++)
        worker->ids[i] = worker->encoded.tokens[i].id;
    return 0;
}

static int worker_join_text(struct worker *worker, struct batch_item *item, struct err *err)
{
    const struct batch_text *text = &item->text;
    int code = tokenizer_encode(worker->tokenizer, text->data, text->len, &worker->encoded, err);
    if (code == 0)
        code = worker_pack_ids(worker, err);
    if (code == 0)
        code = decoder_join(worker->decoder, worker->ids, worker->encoded.count, worker->options,
                            item, err);
    return code;
}

static int worker_join_rows(struct worker *worker, struct batch_item *item, struct err *err)
{
    struct rows rows;
    int code = rows_parse(&rows, item->text.data, item->text.len, err);
    if (code < 0)
        return code;
    code = decoder_join_rows(worker->decoder, rows.values, rows.count, rows.width, worker->options,
                             item, err);
    rows_release(&rows);
    return code;
}

/* Whether an error is one of this source alone. */
static bool is_own(const struct worker *worker, int code)
{
    return code == ERR_UTF8 || code == ERR_LIMIT ||
           (worker->row > 0 && (code == ERR_FORMAT || code == ERR_ARGUMENT));
}

/* The text joins the decoder, or is done at once with the reason why it cannot. */
static int worker_join(struct worker *worker, struct batch_item *item, struct err *err)
{
    struct err *own = &item->output->err;
    if (item->output->attention != NULL)
        batch_attention_release(item->output->attention);
    const int code =
        worker->row > 0 ? worker_join_rows(worker, item, own) : worker_join_text(worker, item, own);
    if (code == 0)
        return 0;
    if (!is_own(worker, code)) {
        *err = *own;
        return code;
    }
    worker->source->done(worker->source->context, item);
    return 0;
}

static bool worker_has_room(const struct worker *worker)
{
    return decoder_free_rows(worker->decoder) >= worker->options->beam;
}

/* Takes in texts while there is room; waits for one where nothing is in flight. *ended: no text is
   in flight and none will come. */
static int worker_fill(struct worker *worker, bool *ended, struct err *err)
{
    const struct batch_source *source = worker->source;
    *ended = false;
    while (worker_has_room(worker)) {
        bool wait = decoder_idle(worker->decoder);
        struct batch_item *item = source->next(source->context, wait);
        if (item == NULL) {
            *ended = wait;
            return 0;
        }
        int code = worker_join(worker, item, err);
        if (code < 0)
            return code;
    }
    return 0;
}

static int worker_candidate(struct worker *worker, const struct hypothesis *hypothesis,
                            struct batch_candidate *candidate, struct err *err)
{
    buf_clear(&worker->text);
    int code =
        tokenizer_decode(worker->tokenizer, hypothesis->ids, hypothesis->count, &worker->text, err);
    if (code < 0)
        return code;
    candidate->text =
        mem_copy_text(worker->text.data ? worker->text.data : "", worker->text.len, err);
    candidate->len = worker->text.len;
    candidate->score = hypothesis->score;
    return candidate->text == NULL ? ERR_MEMORY : 0;
}

/* What the best candidate looked at; nothing where the model has no attention. */
static int worker_attention(const struct decode_result *result, struct batch_attention *attention,
                            struct err *err)
{
    const struct hypothesis *best = &result->hypotheses[0];
    const size_t entries = best->count * result->source_count;
    if (result->count == 0 || entries == 0 || best->attention == NULL)
        return 0;
    attention->ids = mem_alloc(best->count, sizeof(*attention->ids), err);
    attention->weights = mem_alloc(entries, sizeof(*attention->weights), err);
    if (attention->ids == NULL || attention->weights == NULL) {
        batch_attention_release(attention);
        return ERR_MEMORY;
    }
    memcpy(attention->ids, best->ids, best->count * sizeof(*attention->ids));
    memcpy(attention->weights, best->attention, entries * sizeof(*attention->weights));
    attention->count = best->count;
    attention->source_count = result->source_count;
    return 0;
}

static int worker_output(struct worker *worker, const struct decode_result *result,
                         struct batch_output *output, struct err *err)
{
    output->candidates = mem_alloc(result->count, sizeof(*output->candidates), err);
    if (output->candidates == NULL)
        return ERR_MEMORY;
    for (; output->count < result->count; output->count++) {
        int code = worker_candidate(worker, &result->hypotheses[output->count],
                                    &output->candidates[output->count], err);
        if (code < 0) {
            batch_output_release(output);
            return code;
        }
    }
    if (output->attention != NULL && worker_attention(result, output->attention, err) < 0) {
        batch_output_release(output);
        return ERR_MEMORY;
    }
    output->source_tokens = result->source_count;
    output->target_tokens = result->count > 0 ? result->hypotheses[0].count : 0;
    output->truncated = result->count > 0 && result->hypotheses[0].truncated;
    return 0;
}

static int worker_hand_out(struct worker *worker, struct err *err)
{
    struct decode_result *result;
    while ((result = decoder_take(worker->decoder)) != NULL) {
        struct batch_item *item = result->tag;
        int code = worker_output(worker, result, item->output, err);
        decode_result_free(result);
        if (code < 0)
            return code;
        worker->source->done(worker->source->context, item);
    }
    return 0;
}

int batch_work(const struct ensemble *ensemble, const struct tokenizer *tokenizer,
               const struct decode_options *options, size_t rows, const struct batch_source *source,
               struct err *err)
{
    struct worker worker = {.tokenizer = tokenizer,
                            .options = options,
                            .source = source,
                            .row = ensemble->count > 0 ? ensemble->models[0]->row : 0};
    struct err own = ERR_INIT;
    bool ended = false;
    int code = 0;
    if (rows == 0)
        rows = BATCH_ROWS;
    worker.decoder = decoder_new(ensemble, rows > options->beam ? rows : options->beam, &own);
    if (worker.decoder == NULL)
        code = own.code;
    while (code == 0) {
        code = worker_fill(&worker, &ended, &own);
        if (code < 0 || ended)
            break;
        code = decoder_step(worker.decoder, &own);
        if (code == 0)
            code = worker_hand_out(&worker, &own);
    }
    decoder_free(worker.decoder);
    mem_free(worker.ids);
    encoded_release(&worker.encoded);
    buf_release(&worker.text);
    return code < 0 ? err_set(err, own.code, "%s", own.message) : 0;
}

struct corpus_work {
    const struct ensemble *ensemble;
    const struct tokenizer *tokenizer;
    const struct decode_options *options;
    size_t rows;
    pthread_mutex_t lock;
    struct batch_item *items; /* longest first */
    size_t count, next;
    struct err *err;
    int code;
};

static struct batch_item *corpus_next(void *context, bool wait)
{
    struct corpus_work *work = context;
    struct batch_item *item = NULL;
    (void)wait;
    pthread_mutex_lock(&work->lock);
    if (work->next < work->count && work->code == 0)
        item = &work->items[work->next++];
    pthread_mutex_unlock(&work->lock);
    return item;
}

static void corpus_done(void *context, struct batch_item *item)
{
    (void)context;
    (void)item;
}

static void corpus_run(void *context, int index)
{
    struct corpus_work *work = context;
    struct batch_source source = {corpus_next, corpus_done, work};
    struct err err = ERR_INIT;
    (void)index;
    int code =
        batch_work(work->ensemble, work->tokenizer, work->options, work->rows, &source, &err);
    if (code == 0)
        return;
    pthread_mutex_lock(&work->lock);
    work->code = err_set(work->err, code, "%s", err.message);
    pthread_mutex_unlock(&work->lock);
}

static int longer_first(const void *a, const void *b)
{
    const struct batch_item *one = a, *other = b;
    if (one->text.len != other->text.len)
        return one->text.len > other->text.len ? -1 : 1;
    return one->output < other->output ? -1 : 1;
}

/* Rows a thread, so that a few texts are shared by all threads rather than taken by the first. */
static size_t corpus_rows(size_t count, size_t beam, int threads)
{
    size_t share = (count + (size_t)threads - 1) / (size_t)threads;
    return share < BATCH_ROWS / beam ? share * beam : BATCH_ROWS;
}

int batch_translate(const struct ensemble *ensemble, const struct tokenizer *tokenizer,
                    const struct decode_options *options, struct pool *pool,
                    const struct batch_text *texts, size_t count, struct batch_output *outputs,
                    struct err *err)
{
    struct corpus_work work = {.ensemble = ensemble,
                               .tokenizer = tokenizer,
                               .options = options,
                               .rows = corpus_rows(count, options->beam, pool_threads(pool)),
                               .lock = PTHREAD_MUTEX_INITIALIZER,
                               .count = count,
                               .err = err};
    if (count == 0)
        return 0;
    work.items = mem_alloc(count, sizeof(*work.items), err);
    if (work.items == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < count; i++)
        work.items[i] = (struct batch_item){texts[i], &outputs[i]};
    qsort(work.items, count, sizeof(*work.items), longer_first);
    pool_run(pool, corpus_run, &work);
    mem_free(work.items);
    return work.code;
}
