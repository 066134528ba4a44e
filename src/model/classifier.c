/* The classification networks as objects: sizes, parameter table, first weights, opening, and the
   answer to one text. */
#include "model/classifier.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "nn/mat.h"
#include "nn/softmax.h"
#include "text/ngram.h"

void classifier_size(struct classifier *model, const struct spec *spec)
{
    *model = (struct classifier){
        .vocabulary = spec->vocabulary,
        .labels = spec->label_count,
        .ngrams = spec->ngrams,
        .buckets = spec->buckets,
    };
}

size_t classifier_parameters(struct classifier *model,
                             struct parameter list[CLASSIFIER_MAX_PARAMETERS])
{
    const size_t V = model->vocabulary, L = model->labels;
    struct parameter_list all = {.list = list};
    parameters_add(&all, "", "weight", "", V + model->buckets, L, &model->output_weight);
    parameters_add(&all, "", "bias", "", L, 0, &model->output_bias);
    return all.count;
}

/* The bag of words starts from zero: its loss is convex. */
void classifier_init(struct classifier *model)
{
    memset(model->output_bias, 0, model->labels * sizeof(real));
    memset(model->output_weight, 0,
           (model->vocabulary + model->buckets) * model->labels * sizeof(real));
}

int classifier_open(struct classifier **model, const struct spec *spec,
                    const struct safetensors *file, struct err *err)
{
    struct classifier *opened = mem_alloc(1, sizeof *opened, err);
    struct parameter *list = mem_alloc(CLASSIFIER_MAX_PARAMETERS, sizeof *list, err);
    int code = ERR_MEMORY;
    if (opened == NULL || list == NULL)
        goto failed;
    classifier_size(opened, spec);
    code = parameters_open(list, classifier_parameters(opened, list), file, err);
    if (code < 0)
        goto failed;
    mem_free(list);
    *model = opened;
    return 0;
failed:
    mem_free(list);
    mem_free(opened);
    return code;
}

void classifier_free(struct classifier *model)
{
    mem_free(model);
}

size_t classifier_feature_limit(const struct classifier *model, size_t count)
{
    return ngram_limit(count, model->ngrams, model->buckets);
}

void classifier_features(const struct classifier *model, const int32_t *ids, size_t count,
                         uint32_t *features, size_t *feature_count)
{
    ngram_features(ids, count, model->vocabulary, model->ngrams, model->buckets, features,
                   feature_count);
}

void classifier_values(size_t count, real *values)
{
    for (size_t i = 0; i < count; i++)
        values[i] = (real)(1 / sqrt((double)count));
}

void classifier_bag_logits(const struct classifier *model, size_t count, const uint32_t *features,
                           const real *values, real *logits)
{
    const size_t L = model->labels;
    memcpy(logits, model->output_bias, L * sizeof(real));
    for (size_t i = 0; i < count; i++)
        mat_add_scaled(L, values[i], model->output_weight + features[i] * L, logits);
}

int classifier_logits(const struct classifier *model, const int32_t *ids, size_t count,
                      real *logits, struct err *err)
{
    int code = ERR_MEMORY;
    size_t limit = classifier_feature_limit(model, count), found = 0;
    uint32_t *features = mem_alloc(limit, sizeof *features, err);
    real *values = mem_alloc(limit, sizeof *values, err);
    if (features == NULL || values == NULL)
        goto out;
    classifier_features(model, ids, count, features, &found);
    classifier_values(found, values);
    classifier_bag_logits(model, found, features, values, logits);
    code = 0;
    for (size_t l = 0; l < model->labels && code == 0; l++)
        if (!isfinite(logits[l]))
            code = err_set(err, ERR_FORMAT, "the model's weights overflow on this text");
out:
    mem_free(values);
    mem_free(features);
    return code;
}
