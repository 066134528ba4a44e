/*
 * The decoder as an object: which sentences are in flight, their rows, and their results.
 *
 * A step first encodes what has joined, then gathers the states of all live rows, each from the row
 * that it extends, then sends those that take part through the target side block by block. What a
 * step needs is allocated when the decoder is made and when a sentence joins; only results are
 * allocated when a sentence is done. Where that fails, the sentence stays, done, and the next step
 * tries again.
 */
#include "model/decode.h"

#include <math.h>
#include <string.h>

#include "model/decode_parts.h"
#include "text/token.h"

#define SENTENCE_BLOCK 65536 /* bytes; most sentences need one block */

/* Making --------------------------------------------------------------------------------------- */

static int check_ensemble(const struct ensemble *ensemble, size_t rows, struct err *err)
{
    if (ensemble->count < 1 || ensemble->count > DECODE_MAX_MODELS)
        return err_set(err, ERR_ARGUMENT, "%zu models, not 1 to %d", ensemble->count,
                       DECODE_MAX_MODELS);
    const size_t V = ensemble->models[0]->vocabulary;
    if (rows == 0 || V < TOKEN_FIRST)
        return err_set(err, ERR_ARGUMENT, "cannot decode with %zu rows and a vocabulary of %zu",
                       rows, V);
    for (size_t i = 1; i < ensemble->count; i++)
        if (ensemble->models[i]->row != ensemble->models[0]->row)
            return err_set(err, ERR_ARGUMENT, "models of rows of %zu and %zu numbers",
                           ensemble->models[0]->row, ensemble->models[i]->row);
    for (size_t i = 1; i < ensemble->count; i++)
        if (ensemble->models[i]->vocabulary != V)
            return err_set(err, ERR_ARGUMENT, "models with vocabularies of %zu and %zu", V,
                           ensemble->models[i]->vocabulary);
    return 0;
}

static int allocate(struct decoder *decoder, const struct ensemble *ensemble, struct err *err)
{
    const size_t rows = decoder->rows, block = decode_block(decoder);
    const size_t logits = cell_stride(decoder->vocabulary) * sizeof(real);
    decoder->networks = mem_alloc(ensemble->count, sizeof *decoder->networks, err);
    decoder->flight = mem_alloc(rows, sizeof *decoder->flight, err);
    decoder->live = mem_alloc(rows, sizeof *decoder->live, err);
    decoder->turns = mem_alloc(rows, sizeof *decoder->turns, err);
    decoder->parties = mem_alloc(rows, sizeof *decoder->parties, err);
    decoder->items = mem_alloc(decode_group(rows), sizeof *decoder->items, err);
    decoder->logits = mem_alloc(block, logits, err);
    if (!decoder->networks || !decoder->flight || !decoder->live || !decoder->turns ||
        !decoder->parties || !decoder->items || !decoder->logits)
        return ERR_MEMORY;
    for (; decoder->models < ensemble->count; decoder->models++)
        if (network_init(&decoder->networks[decoder->models], ensemble->models[decoder->models],
                         rows, block, err))
            return ERR_MEMORY;
    if (ensemble->count == 1)
        return 0;
    decoder->others = mem_alloc(block, logits, err);
    decoder->weights = mem_alloc(DECODE_MAX_SOURCE + 1, sizeof(real), err);
    return decoder->others && decoder->weights ? 0 : ERR_MEMORY;
}

struct decoder *decoder_new(const struct ensemble *ensemble, size_t rows, struct err *err)
{
    if (check_ensemble(ensemble, rows, err))
        return NULL;
    struct decoder *decoder = mem_alloc(1, sizeof *decoder, err);
    if (!decoder)
        return NULL;
    decoder->vocabulary = ensemble->models[0]->vocabulary;
    decoder->row = ensemble->models[0]->row;
    decoder->rows = rows;
    decoder->outcomes_end = &decoder->outcomes;
    if (allocate(decoder, ensemble, err)) {
        decoder_free(decoder);
        return NULL;
    }
    return decoder;
}

static void sentence_free(struct sentence *sentence)
{
    if (!sentence)
        return;
    arena_release(&sentence->arena);
    mem_free(sentence);
}

void decoder_free(struct decoder *decoder)
{
    if (!decoder)
        return;
    for (size_t i = 0; i < decoder->flight_count; i++)
        sentence_free(decoder->flight[i]);
    struct decode_result *result;
    while ((result = decoder_take(decoder)))
        decode_result_free(result);
    for (size_t i = 0; i < decoder->models; i++)
        network_release(&decoder->networks[i]);
    mem_free(decoder->networks);
    mem_free(decoder->weights);
    mem_free(decoder->others);
    mem_free(decoder->logits);
    mem_free(decoder->items);
    mem_free(decoder->parties);
    mem_free(decoder->turns);
    mem_free(decoder->live);
    mem_free(decoder->flight);
    mem_free(decoder);
}

