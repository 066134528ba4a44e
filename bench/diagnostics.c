/*
 * The textbooks' diagnostics of recurrent networks: what each cell learns to remember, how the
 * gradient vanishes and explodes, and what clipping does. Prints the figures as a table and writes
 * a page with all curves:
 *
 *     diagnostics OUT.html             all of it, a quarter of an hour or more
 *     diagnostics --quick OUT.html     the same in a few seconds, with short sequences
 *
 * The same seed gives the same figures on the same machine.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/opt.h"
#include "diagnostics_page.h"

#define POINTS 100          /* of each curve */
#define TEST_SEQUENCES 2048 /* a multiple of each batch */

struct settings {
    struct opt_list cells, tasks;
    int64_t seed;
    bool quick, help;
};

static const struct opt options[] = {
    {.name = "cell",
     .letter = 'c',
     .type = OPT_LIST,
     .offset = offsetof(struct settings, cells),
     .value = "NAME",
     .help = "this cell only, as in recipes; may be given again (default rnn-tanh, lstm, gru)"},
    {.name = "task",
     .letter = 't',
     .type = OPT_LIST,
     .offset = offsetof(struct settings, tasks),
     .value = "NAME",
     .help = "this task only: adding, copy, parity, order; may be given again (default all)"},
    {.name = "seed",
     .type = OPT_INT,
     .offset = offsetof(struct settings, seed),
     .fallback = "1",
     .min = 0,
     .max = 1e9,
     .value = "N",
     .help = "of weights and sequences"},
    {.name = "quick",
     .letter = 'q',
     .type = OPT_FLAG,
     .offset = offsetof(struct settings, quick),
     .help = "short sequences and few updates"},
    {.name = "help",
     .letter = 'h',
     .type = OPT_FLAG,
     .offset = offsetof(struct settings, help),
     .help = "print this help"},
    {.name = NULL},
};

static int run_trial(struct trial *trial, struct err *err)
{
    const struct learner_settings *settings = &trial->settings;
    const int status = learner_run(settings, POINTS, TEST_SEQUENCES, &trial->report, err);
    if (status)
        return status;
    printf("%-7s %-17s %6zu %6zu %5zu %7zu %7g %8.1f  %.3g\n", task_names[settings->task.kind],
           trial->name, settings->task.length, settings->hidden, settings->batch,
           trial->report.updates, settings->rate, trial->report.seconds, trial->report.error);
    fflush(stdout);
    return 0;
}

static int run_gradient(struct gradient_trial *trial, struct err *err)
{
    const size_t steps = trial->settings.steps;
    trial->norms = mem_alloc(steps + 1, sizeof *trial->norms, err);
    if (!trial->norms)
        return ERR_MEMORY;
    const int status = gradient_norms_at_start(&trial->settings, trial->norms, err);
    if (status == 0)
        printf("%-30s %8.2g %8.2g %8.2g\n", trial->name, trial->norms[steps / 10],
               trial->norms[steps / 2], trial->norms[steps]);
    return status;
}

struct choice { /* numbers of words of a list */
    int numbers[DIAGNOSTICS_MAX_CELLS];
    size_t count;
};

static int run_tasks(const struct settings *settings, const struct choice *tasks,
                     const struct choice *cells, struct diagnostics *diagnostics, struct err *err)
{
    diagnostics->task_count = tasks->count;
    printf("%-7s %-17s %6s %6s %5s %7s %7s %8s  %s\n", "task", "cell", "length", "hidden", "batch",
           "updates", "rate", "seconds", "error");
    for (size_t i = 0; i < diagnostics->task_count; i++) {
        struct diagnostics_task *task = &diagnostics->tasks[i];
        for (; task->count < cells->count; task->count++) {
            struct trial *trial = &task->trials[task->count];
            trial_of_task((enum task_kind)tasks->numbers[i],
                          (enum cell_kind)cells->numbers[task->count], settings->quick,
                          (uint64_t)settings->seed, trial);
            if (run_trial(trial, err))
                return err->code;
        }
    }
    return 0;
}

