/*
 * The network's own inference runs, watched (nn/recurrent.h): what is seen is what the model does
 * in use. Values are kept as 16 bits, a column a token; the tokens of a text that make no
 * characters of their own (its beginning and end, and all but the last byte of a character that is
 * cut into bytes) have no column.
 */
#include "model/cells.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "model/language.h"
#include "model/rnn.h"
#include "model/seq2seq.h"
#include "nn/layer.h"
#include "text/utf8.h"

#define STREAM_BYTES                                                                               \
    16 /* of a stream's text for each token that is wanted: more are not looked at */
#define NO_COLUMN SIZE_MAX

struct watcher {
    struct cells *cells;
    const struct model *model;
    const struct recurrent *net;
    int32_t label;
    size_t capacity;       /* columns that there is room for: distance of `values` rows meanwhile */
    const size_t *columns; /* of the steps of the run under way */
    size_t first;          /* the step that the run calls 0 */
    struct encoded encoded;
    const char *text; /* the whole one */
};

static const struct recurrent *net_of(const struct model *model)
{
    if (model->rnn != NULL)
        return &model->rnn->encoder;
    return model->seq2seq != NULL ? &model->seq2seq->encoder : NULL;
}

static bool is_stream(const struct model *model)
{
    return model->spec.task == SPEC_GENERATION && model->spec.stream;
}

int cells_size(struct cells *cells, const struct model *model, struct err *err)
{
    const struct recurrent *net = net_of(model);
    *cells = (struct cells){.tokens = 0};
    if (net == NULL)
        return err_set(err, ERR_ARGUMENT, "%s is a bag of words: it has no cells", model->folder);
    if (model->spec.row > 0)
        return err_set(err, ERR_ARGUMENT, "%s reads numbers, not text", model->folder);
    const enum cell_kind kind = net->layer[0][0].kind;
    cells->layers = net->layers;
    cells->directions = net->directions;
    cells->vectors = cell_state(kind);
    cells->hidden = net->layer[0][0].hidden;
    cells->units = cells->layers * cells->directions * cells->vectors * cells->hidden;
    for (const char *letter = cell_letters(kind); *letter; letter++)
        if (*letter != 'g' && *letter != 'n')
            cells->gates[cells->gate_count++] = *letter;
    return 0;
}

struct cells_unit cells_unit(const struct cells *cells, size_t unit)
{
    const size_t vector = unit / cells->hidden, pair = vector / cells->vectors;
    return (struct cells_unit){.layer = pair / cells->directions,
                               .direction = pair % cells->directions,
                               .index = unit % cells->hidden,
                               .memory = vector % cells->vectors > 0};
}

void cells_release(struct cells *cells)
{
    mem_free(cells->open);
    mem_free(cells->shut);
    mem_free(cells->values);
    mem_free(cells->token);
    *cells = (struct cells){.tokens = 0};
}

/*
 * One step
 */

static int16_t scaled(real value)
{
    return (int16_t)lrint(CELLS_SCALE * fmax(-1, fmin(1, (double)value)));
}

static void keep_state(const struct watcher *watcher, size_t pair, size_t column, const real *state)
{
    const struct cells *cells = watcher->cells;
    const size_t count = cells->vectors * cells->hidden;
    const bool relu = watcher->net->layer[0][0].kind == CELL_RNN_RELU;
    int16_t *values = cells->values + pair * count * watcher->capacity + column;
    for (size_t i = 0; i < count; i++) {
        const bool bounded = i < cells->hidden && !relu;
        values[i * watcher->capacity] = scaled(bounded ? state[i] : real_tanh(state[i]));
    }
}

static void count_gates(const struct watcher *watcher, size_t pair, const real *gates)
{
    const struct cells *cells = watcher->cells;
    const size_t H = cells->hidden;
    const char *letters = cell_letters(watcher->net->layer[0][0].kind);
    size_t at = pair * cells->gate_count * H;
    for (size_t g = 0; letters[g]; g++) {
        if (letters[g] == 'g' || letters[g] == 'n')
            continue;
        for (size_t i = 0; i < H; i++, at++) {
            cells->shut[at] += gates[g * H + i] < (real)CELLS_SHUT;
            cells->open[at] += gates[g * H + i] > (real)CELLS_OPEN;
        }
    }
}

static void see_step(void *context, size_t layer, size_t direction, size_t t, const real *gates,
                     const real *state)
{
    const struct watcher *watcher = context;
    const size_t column = watcher->columns[watcher->first + t];
    const size_t pair = layer * watcher->cells->directions + direction;
    if (column == NO_COLUMN)
        return;
    keep_state(watcher, pair, column, state);
    count_gates(watcher, pair, gates);
}

/*
 * One text
 */

