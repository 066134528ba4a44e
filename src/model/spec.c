/*
 * model.json, read. Reading is by a small set of getters over jansson's tree; each checks type and
 * range and names the key by its full path ("architecture.encoder.hidden"), so that
 * the functions below read as the list of what a bundle may say. Unknown keys are ignored.
 */
#include "model/spec.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "model/spec_names.h"
#include "model/spec_parts.h"

#define MAX_LABEL_BYTES 256
#define MAX_LENGTH_PENALTY 10.0
#define MAX_BEAM 16
#define MAX_OUTPUT 1e30
#define FRESH                                                                                      \
    {                                                                                              \
        .beam = 5, .length_penalty = 1, .temperature = 1, .deviation = 1                           \
    }

const char *const spec_task_names[] = {"translation", "classification", "tagging",
                                       "regression",  "generation",     NULL};
const char *const spec_kind_names[] = {"seq2seq", "rnn", "bag-of-words", NULL};
const char *const spec_pooling_names[] = {"last", "mean", "max", "attention", NULL};
const char *const spec_condition_names[] = {"none", "first", "every", NULL};
const char *const spec_token_names[] = {"word", "bpe", "char", NULL};
const char *const spec_form_names[] = {"nfc", "nfkc", NULL};
const char *const spec_decoder_names[] = {"plain", "input-feeding", "conditional", NULL};
const char *const spec_bridge_names[] = {"last", "mean", NULL};
const char *const spec_tying_names[] = {"none", "two-way", "three-way", NULL};
const char *const spec_weights_names[] = {"f32", "int8", "f16", NULL};

const char *spec_task_name(enum spec_task task)
{
    return spec_task_names[task];
}

const char *spec_kind_name(enum spec_kind kind)
{
    return spec_kind_names[kind];
}

enum spec_weights spec_small_weights(enum spec_kind kind)
{
    return kind == SPEC_BAG_OF_WORDS ? SPEC_WEIGHTS_F16 : SPEC_WEIGHTS_INT8;
}

const json_t *node_member(struct node node, const char *key, json_type type, struct err *err)
{
    static const char *const types[] = {"an object", "an array",      "a text", "an integer",
                                        "a number",  "true or false", "null"};
    const json_t *value = json_object_get(node.object, key);
    if (value == NULL) {
        err_set(err, ERR_FORMAT, "key \"%s%s\" is missing", node.path, key);
        return NULL;
    }
    json_type actual = json_typeof(value);
    if (actual == JSON_FALSE)
        actual = JSON_TRUE;
    if (actual == JSON_INTEGER && type == JSON_REAL)
        actual = JSON_REAL;
    if (actual != type) {
        err_set(err, ERR_FORMAT, "key \"%s%s\" must be %s", node.path, key, types[type]);
        return NULL;
    }
    return value;
}

int node_object(struct node node, const char *key, const char *path, struct node *child,
                struct err *err)
{
    child->path = path;
    child->object = node_member(node, key, JSON_OBJECT, err);
    return child->object == NULL ? ERR_FORMAT : 0;
}

int node_size(struct node node, const char *key, size_t min, size_t max, size_t *size,
              struct err *err)
{
    const json_t *value = node_member(node, key, JSON_INTEGER, err);
    if (value == NULL)
        return ERR_FORMAT;
    json_int_t number = json_integer_value(value);
    if (number < (json_int_t)min || number > (json_int_t)max)
        return err_set(err, ERR_LIMIT, "key \"%s%s\" is %lld, allowed are %zu to %zu", node.path,
                       key, (long long)number, min, max);
    *size = (size_t)number;
    return 0;
}

int node_real(struct node node, const char *key, double min, double max, double *result,
              struct err *err)
{
    const json_t *value = node_member(node, key, JSON_REAL, err);
    if (value == NULL)
        return ERR_FORMAT;
    double number = json_number_value(value);
    if (!(number >= min && number <= max))
        return err_set(err, ERR_LIMIT, "key \"%s%s\" is %g, allowed are %g to %g", node.path, key,
                       number, min, max);
    *result = number;
    return 0;
}

int node_flag(struct node node, const char *key, bool *flag, struct err *err)
{
    const json_t *value = node_member(node, key, JSON_TRUE, err);
    if (value == NULL)
        return ERR_FORMAT;
    *flag = json_is_true(value);
    return 0;
}

