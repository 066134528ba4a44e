/* A loaded model: a bundle whose tensors have been bound to the network that its spec describes. */
#include "model/model.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/bag.h"
#include "model/bundle.h"
#include "model/reading.h"
#include "model/rnn.h"
#include "model/seq2seq.h"
#include "nn/softmax.h"
#include "text/rows.h"

static int open_network(struct model *model, struct err *err)
{
    const struct spec *spec = &model->spec;
    int code = ERR_INTERNAL;
    switch (spec->kind) {
    case SPEC_SEQ2SEQ:
        code = seq2seq_open(&model->seq2seq, spec, &model->weights, err);
        break;
    case SPEC_RNN:
        code = rnn_open(&model->rnn, spec, &model->weights, err);
        break;
    case SPEC_BAG_OF_WORDS:
        code = bag_open(&model->bag, spec, &model->weights, err);
        break;
    }
    if (code < 0)
        err_context(err, "%s/" BUNDLE_WEIGHTS, model->folder);
    return code;
}

int model_open(struct model **model, const char *folder, struct err *err)
{
    struct bundle bundle;
    int code = bundle_open(&bundle, folder, err);
    if (code < 0)
        return code;
    struct model *opened = mem_alloc(1, sizeof *opened, err);
    if (opened == NULL) {
        bundle_release(&bundle);
        return ERR_MEMORY;
    }
    opened->spec = bundle.spec;
    opened->weights = bundle.weights;
    opened->tokenizer = bundle.tokenizer;
    opened->references = 1;
    opened->folder = mem_copy_text(folder, strlen(folder), err);
    code = opened->folder == NULL ? ERR_MEMORY : open_network(opened, err);
    if (code < 0) {
        model_release(opened);
        return code;
    }
    *model = opened;
    return 0;
}

struct model *model_retain(struct model *model)
{
    __atomic_add_fetch(&model->references, 1, __ATOMIC_RELAXED);
    return model;
}

