/*
 * dragomanctl: the client program. The command line is read twice: once with all options, to find
 * the command, and once with those that the command has, so that others are refused and --help
 * shows only what applies.
 */
#include <jansson.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/err.h"
#include "base/mem.h"
#include "base/opt.h"
#include "cmd/ctl.h"

#define GLOBAL "" /* in `section`: an option that every command has */
#define AT(member) offsetof(struct ctl_settings, member)
#define ARGUMENT OPT_ONLY_ARGUMENT

/* `section` lists the commands that have the option. */
static const struct opt options[] = {
    {"connect", 'c', OPT_TEXT, ARGUMENT, GLOBAL, AT(connect), NULL, 0, 0, NULL, "ADDR", NULL,
     "server: HOST:PORT or unix:PATH; else $DRAGOMAN_CONNECT, else " DRAGOMAN_CLIENT_ADDRESS},
    {"timeout", 0, OPT_REAL, ARGUMENT, GLOBAL, AT(timeout), "30", 0.001, 600, NULL, "N", "s",
     "how long to wait for the connection and for an answer"},
    {"json", 'j', OPT_FLAG, ARGUMENT, GLOBAL, AT(json), NULL, 0, 0, NULL, NULL, NULL,
     "print one JSON object a line"},
    {"source", 's', OPT_TEXT, ARGUMENT, "translate", AT(source), NULL, 0, 0, NULL, "LANG", NULL,
     "language of the text"},
    {"target", 't', OPT_TEXT, ARGUMENT, "translate", AT(target), NULL, 0, 0, NULL, "LANG", NULL,
     "language wanted"},
    {"model", 'm', OPT_TEXT, ARGUMENT, "translate classify generate tag regress", AT(model), NULL,
     0, 0, NULL, "NAME", NULL, "model to use"},
    {"beam", 'b', OPT_INT, ARGUMENT, "translate", AT(beam), NULL, 1, 16, NULL, "N", NULL,
     "hypotheses kept at each step; the model's own number where not given"},
    {"nbest", 'n', OPT_INT, ARGUMENT, "translate", AT(nbest), NULL, 1, 16, NULL, "N", NULL,
     "print the N best translations of each text"},
    {"alignment", 0, OPT_FLAG, ARGUMENT, "translate", AT(alignment), NULL, 0, 0, NULL, NULL, NULL,
     "with --json: add the alignment"},
    {"top", 'k', OPT_INT, ARGUMENT, "classify", AT(top), NULL, 1, 1000, NULL, "N", NULL,
     "print the N most probable labels"},
    {"in-flight", 0, OPT_INT, ARGUMENT, "translate classify tag regress", AT(in_flight), "64", 1,
     1000, NULL, "N", NULL, "requests sent ahead of their answers"},
    {"explain", 0, OPT_FLAG, ARGUMENT, "classify", AT(explain), NULL, 0, 0, NULL, NULL, NULL,
     "add what each part of the text weighs for the label"},
    {"rows", 0, OPT_FLAG, ARGUMENT, "regress", AT(rows), NULL, 0, 0, NULL, NULL, NULL,
     "the texts are rows of numbers, 0.1,0.5;0.3,0.2"},
    {"label", 'l', OPT_TEXT, ARGUMENT, "generate", AT(label), NULL, 0, 0, NULL, "LABEL", NULL,
     "what to write, for a model that writes by label"},
    {"features", 'f', OPT_TEXT, ARGUMENT, "generate", AT(features), NULL, 0, 0, NULL, "NUMBERS",
     NULL, "what to write about, for a model that writes by features: 0.1,0.5 or rows of them"},
    {"max-tokens", 0, OPT_INT, ARGUMENT, "generate", AT(max_tokens), NULL, 1, 1e6, NULL, "N", NULL,
     "tokens of a text at most; the server's own number where not given"},
    {"temperature", 't', OPT_REAL, ARGUMENT, "generate", AT(temperature), "1", 0, 100, NULL, "N",
     NULL, "below 1 more probable texts; 0 always the most probable token"},
    {"top-k", 'k', OPT_INT, ARGUMENT, "generate", AT(top_k), NULL, 1, 1e6, NULL, "N", NULL,
     "choose among the N most probable tokens"},
    {"top-p", 'p', OPT_REAL, ARGUMENT, "generate", AT(top_p), "1", 0, 1, NULL, "N", NULL,
     "choose among the most probable tokens of this probability together"},
    {"seed", 0, OPT_INT, ARGUMENT, "generate", AT(seed), NULL, 1, 1e15, NULL, "N", NULL,
     "of the random choices; the server's own where not given"},
    {"stop", 0, OPT_LIST, ARGUMENT, "generate", AT(stop), NULL, 0, 0, NULL, "TEXT", NULL,
     "end before this"},
    {"count", 'n', OPT_INT, ARGUMENT, "generate", AT(count), "1", 1, 1e6, NULL, "N", NULL,
     "how many texts after each prompt"},
    {"limit", 'n', OPT_INT, ARGUMENT, "log", AT(limit), "20", 1, 1000, NULL, "N", NULL,
     "rows at most"},
    {"since", 0, OPT_INT, ARGUMENT, "log", AT(since), NULL, 1, 1e9, NULL, "N", "s",
     "only rows of the last N seconds"},
    {"count", 'n', OPT_INT, ARGUMENT, "ping", AT(count), "1", 1, 1e6, NULL, "N", NULL,
     "how many times"},
    {"help", 'h', OPT_FLAG, ARGUMENT, GLOBAL, AT(help), NULL, 0, 0, NULL, NULL, NULL,
     "print this text"},
    {"version", 'V', OPT_FLAG, ARGUMENT, GLOBAL, AT(version), NULL, 0, 0, NULL, NULL, NULL,
     "print the version"},
    {.name = NULL},
};
#define OPTION_COUNT (sizeof options / sizeof options[0])