static int run_rest(const struct settings *settings, struct diagnostics *diagnostics,
                    struct err *err)
{
    const uint64_t seed = (uint64_t)settings->seed;
    for (size_t i = 0; i < CLIPPING_TRIALS; i++) {
        trial_of_clipping(i, settings->quick, seed, &diagnostics->clipping[i]);
        if (run_trial(&diagnostics->clipping[i], err))
            return err->code;
    }
    printf("\n%-30s %8s %8s %8s\n", "|dL/dh_t| of |dL/dh_T|, back", "10", "50", "100");
    for (size_t i = 0; i < RADIUS_TRIALS; i++) {
        trial_of_radius(i, seed, &diagnostics->radii[i]);
        if (run_gradient(&diagnostics->radii[i], err))
            return err->code;
    }
    for (size_t i = 0; i < GATE_TRIALS; i++) {
        trial_of_gates(i, seed, &diagnostics->gates[i]);
        if (run_gradient(&diagnostics->gates[i], err))
            return err->code;
    }
    return 0;
}

static void release(struct diagnostics *diagnostics)
{
    for (size_t i = 0; i < diagnostics->task_count; i++)
        for (size_t k = 0; k < DIAGNOSTICS_MAX_CELLS; k++)
            learner_report_release(&diagnostics->tasks[i].trials[k].report);
    for (size_t i = 0; i < CLIPPING_TRIALS; i++)
        learner_report_release(&diagnostics->clipping[i].report);
    for (size_t i = 0; i < RADIUS_TRIALS; i++)
        mem_free(diagnostics->radii[i].norms);
    for (size_t i = 0; i < GATE_TRIALS; i++)
        mem_free(diagnostics->gates[i].norms);
}

static int write_page(const struct diagnostics *diagnostics, FILE *stream, struct err *err)
{
    struct buf page = BUF_INIT;
    const int status = diagnostics_page(diagnostics, &page, err);
    if (status == 0)
        fwrite(page.data, 1, page.len, stream); /* an error of the stream is seen at its end */
    buf_release(&page);
    return status;
}

/* The words given, or else those of `fallback`, which NULL ends, as places in `names`. */
static int choose(const struct opt_list *given, const char *const *fallback,
                  const char *const *names, size_t most, struct choice *choice, struct err *err)
{
    for (size_t i = 0; given->count > 0 ? i < given->count : fallback[i] != NULL; i++) {
        const char *word = given->count > 0 ? given->items[i] : fallback[i];
        int n = 0;
        while (names[n] && strcmp(names[n], word) != 0)
            n++;
        if (!names[n])
            return err_set(err, ERR_ARGUMENT, "%s: no such cell or task", word);
        if (choice->count == most)
            return err_set(err, ERR_ARGUMENT, "%s: too many of them", word);
        choice->numbers[choice->count++] = n;
    }
    return 0;
}

static int run(const struct settings *settings, const char *path, struct err *err)
{
    static const char *const cell_fallback[] = {"rnn-tanh", "lstm", "gru", NULL};
    static struct diagnostics diagnostics;
    struct choice cells = {.count = 0}, tasks = {.count = 0};
    struct file_save file;
    if (choose(&settings->cells, cell_fallback, cell_names, DIAGNOSTICS_MAX_CELLS, &cells, err) ||
        choose(&settings->tasks, task_names, task_names, DIAGNOSTICS_TASKS, &tasks, err))
        return err->code;
    if (file_save_begin(&file, path, err)) /* before the work, not after it */
        return err->code;
    int status = run_tasks(settings, &tasks, &cells, &diagnostics, err);
    if (status == 0)
        status = run_rest(settings, &diagnostics, err);
    if (status == 0)
        status = write_page(&diagnostics, file.stream, err);
    if (status == 0)
        status = file_save_commit(&file, err);
    else
        file_save_abort(&file);
    release(&diagnostics);
    return status;
}

static int start(struct settings *settings, int argc, char **argv)
{
    struct err err = ERR_INIT;
    int positional = 0;
    if (opt_defaults(options, settings, &err) ||
        opt_parse_arguments(options, settings, argc, argv, &positional, &err)) {
        fprintf(stderr, "diagnostics: %s\n", err.message);
        return 2;
    }
    if (settings->help || positional != 1) {
        struct buf text = BUF_INIT;
        opt_help(options, &text, NULL);
        printf("usage: diagnostics [OPTION]... OUT.html\n%s", text.data ? text.data : "");
        buf_release(&text);
        return settings->help ? 0 : 2;
    }
    if (run(settings, argv[1], &err) == 0)
        return 0;
    fprintf(stderr, "diagnostics: %s\n", err.message);
    return 1;
}

int main(int argc, char **argv)
{
    struct settings settings = {.quick = false};
    mat_use_one_thread();
    const int status = start(&settings, argc, argv);
    opt_release(options, &settings);
    return status;
}
