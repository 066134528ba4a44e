/* Connections: lines in and answers out over real sockets, with the event loop run by hand. */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "serve/conn.h"
#include "unit.h"

#define MAX_LINE 100
#define MAX_PIPELINE 4
#define MAX_OUTPUT 300000

/* What the table told us, and how we answer. */
struct log {
    struct event_base *base;
    struct conn_table *table;
    size_t memory;
    size_t lines, bytes, overflows, closed;
    char last[MAX_LINE + 1];
    struct conn *conn;
    struct conn_ref ref;
    bool keep; /* requests are not answered at once */
    size_t kept;
};

static void on_line(void *context, struct conn *conn, const char *line, size_t len)
{
    struct log *log = context;
    log->lines++;
    log->bytes += len;
    log->conn = conn;
    log->ref = conn_ref(conn);
    snprintf(log->last, sizeof log->last, "%.*s", (int)len, line);
    conn_expect(conn, 1);
    if (log->keep) {
        log->kept++;
        return;
    }
    conn_send(conn, line, len);
    conn_send(conn, "\n", 1);
    conn_answered(conn, 1);
}

static void on_overflow(void *context, struct conn *conn, enum conn_overflow why)
{
    struct log *log = context;
    log->overflows++;
    assert_int_equal(why, CONN_LINE_TOO_LONG);
    conn_send(conn, "too long\n", 9);
}

static void on_closed(void *context, struct conn_ref ref)
{
    struct log *log = context;
    log->closed++;
    assert_null(conn_find(log->table, ref));
}

/* A table and a client that is connected to it; returns the client's socket. */
static int open_client(struct log *log, size_t max_connections)
{
    int ends[2];
    const struct sockaddr address = {.sa_family = AF_UNIX};
    struct err err = ERR_INIT;
    if (!log->table) {
        const struct conn_settings settings = {
            .max_connections = max_connections,
            .max_line = MAX_LINE,
            .max_pipeline = MAX_PIPELINE,
            .max_output = MAX_OUTPUT,
            .max_memory = 1u << 30,
            .idle_timeout = 600,
            .write_timeout = 60,
            .memory = &log->memory,
            .context = log,
            .line = on_line,
            .overflow = on_overflow,
            .closed = on_closed,
        };
        log->base = event_base_new();
        assert_non_null(log->base);
        log->table = conn_table_new(log->base, &settings, &err);
        assert_non_null(log->table);
    }
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(fcntl(ends[1], F_SETFL, O_NONBLOCK), 0);
    assert_fine(conn_add(log->table, ends[1], &address, sizeof address, &err), err);
    return ends[0];
}

static void close_all(struct log *log)
{
    conn_table_free(log->table);
    event_base_free(log->base);
    assert_int_equal(log->memory, 0);
}

/* Lets the loop do all that it can do now. */
static void spin(struct log *log)
{
    for (int i = 0; i < 20; i++)
        assert_true(event_base_loop(log->base, EVLOOP_NONBLOCK) >= 0);
}

static void give(struct log *log, int client, const char *text, size_t len)
{
    assert_int_equal(write(client, text, len), (ssize_t)len);
    spin(log);
}

/* What has arrived at the client, or "closed". */
static const char *got(int client)
{
    static char text[1000];
    ssize_t n = read(client, text, sizeof text - 1);
    if (n == 0)
        return "closed";
    if (n < 0) {
        assert_int_equal(errno, EAGAIN);
        n = 0;
    }
    text[n] = '\0';
    return text;
}

