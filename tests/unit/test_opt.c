/* Options: one table, and every way into it and out of it. */
#include <string.h>

#include "base/mem.h"
#include "base/opt.h"
#include "unit.h"

struct settings {
    bool verbose, colour;
    int64_t port, memory;
    double rate;
    char *folder;
    int attention;
    struct opt_list listen;
    char *config;
    int64_t depth;
};

#define AT(member) offsetof(struct settings, member)

static const struct opt table[] = {
    {"config", 'f', OPT_TEXT, OPT_ONLY_ARGUMENT, NULL, AT(config), NULL, 0, 0, NULL, "FILE", NULL,
     "read this configuration file"},
    {"verbose", 'v', OPT_FLAG, OPT_ANYWHERE, NULL, AT(verbose), NULL, 0, 0, NULL, NULL, NULL,
     "say more"},
    {"colour", 0, OPT_FLAG, OPT_ANYWHERE, NULL, AT(colour), "yes", 0, 0, NULL, NULL, NULL,
     "use colours"},
    {"port", 'p', OPT_INT, OPT_ANYWHERE, "net", AT(port), "7740", 0, 65535, NULL, "N", NULL,
     "TCP port"},
    {"listen", 'l', OPT_LIST, OPT_ANYWHERE, "net", AT(listen), "127.0.0.1:7740", 0, 0, NULL,
     "ADDR:PORT", NULL, "address"},
    {"memory", 'm', OPT_INT, OPT_ANYWHERE, "limits", AT(memory), "64M", 1024, 1073741824, NULL, "N",
     "bytes", "memory at most"},
    {"rate", 'r', OPT_REAL, OPT_ANYWHERE, "limits", AT(rate), "0.5", 0.25, 8, NULL, "X", "1/s",
     "requests a second"},
    {"folder", 0, OPT_TEXT, OPT_ANYWHERE, "limits", AT(folder), NULL, 0, 0, NULL, "DIR", NULL,
     "where state is kept, a text so long that the help must wrap it onto another line"},
    {"attention", 0, OPT_CHOICE, OPT_ANYWHERE, NULL, AT(attention), "dot", 0, 0, "none|dot|general",
     "KIND", NULL, "attention"},
    {"depth", 0, OPT_INT, OPT_ONLY_FILE, NULL, AT(depth), NULL, 0, 0, NULL, "N", NULL,
     ".any \\ depth"},
    {.name = NULL},
};

static int set_up(void **state)
{
    static struct settings settings;
    *state = &settings;
    return opt_defaults(table, &settings, NULL);
}

static int tear_down(void **state)
{
    opt_release(table, *state);
    return 0;
}

static void defaults_come_from_the_table(void **state)
{
    struct settings *settings = *state;
    assert_false(settings->verbose);
    assert_true(settings->colour);
    assert_int_equal(settings->port, 7740);
    assert_int_equal(settings->memory, 64 << 20);
    assert_true(settings->rate == 0.5);
    assert_null(settings->folder);
    assert_int_equal(settings->attention, 1);
    assert_int_equal(settings->listen.count, 1);
    assert_string_equal(settings->listen.items[0], "127.0.0.1:7740");
    assert_int_equal(settings->depth, 0);
    opt_release(table, settings);
    assert_null(settings->listen.items);
    assert_int_equal(settings->port, 0);
}

static void values_are_read(void **state)
{
    static const struct {
        const char *name, *value;
        double number;
    } good[] = {
        {"port", "0", 0},          {"port", "65535", 65535},
        {"port", " 80", 80},       {"memory", "1k", 1024},
        {"memory", "1K", 1024},    {"memory", "3M", 3145728},
        {"memory", "1G", 1 << 30}, {"rate", "0.25", 0.25},
        {"rate", "8", 8},          {"rate", "1e0", 1},
        {"depth", "-5k", -5120},   {"depth", "9000G", 9000.0 * (1 << 30)},
        {"attention", "none", 0},  {"attention", "general", 2},
        {"verbose", "yes", 1},     {"verbose", "off", 0},
        {"verbose", "true", 1},    {"verbose", "0", 0},
    };
    struct settings *settings = *state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct err err = ERR_INIT;
        assert_fine(opt_set(table, settings, good[i].name, good[i].value, &err), err);
        double number = strcmp(good[i].name, "port") == 0        ? (double)settings->port
                        : strcmp(good[i].name, "memory") == 0    ? (double)settings->memory
                        : strcmp(good[i].name, "rate") == 0      ? settings->rate
                        : strcmp(good[i].name, "depth") == 0     ? (double)settings->depth
                        : strcmp(good[i].name, "attention") == 0 ? settings->attention
                                                                 : settings->verbose;
        assert_true(number == good[i].number);
    }
}

