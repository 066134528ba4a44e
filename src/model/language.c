/*
 * A stream is read in chunks, as in training but without a gradient: the arena holds one chunk, the
 * state goes on. Texts of lines are sorted by length and make batches; each batch leaves its own
 * sum, and those are added in order, whichever thread had which.
 */
#include "model/language.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "text/utf8.h"

#define CHUNK_TOKENS 4096 /* of a batch, with padding */
#define CHUNK_STEPS 256   /* of a stream at most */
#define ARENA_BLOCK ((size_t)4 << 20)

int language_encode(const struct tokenizer *tokenizer, const char *text, size_t len,
                    struct encoded *out, size_t *lead, struct err *err)
{
    struct buf whole = BUF_INIT;
    int code = utf8_check(text, len, err); /* here, so that an error's offset is the caller's */
    if (code == 0)
        code = tokenizer_encode(tokenizer, "\n", 1, out, err);
    *lead = out->count;
    if (code == 0)
        code = buf_char(&whole, '\n', err);
    if (code == 0)
        code = buf_append(&whole, text, len, err);
    if (code == 0)
        code = tokenizer_encode(tokenizer, whole.data, whole.len, out, err);
    buf_release(&whole);
    return code;
}

size_t language_characters(const char *text, size_t len)
{
    size_t count = 0;
    for (size_t i = 0; i < len; i++)
        count += ((unsigned char)text[i] & 0xC0) != 0x80;
    return count;
}

/*
 * Streams
 */

/* Prediction j is that of ids[j + 1] from ids[0..j]. Piece p reads the predictions from p * stride
   on, `reach` of them; what the piece before it has counted is its warm-up. */
struct stream {
    const struct rnn *model;
    const int32_t *ids;
    size_t predictions, lead;
    size_t pieces, stride, reach;
    size_t threads;
    struct stream_part {
        struct language_sums sums;
        struct err err;
    } * parts; /* [threads] */
};

/* Ids and targets of `steps` steps from `at` on, for the pieces from `first` on. */
static void fill_chunk(const struct stream *stream, size_t first, size_t at,
                       const struct rnn_batch *batch, int32_t *ids, int32_t *targets)
{
    const size_t warm_up = stream->reach - stream->stride, B = batch->batch;
    for (size_t t = 0; t < batch->steps; t++)
        for (size_t b = 0; b < B; b++) {
            const size_t j = (first + b) * stream->stride + at + t;
            const bool there = j < stream->predictions;
            const bool counts =
                there && j + 1 >= stream->lead && (first + b == 0 || at + t >= warm_up);
            ids[t * B + b] = there ? stream->ids[j] : TOKEN_PAD;
            targets[t * B + b] = counts ? stream->ids[j + 1] : -1;
        }
}

static int read_chunk(const struct stream *stream, size_t first, size_t at, size_t steps,
                      size_t count, real *state, struct stream_part *part, struct arena *arena)
{
    const struct rnn_training plain = {.scale = 0};
    const size_t width = recurrent_state(&stream->model->encoder);
    struct rnn_sums sums = {0};
    struct rng rng = {{0}};
    arena_reset(arena);
    int32_t *ids = arena_alloc(arena, steps * count, sizeof *ids, &part->err);
    int32_t *targets = arena_alloc(arena, steps * count, sizeof *targets, &part->err);
    int32_t *lengths = arena_alloc(arena, count, sizeof *lengths, &part->err);
    real *last = arena_alloc(arena, count * width, sizeof *last, &part->err);
    if (ids == NULL || targets == NULL || lengths == NULL || last == NULL)
        return ERR_MEMORY;
    const struct rnn_batch batch = {.batch = count,
                                    .steps = steps,
                                    .lengths = lengths,
                                    .ids = ids,
                                    .first = state,
                                    .last = last,
                                    .targets = targets};
    for (size_t b = 0; b < count; b++)
        lengths[b] = (int32_t)steps;
    fill_chunk(stream, first, at, &batch, ids, targets);
    const int code =
        rnn_forward(stream->model, &batch, &plain, &rng, NULL, &sums, arena, &part->err);
    if (code < 0)
        return code;
    memcpy(state, last, count * width * sizeof *state);
    part->sums.negative_log += sums.negative_log;
    part->sums.tokens += sums.targets;
    return 0;
}

