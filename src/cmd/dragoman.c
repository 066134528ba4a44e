/* dragoman, the workbench: one program, one command for each thing that can be done with a model.
 */
#include <stdio.h>
#include <string.h>
#include "cmd/cmd.h"

static const struct command {
    const char *name;
    int (*run)(int argc, char **argv);
    const char *help;
} commands[] = {
    {"train", dragoman_train, "make a model from examples"},
    {"evaluate", dragoman_evaluate, "measure a model on a test set"},
    {"translate", dragoman_translate, "translate lines"},
    {"caption", dragoman_caption, "say what is in rows of numbers"},
    {"classify", dragoman_classify, "label lines"},
    {"generate", dragoman_generate, "write text, or weigh it"},
    {"tag", dragoman_tag, "label the words of lines"},
    {"regress", dragoman_regress, "give lines a number each"},
    {"tokenize", dragoman_tokenize, "cut lines into a model's tokens"},
    {"inspect", dragoman_inspect, "say what is in a model"},
    {"quantize", dragoman_quantize, "make a model's weights smaller"},
};
#define COMMAND_COUNT (sizeof(commands) / sizeof(commands[0]))

static int print_help(void)
{
    printf("usage: dragoman COMMAND [OPTION]... [ARGUMENT]...\n"
           "the workbench of the Dragoman translation and text classification server\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        printf("  %-10s %s\n", commands[i].name, commands[i].help);
    printf("\nEach command has its own --help. --version prints the version.\n");
    return CMD_FINE;
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        cmd_complain("no command given; see dragoman --help");
        return CMD_USAGE;
    }
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
        return print_help();
    if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0) {
        printf("dragoman %s\n", DRAGOMAN_VERSION);
        return CMD_FINE;
    }
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].name, name) == 0)
            return commands[i].run(argc - 1, argv + 1);
    cmd_complain("unknown command '%s'; see dragoman --help", name);
    return CMD_USAGE;
}

int main(int argc, char **argv)
{
    int status = run(argc, argv);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        cmd_complain("cannot write to standard output");
        return status != CMD_FINE ? status : CMD_FAILED;
    }
    return status;
}