int node_choice(struct node node, const char *key, const char *const *words, int *choice,
                struct err *err)
{
    const json_t *value = node_member(node, key, JSON_STRING, err);
    if (value == NULL)
        return ERR_FORMAT;
    struct buf known = BUF_INIT;
    int code = 0;
    for (int i = 0; words[i] != NULL && code == 0; i++) {
        if (strcmp(words[i], json_string_value(value)) == 0) {
            *choice = i;
            buf_release(&known);
            return 0;
        }
        code = buf_printf(&known, err, "%s\"%s\"", i == 0 ? "" : ", ", words[i]);
    }
    if (code == 0)
        code = err_set(err, ERR_FORMAT, "key \"%s%s\" has an unknown value, known are %s",
                       node.path, key, known.data);
    buf_release(&known);
    return code;
}

static bool name_is_valid(const char *name)
{
    static const char first[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    static const char rest[] = "abcdefghijklmnopqrstuvwxyz0123456789._-";
    size_t len = strlen(name);
    return len >= 1 && len <= 64 && strchr(first, name[0]) != NULL && strspn(name, rest) == len;
}

/* The shape of a BCP 47 tag: subtags of 1 to 8 ASCII letters and digits between hyphens. */
static bool language_is_valid(const char *tag)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
    if (strlen(tag) > 35)
        return false;
    for (;;) {
        size_t len = strspn(tag, letters);
        if (len < 1 || len > 8)
            return false;
        if (tag[len] == '\0')
            return true;
        if (tag[len] != '-')
            return false;
        tag += len + 1;
    }
}

static int read_name(struct spec *spec, struct node root, struct err *err)
{
    const json_t *value = node_member(root, "name", JSON_STRING, err);
    if (value == NULL)
        return ERR_FORMAT;
    if (!name_is_valid(json_string_value(value)))
        return err_set(err, ERR_FORMAT,
                       "key \"name\" must be 1 to 64 of a-z, 0-9, '.', '_', '-', and begin with a "
                       "letter or digit");
    memcpy(spec->name, json_string_value(value), json_string_length(value) + 1);
    return 0;
}

static int read_language(struct node root, const char *key, char *language, struct err *err)
{
    const json_t *value = node_member(root, key, JSON_STRING, err);
    if (value == NULL)
        return ERR_FORMAT;
    if (!language_is_valid(json_string_value(value)))
        return err_set(err, ERR_FORMAT, "key \"%s\" must be a language tag like \"en\"", key);
    memcpy(language, json_string_value(value), json_string_length(value) + 1);
    return 0;
}

/* Labels are printed before a tab, one a line: no control characters. */
static bool label_is_valid(const char *label)
{
    size_t len = strlen(label);
    if (len < 1 || len > MAX_LABEL_BYTES)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)label[i] < 0x20 || label[i] == 0x7f)
            return false;
    return true;
}

static int read_label(struct spec *spec, const json_t *value, struct err *err)
{
    size_t index = spec->label_count;
    if (!json_is_string(value) || !label_is_valid(json_string_value(value)))
        return err_set(err, ERR_FORMAT,
                       "key \"labels\", entry %zu: must be a text of 1 to %d bytes without "
                       "control characters",
                       index, MAX_LABEL_BYTES);
    for (size_t i = 0; i < index; i++)
        if (strcmp(spec->labels[i], json_string_value(value)) == 0)
            return err_set(err, ERR_FORMAT, "key \"labels\", entry %zu is the same as entry %zu",
                           index, i);
    spec->labels[index] = mem_copy_text(json_string_value(value), json_string_length(value), err);
    if (spec->labels[index] == NULL)
        return ERR_MEMORY;
    spec->label_count++;
    return 0;
}

static int read_labels(struct spec *spec, struct node root, struct err *err)
{
    const json_t *array = node_member(root, "labels", JSON_ARRAY, err);
    if (array == NULL)
        return ERR_FORMAT;
    size_t count = json_array_size(array);
    if (count < 2 || count > SPEC_MAX_LABELS)
        return err_set(err, ERR_LIMIT, "key \"labels\" has %zu entries, allowed are 2 to %d", count,
                       SPEC_MAX_LABELS);
    spec->labels = mem_alloc(count, sizeof *spec->labels, err);
    if (spec->labels == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < count; i++) {
        int code = read_label(spec, json_array_get(array, i), err);
        if (code < 0)
            return code;
    }
    return 0;
}