static void run_stream(void *context, int index)
{
    struct stream *stream = context;
    struct stream_part *part = &stream->parts[index];
    const size_t first = stream->pieces * (size_t)index / stream->threads;
    const size_t count = stream->pieces * ((size_t)index + 1) / stream->threads - first;
    struct arena arena;
    int code = 0;
    if (count == 0)
        return;
    const size_t most = CHUNK_TOKENS / count > 0 ? CHUNK_TOKENS / count : 1;
    const size_t chunk = most < CHUNK_STEPS ? most : CHUNK_STEPS;
    arena_init(&arena, ARENA_BLOCK);
    real *state =
        mem_alloc(count * recurrent_state(&stream->model->encoder), sizeof *state, &part->err);
    for (size_t at = 0; state != NULL && code == 0 && at < stream->reach; at += chunk) {
        const size_t steps = stream->reach - at < chunk ? stream->reach - at : chunk;
        code = read_chunk(stream, first, at, steps, count, state, part, &arena);
    }
    mem_free(state);
    arena_release(&arena);
}

int language_stream(const struct rnn *model, const int32_t *ids, size_t count, size_t lead,
                    size_t pieces, struct pool *pool, struct language_sums *sums, struct err *err)
{
    const size_t n = count > 0 ? count - 1 : 0, warm_up = pieces > 1 ? LANGUAGE_WARM_UP : 0;
    struct stream stream = {.model = model,
                            .ids = ids,
                            .predictions = n,
                            .lead = lead,
                            .threads = (size_t)pool_threads(pool)};
    *sums = (struct language_sums){0};
    stream.pieces = n > warm_up ? pieces : 1;
    stream.stride = stream.pieces > 1 ? (n - warm_up + pieces - 1) / pieces : n;
    stream.reach = stream.stride + (stream.pieces > 1 ? warm_up : 0);
    stream.parts = mem_alloc(stream.threads, sizeof *stream.parts, err);
    if (stream.parts == NULL)
        return ERR_MEMORY;
    pool_run(pool, run_stream, &stream);
    int code = 0;
    for (size_t t = 0; t < stream.threads && code == 0; t++) {
        const struct stream_part *part = &stream.parts[t];
        if (part->err.code != 0)
            code = err_set(err, part->err.code, "%s", part->err.message);
        sums->negative_log += part->sums.negative_log;
        sums->tokens += part->sums.tokens;
    }
    mem_free(stream.parts);
    return code;
}

/*
 * Lines
 */

static int fill_condition(const struct rnn *model, const struct language_text *texts, size_t count,
                          struct rnn_batch *batch, struct arena *arena, struct err *err)
{
    const size_t C = model->feature;
    if (model->condition == SPEC_CONDITION_NONE)
        return 0;
    int32_t *labels = arena_alloc(arena, count, sizeof *labels, err);
    real *features = arena_alloc(arena, count * C, sizeof *features, err);
    if (labels == NULL || features == NULL)
        return ERR_MEMORY;
    for (size_t b = 0; b < count; b++) {
        labels[b] = texts[b].label;
        if (!rnn_has_label(model))
            memcpy(features + b * C, texts[b].feature, C * sizeof *features);
    }
    batch->labels = labels;
    batch->features = rnn_has_label(model) ? NULL : features;
    return 0;
}

int language_batch(const struct rnn *model, const struct language_text *texts, const bool *cut,
                   size_t count, struct rnn_batch *batch, struct arena *arena, struct err *err)
{
    const size_t B = count;
    size_t S = 1;
    for (size_t b = 0; b < B; b++) {
        const size_t steps = texts[b].count + !(cut && cut[b]);
        S = steps > S ? steps : S;
    }
    int32_t *ids = arena_alloc(arena, S * B, sizeof *ids, err);
    int32_t *targets = arena_alloc(arena, S * B, sizeof *targets, err);
    int32_t *lengths = arena_alloc(arena, B, sizeof *lengths, err);
    if (ids == NULL || targets == NULL || lengths == NULL)
        return ERR_MEMORY;
    for (size_t b = 0; b < B; b++) {
        const struct language_text *text = &texts[b];
        const size_t steps = text->count + !(cut && cut[b]);
        lengths[b] = (int32_t)steps;
        for (size_t t = 0; t < S; t++) {
            const bool there = t < steps;
            ids[t * B + b] = !there ? TOKEN_PAD : t == 0 ? TOKEN_BOS : text->ids[t - 1];
            targets[t * B + b] = !there ? -1 : t < text->count ? text->ids[t] : TOKEN_EOS;
        }
    }
    *batch = (struct rnn_batch){
        .batch = B, .steps = S, .lengths = lengths, .ids = ids, .targets = targets};
    return fill_condition(model, texts, count, batch, arena, err);
}