/* Joining -------------------------------------------------------------------------------------- */

static int check_options(const struct decoder *decoder, const struct decode_options *options,
                         struct err *err)
{
    const size_t beam = options->beam;
    const double penalty = options->length_penalty;
    if (beam < 1 || beam > DECODE_MAX_BEAM)
        return err_set(err, ERR_ARGUMENT, "beam is %zu, not 1 to %d", beam, DECODE_MAX_BEAM);
    if (options->nbest < 1 || options->nbest > beam)
        return err_set(err, ERR_ARGUMENT, "nbest is %zu, not 1 to the beam, %zu", options->nbest,
                       beam);
    if (!(penalty >= 0 && penalty <= DECODE_MAX_LENGTH_PENALTY))
        return err_set(err, ERR_ARGUMENT, "length_penalty is %g, not 0 to %g", penalty,
                       DECODE_MAX_LENGTH_PENALTY);
    if (options->max_length > DECODE_MAX_LENGTH)
        return err_set(err, ERR_LIMIT, "max_length is %zu, more than %d", options->max_length,
                       DECODE_MAX_LENGTH);
    if (beam > decoder->rows)
        return err_set(err, ERR_LIMIT, "a beam of %zu does not fit a decoder of %zu rows", beam,
                       decoder->rows);
    return 0;
}

/* A sentence's source, before it is copied: one of the two. */
struct source {
    const int32_t *ids;
    const float *rows; /* [count, width] */
    size_t count, width;
};

static int check_source(const struct decoder *decoder, const struct source *source, struct err *err)
{
    if (source->count > DECODE_MAX_SOURCE)
        return err_set(err, ERR_LIMIT, "a sentence of %zu %s, more than %d", source->count,
                       source->rows ? "rows" : "tokens", DECODE_MAX_SOURCE);
    if (source->width != decoder->row)
        return err_set(err, ERR_ARGUMENT, "rows of %zu numbers, not of %zu", source->width,
                       decoder->row);
    for (size_t i = 0; source->ids && i < source->count; i++)
        if (source->ids[i] < 0 || (size_t)source->ids[i] >= decoder->vocabulary)
            return err_set(err, ERR_ARGUMENT, "token %zu of the source has the id %d of %zu", i,
                           (int)source->ids[i], decoder->vocabulary);
    for (size_t i = 0; source->rows && i < source->count * source->width; i++)
        if (!isfinite(source->rows[i]))
            return err_set(err, ERR_ARGUMENT, "row %zu, column %zu is not finite",
                           i / source->width + 1, i % source->width + 1);
    return 0;
}

static int sentence_allocate(struct sentence *sentence, const struct decoder *decoder,
                             struct err *err)
{
    const size_t S = sentence->steps, beam = sentence->options.beam;
    const size_t longest = sentence->options.max_length;
    struct arena *arena = &sentence->arena;
    bool attends = false;
    sentence->source = arena_alloc(arena, S, sizeof(int32_t), err);
    sentence->rows = arena_alloc(arena, S, cell_stride(decoder->row) * sizeof(real), err);
    sentence->extensions = arena_alloc(arena, longest * beam, sizeof(struct extension), err);
    sentence->encodings = arena_alloc(arena, decoder->models, sizeof(struct encoding), err);
    if (!sentence->source || !sentence->rows || !sentence->extensions || !sentence->encodings)
        return ERR_MEMORY;
    for (size_t i = 0; i < decoder->models; i++) {
        const struct network *network = &decoder->networks[i];
        attends |= network->model->attends;
        if (network_allocate_encoding(network, S, &sentence->encodings[i], arena, err))
            return ERR_MEMORY;
    }
    if (!attends)
        return 0;
    sentence->attention =
        arena_alloc(arena, (longest + 1) * beam, cell_stride(S) * sizeof(real), err);
    return sentence->attention ? 0 : ERR_MEMORY;
}

static void copy_source(struct sentence *sentence, const struct source *source)
{
    if (source->ids) {
        memcpy(sentence->source, source->ids, source->count * sizeof *source->ids);
        sentence->source[source->count] = TOKEN_EOS;
    }
    for (size_t i = 0; source->rows && i < source->count * source->width; i++)
        sentence->rows[i / source->width * cell_stride(source->width) + i % source->width] =
            (real)source->rows[i];
}