static int read_tokenizer(struct spec *spec, struct node root, struct err *err)
{
    struct node node;
    int kind = 0, form = 0, code;
    if ((code = node_object(root, "tokenizer", "tokenizer.", &node, err)) < 0 ||
        (code = node_choice(node, "kind", spec_token_names, &kind, err)) < 0 ||
        (code = node_choice(node, "form", spec_form_names, &form, err)) < 0 ||
        (code = node_flag(node, "fold", &spec->tokenizer.fold, err)) < 0)
        return code;
    spec->tokenizer.kind = (enum token_kind)kind;
    spec->tokenizer.form = (enum norm_form)form;
    return 0;
}

/* What encoder and decoder have in common. */
static int read_recurrent(struct node node, size_t least, struct spec_recurrent *net,
                          struct err *err)
{
    int cell = 0, norm = 0, code;
    if ((code = node_choice(node, "cell", cell_names, &cell, err)) < 0 ||
        (code = node_size(node, "layers", least, RECURRENT_MAX_LAYERS, &net->layers, err)) < 0 ||
        (code = node_size(node, "hidden", 1, SPEC_MAX_SIZE, &net->hidden, err)) < 0 ||
        (code = node_flag(node, "residual", &net->residual, err)) < 0 ||
        (code = node_choice(node, "norm", cell_norm_names, &norm, err)) < 0)
        return code;
    net->cell = (enum cell_kind)cell;
    net->norm = (enum cell_norm)norm;
    return 0;
}

static int read_encoder(struct spec *spec, struct node architecture, struct err *err)
{
    /* Attention can read rows as they are. */
    const size_t least = spec->kind == SPEC_SEQ2SEQ && spec->row > 0 ? 0 : 1;
    struct node encoder;
    int code;
    if ((code = node_size(architecture, "embedding", 1, SPEC_MAX_SIZE, &spec->embedding, err)) <
            0 ||
        (code = node_object(architecture, "encoder", "architecture.encoder.", &encoder, err)) < 0 ||
        (code = read_recurrent(encoder, least, &spec->encoder, err)) < 0)
        return code;
    return node_flag(encoder, "bidirectional", &spec->encoder.bidirectional, err);
}

/* Width of the states that a decoder's attention reads. */
static size_t memory_width(const struct spec *spec)
{
    if (spec->encoder.layers == 0)
        return spec->embedding;
    return spec->encoder.hidden * (spec->encoder.bidirectional ? 2 : 1);
}

static int check_rows(const struct spec *spec, struct err *err)
{
    if (spec->row > 0 && spec->tying == SPEC_TYING_THREE_WAY)
        return err_set(err, ERR_FORMAT,
                       "key \"architecture.tying\" is \"three-way\", but rows have no embedding");
    if (spec->encoder.layers == 0 && spec->bridge == SPEC_BRIDGE_LAST)
        return err_set(err, ERR_FORMAT,
                       "key \"architecture.bridge\" is \"last\", but the encoder has no layers");
    return 0;
}

/* Settings that do not go together. */
static int check_decoder(const struct spec *spec, struct err *err)
{
    if (spec->attention == ATTENTION_NONE && spec->decoder_kind != SPEC_DECODER_PLAIN)
        return err_set(err, ERR_FORMAT,
                       "key \"architecture.attention\" is \"none\", but a \"%s\" decoder needs one",
                       spec_decoder_names[spec->decoder_kind]);
    const size_t memory = memory_width(spec);
    if (spec->attention == ATTENTION_DOT && memory != spec->decoder.hidden)
        return err_set(err, ERR_FORMAT,
                       "key \"architecture.attention\" is \"dot\", but the encoder's states have "
                       "the size %zu and the decoder's %zu",
                       memory, spec->decoder.hidden);
    return check_rows(spec, err);
}

