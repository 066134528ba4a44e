/*
 * model.json, written: a jansson tree is built in the order that spec.h shows, and its text is read
 * back before it goes to disk, so that no bundle is saved that could not be opened.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "model/spec.h"
#include "model/spec_names.h"
#include "model/spec_parts.h"

bool spec_put(json_t *object, const char *key, json_t *value)
{
    return json_object_set_new(object, key, value) == 0;
}

static json_t *make_labels(const struct spec *spec)
{
    json_t *labels = json_array();
    for (size_t i = 0; i < spec->label_count; i++) {
        if (json_array_append_new(labels, json_string(spec->labels[i])) < 0) {
            json_decref(labels);
            return NULL;
        }
    }
    return labels;
}

static bool put_task(const struct spec *spec, json_t *root)
{
    switch (spec->task) {
    case SPEC_CLASSIFICATION:
        return spec_put(root, "labels", make_labels(spec)) &&
               spec_put(root, "temperature", json_real(spec->temperature));
    case SPEC_TAGGING:
        return spec_put(root, "labels", make_labels(spec));
    case SPEC_REGRESSION:
        return spec_put(
            root, "output",
            json_pack("{s:f, s:f}", "mean", spec->output_mean, "deviation", spec->deviation));
    case SPEC_GENERATION:
        return spec_put(root, "stream", json_boolean(spec->stream)) &&
               (spec->label_count == 0 || spec_put(root, "labels", make_labels(spec)));
    case SPEC_TRANSLATION:
        break;
    }
    return spec_put(root, "source", json_string(spec->source)) &&
           spec_put(root, "target", json_string(spec->target));
}

static json_t *make_recurrent(const struct spec_recurrent *net)
{
    return json_pack("{s:s, s:I, s:I, s:b, s:s}", "cell", cell_names[net->cell], "layers",
                     (json_int_t)net->layers, "hidden", (json_int_t)net->hidden, "residual",
                     net->residual, "norm", cell_norm_names[net->norm]);
}

/* Takes over `net`. */
static bool put_recurrent(json_t *architecture, const char *key, json_t *net, const char *own_key,
                          json_t *own)
{
    if (!spec_put(net, own_key, own)) {
        json_decref(net);
        return false;
    }
    return spec_put(architecture, key, net);
}

static bool put_encoder(const struct spec *spec, json_t *architecture)
{
    return spec_put(architecture, "embedding", json_integer((json_int_t)spec->embedding)) &&
           put_recurrent(architecture, "encoder", make_recurrent(&spec->encoder), "bidirectional",
                         json_boolean(spec->encoder.bidirectional));
}

static bool put_decoder(const struct spec *spec, json_t *architecture)
{
    return put_recurrent(architecture, "decoder", make_recurrent(&spec->decoder), "kind",
                         json_string(spec_decoder_names[spec->decoder_kind])) &&
           spec_put(architecture, "attention", json_string(attention_names[spec->attention])) &&
           spec_put(architecture, "bridge", json_string(spec_bridge_names[spec->bridge])) &&
           spec_put(architecture, "deep_output", json_boolean(spec->deep_output)) &&
           spec_put(architecture, "tying", json_string(spec_tying_names[spec->tying]));
}

static bool put_head(const struct spec *spec, json_t *architecture)
{
    if (spec->task == SPEC_TAGGING)
        return true;
    if (spec->task != SPEC_GENERATION)
        return spec_put(architecture, "pooling", json_string(spec_pooling_names[spec->pooling]));
    return spec_put(architecture, "condition",
                    json_pack("{s:s, s:I}", "at", spec_condition_names[spec->condition], "size",
                              (json_int_t)spec->feature)) &&
           spec_put(architecture, "tied", json_boolean(spec->tied));
}

static bool put_kind(const struct spec *spec, json_t *architecture)
{
    switch (spec->kind) {
    case SPEC_SEQ2SEQ:
        return put_encoder(spec, architecture) && put_decoder(spec, architecture);
    case SPEC_RNN:
        return put_encoder(spec, architecture) && put_head(spec, architecture);
    case SPEC_BAG_OF_WORDS:
        return spec_put_bag(&spec->bag, architecture);
    }
    return false;
}

static json_t *make_architecture(const struct spec *spec)
{
    json_t *architecture = json_pack("{s:s, s:I}", "kind", spec_kind_names[spec->kind],
                                     "vocabulary", (json_int_t)spec->vocabulary);
    const bool rows = architecture != NULL && spec->row > 0;
    if (architecture != NULL &&
        ((rows && !spec_put(architecture, "row", json_integer((json_int_t)spec->row))) ||
         !put_kind(spec, architecture))) {
        json_decref(architecture);
        return NULL;
    }
    return architecture;
}

static json_t *make_card(const struct spec *spec)
{
    const char *card = spec->card == NULL ? "{}" : spec->card;
    return json_loads(card, JSON_REJECT_DUPLICATES, NULL);
}

static bool put_all(const struct spec *spec, json_t *root)
{
    const struct tokenizer_spec *tokenizer = &spec->tokenizer;
    if (!spec_put(root, "format", json_integer(SPEC_FORMAT)) ||
        !spec_put(root, "name", json_string(spec->name)) ||
        !spec_put(root, "task", json_string(spec_task_names[spec->task])) ||
        !put_task(spec, root) ||
        !spec_put(root, "tokenizer",
                  json_pack("{s:s, s:s, s:b}", "kind", spec_token_names[tokenizer->kind], "form",
                            spec_form_names[tokenizer->form], "fold", tokenizer->fold)) ||
        !spec_put(root, "architecture", make_architecture(spec)))
        return false;
    if (spec->weights != SPEC_WEIGHTS_F32 &&
        !spec_put(root, "weights", json_string(spec_weights_names[spec->weights])))
        return false;
    if (spec->task == SPEC_TRANSLATION &&
        !spec_put(root, "decoding",
                  json_pack("{s:I, s:f}", "beam", (json_int_t)spec->beam, "length_penalty",
                            spec->length_penalty)))
        return false;
    return spec_put(root, "card", make_card(spec));
}

/* The file's text, in jansson's memory. What would not be read back is not written either. */
static int make_text(const struct spec *spec, char **text, struct err *err)
{
    struct spec again;
    json_t *root = json_object();
    *text = NULL;
    if (root != NULL && put_all(spec, root))
        *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(15));
    json_decref(root);
    if (*text == NULL)
        return err_set(err, ERR_ARGUMENT, "no memory, a text is not UTF-8 or the card not JSON");
    int code = spec_parse(&again, *text, strlen(*text), err);
    if (code == 0)
        spec_release(&again);
    return code;
}

int spec_check(const struct spec *spec, struct err *err)
{
    char *text;
    int code = make_text(spec, &text, err);
    free(text);
    return code;
}

int spec_write(const struct spec *spec, const char *path, struct err *err)
{
    struct file_save save;
    char *text;
    int code = make_text(spec, &text, err);
    if (code < 0) {
        err_context(err, "%s", path);
        goto out;
    }
    code = file_save_begin(&save, path, err);
    if (code < 0)
        goto out;
    if (fputs(text, save.stream) == EOF || fputc('\n', save.stream) == EOF) {
        code = err_errno(err, "%s: cannot write", path);
        file_save_abort(&save);
        goto out;
    }
    code = file_save_commit(&save, err);
out:
    free(text);
    return code;
}