void model_release(struct model *model)
{
    if (model == NULL || __atomic_sub_fetch(&model->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    bag_free(model->bag);
    rnn_free(model->rnn);
    seq2seq_free(model->seq2seq);
    tokenizer_free(model->tokenizer);
    safetensors_close(&model->weights);
    spec_release(&model->spec);
    mem_free(model->folder);
    mem_free(model);
}

/* The text's ids in fresh memory. */
static int encode(const struct model *model, const char *text, size_t len, int32_t **ids,
                  size_t *count, struct err *err)
{
    struct encoded encoded = {.count = 0};
    int code = tokenizer_encode(model->tokenizer, text, len, &encoded, err);
    if (code < 0)
        goto out;
    *ids = mem_alloc(encoded.count, sizeof **ids, err);
    if (*ids == NULL) {
        code = ERR_MEMORY;
        goto out;
    }
    for (size_t i = 0; i < encoded.count; i++)
        (*ids)[i] = encoded.tokens[i].id;
    *count = encoded.count;
out:
    encoded_release(&encoded);
    return code;
}

static int wrong_task(const struct model *model, enum spec_task task, struct err *err)
{
    return err_set(err, ERR_ARGUMENT, "model \"%s\" is for %s, not for %s", model->spec.name,
                   spec_task_name(model->spec.task), spec_task_name(task));
}

/* Logits become probabilities. */
static void write_probabilities(const struct spec *spec, float *values)
{
    for (size_t l = 0; l < spec->label_count; l++)
        values[l] /= (float)spec->temperature;
    softmax_row(spec->label_count, values);
}

static int classify_bag(const struct model *model, const char *text, size_t len, float *logits,
                        struct err *err)
{
    struct encoded encoded = {.count = 0};
    int code = tokenizer_encode(model->tokenizer, text, len, &encoded, err);
    if (code == 0)
        code = bag_logits(model->bag, &encoded, logits, err);
    encoded_release(&encoded);
    return code;
}

static int classify_rnn(const struct model *model, const char *text, size_t len, float *logits,
                        struct err *err)
{
    struct reading reading;
    if (reading_make(&reading, model, text, len, err) < 0)
        return err->code;
    const int code = rnn_pooled(model->rnn, &reading.input, logits, NULL, err);
    reading_release(&reading);
    return code;
}

int model_classify(const struct model *model, const char *text, size_t len, float *probabilities,
                   struct err *err)
{
    if (model->spec.task != SPEC_CLASSIFICATION)
        return wrong_task(model, SPEC_CLASSIFICATION, err);
    const int code = model->bag != NULL ? classify_bag(model, text, len, probabilities, err)
                                        : classify_rnn(model, text, len, probabilities, err);
    if (code == 0)
        write_probabilities(&model->spec, probabilities);
    return code;
}

/* Whether `model` can decode together with `first`. */
static int check_member(const struct model *model, const struct model *first, struct err *err)
{
    const struct spec *spec = &model->spec, *wanted = &first->spec;
    if (model->seq2seq == NULL)
        return wrong_task(model, SPEC_TRANSLATION, err);
    if (strcmp(spec->source, wanted->source) != 0 || strcmp(spec->target, wanted->target) != 0)
        return err_set(err, ERR_ARGUMENT, "%s translates from %s to %s, but %s from %s to %s",
                       model->folder, spec->source, spec->target, first->folder, wanted->source,
                       wanted->target);
    if (!tokenizer_is_same(model->tokenizer, first->tokenizer))
        return err_set(err, ERR_ARGUMENT, "%s has another vocabulary than %s", model->folder,
                       first->folder);
    return 0;
}

int model_ensemble(struct ensemble *ensemble, struct model *const *models, size_t count,
                   struct err *err)
{
    *ensemble = (struct ensemble){.count = 0};
    if (count < 1 || count > DECODE_MAX_MODELS)
        return err_set(err, ERR_ARGUMENT, "%zu models cannot decode together, only 1 to %d", count,
                       DECODE_MAX_MODELS);
    for (size_t i = 0; i < count; i++) {
        int code = check_member(models[i], models[0], err);
        if (code < 0)
            return code;
        ensemble->models[ensemble->count++] = models[i]->seq2seq;
    }
    return 0;
}

/* Decodes one source, which joins the decoder, to its end. */
static int decode(struct decoder *decoder, struct decode_result **result, struct err *err)
{
    int code = 0;
    *result = NULL;
    while (code == 0 && (*result = decoder_take(decoder)) == NULL)
        code = decoder_step(decoder, err);
    return code;
}

static struct decoder *new_decoder(const struct model *model, const struct decode_options *options,
                                   struct err *err)
{
    const struct ensemble alone = {.models = {model->seq2seq}, .count = 1};
    return decoder_new(&alone, options->beam, err);
}

/* Appends the best hypothesis as text. */
static int write_best(const struct model *model, const struct decode_result *result,
                      struct buf *out, float *score, struct err *err)
{
    const struct hypothesis *best = &result->hypotheses[0];
    if (score != NULL)
        *score = best->score;
    return tokenizer_decode(model->tokenizer, best->ids, best->count, out, err);
}

int model_translate(const struct model *model, const char *text, size_t len,
                    const struct decode_options *options, struct buf *out, float *score,
                    struct err *err)
{
    int32_t *ids = NULL;
    size_t count = 0;
    struct decoder *decoder = NULL;
    struct decode_result *result = NULL;
    if (model->spec.task != SPEC_TRANSLATION)
        return wrong_task(model, SPEC_TRANSLATION, err);
    int code = encode(model, text, len, &ids, &count, err);
    if (code == 0 && (decoder = new_decoder(model, options, err)) == NULL)
        code = err->code;
    if (code == 0)
        code = decoder_join(decoder, ids, count, options, NULL, err);
    if (code == 0)
        code = decode(decoder, &result, err);
    if (code == 0)
        code = write_best(model, result, out, score, err);
    decode_result_free(result);
    decoder_free(decoder);
    mem_free(ids);
    return code;
}

int model_decode_rows(const struct model *model, const float *values, size_t count, size_t width,
                      const struct decode_options *options, struct decode_result **result,
                      struct err *err)
{
    *result = NULL;
    if (model->spec.task != SPEC_GENERATION)
        return wrong_task(model, SPEC_GENERATION, err);
    if (model->seq2seq == NULL)
        return err_set(err, ERR_ARGUMENT, "model \"%s\" does not read rows of numbers",
                       model->spec.name);
    struct decoder *decoder = new_decoder(model, options, err);
    if (decoder == NULL)
        return err->code;
    int code = decoder_join_rows(decoder, values, count, width, options, NULL, err);
    if (code == 0)
        code = decode(decoder, result, err);
    decoder_free(decoder);
    return code;
}

int model_caption(const struct model *model, const struct rows *rows,
                  const struct decode_options *options, struct buf *out, float *score,
                  struct err *err)
{
    struct decode_result *result;
    int code =
        model_decode_rows(model, rows->values, rows->count, rows->width, options, &result, err);
    if (code < 0)
        return code;
    code = write_best(model, result, out, score, err);
    decode_result_free(result);
    return code;
}