static struct sentence *sentence_new(const struct decoder *decoder, const struct source *source,
                                     const struct decode_options *options, void *tag,
                                     struct err *err)
{
    struct sentence *sentence = mem_alloc(1, sizeof *sentence, err);
    if (!sentence)
        return NULL;
    arena_init(&sentence->arena, SENTENCE_BLOCK);
    sentence->tag = tag;
    sentence->options = *options;
    if (options->max_length == 0)
        sentence->options.max_length = source->rows ? DECODE_ROWS_LENGTH : 2 * source->count + 10;
    sentence->source_count = source->count;
    sentence->steps = source->count + (source->rows ? 0 : 1);
    sentence->live = 1;
    if (sentence_allocate(sentence, decoder, err)) {
        sentence_free(sentence);
        return NULL;
    }
    copy_source(sentence, source);
    return sentence;
}

static void outcome_append(struct decoder *decoder, struct outcome *outcome)
{
    *decoder->outcomes_end = outcome;
    decoder->outcomes_end = &outcome->next;
}

/* Nothing translates to nothing, with score 0. */
static int join_empty(struct decoder *decoder, void *tag, struct err *err)
{
    const struct sentence empty = {
        .tag = tag, .options = {.beam = 1, .nbest = 1}, .steps = 1, .ending_count = 1};
    struct outcome *outcome;
    if (beam_trace(&empty, &outcome, err))
        return ERR_MEMORY;
    outcome_append(decoder, outcome);
    return 0;
}

static int join(struct decoder *decoder, const struct source *source,
                const struct decode_options *options, void *tag, struct err *err)
{
    int status = check_options(decoder, options, err);
    if (!status)
        status = check_source(decoder, source, err);
    if (status)
        return status;
    if (source->count == 0)
        return join_empty(decoder, tag, err);
    if (options->beam > decoder_free_rows(decoder))
        return err_set(err, ERR_BUSY, "%zu rows are free, a beam of %zu does not fit",
                       decoder_free_rows(decoder), options->beam);
    struct sentence *sentence = sentence_new(decoder, source, options, tag, err);
    if (!sentence)
        return ERR_MEMORY;
    status = decode_check(decoder, sentence, err);
    if (status) {
        sentence_free(sentence);
        return status;
    }
    decoder->flight[decoder->flight_count++] = sentence;
    decoder->reserved += options->beam;
    return 0;
}

int decoder_join(struct decoder *decoder, const int32_t *source, size_t count,
                 const struct decode_options *options, void *tag, struct err *err)
{
    return join(decoder, &(struct source){.ids = source, .count = count}, options, tag, err);
}

int decoder_join_rows(struct decoder *decoder, const float *rows, size_t count, size_t width,
                      const struct decode_options *options, void *tag, struct err *err)
{
    return join(decoder, &(struct source){.rows = rows, .count = count, .width = width}, options,
                tag, err);
}

size_t decoder_free_rows(const struct decoder *decoder)
{
    return decoder->rows - decoder->reserved;
}

bool decoder_idle(const struct decoder *decoder)
{
    return decoder->flight_count == 0 && !decoder->outcomes;
}

struct decoder_load decoder_load(const struct decoder *decoder)
{
    struct decoder_load load = decoder->load;
    load.in_flight = decoder->flight_count;
    return load;
}

/* Encoding ------------------------------------------------------------------------------------- */

/* Keeps the list in order, the longest first. */
static void insert_by_length(struct sentence **list, size_t count, struct sentence *sentence)
{
    size_t i = count;
    for (; i > 0 && list[i - 1]->steps < sentence->steps; i--)
        list[i] = list[i - 1];
    list[i] = sentence;
}

/* Those that wait longest, as many as fit: others sit out this step, so that those who are under
   way never wait for more than that. */
static void encode(struct decoder *decoder)
{
    struct sentence *list[DECODE_ENCODE_SENTENCES];
    size_t count = 0, steps = 0;
    for (size_t i = 0; i < decoder->flight_count; i++) {
        struct sentence *sentence = decoder->flight[i];
        if (sentence->encoded)
            continue;
        steps += sentence->steps;
        if (steps > DECODE_MAX_SOURCE + 1 || count == decode_group(decoder->rows))
            break;
        insert_by_length(list, count++, sentence);
        sentence->encoded = true;
    }
    decoder->load.encoded = count;
    if (count > 0)
        decode_encode(decoder, list, count);
}

/* Stepping ------------------------------------------------------------------------------------- */

static void leave(struct decoder *decoder, size_t i)
{
    struct sentence *sentence = decoder->flight[i];
    decoder->reserved -= sentence->options.beam;
    decoder->flight_count--;
    memmove(decoder->flight + i, decoder->flight + i + 1,
            (decoder->flight_count - i) * sizeof *decoder->flight);
    sentence_free(sentence);
}

/* Sentences that are done become results, in order of joining. */
static int collect(struct decoder *decoder, struct err *err)
{
    for (size_t i = 0; i < decoder->flight_count;) {
        struct outcome *outcome;
        if (!decoder->flight[i]->done) {
            i++;
            continue;
        }
        if (beam_trace(decoder->flight[i], &outcome, err))
            return ERR_MEMORY;
        outcome_append(decoder, outcome);
        leave(decoder, i);
    }
    return 0;
}