static int read_decoder(struct spec *spec, struct node architecture, struct err *err)
{
    struct node decoder;
    int kind = 0, attention = 0, bridge = 0, tying = 0, code;
    if ((code = node_object(architecture, "decoder", "architecture.decoder.", &decoder, err)) < 0 ||
        (code = node_choice(decoder, "kind", spec_decoder_names, &kind, err)) < 0 ||
        (code = read_recurrent(decoder, 1, &spec->decoder, err)) < 0 ||
        (code = node_choice(architecture, "attention", attention_names, &attention, err)) < 0 ||
        (code = node_choice(architecture, "bridge", spec_bridge_names, &bridge, err)) < 0 ||
        (code = node_flag(architecture, "deep_output", &spec->deep_output, err)) < 0 ||
        (code = node_choice(architecture, "tying", spec_tying_names, &tying, err)) < 0)
        return code;
    spec->decoder_kind = (enum spec_decoder)kind;
    spec->attention = (enum attention_kind)attention;
    spec->bridge = (enum spec_bridge)bridge;
    spec->tying = (enum spec_tying)tying;
    return check_decoder(spec, err);
}

static int read_condition(struct spec *spec, struct node architecture, struct err *err)
{
    struct node node;
    int condition = 0, code;
    if ((code = node_object(architecture, "condition", "architecture.condition.", &node, err)) <
            0 ||
        (code = node_choice(node, "at", spec_condition_names, &condition, err)) < 0)
        return code;
    spec->condition = (enum spec_condition)condition;
    if (spec->condition != SPEC_CONDITION_NONE)
        return node_size(node, "size", 1, SPEC_MAX_SIZE, &spec->feature, err);
    if (spec->label_count > 0)
        return err_set(err, ERR_FORMAT,
                       "key \"architecture.condition.at\" is \"none\", but there are \"labels\"");
    return 0;
}

/* Settings of an rnn that do not go together. */
static int check_rnn(const struct spec *spec, struct err *err)
{
    const size_t width = spec->encoder.hidden;
    if (spec->task != SPEC_GENERATION)
        return 0;
    if (spec->row > 0 || spec->encoder.bidirectional)
        return err_set(err, ERR_FORMAT,
                       "the task \"generation\" needs tokens and an encoder of one direction");
    if (spec->tied && spec->embedding != width)
        return err_set(err, ERR_FORMAT,
                       "key \"architecture.tied\" needs an embedding of the hidden size, %zu, not "
                       "%zu",
                       width, spec->embedding);
    return 0;
}

static int read_rnn(struct spec *spec, struct node architecture, struct err *err)
{
    int code = read_encoder(spec, architecture, err), pooling = 0;
    if (code < 0)
        return code;
    if (spec->task == SPEC_CLASSIFICATION || spec->task == SPEC_REGRESSION) {
        code = node_choice(architecture, "pooling", spec_pooling_names, &pooling, err);
        spec->pooling = (enum spec_pooling)pooling;
    } else if (spec->task == SPEC_GENERATION) {
        code = read_condition(spec, architecture, err);
        if (code == 0)
            code = node_flag(architecture, "tied", &spec->tied, err);
    }
    return code < 0 ? code : check_rnn(spec, err);
}

static int read_kind(struct spec *spec, struct node architecture, struct err *err)
{
    int code;
    switch (spec->kind) {
    case SPEC_SEQ2SEQ:
        code = read_encoder(spec, architecture, err);
        return code < 0 ? code : read_decoder(spec, architecture, err);
    case SPEC_RNN:
        return read_rnn(spec, architecture, err);
    case SPEC_BAG_OF_WORDS:
        return spec_read_bag(&spec->bag, architecture, err);
    }
    return err_set(err, ERR_INTERNAL, "architecture %d is unknown", (int)spec->kind);
}

bool spec_does(enum spec_kind kind, enum spec_task task, size_t row)
{
    switch (kind) {
    case SPEC_SEQ2SEQ: /* rows become text: generation with attention over them */
        return task == (row > 0 ? SPEC_GENERATION : SPEC_TRANSLATION);
    case SPEC_RNN:
        return task != SPEC_TRANSLATION;
    case SPEC_BAG_OF_WORDS:
        return task == SPEC_CLASSIFICATION && row == 0;
    }
    return false;
}

