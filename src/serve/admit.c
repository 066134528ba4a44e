/* The rules of the protocol about models (section 4), and the limits of what may be in flight. */
#include "serve/admit.h"

#include <stdio.h>
#include <string.h>

#define MOST_NAMES 64 /* of models listed in an error */
#define RETRY_AFTER_MS 500

static enum spec_task task_of(enum proto_method method)
{
    switch (method) {
    case PROTO_GENERATE:
        return SPEC_GENERATION;
    case PROTO_REGRESS:
        return SPEC_REGRESSION;
    case PROTO_TAG:
        return SPEC_TAGGING;
    case PROTO_TRANSLATE:
        return SPEC_TRANSLATION;
    case PROTO_CLASSIFY:
    case PROTO_ADMIN_LOG:
    case PROTO_ADMIN_RELOAD:
    case PROTO_HEALTH:
    case PROTO_MODELS:
    case PROTO_STATS:
    case PROTO_VERSION_METHOD:
    case PROTO_METHODS:
        break;
    }
    return SPEC_CLASSIFICATION;
}

/* Adds the names of the models that the method could use. */
static void list_available(const struct registry *registry, struct proto_call *call)
{
    const char *names[MOST_NAMES];
    size_t count = 0;
    for (size_t i = 0; i < registry->count && count < MOST_NAMES; i++)
        if (registry->models[i]->spec.task == task_of(call->method))
            names[count++] = registry->models[i]->spec.name;
    proto_error_names(&call->error, "available", names, count);
}

static void refuse_language(struct proto_call *call, const char *path, const char *wanted,
                            const struct spec *spec, const char *actual)
{
    proto_error_set(&call->error, PROTO_INVALID_PARAMS, "conflict",
                    "%s is '%.35s', but that of the model %s is '%s'", path, wanted, spec->name,
                    actual);
    proto_error_text(&call->error, "path", path, strlen(path));
}

static struct model *find_by_name(const struct registry *registry, struct proto_call *call)
{
    const char *name = call->params.model;
    const char *source = call->params.source, *target = call->params.target;
    struct model *model = registry_by_name(registry, name);
    if (!model) {
        proto_error_set(&call->error, PROTO_MODEL_NOT_FOUND, "unknown_model",
                        "there is no model '%.64s'", name);
        proto_error_text(&call->error, "model", name, strlen(name));
        list_available(registry, call);
    } else if (model->spec.task != task_of(call->method)) {
        const char *task = spec_task_name(model->spec.task);
        proto_error_set(&call->error, PROTO_MODEL_NOT_FOUND, "wrong_task", "the model %s is for %s",
                        name, task);
        proto_error_text(&call->error, "model", name, strlen(name));
        proto_error_text(&call->error, "task", task, strlen(task));
        list_available(registry, call);
    } else if (source && strcmp(source, model->spec.source) != 0) {
        refuse_language(call, "source", source, &model->spec, model->spec.source);
    } else if (target && strcmp(target, model->spec.target) != 0) {
        refuse_language(call, "target", target, &model->spec, model->spec.target);
    }
    return call->error.code ? NULL : model;
}

static struct model *find_by_pair(const struct registry *registry, struct proto_call *call)
{
    const char *source = call->params.source, *target = call->params.target;
    struct model *model = registry_by_pair(registry, source, target);
    if (!model) {
        proto_error_set(&call->error, PROTO_MODEL_NOT_FOUND, "unknown_pair",
                        "no model translates from %.35s to %.35s", source, target);
        proto_error_text(&call->error, "source", source, strlen(source));
        proto_error_text(&call->error, "target", target, strlen(target));
        list_available(registry, call);
    }
    return model;
}

static struct model *find_default(const struct registry *registry, struct proto_call *call)
{
    enum spec_task task = task_of(call->method);
    size_t count = 0;
    for (size_t i = 0; i < registry->count; i++)
        count += registry->models[i]->spec.task == task;
    if (count == 0) {
        proto_error_set(&call->error, PROTO_MODEL_NOT_FOUND, "no_model",
                        "no model for %s is loaded", spec_task_name(task));
        list_available(registry, call);
        return NULL;
    }
    if (task == SPEC_TRANSLATION && count > 1) {
        proto_error_set(&call->error, PROTO_INVALID_PARAMS, "missing",
                        "model is missing: there are %zu for translation", count);
        proto_error_text(&call->error, "path", "model", 5);
        return NULL;
    }
    return registry_first(registry, task);
}

static void check_beam(struct proto_call *call, const struct spec *spec)
{
    int64_t beam = call->params.beam ? call->params.beam : (int64_t)spec->beam;
    if (call->params.nbest > beam)
        proto_refuse_range(&call->error, "nbest", 1, beam);
}