static void bad_values_name_option_and_value(void **state)
{
    static const char *const bad[][2] = {
        {"port", "65536"},
        {"port", "-1"},
        {"port", ""},
        {"port", "80x"},
        {"port", "1.5"},
        {"port", "64kk"},
        {"memory", "9999999999999999999999"},
        {"memory", "8388608G"},
        {"memory", "9223372036854775807G"},
        {"rate", "0.2"},
        {"rate", "nan"},
        {"rate", "inf"},
        {"rate", "1,5"},
        {"rate", ""},
        {"attention", "do"},
        {"attention", ""},
        {"attention", "none|dot"},
        {"verbose", "maybe"},
        {"verbose", ""},
    };
    struct settings *settings = *state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = ERR_INIT;
        assert_int_equal(opt_set(table, settings, bad[i][0], bad[i][1], &err), ERR_ARGUMENT);
        assert_non_null(strstr(err.message, bad[i][0]));
        assert_non_null(strstr(err.message, bad[i][1]));
    }
    assert_int_equal(settings->port, 7740);
    assert_int_equal(settings->attention, 1);
    assert_int_equal(opt_set(table, settings, "por", "1", NULL), ERR_NOT_FOUND);
}

static void arguments_are_taken_and_the_rest_moved(void **state)
{
    struct settings *settings = *state;
    char *argv[] = {"prog",        "one",      "--port=1", "--port",           "2",   "-vp3",
                    "two",         "-l",       "a:1",      "--listen",         "b:2", "-",
                    "--no-colour", "--folder", "--x",      "--attention=none", "--",  "--port",
                    "-v"};
    int count, argc = sizeof argv / sizeof *argv;
    struct err err = ERR_INIT;
    assert_fine(opt_parse_arguments(table, settings, argc, argv, &count, &err), err);
    assert_int_equal(count, 5);
    static const char *const rest[] = {"one", "two", "-", "--port", "-v"};
    for (int i = 0; i < 5; i++)
        assert_string_equal(argv[i + 1], rest[i]);
    assert_int_equal(settings->port, 3);
    assert_true(settings->verbose);
    assert_false(settings->colour);
    assert_string_equal(settings->folder, "--x");
    assert_int_equal(settings->attention, 0);
    assert_int_equal(settings->listen.count, 2); /* the default is gone */
    assert_string_equal(settings->listen.items[0], "a:1");
    assert_string_equal(settings->listen.items[1], "b:2");
}

static void bad_arguments_are_refused(void **state)
{
    static const struct {
        char *argument;
        const char *message;
        int code;
    } bad[] = {
        {"--nothing", "unknown option '--nothing'", ERR_NOT_FOUND},
        {"--nothing=1", "unknown option '--nothing'", ERR_NOT_FOUND},
        {"--no-port", "unknown option '--no-port'", ERR_NOT_FOUND},
        {"--depth=1", "unknown option '--depth'", ERR_NOT_FOUND},
        {"-x", "unknown option '-x'", ERR_NOT_FOUND},
        {"--port", "option '--port' needs a value", ERR_ARGUMENT},
        {"-p", "option '--port' needs a value", ERR_ARGUMENT},
        {"--verbose=maybe", "option 'verbose': 'maybe' is not yes or no", ERR_ARGUMENT},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char *argv[] = {"prog", bad[i].argument};
        struct err err = ERR_INIT;
        int count;
        assert_int_equal(opt_parse_arguments(table, *state, 2, argv, &count, &err), bad[i].code);
        assert_string_equal(err.message, bad[i].message);
    }
}

/* Parses `text` as a file named "F"; the path in messages is shortened to that. */
static int parse_text(void **state, const char *text, struct err *err)
{
    char path[] = "/tmp/dragoman-opt-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    FILE *stream = fdopen(fd, "w");
    fputs(text, stream);
    fclose(stream);
    int rc = opt_parse_file(table, *state, path, err);
    remove(path);
    if (strncmp(err->message, path, strlen(path)) == 0)
        memmove(err->message, err->message + strlen(path), strlen(err->message + strlen(path)) + 1);
    return rc;
}

static void files_are_read(void **state)
{
    struct settings *settings = *state;
    struct err err = ERR_INIT;
    char text[2000] = "# ";
    memset(text + 2, 'x', 1000); /* comments may be as long as they like */
    strcpy(text + 1002, "\nverbose = yes\r\n; comment\n  colour: no\n\n[net]\nport=99 ; inline\n"
                        "\tlisten = a:1\nlisten = b:2\n[limits]\nfolder = /a b/\xC3\xA9");
    assert_fine(parse_text(state, text, &err), err);
    assert_true(settings->verbose);
    assert_false(settings->colour);
    assert_int_equal(settings->port, 99);
    assert_int_equal(settings->listen.count, 2);
    assert_string_equal(settings->listen.items[1], "b:2");
    assert_string_equal(settings->folder, "/a b/\xC3\xA9");
    assert_fine(parse_text(state, "", &err), err);
}