static int read_architecture(struct spec *spec, struct node root, struct err *err)
{
    struct node node;
    int kind = 0, code;
    if ((code = node_object(root, "architecture", "architecture.", &node, err)) < 0 ||
        (code = node_choice(node, "kind", spec_kind_names, &kind, err)) < 0 ||
        (code = node_size(node, "vocabulary", TOKEN_FIRST, SPEC_MAX_VOCABULARY, &spec->vocabulary,
                          err)) < 0)
        return code;
    spec->kind = (enum spec_kind)kind;
    if (json_object_get(node.object, "row") != NULL &&
        (code = node_size(node, "row", 0, SPEC_MAX_SIZE, &spec->row, err)) < 0)
        return code;
    if (!spec_does(spec->kind, spec->task, spec->row))
        return err_set(err, ERR_FORMAT,
                       "key \"architecture.kind\": a \"%s\" does not do the task \"%s\"",
                       spec_kind_name(spec->kind), spec_task_name(spec->task));
    return read_kind(spec, node, err);
}

static int read_decoding(struct spec *spec, struct node root, struct err *err)
{
    struct node node;
    int code;
    spec->beam = 5;
    spec->length_penalty = 1.0;
    if (json_object_get(root.object, "decoding") == NULL)
        return 0;
    if ((code = node_object(root, "decoding", "decoding.", &node, err)) < 0)
        return code;
    if (json_object_get(node.object, "beam") != NULL &&
        (code = node_size(node, "beam", 1, MAX_BEAM, &spec->beam, err)) < 0)
        return code;
    if (json_object_get(node.object, "length_penalty") != NULL)
        return node_real(node, "length_penalty", 0.0, MAX_LENGTH_PENALTY, &spec->length_penalty,
                         err);
    return 0;
}

static int read_card(struct spec *spec, struct node root, struct err *err)
{
    struct node card;
    if (json_object_get(root.object, "card") == NULL) {
        spec->card = mem_copy_text("{}", 2, err);
        return spec->card == NULL ? ERR_MEMORY : 0;
    }
    if (node_object(root, "card", "card.", &card, err) < 0)
        return ERR_FORMAT;
    char *text = json_dumps(card.object, JSON_COMPACT | JSON_REAL_PRECISION(15));
    if (text == NULL)
        return err_set(err, ERR_MEMORY, "key \"card\": no memory");
    spec->card = mem_copy_text(text, strlen(text), err);
    free(text);
    return spec->card == NULL ? ERR_MEMORY : 0;
}

static int read_temperature(struct spec *spec, struct node root, struct err *err)
{
    if (json_object_get(root.object, "temperature") == NULL)
        return 0;
    return node_real(root, "temperature", SPEC_MIN_TEMPERATURE, SPEC_MAX_TEMPERATURE,
                     &spec->temperature, err);
}

static int read_output(struct spec *spec, struct node root, struct err *err)
{
    struct node node;
    int code;
    if ((code = node_object(root, "output", "output.", &node, err)) < 0 ||
        (code = node_real(node, "mean", -MAX_OUTPUT, MAX_OUTPUT, &spec->output_mean, err)) < 0)
        return code;
    return node_real(node, "deviation", 1 / MAX_OUTPUT, MAX_OUTPUT, &spec->deviation, err);
}

static int read_task(struct spec *spec, struct node root, struct err *err)
{
    int task = 0;
    int code = node_choice(root, "task", spec_task_names, &task, err);
    if (code < 0)
        return code;
    spec->task = (enum spec_task)task;
    switch (spec->task) {
    case SPEC_CLASSIFICATION:
        code = read_labels(spec, root, err);
        return code < 0 ? code : read_temperature(spec, root, err);
    case SPEC_TAGGING:
        return read_labels(spec, root, err);
    case SPEC_REGRESSION:
        return read_output(spec, root, err);
    case SPEC_GENERATION:
        code = node_flag(root, "stream", &spec->stream, err);
        if (code == 0 && json_object_get(root.object, "labels") != NULL)
            code = read_labels(spec, root, err);
        return code;
    case SPEC_TRANSLATION:
        break;
    }
    if ((code = read_language(root, "source", spec->source, err)) < 0 ||
        (code = read_language(root, "target", spec->target, err)) < 0)
        return code;
    return read_decoding(spec, root, err);
}

