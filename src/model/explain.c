/* Explanations: the model's own account of a text, token by token, put on the text's bytes. */
#include "model/explain_parts.h"

#include "base/mem.h"
#include "model/bag.h"

/* The token's bytes without the white space that it begins with: NFKC makes a space of any. */
static size_t begin_of(const char *text, const struct token *token)
{
    size_t begin = token->raw_begin;
    while (begin < token->raw_end &&
           (text[begin] == ' ' || (text[begin] >= '\t' && text[begin] <= '\r')))
        begin++;
    return begin;
}

void explanation_add(struct explanation *out, const char *text, const struct token *token,
                     float weight)
{
    const size_t begin = begin_of(text, token);
    struct explanation_part *last = out->count > 0 ? &out->parts[out->count - 1] : NULL;
    if (last != NULL && begin < last->end) {
        last->end = token->raw_end > last->end ? token->raw_end : last->end;
        last->weight += weight;
    } else if (begin < token->raw_end) {
        out->parts[out->count++] =
            (struct explanation_part){.begin = begin, .end = token->raw_end, .weight = weight};
    }
}

static int explain_bag(const struct model *model, const char *text, const struct encoded *encoded,
                       size_t label, struct explanation *out, struct err *err)
{
    const double temperature = model->spec.temperature;
    double bias = 0, logit = 0;
    double *weights = mem_alloc(encoded->count, sizeof *weights, err);
    out->parts = mem_alloc(encoded->count, sizeof *out->parts, err);
    int code = ERR_MEMORY;
    if (weights != NULL && out->parts != NULL)
        code = bag_explain(model->bag, encoded, label, weights, &bias, &logit, err);
    for (size_t i = 0; code == 0 && i < encoded->count; i++)
        explanation_add(out, text, &encoded->tokens[i], (float)(weights[i] / temperature));
    out->bias = (float)(bias / temperature);
    out->logit = (float)(logit / temperature);
    out->method = model->bag->hidden > 0 ? "gradient" : "linear";
    mem_free(weights);
    return code;
}

int model_explain(const struct model *model, const char *text, size_t len, size_t label,
                  struct explanation *out, struct err *err)
{
    struct encoded encoded = {.count = 0};
    *out = (struct explanation){.count = 0};
    if (model->spec.task != SPEC_CLASSIFICATION)
        return err_set(err, ERR_ARGUMENT, "model \"%s\" is for %s, not for %s", model->spec.name,
                       spec_task_name(model->spec.task), spec_task_name(SPEC_CLASSIFICATION));
    if (label >= model->spec.label_count)
        return err_set(err, ERR_ARGUMENT, "model \"%s\" has no label %zu", model->spec.name, label);
    if (model->spec.row > 0)
        return err_set(err, ERR_ARGUMENT, "model \"%s\" reads numbers, not text", model->spec.name);
    int code = tokenizer_encode(model->tokenizer, text, len, &encoded, err);
    if (code == 0)
        code = model->bag != NULL ? explain_bag(model, text, &encoded, label, out, err)
                                  : explain_rnn(model, text, len, &encoded, label, out, err);
    if (code < 0)
        explanation_release(out);
    encoded_release(&encoded);
    return code;
}

void explanation_release(struct explanation *explanation)
{
    mem_free(explanation->parts);
    *explanation = (struct explanation){.count = 0};
}