static void lines_are_cut_out_of_bytes(void **state)
{
    (void)state;
    struct log log = {0};
    int client = open_client(&log, 1);
    give(&log, client, "one\ntw", 6);
    assert_string_equal(got(client), "one\n");
    give(&log, client, "o\n\nthree", 8);
    assert_string_equal(got(client), "two\n\n");
    give(&log, client, "\n", 1);
    assert_string_equal(got(client), "three\n");
    give(&log, client, "a\0b\n", 4);
    assert_int_equal(log.bytes, 3 + 3 + 5 + 3);
    for (int i = 0; i < 20; i++)
        give(&log, client, "x", 1);
    give(&log, client, "\n", 1);
    assert_int_equal(strlen(log.last), 20);
    close(client);
    spin(&log);
    assert_int_equal(log.closed, 1);
    close_all(&log);
}

static void a_line_may_be_as_long_as_the_limit(void **state)
{
    (void)state;
    struct log log = {0};
    char line[MAX_LINE + 2];
    int client = open_client(&log, 1);
    memset(line, 'x', sizeof line);
    line[MAX_LINE] = '\n';
    give(&log, client, line, MAX_LINE + 1);
    assert_int_equal(log.lines, 1);
    assert_int_equal(log.overflows, 0);
    assert_int_equal(strlen(got(client)), MAX_LINE + 1);
    close(client);
    spin(&log);
    close_all(&log);
}

static void a_longer_line_ends_the_connection_after_its_answers(void **state)
{
    (void)state;
    struct log log = {.keep = true};
    char line[MAX_LINE + 1];
    int client = open_client(&log, 1);
    memset(line, 'x', sizeof line);
    give(&log, client, "first\n", 6);
    give(&log, client, line, sizeof line); /* no line feed yet, but already too long */
    assert_int_equal(log.overflows, 1);
    assert_string_equal(got(client), "too long\n");
    assert_string_equal(got(client), ""); /* the first is still to be answered */
    give(&log, client, "\nmore\n", 6);    /* is not read any more */
    assert_int_equal(log.lines, 1);
    conn_send(log.conn, "answer\n", 7);
    conn_answered(log.conn, 1);
    spin(&log);
    assert_string_equal(got(client), "answer\n");
    assert_string_equal(got(client), "closed");
    assert_int_equal(log.closed, 0);
    for (int i = 0; i < 100; i++) /* what still comes is thrown away */
        give(&log, client, line, sizeof line);
    close(client);
    spin(&log);
    assert_int_equal(log.closed, 1);
    assert_int_equal(log.lines, 1);
    close_all(&log);
}

static void too_many_requests_are_not_read(void **state)
{
    (void)state;
    struct log log = {.keep = true};
    int client = open_client(&log, 1);
    give(&log, client, "1\n2\n3\n4\n5\n6\n7\n", 14);
    assert_int_equal(log.lines, MAX_PIPELINE);
    conn_answered(log.conn, 2);
    spin(&log);
    assert_int_equal(log.lines, MAX_PIPELINE + 2);
    conn_answered(log.conn, 4);
    spin(&log);
    assert_int_equal(log.lines, 7);
    assert_string_equal(log.last, "7");
    close(client);
    spin(&log);
    assert_int_equal(log.closed, 0); /* one is unanswered */
    conn_answered(log.conn, 1);
    spin(&log);
    assert_int_equal(log.closed, 1);
    close_all(&log);
}

static void half_a_close_still_gets_answers(void **state)
{
    (void)state;
    struct log log = {.keep = true};
    int client = open_client(&log, 1);
    assert_int_equal(write(client, "1\n2\nhalf", 8), 8);
    assert_int_equal(shutdown(client, SHUT_WR), 0);
    spin(&log);
    assert_int_equal(log.lines, 2);
    conn_send(conn_find(log.table, log.ref), "a\nb\n", 4);
    conn_answered(log.conn, 2);
    spin(&log);
    assert_string_equal(got(client), "a\nb\n");
    assert_string_equal(got(client), "closed");
    assert_int_equal(log.closed, 1);
    close(client);
    close_all(&log);
}