static int run_encoder(const struct watcher *watcher, const int32_t *ids, size_t steps,
                       const struct recurrent_watch *watch, struct err *err)
{
    const struct seq2seq *model = watcher->model->seq2seq;
    const struct dense embedding = seq2seq_source_embedding(model);
    const size_t stride = cell_stride(model->embedding);
    real *x = mem_alloc(steps, stride * sizeof *x, err);
    real *memory = mem_alloc(steps, cell_stride(model->memory) * sizeof *memory, err);
    real *last = mem_alloc(recurrent_state(watcher->net), sizeof *last, err);
    real *scratch = mem_alloc(recurrent_scratch(watcher->net, steps), sizeof *scratch, err);
    const bool fine = x != NULL && memory != NULL && last != NULL && scratch != NULL;
    for (size_t t = 0; fine && t < steps; t++)
        dense_row(&embedding, (size_t)ids[t], x + t * stride);
    if (fine)
        recurrent_encode_watched(watcher->net, steps, x, NULL, memory, last, scratch, watch);
    mem_free(scratch);
    mem_free(last);
    mem_free(memory);
    mem_free(x);
    return fine ? 0 : ERR_MEMORY;
}

/* A language model goes step by step: its outputs would take much room. */
static int run_walk(struct watcher *watcher, const struct rnn_input *input,
                    const struct recurrent_watch *watch, struct err *err)
{
    struct rnn_walk *walk;
    const float *outputs;
    int code = rnn_walk_new(&walk, watcher->model->rnn, input, err);
    if (code < 0)
        return code;
    rnn_walk_watch(walk, watch);
    for (size_t t = 0; t < input->count && code == 0; t++) {
        watcher->first = t;
        code = rnn_walk_step(walk, input->ids[t], &outputs, err);
    }
    watcher->first = 0;
    rnn_walk_free(walk);
    return code;
}

static int run(struct watcher *watcher, const int32_t *ids, size_t steps, struct err *err)
{
    const struct rnn *rnn = watcher->model->rnn;
    const struct recurrent_watch watch = {watcher, see_step};
    const struct rnn_trace trace = {.watch = &watch};
    const struct rnn_input input = {.count = steps, .ids = ids, .label = watcher->label};
    if (rnn == NULL)
        return run_encoder(watcher, ids, steps, &watch, err);
    if (watcher->model->spec.task == SPEC_GENERATION)
        return run_walk(watcher, &input, &watch, err);
    const bool pooled = rnn_is_pooled(rnn);
    float *outputs = mem_alloc(pooled ? 1 : steps, rnn->outputs * sizeof *outputs, err);
    if (outputs == NULL)
        return ERR_MEMORY;
    const int code = pooled ? rnn_pooled(rnn, &input, outputs, &trace, err)
                            : rnn_in_step(rnn, &input, outputs, &trace, err);
    mem_free(outputs);
    return code;
}

/* Gives the token its column, if it has one. False where there is no room for more. */
static bool place(struct watcher *watcher, size_t t, size_t begin, size_t *column)
{
    struct cells *cells = watcher->cells;
    const struct token *token = &watcher->encoded.tokens[t];
    const size_t shift = is_stream(watcher->model); /* the line feed that is put in front */
    const bool last = t + 1 == watcher->encoded.count;
    *column = NO_COLUMN;
    if (token->raw_begin == token->raw_end || token->raw_end <= shift ||
        (!last && token[1].raw_begin == token->raw_begin && token[1].raw_end == token->raw_end))
        return true;
    if (cells->tokens == watcher->capacity)
        return false;
    *column = cells->tokens++;
    cells->token[*column] =
        (struct cells_token){begin + token->raw_begin - shift, begin + token->raw_end - shift};
    cells->read = begin + token->raw_end - shift;
    return true;
}

static int encode(struct watcher *watcher, const char *text, size_t len, struct err *err)
{
    const struct tokenizer *tokenizer = watcher->model->tokenizer;
    size_t lead;
    if (is_stream(watcher->model))
        return language_encode(tokenizer, text, len, &watcher->encoded, &lead, err);
    return tokenizer_encode(tokenizer, text, len, &watcher->encoded, err);
}

/* Bytes [begin, begin + len) of the text, as a text of its own. */
static int read_text(struct watcher *watcher, size_t begin, size_t len, struct err *err)
{
    const struct spec *spec = &watcher->model->spec;
    const bool from_begin = spec->task == SPEC_GENERATION && !is_stream(watcher->model);
    const bool to_end = spec->task == SPEC_TRANSLATION;
    int code = encode(watcher, watcher->text + begin, len, err);
    if (code < 0 || watcher->encoded.count == 0)
        return code;
    const size_t count = watcher->encoded.count;
    int32_t *ids = mem_alloc(count + 2, sizeof *ids, err);
    size_t *columns = mem_alloc(count + 2, sizeof *columns, err), steps = 0;
    if (ids == NULL || columns == NULL) {
        code = ERR_MEMORY;
        goto out;
    }
    if (from_begin) {
        ids[steps] = TOKEN_BOS;
        columns[steps++] = NO_COLUMN;
    }
    for (size_t t = 0; t < count && place(watcher, t, begin, &columns[steps]); t++)
        ids[steps++] = watcher->encoded.tokens[t].id;
    if (to_end) {
        ids[steps] = TOKEN_EOS;
        columns[steps++] = NO_COLUMN;
    }
    watcher->columns = columns;
    code = run(watcher, ids, steps, err);
out:
    mem_free(columns);
    mem_free(ids);
    return code;
}

