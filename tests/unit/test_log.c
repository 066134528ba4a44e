/* The log: one line an event, whatever the message holds, and lines of threads never mixed. */
#include <pthread.h>
#include <regex.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "unit.h"

static int make_pipe(void **state)
{
    static int ends[2];
    *state = ends;
    return pipe(ends);
}

static int close_pipe(void **state)
{
    int *ends = *state;
    log_set_fd(STDERR_FILENO);
    log_set_level(LOG_LEVEL_INFO);
    return close(ends[0]) | close(ends[1]);
}

/* What is in the pipe now, at most one read's worth. */
static void read_pipe(const int *ends, char *text, size_t size)
{
    ssize_t n = read(ends[0], text, size - 1);
    assert_true(n >= 0);
    text[n] = '\0';
}

static void assert_matches(const char *text, const char *pattern)
{
    regex_t regex;
    assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    int rc = regexec(&regex, text, 0, NULL, 0);
    regfree(&regex);
    if (rc)
        fail_msg("'%s' does not match '%s'", text, pattern);
}

static void lines_have_time_and_level(void **state)
{
    char text[4096];
    int *ends = *state;
    log_set_fd(ends[1]);
    log_warning("disk %d%% full", 93);
    read_pipe(ends, text, sizeof text);
    assert_matches(text, "^20[0-9]{2}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]"
                         "\\.[0-9]{3}Z warning disk 93% full\n$");
}

static void quiet_levels_are_left_out(void **state)
{
    char text[4096];
    int *ends = *state;
    log_set_fd(ends[1]);
    log_debug("not shown");
    log_set_level(LOG_LEVEL_ERROR);
    log_info("not shown");
    log_error("shown");
    log_set_level(LOG_LEVEL_DEBUG);
    log_debug("shown too");
    read_pipe(ends, text, sizeof text);
    assert_matches(text, "^[^\n]* error shown\n[^\n]* debug shown too\n$");
}

static void messages_cannot_forge_lines(void **state)
{
    char text[4096];
    int *ends = *state;
    log_set_fd(ends[1]);
    log_info("%s", "a\nb\r\033[31mc");
    read_pipe(ends, text, sizeof text);
    assert_matches(text, "info a b  \\[31mc\n$");
    assert_int_equal(strchr(text, '\n') - text, (ptrdiff_t)strlen(text) - 1);
}

static void long_messages_are_cut_to_one_line(void **state)
{
    char text[4096], big[3000];
    int *ends = *state;
    log_set_fd(ends[1]);
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    log_info("%s", big);
    read_pipe(ends, text, sizeof text);
    assert_matches(text, " info x{1900,2040}\n$");
}

enum { THREADS = 4, LINES = 50 };

static void *write_lines(void *argument)
{
    for (int i = 0; i < LINES; i++)
        log_info("thread %s says %d", (const char *)argument, i);
    return NULL;
}

static void threads_do_not_mix_lines(void **state)
{
    static char names[THREADS][2] = {"a", "b", "c", "d"};
    static char text[THREADS * LINES * 80];
    int *ends = *state;
    pthread_t threads[THREADS];
    log_set_fd(ends[1]); /* the pipe holds 64 KiB, more than is written */
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, names[i]), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    read_pipe(ends, text, sizeof text);
    int count = 0;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), count++)
        assert_matches(line, "^[0-9TZ:.-]+ info thread [a-d] says [0-9]+$");
    assert_int_equal(count, THREADS * LINES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(lines_have_time_and_level, make_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(quiet_levels_are_left_out, make_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(messages_cannot_forge_lines, make_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(long_messages_are_cut_to_one_line, make_pipe, close_pipe),
        cmocka_unit_test_setup_teardown(threads_do_not_mix_lines, make_pipe, close_pipe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
