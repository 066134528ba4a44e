/* The rules of the protocol's sections 4.1 and 4.2, and the limits of what may be in flight. */
#include "serve/admit.h"

#include <string.h>

#define MOST_NAMES 64 /* of models listed in an error */
#define RETRY_AFTER_MS 500

static enum spec_task task_of(enum proto_method method)
{
    return method == PROTO_TRANSLATE ? SPEC_TRANSLATION : SPEC_CLASSIFICATION;
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

struct model *admit_model(const struct registry *registry, struct proto_call *call)
{
    struct model *model;
    if (call->params.model)
        model = find_by_name(registry, call);
    else if (call->params.source)
        model = find_by_pair(registry, call);
    else
        model = find_default(registry, call);
    if (!model || model->spec.task != SPEC_TRANSLATION)
        return model;
    int64_t beam = call->params.beam ? call->params.beam : (int64_t)model->spec.beam;
    if (call->params.nbest > beam) {
        proto_refuse_range(&call->error, "nbest", 1, beam);
        return NULL;
    }
    return model;
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