static int read_lines(struct watcher *watcher, size_t len, struct err *err)
{
    int code = 0;
    for (size_t at = 0; at < len && code == 0 && watcher->cells->tokens < watcher->capacity;) {
        const char *feed = memchr(watcher->text + at, '\n', len - at);
        const size_t line = feed == NULL ? len - at : (size_t)(feed - watcher->text) - at;
        code = read_text(watcher, at, line, err);
        at += line + 1;
    }
    return code;
}

/*
 * The whole
 */

static int find_label(const struct model *model, const char *name, int32_t *label, struct err *err)
{
    const struct spec *spec = &model->spec;
    const bool conditioned = model->rnn != NULL && model->rnn->condition != SPEC_CONDITION_NONE;
    *label = 0;
    if (conditioned && !rnn_has_label(model->rnn))
        return err_set(err, ERR_ARGUMENT, "%s needs a feature vector before it reads text",
                       model->folder);
    if (!conditioned)
        return name == NULL ? 0 : err_set(err, ERR_ARGUMENT, "%s takes no label", model->folder);
    for (size_t i = 0; name != NULL && i < spec->label_count; i++) {
        if (strcmp(spec->labels[i], name) == 0) {
            *label = (int32_t)i;
            return 0;
        }
    }
    return err_set(err, ERR_ARGUMENT, name ? "%s has no label '%s'" : "%s needs a label%s",
                   model->folder, name ? name : "");
}

static int make_room(struct watcher *watcher, size_t len, size_t limit, struct err *err)
{
    struct cells *cells = watcher->cells;
    const size_t gates = cells->layers * cells->directions * cells->gate_count * cells->hidden;
    size_t capacity = limit < CELLS_MAX_TOKENS ? limit : CELLS_MAX_TOKENS;
    if (capacity > len)
        capacity = len;
    if (capacity > CELLS_MAX_VALUES / cells->units)
        capacity = CELLS_MAX_VALUES / cells->units;
    watcher->capacity = capacity;
    cells->token = mem_alloc(capacity, sizeof *cells->token, err);
    cells->values = mem_alloc(capacity * cells->units, sizeof *cells->values, err);
    cells->shut = mem_alloc(gates, sizeof *cells->shut, err);
    cells->open = mem_alloc(gates, sizeof *cells->open, err);
    const bool fine =
        cells->token != NULL && cells->values != NULL && cells->shut != NULL && cells->open != NULL;
    return fine ? 0 : ERR_MEMORY;
}

/* The rows, now that it is known how many columns they have. */
static void close_up(const struct watcher *watcher)
{
    const struct cells *cells = watcher->cells;
    for (size_t u = 0; u < cells->units; u++)
        memmove(cells->values + u * cells->tokens, cells->values + u * watcher->capacity,
                cells->tokens * sizeof *cells->values);
}

/* So much of a stream as can be needed: whole characters. */
static size_t cut_stream(const char *text, size_t len, size_t tokens)
{
    size_t cut = tokens < len / STREAM_BYTES ? tokens * STREAM_BYTES : len;
    while (cut < len && ((unsigned char)text[cut] & 0xC0) == 0x80)
        cut++;
    return cut;
}

int cells_watch(struct cells *cells, const struct model *model, const char *text, size_t len,
                size_t limit, const char *label, struct err *err)
{
    struct watcher watcher = {.cells = cells, .model = model, .text = text};
    int code = cells_size(cells, model, err);
    if (code == 0)
        code = utf8_check(text, len, err);
    if (code == 0)
        code = find_label(model, label, &watcher.label, err);
    if (code == 0)
        code = make_room(&watcher, len, limit, err);
    if (code < 0)
        goto out;
    watcher.net = net_of(model);
    if (is_stream(model))
        code = read_text(&watcher, 0, cut_stream(text, len, watcher.capacity), err);
    else
        code = read_lines(&watcher, len, err);
    encoded_release(&watcher.encoded);
    close_up(&watcher);
    if (code == 0 && cells->tokens == 0)
        code = err_set(err, ERR_ARGUMENT, "the text has no token");
out:
    if (code < 0)
        cells_release(cells);
    return code;
}
