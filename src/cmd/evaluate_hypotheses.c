/* dragoman evaluate for translations that another program made: no model, only the scores. */
#include <stdio.h>
#include "cmd/evaluate.h"

struct work {
    struct evaluate *evaluate;
    struct text_lines hypotheses;
    struct scoring scoring;
};

static int prepare(struct work *work, char *const *references, size_t count, struct err *err)
{
    const struct evaluate_settings *settings = work->evaluate->settings;
    struct test_set *set = &work->scoring.set;
    const char *against = settings->test != NULL ? settings->test : references[0];
    int code = text_lines_read(&work->hypotheses, settings->hypotheses, err);
    if (code == 0 && settings->test != NULL)
        code = test_set_of_corpus(set, &work->evaluate->corpus, settings->reverse,
                                  settings->references, err);
    else if (code == 0)
        code = test_set_of_files(set, references, count, err);
    if (code == 0 && work->hypotheses.count != set->count)
        code = err_set(err, ERR_FORMAT, "%s has %zu lines, but %s has %zu", settings->hypotheses,
                       work->hypotheses.count, against, set->count);
    for (size_t i = 0; code == 0 && i < set->count; i++)
        test_set_hypothesis(set, i, work->hypotheses.lines[i]);
    return code < 0 ? code : scoring_prepare(&work->scoring, settings, err);
}

static int print(const struct work *work, struct err *err)
{
    const char *path = work->evaluate->settings->hypotheses;
    if (!work->evaluate->settings->json) {
        printf("hypotheses %s, %zu sentences\n", path, work->hypotheses.count);
        scoring_print(&work->scoring);
        return 0;
    }
    json_t *object = scoring_json(&work->scoring);
    json_t *rest = json_pack("{s:s, s:I}", "hypotheses", path, "sentences",
                             (json_int_t)work->hypotheses.count);
    if (object != NULL && json_object_update(object, rest) < 0) {
        json_decref(object);
        object = NULL;
    }
    json_decref(rest);
    return cmd_print_json(object, err);
}

int evaluate_hypotheses(struct evaluate *evaluate, char *const *references, size_t count)
{
    struct err err = ERR_INIT;
    struct work work = {.evaluate = evaluate};
    int code = prepare(&work, references, count, &err);
    if (code == 0)
        code = scoring_compute(&work.scoring, evaluate->settings, &err);
    if (code == 0)
        code = print(&work, &err);
    scoring_release(&work.scoring);
    text_lines_release(&work.hypotheses);
    return code < 0 ? cmd_failed(&err) : CMD_FINE;
}
