/* The client against servers of a few lines: addresses, lines in pieces, long pipelines, ends. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "dragoman/client.h"
#include "unit.h"

#define PATIENCE_MS 60000

struct fixture { /* a listening socket, a connected client, the server's end of it */
    int listener, peer;
    char address[128];
    struct dragoman_client *client;
};

static int listen_loopback(char *address, size_t size)
{
    struct sockaddr_in any = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t len = sizeof any;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof any), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&any, &len), 0);
    snprintf(address, size, "127.0.0.1:%d", ntohs(any.sin_port));
    return fd;
}

static void open_fixture(struct fixture *f)
{
    f->listener = listen_loopback(f->address, sizeof f->address);
    f->client = dragoman_client_new();
    assert_non_null(f->client);
    assert_int_equal(dragoman_client_connect(f->client, f->address, PATIENCE_MS), 0);
    f->peer = accept(f->listener, NULL, NULL);
    assert_true(f->peer >= 0);
}

static void close_fixture(struct fixture *f)
{
    dragoman_client_free(f->client);
    if (f->peer >= 0)
        close(f->peer);
    close(f->listener);
}

static void say(int fd, const char *text, size_t len)
{
    for (size_t done = 0; done < len;) {
        ssize_t n = send(fd, text + done, len - done, MSG_NOSIGNAL);
        assert_true(n > 0);
        done += (size_t)n;
    }
}

static void expect_line(struct dragoman_client *client, const char *want)
{
    const char *line = NULL;
    size_t len = 0;
    assert_int_equal(dragoman_client_receive(client, &line, &len, PATIENCE_MS), 0);
    assert_int_equal(len, strlen(want));
    assert_string_equal(line, want);
}

static void expect_code(struct dragoman_client *client, int timeout_ms, int want)
{
    const char *line;
    size_t len;
    assert_int_equal(dragoman_client_receive(client, &line, &len, timeout_ms), want);
}

static void says_what_is_wrong_with_an_address(void **state)
{
    static const char *const bad[] = {"", "localhost", ":7740", "localhost:", "unix:"};
    struct dragoman_client *client = dragoman_client_new();
    char path[512];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(dragoman_client_connect(client, bad[i], PATIENCE_MS),
                         DRAGOMAN_CLIENT_ADDRESS_BAD);
        assert_non_null(strstr(dragoman_client_message(client), "bad address"));
    }
    memset(path, 'x', sizeof path);
    memcpy(path, "unix:", 5);
    path[5 + 108] = '\0';
    assert_int_equal(dragoman_client_connect(client, path, PATIENCE_MS),
                     DRAGOMAN_CLIENT_ADDRESS_BAD);
    memset(path, 'x', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(dragoman_client_connect(client, path, PATIENCE_MS),
                     DRAGOMAN_CLIENT_ADDRESS_BAD);
    dragoman_client_free(client);
}

static void says_when_nobody_is_there(void **state)
{
    char address[128], path[600];
    struct dragoman_client *client = dragoman_client_new();
    close(listen_loopback(address, sizeof address));
    assert_int_equal(dragoman_client_connect(client, address, PATIENCE_MS),
                     DRAGOMAN_CLIENT_CONNECT);
    assert_non_null(strstr(dragoman_client_message(client), address));
    assert_non_null(strstr(dragoman_client_message(client), strerror(ECONNREFUSED)));
    snprintf(path, sizeof path, "unix:%s/nobody", (const char *)*state);
    assert_int_equal(dragoman_client_connect(client, path, PATIENCE_MS), DRAGOMAN_CLIENT_CONNECT);
    assert_int_equal(dragoman_client_fd(client), -1);
    assert_int_equal(dragoman_client_send(client, "x", 1), DRAGOMAN_CLIENT_LOST);
    expect_code(client, 0, DRAGOMAN_CLIENT_LOST);
    assert_int_equal(dragoman_client_flush(client, 0), DRAGOMAN_CLIENT_LOST);
    assert_int_equal(dragoman_client_finish(client), DRAGOMAN_CLIENT_LOST);
    dragoman_client_free(client);
}