static int read_weights(struct spec *spec, struct node root, struct err *err)
{
    int weights = 0, code;
    if (json_object_get(root.object, "weights") == NULL)
        return 0;
    if ((code = node_choice(root, "weights", spec_weights_names, &weights, err)) < 0)
        return code;
    spec->weights = (enum spec_weights)weights;
    if (spec->weights == SPEC_WEIGHTS_F32 || spec->weights == spec_small_weights(spec->kind))
        return 0;
    return err_set(err, ERR_FORMAT, "key \"weights\": a \"%s\" has no weights of the type \"%s\"",
                   spec_kind_name(spec->kind), spec_weights_names[weights]);
}

static int read_root(struct spec *spec, const json_t *json, struct err *err)
{
    struct node root = {json, ""};
    size_t format = 0;
    int code;
    if (!json_is_object(json))
        return err_set(err, ERR_FORMAT, "not a JSON object");
    if ((code = node_size(root, "format", SPEC_FORMAT, SPEC_FORMAT, &format, err)) < 0 ||
        (code = read_name(spec, root, err)) < 0 || (code = read_task(spec, root, err)) < 0 ||
        (code = read_tokenizer(spec, root, err)) < 0 ||
        (code = read_architecture(spec, root, err)) < 0 ||
        (code = read_weights(spec, root, err)) < 0)
        return code;
    return read_card(spec, root, err);
}

/* jansson's message quotes the text and may cut a character in two; ours stays one line of UTF-8.
 */
static int json_failure(const json_error_t *error, struct err *err)
{
    char text[JSON_ERROR_TEXT_LENGTH + 1];
    size_t len = 0;
    if (error->text[0] == '\0' || json_error_code(error) == json_error_out_of_memory)
        return err_set(err, ERR_MEMORY, "no memory to parse it");
    for (; len < JSON_ERROR_TEXT_LENGTH && error->text[len] != '\0'; len++)
        text[len] =
            (char)(error->text[len] < 0x20 || error->text[len] > 0x7e ? '?' : error->text[len]);
    text[len] = '\0';
    return err_set(err, ERR_FORMAT, "not valid JSON at line %d, column %d: %s", error->line,
                   error->column, text);
}

int spec_parse(struct spec *spec, const char *text, size_t len, struct err *err)
{
    json_error_t error;
    *spec = (struct spec)FRESH;
    if (len > SPEC_MAX_BYTES)
        return err_set(err, ERR_LIMIT, "%zu bytes, allowed are %u", len, SPEC_MAX_BYTES);
    json_t *json = json_loadb(text, len, JSON_REJECT_DUPLICATES, &error);
    if (json == NULL)
        return json_failure(&error, err);
    int code = read_root(spec, json, err);
    json_decref(json);
    if (code < 0)
        spec_release(spec);
    return code;
}

int spec_read(struct spec *spec, const char *path, struct err *err)
{
    struct buf text = BUF_INIT;
    *spec = (struct spec)FRESH;
    int code = file_read(path, SPEC_MAX_BYTES, &text, err);
    if (code == 0 && (code = spec_parse(spec, text.len == 0 ? "" : text.data, text.len, err)) < 0)
        err_context(err, "%s", path);
    buf_release(&text);
    return code;
}

int spec_copy(struct spec *to, const struct spec *from, struct err *err)
{
    *to = *from;
    to->labels = NULL;
    to->label_count = 0;
    to->card = NULL;
    if (spec_copy_bag(&to->bag, &from->bag, err) < 0)
        goto fail;
    if (from->card != NULL) {
        to->card = mem_copy_text(from->card, strlen(from->card), err);
        if (to->card == NULL)
            goto fail;
    }
    if (from->label_count > 0) {
        to->labels = mem_alloc(from->label_count, sizeof *to->labels, err);
        if (to->labels == NULL)
            goto fail;
    }
    for (size_t i = 0; i < from->label_count; i++) {
        to->labels[i] = mem_copy_text(from->labels[i], strlen(from->labels[i]), err);
        if (to->labels[i] == NULL)
            goto fail;
        to->label_count++;
    }
    return 0;
fail:
    spec_release(to);
    return ERR_MEMORY;
}

void spec_release(struct spec *spec)
{
    for (size_t i = 0; i < spec->label_count; i++)
        mem_free(spec->labels[i]);
    mem_free(spec->labels);
    mem_free(spec->card);
    spec_release_bag(&spec->bag);
    *spec = (struct spec)FRESH;
}
