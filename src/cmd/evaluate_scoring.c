/* Scores of translations as the user asked for them: against one reference and against all. */
#include "cmd/evaluate.h"

int scoring_prepare(struct scoring *scoring, const struct evaluate_settings *settings,
                    struct err *err)
{
    if (settings->baseline == NULL)
        return 0;
    int code = text_lines_read(&scoring->baseline, settings->baseline, err);
    if (code == 0 && scoring->baseline.count != scoring->set.count)
        code = err_set(err, ERR_FORMAT, "%s has %zu lines, but there are %zu sentences",
                       settings->baseline, scoring->baseline.count, scoring->set.count);
    return code;
}

int scoring_compute(struct scoring *scoring, const struct evaluate_settings *settings,
                    struct err *err)
{
    const struct scores_settings how = {
        .metric = {.tokenisation = settings->tokenised ? METRIC_TOKENISED : METRIC_13A,
                   .smoothing = (enum metric_smoothing)settings->smoothing,
                   .lowercase = settings->lowercase},
        .confidence = settings->confidence,
        .seed = (uint64_t)settings->seed,
        .baseline = settings->baseline == NULL ? NULL : scoring->baseline.lines,
    };
    const struct test_set *set = &scoring->set;
    int code = scores_compute(&scoring->single, set->single, set->count, &how, err);
    if (code == 0 && set->all != NULL)
        code = scores_compute(&scoring->all, set->all, set->count, &how, err);
    return code;
}

void scoring_print(const struct scoring *scoring)
{
    scores_print(&scoring->single);
    if (scoring->set.all != NULL)
        scores_print(&scoring->all);
}

json_t *scoring_json(const struct scoring *scoring)
{
    const struct test_set *set = &scoring->set;
    json_t *object = scores_json(&scoring->single, set->file_count > 1 ? "all" : "one");
    if (object == NULL || set->all == NULL ||
        json_object_set_new(object, "all_references", scores_json(&scoring->all, "all")) == 0)
        return object;
    json_decref(object);
    return NULL;
}

void scoring_release(struct scoring *scoring)
{
    text_lines_release(&scoring->baseline);
    test_set_release(&scoring->set);
}