static void speaks_over_unix_sockets(void **state)
{
    struct sockaddr_un place = {.sun_family = AF_UNIX};
    char address[128], got[8];
    snprintf(place.sun_path, sizeof place.sun_path, "%s/socket", (const char *)*state);
    snprintf(address, sizeof address, "unix:%s", place.sun_path);
    int listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&place, sizeof place), 0);
    assert_int_equal(listen(listener, 1), 0);
    struct dragoman_client *client = dragoman_client_new();
    assert_int_equal(dragoman_client_connect(client, address, PATIENCE_MS), 0);
    int peer = accept(listener, NULL, NULL);
    assert_int_equal(dragoman_client_send(client, "ask", 3), 0);
    assert_int_equal(read(peer, got, sizeof got), 4);
    assert_memory_equal(got, "ask\n", 4);
    say(peer, "answer\n", 7);
    expect_line(client, "answer");
    close(peer);
    close(listener);
    dragoman_client_free(client);
}

static void lines_come_in_pieces(void **state)
{
    struct fixture f;
    const char *line;
    size_t len;
    (void)state;
    open_fixture(&f);
    expect_code(f.client, 0, DRAGOMAN_CLIENT_TIMEOUT);
    say(f.peer, "fir", 3);
    expect_code(f.client, 1, DRAGOMAN_CLIENT_TIMEOUT);
    say(f.peer, "st\n\nthird\nfour", 14);
    expect_line(f.client, "first");
    expect_line(f.client, "");
    expect_line(f.client, "third");
    expect_code(f.client, 0, DRAGOMAN_CLIENT_TIMEOUT);
    say(f.peer, "th\na\0b\n", 7);
    expect_line(f.client, "fourth");
    assert_int_equal(dragoman_client_receive(f.client, &line, &len, PATIENCE_MS), 0);
    assert_int_equal(len, 3);
    assert_memory_equal(line, "a\0b", 4);
    close_fixture(&f);
}

static void what_came_before_the_end_is_not_lost(void **state)
{
    struct fixture f;
    (void)state;
    open_fixture(&f);
    /* What the server has not read turns its close into a reset. */
    assert_int_equal(dragoman_client_send(f.client, "unread", 6), 0);
    struct pollfd item = {.fd = f.peer, .events = POLLIN};
    assert_int_equal(poll(&item, 1, PATIENCE_MS), 1);
    say(f.peer, "one\ntwo\nhalf", 12);
    close(f.peer);
    f.peer = -1;
    assert_int_equal(dragoman_client_send(f.client, "too late", 8), 0);
    assert_int_equal(dragoman_client_send(f.client, "much too late", 13), 0);
    expect_line(f.client, "one");
    expect_line(f.client, "two");
    expect_code(f.client, PATIENCE_MS, DRAGOMAN_CLIENT_LOST);
    expect_code(f.client, PATIENCE_MS, DRAGOMAN_CLIENT_LOST);
    assert_int_equal(dragoman_client_flush(f.client, PATIENCE_MS), DRAGOMAN_CLIENT_LOST);
    assert_non_null(strstr(dragoman_client_message(f.client), "lost the connection"));

    assert_int_equal(dragoman_client_connect(f.client, f.address, PATIENCE_MS), 0);
    f.peer = accept(f.listener, NULL, NULL);
    say(f.peer, "again\n", 6);
    expect_line(f.client, "again");
    close_fixture(&f);
}

static void finish_ends_one_direction(void **state)
{
    struct fixture f;
    char got[16];
    (void)state;
    open_fixture(&f);
    assert_int_equal(dragoman_client_send_raw(f.client, "half", 4), 0);
    assert_int_equal(dragoman_client_flush(f.client, PATIENCE_MS), 0);
    assert_int_equal(dragoman_client_finish(f.client), 0);
    assert_int_equal(recv(f.peer, got, 4, MSG_WAITALL), 4);
    assert_memory_equal(got, "half", 4);
    assert_int_equal(read(f.peer, got, sizeof got), 0);
    say(f.peer, "still here\n", 11);
    expect_line(f.client, "still here");
    close_fixture(&f);
}

/* Sends back whatever comes, until nothing comes any more. */
static void *echo(void *context)
{
    static char bytes[65536];
    int fd = *(int *)context;
    for (ssize_t n; (n = read(fd, bytes, sizeof bytes)) > 0;)
        for (ssize_t done = 0, put; done < n; done += put)
            if ((put = send(fd, bytes + done, (size_t)(n - done), MSG_NOSIGNAL)) <= 0)
                return NULL;
    return NULL;
}