static const struct command {
    const char *name;
    int (*run)(struct ctl *ctl);
    bool takes_texts;
    const char *help;
} commands[] = {
    {"translate", ctl_translate, true, "translate the texts given, or each line of standard input"},
    {"classify", ctl_classify, true, "label the texts given, or each line of standard input"},
    {"generate", ctl_generate, true, "write a text, after each prompt given or from nothing"},
    {"tag", ctl_tag, true, "label the words of the texts given, or of each line of standard input"},
    {"regress", ctl_regress, true, "a number for the texts given, or each line of standard input"},
    {"status", ctl_status, false, "how the server is"},
    {"models", ctl_models, false, "which models it serves"},
    {"log", ctl_log, false, "the latest rows of its request log"},
    {"ping", ctl_ping, false, "how long an answer takes"},
};
#define COMMAND_COUNT (sizeof commands / sizeof commands[0])

/* Whether `word` stands in the space-separated `list`. */
static bool has_word(const char *list, const char *word)
{
    size_t len = strlen(word);
    for (const char *at = list; (at = strstr(at, word)) != NULL; at += len)
        if ((at == list || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
            return true;
    return false;
}

/* Copies the options that `command` has; NULL: the global ones. */
static void options_of(const struct command *command, struct opt *table)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const char *section = options[i].section;
        if (options[i].name && *section && !(command && has_word(section, command->name)))
            continue;
        *table = options[i];
        table++->section = NULL;
    }
}

/* What the first reading of the command line stores: nothing that matters. */
struct scratch {
    char *text;
    bool flag;
};

/* All options, whatever their values: the first reading looks for the command only. Where two
   share a letter both take a value, so that one of them is enough. */
static void all_options(struct opt *table)
{
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        bool flag = options[i].type == OPT_FLAG;
        table[i] = options[i];
        table[i].section = table[i].fallback = NULL;
        table[i].type = flag ? OPT_FLAG : OPT_TEXT;
        table[i].offset = flag ? offsetof(struct scratch, flag) : offsetof(struct scratch, text);
        for (size_t j = 0; j < i; j++)
            if (table[j].letter == table[i].letter)
                table[i].letter = 0;
    }
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

/* Reads the command line with all options, to learn which word is the command. *name is NULL when
   there is none. */