/* Which sentences take part. */
static void choose(struct decoder *decoder)
{
    size_t count = 0;
    for (size_t i = 0; i < decoder->flight_count; i++)
        if (decoder->flight[i]->encoded)
            decoder->turns[count++] = (struct turn_item){.party = decoder->flight[i]->options.party,
                                                         .rows = decoder->flight[i]->options.beam};
    turn_choose(decoder->turns, count, decoder->rows, DECODE_SPREAD, decoder->parties);
    for (size_t i = 0, at = 0; i < decoder->flight_count; i++) {
        struct sentence *sentence = decoder->flight[i];
        sentence->runs = sentence->encoded && decoder->turns[at++].takes_part;
    }
}

/* The row of states that a live row goes on from; none before the first token. */
static size_t row_before(const struct sentence *sentence, size_t row)
{
    const size_t at = (sentence->length - 1) * sentence->options.beam + row;
    return sentence->first_row + (sentence->held ? row : sentence->extensions[at].parent);
}

/* The states of all live rows, packed. */
static void gather_states(const struct decoder *decoder, size_t i, size_t rows)
{
    struct network *network = &decoder->networks[i];
    const size_t width = network->state;
    for (size_t r = 0; r < rows; r++) {
        const struct live_row *live = &decoder->live[r];
        const real *before = live->sentence->length == 0
                                 ? live->sentence->encodings[i].first
                                 : network->states + row_before(live->sentence, live->row) * width;
        memcpy(network->gathered + r * width, before, width * sizeof(real));
    }
    real *before = network->states;
    network->states = network->gathered;
    network->gathered = before;
}

/* Appends the live rows of those sentences that run, or of those that do not. */
static size_t list_rows(struct decoder *decoder, bool runs, size_t rows)
{
    for (size_t i = 0; i < decoder->flight_count; i++) {
        struct sentence *sentence = decoder->flight[i];
        for (size_t row = 0; sentence->encoded && sentence->runs == runs && row < sentence->live;
             row++)
            decoder->live[rows++] = (struct live_row){.sentence = sentence, .row = row};
    }
    return rows;
}

/* Packs the live rows of all sentences, first those that run; returns the number of these. */
static size_t gather(struct decoder *decoder)
{
    const size_t running = list_rows(decoder, true, 0), rows = list_rows(decoder, false, running);
    for (size_t i = 0; i < decoder->models; i++)
        gather_states(decoder, i, rows);
    for (size_t r = 0; r < rows; r++)
        if (decoder->live[r].row == 0) {
            decoder->live[r].sentence->first_row = r;
            decoder->live[r].sentence->held = !decoder->live[r].sentence->runs;
        }
    return running;
}

int decoder_step(struct decoder *decoder, struct err *err)
{
    if (collect(decoder, err)) /* what an earlier step could not */
        return ERR_MEMORY;
    encode(decoder);
    choose(decoder);
    const size_t rows = gather(decoder), block = decode_block(decoder);
    for (size_t first = 0; first < rows; first += block)
        decode_advance(decoder, first, rows - first < block ? rows - first : block);
    decoder->load.rows = rows;
    decoder->load.sentences = 0;
    for (size_t i = 0; i < decoder->flight_count; i++)
        if (decoder->flight[i]->runs) {
            beam_choose(decoder->flight[i]);
            decoder->load.sentences++;
        }
    return collect(decoder, err);
}

/* Leaving -------------------------------------------------------------------------------------- */

static struct outcome *outcome_unlink(struct decoder *decoder, struct outcome **link)
{
    struct outcome *outcome = *link;
    *link = outcome->next;
    if (!*link)
        decoder->outcomes_end = link;
    outcome->next = NULL;
    return outcome;
}

struct decode_result *decoder_take(struct decoder *decoder)
{
    if (!decoder->outcomes)
        return NULL;
    return &outcome_unlink(decoder, &decoder->outcomes)->result;
}

void decode_result_free(struct decode_result *result)
{
    if (!result)
        return;
    for (size_t i = 0; i < result->count; i++) {
        mem_free(result->hypotheses[i].ids);
        mem_free(result->hypotheses[i].attention);
    }
    mem_free(result);
}

void decoder_cancel(struct decoder *decoder, const void *tag)
{
    for (size_t i = 0; i < decoder->flight_count;)
        if (decoder->flight[i]->tag == tag)
            leave(decoder, i);
        else
            i++;
    for (struct outcome **link = &decoder->outcomes; *link;)
        if ((*link)->result.tag == tag)
            decode_result_free(&outcome_unlink(decoder, link)->result);
        else
            link = &(*link)->next;
}