/* Occlusion reads the text once for each of its tokens. */
static void check_explained(struct proto_call *call, const struct spec *spec)
{
    const struct proto_params *params = &call->params;
    for (size_t i = 0; spec->kind == SPEC_RNN && params->explain && i < params->text_count; i++) {
        char path[32] = "text";
        if (params->is_list)
            snprintf(path, sizeof path, "text[%zu]", i);
        proto_check_text_length(&call->error, path, params->texts[i].len, PROTO_MAX_EXPLAINED);
    }
}

/* What the model reads, rows or text, must be what it was given. */
static void check_input(struct proto_call *call, const struct spec *spec)
{
    const struct rows *rows = &call->params.rows;
    const bool has_rows = call->method == PROTO_REGRESS && call->params.has_rows;
    if (spec->row == 0 && has_rows)
        proto_refuse_conflict(&call->error, "rows", "this model reads text, not rows of numbers");
    else if (spec->row > 0 && !has_rows)
        proto_refuse_conflict(&call->error, "text", "this model reads rows of numbers, not text");
    else if (has_rows && rows->width != spec->row)
        proto_refuse_length(&call->error, "rows[0]", spec->row, rows->width);
}

static void refuse_label(struct proto_call *call, const struct spec *spec)
{
    const char *label = call->params.label;
    size_t count = spec->label_count < MOST_NAMES ? spec->label_count : MOST_NAMES;
    proto_error_set(&call->error, PROTO_INVALID_PARAMS, "unknown_label",
                    "the model %s has no label '%.64s'", spec->name, label);
    proto_error_text(&call->error, "path", "label", 5);
    proto_error_names(&call->error, "available", (const char *const *)spec->labels, count);
}

static void check_label(struct proto_call *call, const struct spec *spec)
{
    const char *label = call->params.label;
    if (spec->label_count == 0 && label)
        proto_refuse_conflict(&call->error, "label", "this model takes no label");
    else if (spec->label_count > 0 && !label)
        proto_refuse_missing(&call->error, "label");
    if (spec->label_count == 0 || !label)
        return;
    for (size_t i = 0; i < spec->label_count; i++)
        if (strcmp(label, spec->labels[i]) == 0)
            return;
    refuse_label(call, spec);
}

size_t admit_features(const struct spec *spec)
{
    if (spec->kind == SPEC_SEQ2SEQ)
        return spec->row;
    return spec->label_count == 0 && spec->condition != SPEC_CONDITION_NONE ? spec->feature : 0;
}

static void check_features(struct proto_call *call, const struct spec *spec)
{
    const struct rows *rows = &call->params.rows;
    const size_t wanted = admit_features(spec);
    if (wanted == 0 && call->params.has_rows)
        proto_refuse_conflict(&call->error, "features", "this model takes no features");
    else if (wanted > 0 && !call->params.has_rows)
        proto_refuse_missing(&call->error, "features");
    else if (wanted > 0 && rows->width != wanted)
        proto_refuse_length(&call->error, rows->count > 1 ? "features[0]" : "features", wanted,
                            rows->width);
    else if (wanted > 0 && rows->count > 1 && spec->kind != SPEC_SEQ2SEQ)
        proto_refuse_conflict(&call->error, "features", "this model takes one vector, not a grid");
}

/* Whether the model can do what the parameters ask for. */
static void check_call(struct proto_call *call, const struct spec *spec)
{
    switch (spec->task) {
    case SPEC_TRANSLATION:
        check_beam(call, spec);
        return;
    case SPEC_CLASSIFICATION:
        check_input(call, spec);
        check_explained(call, spec);
        return;
    case SPEC_TAGGING:
    case SPEC_REGRESSION:
        check_input(call, spec);
        return;
    case SPEC_GENERATION:
        check_label(call, spec);
        check_features(call, spec);
        return;
    }
}

struct model *admit_model(const struct registry *registry, struct proto_call *call)
{
    struct model *model;
    if (call->params.model)
        model = find_by_name(registry, call);
    else if (call->params.source)
        model = find_by_pair(registry, call);
    else
        model = find_default(registry, call);
    if (model)
        check_call(call, &model->spec);
    return call->error.code ? NULL : model;
}

static void refuse_overloaded(struct proto_error *error, const char *reason, const char *why)
{
    proto_error_set(error, PROTO_OVERLOADED, reason, "%s", why);
    proto_error_integer(error, "retry_after_ms", RETRY_AFTER_MS);
}

void admit_memory(struct proto_call *call, size_t used, size_t allowed)
{
    if (used > allowed)
        refuse_overloaded(&call->error, "memory", "too much is in flight");
}

void admit_refuse_queue(struct proto_call *call)
{
    refuse_overloaded(&call->error, "queue_full", "too many texts are waiting");
}