static int find_command_word(int argc, char **argv, const char **name, struct err *err)
{
    struct scratch scratch = {.text = NULL};
    struct opt table[OPTION_COUNT];
    int positional = 0;
    char **copy = mem_alloc((size_t)argc + 1, sizeof *copy, err);
    if (!copy)
        return ERR_MEMORY;
    memcpy(copy, argv, (size_t)argc * sizeof *copy);
    all_options(table);
    int code = opt_defaults(table, &scratch, err);
    if (code == 0)
        code = opt_parse_arguments(table, &scratch, argc, copy, &positional, err);
    *name = code == 0 && positional > 0 ? copy[1] : NULL;
    opt_release(table, &scratch);
    mem_free(copy);
    return code;
}

static int print_help(const struct command *command, const struct opt *table)
{
    struct buf text = BUF_INIT;
    if (opt_help(table, &text, NULL) < 0)
        return CTL_FAILED;
    if (command) {
        printf("usage: dragomanctl %s [OPTION]...%s\n%s\n\n", command->name,
               command->takes_texts ? " [TEXT]..." : "", command->help);
    } else {
        printf("usage: dragomanctl COMMAND [OPTION]... [TEXT]...\n"
               "the client of the Dragoman translation and text classification server\n\n");
        for (size_t i = 0; i < COMMAND_COUNT; i++)
            printf("  %-10s %s\n", commands[i].name, commands[i].help);
        printf("\nEach command has its own --help.\n\n");
    }
    fputs(text.data ? text.data : "", stdout);
    buf_release(&text);
    return CTL_FINE;
}

static int run_command(struct ctl *ctl, const struct command *command)
{
    const char *address = ctl->settings.connect;
    if (!address || !*address)
        address = getenv("DRAGOMAN_CONNECT");
    if (!address || !*address)
        address = DRAGOMAN_CLIENT_ADDRESS;
    ctl->client = dragoman_client_new();
    if (!ctl->client) {
        ctl_complain("out of memory");
        return CTL_FAILED;
    }
    int code = dragoman_client_connect(ctl->client, address, ctl_timeout_ms(ctl));
    int status = code < 0 ? ctl_client_failed(ctl, code) : command->run(ctl);
    dragoman_client_free(ctl->client);
    return status;
}

/* After the command line has been read: argv[1] is the command, then come `count - 1` texts. */
static int act(struct ctl *ctl, const struct command *command, const struct opt *table, char **argv,
               int count)
{
    if (ctl->settings.help)
        return print_help(command, table);
    if (ctl->settings.version) {
        printf("dragomanctl %s\n", DRAGOMAN_VERSION);
        return CTL_FINE;
    }
    if (!command) {
        ctl_complain("no command given; see dragomanctl --help");
        return CTL_USAGE;
    }
    if (count > 1 && !command->takes_texts) {
        ctl_complain("%s takes no argument, but was given '%s'", command->name, argv[2]);
        return CTL_USAGE;
    }
    ctl->texts = argv + 2;
    ctl->text_count = count - 1;
    return run_command(ctl, command);
}

static int ctl_main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    struct ctl ctl = {.client = NULL};
    struct opt table[OPTION_COUNT];
    const char *name = NULL;
    int positional = 0;
    int status = CTL_USAGE;
    int code = find_command_word(argc, argv, &name, &err);
    const struct command *command = name ? find_command(name) : NULL;
    if (code == 0 && name && !command)
        code = err_set(&err, ERR_ARGUMENT, "unknown command '%s'; see dragomanctl --help", name);
    options_of(command, table);
    if (code == 0)
        code = opt_defaults(table, &ctl.settings, &err);
    if (code == 0)
        code = opt_parse_arguments(table, &ctl.settings, argc, argv, &positional, &err);
    if (code == 0)
        status = act(&ctl, command, table, argv, positional);
    else
        ctl_complain("%s", err.message);
    opt_release(table, &ctl.settings);
    return status;
}

int main(int argc, char **argv)
{
    int status = ctl_main(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        ctl_complain("cannot write to standard output");
        return status ? status : CTL_FAILED;
    }
    return status;
}
