/* How a text begins, under which condition, and how probable it is. */
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "model/generate_parts.h"
#include "model/language.h"
#include "nn/softmax.h"

#define SHOWN_LABELS 20 /* in an error message */

/* "... one of Arabic, Chinese, ..." */
static int wrong_label(const struct model *model, const char *label, struct err *err)
{
    const struct spec *spec = &model->spec;
    struct buf known = BUF_INIT;
    struct err own = ERR_INIT;
    for (size_t l = 0; l < spec->label_count && l < SHOWN_LABELS; l++)
        buf_printf(&known, &own, "%s%s", l > 0 ? ", " : "", spec->labels[l]);
    if (spec->label_count > SHOWN_LABELS)
        buf_text(&known, ", ...", &own);
    if (own.code != 0)
        err_set(err, own.code, "%s", own.message);
    else if (label == NULL)
        err_set(err, ERR_ARGUMENT, "model \"%s\" needs a label: one of %s", spec->name, known.data);
    else
        err_set(err, ERR_ARGUMENT, "model \"%s\" has no label \"%.100s\", only %s", spec->name,
                label, known.data);
    buf_release(&known);
    return err->code;
}

static int find_label(const struct model *model, const struct generate_condition *condition,
                      struct rnn_input *input, struct err *err)
{
    const struct spec *spec = &model->spec;
    for (size_t l = 0; condition->label != NULL && l < spec->label_count; l++)
        if (strcmp(spec->labels[l], condition->label) == 0) {
            input->label = (int32_t)l;
            return 0;
        }
    return wrong_label(model, condition->label, err);
}

static int check_vector(const struct model *model, const struct generate_condition *condition,
                        struct rnn_input *input, struct err *err)
{
    const struct spec *spec = &model->spec;
    if (condition->values == NULL)
        return err_set(err, ERR_ARGUMENT, "model \"%s\" needs a vector of %zu numbers", spec->name,
                       spec->feature);
    if (condition->rows != 1 || condition->width != spec->feature)
        return err_set(err, ERR_ARGUMENT,
                       "model \"%s\" needs a vector of %zu numbers, not %zu of %zu", spec->name,
                       spec->feature, condition->rows, condition->width);
    for (size_t i = 0; i < condition->width; i++)
        if (!isfinite(condition->values[i]))
            return err_set(err, ERR_ARGUMENT, "number %zu of the vector is not finite", i + 1);
    input->feature = condition->values;
    return 0;
}

static int read_condition(const struct model *model, const struct generate_condition *condition,
                          struct rnn_input *input, struct err *err)
{
    static const struct generate_condition none = {.label = NULL};
    const struct spec *spec = &model->spec;
    const bool takes_label = spec->label_count > 0;
    const bool takes_vector = spec->condition != SPEC_CONDITION_NONE && !takes_label;
    if (condition == NULL)
        condition = &none;
    if (condition->label != NULL && !takes_label)
        return err_set(err, ERR_ARGUMENT, "model \"%s\" takes no label", spec->name);
    if (condition->values != NULL && !takes_vector)
        return err_set(err, ERR_ARGUMENT, "model \"%s\" takes no vector of numbers", spec->name);
    if (takes_label)
        return find_label(model, condition, input, err);
    return takes_vector ? check_vector(model, condition, input, err) : 0;
}

int generate_walk(const struct model *model, const struct generate_condition *condition,
                  struct rnn_walk **walk, struct err *err)
{
    struct rnn_input input = {.count = 0};
    if (model->spec.task == SPEC_GENERATION && model->rnn == NULL)
        return err_set(err, ERR_ARGUMENT, "model \"%s\" is for captions and weighs no texts",
                       model->spec.name);
    if (model->spec.task != SPEC_GENERATION)
        return err_set(err, ERR_ARGUMENT, "model \"%s\" is for %s, not for %s", model->spec.name,
                       spec_task_name(model->spec.task), spec_task_name(SPEC_GENERATION));
    if (read_condition(model, condition, &input, err) < 0)
        return err->code;
    return rnn_walk_new(walk, model->rnn, &input, err);
}

int generate_ids(const struct model *model, const char *text, size_t len, struct encoded *encoded,
                 int32_t **ids, size_t *count, size_t *lead, struct err *err)
{
    const bool stream = model->spec.stream;
    const int code = stream ? language_encode(model->tokenizer, text, len, encoded, lead, err)
                            : tokenizer_encode(model->tokenizer, text, len, encoded, err);
    if (code < 0)
        return code;
    if (!stream)
        *lead = 1;
    *count = encoded->count + !stream;
    *ids = mem_alloc(*count, sizeof **ids, err);
    if (*ids == NULL)
        return ERR_MEMORY;
    if (!stream)
        (*ids)[0] = TOKEN_BOS;
    for (size_t i = 0; i < encoded->count; i++)
        (*ids)[i + !stream] = encoded->tokens[i].id;
    return 0;
}

/*
 * Scoring
 */

struct scored { /* a text as it is scored */
    struct encoded encoded;
    int32_t *ids;
    size_t count, lead;
};

/* Raw bytes of token i of `ids`, or of the end that follows the last. */
static void place(const struct model *model, const struct scored *text, size_t i, size_t len,
                  struct text_token *item)
{
    item->begin = item->end = len;
    if (i == text->count)
        return;
    const struct token *token = &text->encoded.tokens[i - !model->spec.stream];
    item->begin = token->raw_begin - model->spec.stream; /* less the newline in front */
    item->end = token->raw_end - model->spec.stream;
}

static int score_tokens(const struct model *model, struct rnn_walk *walk, const struct scored *text,
                        size_t len, struct text_score *score, struct err *err)
{
    const size_t predicted = text->count + !model->spec.stream; /* ids and the end */
    for (size_t i = 1; i < predicted; i++) {
        const float *outputs;
        const int32_t id = i < text->count ? text->ids[i] : TOKEN_EOS;
        const int code = rnn_walk_step(walk, text->ids[i - 1], &outputs, err);
        if (code < 0)
            return code;
        if (i < text->lead)
            continue;
        struct text_token *item = &score->items[score->tokens++];
        item->log_probability =
            (double)outputs[id] - (double)softmax_log_sum(model->rnn->outputs, outputs);
        place(model, text, i, len, item);
        score->log_probability += item->log_probability;
        score->unknown += id == TOKEN_UNK;
    }
    return 0;
}

int model_log_probability(const struct model *model, const struct generate_condition *condition,
                          const char *text, size_t len, struct text_score *score, struct err *err)
{
    struct rnn_walk *walk = NULL;
    struct scored scored = {.ids = NULL};
    *score = (struct text_score){.tokens = 0};
    int code = generate_walk(model, condition, &walk, err);
    if (code == 0)
        code = generate_ids(model, text, len, &scored.encoded, &scored.ids, &scored.count,
                            &scored.lead, err);
    if (code == 0) {
        score->characters = language_characters(text, len) + !model->spec.stream;
        score->items = mem_alloc(scored.count + 1, sizeof *score->items, err);
        code =
            score->items == NULL ? ERR_MEMORY : score_tokens(model, walk, &scored, len, score, err);
    }
    if (code < 0)
        text_score_release(score);
    mem_free(scored.ids);
    encoded_release(&scored.encoded);
    rnn_walk_free(walk);
    return code;
}

void text_score_release(struct text_score *score)
{
    mem_free(score->items);
    *score = (struct text_score){.tokens = 0};
}