static void who_does_not_read_is_not_read_from_then_dropped(void **state)
{
    (void)state;
    static char block[MAX_OUTPUT];
    struct log log = {.keep = true};
    int client = open_client(&log, 1);
    give(&log, client, "1\n", 2);
    memset(block, 'x', sizeof block);
    conn_send(log.conn, block, sizeof block / 2); /* more than the socket takes */
    spin(&log);
    assert_int_equal(log.closed, 0);
    assert_true(log.memory > 0);
    conn_send(log.conn, block, sizeof block);
    spin(&log);
    assert_int_equal(log.closed, 1);
    close(client);
    close_all(&log);
}

static void a_reference_outlives_its_connection(void **state)
{
    (void)state;
    struct log log = {0};
    struct err err = ERR_INIT;
    const struct sockaddr address = {.sa_family = AF_UNIX};
    int client = open_client(&log, 1), ends[2];
    give(&log, client, "1\n", 2);
    struct conn_ref old = log.ref;
    assert_ptr_equal(conn_find(log.table, old), log.conn);
    assert_true(conn_is_local(log.conn));
    assert_string_equal(conn_peer(log.conn), "unix");
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    assert_int_equal(conn_add(log.table, ends[0], &address, sizeof address, &err), ERR_BUSY);
    close(ends[0]);
    close(ends[1]);
    close(client);
    spin(&log);
    assert_int_equal(conn_table_open(log.table), 0);
    client = open_client(&log, 1); /* the same slot */
    give(&log, client, "2\n", 2);
    assert_null(conn_find(log.table, old));
    assert_int_equal(log.ref.slot, old.slot);
    close(client);
    spin(&log);
    close_all(&log);
}

/* Runs the loop until so many connections have ended. */
static void wait_until_closed(struct log *log, size_t closed)
{
    int64_t end = clock_ns() + 60 * INT64_C(1000000000);
    while (log->closed < closed && clock_ns() < end)
        assert_true(event_base_loop(log->base, EVLOOP_ONCE) >= 0);
    assert_int_equal(log->closed, closed);
}

static void draining_answers_what_came_then_closes(void **state)
{
    (void)state;
    struct log log = {0};
    int idle = open_client(&log, 2), busy = open_client(&log, 2);
    spin(&log);
    log.keep = true;
    give(&log, busy, "1\n", 2);
    log.keep = false;
    assert_int_equal(write(busy, "2\n", 2), 2); /* in the socket when the draining begins */
    conn_table_drain(log.table);
    spin(&log);
    assert_string_equal(got(busy), "2\n");
    close(idle);
    wait_until_closed(&log, 1);
    give(&log, busy, "3", 1); /* half a line is waited for */
    conn_send(log.conn, "1\n", 2);
    conn_answered(log.conn, 1);
    spin(&log);
    assert_string_equal(got(busy), "1\n");
    give(&log, busy, "3\n", 2);
    assert_string_equal(got(busy), "33\n");
    wait_until_closed(&log, 2); /* though the client does not close */
    assert_string_equal(got(busy), "closed");
    close(busy);
    close_all(&log);
}

static void many_lines_at_once_are_all_read(void **state)
{
    (void)state;
    struct log log = {0};
    char text[2000];
    int client = open_client(&log, 1);
    memset(text, '\n', sizeof text);
    give(&log, client, text, sizeof text);
    for (int i = 0; i < 50; i++)
        spin(&log);
    assert_int_equal(log.lines, sizeof text);
    close(client);
    spin(&log);
    close_all(&log);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_are_cut_out_of_bytes),
        cmocka_unit_test(a_line_may_be_as_long_as_the_limit),
        cmocka_unit_test(a_longer_line_ends_the_connection_after_its_answers),
        cmocka_unit_test(too_many_requests_are_not_read),
        cmocka_unit_test(half_a_close_still_gets_answers),
        cmocka_unit_test(who_does_not_read_is_not_read_from_then_dropped),
        cmocka_unit_test(a_reference_outlives_its_connection),
        cmocka_unit_test(draining_answers_what_came_then_closes),
        cmocka_unit_test(many_lines_at_once_are_all_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