/* Far more than the sockets hold is sent before the first answer is read. */
static void long_pipelines_do_not_lock_up(void **state)
{
    enum { LINES = 20000, SIZE = 1000 };
    struct fixture f;
    pthread_t thread;
    char line[SIZE + 1];
    (void)state;
    open_fixture(&f);
    for (int i = 0; i < LINES; i++) {
        memset(line, 'x', SIZE);
        line[snprintf(line, sizeof line, "%d", i)] = ' ';
        assert_int_equal(dragoman_client_send(f.client, line, SIZE), 0);
    }
    assert_int_equal(dragoman_client_events(f.client), POLLIN | POLLOUT);
    assert_int_equal(dragoman_client_flush(f.client, 0), DRAGOMAN_CLIENT_TIMEOUT);
    assert_int_equal(pthread_create(&thread, NULL, echo, &f.peer), 0);
    for (int i = 0; i < LINES; i++) {
        const char *got;
        size_t len;
        assert_int_equal(dragoman_client_receive(f.client, &got, &len, PATIENCE_MS), 0);
        assert_int_equal(len, SIZE);
        assert_int_equal(atoi(got), i);
    }
    assert_int_equal(dragoman_client_events(f.client), POLLIN);
    assert_int_equal(dragoman_client_finish(f.client), 0);
    pthread_join(thread, NULL);
    close_fixture(&f);
}

struct dribble {
    int fd;
    _Atomic bool stop;
};

static void *dribble(void *context)
{
    struct dribble *d = context;
    while (!atomic_load(&d->stop) && send(d->fd, "x", 1, MSG_NOSIGNAL) == 1)
        poll(NULL, 0, 1);
    return NULL;
}

/* A byte now and then does not extend the time that was given. */
static void a_deadline_is_for_the_whole_line(void **state)
{
    struct fixture f;
    pthread_t thread;
    (void)state;
    open_fixture(&f);
    struct dribble d = {.fd = f.peer};
    assert_int_equal(pthread_create(&thread, NULL, dribble, &d), 0);
    int64_t begin = clock_ns();
    expect_code(f.client, 50, DRAGOMAN_CLIENT_TIMEOUT);
    assert_true(clock_ns() - begin >= 50 * 1000000LL);
    atomic_store(&d.stop, true);
    pthread_join(thread, NULL);
    close_fixture(&f);
}

static void *flood(void *context)
{
    static char bytes[1 << 16];
    memset(bytes, 'x', sizeof bytes);
    while (send(*(int *)context, bytes, sizeof bytes, MSG_NOSIGNAL) > 0)
        continue;
    return NULL;
}

static void an_endless_line_is_cut_off(void **state)
{
    struct fixture f;
    pthread_t thread;
    (void)state;
    open_fixture(&f);
    assert_int_equal(pthread_create(&thread, NULL, flood, &f.peer), 0);
    expect_code(f.client, PATIENCE_MS, DRAGOMAN_CLIENT_LIMIT);
    dragoman_client_close(f.client);
    pthread_join(thread, NULL);
    close_fixture(&f);
}

static void lack_of_memory_is_an_error(void **state)
{
    struct fixture f;
    (void)state;
    mem_fail_at(1);
    assert_null(dragoman_client_new());
    open_fixture(&f);
    mem_fail_at(1);
    assert_int_equal(dragoman_client_send(f.client, "x", 1), DRAGOMAN_CLIENT_MEMORY);
    say(f.peer, "x\n", 2);
    mem_fail_at(1);
    expect_code(f.client, PATIENCE_MS, DRAGOMAN_CLIENT_MEMORY);
    mem_fail_at(0);
    expect_line(f.client, "x");
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_is_wrong_with_an_address),
        cmocka_unit_test(says_when_nobody_is_there),
        cmocka_unit_test(speaks_over_unix_sockets),
        cmocka_unit_test(lines_come_in_pieces),
        cmocka_unit_test(what_came_before_the_end_is_not_lost),
        cmocka_unit_test(finish_ends_one_direction),
        cmocka_unit_test(long_pipelines_do_not_lock_up),
        cmocka_unit_test(a_deadline_is_for_the_whole_line),
        cmocka_unit_test(an_endless_line_is_cut_off),
        cmocka_unit_test(lack_of_memory_is_an_error),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
