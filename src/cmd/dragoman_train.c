/*
 * dragoman train: recipe and flags to a bundle, with a progress line. On a terminal the line is
 * redrawn; otherwise one is printed now and then, for logs. SIGINT and SIGTERM stop the run with a
 * checkpoint, from which --resume goes on.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "cmd/cmd.h"
#include "train/train.h"

#define TERMINAL_INTERVAL_NS 200000000LL
#define LOG_INTERVAL_NS 30000000000LL
#define BAR_WIDTH 24

static volatile sig_atomic_t stop_requested;

static void request_stop(int signal_number)
{
    (void)signal_number;
    stop_requested = 1;
}

struct display {
    bool terminal;
    int64_t shown_ns;
    const char *unit, *score_name;
};

static void print_duration(double seconds)
{
    const long s = (long)seconds;
    fprintf(stderr, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
}

static void begin(void *context, const struct train_summary *summary)
{
    struct display *display = context;
    display->unit = summary->unit;
    display->score_name = summary->score_name;
    fprintf(stderr, "%zu examples", summary->examples);
    if (summary->left_out > 0)
        fprintf(stderr, ", %zu left out: longer than %zu tokens", summary->left_out,
                summary->max_tokens);
    if (summary->cut > 0)
        fprintf(stderr, ", %zu of them cut to %zu tokens", summary->cut, summary->max_tokens);
    fprintf(stderr, ", %zu parameters\n", summary->parameters);
    if (summary->dev_left_out > 0)
        fprintf(stderr, "%zu examples of the development data left out: longer than %zu tokens\n",
                summary->dev_left_out, summary->dev_max_tokens);
}

/* A score, with as many decimals as tell scores of its size apart. */
static void print_score(const struct display *display, double score)
{
    fprintf(stderr, "dev %s %.*f", display->score_name, score < 1 ? 5 : 2, score);
}

static void print_line(const struct display *display, const struct trainer_progress *p)
{
    if (display->terminal) {
        const int filled = (int)(p->progress * BAR_WIDTH);
        fprintf(stderr, "\r\033[K[%.*s%*s] ", filled, "########################",
                BAR_WIDTH - filled, "");
    }
    fprintf(stderr, "epoch %zu %3.0f%%  update %zu  loss %.3f  %.0f %s/s  rate %.2e  ",
            p->epoch + 1, 100.0 * (double)p->batch / (double)p->batches, p->update, p->loss,
            p->units_per_second, display->unit, p->rate);
    fputs("left ", stderr);
    print_duration(p->seconds_left);
    if (!display->terminal)
        fputc('\n', stderr);
}

static bool report(void *context, const struct trainer_progress *p)
{
    struct display *display = context;
    const int64_t now = clock_ns();
    const int64_t interval = display->terminal ? TERMINAL_INTERVAL_NS : LOG_INTERVAL_NS;
    if (p->scored) {
        if (display->terminal)
            fputs("\r\033[K", stderr);
        if (p->batch == 0)
            fprintf(stderr, "epoch %zu done  ", p->epoch);
        else
            fprintf(stderr, "epoch %zu %3.0f%%  ", p->epoch + 1,
                    100.0 * (double)p->batch / (double)p->batches);
        fprintf(stderr, "update %zu  loss %.*f  ", p->update, p->loss < 0.01 ? 6 : 3, p->loss);
        print_score(display, p->score);
        fputs(p->saved ? " (best, saved)  " : p->best ? " (best)  " : "  ", stderr);
        if (p->perplexity > 0)
            fprintf(stderr, "perplexity %.4g  ", p->perplexity);
        fputs("after ", stderr);
        print_duration(p->seconds);
        fputc('\n', stderr);
    } else if (now - display->shown_ns >= interval) {
        display->shown_ns = now;
        print_line(display, p);
    }
    return !stop_requested;
}

/* The command line as it was given, for the model card. */
static int join_arguments(int argc, char **argv, struct buf *out, struct err *err)
{
    if (buf_text(out, "dragoman", err))
        return err->code;
    for (int i = 0; i < argc; i++) {
        const char *format =
            argv[i][0] == '\0' || strpbrk(argv[i], " \t\n'\"$&|;<>()*?\\") ? " \"%s\"" : " %s";
        if (buf_printf(out, err, format, argv[i]))
            return err->code;
    }
    return 0;
}

/* The recipe file is named by a flag but read before the flags, which win. */
static int read_recipe(struct recipe *recipe, int argc, char **argv, struct err *err)
{
    struct recipe named = {0};
    int positional = 0;
    int status = opt_parse_arguments(recipe_options, &named, argc, argv, &positional, err);
    if (status == 0 && positional > 0)
        status = err_set(err, ERR_ARGUMENT, "train takes no argument '%s'", argv[1]);
    if (status == 0)
        status = opt_defaults(recipe_options, recipe, err);
    if (status == 0 && named.recipe)
        status = opt_parse_file(recipe_options, recipe, named.recipe, err);
    if (status == 0)
        status = opt_parse_arguments(recipe_options, recipe, argc, argv, &positional, err);
    if (status == 0 && !recipe->help && (status = recipe_check(recipe, err)) && recipe->recipe)
        err_context(err, "%s, with the flags", recipe->recipe);
    opt_release(recipe_options, &named);
    return status;
}

static const char *ending(const struct recipe *recipe)
{
    if (!stop_requested)
        return "done";
    return recipe->kind == RECIPE_BAG_OF_WORDS ? "stopped"
                                               : "stopped with a checkpoint (go on with --resume)";
}

static int run(struct recipe *recipe, const char *command, struct err *err)
{
    struct display display = {.terminal = isatty(STDERR_FILENO)};
    const struct train_watch watch = {&display, begin, report};
    struct trainer_progress final = {0};
    const struct sigaction action = {.sa_handler = request_stop, .sa_flags = SA_RESTART};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    if (train_run(recipe, command, &watch, &final, err))
        return err->code;
    if (display.terminal)
        fputs("\r\033[K", stderr);
    fprintf(stderr, "%s after %zu updates, ", ending(recipe), final.update);
    print_duration(final.seconds);
    if (final.best_score >= 0) {
        fputs("; best ", stderr);
        print_score(&display, final.best_score);
        fprintf(stderr, " in %s\n", recipe->out);
    } else {
        fputs("; no model yet\n", stderr);
    }
    return 0;
}

static int show_help(struct err *err)
{
    struct buf help = BUF_INIT;
    int status = opt_help(recipe_options, &help, err);
    if (status == 0)
        printf("usage: dragoman train --task WORD --train FILE --dev FILE --out DIR [option ...]\n"
               "\n%s",
               help.data);
    buf_release(&help);
    return status;
}

int dragoman_train(int argc, char **argv)
{
    struct err err = ERR_INIT;
    struct recipe recipe = {0};
    struct buf command = BUF_INIT;
    int status = join_arguments(argc, argv, &command, &err);
    if (status == 0)
        status = read_recipe(&recipe, argc, argv, &err);
    const bool usage = status != 0 && status != ERR_MEMORY;
    if (status == 0)
        status = recipe.help ? show_help(&err) : run(&recipe, command.data, &err);
    if (status)
        fprintf(stderr, "dragoman: train: %s\n", err.message);
    opt_release(recipe_options, &recipe);
    buf_release(&command);
    return status == 0 ? 0 : usage ? 2 : 1;
}
