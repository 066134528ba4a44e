/* The daemon's settings: what overrules what, and the files that are made from the table. */
#include <string.h>
#include <unistd.h>

#include "serve/conf.h"
#include "unit.h"

static int load(struct conf *conf, char **argv, struct err *err)
{
    int argc = 0;
    while (argv[argc])
        argc++;
    return conf_load(conf, argc, argv, err);
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static void command_line_overrules_file(void **state)
{
    char path[4200];
    struct conf conf;
    struct err err = ERR_INIT;
    snprintf(path, sizeof path, "%s/one.conf", (const char *)*state);
    write_file(path, "listen = 127.0.0.1:1\nlisten = 127.0.0.1:2\nmodels = /a\n"
                     "[limits]\nmax-text = 7\nmax-texts = 9\n[log]\nlog-texts = full\n");
    char *argv[] = {"dragomand", "--listen", "127.0.0.1:3", "--config", path, "--max-text=8", NULL};
    assert_fine(load(&conf, argv, &err), err);
    assert_int_equal(conf.listen.count, 1);
    assert_string_equal(conf.listen.items[0], "127.0.0.1:3");
    assert_int_equal(conf.models.count, 1);
    assert_string_equal(conf.models.items[0], "/a");
    assert_int_equal(conf.max_text, 8);
    assert_int_equal(conf.max_texts, 9);
    assert_int_equal(conf.max_line, 1 << 20);
    assert_int_equal(conf.log_texts, CONF_LOG_FULL);
    conf_release(&conf);
}

static void reload_takes_over_what_can_change(void **state)
{
    char path[4200];
    struct conf conf;
    struct err err = ERR_INIT;
    snprintf(path, sizeof path, "%s/two.conf", (const char *)*state);
    write_file(path, "models = /a\n[limits]\nmax-text = 7\nmax-queue = 500\n");
    char *argv[] = {"dragomand", "-f", "-c", path, NULL};
    assert_fine(load(&conf, argv, &err), err);
    write_file(path, "models = /b\nmodels = /c\nlog-level = error\n[limits]\nmax-text = 70\n"
                     "max-queue = 600\n[log]\nlog-texts = full\n");
    assert_fine(conf_reload(&conf, &err), err);
    assert_int_equal(conf.models.count, 2);
    assert_string_equal(conf.models.items[1], "/c");
    assert_int_equal(conf.max_text, 70);
    assert_int_equal(conf.max_queue, 500);
    assert_int_equal(conf.log_texts, CONF_LOG_FULL);
    write_file(path, "models = /d\n[limits]\nmax-text = much\n");
    assert_int_equal(conf_reload(&conf, &err), ERR_ARGUMENT);
    assert_int_equal(conf.models.count, 2);
    assert_int_equal(conf.max_text, 70);
    conf_release(&conf);
}

static void nonsense_is_refused(void **state)
{
    (void)state;
    char *lines[][4] = {
        {"dragomand", "extra", NULL},
        {"dragomand", "--no-such-option", NULL},
        {"dragomand", "--workers", "many", NULL},
        {"dragomand", "--max-line", "1", NULL},
        {"dragomand", "--config", "/nonexistent/file", NULL},
        {"dragomand", "--max-texts=100", "--max-queue=99", NULL},
    };
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        struct conf conf;
        struct err err = ERR_INIT;
        assert_true(load(&conf, lines[i], &err) < 0);
        assert_true(err.message[0] != '\0');
        conf_release(&conf);
    }
}

static void the_environment_gives_the_state_folder(void **state)
{
    (void)state;
    static const struct {
        const char *systemd, *xdg, *home, *expected;
    } cases[] = {
        {"/var/lib/dragoman:/other", "/x", "/h", "/var/lib/dragoman"},
        {NULL, "/x", "/h", "/x/dragoman"},
        {NULL, "relative", "/h", "/h/.local/state/dragoman"},
        {NULL, NULL, "/h", "/h/.local/state/dragoman"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct conf conf;
        struct err err = ERR_INIT;
        char *argv[] = {"dragomand", NULL};
        cases[i].systemd ? setenv("STATE_DIRECTORY", cases[i].systemd, 1)
                         : unsetenv("STATE_DIRECTORY");
        cases[i].xdg ? setenv("XDG_STATE_HOME", cases[i].xdg, 1) : unsetenv("XDG_STATE_HOME");
        setenv("HOME", cases[i].home, 1);
        assert_fine(load(&conf, argv, &err), err);
        assert_false(conf.state_given);
        assert_fine(conf_complete(&conf, &err), err);
        assert_string_equal(conf.state, cases[i].expected);
        assert_string_equal(conf.listen.items[0], "127.0.0.1:7740");
        assert_true(conf.workers >= 1);
        conf_release(&conf);
    }
}

/* The text of a file of the sources. */
static struct buf read_source(const char *name)
{
    const char *top = getenv("top_srcdir");
    struct buf text = BUF_INIT;
    struct err err = ERR_INIT;
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", top ? top : ".", name);
    assert_fine(file_read(path, 1u << 20, &text, &err), err);
    return text;
}

static void the_sample_file_is_up_to_date(void **state)
{
    (void)state;
    struct buf expected = BUF_INIT, actual = read_source("etc/dragomand.conf");
    struct err err = ERR_INIT;
    assert_fine(buf_text(&expected, CONF_SAMPLE_HEADING, &err), err);
    assert_fine(opt_sample(conf_table, &expected, &err), err);
    assert_string_equal(actual.data, expected.data);
    buf_release(&expected);
    buf_release(&actual);
}

static void the_manual_lists_the_options(void **state)
{
    (void)state;
    struct buf expected = BUF_INIT, manual = read_source("man/dragomand.8");
    struct err err = ERR_INIT;
    assert_fine(buf_text(&expected, ".Bl -tag -width Ds\n", &err), err);
    assert_fine(opt_mdoc(conf_table, &expected, &err), err);
    assert_fine(buf_text(&expected, ".El\n", &err), err);
    char *options = strstr(manual.data, ".Sh OPTIONS\n");
    options = options ? strstr(options, ".Bl ") : NULL;
    assert_non_null(options);
    char *end = strstr(options, ".El\n");
    assert_non_null(end);
    end[4] = '\0';
    assert_string_equal(options, expected.data);
    buf_release(&expected);
    buf_release(&manual);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(command_line_overrules_file),
        cmocka_unit_test(reload_takes_over_what_can_change),
        cmocka_unit_test(nonsense_is_refused),
        cmocka_unit_test(the_environment_gives_the_state_folder),
        cmocka_unit_test(the_sample_file_is_up_to_date),
        cmocka_unit_test(the_manual_lists_the_options),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
