#include "train/history.h"

#include <math.h>
#include <string.h>

#include "base/mem.h"

enum kind { START, UPDATE, EVALUATION, SAMPLES, END };

double history_number(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_number(value) ? json_number_value(value) : NAN;
}

const char *history_text(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static bool find_kind(const json_t *line, enum kind *kind)
{
    static const char *const names[] = {"start", "update", "evaluation", "samples", "end"};
    const char *type = history_text(line, "type");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(type, names[i]) == 0) {
            *kind = (enum kind)i;
            return true;
        }
    }
    return false;
}

/* Room for one more; the new array or NULL. */
static void *grow(void *items, size_t count, size_t *capacity, size_t size, struct err *err)
{
    if (count < *capacity)
        return items;
    const size_t wanted = 2 * *capacity + 64;
    void *grown = mem_resize(items, *capacity, wanted, size, err);
    if (grown)
        *capacity = wanted;
    return grown;
}

static int add_update(struct history *history, const json_t *line, struct err *err)
{
    struct history_update *grown = grow(history->updates, history->update_count,
                                        &history->update_capacity, sizeof *grown, err);
    if (!grown)
        return ERR_MEMORY;
    history->updates = grown;
    history->updates[history->update_count++] = (struct history_update){
        .update = history_number(line, "update"),
        .loss = history_number(line, "loss"),
        .gradient_norm = history_number(line, "gradient_norm"),
        .rate = history_number(line, "rate"),
        .units_per_second = history_number(line, "units_per_second"),
        .seconds = history_number(line, "seconds"),
    };
    return 0;
}

static int add_evaluation(struct history *history, const json_t *line, struct err *err)
{
    struct history_evaluation *grown = grow(history->evaluations, history->evaluation_count,
                                            &history->evaluation_capacity, sizeof *grown, err);
    if (!grown)
        return ERR_MEMORY;
    history->evaluations = grown;
    history->evaluations[history->evaluation_count++] = (struct history_evaluation){
        .update = history_number(line, "update"),
        .epoch = history_number(line, "epoch"),
        .score = history_number(line, "score"),
        .perplexity = history_number(line, "perplexity"),
        .best = json_is_true(json_object_get(line, "best")) ? 1 : 0,
    };
    return 0;
}

/* The one that leaves the others, from first to new, nearest to a geometric row: early in a run
   much changes, later little. `update` is the new one's. */
static size_t most_crowded(const struct history *history, double update)
{
    size_t found = 1;
    double least = INFINITY;
    for (size_t i = 1; i < history->sample_count; i++) {
        const double before = history_number(history->samples[i - 1], "update");
        const double after = i + 1 < history->sample_count
                                 ? history_number(history->samples[i + 1], "update")
                                 : update;
        const double apart = log((after + 1) / (before + 1));
        if (apart < least) {
            least = apart;
            found = i;
        }
    }
    return found;
}

static void add_samples(struct history *history, json_t *line)
{
    if (history->sample_count == HISTORY_SAMPLES) {
        const size_t gone = most_crowded(history, history_number(line, "update"));
        json_decref(history->samples[gone]);
        history->sample_count--;
        memmove(history->samples + gone, history->samples + gone + 1,
                (history->sample_count - gone) * sizeof *history->samples);
    }
    history->samples[history->sample_count++] = json_incref(line);
}

static int add(struct history *history, enum kind kind, json_t *line, struct err *err)
{
    switch (kind) {
    case START:
        json_decref(history->end);
        json_decref(history->start);
        history->end = NULL;
        history->start = json_incref(line);
        return 0;
    case UPDATE:
        return add_update(history, line, err);
    case EVALUATION:
        return add_evaluation(history, line, err);
    case SAMPLES:
        add_samples(history, line);
        return 0;
    case END:
        json_decref(history->end);
        history->end = json_incref(line);
        return 0;
    }
    return err_set(err, ERR_INTERNAL, "a line of no kind");
}

static bool is_beyond(const struct history_limit *limit, enum kind kind, double update)
{
    return update > limit->update ||
           (update == limit->update && !(kind == UPDATE && limit->scored));
}

int history_add(struct history *history, const char *line, size_t len,
                const struct history_limit *limit, struct err *err)
{
    json_error_t fault;
    enum kind kind;
    json_t *object = json_loadb(line, len, JSON_REJECT_DUPLICATES, &fault);
    if (!object)
        return err_set(err, ERR_FORMAT, "%s", fault.text);
    const double update = history_number(object, "update");
    int status;
    if (!find_kind(object, &kind) || !(update >= 0))
        status = err_set(err, ERR_FORMAT, "not a line of a training run");
    else if (limit && is_beyond(limit, kind, update))
        status = 1;
    else
        status = add(history, kind, object, err);
    json_decref(object);
    return status;
}

void history_release(struct history *history)
{
    for (size_t i = 0; i < history->sample_count; i++)
        json_decref(history->samples[i]);
    mem_free(history->evaluations);
    mem_free(history->updates);
    json_decref(history->end);
    json_decref(history->start);
    *history = (struct history){0};
}
