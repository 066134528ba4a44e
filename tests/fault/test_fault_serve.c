/* The serving layer when memory runs out: what starts is an error or a server, and a server that
   runs gives an answer, an error or a closed connection, and goes on. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../unit/unit.h"
#include "base/log.h"
#include "fault.h"
#include "serve/server.h"
#include "support/tiny_bundle.h"

#define PATIENCE_MS 60000
#define MOST_FAILURES 100000 /* by then every allocation has failed once */

static char models[4200], state_folder[4200];

static int load(struct conf *conf, struct err *err)
{
    static char *argv[] = {"dragomand",   "--foreground", "--listen",    "127.0.0.1:0", "--models",
                           models,        "--state",      state_folder,  "--workers",   "1",
                           "--log-texts", "full",         "--log-level", "error",       NULL};
    int rc = conf_load(conf, (int)(sizeof argv / sizeof argv[0]) - 1, argv, err);
    return rc < 0 ? rc : conf_complete(conf, err);
}

static int load_conf(void *context, struct err *err)
{
    (void)context;
    struct conf conf;
    int rc = load(&conf, err);
    conf_release(&conf);
    return rc;
}

/* Whether the failure that mem_fail_at(n) announced has happened; none is announced any more.
   Threads make the number of allocations vary, so it may be several short of n. */
static bool has_failed(long n)
{
    bool pending = false;
    for (long i = 0; i < n && !pending; i++) {
        void *probe = mem_alloc(1, 1, NULL);
        pending = probe == NULL;
        mem_free(probe);
    }
    mem_fail_at(0);
    return !pending;
}

static int start_server(void *context, struct err *err)
{
    struct server *server = server_new(context, err);
    int rc = server ? 0 : (int)err->code;
    server_free(server);
    return rc;
}

static void settings_need_memory(void **state)
{
    (void)state;
    fault_loop(load_conf, NULL);
}

static void a_server_starts_or_says_why(void **state)
{
    (void)state;
    struct conf conf;
    struct err err = ERR_INIT;
    assert_fine(load(&conf, &err), err);
    /* A bundle that finds no memory is left out, so not every failure is the server's own. */
    bool failed = true;
    long n = 1, refused = 0;
    for (; failed && n < MOST_FAILURES; n++) {
        err_clear(&err);
        mem_fail_at(n);
        int rc = start_server(&conf, &err);
        failed = has_failed(n);
        assert_true(rc == 0 || (failed && rc == ERR_MEMORY && err.message[0]));
        refused += rc < 0;
    }
    assert_false(failed);
    assert_true(refused > 10);
    conf_release(&conf);
}

static void *run_server(void *argument)
{
    struct err err = ERR_INIT;
    return server_run(argument, &err) == 0 ? argument : NULL;
}

static int connect_to(const struct server *server)
{
    const char *name = server_listener_name(server, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
                                  .sin_port = htons((uint16_t)atoi(strchr(name, ':') + 1))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

/* Reads one line, or nothing where the connection was closed; fails when neither comes. */
static bool read_line(int fd, char *line, size_t size)
{
    size_t len = 0;
    while (len < size - 1) {
        struct pollfd item = {.fd = fd, .events = POLLIN};
        if (poll(&item, 1, PATIENCE_MS) != 1)
            fail_msg("no answer and no end after '%.*s'", (int)len, line);
        ssize_t n = recv(fd, line + len, 1, 0);
        if (n <= 0)
            return false;
        if (line[len] == '\n')
            break;
        len++;
    }
    line[len] = '\0';
    return true;
}

/* Sends the line while the n-th allocation fails. True: the failure has happened. */
static bool ask_with_failure(const struct server *server, const char *request, long n,
                             unsigned *answers)
{
    char line[8000];
    int fd = connect_to(server);
    mem_fail_at(n);
    assert_int_equal(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    if (read_line(fd, line, sizeof line)) {
        size_t len = strlen(line);
        bool whole = len > 2 && (line[0] == '{' || line[0] == '[') && strstr(line, "jsonrpc");
        if (!whole)
            fail_msg("not an answer: %s", line);
        ++*answers;
    }
    bool failed = has_failed(n);
    close(fd);
    return failed;
}

/* Without failure everything still works. */
static void is_well(const struct server *server)
{
    static const char request[] =
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"translate\",\"params\":{\"model\":"
        "\"tiny-en-fr\",\"text\":\"Why?\"}}\n";
    char line[8000];
    int fd = connect_to(server);
    assert_int_equal(send(fd, request, sizeof request - 1, MSG_NOSIGNAL),
                     (ssize_t)sizeof request - 1);
    assert_true(read_line(fd, line, sizeof line));
    assert_non_null(strstr(line, "\"translations\""));
    close(fd);
}

static void a_running_server_goes_on(void **state)
{
    (void)state;
    static const char *const requests[] = {
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"translate\",\"params\":{\"model\":"
        "\"tiny-en-fr\",\"text\":[\"I want to know. "
        "Why?\",\"\"],\"nbest\":2,\"alignment\":true}}\n",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"classify\",\"params\":{\"text\":\"Great\"}}\n",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"classify\",\"params\":{\"text\":\"Great "
        "fun\",\"model\":\"tiny-bag\",\"explain\":true}}\n",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"generate\",\"params\":{\"max_tokens\":5,"
        "\"stop\":[\"x\"],\"stream\":true}}\n",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"generate\",\"params\":{\"model\":\"tiny-"
        "scene\","
        "\"features\":[1,2,3],\"max_tokens\":5}}\n",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tag\",\"params\":{\"text\":\"a b\"}}\n",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"regress\",\"params\":{\"text\":\"a b\"}}\n",
        ("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"stats\"},{\"jsonrpc\":\"2.0\",\"id\":2,"
         "\"method\":\"admin.log\"},{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"models\"},7]\n"),
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"admin.reload\"}\n",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"translate\",\"params\":{\"text\":\"x\"}}\n",
        "nonsense\n",
    };
    struct conf conf;
    struct err err = ERR_INIT;
    pthread_t thread;
    void *result;
    assert_fine(load(&conf, &err), err);
    struct server *server = server_new(&conf, &err);
    assert_non_null(server);
    assert_int_equal(pthread_create(&thread, NULL, run_server, server), 0);
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        unsigned answers = 0;
        bool failed = true;
        for (long n = 1; failed && n < MOST_FAILURES; n++)
            failed = ask_with_failure(server, requests[i], n, &answers);
        assert_false(failed); /* the end was reached */
        assert_true(answers > 0);
        is_well(server);
    }
    assert_int_equal(kill(getpid(), SIGTERM), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, server);
    server_free(server);
    conf_release(&conf);
}

static int set_up(void **state)
{
    struct err err = ERR_INIT;
    if (scratch_make(state))
        return -1;
    log_set_level(LOG_LEVEL_ERROR);
    snprintf(models, sizeof models, "%s/models", (const char *)*state);
    snprintf(state_folder, sizeof state_folder, "%s/state", (const char *)*state);
    return tiny_bundle_write_all(models, &err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_need_memory),
        cmocka_unit_test(a_server_starts_or_says_why),
        cmocka_unit_test(a_running_server_goes_on),
    };
    return cmocka_run_group_tests(tests, set_up, scratch_remove);
}