static void bad_files_name_the_line(void **state)
{
    static const struct {
        const char *text, *message;
        int code;
    } bad[] = {
        {"verbose = yes\n\nprot = 1\n", ":3: unknown option 'prot'", ERR_NOT_FOUND},
        {"port = 1\n", ":1: unknown option 'port'", ERR_NOT_FOUND},
        {"[net]\nverbose = yes\n", ":2: unknown option 'verbose' in [net]", ERR_NOT_FOUND},
        {"config = x\n", ":1: unknown option 'config'", ERR_NOT_FOUND},
        {"[net]\nport = 1\nport = x\nport = y\n",
         ":3: option 'port': 'x' is not a whole number (k, M and G multiply by powers of 1024) "
         "from 0 to 65535",
         ERR_ARGUMENT},
        {"verbose\n", ":1: expected 'name = value' or '[section]'", ERR_FORMAT},
        {"\n[net\n", ":2: expected 'name = value' or '[section]'", ERR_FORMAT},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = ERR_INIT;
        assert_int_equal(parse_text(state, bad[i].text, &err), bad[i].code);
        assert_string_equal(err.message, bad[i].message);
    }
    char text[5000] = "attention = ";
    memset(text + 12, 'x', sizeof text - 13);
    struct err err = ERR_INIT;
    assert_int_equal(parse_text(state, text, &err), ERR_LIMIT);
    assert_string_equal(err.message, ":1: line too long");
    err_clear(&err);
    assert_int_equal(opt_parse_file(table, *state, "/nonexistent", &err), ERR_NOT_FOUND);
}

static void help_is_wrapped_and_complete(void **state)
{
    (void)state;
    struct buf help = BUF_INIT;
    struct err err = ERR_INIT;
    assert_fine(opt_help(table, &help, &err), err);
    assert_non_null(
        strstr(help.data, "  -f, --config FILE         read this configuration file\n"));
    assert_non_null(strstr(help.data, "      --colour              use colours (default yes)\n"));
    assert_non_null(strstr(help.data, "TCP port (0 to 65535; default 7740)\n"));
    assert_non_null(strstr(help.data, "(1k to 1G bytes; default 64M)\n"));
    assert_non_null(strstr(help.data, "(0.25 to 8 1/s; default 0.5)\n"));
    assert_non_null(strstr(help.data, "(none, dot or general; default dot)\n"));
    assert_non_null(strstr(help.data, "(default 127.0.0.1:7740; repeatable)\n"));
    assert_null(strstr(help.data, "depth"));
    for (char *line = strtok(help.data, "\n"); line; line = strtok(NULL, "\n"))
        assert_in_range(strlen(line), 1, 80);
    buf_release(&help);
}

/* The sample, with its settings uncommented, must set the defaults again. */
static void sample_can_be_read_back(void **state)
{
    struct settings *settings = *state;
    struct buf sample = BUF_INIT;
    struct err err = ERR_INIT;
    assert_fine(opt_sample(table, &sample, &err), err);
    assert_null(strstr(sample.data, "config ="));
    assert_true(strstr(sample.data, "#attention") < strstr(sample.data, "[net]"));
    assert_fine(parse_text(state, sample.data, &err), err);
    for (char *c = sample.data; (c = strstr(c, "\n#")); c++)
        if (c[2] != ' ')
            c[1] = ' ';
    settings->port = 1;
    settings->attention = 0;
    settings->depth = 1;
    assert_int_equal(parse_text(state, sample.data, &err), ERR_ARGUMENT); /* depth has no default */
    assert_non_null(strstr(err.message, "'depth'"));
    memcpy(strstr(sample.data, "depth = ") + 8, "0", 1);
    err_clear(&err);
    assert_fine(parse_text(state, sample.data, &err), err);
    assert_int_equal(settings->port, 7740);
    assert_int_equal(settings->attention, 1);
    buf_release(&sample);
}

static void mdoc_is_escaped(void **state)
{
    (void)state;
    static const struct opt odd[] = {
        {"odd", 'o', OPT_TEXT, OPT_ANYWHERE, NULL, 0, NULL, 0, 0, NULL, "X", NULL, ".a \\b"},
        {.name = NULL},
    };
    struct buf mdoc = BUF_INIT;
    struct err err = ERR_INIT;
    assert_fine(opt_mdoc(odd, &mdoc, &err), err);
    assert_string_equal(mdoc.data, ".It Fl o , Fl -odd Ar X\n\\&.a \\eb.\n");
    buf_release(&mdoc);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(defaults_come_from_the_table),     TEST(values_are_read),
        TEST(bad_values_name_option_and_value), TEST(arguments_are_taken_and_the_rest_moved),
        TEST(bad_arguments_are_refused),        TEST(files_are_read),
        TEST(bad_files_name_the_line),          TEST(help_is_wrapped_and_complete),
        TEST(sample_can_be_read_back),          TEST(mdoc_is_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
