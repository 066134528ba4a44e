/* The lines of dragomanctl's input, however they are cut. */
#include <string.h>
#include <unistd.h>

#include "cmd/ctl_input.h"
#include "unit.h"

struct source {
    struct input input;
    int in, out; /* the two ends of a pipe */
};

static void open_source(struct source *source)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    source->in = ends[0];
    source->out = ends[1];
    input_init(&source->input, NULL, 0, source->in);
}

static void close_source(struct source *source)
{
    input_release(&source->input);
    close(source->in);
    if (source->out >= 0)
        close(source->out);
}

static void give(struct source *source, const char *text, size_t len)
{
    assert_int_equal(write(source->out, text, len), (ssize_t)len);
    assert_int_equal(input_read(&source->input, NULL), 0);
}

static void end(struct source *source)
{
    close(source->out);
    source->out = -1;
    assert_int_equal(input_read(&source->input, NULL), 0);
}

static void expect_text(struct source *source, const char *want)
{
    struct input_text text;
    assert_int_equal(input_next(&source->input, &text), INPUT_TEXT);
    assert_non_null(text.data);
    assert_int_equal(text.len, strlen(want));
    assert_memory_equal(text.data, want, text.len);
}

static void expect_state(struct source *source, enum input_state want)
{
    struct input_text text;
    assert_int_equal(input_next(&source->input, &text), want);
}

static void arguments_go_before_lines(void **state)
{
    char *texts[] = {"one", "", "two\nlines\r"};
    struct source source = {.in = -1, .out = -1};
    (void)state;
    input_init(&source.input, texts, 3, STDIN_FILENO);
    expect_text(&source, "one");
    expect_text(&source, "");
    expect_text(&source, "two\nlines\r");
    expect_state(&source, INPUT_END);
    input_release(&source.input);
}

static void lines_end_as_they_like(void **state)
{
    struct source source;
    (void)state;
    open_source(&source);
    expect_state(&source, INPUT_NOTHING_YET);
    give(&source, "a\r\n\n\r\nb\rc\nd", 11);
    expect_text(&source, "a");
    expect_text(&source, "");
    expect_text(&source, "");
    expect_text(&source, "b\rc");
    expect_state(&source, INPUT_NOTHING_YET);
    give(&source, "e", 1);
    expect_state(&source, INPUT_NOTHING_YET);
    end(&source);
    expect_text(&source, "de");
    expect_state(&source, INPUT_END);
    expect_state(&source, INPUT_END);
    close_source(&source);
}

static void nothing_is_nothing(void **state)
{
    struct source source;
    (void)state;
    open_source(&source);
    end(&source);
    expect_state(&source, INPUT_END);
    close_source(&source);
}

/* Writes `count` bytes of a line, reading along. */
static void give_long(struct source *source, size_t count)
{
    char bytes[1000];
    struct input_text text;
    memset(bytes, 'x', sizeof bytes);
    for (size_t n; count > 0; count -= n) {
        n = count < sizeof bytes ? count : sizeof bytes;
        give(source, bytes, n);
        assert_int_equal(input_next(&source->input, &text), INPUT_NOTHING_YET);
    }
}

static void too_long_is_told_and_dropped(void **state)
{
    struct source source;
    struct input_text text;
    (void)state;
    open_source(&source);
    give_long(&source, INPUT_MAX_LINE);
    give(&source, "\n", 1);
    assert_int_equal(input_next(&source.input, &text), INPUT_TEXT);
    assert_non_null(text.data);
    assert_int_equal(text.len, INPUT_MAX_LINE);
    give_long(&source, 3 * INPUT_MAX_LINE);
    assert_true(source.input.bytes.capacity < 4 * INPUT_MAX_LINE);
    give(&source, "\nnext\n", 6);
    assert_int_equal(input_next(&source.input, &text), INPUT_TEXT);
    assert_null(text.data);
    expect_text(&source, "next");
    give_long(&source, INPUT_MAX_LINE + 1);
    end(&source);
    assert_int_equal(input_next(&source.input, &text), INPUT_TEXT);
    assert_null(text.data);
    expect_state(&source, INPUT_END);
    close_source(&source);
}

static void a_bad_descriptor_is_an_error(void **state)
{
    struct err err = ERR_INIT;
    struct input input;
    (void)state;
    input_init(&input, NULL, 0, -1);
    assert_int_equal(input_read(&input, &err), ERR_IO);
    assert_non_null(strstr(err.message, "standard input"));
    input_release(&input);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_go_before_lines),
        cmocka_unit_test(lines_end_as_they_like),
        cmocka_unit_test(nothing_is_nothing),
        cmocka_unit_test(too_long_is_told_and_dropped),
        cmocka_unit_test(a_bad_descriptor_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