struct place { /* a text, with its index in the caller's list to decide between equals */
    struct language_text text;
    size_t index;
};

struct lines {
    const struct rnn *model;
    struct language_text *sorted; /* [count] */
    size_t *begins;               /* [batches + 1] */
    struct language_sums *sums;   /* [batches] */
    struct err *errs;             /* [threads] */
    size_t batches, threads;
};

static int longer_first(const void *a, const void *b)
{
    const struct place *one = a, *other = b;
    if (one->text.count != other->text.count)
        return one->text.count > other->text.count ? -1 : 1;
    return one->index < other->index ? -1 : one->index > other->index;
}

static int sort_lines(struct lines *lines, const struct language_text *texts, size_t count,
                      struct err *err)
{
    struct place *places = mem_alloc(count, sizeof *places, err);
    if (places == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < count; i++)
        places[i] = (struct place){texts[i], i};
    qsort(places, count, sizeof *places, longer_first);
    for (size_t i = 0; i < count; i++) {
        const size_t begin = lines->begins[lines->batches];
        if (i > begin && (lines->sorted[begin].count + 1) * (i + 1 - begin) > CHUNK_TOKENS)
            lines->begins[++lines->batches] = i;
        lines->sorted[i] = places[i].text;
    }
    lines->begins[++lines->batches] = count;
    mem_free(places);
    return 0;
}

static int read_lines(const struct lines *lines, size_t at, struct arena *arena, struct err *err)
{
    const struct rnn_training plain = {.scale = 0};
    const size_t begin = lines->begins[at];
    struct rnn_sums sums = {0};
    struct rnn_batch batch;
    struct rng rng = {{0}};
    arena_reset(arena);
    int code = language_batch(lines->model, lines->sorted + begin, NULL,
                              lines->begins[at + 1] - begin, &batch, arena, err);
    if (code == 0)
        code = rnn_forward(lines->model, &batch, &plain, &rng, NULL, &sums, arena, err);
    lines->sums[at] = (struct language_sums){sums.negative_log, sums.targets};
    return code;
}

static void run_lines(void *context, int index)
{
    struct lines *lines = context;
    struct arena arena;
    int code = 0;
    arena_init(&arena, ARENA_BLOCK);
    for (size_t at = (size_t)index; code == 0 && at < lines->batches; at += lines->threads)
        code = read_lines(lines, at, &arena, &lines->errs[index]);
    arena_release(&arena);
}

int language_lines(const struct rnn *model, const struct language_text *texts, size_t count,
                   struct pool *pool, struct language_sums *sums, struct err *err)
{
    struct lines lines = {.model = model, .threads = (size_t)pool_threads(pool)};
    int code = ERR_MEMORY;
    *sums = (struct language_sums){0};
    if (count == 0)
        return 0;
    lines.sorted = mem_alloc(count, sizeof *lines.sorted, err);
    lines.begins = mem_alloc(count + 1, sizeof *lines.begins, err);
    lines.sums = mem_alloc(count, sizeof *lines.sums, err);
    lines.errs = mem_alloc(lines.threads, sizeof *lines.errs, err);
    if (lines.sorted && lines.begins && lines.sums && lines.errs)
        code = sort_lines(&lines, texts, count, err);
    if (code == 0)
        pool_run(pool, run_lines, &lines);
    for (size_t t = 0; t < lines.threads && code == 0; t++)
        if (lines.errs[t].code != 0)
            code = err_set(err, lines.errs[t].code, "%s", lines.errs[t].message);
    for (size_t i = 0; i < lines.batches && code == 0; i++) {
        sums->negative_log += lines.sums[i].negative_log;
        sums->tokens += lines.sums[i].tokens;
    }
    mem_free(lines.errs);
    mem_free(lines.sums);
    mem_free(lines.begins);
    mem_free(lines.sorted);
    return code;
}
